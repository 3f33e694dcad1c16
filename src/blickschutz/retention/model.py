"""Limits, what is due, receipts; the time for deadlines and what is known of it.

Retention time is counted seconds in the scale of POSIX time; `wall` is the machine's clock (POSIX seconds), `boottime` what the
boot clock reads (seconds since the boot, suspended ones included).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from enum import StrEnum

import msgspec


@dataclass(frozen=True, slots=True)
class Limits:
    """Regular limit for what nobody decided, hard limit for all that is not held, warning before either; in seconds.

    Two calendar months at the place (`zone`) end everything besides, however long the hard limit is.
    """

    regular_s: float
    hard_s: float
    warn_s: float = 12 * 3600.0
    zone: tzinfo = UTC


class Why(StrEnum):
    """Why a clip ends."""

    HARMLESS = "harmless"
    UNREVIEWED = "unreviewed"
    HOLD_EXPIRED = "hold-expired"
    HOLD_RELEASED = "hold-released"
    ERASURE = "erasure"
    UNSAFE_REDACTION = "unsafe-redaction"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Kept:
    """What the deadlines need to know of a clip: when it was opened and, with a hold in force, until when it is held.

    Both are retention time, by the count with which the clip was stamped. `restricted`: kept for a request of somebody
    concerned (Art. 18 GDPR); no deadline ends it while that is open.
    """

    clip: str
    opened_retention: float
    held_until: float | None = None
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class Deadline:
    at: float
    why: Why


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed of a clip: how many files that were made from it, and whether nothing that bears its name is left."""

    derived: int
    absent: bool


class Ending(StrEnum):
    """What became of a clip's file. Only the first says that it was overwritten.

    `INTERRUPTED`: a run had begun to overwrite it, did not come to the end, and the next one found no file. `DELETED`: it lay in a store
    that overwrites nothing; every version was deleted there, and none is listed any more.
    """

    OVERWRITTEN = "overwritten"
    INTERRUPTED = "interrupted"
    VANISHED = "vanished"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Stuck:
    """A clip whose end was ordered and which does not go: how often that was tried, why it failed last, next try (monotonic).

    `since` is POSIX seconds. `told` once people were told of it.
    """

    clip: str
    case: int
    tries: int
    problem: str
    since: float
    next_at: float
    told: bool = False


class _Destroyed(msgspec.Struct, frozen=True, kw_only=True):
    """What receipts of every version say, in the order of the text that is signed."""

    clip: str
    case: int
    camera: str
    opened: float
    destroyed: float
    reason: str
    people: list[str]
    sha256: str
    size: int
    method: str
    overwritten: int
    derived: int
    absent: bool
    installation: str


