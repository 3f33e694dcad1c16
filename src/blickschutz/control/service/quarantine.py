"""Nothing is kept on a guess either: who is to decide about clips in quarantine is told every day."""

from __future__ import annotations

from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.events import Topic
from blickschutz.review.model import Case
from blickschutz.review.service import QuarantineDesk

_DAY_S = 86_400.0


class QuarantineWatch:
    """`overdue` tells once a day which cases have been in quarantine for too long. Run in the thread of disk and database."""

    def __init__(self, desk: QuarantineDesk, log: AuditLog, clock: Clock) -> None:
        self._desk, self._log, self._clock = desk, log, clock
        self.overdue: Topic[tuple[Case, ...]] = Topic()
        self._told: float | None = None

    def look(self) -> None:
        """Called every few seconds; a restart tells nobody twice a day."""
        now = self._clock.now()
        if self._told is None:
            before = self._log.find(event=Event.QUARANTINE_OVERDUE, most=1)
            self._told = before[0][0].at if before else float("-inf")
        # A clock that was set back keeps nobody waiting.
        if 0 <= now - self._told < _DAY_S:
            return
        cases = tuple(self._desk.overdue())
        if not cases:
            return
        self._log.write(Event.QUARANTINE_OVERDUE, "system", facts={"cases": [str(case.id) for case in cases]})
        self._told = now
        self.overdue.tell(cases)
