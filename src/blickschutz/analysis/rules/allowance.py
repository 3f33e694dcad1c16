"""A bound on what dear looks cost: a few in a row, but not for long (a token bucket; ITU-T I.371)."""

from __future__ import annotations

import math


class Allowance:
    """At most `burst` looks at once, and `per_s` a second in the long run. `left` is what may be spent as of the last `refill`."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s, self._burst = per_s, burst
        self.left = burst
        self._refilled_at = math.inf

    def refill(self, at: float) -> None:
        """It is `at` seconds now; where time went back nothing is added."""
        self.left = min(self._burst, self.left + max(0.0, at - min(at, self._refilled_at)) * self._per_s)
        self._refilled_at = at

    def spend(self, looks: int = 1) -> bool:
        """Take so many, or none where they are not left."""
        if self.left < looks:
            return False
        self.left -= looks
        return True
