"""The composition root: the only place that names concrete classes together. Starts cells and pages.

Promises: a cell that dies or misbehaves is started again and never takes another with it; the end is
clean. Never holds a raw picture.
"""
