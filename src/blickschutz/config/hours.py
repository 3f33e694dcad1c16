"""Day and night as a site file says them, for the program and for what is printed."""

from __future__ import annotations

from datetime import UTC, time
from functools import lru_cache

from blickschutz.config.model import SiteFile, Weekday
from blickschutz.kernel.periods import IsHoliday
from blickschutz.regime.io.calendar import PlaceCalendar
from blickschutz.regime.model import Policy, RegimeHours, RegimeName, Service

_WEEKDAYS = tuple(Weekday)


@lru_cache(maxsize=16)
def holidays_of(state: str) -> IsHoliday:
    """Public holidays of a state, as the site file names it; empty for none that are known."""
    return PlaceCalendar(state, None, UTC).holiday


def service(site: SiteFile) -> Service:
    """Hours of service, and what follows in each regime."""
    regimes = site.regimes
    hours = RegimeHours(
        time.fromisoformat(regimes.day.starts),
        time.fromisoformat(regimes.night.starts),
        frozenset(_WEEKDAYS.index(day) for day in regimes.weekdays),
        regimes.by_sun,
    )
    pairs = ((RegimeName.DAY, regimes.day), (RegimeName.NIGHT, regimes.night))
    return Service(hours, {name: Policy(one.on_situation, one.mode, one.kinds) for name, one in pairs})
