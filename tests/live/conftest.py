"""Fixtures that the tests on the running system share."""

from __future__ import annotations

from tests.live.system import browser, http, page, running

__all__ = ["browser", "http", "page", "running"]
