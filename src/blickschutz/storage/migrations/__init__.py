"""How the tables of each database came to be what they are: one module a step, never changed after its release."""
