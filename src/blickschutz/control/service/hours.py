"""The regime of a running site: service hours of the site file, the calendar, and what a person set by hand."""

from __future__ import annotations

import contextlib
import os
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from blickschutz.config.model import SiteFile
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.situation import Situation
from blickschutz.regime.io.calendar import PlaceCalendar
from blickschutz.regime.model import Action, CurrentRegime, Mode, Override, OverrideEntry, Policy, RegimeHours, RegimeName
from blickschutz.regime.rules import current_regime

_WEEKDAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")


class RegimeKeeper:
    """The regime in force at this moment, with what a person set by hand."""

    def __init__(self, site: SiteFile, clock: Clock, log: Path) -> None:
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
        self._log = log
        self.override = self._last_override()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), self._zone)

    def current(self) -> CurrentRegime:
        if self.override is not None and self.now().timestamp() >= self.override.until.timestamp():
            self.override = None
        return current_regime(self.now(), self._hours, self._calendar, self.override)

    def set_override(self, name: RegimeName, until: datetime, reason: str, by: str) -> None:
        """Set the regime by hand until `until`; it is logged and holds over a restart."""
        self.override = Override(name, until, reason, by)
        self._append(OverrideEntry(self._clock.now(), "set", by, name.value, until.timestamp(), reason))

    def end_override(self, by: str) -> None:
        """Back to the plan; logged."""
        if self.override is not None:
            self._append(OverrideEntry(self._clock.now(), "end", by))
        self.override = None

    def entries(self) -> list[OverrideEntry]:
        """What was set by hand, the oldest first. A line that cannot be read (power failed while it was written) is left out."""
        if not self._log.exists():
            return []
        found = []
        for line in self._log.read_bytes().splitlines():
            with contextlib.suppress(msgspec.DecodeError):
                found.append(msgspec.json.decode(line, type=OverrideEntry))
        return found

    def _append(self, entry: OverrideEntry) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as file:
            file.write(b"\n" + msgspec.json.encode(entry))
            file.flush()
            os.fsync(file.fileno())

    def _last_override(self) -> Override | None:
        entries = self.entries()
        if not entries or entries[-1].event != "set":
            return None
        last = entries[-1]
        until = datetime.fromtimestamp(last.until, self._zone)
        return Override(RegimeName(last.regime), until, last.reason, last.by) if last.until > self._clock.now() else None

    def action(self, situation: Situation) -> Action:
        return self._policies[self.current().name].action(situation.kind)

    def mode(self) -> Mode:
        """How is recorded now."""
        return self._policies[self.current().name].mode
