"""The control room: cells and their supervisor, situations on their way to orders and alerts, clips on their way to cases,
deadlines, outages; what pages and review rooms ask of it.

Promises: a cell that dies or misbehaves is started again and never takes another with it; what was ordered has an outcome.
Never holds a raw picture.
"""
