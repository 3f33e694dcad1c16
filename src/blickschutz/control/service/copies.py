"""Second copies of clips that stay on hosts: ordered, told what was decided, and gone, with proof, before there is a receipt.

The rows are what counts: a row says that there is a copy before its keeper hears of it. docs/design/clips-on-hosts.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from blickschutz.hosts.rules.copies import COPY, keeper_for, meaning, order_of, wants_copy
from blickschutz.kernel.errors import DeviceError
from blickschutz.retention.rules import deadline
from blickschutz.review.model import Case, CaseState, Copy, CopyState

_log = structlog.get_logger(__name__)
AGAIN_S: Final = 20.0
# One that its keeper does not know any more is asked for as long as its case is open.
LOST_AGAIN_S: Final = 900.0
_encode = msgspec.msgpack.Encoder().encode


def copy_on(case: Case, host: str) -> Copy | None:
    """The copy of a clip that this host keeps."""
    return next((one for one in case.copies if one.host == host), None)


def with_copy(case: Case, copy: Copy) -> Case:
    return replace(case, copies=tuple(copy if one.host == copy.host else one for one in case.copies))


class ClipCopies:
    """`keepers` are the hosts that the site asks to keep copies, in their order, each with the store that it is to use (empty: its disk).
    Waits for disk and database.
    """

    def __init__(self, archive: Archive, office: BackOffice, shredder: Shredder, keepers: Mapping[str, str]) -> None:
        self._key, self._time, self._limits = archive.key, archive.time, archive.limits
        self._store, self._log, self._shredder, self._keepers = office.cases.store, office.log, shredder, dict(keepers)
        # By clip and keeper what was said last: the row's version, what it means, when (monotonic).
        self._said: dict[tuple[str, str], tuple[int, str, float]] = {}

    def look(self, hosts: ClipHosts, cases: Sequence[Case], now: float) -> None:
        """Order the copies that are missing, and say to each keeper what it does not know yet. `now` is monotonic."""
        for case in cases:
            known = self._with_copy(hosts, case)
            for copy in known.copies:
                if copy.state is not CopyState.GONE and hosts.is_present(copy.host):
                    self._say(hosts, known, copy, now)
            if known.state is CaseState.DESTROYING and known.reported:
                self.finish(known)
        there = {case.clip for case in cases}
        self._said = {key: said for key, said in self._said.items() if key[0] in there}

    def _with_copy(self, hosts: ClipHosts, case: Case) -> Case:
        """The case with the copy that it is to have: in its row before anybody hears of it."""
        if case.copies or not wants_copy(case) or self._ends(case) is None:
            return case
        host = keeper_for(case, list(self._keepers), [one for one in self._keepers if hosts.is_present(one)])
        if not host:
            return case
        wanted = replace(case, copies=(Copy(host, store=self._keepers[host]),))
        return replace(wanted, version=wanted.version + 1) if self._store.copied(wanted) else case

    def _ends(self, case: Case) -> float | None:
        """When the original ends (POSIX), by its host's word or by the count here, whichever is first; None while nothing judges it."""
        known = self._time.kept(stamped(replace(case, hold=None)))
        if known is None:
            return None
        here = self._time.wall_of(deadline(known, self._limits).at)
        return min(here, case.ends) if case.ends else here

    def _say(self, hosts: ClipHosts, case: Case, copy: Copy, now: float) -> None:
        ends = self._ends(case)
        order = order_of(case, copy, self._key.installation, ends if ends is not None else case.ends, self._time.dated())
        wanted = meaning(order)
        if wanted == copy.heard:
            return
        key = case.clip, copy.host
        before = self._said.get(key)
        again = LOST_AGAIN_S if copy.state is CopyState.LOST else AGAIN_S
        if before is not None and before[:2] == (case.version, wanted) and now - before[2] < again:
            return
        if order.doom is not None and (self._shredder.waits or not self._shredder.may_go(case)):
            return  # as with the original: the rows may not be the right ones
        self._direct(hosts, order, f"{case.clip}.copy.{case.version}.{int(now / AGAIN_S)}")
        self._said[key] = case.version, wanted, now

    def _direct(self, hosts: ClipHosts, order: CopyOrder, name: str) -> None:
        text = text_of(order)
        hosts.direct(order.host, name, _encode(SignedDirective(text, self._key.sign(COPY + text))))

    def confirmed(self, case: Case, copy: Copy, news: DirectiveHeard) -> None:
        """A keeper has all of a copy, and what was said of it; or it does not know it (any more)."""
        if copy.state is CopyState.GONE:
            return
        if not news.known:
            if copy.state is not CopyState.LOST:
                self._log.write(Event.MISSING_FILE, "system", case.clip, {"case": case.id, "host": copy.host, "copy": True})
                self._noted(with_copy(case, replace(copy, state=CopyState.LOST, heard="")))
            return
        said = self._said.get((case.clip, copy.host))
        if said is not None and said[0] == news.serial:
            state = CopyState.LOST if copy.state is CopyState.LOST else CopyState.THERE
            self._noted(with_copy(case, replace(copy, state=state, heard=said[1])))
        elif news.serial > case.version:
            # The rows came out of a backup: what is decided from here on has to be newer than what the keeper knows.
            self._noted(case, above=news.serial)

    def gone(self, case: Case, copy: Copy, text: str, digest: str) -> None:
        """A keeper has destroyed a copy, and its signature was verified. Raises `DeviceError` where it is to be told again."""
        if copy.state is not CopyState.GONE:
            self._noted(with_copy(case, replace(copy, state=CopyState.GONE, report=text, digest=digest)))
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
