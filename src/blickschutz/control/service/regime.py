"""The regime of a running site: service hours of the site file, the calendar, and what a person set by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from blickschutz.audit.io.log import AuditLog, Facts
from blickschutz.audit.model import Entry, Event
from blickschutz.config.hours import service
from blickschutz.config.model import SiteFile
from blickschutz.kernel.clock import Clock
from blickschutz.pipeline.messages import SetStanding
from blickschutz.recording.model import Keep, Sealing
from blickschutz.regime.io.calendar import PlaceCalendar
from blickschutz.regime.model import Action, CurrentRegime, Mode, Moment, Override, OverrideEntry, RegimeName
from blickschutz.regime.rules import at_moment
from blickschutz.retention.model import Stamp
from blickschutz.situations.kinds import Situation

# Less is a correction of the wall clock, as time servers make them.
_CORRECTION_S = 5.0


class Count(Protocol):
    """Seconds that no clock moves: retention time."""

    def now(self) -> float: ...

    def stamp(self) -> Stamp: ...

    def at(self, stamp: Stamp) -> float | None:
        """When a stamp was, by this count; None where it is of another one."""
        ...


class RegimeKeeper:
    """The regime in force at this moment, with what a person set by hand.

    Whoever sets five hours gets five hours, whatever becomes of the wall clock meanwhile: they are counted from a stamp. Without a
    count, and for a stamp that the count does not know (its file was lost, damaged or another one), the wall clock counts.
    """

    def __init__(self, site: SiteFile, clock: Clock, log: AuditLog, count: Count | None = None) -> None:
        regimes, place = site.regimes, site.site
        self._clock, self._zone = clock, ZoneInfo(place.timezone)
        self._service, self._holidays = service(site), regimes.holidays
        self._place = known = (place.latitude, place.longitude) if place.latitude is not None and place.longitude is not None else None
        self._calendar = PlaceCalendar(regimes.holidays, known, self._zone)
        self._log, self._count = log, count
        self._set = self._last_set()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), self._zone)

    def current(self) -> CurrentRegime:
        return self._moment().regime

    def _moment(self) -> Moment:
        return at_moment(self.now(), self._service, self._calendar, self.override)

    @property
    def override(self) -> Override | None:
        """What is set by hand and not over. Asked anew each time: a clock that was wrong and is put right ends nothing for good."""
        if (last := self._set) is None or (left := self._left(last)) <= 0:
            return None
        # Its end as the wall clock has it now; it moves only where that clock was put right.
        ends = self._clock.now() + left
        until = ends if abs(ends - last.until) > _CORRECTION_S else last.until
        return Override(RegimeName(last.regime), datetime.fromtimestamp(until, self._zone), last.reason, last.by)

    def set_override(self, name: RegimeName, until: datetime, reason: str, by: str) -> None:
        """Set the regime by hand until `until`. The entry in the log is the decision itself; it holds over a restart."""
        stamp = self._count.stamp() if self._count is not None else None
        left = until.timestamp() - self._clock.now()
        counted: Facts = {} if stamp is None else {"epoch": stamp.epoch, "ends": round(stamp.at + left, 3)}
        self._log.write(Event.REGIME_SET, by, name.value, {"until": until.isoformat(), **counted, "reason": reason})
        self._set = self._last_set()

    def end_override(self, by: str) -> None:
        """Back to the plan; in the log."""
        if self.override is not None:
            self._log.write(Event.REGIME_RELEASED, by)
        self._set = None

    def entries(self, most: int) -> list[OverrideEntry]:
        """What was set by hand, the newest first."""
        found = [entry for event in (Event.REGIME_SET, Event.REGIME_RELEASED) for entry, _ in self._log.find(event=event, most=most)]
        return [_override_entry(entry) for entry in sorted(found, key=lambda entry: -entry.number)[:most]]

    def _last_set(self) -> OverrideEntry | None:
        newest = self.entries(1)
        return newest[0] if newest and newest[0].event == "set" else None

    def _left(self, last: OverrideEntry) -> float:
        """Seconds until it ends."""
        ends = self._count.at(Stamp(last.epoch, last.ends)) if self._count is not None and last.epoch else None
        return last.until - self._clock.now() if ends is None or self._count is None else ends - self._count.now()

    def standing(self, sealing: Sealing | None, keep: Keep) -> SetStanding:
        """The same for whoever cannot ask."""
        return SetStanding(
            service=self._service,
            timezone=self._zone.key,
            holidays=self._holidays,
            place=self._place,
            override=self.override,
            sealing=sealing,
            keep=keep,
        )

    def action(self, situation: Situation) -> Action:
        return self._moment().policy.action(situation.kind)

    def mode(self) -> Mode:
        """How is recorded now."""
        return self._moment().policy.mode


def _override_entry(entry: Entry) -> OverrideEntry:
    if entry.event is Event.REGIME_RELEASED:
        return OverrideEntry(entry.at, "end", entry.by)
    until = datetime.fromisoformat(str(entry.facts["until"])).timestamp()
    epoch, ends = entry.facts.get("epoch"), entry.facts.get("ends")
    stamped = (epoch, ends) if isinstance(epoch, str) and isinstance(ends, float) else ("", 0.0)
    return OverrideEntry(entry.at, "set", entry.by, entry.subject, until, str(entry.facts.get("reason", "")), *stamped)
