"""Requests of those concerned meet the cases that they are about."""

from __future__ import annotations

from collections.abc import Sequence

from blickschutz.review.ports import CaseStore
from blickschutz.review.rules import THERE
from blickschutz.review.service import CaseDesk
from blickschutz.rights.model import Recording


class CaseRecordings:
    """See `rights.ports.Recordings`."""

    def __init__(self, store: CaseStore, desk: CaseDesk) -> None:
        self._store, self._desk = store, desk

    def between(self, starts: float, ends: float, cameras: Sequence[str]) -> list[Recording]:
        return [
            Recording(case.id, case.clip, case.camera, case.opened, case.seconds)
            for case in self._store.between(starts, ends)
            if not cameras or case.camera in cameras
        ]

    def restrict(self, case: int, request: int, by: str) -> bool:
        return self._desk.restrict(case, request, by)

    def free(self, case: int, request: int, by: str) -> None:
        self._desk.free(case, request, by)

    def erase(self, case: int, people: Sequence[str]) -> bool:
        return self._desk.erase(case, people)

    def restricted(self) -> list[tuple[int, int]]:
        return [(case.id, number) for case in self._store.find(states=sorted(THERE), most=100_000) for number in case.restricted]
