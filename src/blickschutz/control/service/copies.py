"""Second copies of clips that stay on hosts: ordered, told what was decided, and gone, with proof, before there is a receipt.

The rows are what counts: a row says that there is a copy before its keeper hears of it. docs/design/clips-on-hosts.md.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec
import structlog

from blickschutz.audit.model import Event
from blickschutz.control.rules import stamped
from blickschutz.control.service.office import Archive, BackOffice
from blickschutz.control.service.shredding import Shredder
from blickschutz.hosts.model import CopyOrder, DirectiveHeard, HostReceipt, SignedDirective
from blickschutz.hosts.ports import ClipHosts
from blickschutz.hosts.rules.clips import text_of
from blickschutz.hosts.rules.copies import (
    AWAY_S,
    COPY,
    LEAST_S,
    copy_on,
    keeper_for,
    lacks_copy,
    meaning,
    order_of,
    wants_copy,
    with_copy,
)
from blickschutz.kernel.errors import DeviceError
from blickschutz.retention.rules import deadline
from blickschutz.review.model import Case, CaseState, Copy, CopyState

_log = structlog.get_logger(__name__)
AGAIN_S: Final = 20.0
# One that its keeper does not know any more is asked for as long as its case is open; one that is damaged is mended by the keeper itself.
LOST_AGAIN_S: Final = 900.0
DAMAGED_AGAIN_S: Final = 60.0
# Whoever keeps a copy is asked now and then whether it still knows it, and so many copies are in one look.
ASKED_EVERY_S: Final = 12 * 3600.0
_MOST_ASKED: Final = 50
_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class _Said:
    """What a keeper was told last of a copy: the row's version, what it means, whether it is to be brought anew, when (monotonic)."""

    version: int
    meaning: str
    anew: bool
    at: float


