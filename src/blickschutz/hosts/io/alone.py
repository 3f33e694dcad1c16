"""What a host orders by itself while nobody can be asked: situations are recorded as the regime says, by the last standing order."""

from __future__ import annotations

import itertools
from collections import deque
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import structlog

from blickschutz.kernel.clock import Clock
from blickschutz.pipeline.messages import SetStanding, SituationTold
from blickschutz.recording.model import ClipMode, Order
from blickschutz.regime.io.calendar import PlaceCalendar
from blickschutz.regime.model import Action, Policy
from blickschutz.regime.rules import at_moment
from blickschutz.situations.kinds import Situation

_log = structlog.get_logger(__name__)
_RECORDED: Final = frozenset({Action.RECORD, Action.BOTH})


class Alone:
    """Of one camera; in the event loop. The control room's orders have numbers above nought, a host's own below."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.standing: SetStanding | None = None
        self._numbers = itertools.count(-1, -1)
        self._run = ""
        # Situations that go on; of those the ones that somebody ordered for, and those that this host did.
        self._open: dict[int, Situation] = {}
        self._known: set[int] = set()
        self._own: set[int] = set()
        self._orders: deque[Order] = deque()

    def seen(self, run: str, told: SituationTold, *, apart: bool) -> SituationTold:
        """What a cell told, as it is to be told further: what is recorded here is not ordered again, and what nobody could be told in time
        is not recorded minutes or hours later, when something else is in the picture; somebody is told of it.
        """
        if run != self._run:
            self._run = run
            for known in (self._open, self._known, self._own):
                known.clear()
        situation = told.situation
        if situation.ended_at is not None:
            self._open.pop(situation.number, None)
            return told
        self._open[situation.number] = situation
        if apart:
            self._order(situation)
        return msgspec.structs.replace(told, over=True) if apart or situation.number in self._own else told

    def cut(self) -> None:
        """Nobody hears this host any more: what goes on, and was told to nobody who ordered for it, is ordered here."""
        for situation in self._open.values():
            if situation.number not in self._known:
                self._order(situation)

    def ordered(self, order: Order) -> bool:
        """Whether an order of the control room is to be given: not for what is recorded here already, and is over."""
        if order.situation:
            self._known.add(order.situation)
        return order.situation not in self._own or order.situation in self._open

    def take(self) -> list[Order]:
        """What is to be recorded, once."""
        found = list(self._orders)
        self._orders.clear()
        return found

    def _order(self, situation: Situation) -> None:
        standing = self.standing
        if standing is None or standing.sealing is None or situation.number in self._own:
            return
        policy = self._policy(standing)
        if policy.action(situation.kind) not in _RECORDED:
            return
        self._own.add(situation.number)
        order = Order(
            number=next(self._numbers),
            mode=ClipMode(policy.mode.value),
            cause=situation.kind.value,
            sealing=standing.sealing,
            situation=situation.number,
            keep=standing.keep,
        )
        self._orders.append(order)
        _log.info("ordered_while_cut_off", situation=situation.number, kind=situation.kind.value)

    def _policy(self, standing: SetStanding) -> Policy:
        zone = ZoneInfo(standing.timezone)
        calendar = PlaceCalendar(standing.holidays, standing.place, zone)
        now = datetime.fromtimestamp(self._clock.now(), zone)
        return at_moment(now, standing.service, calendar, standing.override).policy
