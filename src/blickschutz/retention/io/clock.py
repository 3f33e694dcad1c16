"""A clock for deadlines that survives restarts and does not follow a wall clock that jumps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from blickschutz.kernel.clock import Clock
from blickschutz.retention.model import ClockJump
from blickschutz.retention.rules import forward
from blickschutz.vault.io.files import write_private

_WRITE_EVERY_S = 60.0


class RetentionClock:
    """`now` is the time for deadlines; `on_jump` hears once of each jump of the wall clock."""

    def __init__(self, path: Path, clock: Clock, on_jump: Callable[[ClockJump], None] = lambda jump: None) -> None:
        self._path, self._clock, self.on_jump = path, clock, on_jump
        self._lock = threading.Lock()
        self._steady: float | None = None
        self._mark = self._read()
        self._written = float("-inf")
        self._offset = 0.0

    def now(self) -> float:
        with self._lock:
            steady = self._clock.monotonic()
            passed = None if self._steady is None else steady - self._steady
            # A jump that is known stays known: it is told of once, and time goes on beside it.
            wall = self._clock.now() - self._offset
            self._mark, jumped = forward(self._mark, wall, passed)
            self._steady = steady
            self._offset += jumped
            if abs(self._mark - self._written) >= _WRITE_EVERY_S or jumped:
                write_private(self._path, f"{self._mark:.3f}\n".encode())
                self._written = self._mark
        if jumped:
            self.on_jump(ClockJump(jumped))
        return self._mark

    @property
    def offset(self) -> float:
        """How far the wall clock is ahead of the time for deadlines, in seconds."""
        return self._offset

    def accept(self) -> None:
        """Somebody confirmed that the wall clock is right: deadlines follow it from now on, but not back."""
        with self._lock:
            self._offset, self._steady = 0.0, None

    def _read(self) -> float:
        try:
            return float(self._path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0.0
