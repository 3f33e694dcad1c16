"""What attacks on pages share."""

from __future__ import annotations

from tests.unit.conftest import desk

__all__ = ["desk"]
