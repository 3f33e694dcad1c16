"""Which regime is in force at a moment. Safe across both clock changes: moments are compared in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from blickschutz.regime.model import (
    Calendar,
    CurrentRegime,
    Moment,
    Override,
    Reason,
    RegimeHours,
    RegimeName,
    Service,
    Span,
    Sun,
    Week,
)

_DAYS_AHEAD = 15
_MINUTE = timedelta(minutes=1)
_WEEK = 7
# A week that has no change of clocks; the seconds are the sun's alone, because a site file has none.
_MODEL_MONDAY = date(2026, 6, 1)
_RISE, _SET = time(5, 7, 13), time(19, 53, 41)
_EDGES: dict[time, Sun] = {_RISE: Sun.RISE, _SET: Sun.SET}


class NoCalendar:
    """A calendar without holidays and without the sun."""

    def holiday(self, day: date) -> str:
        del day
        return ""

    def sun(self, day: date) -> tuple[datetime, datetime] | None:
        del day
        return None


def at_moment(now: datetime, service: Service, calendar: Calendar | None = None, override: Override | None = None) -> Moment:
    """What happens at `now` (with a zone): the one answer for what is done and for what is printed about it."""
    regime = current_regime(now, service.hours, calendar, override)
    return Moment(regime, service.policies[regime.name])


class _ModelCalendar:
    """One public holiday or none, and a sun that rises and sets every day at the same time."""

    def __init__(self, holiday: date | None) -> None:
        self._holiday = holiday

    def holiday(self, day: date) -> str:
        return "holiday" if day == self._holiday else ""

    def sun(self, day: date) -> tuple[datetime, datetime] | None:
        return datetime.combine(day, _RISE, UTC), datetime.combine(day, _SET, UTC)


@lru_cache(maxsize=16)
def week(hours: RegimeHours, *, holidays: bool) -> Week:
    """The table of a week and of a public holiday, found by asking `current_regime` through a model week from turn to turn."""
    days = [_MODEL_MONDAY + timedelta(days=offset) for offset in range(_WEEK)]
    open_day = next((day for day in days if day.weekday() in hours.weekdays), days[0])
    return Week(
        tuple(_begun(day, hours, _ModelCalendar(None)) for day in days),
        _begun(open_day, hours, _ModelCalendar(open_day)) if holidays else None,
        holidays,
    )


def _begun(day: date, hours: RegimeHours, calendar: Calendar) -> Span | None:
    """The stretch of the regime day that begins on `day`."""
    at = datetime.combine(day, time(), UTC)
    midnight, before = at + timedelta(days=1), current_regime(at - timedelta(seconds=1), hours, calendar).name
    while at < midnight:
        now = current_regime(at, hours, calendar)
        if now.name is RegimeName.DAY and before is RegimeName.NIGHT:
            return Span(_edge(at), _edge(now.until), now.until.date() > day)
        at, before = now.until, now.name
    return None


def _edge(at: datetime) -> time | Sun:
    return _EDGES.get(at.time(), at.time())


def current_regime(now: datetime, hours: RegimeHours, calendar: Calendar | None = None, override: Override | None = None) -> CurrentRegime:
    """The regime at `now` (with a zone). A start that the clock skips in spring takes effect when it resumes."""
    if now.tzinfo is None:
        raise ValueError("the moment must have a time zone")
    known = calendar or NoCalendar()
    if override is not None and now.timestamp() < override.until.timestamp():
        return CurrentRegime(override.name, override.until, Reason.OVERRIDE)
    spans = list(_days_of_service(now, hours, known))
    holiday = known.holiday(now.date())
    for start, end in spans:
        if start.timestamp() <= now.timestamp() < end.timestamp():
            return CurrentRegime(RegimeName.DAY, end, Reason.SUN if hours.by_sun else Reason.HOURS)
    after = [start for start, _ in spans if start.timestamp() > now.timestamp()]
    # Nobody is on duty for two weeks: the end is not known, and the page says when it looks again.
    until = after[0] if after else now + timedelta(days=_DAYS_AHEAD)
    closed = now.weekday() not in hours.weekdays
    reason = Reason.HOLIDAY if holiday else Reason.CLOSED_DAY if closed else Reason.SUN if hours.by_sun else Reason.HOURS
    return CurrentRegime(RegimeName.NIGHT, until, reason, holiday)


def _days_of_service(now: datetime, hours: RegimeHours, calendar: Calendar) -> Iterator[tuple[datetime, datetime]]:
    """Spans of the regime day around `now`, in order; spans that meet are one."""
    last: tuple[datetime, datetime] | None = None
    for offset in range(-2, _DAYS_AHEAD):
        day = (now + timedelta(days=offset)).date()
        if day.weekday() not in hours.weekdays or calendar.holiday(day):
            continue
        span = _span(day, hours, calendar, now)
        if last is not None and span[0].timestamp() <= last[1].timestamp():
            last = last[0], span[1]
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last


def _span(day: date, hours: RegimeHours, calendar: Calendar, now: datetime) -> tuple[datetime, datetime]:
    sun = calendar.sun(day) if hours.by_sun else None
    if sun is not None:
        return sun
    start = _at(day, hours.day, now)
    # A day that starts later than the night does lasts over midnight.
    end = _at(day if hours.night > hours.day else day + timedelta(days=1), hours.night, now)
    return start, end


def _at(day: date, clock: time, now: datetime) -> datetime:
    """When the clock shows that time on `day`: the first time in autumn; where spring skips it, when the clock resumes."""
    at = datetime.combine(day, clock, tzinfo=now.tzinfo)
    while at.astimezone(UTC).astimezone(now.tzinfo).replace(tzinfo=None) != at.replace(tzinfo=None):
        at += _MINUTE
    return at
