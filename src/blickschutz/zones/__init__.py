"""The walls between the processes of the three zones, as far as the operating system builds them.

Promises: a process that holds raw pictures, keys or passphrases cannot be looked into by another one of the same user, gains
no rights by whatever it starts, and leaves no core dump. What a machine cannot do of it is named, never passed over.
"""
