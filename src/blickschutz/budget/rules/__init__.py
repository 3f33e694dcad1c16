"""Pure functions of the alarm budget: numbers in, numbers out; no clock, no file."""
