"""The calendar of a place, from the libraries `holidays` and `astral`; both compute, neither asks a network."""
