"""A clock that moves when it is told to."""

from __future__ import annotations


class ManualClock:
    """`sleep` moves it on and remembers for how long."""

    def __init__(self, start: float = 1000.0) -> None:
        self.time = start
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.time

    def now(self) -> float:
        return self.time + 1.7e9

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += max(0.0, seconds)
