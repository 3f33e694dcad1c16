"""A queue with its worker: in order, an item that fails is tried again and then set aside, the rest goes on."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Generic, TypeVar

import structlog

from blickschutz.guard.model import Change, Trouble, WorkKind, WorkState
from blickschutz.guard.rules import Tally, trace_of, wait_after, words
from blickschutz.guard.work import Around, ThreadWork, attempt

_log = structlog.get_logger(__name__)
_MOST_ASIDE = 100
T = TypeVar("T")


@dataclass(eq=False, slots=True)
class _Entry(Generic[T]):
    item: T
    pushed: float
    tries: int = 0
    due: float = float("-inf")


@dataclass(frozen=True, slots=True)
class SetAside(Generic[T]):
    """An item that was given up: after how many tries, and the last error in words."""

    item: T
    tries: int
    error: str = field(compare=False)


class GuardedQueue(Generic[T]):
    """`push` from any thread; a worker handles. In memory only: what must outlast the process is kept by who pushes.

    A failed item keeps its place and waits; items behind it go on meanwhile, except those of the same `key`.
    """

    def __init__(
        self,
        handle: Callable[[T], object],
        tally: Tally,
        around: Around,
        tries: int,
        most: int,
        key: Callable[[T], Hashable] | None,
        on_aside: Callable[[T, str], object] | None,
    ) -> None:
        self._handle, self._tally, self._around = handle, tally, around
        self._tries, self._most, self._key, self._on_aside = tries, most, key, on_aside
        self._entries: deque[_Entry[T]] = deque()
        self._aside: deque[SetAside[T]] = deque(maxlen=_MOST_ASIDE)
        self._given_up = 0
        self._ending = False
        self._changed = threading.Condition()
        self._worker = ThreadWork(self._drain, tally, WorkKind.QUEUE, replace(around, done=lambda _: around.done(self)), self._wake)

    kind = WorkKind.QUEUE

    @property
    def name(self) -> str:
        return self._tally.name

    @property
    def ended(self) -> bool:
        return self._worker.ended

    @property
    def in_trouble(self) -> bool:
        return self._tally.in_trouble

    def start(self) -> None:
        self._worker.start()

    def push(self, item: T) -> bool:
        """Hand in; never waits. False where the queue is full or has ended: then it is set aside, and told."""
        with self._changed:
            refusal = "the queue has ended" if self._ending else "the queue is full" if len(self._entries) >= self._most else ""
            if not refusal:
                self._entries.append(_Entry(item, self._around.clock.monotonic()))
                self._changed.notify_all()
        if refusal:
            self._set_aside(item, 0, refusal)
        return not refusal

    def again(self) -> int:
        """Try everything that was set aside (and is still remembered) once more; how many that are."""
        with self._changed:
            back = [_Entry(one.item, self._around.clock.monotonic()) for one in self._aside]
            self._aside.clear()
            self._entries.extend(back)
            self._changed.notify_all()
        return len(back)

    def aside(self) -> tuple[SetAside[T], ...]:
        """The newest items that were set aside."""
        with self._changed:
            return tuple(self._aside)

    def idle(self, wait_s: float) -> bool:
        """Wait until nothing waits and nothing is in work; whether it is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._entries, wait_s)

    def end(self, wait_s: float = 5.0) -> bool:
        """Take nothing more, handle what is there (what waits for another try gets its last one now), end."""
        done = self._worker.end(wait_s)
        with self._changed:
            left = len(self._entries)
        if left:
            _log.error("queue_not_drained", queue=self.name, left=left)
        return done

    def look(self) -> None:
        """A queue has recovered with the first item that went well, not with time."""

    def state(self) -> WorkState:
        with self._changed:
            depth, given_up = len(self._entries), self._given_up
            oldest_s = self._around.clock.monotonic() - self._entries[0].pushed if self._entries else 0.0
        return replace(self._worker.state(), depth=depth, oldest_s=round(oldest_s, 3), set_aside=given_up)

    def _wake(self) -> None:
        with self._changed:
            self._ending = True
            self._changed.notify_all()

    def _drain(self) -> None:
        while (entry := self._next()) is not None:
            entry.tries += 1
            self._settle(entry, attempt(partial(self._handle, entry.item)))

    def _next(self) -> _Entry[T] | None:
        """The first item that is due; None at the end."""
        with self._changed:
            while True:
                entry, wait_s = self._due(self._around.clock.monotonic())
                if entry is not None or (self._ending and not self._entries):
                    return entry
                self._changed.wait(wait_s)

    def _due(self, now: float) -> tuple[_Entry[T] | None, float | None]:
        """The first that is due, or how long until one is."""
        waiting: set[Hashable] = set()
        soonest: float | None = None
        for entry in self._entries:
            key = self._key(entry.item) if self._key is not None else None
            if key is not None and key in waiting:
                continue
            if self._ending or entry.due <= now:
                return entry, None
            if key is not None:
                waiting.add(key)
            soonest = min(entry.due - now, soonest) if soonest is not None else entry.due - now
        return None, soonest

    def _settle(self, entry: _Entry[T], error: BaseException | None) -> None:
        if error is None:
            self._remove(entry)
            self._around.tell(self._tally.went_well())
            return
        text = words(error)
        trouble = self._tally.failed(text)
        _log.error("item_failed", queue=self.name, tries=entry.tries, problem=text, exc_info=trace_of(error))
        self._around.tell(trouble)
        if entry.tries < self._tries and not self._ending:
            with self._changed:
                entry.due = self._around.clock.monotonic() + wait_after(entry.tries, self._tally.backoff, self._around.chance())
            return
        # Kept in the list of what was set aside before it leaves the queue: at no moment is it in neither.
        self._set_aside(entry.item, entry.tries, text)
        self._remove(entry)

    def _remove(self, entry: _Entry[T]) -> None:
        with self._changed:
            self._entries.remove(entry)
            self._changed.notify_all()

    def _set_aside(self, item: T, tries: int, error: str) -> None:
        with self._changed:
            forgotten = len(self._aside) == _MOST_ASIDE
            self._aside.append(SetAside(item, tries, error))
            self._given_up += 1
        _log.error("item_set_aside", queue=self.name, tries=tries, problem=error, forgotten=forgotten)
        told = self._on_aside
        if told is not None and (failure := attempt(lambda: told(item, error))) is not None:
            _log.error("set_aside_not_told", queue=self.name, exc_info=failure)
        self._around.tell(Trouble(self.name, Change.SET_ASIDE, error, tries))
