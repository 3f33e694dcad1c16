"""Requests of those concerned, their answers, and duties to inform. Days are those of the site's time zone, times POSIX seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Right(StrEnum):
    """What can be asked for, by its article of the GDPR."""

    ACCESS = "art-15"
    RECTIFICATION = "art-16"
    ERASURE = "art-17"
    RESTRICTION = "art-18"
    OBJECTION = "art-21"


class RequestState(StrEnum):
    """Where a request stands; the transitions are `rules.TRANSITIONS`."""

    OPEN = "open"
    PREPARED = "prepared"
    ANSWERED = "answered"


class RequestEvent(StrEnum):
    """What can happen to a request."""

    PREPARED = "prepared"
    RETURNED = "returned"
    CONFIRMED = "confirmed"


class Outcome(StrEnum):
    """What the answer says. `NOT_IDENTIFIED` is Art. 11(2), `REFUSED` Art. 12(4) GDPR."""

    GRANTED = "granted"
    NOTHING_FOUND = "nothing-found"
    NOT_IDENTIFIED = "not-identified"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Problem(StrEnum):
    """Why something was not done."""

    NAME = "name"
    RIGHTS = "rights"
    RECEIVED = "received"
    WINDOW = "window"
    CAMERAS = "cameras"
    NOT_NOW = "not-now"
    TOO_LATE = "too-late"
    REASON = "reason"
    IDENTITY = "identity"
    NO_RECORDING = "no-recording"
    STILL_RECORDINGS = "still-recordings"
    SAME_PERSON = "same-person"
    LEFT = "left"
    UNTIL = "until"


@dataclass(frozen=True, slots=True)
class Restricted:
    """A recording that is neither destroyed nor reviewed while the request is open; `opened` is when it begins, `by` who asked for it."""

    case: int
    clip: str
    camera: str
    opened: float
    seconds: float
    by: str


@dataclass(frozen=True, slots=True)
class Extension:
    """A later deadline (Art. 12(3)): the reason that whoever asked is told, and on which day it was recorded."""

    reason: str
    day: date
    by: str


@dataclass(frozen=True, slots=True)
class RequestAnswer:
    """What whoever asked is told; `by` are one person (prepared) or two (confirmed), `day` is that of the last of them."""

    outcome: Outcome
    text: str
    by: tuple[str, ...]
    day: date


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `starts` and `ends` say when whoever asks was there, `cameras` where; empty means everywhere.

    `identity` says how it was made sure who asks (Art. 12(6)). `erased` is the day on which name and contact were erased.
    `version` counts the changes of the row as it was read; a change of any other version is refused. So for a duty.
    """

    id: int
    state: RequestState
    received: date
    rights: tuple[Right, ...]
    name: str
    contact: str
    language: str
    by: str
    at: float
    starts: float = 0.0
    ends: float = 0.0
    cameras: tuple[str, ...] = ()
    text: str = ""
    identity: str = ""
    restricted: tuple[Restricted, ...] = ()
    extension: Extension | None = None
    answer: RequestAnswer | None = None
    erased: date | None = None
    version: int = 0


class DutySource(StrEnum):
    """Where a duty to inform comes from."""

    RELEASE = "release"
    HAND = "hand"


class Settlement(StrEnum):
    """How a duty was met: informed, put off with a reason and a day, or nobody was assigned to the footage after all."""

    INFORMED = "informed"
    DEFERRED = "deferred"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Settled:
    """What was recorded; `until` is the day on which a deferral is looked at again."""

    settlement: Settlement
    text: str
    by: str
    day: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Duty:
    """Footage of `case` was assigned to somebody, who must be told (§ 21(4) LDSG RLP, Art. 14(3)(a) GDPR: within a month)."""

    id: int
    case: int
    clip: str
    source: DutySource
    since: date
    by: str
    settled: Settled | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as this room sees it."""

    case: int
    clip: str
    camera: str
    opened: float
    seconds: float
