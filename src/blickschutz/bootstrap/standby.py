"""A control room that waits: looks who leads, receives its papers, shows a page that says so, and takes over. One thread."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from pathlib import Path
from typing import Final

import structlog

from blickschutz.bootstrap.leading import LOOK_S, Candidate, Leading
from blickschutz.bootstrap.manager import ServiceManager
from blickschutz.config.model import SiteFile
from blickschutz.control.service.leading import LEAD_S
from blickschutz.kernel.errors import BlickschutzError
from blickschutz.web.tls import modern
from blickschutz.web.waiting import WaitingState, answer, limits_of

_log = structlog.get_logger(__name__)
_HEAD_S: Final = 5.0
_MOST_HEAD: Final = 16 * 1024
_MOST_AT_ONCE: Final = 50


class Standby:
    """Of a site whose data lie in the folder `data`."""

    def __init__(self, site: SiteFile, data: Path, candidate: Candidate, manager: ServiceManager) -> None:
        self._site, self._data, self._candidate, self._manager = site, data, candidate, manager
        self.state = WaitingState(limits=limits_of(site))
        self._busy = 0

    async def wait(self) -> Leading:
        """Until the lead is this one's."""
        self._manager.tell("READY=1", "STATUS=waits to take over")
        async with contextlib.AsyncExitStack() as open_:
            leading = self._round()
            if leading is None:
                await self._open(open_)
            while leading is None and (leading := self._round()) is None:
                self._manager.tell("WATCHDOG=1")
                await asyncio.sleep(LOOK_S)
        return leading

    async def _open(self, open_: contextlib.AsyncExitStack) -> None:
        context = self._encryption()
        if context is None and self._site.server.secure:
            _log.warning("standby_without_page", problem="no certificate was handed on yet; `blickschutz standby` shows who leads")
            return
        server = self._site.server
        for family, *_, address in socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
            door = socket.socket(family, socket.SOCK_STREAM)
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family is socket.AF_INET6:
                door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            door.bind(address)
            serving = await asyncio.start_server(self._served, sock=door, ssl=context, limit=_MOST_HEAD)
            await open_.enter_async_context(serving)

    def _round(self) -> Leading | None:
        candidate, limits = self._candidate, limits_of(self._site)
        try:
            led = candidate.look()
            self.state = WaitingState(led.holder, led.since, "", limits)
            if (leading := candidate.take(led)) is not None:
                return leading
            candidate.lead.wait(candidate.name)
            if (papers := candidate.papers()) is not None:
                papers.receive()
        except BlickschutzError as error:
            if not self.state.problem:
                _log.error("standby_trouble", problem=str(error))
            self.state = WaitingState(self.state.holder, self.state.since, str(error), limits)
        return None

    def _encryption(self) -> ssl.SSLContext | None:
        """With the certificate that the leader handed on; before there is one, nobody is answered over a network."""
        certificate, key = self._data / "tls" / "server.crt", self._data / "tls" / "server.key"
        if not (self._site.server.secure and certificate.exists() and key.exists()):
            return None
        return modern(certificate, key)

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._busy += 1
        try:
            if self._busy <= _MOST_AT_ONCE:
                async with asyncio.timeout(_HEAD_S):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(answer(head, self._site, self.state, LEAD_S))
                    await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            _log.debug("waiting_not_answered", problem=type(error).__name__)
        finally:
            self._busy -= 1
            writer.close()
