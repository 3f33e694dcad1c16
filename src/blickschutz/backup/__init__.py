"""Backups: everything that an installation needs to go on elsewhere, but no picture and no clip.

Promises: a backup is of one moment though the system runs; two people open it, and nobody alone; what was altered, cut off or
is of a newer version is not restored. Never holds a clip, a share, a picture or a reviewer's private key.
"""
