"""Which regime is in force at a moment. Safe across both clock changes: moments are compared in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from blickschutz.regime.model import Calendar, CurrentRegime, Override, Reason, RegimeHours, RegimeName

_DAYS_AHEAD = 15


class NoCalendar:
    """A calendar without holidays and without the sun."""

    def holiday(self, day: date) -> str:
        del day
        return ""

    def sun(self, day: date) -> tuple[datetime, datetime] | None:
        del day
        return None


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
    return datetime.combine(day, clock, tzinfo=now.tzinfo)
