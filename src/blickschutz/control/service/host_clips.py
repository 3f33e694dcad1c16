"""Clips that stay on hosts: each host hears what two people decided about its clips, and what it did about them becomes a receipt.

The rows are what counts: what a host has not confirmed is said again. docs/design/clips-on-hosts.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import msgspec
import structlog

from blickschutz.audit.model import Event
from blickschutz.control.model import HostNewsHeard
from blickschutz.control.ports import Do
from blickschutz.control.service.copies import ClipCopies
from blickschutz.control.service.office import Archive, BackOffice
from blickschutz.control.service.shredding import Shredder
from blickschutz.hosts.model import ClipGone, DirectiveHeard, HostReceipt, SignedDirective
from blickschutz.hosts.ports import ClipHosts
from blickschutz.hosts.rules.clips import DIRECTIVE, RECEIPT, directive_of, meaning, text_of
from blickschutz.hosts.rules.copies import copy_on
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import UNREADABLE, DeviceError, ProtocolError
from blickschutz.review.model import Case, CaseState
from blickschutz.review.rules import THERE

_log = structlog.get_logger(__name__)
# A directive that a host did not confirm is said again after so long, under another name: a broker may have lost it.
AGAIN_S: Final = 20.0
_MOST: Final = 100_000
_encode = msgspec.msgpack.Encoder().encode


class HostedClips:
    """`heard` never waits; `look` waits for disk and database. Without `hosts` nothing is said and everything waits. `keepers` are those
    that are to keep second copies, each with the store that it is to use (empty: its disk).
    """

    def __init__(
        self,
        archive: Archive,
        office: BackOffice,
        shredder: Shredder,
        hosts: ClipHosts | None,
        clock: Clock,
        do: Do,
        keepers: Mapping[str, str] | None = None,
    ) -> None:
        self._key, self._shredder, self._hosts, self._clock, self._do = archive.key, shredder, hosts, clock, do
        self._store, self._log = office.cases.store, office.log
        self._copies = ClipCopies(archive, office, shredder, keepers or {})
        # By clip what was said last: the row's version, what it means, when (monotonic).
        self._said: dict[str, tuple[int, str, float]] = {}

    def heard(self, told: HostNewsHeard) -> None:
        """A host told of one of its clips."""
        self._do(lambda: self.take(told), told.camera)

    def take(self, told: HostNewsHeard) -> None:
        """The same, in the thread of disk and database."""
        if isinstance(told.news, DirectiveHeard):
            self._confirmed(told.host, told.news)
        else:
            self._gone(told.host, told.news)

    def look(self) -> None:
        """Say to each host what it does not know yet. Called every few seconds."""
        if self._hosts is None:
            return
        now = self._clock.monotonic()
        cases = [one for one in self._store.find(states=sorted(THERE | {CaseState.DESTROYING}), most=_MOST) if one.host]
        for case in cases:
            if self._hosts.is_present(case.host):
                self._say(self._hosts, case, now)
        for clip in self._said.keys() - {case.clip for case in cases}:
            del self._said[clip]
        self._copies.look(self._hosts, cases, now)

    def _say(self, hosts: ClipHosts, case: Case, now: float) -> None:
        told = directive_of(case, self._key.installation)
        wanted = meaning(told)
        if wanted == case.heard:
            return
        before = self._said.get(case.clip)
        if before is not None and before[:2] == (case.version, wanted) and now - before[2] < AGAIN_S:
            return
        if told.doom is not None and (self._shredder.waits or not self._shredder.may_go(case)):
            return  # the rows may not be the right ones, or something beside the clip says otherwise: two people are asked
        text = text_of(told)
        signed = SignedDirective(text, self._key.sign(DIRECTIVE + text))
        hosts.direct(case.host, f"{case.clip}.{case.version}.{int(now / AGAIN_S)}", _encode(signed))
        self._said[case.clip] = case.version, wanted, now

    def _confirmed(self, host: str, news: DirectiveHeard) -> None:
        case = self._store.by_clip(news.clip)
        if case is not None and (copy := copy_on(case, host)) is not None:
            self._copies.confirmed(case, copy, news)
            return
        if case is None or case.host != host:
            _log.error("directive_of_nobody_confirmed", clip=news.clip, host=host)
            return
        said = self._said.get(news.clip)
        if not news.known:
            # A receipt would have come before: the host lost it. It is told of once, and nothing says that it was destroyed.
            if case.state is not CaseState.DESTROYED and said is not None:
                self._log.write(Event.MISSING_FILE, "system", case.clip, {"case": case.id, "host": host})
                self._store.heard(case, said[1])
            return
        if said is not None and said[0] == news.serial:
            self._store.heard(case, said[1])
        elif news.serial > case.version:
            # The rows came out of a backup: what is decided from here on has to be newer than what the host knows.
            self._store.heard(case, case.heard, above=news.serial)

    def _gone(self, host: str, news: ClipGone) -> None:
        """A receipt only for what a host proves that it did. Raises where it is to be tried again."""
        assert self._hosts is not None  # else nobody could tell
        try:
            self._hosts.require_report(host, RECEIPT + news.receipt, news.signature, news.certificate)
            report = msgspec.json.decode(news.receipt, type=HostReceipt)
        except (ProtocolError, *UNREADABLE) as error:
            self._log.write(Event.SHRED_FAILED, "system", "", {"host": host, "problem": str(error)})
            return
        case, digest = self._store.by_clip(report.clip), hashlib.sha256(RECEIPT + news.receipt).hexdigest()
        copy = copy_on(case, host) if case is not None else None
        if case is None or host not in {case.host, copy.host if copy is not None else ""} or not self._is_own(report, host):
            _log.error("receipt_of_nobody", clip=report.clip, host=host)
            return
        if case.state is CaseState.DESTROYED:
            return  # it was told twice
        if copy is not None:
            self._copies.gone(case, copy, news.receipt.decode(), digest)
            return
        if case.state is not CaseState.DESTROYING:
            # The host's own count came first, or it had not heard of what was decided since: it is gone, and that is what is said.
            self._store.doom(replace(case, due=report.destroyed), report.reason, report.people)
        doomed = self._store.get(case.id)
        if doomed is not None and doomed.copies:
            # Its copies have to go before anything is called destroyed.
            if doomed.reported or self._store.copied(replace(doomed, reported=news.receipt.decode(), digest=digest)):
                self._copies.finish(self._store.get(case.id) or doomed)
                return
        elif doomed is not None and self._shredder.reported(doomed, report, digest):
            return
        raise DeviceError(f"the case of the clip {report.clip} changed meanwhile")

    def _is_own(self, report: HostReceipt, host: str) -> bool:
        return report.host == host and self._key.is_own(report.installation)
