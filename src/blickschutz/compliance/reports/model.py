"""What a report is about, and how counts are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from blickschutz.audit.model import Entry, Event
from blickschutz.compliance.reports.suppression import Count
from blickschutz.situations.kinds import Kind

EVENTS = (
    Event.SYSTEM_STARTED,
    Event.CAMERA_STOPPED,
    Event.RECORDING_REFUSED,
    Event.CASE_OPENED,
    Event.CASE_DECIDED,
    Event.CASE_FREED,
    Event.HOLD_SET,
    Event.SHRED_ORDERED,
    Event.SHREDDED,
    Event.UNMASK_ASKED,
    Event.UNMASK_GRANTED,
    Event.UNMASK_REFUSED,
    Event.RELEASED,
    Event.RELEASE_REFUSED,
    Event.REQUEST_RECORDED,
    Event.REQUEST_ANSWERED,
    Event.REQUEST_EXTENDED,
    Event.DUTY_OPENED,
    Event.DUTY_SETTLED,
    Event.OUTAGE_ENDED,
    Event.DISK_FULL,
    Event.MISSING_FILE,
    Event.LOG_BROKEN,
    Event.BUDGET_EXCEEDED,
    Event.THRESHOLD_ACCEPTED,
    Event.THRESHOLD_UNDONE,
)
"""What a report counts. Others come by the thousand and say nothing to a committee."""


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """One alert of the period: kind, local hour, and whether somebody called it false; None where nobody has said yet."""

    kind: Kind
    hour: int
    false: bool | None


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened from `first` to `last`, both days included. `log` holds the period's entries of each event.

    `known_from`: what happened before that day is deleted at its limit, so counts of it are least ones; None where nothing is missing.
    `counting` are the cameras in their trial period now, `unavailable` (camera, kind) what a camera cannot tell within its budget.
    """

    first: date
    last: date
    alerts: Sequence[RaisedAlert] = ()
    log: Mapping[Event, Sequence[Entry]] = field(default_factory=dict)
    counting: Sequence[str] = ()
    unavailable: Sequence[tuple[str, Kind]] = ()
    known_from: date | None = None

    def count(self, what: Event) -> Count:
        """Entries of that event in the period."""
        return Count(len(self.log.get(what, ())))


class NotPublic(StrEnum):
    """Why a report of a period is not printed for the public."""

    CLASH = "clash"
    UNFINISHED = "unfinished"
    ERASED = "erased"


def clash(first: date, last: date, published: Iterable[tuple[date, date]]) -> tuple[date, date] | None:
    """A period that was published already and shares days with this one without being the same; None without one.

    What is hidden in two reports stands in their difference: twelve until June and fourteen until July are two in July.
    """
    return next((one for one in published if one != (first, last) and one[0] <= last and first <= one[1]), None)
