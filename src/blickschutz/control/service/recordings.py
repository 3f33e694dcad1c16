"""Recordings as the pages see them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from blickschutz.audit.service import ChainReport
from blickschutz.control.model import CopyView, Refused
from blickschutz.control.rules import stamped
from blickschutz.control.service.fetching import ClipFetch
from blickschutz.control.service.office import Inspected
from blickschutz.control.service.routing import SituationRouting
from blickschutz.control.service.safety import SafeMode
from blickschutz.control.service.worker import Worker
from blickschutz.hosts.rules.clips import directive_of, meaning
from blickschutz.hosts.rules.copies import decided, uncopied
from blickschutz.retention.model import Kept, Stuck
from blickschutz.retention.rules import deadline
from blickschutz.review.model import Case, CaseState
from blickschutz.review.rules import THERE

_HOUR_S = 3600.0
_SUFFIX = ".tar.age"
_MOST = 100_000
# What goes away by itself is looked at anew; what remains is a fault.
_PASSING = {one.value for one in Refused}


class RecordingDesk:
    """See `web.ports.Recordings`."""

    def __init__(
        self, records: Inspected, routing: SituationRouting, worker: Worker, fetch: ClipFetch | None = None, keepers: Collection[str] = ()
    ) -> None:
        self._records, self._routing, self._worker, self._fetch, self._keepers = records, routing, worker, fetch, tuple(keepers)
        self._archive, self._orders = records.archive, records.orders

    def recording_problem(self) -> str:
        """What is true now, not what once was: it goes away by itself when two people are enrolled or the disk has room."""
        why = self._orders.refusal()
        # Safe mode has words of its own on every page.
        if why and self._orders.records and why != Refused.SAFE_MODE:
            return why
        return self._worker.problem or ("" if self._orders.problem in _PASSING else self._orders.problem)

    def deadline(self, case: Case) -> tuple[float, str]:
        time = self._archive.time
        known = time.kept(stamped(case))
        if known is None:
            # Nothing judges it before two people decided on the clock; until then this is what its own date says.
            known = Kept(case.clip, time.retention_of(case.opened), time.retention_of(case.hold.until) if case.hold is not None else None)
        end = deadline(known, self._archive.limits)
        if case.host and case.ends and (case.state is not CaseState.HELD or self.is_unheard(case)):
            # It is kept there, by the count of that machine; a hold of which it has not heard promises nothing.
            return case.ends, end.why.value
        return time.wall_of(end.at), end.why.value

    def is_away(self, case: Case) -> bool:
        if not case.host or case.state is CaseState.DESTROYED:
            return False
        return not self._is_present(case.host)

    def _is_present(self, host: str) -> bool:
        return self._fetch is not None and self._fetch.is_present(host)

    def copies(self, case: Case) -> Sequence[CopyView]:
        told = directive_of(case, self._archive.key.installation)
        wanted = decided(case.clip, told.held_until, told.restricted, told.doom)
        return [CopyView(one.host, one.store, one.state, not self._is_present(one.host), one.heard != wanted) for one in case.copies]

    def has_no_place(self, case: Case) -> bool:
        return bool(self._keepers) and not case.host and case.state in THERE

    def uncopied(self) -> Sequence[int]:
        if not self._keepers:
            return []
        found = self._records.office.cases.store.find(states=sorted(THERE), most=_MOST)
        return [one.id for one in uncopied(found, self._archive.time.dated())]

    def is_unheard(self, case: Case) -> bool:
        if not case.host or case.state is CaseState.DESTROYED:
            return False
        return meaning(directive_of(case, self._archive.key.installation)) != case.heard

    def time(self) -> float:
        return self._archive.time.dated()

    def record(self, camera: str, by: str, reason: str, alert: int | None) -> str:
        return self._routing.by_hand(camera, by, reason, alert)

    def packages(self) -> list[tuple[str, int, float]]:
        folder = self._archive.exports
        found = [(path, path.stat()) for path in folder.glob(f"*{_SUFFIX}")] if folder.exists() else []
        return sorted(((path.name, facts.st_size, facts.st_mtime) for path, facts in found), key=lambda one: -one[2])

    def package(self, name: str) -> bytes | None:
        """One package; only names that are in the folder are known, so nothing else can be asked for."""
        if name not in {known for known, _, _ in self.packages()}:
            return None
        return (self._archive.exports / name).read_bytes()

    def enrolled(self) -> frozenset[str]:
        return frozenset(reviewer.id for reviewer in self._archive.keys.readable())

    @property
    def safety(self) -> SafeMode:
        return self._records.safety

    def stuck(self) -> Sequence[Stuck]:
        return self._records.stuck()

    def chain(self) -> ChainReport:
        return self._records.chain.report

    def forecast(self) -> tuple[int, float | None]:
        free = self._archive.shelf.free()
        known = [case for case in self._records.office.cases.store.find(states=sorted(THERE), most=500) if case.seconds > 0]
        seconds, size = sum(case.seconds for case in known), sum(case.size for case in known)
        return free, free / (size / seconds) / _HOUR_S if size and seconds else None
