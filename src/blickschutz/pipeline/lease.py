"""The end of a lease, held by a thread of its own: a cell that is busy with a picture, or hangs in a read, films no longer than it may."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import structlog

from blickschutz.guard.service import Guard

_log = structlog.get_logger(__name__)
# What the cell's own thread gets to let go in order; less than a giver of leases waits beyond the end.
GRACE_S: Final = 0.5


class LeaseWatch:
    """`has_let_go` says whether the camera is let go; where it is not in time, `die` ends the process, and the kernel lets go for it."""

    def __init__(self, guard: Guard, age: Callable[[], float], has_let_go: Callable[[], bool], die: Callable[[], object]) -> None:
        self._guard, self._age, self._has_let_go, self._die = guard, age, has_let_go, die
        self._changed = threading.Condition()
        self._until: float | None = None
        self._ending = self._begun = False

    def told(self, until: float) -> None:
        """The lease lasts until then, by `age`."""
        with self._changed:
            # What is over at once has its time to let go from now on; said again it does not begin anew.
            over = max(until, self._age())
            self._until = over if self._until is None or until > self._until else min(self._until, over)
            self._changed.notify()
        if not self._begun:
            self._begun = True
            self._guard.thread("lease", self._watch, stop=self._end)

    def _end(self) -> None:
        with self._changed:
            self._ending = True
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._ending:
                left = self._until + GRACE_S - self._age() if self._until is not None else None
                if left is None or left > 0:
                    self._changed.wait(left)
                elif self._has_let_go():
                    self._until = None  # until another one is told
                else:
                    _log.error("lease_over", problem="the camera was not let go in time; this process ends")
                    self._die()
                    return
