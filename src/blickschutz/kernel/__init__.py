"""Types that every room speaks of: ids, clock, geometry, errors, frames, scenes.

Promises: frozen types and pure functions only. Never opens a file, a socket or a device.
"""
