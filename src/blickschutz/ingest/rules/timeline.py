"""One timeline for each connection with a camera: when each picture was taken, from the camera's clock or from its arrival.

A camera stamps its packets with a clock of its own (RTP, RFC 3550, 5.1), which starts anywhere, drifts, jumps and wraps, or
stands still. What is certain is when a packet came: its picture was taken before. So the camera's clock is laid below the
arrivals, as high as no packet of the last seconds came before it was taken (the least delay of a window, as in RFC 5905,
10, clock filter). A packet far off that line counts as taken when it came; when the next one agrees with it, the clock has
jumped and is laid anew. A clock that has to be laid anew again and again is not believed.
"""

from __future__ import annotations

from collections import deque

from blickschutz.kernel.streams import TICKS, Stamp

# The least delay of so long a time is the line; half of it each in two buckets.
_WINDOW_S = 8.0
# Pictures come at most so long after they were taken: bursts of two seconds and what a network adds.
_LATEST_S = 3.0
# And so much before the line, or one and a half pictures, is an accident of the network, not of the clock.
_AHEAD_S, _AHEAD_PICTURES = 0.25, 1.5
# Pictures that are sent before others they follow in time (B-pictures) go back by so much at most.
_REORDER_S = 1.0
# A clock that was laid anew so often within such a time is not believed for as long.
_MOST_ANCHORS, _DISTRUST_S = 3, 60.0
_REMEMBERED = 64


class Timeline:
    """The packets of one connection in the order in which they came."""

    def __init__(self) -> None:
        self._origin: float | None = None
        self._line = _Line()
        self._highest, self._highest_raw = -1, float("-inf")
        self._dts = -1
        self._used: deque[int] = deque(maxlen=_REMEMBERED)

    def place(self, raw_s: float | None, arrived: float, ahead_s: float = 0.0) -> Stamp:
        """`raw_s` is the camera's time of the picture in seconds, None where it sent none; `arrived` is monotonic.

        `ahead_s` is by how much the packet comes before its picture's turn, where the stream says it.
        """
        taken = self._line.taken(raw_s, arrived)
        if self._origin is None:
            self._origin = taken
        pts = max(0, round((taken - self._origin) * TICKS))
        reordered = raw_s is not None and self._line.holds and self._highest_raw - _REORDER_S < raw_s < self._highest_raw
        if not reordered:
            pts = max(pts, self._highest + 1)
            self._highest_raw = raw_s if raw_s is not None else self._highest_raw
        # A clip's file asks for times of decoding that grow and are never behind those of the pictures.
        dts = max(self._dts + 1, pts - round(min(max(ahead_s, 0.0), _REORDER_S) * TICKS))
        pts = max(pts, dts)
        while pts in self._used:
            pts += 1
        self._used.append(pts)
        self._highest, self._dts = max(self._highest, pts), dts
        return Stamp(pts, dts, self.at(pts))

    def at(self, pts: int) -> float:
        """Monotonic time of a picture of this connection."""
        return (self._origin or 0.0) + pts / TICKS


class _Line:
    """The camera's clock on the monotonic one: `low` is the least delay of the last seconds, None where it is not believed."""

    def __init__(self) -> None:
        self._low: float | None = None
        self._buckets: tuple[float, float] = (float("inf"), float("inf"))
        self._bucket_began = 0.0
        self._pending: float | None = None
        self._last_raw: float | None = None
        self._step = 0.0
        self._anchors: deque[float] = deque(maxlen=_MOST_ANCHORS)
        self._distrusted_until = float("-inf")

    @property
    def holds(self) -> bool:
        """Whether the last packet lay on the line."""
        return self._low is not None and self._pending is None

    def taken(self, raw: float | None, arrived: float) -> float:
        """When the picture was taken: monotonic, never after `arrived`, never more than `_LATEST_S` before."""
        stands, step = raw is None or raw == self._last_raw, self._step
        if raw is not None:
            self._step = raw - self._last_raw if self._last_raw is not None and 0 < raw - self._last_raw < _LATEST_S else step
            self._last_raw = raw
        if raw is None or stands or arrived < self._distrusted_until:
            return arrived
        delay = arrived - raw
        if self._low is None:
            self._anchor(delay, arrived)
        elif -max(_AHEAD_S, _AHEAD_PICTURES * step) <= delay - self._low <= _LATEST_S:
            self._pending = None
            self._add(delay, arrived)
        elif self._pending is not None and abs(delay - self._pending) <= _AHEAD_S:
            self._anchor(delay, arrived)
        else:
            self._pending = delay
            return arrived
        return arrived if self._low is None else raw + self._low

    def _anchor(self, delay: float, arrived: float) -> None:
        self._pending, self._low = None, delay
        self._buckets, self._bucket_began = (delay, float("inf")), arrived
        self._anchors.append(arrived)
        if len(self._anchors) == _MOST_ANCHORS and arrived - self._anchors[0] < _DISTRUST_S:
            self._low, self._distrusted_until = None, arrived + _DISTRUST_S
            self._anchors.clear()

    def _add(self, delay: float, arrived: float) -> None:
        now, before = self._buckets
        if arrived - self._bucket_began >= _WINDOW_S / 2:
            now, before = float("inf"), now if arrived - self._bucket_began < _WINDOW_S else float("inf")
            self._bucket_began = arrived
        now = min(now, delay)
        self._buckets, self._low = (now, before), min(now, before)
