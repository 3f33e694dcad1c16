"""One camera cell: ingest, analysis, redaction and the wall, put in a row.

Promises: a frame goes out redacted or not at all; any failure on the way makes it blank. Never holds up
the camera for a viewer.
"""
