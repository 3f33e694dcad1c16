"""Times of a stream of video."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Packet:
    """A picture as the camera coded it. `key`: it needs no other to be decoded. `codec` is FFmpeg's name.

    Size in pixels, 0 while it is not known.
    `template` is what the decoder's library knows of the stream beyond that, opaque to all but it; None for a codec whose packets say all.
    """

    data: bytes
    key: bool
    codec: str
    width: int
    height: int
    template: Any = None
