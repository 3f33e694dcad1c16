"""The two regimes, when they are in force, and what follows from a situation in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Protocol

from blickschutz.situations.kinds import Kind


class RegimeName(StrEnum):
    DAY = "day"
    NIGHT = "night"


class Action(StrEnum):
    """What follows from a situation."""

    NOTIFY = "notify"
    RECORD = "record"
    BOTH = "both"
    COUNT = "count"


class Mode(StrEnum):
    """`anonymous`: nothing unredacted leaves a cell. `sealed`: clips that two people open together."""

    ANONYMOUS = "anonymous"
    SEALED = "sealed"


class Reason(StrEnum):
    """Why a regime is in force."""

    HOURS = "hours"
    CLOSED_DAY = "closed-day"
    HOLIDAY = "holiday"
    SUN = "sun"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class RegimeHours:
    """Local times of day at which day and night start; they differ. `weekdays` (0 is Monday) are the days of service.

    On other days, and on public holidays, nobody is on duty and night lasts all day. With `by_sun` the day
    of service lasts from sunrise to sunset instead.
    """

    day: time
    night: time
    weekdays: frozenset[int] = frozenset(range(7))
    by_sun: bool = False


@dataclass(frozen=True, slots=True)
class Override:
    """A person set a regime by hand until a moment, and said why."""

    name: RegimeName
    until: datetime
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class OverrideEntry:
    """One line of the log of overrides: `set` (with regime, end and reason) or `end`. Times are POSIX seconds."""

    at: float
    event: str
    by: str
    regime: str = ""
    until: float = 0.0
    reason: str = ""
    epoch: str = ""
    """Of the stamp by which the end is counted; empty where an earlier release wrote the entry."""
    ends: float = 0.0
    """The end, in seconds of that epoch's boot clock."""


@dataclass(frozen=True, slots=True)
class CurrentRegime:
    """The regime in force, the moment (with zone) at which it ends, and why. `holiday` is the public holiday's name."""

    name: RegimeName
    until: datetime
    reason: Reason = Reason.HOURS
    holiday: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """What follows from a situation in one regime: by kind where one is named, else `usual`."""

    usual: Action
    mode: Mode
    kinds: Mapping[Kind, Action] = field(default_factory=dict)

    def action(self, kind: Kind) -> Action:
        return self.kinds.get(kind, self.usual)


@dataclass(frozen=True, slots=True)
class Service:
    """All that a site file says of day and night: the hours of service, and what follows in each regime."""

    hours: RegimeHours
    policies: Mapping[RegimeName, Policy]


@dataclass(frozen=True, slots=True)
class Moment:
    """What happens at one moment. Whoever orders a recording by hand then gets one of `policy.mode`, in either regime."""

    regime: CurrentRegime
    policy: Policy


class Sun(StrEnum):
    """A turn that the sun makes instead of the clock."""

    RISE = "sunrise"
    SET = "sunset"


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of the regime day, by the day on which it begins; `over_midnight`: it ends on the day after (00:00 then is midnight)."""

    start: time | Sun
    end: time | Sun
    over_midnight: bool


@dataclass(frozen=True, slots=True)
class Week:
    """The stretch of the regime day that begins on each weekday (Monday first), None where night lasts; `holiday`: on a public holiday.

    `holidays`: whether public holidays are looked at.
    """

    days: tuple[Span | None, ...]
    holiday: Span | None
    holidays: bool


MOST_OVERRIDE_HOURS = 72
"""For how long a person may set a regime by hand."""


class Calendar(Protocol):
    """Public holidays and the sun of one place."""

    def holiday(self, day: date) -> str:
        """The name of the public holiday on `day`; empty on any other day."""
        ...

    def sun(self, day: date) -> tuple[datetime, datetime] | None:
        """Sunrise and sunset of `day`, with zone; None where the place is not known or the sun does not do both."""
        ...
