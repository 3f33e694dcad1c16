"""The review room: a short-lived process for one opened case, with pages of its own; and the place where keys are made.

Promises: passphrases and clip keys live here and end with the process; a picture is shown while two people are in the
room, redacted unless both asked. Never gives a key, a passphrase or an unredacted picture to the control room.
"""
