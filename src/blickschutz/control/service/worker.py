"""The thread of disk and database: whoever gives it work does not wait for it. In order, but what failed waits for its next try
while the rest goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from blickschutz.guard.model import Backoff
from blickschutz.guard.queues import GuardedQueue
from blickschutz.guard.service import Guard

_END_S = 10.0
# A minute in all: longer than a backup holds a lock; and once it is free, what waits is written within seconds.
_TRIES = 15
_BACKOFF = Backoff(first_s=0.5, most_s=5.0, factor=2.0)
_Item = tuple[str, Callable[[], Any]]


class Worker:
    """A guarded queue that can be handed work before it is started. `problem` says what fails now, or was given up."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: deque[_Item] = deque()
        self._queue: GuardedQueue[_Item] | None = None
        self.start_problem = ""

    @property
    def problem(self) -> str:
        state = self._queue.state() if self._queue is not None else None
        return self.start_problem or (state.error if state is not None and (state.failing or state.set_aside) else "")

    def start(self, guard: Guard) -> None:
        """Begin, with what waits already."""
        queue = self._queue = guard.queue(
            self._name, lambda item: item[1](), key=lambda item: item[0] or None, tries=_TRIES, backoff=_BACKOFF
        )
        while self._waiting:
            queue.push(self._waiting.popleft())

    def do(self, work: Callable[[], Any], key: str = "") -> None:
        """Have something done. What fails is tried again; what has the same `key` waits for it, the rest goes on meanwhile."""
        if self._queue is None:
            self._waiting.append((key, work))
        else:
            self._queue.push((key, work))

    def work(self) -> None:
        """Do what waits, where no thread does it."""
        while self._waiting:
            self._waiting.popleft()[1]()

    def end(self) -> None:
        """Finish what waits; to be called in a thread of its own."""
        if self._queue is not None:
            self._queue.end(_END_S)
        else:
            self.work()
