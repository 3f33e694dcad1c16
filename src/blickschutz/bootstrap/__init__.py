"""The composition root: the only place that names concrete classes together.

Promises: builds a site and serves it, nothing else. Never decides anything itself.
"""
