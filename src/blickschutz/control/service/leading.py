"""One of several control rooms leads: it says so again and again; others watch, and take over when it does not.

What holds against two that lead is the database ([standby](docs/design/standby.md)): clocks decide here only how soon somebody takes over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from blickschutz.guard.model import Backoff
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import aging
from blickschutz.kernel.errors import StoreError, StoreFencedError
from blickschutz.storage.lead import Lead, Led
from blickschutz.wire.times import DRIFT

_log = structlog.get_logger(__name__)
# Seconds without a sign after which another one takes over; a leader gives one every `BEAT_S`.
LEAD_S: Final = 10.0
BEAT_S: Final = 1.0
# What one that lost the lead gets to close pages, rooms and cells.
_ENDS_S: Final = 20.0
_SOON: Final = Backoff(first_s=0.3, most_s=1.0)


class Sight:
    """What somebody who waits saw of the leader, by the own clock; one of another machine says nothing."""

    def __init__(self, clock: Callable[[], float] = aging, lead_s: float = LEAD_S) -> None:
        self._clock, self._lead_s = clock, lead_s
        self._mark: tuple[int, int] | None = None
        self._at = 0.0

    def blind(self) -> None:
        """The database did not answer: the leader may not have reached it, either, and gets its time anew."""
        self._mark = None

    def saw(self, led: Led) -> bool:
        """Whether nobody leads any more."""
        now = self._clock()
        if (led.term, led.beat) != self._mark:
            self._mark, self._at = (led.term, led.beat), now
        return not led.holder or now - self._at >= self._lead_s


class Leader:
    """The lead that this process has under `term`. `lost` is called once, when another one leads; `die` where nothing ended by then."""

    def __init__(
        self,
        lead: Lead,
        term: int,
        die: Callable[[], object],
        *,
        clock: Callable[[], float] = aging,
        lead_s: float = LEAD_S,
        beat_s: float = BEAT_S,
    ) -> None:
        self._lead, self.term, self._die = lead, term, die
        self._clock, self._lasts_s, self._beat_s = clock, lead_s * (1 - DRIFT), beat_s
        self._until, self._over = clock() + self._lasts_s, float("inf")
        self.lost: Callable[[], object] = lambda: None
        self.problem = ""

    @property
    def leads(self) -> bool:
        """Whether nobody else can lead at this moment. Where the database is away longer than that, nobody knows."""
        return self._clock() < self._until

    @property
    def is_lost(self) -> bool:
        return self._over != float("inf")

    def start(self, guard: Guard) -> None:
        guard.thread("lead", self.beat, every_s=self._beat_s, backoff=_SOON)

    def beat(self) -> None:
        """Once. Where the database does not hear it, that is logged once, and `problem` says it until it does."""
        asked = self._clock()
        if self.is_lost:
            if asked >= self._over + _ENDS_S:
                self._die()
            return
        try:
            self._lead.beat(self.term)
        except StoreFencedError as error:
            self.problem, self._over, self._until = str(error), asked, asked
            _log.error("lead_lost", term=self.term)
            self.lost()
        except StoreError as error:
            if not self.problem:
                _log.warning("lead_not_heard", problem=str(error))
            self.problem = str(error)
        else:
            self.problem, self._until = "", asked + self._lasts_s

    def release(self) -> None:
        """It ends in order."""
        if self.is_lost:
            return
        try:
            self._lead.release(self.term)
        except StoreError as error:
            _log.warning("lead_not_released", problem=str(error))
