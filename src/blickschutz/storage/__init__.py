"""The relational database that several rooms keep their tables in.

Promises: every commit is on disk before it returns; what is deleted is overwritten in the file. Never knows
what the tables mean.
"""
