"""What leaves the evaluation room: a signed file of figures, a report and a page made of it.

Promises: report and page say nothing that the signed file does not hold, and the open door has no interval there. Never holds an
answer, a text of anybody, or a count that did not pass the suppressor.
"""
