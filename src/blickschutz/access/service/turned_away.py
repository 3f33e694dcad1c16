"""Who was turned away before anybody knew who they are: counted, and summed up in the log once a minute."""

from __future__ import annotations

import threading
from collections import Counter

from blickschutz.access.model import Turned
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import StoreError

EVERY_S = 60.0
# Pages that are left open ask on after their session ended. That alone is worth an entry only where it is very much.
WORTH_AN_ENTRY = 100
_MOST_PLACES, _MOST_PEOPLE = 1000, 20


class TurnedAway:
    """One entry for the first after a quiet minute, then one a minute for all: a flood fills no disk, and nothing goes uncounted.

    What signed-in people do is never summed up. What was counted last is lost where the process dies.
    """

    def __init__(self, log: AuditLog, clock: Clock) -> None:
        self._log, self._clock, self._lock = log, clock, threading.Lock()
        self._kinds, self._people, self._places = Counter[str](), Counter[str](), set[str]()
        self._told_at, self._since = clock.monotonic() - EVERY_S, clock.monotonic()

    def count(self, kind: Turned, place: str, person: str = "") -> None:
        """Touches memory only."""
        with self._lock:
            self._add(kind, place, person)

    def tell(self, kind: Turned, place: str, person: str) -> None:
        """The same, and an entry at once where there was none for a minute. `person` is empty for a name that nobody has."""
        with self._lock:
            now = self._clock.monotonic()
            alone = now - self._told_at >= EVERY_S and not self._kinds
            if alone:
                self._told_at = now
            else:
                self._add(kind, place, person)
        if alone:
            self._log.write(Event.SIGN_IN_REFUSED, person or "?", facts={"reason": kind.value})

    def look(self, *, end: bool = False) -> None:
        """Write down what was counted, once a minute; `end` does it now. What the log does not take stays counted."""
        now = self._clock.monotonic()
        with self._lock:
            worth = any(kind != Turned.NOT_SIGNED_IN for kind in self._kinds) or self._kinds.total() >= WORTH_AN_ENTRY
            if not worth or (now - self._told_at < EVERY_S and not end):
                return
            kinds, people, places = self._kinds, self._people, self._places
            seconds, before = now - self._since, (self._told_at, self._since)
            self._kinds, self._people, self._places = Counter(), Counter(), set()
            self._told_at = self._since = now
        named = [f"{person}: {count}" for person, count in people.most_common(_MOST_PEOPLE)]
        try:
            self._log.write(
                Event.REFUSALS_COUNTED,
                "system",
                facts={"seconds": round(seconds), **dict(kinds), "addresses": len(places), **({"people": named} if named else {})},
            )
        except StoreError:
            with self._lock:
                self._kinds, self._people, self._places = self._kinds + kinds, self._people + people, self._places | places
                self._told_at, self._since = before
            raise

    def _add(self, kind: Turned, place: str, person: str) -> None:
        if not self._kinds:
            self._since = self._clock.monotonic()
        self._kinds[kind.value] += 1
        if person:
            self._people[person] += 1
        if len(self._places) < _MOST_PLACES:
            self._places.add(place)
