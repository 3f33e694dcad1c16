"""Time is handed in: production takes `SystemClock`, tests a clock that they move themselves."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks and a wait. `monotonic` for spans, `now` (POSIX seconds) for people and logs."""

    def monotonic(self) -> float: ...

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The clocks of this machine."""

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))


def aging() -> float:
    """Seconds since the boot that go on while the machine sleeps; no other clock goes on with them. clock_gettime(2), `CLOCK_BOOTTIME`"""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
