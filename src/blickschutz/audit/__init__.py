"""The log (Protokoll): what was done, seen, refused and decided, as a chain that shows every change.

Promises: an entry is in the same transaction as what it tells of; nothing is changed or removed without the
verifier finding it. Never holds picture content, a key or a passphrase.
"""
