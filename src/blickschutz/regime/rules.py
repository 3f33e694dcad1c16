"""Which regime is in force at a moment."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from blickschutz.regime.model import CurrentRegime, RegimeHours, RegimeName


def current_regime(now: datetime, hours: RegimeHours) -> CurrentRegime:
    """The regime at `now` (with a zone). A start that the clock skips in spring takes effect when it resumes."""
    if now.tzinfo is None:
        raise ValueError("the moment must have a time zone")
    starts = []
    for offset in (-1, 0, 1, 2):
        day = (now + timedelta(days=offset)).date()
        starts.append((_at(day, hours.day, now), RegimeName.DAY))
        starts.append((_at(day, hours.night, now), RegimeName.NIGHT))
    starts.sort(key=lambda start: start[0].timestamp())
    name = next(which for moment, which in reversed(starts) if moment.timestamp() <= now.timestamp())
    until = next(moment for moment, which in starts if moment.timestamp() > now.timestamp() and which is not name)
    return CurrentRegime(name, until)


def _at(day: date, clock: time, now: datetime) -> datetime:
    return datetime.combine(day, clock, tzinfo=now.tzinfo)
