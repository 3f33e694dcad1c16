"""A case, its states, verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CaseState(StrEnum):
    """Where a case stands; the transitions are `rules.TRANSITIONS`."""

    RECORDING = "recording"
    WAITING = "waiting"
    SECOND = "second"
    THIRD = "third"
    HELD = "held"
    DESTROYING = "destroying"
    DESTROYED = "destroyed"


class CaseEvent(StrEnum):
    """What can happen to a case."""

    CLOSED = "closed"
    FIRST_VERDICT = "first-verdict"
    AGREED_HARMLESS = "agreed-harmless"
    AGREED_INCIDENT = "agreed-incident"
    DISAGREED = "disagreed"
    EXPIRED = "expired"
    HOLD_OVER = "hold-over"
    HELD_BY_TWO = "held-by-two"
    ERASURE_GRANTED = "erasure-granted"
    UNSAFE_REDACTION = "unsafe-redaction"
    SHREDDED = "shredded"


class Verdict(StrEnum):
    """What a reviewer found."""

    NO_INCIDENT = "no-incident"
    FALSE_ALARM = "false-alarm"
    INCIDENT = "incident"


class Ground(StrEnum):
    """Legal grounds on which footage is kept longer (§ 21(5) LDSG RLP). There are no others."""

    CRIMINAL_OFFENCE = "straftat"
    LEGAL_CLAIM = "rechtsanspruch"
    INTEREST_OF_PERSON = "schutzwuerdiges_interesse"


class Refusal(StrEnum):
    """Why a verdict was not taken."""

    SAME_PERSON = "same-person"
    NOT_NOW = "not-now"
    NO_GROUND = "no-ground"
    NO_REFERENCE = "no-reference"
    NOT_IN_ROOM = "not-in-room"
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True)
class GivenVerdict:
    """One person's verdict. `ground` and `reference` (case number) where it says that there was an incident."""

    person: str
    verdict: Verdict
    note: str
    at: float
    ground: Ground | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """A case is kept beyond its limit: why, under which case number, whose it is, until when, and by which two people."""

    ground: Ground
    reference: str
    owner: str
    until: float
    by: tuple[str, ...]
    since: float

    @property
    def in_force(self) -> bool:
        """Whether two different people stand behind it."""
        return len(set(self.by)) >= 2


@dataclass(frozen=True, slots=True)
class Case:
    """One clip and what becomes of it. Times are POSIX seconds, `seconds` is the length, `size` in bytes.

    `sha256` is that of the sealed file. `hold` is in force, `proposal` is a change of it (or its end, with `until` 0)
    that waits for a second person. `restricted` are the open requests of those concerned that the clip is kept for: while
    there is one, nothing decides or ends it. `shred_reason` and `shred_by` say why and by whom the end was ordered.
    `version` counts the changes of the row as it was read; a change of any other version is refused.
    """

    id: int
    clip: str
    camera: str
    mode: str
    cause: str
    opened: float
    state: CaseState
    closed: float = 0.0
    seconds: float = 0.0
    size: int = 0
    sha256: str = ""
    close_reason: str = ""
    alerts: tuple[int, ...] = ()
    verdicts: tuple[GivenVerdict, ...] = ()
    hold: Hold | None = None
    proposal: Hold | None = None
    restricted: tuple[int, ...] = ()
    shred_reason: str = ""
    shred_by: tuple[str, ...] = ()
    destroyed: float = 0.0
    version: int = 0
