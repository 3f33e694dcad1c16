"""The demonstration: a site on real footage, the story of the mission from end to end, and the cost of real cells.

Promises: marked as a demonstration on every page; its secrets are new at every start. Never touches the data of a real site.
"""
