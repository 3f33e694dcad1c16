"""Signing in, accounts, second factors, tokens."""

from __future__ import annotations

from blickschutz.access.service.access import Access

__all__ = ["Access"]
