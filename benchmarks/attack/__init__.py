"""Attacks on the mask: who can still be told from whom on redacted footage, beside chance and the same on raw footage."""