class ClipCopies:
    """`keepers` are the hosts that the site asks to keep copies, in their order, each with the store that it is to use (empty: its disk).
    Waits for disk and database.
    """

    def __init__(self, archive: Archive, office: BackOffice, shredder: Shredder, keepers: Mapping[str, str]) -> None:
        self._key, self._time, self._limits = archive.key, archive.time, archive.limits
        self._store, self._log, self._shredder, self._keepers = office.cases.store, office.log, shredder, dict(keepers)
        # By clip and keeper.
        self._said: dict[tuple[str, str], _Said] = {}
        # Clip and keeper that does not know the copy which it had; by host since when it is away, and which are there.
        self._unknown: set[tuple[str, str]] = set()
        self._away: dict[str, float] = {}
        self._there: set[str] = set()
        self._number = itertools.count()

    def look(self, hosts: ClipHosts, cases: Sequence[Case], now: float) -> None:
        """Order the copies that are missing, and say to each keeper what it does not know yet. `now` is monotonic."""
        away, asks = self._who_is_away(hosts, cases, now), _MOST_ASKED
        for case in cases:
            known = self._with_copy(hosts, case, away)
            for copy in known.copies:
                if copy.state is not CopyState.GONE and copy_on(known, copy.host) is copy and copy.host in self._there:
                    asks -= self._say(hosts, known, copy, now, may_ask=asks > 0)
            if known.state is CaseState.DESTROYING and known.reported:
                self.finish(known)
        there = {case.clip for case in cases}
        self._said = {key: said for key, said in self._said.items() if key[0] in there}
        self._unknown = {key for key in self._unknown if key[0] in there}

    def _who_is_away(self, hosts: ClipHosts, cases: Sequence[Case], now: float) -> set[str]:
        """Hosts that are away for so long that what they keep counts as lost; where nobody is reached the broker is away, and nobody is.

        Who comes back is asked for each copy: its disk may be another one.
        """
        names = {*self._keepers, *(case.host for case in cases), *(copy.host for case in cases for copy in case.copies)}
        there = {host for host in names if hosts.is_present(host)}
        back = there - self._there
        self._said = {key: replace(said, at=-math.inf) if key[1] in back else said for key, said in self._said.items()}
        self._there = there
        self._away = {host: self._away.get(host, now) for host in names - there} if there else {}
        return {host for host, since in self._away.items() if now - since >= AWAY_S}

    def _with_copy(self, hosts: ClipHosts, case: Case, away: Collection[str]) -> Case:
        """The case with the copy that it is to have: in its row before anybody hears of it, and refused there once its end is ordered."""
        unknown = {host for clip, host in self._unknown if clip == case.clip}
        if not lacks_copy(case, away, unknown) or self._ends(case) is None:
            return case
        if case.copies and (case.host not in self._there or self._left(case) < LEAST_S):
            return case
        host = keeper_for(case, list(self._keepers), self._there, unknown)
        if not host:
            return case
        copy = Copy(host, store=self._keepers[host], since=case.version + 1)
        wanted = replace(case, copies=(*case.copies, copy))
        if not self._store.copied(wanted):
            return case
        if case.copies:
            _log.warning("copy_ordered_anew", clip=case.clip, host=host, before=[one.host for one in case.copies])
        self._unknown.discard((case.clip, host))
        return replace(wanted, version=wanted.version + 1)

    def _ends(self, case: Case) -> float | None:
        """When the original ends (POSIX), by its host's word or by the count here, whichever is first; None while nothing judges it."""
        known = self._time.kept(stamped(replace(case, hold=None)))
        if known is None:
            return None
        here = self._time.wall_of(deadline(known, self._limits).at)
        return min(here, case.ends) if case.ends else here

    def _left(self, case: Case) -> float:
        """For how long the clip will be there, as far as anybody knows, in seconds."""
        if case.restricted:
            return math.inf
        held = case.hold.until if case.state is CaseState.HELD and case.hold is not None else 0.0
        return max(self._ends(case) or 0.0, held) - self._time.dated()

    def _say(self, hosts: ClipHosts, case: Case, copy: Copy, now: float, *, may_ask: bool) -> bool:
        """Whether it was only asked whether it still has the copy."""
        ends = self._ends(case)
        ends = ends if ends is not None else case.ends
        order = order_of(case, copy, self._key.installation, ends, self._time.dated())
        wanted, key = meaning(order), (case.clip, copy.host)
        # One that was told to be damaged, and that its keeper knows: it has said so since.
        anew = copy.state is CopyState.LOST and copy.heard == wanted and wants_copy(case) and case.host in self._there
        before, asks = self._said.get(key), wanted == copy.heard and not anew
        if asks and (copy.state is not CopyState.THERE or not may_ask or (before is not None and now - before.at < ASKED_EVERY_S)):
            return False
        again = (LOST_AGAIN_S if key in self._unknown else DAMAGED_AGAIN_S) if copy.state is CopyState.LOST else AGAIN_S
        same = before is not None and (before.version, before.meaning, before.anew) == (case.version, wanted, anew)
        if before is not None and same and now - before.at < again:
            return False
        if order.doom is not None and (self._shredder.waits or not self._shredder.may_go(case)):
            return False  # as with the original: the rows may not be the right ones
        order = msgspec.structs.replace(order, anew=anew)
        # Each time under another name: a broker takes the same one for the same word said twice, and whoever was to hear it may be another.
        self._direct(hosts, order, f"{case.clip}.copy.{case.version}.{now:.0f}.{next(self._number)}")
        self._said[key] = _Said(case.version, wanted, anew, now)
        return asks

    def _direct(self, hosts: ClipHosts, order: CopyOrder, name: str) -> None:
        text = text_of(order)
        hosts.direct(order.host, name, _encode(SignedDirective(text, self._key.sign(COPY + text))))

    def confirmed(self, case: Case, copy: Copy, news: DirectiveHeard) -> None:
        """A keeper has all of a copy, and what was said of it; or it does not know it (any more), or what it has is damaged."""
        if copy.state is CopyState.GONE or news.serial < copy.since:
            return
        key, said = (case.clip, copy.host), self._said.get((case.clip, copy.host))
        if not news.known:
            self._lost(case, copy, answered=said is not None and said.version == news.serial)
            return
        self._unknown.discard(key)
        if said is not None and said.version == news.serial:
            state = CopyState.LOST if copy.state is CopyState.LOST and not said.anew else CopyState.THERE
            after = replace(copy, state=state, heard=said.meaning)
            if after != copy:
                self._noted(with_copy(case, copy, after))
        elif news.serial > case.version:
            # The rows came out of a backup: what is decided from here on has to be newer than what the keeper knows.
            self._noted(case, above=news.serial)

    def _lost(self, case: Case, copy: Copy, *, answered: bool) -> None:
        """Told to be damaged, or not known. Which of the two its keeper says when it is asked once more (`answered`).
        It is never taken for proven to be gone.
        """
        if copy.state is not CopyState.LOST:
            self._log.write(Event.MISSING_FILE, "system", case.clip, {"case": case.id, "host": copy.host, "copy": True})
        elif not copy.heard:
            self._unknown |= {(case.clip, copy.host)} if answered else set()
            return
        self._noted(with_copy(case, copy, replace(copy, state=CopyState.LOST, heard="")))

    def gone(self, case: Case, copy: Copy, text: str, digest: str) -> None:
        """A keeper has destroyed a copy, and its signature was verified. Raises `DeviceError` where it is to be told again."""
        # One report is proof of one copy: that of an earlier one on the same host may be told twice.
        if copy.state is not CopyState.GONE and all(one.digest != digest for one in case.copies):
            self._noted(with_copy(case, copy, replace(copy, state=CopyState.GONE, report=text, digest=digest)))
        known = self._store.get(case.id)
        if known is not None and known.state is CaseState.DESTROYING and known.reported:
            self.finish(known)

    def finish(self, case: Case) -> None:
        """The receipt, once the original and every copy are gone. Raises `DeviceError` where it is to be tried again."""
        if any(one.state is not CopyState.GONE for one in case.copies):
            return
        report = msgspec.json.decode(case.reported, type=HostReceipt)
        copies = [(msgspec.json.decode(one.report, type=HostReceipt), one) for one in case.copies]
        if not self._shredder.reported(case, report, case.digest, copies):
            raise DeviceError(f"the case of the clip {case.clip} changed meanwhile")

    def _noted(self, case: Case, above: int = 0) -> None:
        if not self._store.copied(case, above):
            raise DeviceError(f"the case of the clip {case.clip} changed meanwhile")
