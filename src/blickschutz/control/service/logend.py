"""Entries of the log end at their limit, as clips do: by counted time, never while something is lost or nobody knows how late it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date
from itertools import islice

import structlog

from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.lives import LogLife, ended
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import StoreBusyError
from blickschutz.kernel.periods import DONE_S
from blickschutz.retention.service import RetentionTime
from blickschutz.storage.reserve import Reserve

_log = structlog.get_logger(__name__)
EVERY_S, BUSY_S = 900.0, 300.0
_PART, _DAY_S = 2000, 86_400.0


class LogEnd:
    """`bound` are the clips that are there: the log tells of them as long. `waits` says that something is lost and nothing may
    end; `forget` do away with what stands elsewhere of such a moment (cases that ended, orders), some at a time, and say how many."""

    def __init__(
        self,
        log: AuditLog,
        life: LogLife,
        time: RetentionTime,
        clock: Clock,
        bound: Callable[[], Collection[str]],
        waits: Callable[[], bool],
        reserve: Reserve,
        forget: Sequence[Callable[[Callable[[float], bool]], int]] = (),
    ) -> None:
        self.log_life = life
        self._log, self._time, self._clock = log, time, clock
        self._bound, self._waits, self._reserve = bound, waits, reserve
        self._looked_at = float("-inf")
        self._busy_at, self._unforgotten = float("-inf"), False
        self._forget, self._forgot_on = forget, 0

    def look(self) -> None:
        """Called every few seconds, looks every quarter of an hour; where much is to end, a part at each call, so that others write in
        between. Raises `DeviceError` where the log takes nothing; it is tried again."""
        now = self._clock.monotonic()
        self._cut(now)
        if now - self._looked_at < EVERY_S or self._halted():
            return
        if numbers := self.due(_PART):
            self._unforgotten = True
            self._reserve.through(lambda: self._log.erase(numbers, self.log_life.months))
            _log.info("log_entries_erased", entries=len(numbers))
        if len(numbers) == _PART:
            return
        if (today := round(self._time.dated() // _DAY_S)) != self._forgot_on:
            # Who decided what about a clip stands in its case too, and ends with the entries that tell of it.
            for forget in self._forget:
                while not self._halted() and forget(self.is_over):
                    self._unforgotten = True
            if self._halted():
                return
            self._forgot_on = today
        self._cut(now)
        self._looked_at = now

    def _halted(self) -> bool:
        return self._waits() or not self._log.can_sign or self._time.check().suspended

    def _cut(self, now: float) -> None:
        """What was erased goes from the journal, too."""
        if not self._unforgotten or now - self._busy_at < BUSY_S:
            return
        try:
            self._log.forget()
        except StoreBusyError:
            # Somebody reads a long export: what was erased goes from the journal when they are done.
            self._busy_at = now
            return
        self._unforgotten = False

    def is_over(self, at: float) -> bool:
        """Whether what happened at that moment (POSIX) is to end."""
        return self.log_life.ends(at) <= self._time.dated()

    def whole_from(self) -> date:
        """The first day of which all entries are there."""
        return self.log_life.whole_from(self._time.dated())

    def due(self, most: int, late_s: float = 0.0) -> list[int]:
        """The first so many entries that are to end, and were so `late_s` ago."""
        return list(islice(ended(self._log.dated(), self.log_life, self._time.dated() - late_s, self._bound), most))

    def overdue(self) -> int:
        """How many entries outlived their limit: at it all must be gone."""
        return 0 if self._time.suspended else len(self.due(_PART, DONE_S))
