"""The regime of a running site: service hours of the site file, the calendar, and what a person set by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Entry, Event
from blickschutz.config.hours import service
from blickschutz.config.model import SiteFile
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.situation import Situation
from blickschutz.regime.io.calendar import PlaceCalendar
from blickschutz.regime.model import Action, CurrentRegime, Mode, Moment, Override, OverrideEntry, RegimeName
from blickschutz.regime.rules import at_moment

# Less is a correction of the wall clock, as time servers make them.
_CORRECTION_S = 5.0


class RegimeKeeper:
    """The regime in force at this moment, with what a person set by hand.

    `count` gives counted seconds that no clock moves (retention time): whoever sets five hours gets five hours, whatever becomes of
    the wall clock meanwhile. Without one the wall clock counts.
    """

    def __init__(self, site: SiteFile, clock: Clock, log: AuditLog, count: Callable[[], float] | None = None) -> None:
        regimes, place = site.regimes, site.site
        self._clock, self._zone = clock, ZoneInfo(place.timezone)
        self._service = service(site)
        known = (place.latitude, place.longitude) if place.latitude is not None and place.longitude is not None else None
        self._calendar = PlaceCalendar(regimes.holidays, known, self._zone)
        self._log, self._count = log, count or clock.now
        self._ends: float | None = None
        self.override = self._last_override()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), self._zone)

    def current(self) -> CurrentRegime:
        return self._moment().regime

    def _moment(self) -> Moment:
        if self.override is not None:
            left = self._left(self.override)
            self.override = self._dated(self.override, left) if left > 0 else None
        return at_moment(self.now(), self._service, self._calendar, self.override)

    def set_override(self, name: RegimeName, until: datetime, reason: str, by: str) -> None:
        """Set the regime by hand until `until`. The entry in the log is the decision itself; it holds over a restart."""
        ends = self._count() + until.timestamp() - self.now().timestamp()
        self._log.write(Event.REGIME_SET, by, name.value, {"until": until.isoformat(), "counted": round(ends, 3), "reason": reason})
        self._ends, self.override = ends, Override(name, until, reason, by)

    def end_override(self, by: str) -> None:
        """Back to the plan; in the log."""
        if self.override is not None:
            self._log.write(Event.REGIME_RELEASED, by)
        self.override = None

    def entries(self, most: int) -> list[OverrideEntry]:
        """What was set by hand, the newest first."""
        found = [entry for event in (Event.REGIME_SET, Event.REGIME_RELEASED) for entry, _ in self._log.find(event=event, most=most)]
        return [_override_entry(entry) for entry in sorted(found, key=lambda entry: -entry.number)[:most]]

    def _last_override(self) -> Override | None:
        newest = self.entries(1)
        if not newest or newest[0].event != "set":
            return None
        last = newest[0]
        self._ends = last.counted
        found = Override(RegimeName(last.regime), datetime.fromtimestamp(last.until, self._zone), last.reason, last.by)
        left = self._left(found)
        return self._dated(found, left) if left > 0 else None

    def _left(self, override: Override) -> float:
        """Seconds until it ends. Entries of earlier releases say it by the wall clock only."""
        return override.until.timestamp() - self._clock.now() if self._ends is None else self._ends - self._count()

    def _dated(self, override: Override, left: float) -> Override:
        """With the end as the wall clock has it now; it moves only where that clock was put right."""
        until = self._clock.now() + left
        moved = abs(until - override.until.timestamp()) > _CORRECTION_S
        return replace(override, until=datetime.fromtimestamp(until, self._zone)) if moved else override

    def action(self, situation: Situation) -> Action:
        return self._moment().policy.action(situation.kind)

    def mode(self) -> Mode:
        """How is recorded now."""
        return self._moment().policy.mode


def _override_entry(entry: Entry) -> OverrideEntry:
    if entry.event is Event.REGIME_RELEASED:
        return OverrideEntry(entry.at, "end", entry.by)
    until = datetime.fromisoformat(str(entry.facts["until"])).timestamp()
    counted = entry.facts.get("counted")
    reason = str(entry.facts.get("reason", ""))
    return OverrideEntry(entry.at, "set", entry.by, entry.subject, until, reason, counted if isinstance(counted, float) else None)
