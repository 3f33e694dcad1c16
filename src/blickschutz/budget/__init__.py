"""The alarm budget: what a threshold costs in false alarms on the camera it is laid on, and what may be said of that.

Promises: it keeps numbers alone (how often evidence reached which score, by kind, hour and regime), never a picture, a place in it or
a track; a threshold changes when a person says so, and what a camera cannot do within its budget is told, never left out.
"""
