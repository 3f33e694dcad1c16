"""A simulated town with a known truth, and the survey of it from keys to report in fast motion.

Promises: what is shown as truth is counted over everybody of the town, never estimated. Never stands for a real town.
"""
