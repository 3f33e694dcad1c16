"""Tables and pure functions of hosts."""
