"""The session with one camera: connect, read, notice a stall, try again; packets and frames out of it.

Promises: each frame carries monotonic and wall-clock time; a camera that fails is tried again for ever,
slower and slower, never in step with the others. Never lets a frame out of the process.
"""
