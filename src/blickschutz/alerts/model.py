"""An alert, what can happen to it, and what is told outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.situation import Kind


class AlertState(StrEnum):
    """Where an alert stands; the transitions are `rules.TRANSITIONS`."""

    RAISED = "raised"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    ACTING = "acting"
    CLOSED = "closed"


class AlertEvent(StrEnum):
    """What can happen to an alert."""

    SEEN = "seen"
    ESCALATE = "escalate"
    ACKNOWLEDGE = "acknowledge"
    ACT = "act"
    CLOSE = "close"


class Outcome(StrEnum):
    """What a person found."""

    CONFIRMED = "confirmed"
    FALSE_ALARM = "false-alarm"
    NO_FINDING = "no-finding"


class Origin(StrEnum):
    """Who found the situation: our own analysis, or the camera itself."""

    ANALYSIS = "analysis"
    CAMERA = "camera"


@dataclass(frozen=True, slots=True)
class Alert:
    """One situation that somebody must see. Times are POSIX seconds. `box` is in shares of the picture."""

    id: int
    camera: str
    kind: Kind
    zone: str
    origin: Origin
    state: AlertState
    taken: float
    raised: float
    confidence: float
    figures: Mapping[str, float] = field(default_factory=dict)
    box: Box | None = None
    ended: float | None = None
    outcome: Outcome | None = None
    note: str = ""
    has_clip: bool = False
    record_ordered: bool = False


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened to an alert: when (POSIX), what, by whom, with which words."""

    at: float
    event: str
    by: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a channel is told: a notice has a number that stays the same over all tries."""

    number: int
    channel: str
    event: str
    alert: Alert
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """Closed and open alerts of one camera and kind, and how many were false alarms."""

    camera: str
    kind: Kind
    alerts: int
    false_alarms: int
    counted: int = 0

    @property
    def false_share(self) -> float | None:
        """Share of false alarms among all; None where nothing was raised."""
        return self.false_alarms / self.alerts if self.alerts else None
