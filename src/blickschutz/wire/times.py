"""What another machine's monotonic clock differs by from ours: an interval that holds the true offset, from round trips.

RFC 5905, 8: half of a round trip bounds the error of an offset, whatever the two ways took. Intervals are cut with each other, and grow
between round trips by the bound of drift (Marzullo, "Maintaining the time in a distributed system", 1984). Offsets are theirs minus
ours, in seconds. Knows no clock: every call is given the time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

# Between two monotonic clocks: quartzes differ by up to 100 ppm each, and a kernel that is steered slews by up to 500.
DRIFT: Final = 1.2e-3
# Without an answer for so long nothing is believed.
GOOD_S: Final = 30.0
# A time with a larger error says nothing of whether a picture is live.
MOST_ERROR_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Reading:
    """A time, and by how much it may be wrong in either direction, in seconds."""

    at: float
    error: float


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """`asked` and `heard` by our clock, `received` and `answered` between them by the other one."""

    asked: float
    received: float
    answered: float
    heard: float


class Times(Protocol):
    """Turns times of one run's clock into ours and back. `now` is ours."""

    def ours(self, theirs: float, now: float) -> Reading | None:
        """None where it cannot be said within `MOST_ERROR_S`."""
        ...

    def happened(self, theirs: float, now: float) -> Reading | None:
        """When something was, however long ago, and by how much that may be wrong; None where nothing is known of that clock."""
        ...

    def theirs(self, ours: float, now: float) -> Reading | None:
        """None where it cannot be said within `MOST_ERROR_S`."""
        ...


class OneClock:
    """Both sides read the same clock."""

    def ours(self, theirs: float, now: float) -> Reading | None:
        del now
        return Reading(theirs, 0.0)

    def happened(self, theirs: float, now: float) -> Reading | None:
        return self.ours(theirs, now)

    def theirs(self, ours: float, now: float) -> Reading | None:
        del now
        return Reading(ours, 0.0)


class MeasuredClock:
    """Another machine's clock. `jumps` counts how often what was measured did not fit what was known."""

    def __init__(self, drift: float = DRIFT) -> None:
        self._drift = drift
        self._low = self._high = self._at = 0.0
        self._known = False
        self.jumps = 0

    def add(self, trip: RoundTrip) -> bool:
        """Take a round trip in; False where the clock jumped: what was known before is dropped."""
        took = trip.heard - trip.asked
        # While it was under way the clocks drifted, too.
        slack = self._drift * max(0.0, took)
        low, high = trip.answered - trip.heard - slack, trip.received - trip.asked + slack
        if not (math.isfinite(low) and math.isfinite(high)) or took < 0 or trip.answered < trip.received or low > high:
            return self._jumped()
        if not self._known:
            self._set(low, high, trip.heard)
            return True
        kept_low, kept_high = self._bounds(trip.heard)
        kept_low, kept_high = max(low, kept_low), min(high, kept_high)
        if kept_low > kept_high:
            self._jumped()
            self._set(low, high, trip.heard)
            return False
        self._set(kept_low, kept_high, trip.heard)
        return True

    def offset(self, now: float) -> Reading | None:
        """Theirs minus ours; None where nothing was heard lately."""
        if not self._known or now - self._at > GOOD_S:
            return None
        low, high = self._bounds(now)
        return Reading((low + high) / 2, (high - low) / 2)

    def ours(self, theirs: float, now: float) -> Reading | None:
        return _near(self.happened(theirs, now))

    def happened(self, theirs: float, now: float) -> Reading | None:
        known = self.offset(now)
        return self._grown(theirs - known.at, known.error, now - (theirs - known.at)) if known is not None else None

    def theirs(self, ours: float, now: float) -> Reading | None:
        known = self.offset(now)
        return _near(self._grown(ours + known.at, known.error, now - ours)) if known is not None else None

    def _grown(self, at: float, error: float, ago: float) -> Reading:
        """The offset of another moment differs from that of now by the drift of the time between."""
        return Reading(at, error + self._drift * abs(ago))

    def _bounds(self, now: float) -> tuple[float, float]:
        grown = self._drift * max(0.0, now - self._at)
        return self._low - grown, self._high + grown

    def _set(self, low: float, high: float, at: float) -> None:
        self._low, self._high, self._at, self._known = low, high, at, True

    def _jumped(self) -> bool:
        self._known = False
        self.jumps += 1
        return False


def _near(read: Reading | None) -> Reading | None:
    return read if read is not None and read.error <= MOST_ERROR_S else None
