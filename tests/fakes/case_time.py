"""The time for deadlines as cases take it: from a clock that a test moves."""

from __future__ import annotations


class CaseClock:
    """See `review.ports.CaseTime`: one epoch, and dates as they are."""

    def __init__(self, clock):
        self._clock = clock

    def stamp(self):
        return "epoch", self._clock.now()

    def of_date(self, wall):
        return wall
