"""Times of a cell's run, turned into times of the control room; the round trips by which another machine's clock is measured."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Final

import msgspec
import structlog

from blickschutz.guard.model import WorkState
from blickschutz.kernel.errors import ProtocolError
from blickschutz.pipeline.messages import (
    AskClock,
    ClipTold,
    ClockTold,
    EpisodeTold,
    FoundTold,
    Fragment,
    FromCell,
    Health,
    News,
    SituationTold,
    TakeMoment,
)
from blickschutz.wire.greeting import Greeting, is_one_clock
from blickschutz.wire.times import MeasuredClock, OneClock, RoundTrip

_log = structlog.get_logger(__name__)
# So often it is asked while nothing is known, and then; the first few times at once, since each round trip can only narrow what is known.
# In five seconds two clocks drift by 6 ms at most, a hundredth of what a picture may be off.
EVERY_S: Final = 1.0
THEN_S: Final = 5.0
AT_ONCE: Final = 4
# Questions that were not answered yet.
_MOST_OPEN = 16
_MOST_WORKS = 100


class CellTimes:
    """Of one clock: that of one run, or of all runs on one host. Without greetings that of a process of our own machine, where times stay
    as they are, to the last digit.

    `now` is the control room's monotonic time.
    """

    def __init__(self, ours: Greeting | None = None, theirs: Greeting | None = None) -> None:
        one = ours is None or theirs is None or is_one_clock(ours, theirs)
        self._measured = None if one else MeasuredClock()
        self._times = self._measured or OneClock()
        self._numbers = itertools.count(1)
        self._open: dict[int, float] = {}
        self._asked = 0
        self._asked_at = float("-inf")
        # Theirs, POSIX minus monotonic, as they said it last.
        self._wall = 0.0
        # What was told of threads, and the same with our times.
        self._works: dict[tuple[WorkState, ...], tuple[WorkState, ...]] = {}

    @property
    def jumps(self) -> int:
        """How often the other clock was found to have jumped."""
        return self._measured.jumps if self._measured is not None else 0

    def question(self, now: float) -> AskClock | None:
        """What is to be asked now, if anything."""
        if self._measured is None:
            return None
        every_s = THEN_S if self._asked >= AT_ONCE and self.known(now) else EVERY_S
        if now < self._asked_at + every_s and (self._asked >= AT_ONCE or self._open):
            return None
        number = next(self._numbers)
        self._open[number], self._asked_at = now, now
        self._asked += 1
        if len(self._open) > _MOST_OPEN:
            del self._open[min(self._open)]
        return AskClock(number)

    def answered(self, told: ClockTold, now: float) -> None:
        """Take an answer in; what nobody asked for is not believed."""
        asked = self._open.pop(told.number, None)
        if asked is None or self._measured is None:
            return
        self._wall = told.wall - told.answered
        if not self._measured.add(RoundTrip(asked, told.received, told.answered, now)):
            self._works.clear()
            _log.warning("clock_of_cell_jumped", jumps=self._measured.jumps)

    def known(self, now: float) -> bool:
        """Whether a time of now can be told."""
        return self._times.theirs(now, now) is not None

    def in_ours(self, told: FromCell, now: float, wall: float) -> FromCell | None:
        """The message with our times (`wall`: POSIX); None for a picture of which nothing says how old it is: it is not shown.

        Raises `ProtocolError` for news whose time cannot be said: the link is opened anew, and they are told again.
        """
        if self._measured is None:
            return told
        if isinstance(told, Health):
            work = self._work_in_ours(told.work, now)
            at = self._earliest(told.picture_at, now) if told.picture_at is not None else None
            return msgspec.structs.replace(told, picture_at=at, work=work)
        if isinstance(told, Fragment):
            read = self._times.ours(told.at, now)
            return msgspec.structs.replace(told, at=read.at, taken=wall - (now - read.at)) if read is not None else None
        if isinstance(told, SituationTold):
            found = told.situation
            at = self._ours(found.at, now)
            ended = self._ours(found.ended_at, now) if found.ended_at is not None else None
            moved = dataclasses.replace(found, at=at, taken=wall - (now - at), ended_at=ended)
            return msgspec.structs.replace(told, situation=moved)
        if isinstance(told, FoundTold):
            at = self._ours(told.at, now)
            return msgspec.structs.replace(told, at=at, taken=wall - (now - at))
        if isinstance(told, EpisodeTold):
            at = self._ours(told.taken - self._wall, now)
            return msgspec.structs.replace(told, taken=wall - (now - at))
        if isinstance(told, ClipTold):
            read = self._times.theirs(now, now)
            return _dated(told, wall - (read.at + self._wall), wall) if read is not None else None
        return told

    def _work_in_ours(self, told: tuple[WorkState, ...], now: float) -> tuple[WorkState, ...]:
        """Threads of cells say the same for days, each second: since when they run is turned into our time once."""
        if (before := self._works.get(told)) is not None:
            return before
        work = tuple(dataclasses.replace(one, since=self._earliest(one.since, now)) for one in told)
        if self.known(now):
            if len(self._works) >= _MOST_WORKS:
                self._works.clear()
            self._works[told] = work
        return work

    @staticmethod
    def by_wall(told: News, now: float, wall: float) -> News:
        """News of a machine that was started anew since: their clock is gone. Dated by what its wall clock said, which is all there is;
        never later than now. A situation of then is over.
        """
        if isinstance(told, SituationTold):
            found = told.situation
            age = max(0.0, wall - found.taken)
            ended = now - age + max(0.0, found.ended_at - found.at) if found.ended_at is not None else None
            moved = dataclasses.replace(found, at=now - age, taken=wall - age, ended_at=ended)
            return msgspec.structs.replace(told, situation=moved, over=True)
        if isinstance(told, FoundTold):
            age = max(0.0, wall - told.taken)
            return msgspec.structs.replace(told, at=now - age, taken=wall - age, over=True)
        if isinstance(told, EpisodeTold):
            return msgspec.structs.replace(told, taken=min(told.taken, wall))
        return _dated(told, 0.0, wall)

    def in_theirs(self, question: TakeMoment, now: float) -> TakeMoment | None:
        """A question for seconds of our time, in theirs; None where they cannot be said."""
        first, last = self._times.theirs(question.since, now), self._times.theirs(question.until, now)
        return TakeMoment(question.number, first.at, last.at) if first is not None and last is not None else None

    def _earliest(self, at: float, now: float) -> float:
        """Before all time where nothing can be said: a picture without an age is stale."""
        read = self._times.ours(at, now)
        return read.at - read.error if read is not None else float("-inf")

    def _ours(self, theirs: float, now: float) -> float:
        """When something happened. A host that was cut off for hours tells it all the same: one that were refused would never arrive."""
        read = self._times.happened(theirs, now)
        if read is None:
            raise ProtocolError("nothing is known of the cell's clock")
        return read.at


def _dated(told: ClipTold, ahead: float, wall: float) -> ClipTold:
    """Its dates, moved by how far our wall clock is ahead of theirs; nothing that happened is later than now."""
    news = told.news
    opened = min(news.opened + ahead, wall)
    closed = min(news.closed + ahead, wall) if news.closed else 0.0
    return msgspec.structs.replace(
        told, news=msgspec.structs.replace(news, opened=opened, closed=closed, ends=news.ends + ahead if news.ends else 0.0)
    )
