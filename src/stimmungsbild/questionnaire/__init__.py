"""The questionnaire: one definition for screen, paper and tablet, in seven languages.

Promises: two waves are called comparable only where every word of an item is the same. Never changes a wording by itself.
"""
