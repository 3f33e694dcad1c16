"""Asks every site in its turn, each by itself, and keeps what they told last."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import structlog

from blickschutz.audit.model import Event
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import Clock
from blickschutz.overview.model import Fault, Known, ReadError
from blickschutz.overview.rules import read

_log = structlog.get_logger(__name__)
AT_ONCE = 8
Fetch = Callable[[str], Awaitable[bytes]]
Write = Callable[[Event, str, Mapping[str, str]], object]


class Rounds:
    """`fetch` gives the answer of a site by its id, or raises `ReadError`; `write` puts an entry into the log and may wait for the disk.

    In one event loop.
    """

    def __init__(self, sites: Sequence[str], fetch: Fetch, write: Write, clock: Clock, at_once: int = AT_ONCE) -> None:
        self._fetch, self._write, self._clock = fetch, write, clock
        self._turns = asyncio.Semaphore(at_once)
        self.known: dict[str, Known] = dict.fromkeys(sites, Known())

    def start(self, guard: Guard, every_s: Mapping[str, float]) -> None:
        for site in self.known:
            guard.task(f"site-{site}", partial(self.look, site), every_s=every_s[site])

    async def look(self, site: str) -> None:
        """One reading of one site."""
        try:
            async with self._turns:
                data = await self._fetch(site)
            told = read(data)
        except ReadError as error:
            await self._failed(site, error.fault)
            return
        before, now = self.known[site], datetime.fromtimestamp(self._clock.now(), UTC)
        since = before.since if before.since is not None and not before.is_away else now
        self.known[site] = Known(told, self._clock.monotonic(), now, since)
        if before.is_away:
            _log.info("site_back", site=site)
            await asyncio.to_thread(self._write, Event.SITE_BACK, site, {})

    async def _failed(self, site: str, fault: Fault) -> None:
        """What was known stays, with its age."""
        before, now = self.known[site], datetime.fromtimestamp(self._clock.now(), UTC)
        since = before.fault_since if before.is_away else now
        self.known[site] = replace(before, fault=fault, fault_since=since)
        if before.fault is not fault:
            _log.warning("site_away", site=site, fault=fault.value)
            await asyncio.to_thread(self._write, Event.SITE_AWAY, site, {"reason": fault.value})
