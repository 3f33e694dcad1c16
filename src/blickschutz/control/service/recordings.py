"""Recordings as the pages see them."""

from __future__ import annotations

from blickschutz.audit.model import Event
from blickschutz.audit.service import ChainReport
from blickschutz.control.ports import Rooms
from blickschutz.control.service.duty import Duty
from blickschutz.control.service.keeping import Keeping
from blickschutz.control.service.shredding import kept
from blickschutz.retention.rules import deadline
from blickschutz.review.model import Case
from blickschutz.review.rules import THERE

_HOUR_S = 3600.0
_SUFFIX = ".tar.age"
_PASSING = {"reviewers", "disk", "camera"}


class RecordingDesk:
    """See `web.ports.Recordings`."""

    def __init__(self, keeping: Keeping, rooms: Rooms, duty: Duty) -> None:
        self._keeping, self._duty, self.rooms = keeping, duty, rooms
        self._records = keeping.records
        self.access, self.log, self.desk = keeping.access, keeping.log, keeping.desk
        self.rights = keeping.rights

    def recording_problem(self) -> str:
        """What is true now, not what once was: it goes away by itself when two people are enrolled or the disk has room."""
        why = self._keeping.refusal()
        if why and self._records:
            return why
        return "" if self._keeping.problem in _PASSING else self._keeping.problem

    def deadline(self, case: Case) -> tuple[float, str]:
        end = deadline(kept(case), self._keeping.shredder.limits)
        return end.at, end.why.value

    def time(self) -> float:
        return self._keeping.time.now()

    def clock_offset(self) -> float:
        return self._keeping.time.offset

    def accept_clock(self, by: str) -> None:
        seconds = round(self._keeping.time.offset, 1)
        self._keeping.time.accept()
        self.log.write(Event.CLOCK_CHANGED, by, facts={"accepted": seconds})

    def record(self, camera: str, by: str, reason: str, alert: int | None) -> str:
        return self._duty.record_by_hand(camera, by, reason, alert)

    def packages(self) -> list[tuple[str, int, float]]:
        folder = self._keeping.exports
        found = [(path, path.stat()) for path in folder.glob(f"*{_SUFFIX}")] if folder.exists() else []
        return sorted(((path.name, facts.st_size, facts.st_mtime) for path, facts in found), key=lambda one: -one[2])

    def package(self, name: str) -> bytes | None:
        """One package; only names that are in the folder are known, so nothing else can be asked for."""
        if name not in {known for known, _, _ in self.packages()}:
            return None
        return (self._keeping.exports / name).read_bytes()

    def enrolled(self) -> frozenset[str]:
        return frozenset(reviewer.id for reviewer in self._keeping.keys.reviewers())

    def chain(self) -> ChainReport:
        return self._keeping.chain.report

    def forecast(self) -> tuple[int, float | None]:
        free = self._keeping.shelf.free()
        known = [case for case in self.desk.store.find(states=sorted(THERE), most=500) if case.seconds > 0]
        seconds, size = sum(case.seconds for case in known), sum(case.size for case in known)
        return free, free / (size / seconds) / _HOUR_S if size and seconds else None
