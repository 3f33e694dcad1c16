"""What the time for deadlines asks of cases and log: which clips are there, what was decided, and where a decision is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Engine

from blickschutz.audit.io.log import AuditLog, Facts
from blickschutz.audit.model import Event
from blickschutz.control.rules import stamped
from blickschutz.retention.model import Adopted, Confirmed, StampedClip
from blickschutz.review.io.store import SqlCaseStore
from blickschutz.review.rules import MORTAL
from blickschutz.storage.engine import writing

_EVENTS = (Event.CLOCK_COUNTED, Event.CLOCK_SUSPENDED, Event.CLOCK_RESUMED, Event.CLOCK_CONFIRMED)
_MOST = 100_000


class CaseClips:
    """See `retention.ports.Clips`."""

    def __init__(self, store: SqlCaseStore) -> None:
        self._store = store

    def stamped(self) -> Sequence[StampedClip]:
        return [stamped(case) for case in self._store.find(states=sorted(MORTAL), most=_MOST)]


class TimeJournal:
    """See `retention.ports.Journal`."""

    def __init__(self, engine: Engine, log: AuditLog, store: SqlCaseStore) -> None:
        self._engine, self._log, self._store = engine, log, store

    def serial(self) -> int:
        newest = [entry for event in _EVENTS for entry, _ in self._log.find(event=event, most=1)]
        return max((int(str(entry.facts.get("serial", 0))) for entry in newest), default=0)

    def begun(self) -> bool:
        return bool(self._log.find(event=Event.SYSTEM_STARTED, most=1))

    def confirmed(self, decision: Confirmed) -> None:
        facts: Facts = {
            "basis": decision.basis.value,
            "people": list(decision.people),
            "reason": decision.reason.value,
            "seconds": round(decision.seconds, 1),
            "clips": list(decision.due),
            "serial": decision.serial,
        }
        with writing(self._engine) as connection:
            self._log.append(connection, Event.CLOCK_CONFIRMED, decision.people[-1], facts=facts)
            self._store.stamp(connection, _rows(decision.stamps))

    def adopted(self, stamps: Mapping[str, Adopted]) -> None:
        """Write the stamps of clips from before there were any into their rows."""
        with writing(self._engine) as connection:
            self._store.stamp(connection, _rows(stamps))


def _rows(stamps: Mapping[str, Adopted]) -> dict[str, tuple[str, float, float]]:
    return {clip: (one.stamp.epoch, one.stamp.at, one.held_until or 0.0) for clip, one in stamps.items()}
