"""The rules: history of scenes in, findings out; no clock, no device, no picture."""
