"""The relational databases that several rooms keep their tables in, and files that are written wholly or not at all.

Promises: every commit is on disk before it returns; what is deleted is overwritten in the file; a database of an older
version is upgraded or left as it was, one of a newer version is refused. Never knows what the tables mean.
"""
