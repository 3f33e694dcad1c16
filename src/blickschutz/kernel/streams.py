"""Times of a stream of video."""

from __future__ import annotations

from dataclasses import dataclass

# Counted in 1/90000 s, as RTP does for video (RFC 3551, 5).
TICKS = 90_000


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where a packet lies: `pts` and `dts` in ticks of 1/90000 s since the connection's first picture, `at` in monotonic seconds.

    `pts` is that of its picture and unique; `dts` grows from packet to packet and is never greater. `at` is `pts` on the
    monotonic clock.
    """

    pts: int
    dts: int
    at: float
