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
    QUARANTINED = "quarantined"
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
    CONTRADICTED = "contradicted"
    RELEASED_BY_TWO = "released-by-two"
    DISCARDED_BY_TWO = "discarded-by-two"
    CAME_BACK = "came-back"


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
    LEFT = "left"
    NOT_NOW = "not-now"
    NO_GROUND = "no-ground"
    NO_REFERENCE = "no-reference"
    NOT_IN_ROOM = "not-in-room"
    RESTRICTED = "restricted"
    NOT_THIS_FATE = "not-this-fate"


class QuarantineReason(StrEnum):
    """Why a clip is in quarantine: what was found that the rows do not explain.

    `NO_ROW`: a clip of ours that no case knows. `RENAMED`: the same under another name, so a copy. `HEAD_DAMAGED`: a clip whose
    head cannot be read. `HELD_BESIDE`, `RESTRICTED_BESIDE`: its end is ordered, and a hold or restriction beside the clip says
    otherwise. `NOTE_DAMAGED`: what lies beside the clip cannot be believed. `CHANGED`: the clip was destroyed, and a file of its
    name with another content is there.
    """

    NO_ROW = "no-row"
    RENAMED = "renamed"
    HEAD_DAMAGED = "head-damaged"
    HELD_BESIDE = "held-beside"
    RESTRICTED_BESIDE = "restricted-beside"
    NOTE_DAMAGED = "note-damaged"
    CHANGED = "changed"


class Fate(StrEnum):
    """What two people can decide about a clip in quarantine."""

    RELEASE = "release"
    HOLD = "hold"
    DESTROY = "destroy"


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
    until_retention: float = 0.0

    @property
    def in_force(self) -> bool:
        """Whether two different people stand behind it."""
        return len(set(self.by)) >= 2


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Why a clip waits for two people, and since when (retention time)."""

    reason: QuarantineReason
    since: float


@dataclass(frozen=True, slots=True)
class ProposedFate:
    """What one person proposes for a clip in quarantine; `hold` where it is to be held."""

    fate: Fate
    by: str
    at: float
    hold: Hold | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """What lies beside a clip, signed: its hold, the requests that restrict it. `damaged`: something lies there that says nothing.

    The hold has no case number: that stands in the row alone.
    """

    hold: Hold | None = None
    restricted: tuple[int, ...] = ()
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Erasing:
    """The file is being overwritten: its size in bytes, since when (POSIX), and whether all of it is done.

    Written before the file is touched and again before it is removed, so that after a crash nobody has to guess.
    """

    size: int
    at: float
    done: bool = False


class CopyState(StrEnum):
    """Of a second copy: it is ordered; it is whole, and its keeper compared it; it is gone, and that is proven; its keeper does not know it
    any more and proves nothing.
    """

    ORDERED = "ordered"
    THERE = "there"
    GONE = "gone"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Copy:
    """A second copy of a clip on the machine `host`, or in the `store` that it uses: `heard` is what that machine has confirmed, `report`
    its signed report of the end as it was said, `digest` the hash of that (both empty before). `since` is the version of the row by which
    it was ordered: what a machine says of an earlier one is not of this copy.
    """

    host: str
    state: CopyState = CopyState.ORDERED
    heard: str = ""
    report: str = ""
    digest: str = ""
    store: str = ""
    since: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One clip and what becomes of it. Times are POSIX seconds, `seconds` is the length, `size` in bytes.

    `sha256` is that of the sealed file. `hold` is in force, `proposal` is a change of it (or its end, with `until` 0)
    that waits for a second person. `restricted` are the open requests of those concerned that the clip is kept for: while
    there is one, nothing decides or ends it. `shred_reason` and `shred_by` say why and by whom the end was ordered,
    `due` the deadline that ended it (POSIX, as it was told then; 0 where people did).
    A hold stays in the row when it ends, so that whoever destroys knows which one that was. `quarantine` stays too.
    `erasing` says how far the overwriting came, `ending` what became of the file (see `retention.model.Ending`).
    `version` counts the changes of the row as it was read; a change of any other version is refused.
    `epoch` and `stamped` say when it was opened by the time for deadlines (see `CaseTime`), empty for one that has no stamp yet.
    `host` is the machine on which the clip stays, empty for one that lies here; `ends` when that machine destroys it by itself (POSIX),
    `heard` what of hold, restrictions and end it has confirmed. `copies` lie on other machines; `reported` is the signed report of the
    clip's own machine, `digest` the hash of that, while the end of a copy is not proven yet.
    """

    id: int
    clip: str
    camera: str
    mode: str
    cause: str
    opened: float
    state: CaseState
    epoch: str = ""
    stamped: float = 0.0
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
    due: float = 0.0
    destroyed: float = 0.0
    erasing: Erasing | None = None
    ending: str = ""
    quarantine: Quarantine | None = None
    fate: ProposedFate | None = None
    host: str = ""
    ends: float = 0.0
    heard: str = ""
    copies: tuple[Copy, ...] = ()
    reported: str = ""
    digest: str = ""
    version: int = 0
