"""Recordings: the last seconds of packets in memory, and sealed clips on disk.

Promises: nothing is written without an order; what is written is sealed for two people, one authenticated
chunk for each group of pictures, synced; original packets, never encoded anew. Never keeps a key after the clip is closed.
"""
