"""Day or night, and until when.

Promises: pure functions of the time and the settings, safe across both clock changes. Never orders
anything by itself.
"""
