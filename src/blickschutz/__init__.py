"""Blickschutz watches a place without watching its people."""

__version__ = "0.1.0"
