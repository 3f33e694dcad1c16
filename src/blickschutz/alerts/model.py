"""An alert, what can happen to it, and what is told outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from blickschutz.kernel.geometry import Box
from blickschutz.situations.kinds import DECLARED, Kind


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
    UNDO = "undo"


class Priority(StrEnum):
    """How soon somebody must see to an alert, by what follows from it and how much time there is (ISA-18.2: three levels)."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


PRIORITY_OF_KINDS: Mapping[Kind, Priority] = {kind: Priority(declared.priority) for kind, declared in DECLARED.items()}
RANKS: Mapping[Priority, int] = {priority: rank for rank, priority in enumerate(Priority)}


@dataclass(frozen=True, slots=True)
class Priorities:
    """Priority by kind and zone. `named` are a site's own: of a kind in one zone, or (zone empty) of a kind everywhere."""

    named: Mapping[tuple[Kind, str], Priority] = field(default_factory=dict)

    def of(self, kind: Kind, zone: str) -> Priority:
        own = self.named.get((kind, zone)) or self.named.get((kind, ""))
        return own or PRIORITY_OF_KINDS[kind]


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
    run: str = ""
    situation: int = 0
    kept_from: float | None = None


@dataclass(frozen=True, slots=True)
class By:
    """Who decided: the name that colleagues read in the history, and the short name that the log of the site holds."""

    name: str
    member: str


@dataclass(frozen=True, slots=True)
class Owed:
    """What the log of the site is to be told of a decision: the person's short name, and facts."""

    member: str
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened to an alert: when (POSIX), what, by whom, with which words; what the log is owed of it."""

    at: float
    event: str
    by: str
    text: str = ""
    owed: Owed | None = None


@dataclass(frozen=True, slots=True)
class OwedEntry:
    """A decision that the log was not told of yet: its number in the history, and the alert."""

    number: int
    alert: int
    owed: Owed


@dataclass(frozen=True, slots=True)
class Notice:
    """What a channel is told: a notice has a number that stays the same over all tries. `queued` is POSIX."""

    number: int
    channel: str
    event: str
    alert: Alert
    tries: int = 0
    queued: float = 0.0


@dataclass(frozen=True, slots=True)
class DigestGroup:
    """Alerts of one camera and kind in a digest: how many, and how many of them are still open."""

    camera: str
    kind: Kind
    alerts: int
    open: int


@dataclass(frozen=True, slots=True)
class FaultNotice:
    """A part of the system is disturbed, or works again (`over`). `part` is its name, `error` in words, `at` POSIX seconds.

    In memory only: what still is wrong after a restart is told again by whoever finds it.
    """

    key: str
    part: str
    error: str
    over: bool
    at: float


@dataclass(frozen=True, slots=True)
class Digest:
    """Many notices that came too late to be told one by one, as one message. Times (POSIX) are those at which alerts were raised.

    `escalated` are alerts that are still escalated, the oldest first; `more_escalated` how many there are beyond those.
    """

    number: int
    channel: str
    notices: int
    first: float
    last: float
    groups: tuple[DigestGroup, ...]
    escalated: tuple[Alert, ...] = ()
    more_escalated: int = 0
    tries: int = 0

    @property
    def key(self) -> str:
        """The same for the same content: a digest that failed and has grown since is another message."""
        return f"{self.number}-{self.notices}"

    @property
    def alerts(self) -> int:
        return sum(group.alerts for group in self.groups)

    @property
    def open(self) -> int:
        return sum(group.open for group in self.groups)


@dataclass(frozen=True, slots=True)
class ChannelQueue:
    """What waits to be told by a channel: how many notices, the oldest for how many seconds, how many failed at least once.

    `set_aside` are those that were given up while others got through; `problem` is the newest one in words.
    """

    waiting: int = 0
    oldest_s: float = 0.0
    failing: int = 0
    set_aside: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the queue of open alerts: weight (`rules.weight`) and number of an alert. What comes after it is asked for by it."""

    weight: int
    number: int


@dataclass(frozen=True, slots=True)
class Mark:
    """As much of an open alert as its place in the queue takes. `raised` is POSIX seconds."""

    id: int
    camera: str
    kind: Kind
    zone: str
    state: AlertState
    raised: float


@dataclass(frozen=True, slots=True)
class Storm:
    """More alerts came than can be looked at: how many lately (`crowd.STORM_S`), and the cameras of most of them with how many each."""

    alerts: int
    causes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Lives:
    """How long what is kept with an alert lives, in seconds from its being raised (notices: from being told or set aside).

    `clips`: redacted seconds. `history`: names, notes and what was done, and as long after each entry, but never longer than `made`
    after the alert. `rows`: the alert itself, and situations that were counted.
    """

    clips: float
    history: float
    made: float
    rows: float
    notices: float


@dataclass(frozen=True, slots=True)
class Expired:
    """What ended: redacted seconds, histories, notices, alerts (and how many of them nobody had closed), counted situations.

    `more` says that there is more to end, or that the database's journal could not be emptied yet.
    """

    clips: int = 0
    histories: int = 0
    notices: int = 0
    alerts: int = 0
    still_open: int = 0
    counts: int = 0
    more: bool = False

    def __add__(self, other: Expired) -> Expired:
        return Expired(
            self.clips + other.clips,
            self.histories + other.histories,
            self.notices + other.notices,
            self.alerts + other.alerts,
            self.still_open + other.still_open,
            self.counts + other.counts,
            other.more,
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """Closed and open alerts of one camera and kind: of how many somebody said what they were, and how many of those were false."""

    camera: str
    kind: Kind
    alerts: int
    decided: int
    false_alarms: int
    counted: int = 0

    @property
    def false_share(self) -> float | None:
        """Share of false alarms among what was decided; None where nothing was: an open alert is not a true one."""
        return self.false_alarms / self.decided if self.decided else None
