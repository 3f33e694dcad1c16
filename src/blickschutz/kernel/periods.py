"""Legal periods in calendar months, and the two months of § 21(5) LDSG RLP as moments and as seconds.

A period of months that begins with an event ends with the expiry of the day of the same number, or of the month's last day
(§ 31(1) VwVfG with §§ 187(1), 188(2) and (3) BGB; for periods of Union law Regulation (EEC, Euratom) No 1182/71, Art. 3(2)(c)).
A period at whose end something must be gone is no period for an act: an end on a Sunday or holiday does not move it on
(§ 31(3) VwVfG and Art. 3(4) speak for whoever has to act), so it is never longer than reckoned here. A period for an act does move.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache

_YEAR_MONTHS = 12
STORAGE_MONTHS = 2
"""§ 21(5) LDSG RLP: footage, and documents made from it (the wording is to be verified)."""
STORAGE_LEAST_HOURS = 1415
"""The shortest two calendar months there are, from the last moment of 31 January to the end of 31 March, when the clocks go forward."""
BEFORE_S = 60.0
"""The pre-roll that a clip may have at most: what it shows was captured that much before it was opened."""
DONE_S = 3600.0
"""Destruction begins so long before the end, because it takes its time and is tried again where it fails."""


def add_months(day: date, months: int) -> date:
    """The last day of a period of months that an event on `day` begins: the same day, or the month's last."""
    index = day.month - 1 + months
    year, month = day.year + index // _YEAR_MONTHS, index % _YEAR_MONTHS + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


IsHoliday = Callable[[date], object]
"""Says of a day whether it is a public holiday at the place."""
_SATURDAY = 5


def no_holiday(day: date) -> bool:
    """Where nobody knows the holidays of a place."""
    del day
    return False


def moved_on(last: date, is_holiday: IsHoliday = no_holiday) -> date:
    """The day with which a period for an act ends: an end on a Saturday, Sunday or public holiday moves to the next working day
    (Regulation 1182/71, Art. 3(4); § 31(3) VwVfG, § 193 BGB)."""
    while last.weekday() >= _SATURDAY or is_holiday(last):
        last += timedelta(days=1)
    return last


def end_of_months(at: float, months: int, zone: tzinfo) -> float:
    """The moment (POSIX seconds) at which a period of months that began at `at` is over: midnight after its last day, at the place."""
    last = add_months(datetime.fromtimestamp(at, zone).date(), months)
    return datetime.combine(last + timedelta(days=1), time(), zone).timestamp()


def gone_by(opened: float, zone: tzinfo) -> float:
    """When the destruction of what was opened at `opened` must begin, so that nothing outlasts two calendar months from its capture."""
    return end_of_months(opened - BEFORE_S, STORAGE_MONTHS, zone) - DONE_S


@lru_cache(maxsize=16)
def shortest_s(months: int, zone: tzinfo) -> float:
    """The shortest such period in seconds, looked for among the days of four years: what is kept so long oversteps it on no day."""
    first, lengths = date(2026, 1, 1), []
    for offset in range(4 * 365 + 1):
        midnight = datetime.combine(first + timedelta(days=offset + 1), time(), zone).timestamp()
        lengths.append(end_of_months(midnight - 1, months, zone) - midnight)
    return min(lengths)
