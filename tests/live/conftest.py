"""Fixtures that the tests on the running system share."""

from __future__ import annotations

import pytest

from tests.live.night import desk, night
from tests.live.system import bare, bare_http, bare_page, browser, http, page, running
from tests.peers.nats import overheard

__all__ = ["bare", "bare_http", "bare_page", "browser", "desk", "http", "night", "page", "running"]


@pytest.fixture(scope="module")
def traffic():
    """What goes to brokers and comes from them, in pieces."""
    with overheard() as found:
        yield found
