"""Pure functions of the analysis: arrays in, arrays out; no clock, no device, no file."""
