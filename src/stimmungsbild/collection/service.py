"""Takes forms: finds the door, seals the answer, spends and keeps what waits together; shuffles it."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date

import msgspec

from stimmungsbild.collection.model import STRATA, Answer, Door, Field, Outcome
from stimmungsbild.collection.rules import Bucket, Challenge, challenge, hashed, pad, read_code, worked
from stimmungsbild.collection.store import Store, Taking
from stimmungsbild.keys.service import seal
from stimmungsbild.questionnaire.model import Answers

# Codes that were refused, for the whole field together: of 65 random bits nobody guesses one at this rate (10^-8 in a year of trying).
WRONG_CODES_A_MINUTE, WRONG_CODES_AT_ONCE = 600, 200
# More than this at the open door is called a burst: it is marked in the answer, and the report is computed with and without.
OPEN_A_MINUTE, OPEN_AT_ONCE = 60, 120
# Forms that may wait for the disk at the same time, and how long, in seconds; who comes then, or waits longer, is asked to press again.
WAITING, PATIENCE_S = 2000, 5.0
# Forms that come within this time, in seconds, are kept together: one wait for the disk for all of them.
GATHER_S = 0.02
# Batches are shuffled at most this often, in seconds: the larger they are, the less their order says.
_SHUFFLE_S = 1.0


class Collector:
    """What the pages ask. Methods may be called from any thread."""

    def __init__(
        self, field: Field, store: Store, clock: Callable[[], float], today: Callable[[], date], gather_s: float = GATHER_S
    ) -> None:
        self._field, self._store, self._clock, self._today = field, store, clock, today
        self._wrong = Bucket(WRONG_CODES_A_MINUTE, WRONG_CODES_AT_ONCE, clock)
        self._open = Bucket(OPEN_A_MINUTE, OPEN_AT_ONCE, clock)
        self._limits, self._waiting = threading.Lock(), threading.Lock()
        self._queue: list[tuple[Taking, Future[Outcome]]] = []
        self._writing, self._gather_s, self._shuffled = False, gather_s, clock()
        # One thread each, which ends with this object: who keeps forms, and who cuts the log after a batch.
        self._writer, self._cutter = ThreadPoolExecutor(1, "keeping"), ThreadPoolExecutor(1, "cutting")
        self._cutting = _done()

    @property
    def closed(self) -> bool:
        """Whether the field has ended."""
        return self._store.closed

    @property
    def full(self) -> bool:
        """Whether as many forms wait for the disk as may."""
        return len(self._queue) >= WAITING

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
        """Take one form, and wait for it. What `offer` says."""
        waiting = self.offer(ticket, typed, language, values, solution)
        if isinstance(waiting, Outcome):
            return waiting
        try:
            return waiting.result(PATIENCE_S)
        except TimeoutError:
            waiting.cancel()
            return Outcome.BUSY

    def offer(self, ticket: str, typed: str, language: str, values: Answers, solution: str = "") -> Outcome | Future[Outcome]:
        """Take one form: what came of it, or what will once the disk has it; never waits for the disk.

        `ticket` is the form's own: sent twice, it counts once. `solution`: that of its challenge, where it did one. Whoever waits longer
        than `PATIENCE_S` may say `BUSY`: the form is not kept if it could still be cancelled, and if not it counts once all the same.
        """
        if self.full:
            return Outcome.BUSY
        try:
            found = self._sealed(ticket, typed, language, values, solution)
        except sqlite3.Error:
            return Outcome.NOT_SAVED
        if isinstance(found, Outcome):
            return found
        future: Future[Outcome] = Future()
        with self._waiting:
            self._queue.append((found, future))
            if not self._writing:
                self._writing = True
                self._writer.submit(self._write)
        return future

    def _sealed(self, ticket: str, typed: str, language: str, values: Answers, solution: str) -> Outcome | Taking:
        if self._store.closed:
            return Outcome.CLOSED
        once = hashed(self._field.pepper, "ticket", ticket)
        if self._store.was_sent(once):
            return Outcome.ALREADY
        door = self.door(typed)
        if isinstance(door, Outcome):
            return door
        code = read_code(typed)
        done = door is Door.OPEN and worked(self._field.pepper, ticket, solution)
        answer = Answer(door, language, self._today().isoformat(), self._bursts(door), dict(values), done)
        return Taking(
            once,
            hashed(self._field.pepper, "code", code) if code else b"",
            seal(self._field.public, pad(msgspec.json.encode(answer))),
            door,
            (*((one, value) for one in STRATA if isinstance(value := values.get(one), str)), ("language", language)),
        )

    def _bursts(self, door: Door) -> bool:
        with self._limits:
            return door is Door.OPEN and not self._open.take()

    def _write(self) -> None:
        """Keep all that waits by now; whatever comes of it, what came meanwhile is next."""
        try:
            time.sleep(self._gather_s)
            with self._waiting:
                group, self._queue = self._queue, []
            self._keep([one for one in group if one[1].set_running_or_notify_cancel()])
        finally:
            with self._waiting:
                self._writing = bool(self._queue)
                if self._writing:
                    self._writer.submit(self._write)

    def _keep(self, group: list[tuple[Taking, Future[Outcome]]]) -> None:
        outcomes: Sequence[Outcome]
        try:
            if self._cutting.done():
                # An error that nobody foresaw when the log was cut is met here, by whoever comes next.
                self._cutting.result()
            due = self._clock() - self._shuffled >= _SHUFFLE_S
            outcomes, batch = self._store.take([form for form, _ in group], shuffle=due)
        except sqlite3.Error:
            outcomes, batch = [Outcome.NOT_SAVED] * len(group), False
        except Exception as error:  # noqa: BLE001 - each who waits gets it as their answer, and the server's log has it
            self._cutting = _done()
            for _, future in group:
                future.set_exception(error)
            return
        if batch:
            self._shuffled = self._clock()
            self._cutting = self._cutter.submit(self._cut)
        for (_, future), outcome in zip(group, outcomes, strict=True):
            future.set_result(outcome)

    def _cut(self) -> None:
        """What is kept is kept: a log that cannot be cut now is cut with the next batch."""
        with contextlib.suppress(sqlite3.Error):
            self._store.cut()


def _done() -> Future[None]:
    done: Future[None] = Future()
    done.set_result(None)
    return done
