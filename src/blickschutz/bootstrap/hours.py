"""The regime of a running site: service hours of the site file, the calendar, and what a person set by hand."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

import structlog

from blickschutz.config.model import SiteFile
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.situation import Situation
from blickschutz.regime.io.calendar import PlaceCalendar
from blickschutz.regime.model import Action, CurrentRegime, Override, Policy, RegimeHours, RegimeName
from blickschutz.regime.rules import current_regime

_log = structlog.get_logger(__name__)
_WEEKDAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")


class RegimeKeeper:
    """The regime in force at this moment, with what a person set by hand."""

    def __init__(self, site: SiteFile, clock: Clock) -> None:
        regimes, place = site.regimes, site.site
        self._clock, self._zone = clock, ZoneInfo(place.timezone)
        self._hours = RegimeHours(
            time.fromisoformat(regimes.day.starts),
            time.fromisoformat(regimes.night.starts),
            frozenset(_WEEKDAYS.index(day.value) for day in regimes.weekdays),
            regimes.by_sun,
        )
        known = (place.latitude, place.longitude) if place.latitude is not None and place.longitude is not None else None
        self._calendar = PlaceCalendar(regimes.holidays, known, self._zone)
        self._policies = {
            name: Policy(regime.on_situation, regime.mode, regime.kinds)
            for name, regime in ((RegimeName.DAY, regimes.day), (RegimeName.NIGHT, regimes.night))
        }
        self.override: Override | None = None

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), self._zone)

    def current(self) -> CurrentRegime:
        if self.override is not None and self.now().timestamp() >= self.override.until.timestamp():
            _log.warning("regime_override_ended", regime=self.override.name.value)
            self.override = None
        return current_regime(self.now(), self._hours, self._calendar, self.override)

    def set_override(self, name: RegimeName, until: datetime, reason: str, by: str) -> None:
        """Set the regime by hand until `until`."""
        self.override = Override(name, until, reason, by)
        _log.warning("regime_override", regime=name.value, until=until.isoformat(), reason=reason, by=by)

    def end_override(self, by: str) -> None:
        self.override = None
        _log.warning("regime_override_ended", by=by)

    def action(self, situation: Situation) -> Action:
        return self._policies[self.current().name].action(situation.kind)
