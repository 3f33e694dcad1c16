"""The evaluation room: opened by two, away from every network. Opens, cleans, weights, estimates, and lets nothing small out.

Promises: an interval, or a figure for the town, comes from the letters alone; every count leaves through the suppressor. Never drops
an answer that does not open or does not fit: it is named and counted.
"""
