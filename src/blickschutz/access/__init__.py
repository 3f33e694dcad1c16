"""People and their sign-in: accounts, passwords, second factors, sessions, tokens, and the table of who may do what.

Promises: passwords are kept as argon2id hashes only; tries are limited; a session ends by itself; giving a right takes
two people, taking one takes one. Never sees the passphrase that opens clips.
"""
