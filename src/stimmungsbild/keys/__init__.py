"""The evaluation's key: answers are sealed for it, and two of its holders open it together.

Promises: one holder's key and passphrase open nothing. Never writes the evaluation's private key or a passphrase anywhere.
"""
