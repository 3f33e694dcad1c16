"""The tally of false alarms, counted anew only when it is another one: counting 50,000 alerts for each look at a page takes its time."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from blickschutz.alerts.model import Tally
from blickschutz.alerts.ports import AlertStore
from blickschutz.kernel.clock import Clock

FRESH_S = 60.0


class Tallies:
    """The newest tally of each span. What changes while it is counted makes the next look count again. Safe for several threads."""

    def __init__(self, store: AlertStore, clock: Clock) -> None:
        self._store, self._clock, self._lock = store, clock, threading.Lock()
        self._changes = 0
        self._known: dict[float, tuple[int, float, Sequence[Tally]]] = {}

    def changed(self) -> None:
        """An alert was raised, decided or counted."""
        with self._lock:
            self._changes += 1

    def of(self, seconds: float) -> Sequence[Tally]:
        """Of the last so many seconds. What a life ended meanwhile may still be in it for a minute."""
        with self._lock:
            changes, known = self._changes, self._known.get(seconds)
        now = self._clock.monotonic()
        if known is not None and known[0] == changes and 0 <= now - known[1] < FRESH_S:
            return known[2]
        found = self._store.tally(self._clock.now() - seconds)
        with self._lock:
            self._known[seconds] = (changes, now, found)
        return found