class CopyProof(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a second copy, as the machine that kept it reported and signed: fields as in `Receipt`. `store` is where that had
    it, empty for its own disk.
    """

    host: str
    destroyed: float
    reason: str
    sha256: str
    size: int
    ending: str
    overwritten: int
    begun: int
    absent: bool
    reported: str
    store: str = ""


class Receipt(_Destroyed, frozen=True, kw_only=True):
    """Proof of a destruction (Löschprotokoll): what, when, why, how, by whom; no picture content.

    `sha256` and `size` are those of the sealed file as it was closed, `overwritten` the bytes that were really overwritten.
    `ending` is an `Ending`, empty in receipts of version 1, which did not tell endings apart; `begun` are the bytes that an
    earlier run had set out to overwrite before it was interrupted. `host` is the machine that kept the clip and destroyed it,
    `reported` the SHA-256 of its own signed report; empty for a clip that lay here. `copies` lay on other machines: of each the text
    (JSON) of a `CopyProof`. `signature` (Ed25519, hex) is over all other fields.
    """

    ending: str = ""
    begun: int = 0
    host: str = ""
    reported: str = ""
    copies: list[str] = []
    signature: str = ""


class ReceiptThree(_Destroyed, frozen=True, kw_only=True):
    """The fields of a receipt for a clip of another machine of which there was one file alone."""

    ending: str
    begun: int
    host: str
    reported: str
    signature: str = ""


class ReceiptTwo(_Destroyed, frozen=True, kw_only=True):
    """The fields of a receipt for a clip that lay on this machine, in the order of the text that was signed."""

    ending: str
    begun: int
    signature: str = ""


class ReceiptOne(_Destroyed, frozen=True, kw_only=True):
    """The fields that a receipt of version 1 has; their order is that of the text that was signed."""

    signature: str = ""


# --- time ---


@dataclass(frozen=True, slots=True)
class Trust:
    """How much is believed, in seconds: see the tables in `docs/design/time.md`.

    `step_s` between two looks is a correction; `drift` (s/s) is how far a quartz goes wrong without a time server. A wall clock
    outside `earliest` to `latest` (2023, 2100) says nothing. A proposal holds for `proposal_s`, and shows what ends in that time.
    """

    step_s: float = 5.0
    drift: float = 1e-4
    unproved_s: float = 3600.0
    synchronised_s: float = 72 * 3600.0
    earliest: float = 1_672_531_200.0
    latest: float = 4_102_444_800.0
    proposal_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Sample:
    """All sources, read at one moment. `synchronised`: a time server stands behind the wall clock now."""

    boot: str
    boottime: float
    wall: float
    synchronised: bool


@dataclass(frozen=True, slots=True)
class Stamp:
    """When something was, by the count alone: what the boot clock read in that epoch. What a clip carries."""

    epoch: str
    at: float


class Gap(StrEnum):
    """Whether all epochs are joined: all are, the time between two boots is not settled, or a jump within a boot is not."""

    NONE = "none"
    START = "start"
    JUMP = "jump"


class Reason(StrEnum):
    """Why deadlines are suspended."""

    START_BACK = "start-back"
    START_AHEAD = "start-ahead"
    JUMP_BACK = "jump-back"
    JUMP_AHEAD = "jump-ahead"
    IMPOSSIBLE = "impossible"
    FILE_MISSING = "file-missing"
    FILE_DAMAGED = "file-damaged"
    FILE_OLDER = "file-older"
    EPOCH_UNKNOWN = "epoch-unknown"


FAULTS = frozenset({Reason.FILE_MISSING, Reason.FILE_DAMAGED, Reason.FILE_OLDER, Reason.EPOCH_UNKNOWN})
JUMPS = frozenset({Reason.JUMP_BACK, Reason.JUMP_AHEAD})


class Basis(StrEnum):
    """What two people can confirm: that the wall clock is right, or what was counted."""

    WALL = "wall"
    COUNT = "count"


class Epoch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stretch of counting in one boot; retention time in it is `base` and what the boot clock reads."""

    id: str
    boot: str
    base: float


class Sourced(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Wall time less retention time when somebody last vouched for the wall clock (a time server, two people), and when that was."""

    offset: float
    at: float


class Suspension(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Deadlines wait: why, and since when (retention time); `wall` is what the machine's clock said then."""

    reason: Reason
    since: float
    wall: float


class LastSeen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest look in the newest epoch."""

    boottime: float
    wall: float


class Decided(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What two people decided; in force once the log has the entry with that `serial`."""

    serial: int
    epochs: tuple[Epoch, ...]
    offset: float
    sourced: Sourced | None


FORMAT = 2


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is known of the time; kept in a file.

    `clock` names this count: another file counts otherwise. `serial` goes up with each change that is told. `epochs`: oldest
    first, the newest is now; `begun`: how many there ever were. `offset` is wall time less retention time as agreed last, and
    means nothing before the first agreement (`agreed`). While there is a `gap`, the epochs from `open_from` on are joined to
    those before by a lower bound, and `claim` seconds more were uncounted, if the wall clock is right.
    """

    format: int = FORMAT
    clock: str
    serial: int = 0
    epochs: tuple[Epoch, ...]
    begun: int = 1
    offset: float = 0.0
    agreed: bool = True
    sourced: Sourced | None = None
    gap: Gap = Gap.NONE
    open_from: str = ""
    claim: float = 0.0
    last: LastSeen
    suspension: Suspension | None = None
    decided: Decided | None = None


@dataclass(frozen=True, slots=True)
class StampedClip:
    """A clip that is there, as the time sees it. `number` goes up with the order of opening.

    `opened` and `hold_date` are wall time, as people read them; `stamp` and `held_until` (retention time) are what is judged.
    `stamp` is None for a clip from before there were stamps.
    """

    clip: str
    number: int
    opened: float
    stamp: Stamp | None
    hold_date: float | None = None
    held_until: float | None = None
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class Adopted:
    """The stamp that a clip without a known one is given, and its hold's end (retention time), None without a hold."""

    stamp: Stamp
    held_until: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The time to judge by. `suspended`: nothing may be judged."""

    now: float
    suspended: bool


class What(StrEnum):
    """What can happen to the time."""

    COUNTED = "counted"
    UNCOUNTED = "uncounted"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    DATED = "dated"


@dataclass(frozen=True, slots=True)
class Change:
    """Something happened to the time, by itself: `seconds` were counted that nobody saw pass, were not counted, or dates moved by them.

    `reason` where deadlines were suspended or go on again. `serial`: the state with it is on disk.
    """

    what: What
    seconds: float = 0.0
    reason: Reason | None = None
    serial: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """What would follow: how much older everything from before gets (s), and which clips end at once or within the hour."""

    basis: Basis
    seconds: float
    due: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """One person proposes a choice; `ahead` is how far the wall clock was ahead of the count then, `at` retention time."""

    number: int
    by: str
    choice: Choice
    reason: Reason
    ahead: float
    at: float


class Void(StrEnum):
    """Why a proposal or a confirmation is not taken."""

    NOT_SUSPENDED = "not-suspended"
    NOT_POSSIBLE = "not-possible"
    GONE = "gone"
    SAME_PERSON = "same-person"
    LEFT = "left"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What two people decided; what the log and the clips' rows must say before it is in force.

    `stamps`: clips that get a stamp by it. `seconds` as in `Choice`; `serial` belongs into the entry.
    """

    basis: Basis
    people: tuple[str, str]
    reason: Reason
    seconds: float
    due: tuple[str, ...]
    serial: int
    stamps: Mapping[str, Adopted] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TimeView:
    """What a page shows. Times are wall time: `wall` as the machine says, `counted` as was counted; `since` None while all is well.

    `claim`: seconds between boots that the wall clock claims and nobody settled. `unjudged`: clips with no stamp that is known.
    """

    reason: Reason | None
    since: float | None
    wall: float
    counted: float
    synchronised: bool
    claim: float
    choices: tuple[Choice, ...]
    proposal: Proposal | None
    unjudged: tuple[str, ...]
    unsaved: str
