"""Length-prefixed, schema-checked messages between our own processes.

Promises: a message that is too long or not in the schema ends the channel. Never unpickles anything.
"""
