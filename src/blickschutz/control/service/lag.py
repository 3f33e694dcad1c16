"""How late the event loop is: whatever waits or computes in it holds up every page, every camera and every heartbeat."""

from __future__ import annotations

import asyncio
import math
import threading
from collections import deque

from blickschutz.control.vitals import LoopState
from blickschutz.kernel.clock import Clock

EVERY_S = 0.05
_KEPT_S = 60.0


class LoopLag:
    """`run` measures in the event loop that it runs in; `state` may be asked from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, threading.Lock()
        # When it was due (monotonic), and how much later it came.
        self._late: deque[tuple[float, float]] = deque()

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            due = self._clock.monotonic() + EVERY_S
            await asyncio.sleep(EVERY_S)
            self.note(due, max(0.0, self._clock.monotonic() - due))

    def note(self, due: float, late_s: float) -> None:
        """It was due then and came so much later. Whoever would have come meanwhile would have been late as well, less and less."""
        with self._lock:
            for missed in range(math.floor(late_s / EVERY_S) + 1):
                self._late.append((due + missed * EVERY_S, late_s - missed * EVERY_S))
            while self._late and self._late[0][0] < due - _KEPT_S:
                self._late.popleft()

    def state(self) -> LoopState:
        with self._lock:
            late = sorted(late_s for _, late_s in self._late)
        if not late:
            return LoopState()
        return LoopState(late[min(len(late) - 1, math.ceil(0.99 * len(late)) - 1)], late[-1])
