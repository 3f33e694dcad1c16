"""People and their sign-in: name and password, sessions, roles, training.

Promises: passwords are kept as argon2id hashes only; tries are limited; a session ends by itself. Never sees the
passphrase that opens clips.
"""
