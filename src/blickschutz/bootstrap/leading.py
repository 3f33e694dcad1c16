"""Which control room of a site leads: takes the lead at a start, waits for it as a standby, hands it back at the end."""

from __future__ import annotations

import dataclasses
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from blickschutz.bootstrap.databases import server_of
from blickschutz.config.model import SiteFile
from blickschutz.control.io.papers import Papers
from blickschutz.control.service.leading import LEAD_S, Leader, Sight
from blickschutz.guard.model import Backoff
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import BlickschutzError, OperatorError, StoreBusyError, StoreError, StoreFencedError
from blickschutz.storage.lead import Lead, Led, lead_of
from blickschutz.storage.places import Server
from blickschutz.vault.io.files import InstallationKey

_log = structlog.get_logger(__name__)
LOOK_S, _SEND_S = 1.0, 0.5
_SOON = Backoff(first_s=0.5, most_s=5.0)
# What a process that lost the lead ends with, where nothing else ended it.
_LOST = 1


@dataclass(frozen=True, slots=True)
class Leading:
    """The lead of this process, what goes with it, and the server under its term."""

    leader: Leader
    lead: Lead
    server: Server
    papers: Callable[[], Papers | None]

    def start(self, clock: Clock) -> Guard:
        """Begin to give signs of life, and to hand on what this folder has. From here on there are threads."""
        guard = Guard(clock)
        self.leader.start(guard)
        known: list[Papers] = []

        def send() -> None:
            if not known and (papers := self.papers()) is not None:
                known.append(papers)
            # Whether the database answers, and who leads, the beats find out, and say once.
            if known and not self.leader.is_lost and not self.leader.problem:
                try:
                    known[0].send(self.leader.term)
                except StoreFencedError:
                    self.leader.beat()
                except StoreError as error:
                    _log.warning("papers_not_sent", problem=str(error))
                    self.leader.beat()

        guard.thread("papers", send, every_s=_SEND_S, backoff=_SOON)
        return guard

    def end(self) -> None:
        """It ends in order: the last papers, and nobody has to wait."""
        try:
            if (papers := self.papers()) is not None and not self.leader.is_lost:
                papers.send(self.leader.term)
        except BlickschutzError as error:
            _log.warning("papers_not_sent", problem=str(error))
        self.leader.release()
        self.lead.close()

    def remember(self, token: int) -> None:
        self.lead.remember(self.leader.term, token)


class Candidate:
    """A control room that wants to lead; of a site whose databases are on a server. One thread."""

    def __init__(self, site: SiteFile, base: Path, data: Path, sight: Sight | None = None) -> None:
        server = server_of(site, base)
        if server is None:
            raise OperatorError(
                "storage.database: a control room takes over from another one only where both have their databases on one server; "
                "this site's are files in its data folder"
            )
        self._server, self._data = server, data
        self.lead, self.name = lead_of(server), f"{socket.gethostname()}:{data}"
        self._sight = sight or Sight()

    def papers(self) -> Papers | None:
        """None where there is no key yet, as before the very first start."""
        key = InstallationKey(self._data / "keys" / "installation.key", create=False)
        return Papers(self._data, self.lead, key) if key.whole else None

    def look(self) -> Led:
        """Who leads. Raises `StoreError`; then whoever leads gets their time anew."""
        try:
            return self.lead.look()
        except StoreError:
            self._sight.blind()
            raise

    def take(self, led: Led) -> Leading | None:
        """The lead, where nobody has it any more."""
        if not self._sight.saw(led):
            return None
        try:
            term = self.lead.take(led, self.name)
        except StoreBusyError as error:
            _log.warning("lead_not_taken", problem=str(error))
            return None
        if term is None:
            return None
        (_log.warning if led.holder else _log.info)("lead_taken", term=term, before=led.holder)
        papers = self.papers()
        if papers is not None:
            # Whoever led before cannot put any more: what is there is the last that there was.
            papers.receive()
            papers.begin(term)
        leader = Leader(self.lead, term, lambda: os._exit(_LOST))
        return Leading(leader, self.lead, dataclasses.replace(self._server, term=term), self.papers)

    def take_at_once(self) -> Leading:
        """For a start that does not wait for another one to end. Raises `OperatorError` where somebody leads, `StoreError`."""
        until = time.monotonic() + LEAD_S + 2 * LOOK_S
        first = led = self.look()
        while (leading := self.take(led)) is None:
            if (led.term, led.beat) != (first.term, first.beat) or time.monotonic() > until:
                raise OperatorError(
                    f"another control room leads this site: {led.holder}. "
                    "With `blickschutz run --standby` this one waits, and takes over when that one ends"
                )
            time.sleep(LOOK_S)
            led = self.look()
        return leading
