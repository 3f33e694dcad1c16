"""Takes forms: finds the door, seals the answer, spends and keeps; shuffles what waits."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from datetime import date

import msgspec

from stimmungsbild.collection.model import STRATA, Answer, Door, Field, Outcome
from stimmungsbild.collection.rules import Bucket, Challenge, challenge, hashed, pad, read_code, worked
from stimmungsbild.collection.store import BATCH, SpentError, Store
from stimmungsbild.keys.service import seal
from stimmungsbild.questionnaire.model import Answers

# Codes that were refused, for the whole field together: of 65 random bits nobody guesses one at this rate (10^-8 in a year of trying).
WRONG_CODES_A_MINUTE, WRONG_CODES_AT_ONCE = 600, 200
# More than this at the open door is called a burst: it is marked in the answer, and the report is computed with and without.
OPEN_A_MINUTE, OPEN_AT_ONCE = 60, 120
# Forms that may wait for the disk at the same time; who comes then is asked to press again.
WAITING = 400
# Batches are shuffled at most this often, in seconds: the larger they are, the less their order says.
_SHUFFLE_S = 1.0


class Collector:
    """What the pages ask. Methods may be called from any thread."""

    def __init__(self, field: Field, store: Store, clock: Callable[[], float], today: Callable[[], date]) -> None:
        self._field, self._store, self._clock, self._today = field, store, clock, today
        self._wrong = Bucket(WRONG_CODES_A_MINUTE, WRONG_CODES_AT_ONCE, clock)
        self._open = Bucket(OPEN_A_MINUTE, OPEN_AT_ONCE, clock)
        self._limits, self._places = threading.Lock(), threading.BoundedSemaphore(WAITING)
        self._shuffled = clock()

    @property
    def closed(self) -> bool:
        """Whether the field has ended."""
        return self._store.closed

    def door(self, typed: str) -> Door | Outcome:
        """The door that a typed code opens; without one the open door."""
        if not typed.strip():
            return Door.OPEN
        code = read_code(typed)
        if code is None:
            return Outcome.REFUSED
        with self._limits:
            if self._wrong.empty():
                return Outcome.TOO_MANY_CODES
        found = self._store.door_of(hashed(self._field.pepper, "code", code))
        if found is None:
            with self._limits:
                self._wrong.take()
            return Outcome.REFUSED
        return found

    def challenge(self, ticket: str) -> Challenge:
        """What the open door asks of a form's browser. What comes without is taken all the same, and marked."""
        return challenge(self._field.pepper, ticket)

    def send(self, ticket: str, typed: str, language: str, values: Answers, solution: str = "") -> Outcome:
        """Take one form. `ticket` is the form's own: sent twice, it counts once. `solution`: that of its challenge, where it did one."""
        if not self._places.acquire(blocking=False):
            return Outcome.BUSY
        try:
            return self._send(ticket, typed, language, values, solution)
        except sqlite3.Error:
            return Outcome.NOT_SAVED
        finally:
            self._places.release()

    def _send(self, ticket: str, typed: str, language: str, values: Answers, solution: str) -> Outcome:
        if self._store.closed:
            return Outcome.CLOSED
        once = hashed(self._field.pepper, "ticket", ticket)
        if self._store.was_sent(once):
            return Outcome.ALREADY
        door = self.door(typed)
        if isinstance(door, Outcome):
            return door
        code = read_code(typed)
        spend = [once, *([hashed(self._field.pepper, "code", code)] if code else [])]
        done = door is Door.OPEN and worked(self._field.pepper, ticket, solution)
        answer = Answer(door, language, self._today().isoformat(), self._bursts(door), dict(values), done)
        strata = [(one, value) for one in STRATA if isinstance(value := values.get(one), str)]
        try:
            waiting = self._store.take(
                spend, seal(self._field.public, pad(msgspec.json.encode(answer))), door, [*strata, ("language", language)]
            )
        except SpentError:
            return Outcome.ALREADY if self._store.was_sent(once) else Outcome.REFUSED
        if waiting is None:
            return Outcome.CLOSED
        self._shuffle(waiting)
        return Outcome.TAKEN

    def _bursts(self, door: Door) -> bool:
        with self._limits:
            return door is Door.OPEN and not self._open.take()

    def _shuffle(self, waiting: int) -> None:
        """What is kept is kept: a batch that cannot be shuffled now is shuffled with the next one."""
        with self._limits:
            if waiting < BATCH or self._clock() - self._shuffled < _SHUFFLE_S:
                return
            self._shuffled = self._clock()
        try:
            self._store.shuffle()
        except sqlite3.Error:
            return
