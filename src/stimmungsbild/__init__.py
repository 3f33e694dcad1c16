"""Stimmungsbild: asks a town how safe its people feel, and prints what may be said of it.

Promises: whoever collects cannot read, and what is printed tells of the town only where chance chose who answers.
Never imports anything of the video system, and is imported by nothing of it.
"""
