"""Turn frames into a `Scene`: where is background, where are people.

Promises: the background evidence is an allow-list (DESIGN 4.2). What is not proven to be background
is not in it. Never loads a model whose hash is not registered; never identifies anybody.
"""
