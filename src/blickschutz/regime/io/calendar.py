"""Public holidays of a German state, sunrise and sunset of a place."""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from functools import lru_cache

import holidays
from astral import LocationInfo
from astral.sun import sun

_DAYS_KEPT = 64


class PlaceCalendar:
    """`state` is a German state ("RP") or empty; `place` is (latitude, longitude) in degrees or None."""

    def __init__(self, state: str, place: tuple[float, float] | None, zone: tzinfo) -> None:
        self._holidays = holidays.country_holidays("DE", subdiv=state, language="de") if state else None
        self._place = LocationInfo(latitude=place[0], longitude=place[1]) if place else None
        self._zone = zone
        # A question for the regime looks at the same seventeen days again and again.
        self.sun = lru_cache(maxsize=_DAYS_KEPT)(self._sun)

    def holiday(self, day: date) -> str:
        return str(self._holidays.get(day) or "") if self._holidays is not None else ""

    def _sun(self, day: date) -> tuple[datetime, datetime] | None:
        if self._place is None:
            return None
        try:
            times = sun(self._place.observer, date=day, tzinfo=self._zone)
        except ValueError:
            return None  # beyond the polar circles the sun does not rise or set every day
        return times["sunrise"], times["sunset"]
