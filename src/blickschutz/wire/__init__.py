"""Length-prefixed, schema-checked messages between our own processes; who greets whom; what another machine's clock differs by.

Promises: a message that is too long or not in the schema ends the channel. A time of another machine comes with a bound of its error,
or not at all. Never unpickles anything; never compares a clock with another one.
"""
