"""What a cell measures of itself: frame rate, processor time, memory."""

from __future__ import annotations

import ctypes
import time
from pathlib import Path

from blickschutz.kernel.clock import Clock

_WINDOW_S = 4.0
_MEMORY_EVERY_S = 10.0
_MB = 1024.0
_M_ARENA_MAX = -8  # from malloc.h


class ProcessFigures:
    """Figures of this process; `refresh` reads them, memory only every ten seconds because that is slow."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._times: list[float] = []
        self._memory_at = float("-inf")
        self.latest_at: float | None = None
        self.cpu_s = self.rss_mb = self.pss_mb = 0.0

    def count_frame(self, at: float) -> None:
        self.latest_at = at
        self._times.append(at)
        while self._times[0] < at - _WINDOW_S:
            self._times.pop(0)

    def interrupt(self) -> None:
        """The stream was interrupted: its rate is not known any longer."""
        self._times.clear()

    @property
    def fps(self) -> float:
        """Frames per second over the last four seconds; 0 while too few are known."""
        span = self._times[-1] - self._times[0] if len(self._times) > 2 else 0.0
        return (len(self._times) - 1) / span if span > 0 else 0.0

    def refresh(self) -> None:
        self.cpu_s = round(time.process_time(), 3)
        now = self._clock.monotonic()
        if now < self._memory_at + _MEMORY_EVERY_S:
            return
        self._memory_at = now
        release_unused_memory()
        self.rss_mb, self.pss_mb = memory_mb()


def keep_memory_together() -> None:
    """One heap for all threads instead of one for each: what one lets go of another can use. Only glibc has this."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def release_unused_memory() -> None:
    """Give back what the allocator keeps: compiling a network leaves 20 MB behind. Only glibc has this."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def memory_mb() -> tuple[float, float]:
    """(resident, proportional) memory of this process in MB; 0 where the kernel does not tell."""
    try:
        lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0, 0.0
    sizes = {line.split(":")[0]: float(line.split()[1]) for line in lines[1:] if line.endswith("kB")}
    return round(sizes.get("Rss", 0.0) / _MB, 1), round(sizes.get("Pss", 0.0) / _MB, 1)
