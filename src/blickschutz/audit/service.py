"""Watch over the log while it grows: what is new is verified every minute, the whole chain once a day (SI-04)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from blickschutz.audit.model import Event, Fault
from blickschutz.audit.rules import verify
from blickschutz.guard.service import Guard
from blickschutz.guard.work import ThreadWork
from blickschutz.kernel.clock import Clock

EVERY_S, WHOLE_S = 60.0, 86_400.0
# So many lines at a time, then a pause: pages are served meanwhile.
_PART, _PAUSE_S = 1000, 0.02
_MOST_FAULTS = 100


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What was found: up to which entry, when (POSIX), when the whole was looked at, and what is wrong."""

    number: int = 0
    at: float = 0.0
    whole_at: float = 0.0
    faults: tuple[Fault, ...] = ()


class Log(Protocol):
    """What is watched; see `io.log`."""

    public: bytes

    def export(self, first: int = 1) -> Iterator[bytes]: ...

    def state(self) -> tuple[int, str, object]: ...

    def find(
        self, *, event: str = "", subject: str = "", by: str = "", before: int = 0, most: int = 200
    ) -> Sequence[tuple[object, str]]: ...

    def write(self, what: Event, by: str) -> object: ...

    @property
    def can_sign(self) -> bool: ...


class ChainWatch:
    """A guarded thread. `report` is what it found last; a broken chain is an entry in the log, once.

    A look that fails (a database that is locked or full) is tried again.
    """

    def __init__(self, log: Log, clock: Clock, is_signed: Callable[[bytes, bytes, bytes], bool]) -> None:
        self._log, self._clock, self._is_signed = log, clock, is_signed
        self.report = ChainReport()
        self._hash = ""
        self._end = threading.Event()
        self._work: ThreadWork | None = None

    def start(self, guard: Guard) -> None:
        self._work = guard.thread("chain", self.look, stop=self._end.set, every_s=EVERY_S)

    def end(self) -> None:
        if self._work is not None:
            self._work.end(5.0)

    def look(self, *, whole: bool = False) -> ChainReport:
        """Verify what is new since the last look, or everything."""
        before = self.report
        if not self._log.can_sign:
            # Without the key there is no signature to be verified with; that it is missing is told elsewhere, and loudly.
            return before
        whole = whole or before.number == 0 or self._clock.now() - before.whole_at > WHOLE_S
        # From the last entry that was seen on: it must still be what it was, and what follows must follow on it.
        first = 1 if whole else before.number
        number, hashed, _ = self._log.state()
        if not whole and number == before.number and hashed == self._hash:
            self.report = ChainReport(number, self._clock.now(), before.whole_at, before.faults)
            return self.report
        faults = tuple(islice(verify(self._paced(self._log.export(first)), self._is_signed, self._log.public), _MOST_FAULTS))
        kept = self._log.find(before=before.number + 1, most=1) if before.number and not whole else []
        if kept and kept[0][1] != self._hash:
            faults = (Fault(before.number, "altered", f"entry {before.number} is not what it was a minute ago"), *faults)
        now = self._clock.now()
        if faults and not before.faults:
            self._log.write(Event.LOG_BROKEN, "system")
        known = faults if whole else (*before.faults, *faults)
        self.report = ChainReport(number, now, now if whole else before.whole_at, known[:_MOST_FAULTS])
        self._hash = hashed
        return self.report

    def _paced(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        for index, line in enumerate(lines, 1):
            yield line
            if index % _PART == 0:
                self._end.wait(_PAUSE_S)
