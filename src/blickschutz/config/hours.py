"""Day and night as a site file says them, for the program and for what is printed."""

from __future__ import annotations

from datetime import time

from blickschutz.config.model import SiteFile, Weekday
from blickschutz.regime.model import Policy, RegimeHours, RegimeName, Service

_WEEKDAYS = tuple(Weekday)


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
