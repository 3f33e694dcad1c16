"""The composition root: makes the parts of a site from its settings and joins them. What a part is made of it decides itself.

Promises: builds a site and serves it, nothing else. Never decides anything itself.
"""
