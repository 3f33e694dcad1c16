"""One answer for many who ask the same within seconds: what waits for disk and database is not done once for each of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from blickschutz.kernel.clock import Clock

T = TypeVar("T")


class Shared(Generic[T]):
    """`ask` is asked by one thread at a time, and again once its answer is older than `fresh_s`.

    Who comes while it is asked gets the answer of before, unless that is older than `most_s`: then they wait for the new one. What it
    raises is raised to whoever asked, and to all who wait. From any thread.
    """

    def __init__(self, ask: Callable[[], T], clock: Clock, fresh_s: float, most_s: float) -> None:
        self._ask, self._clock, self._fresh_s, self._most_s = ask, clock, fresh_s, most_s
        self._asking = threading.Lock()
        self._known: tuple[float, T] | None = None

    def __call__(self) -> T:
        """The answer. Raises what `ask` raises."""
        before = self._known
        if before is not None and self._age(before) < self._fresh_s:
            return before[1]
        if not self._asking.acquire(blocking=before is None or self._age(before) >= self._most_s):
            assert before is not None
            return before[1]
        try:
            # Somebody else may have asked while this one waited.
            if (now := self._known) is not None and now is not before and self._age(now) < self._fresh_s:
                return now[1]
            began = self._clock.monotonic()
            answer = self._ask()
            self._known = began, answer
            return answer
        finally:
            self._asking.release()

    def forget(self) -> None:
        """Ask anew when somebody asks next."""
        self._known = None

    def _age(self, known: tuple[float, T]) -> float:
        return self._clock.monotonic() - known[0]
