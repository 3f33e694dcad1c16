"""A clock that goes too fast or too slow for a while: put between a process and the C library (`drift.c`), with all that it starts."""

from __future__ import annotations

import struct
import time
from pathlib import Path

from benchmarks.preload import Preload

_COUNT, _PIECE = struct.Struct("<q"), struct.Struct("<qqq")
_MOST = 64


class Drift:
    """`ahead_s`: how far the clock of the namespace, in which the library is loaded, is ahead of ours."""

    def __init__(self, folder: Path, ahead_s: float = 0.0) -> None:
        loaded = Preload(Path(__file__).with_name("drift.c"), folder, _COUNT.size + _MOST * _PIECE.size, "DRIFT_PAGE")
        self.environment, self._map, self._ahead_s = loaded.environment, loaded.map, ahead_s
        self._pieces: list[tuple[int, int, int]] = []

    def run(self, gain_s: float, seconds: float) -> None:
        """From now on, evenly over so many seconds, the clocks gain `gain_s` (below nought: lose)."""
        start = time.clock_gettime_ns(time.CLOCK_BOOTTIME) + int(self._ahead_s * 1e9)
        piece = (start, int(seconds * 1e9), int(gain_s * 1e9))
        # The count last: no piece is looked at before it is whole.
        _PIECE.pack_into(self._map, _COUNT.size + len(self._pieces) * _PIECE.size, *piece)
        self._pieces.append(piece)
        self._map[: _COUNT.size] = _COUNT.pack(len(self._pieces))

    def gained(self, at_s: float) -> float:
        """What the clocks had gained when ours (`CLOCK_BOOTTIME`) showed `at_s`."""
        at = (at_s + self._ahead_s) * 1e9
        return sum(gain * min(1.0, max(0.0, (at - start) / length)) for start, length, gain in self._pieces) / 1e9
