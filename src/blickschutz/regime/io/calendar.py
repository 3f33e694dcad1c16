"""Public holidays of a German state, sunrise and sunset of a place."""

from __future__ import annotations

from datetime import date, datetime, tzinfo

import holidays
from astral import LocationInfo
from astral.sun import sun


class PlaceCalendar:
    """`state` is a German state ("RP") or empty; `place` is (latitude, longitude) in degrees or None."""

    def __init__(self, state: str, place: tuple[float, float] | None, zone: tzinfo) -> None:
        self._holidays = holidays.country_holidays("DE", subdiv=state, language="de") if state else None
        self._place = LocationInfo(latitude=place[0], longitude=place[1]) if place else None
        self._zone = zone

    def holiday(self, day: date) -> str:
        return str(self._holidays.get(day) or "") if self._holidays is not None else ""

    def sun(self, day: date) -> tuple[datetime, datetime] | None:
        if self._place is None:
            return None
        try:
            times = sun(self._place.observer, date=day, tzinfo=self._zone)
        except ValueError:
            return None  # beyond the polar circles the sun does not rise or set every day
        return times["sunrise"], times["sunset"]
