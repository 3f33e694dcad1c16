"""The live picture: redacted frames in, video for the browser out; what state a tile is in.

Promises: accepts only `RedactedFrame`; encodes only while somebody watches, once for all viewers; a slow
viewer loses pictures, never holds up the others. Never sees a raw frame.
"""
