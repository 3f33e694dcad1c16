"""The log anchored outside: a witness with a key and a folder of its own keeps the hash of every entry, and countersigns.

Promises: whoever holds this installation's key can remove, alter, fork or roll back what a witness or an older export has seen,
and it is named. The witness never learns what entries say; it gets hashes.
"""
