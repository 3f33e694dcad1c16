"""Fixtures that the tests on the running system share."""

from __future__ import annotations

from tests.live.night import desk, night
from tests.live.system import bare, bare_http, bare_page, browser, http, page, running

__all__ = ["bare", "bare_http", "bare_page", "browser", "desk", "http", "night", "page", "running"]
