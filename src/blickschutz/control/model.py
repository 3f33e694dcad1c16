"""What happens in the control room, as typed events; an order to record from its beginning to its outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from blickschutz.compliance.entered import Entered
from blickschutz.compliance.reports.crime import Row
from blickschutz.hosts.model import HostNews
from blickschutz.ingest.model import Found
from blickschutz.recording.model import ClipNews
from blickschutz.review.model import CopyState
from blickschutz.situations.kinds import Kind, Situation


@dataclass(frozen=True, slots=True)
class SituationSeen:
    """A situation began or ended at `camera`. `run` names the life of the cell that numbers its situations.

    `over`: it began, and was over before anybody could be told.
    """

    camera: str
    run: str
    situation: Situation
    over: bool = False


@dataclass(frozen=True, slots=True)
class NewsTold:
    """A cell told something that must not get lost; all listeners have it, and it is the `number`-th of that life of the cell."""

    camera: str
    run: str
    number: int


@dataclass(frozen=True, slots=True)
class CameraFound:
    """A camera found something itself, or the end of it. `at` (monotonic) and `taken` (POSIX) say when, where its cell told it.

    `over`: it began, and was over before anybody could be told.
    """

    camera: str
    found: Found
    at: float | None = None
    taken: float | None = None
    over: bool = False


@dataclass(frozen=True, slots=True)
class CellFound:
    """A cell outlived the control room that had started it, and goes on under this one. What it still has to tell comes next."""

    camera: str
    run: str


@dataclass(frozen=True, slots=True)
class CellResumed:
    """It has told all: these orders and clips it has in hand."""

    camera: str
    orders: frozenset[int]
    clips: frozenset[str]


@dataclass(frozen=True, slots=True)
class EpisodeHeard:
    """An episode of evidence ended at `camera`, told to people or not: numbers alone. `taken` is its POSIX time in seconds."""

    camera: str
    kind: Kind
    zone: str
    taken: float
    seconds: float
    peak: float
    threshold: float


@dataclass(frozen=True, slots=True)
class ClipHeard:
    """A cell told of a clip. It stays on the machine `host`; empty: it lies here."""

    camera: str
    news: ClipNews
    host: str = ""


@dataclass(frozen=True, slots=True)
class HostNewsHeard:
    """A host itself told of a clip that stays with it."""

    camera: str
    host: str
    news: HostNews


@dataclass(frozen=True, slots=True)
class CopyView:
    """A second copy as pages show it: `away`, where its keeper cannot be reached now; `unheard`, where it has not confirmed all that was
    decided. `store` is where that has it, empty for its own disk.
    """

    host: str
    store: str
    state: CopyState
    away: bool
    unheard: bool


class Refused(StrEnum):
    """Why nothing can be recorded."""

    REVIEWERS = "reviewers"
    REGISTER = "register"
    UNFOUNDED = "unfounded"
    UNPINNED = "unpinned"
    DISK = "disk"
    CAMERA = "camera"
    HOST = "host"
    STORE = "store"
    KEYS = "keys"
    LOST = "lost"
    SAFE_MODE = "safe-mode"


class OrderState(StrEnum):
    """Where an order to record stands; the last two are outcomes."""

    GIVEN = "given"
    RECORDING = "recording"
    DONE = "done"
    FAILED = "failed"


OPEN_ORDERS = frozenset({OrderState.GIVEN, OrderState.RECORDING})


@dataclass(frozen=True, slots=True)
class RecordingOrder:
    """An order until its clip exists, or until somebody was told that there is none.

    `at` is POSIX seconds. `situation` and `run` where one ordered it, `over` once that has ended; `for_s` where the order ends
    by itself. `alert` is the alert that it belongs to, 0 without one. `clip` once one was begun; `why` where it failed.
    `tries` counts how often a cell was told.
    """

    number: int
    camera: str
    mode: str
    cause: str
    by: str
    reason: str
    at: float
    state: OrderState = OrderState.GIVEN
    situation: Situation | None = None
    run: str = ""
    for_s: float | None = None
    over: bool = False
    alert: int = 0
    clip: str = ""
    why: str = ""
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """An order has no clip, or not to its end; somebody must be told of the situation instead."""

    order: RecordingOrder


@dataclass(frozen=True, slots=True)
class StopEntry:
    """The stop control of one camera, or of all at once: who stopped it or let it go on, when (POSIX), and why."""

    camera: str
    stopped: bool
    by: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class Stops:
    """What the stop control said last of each camera, and in order what it did that is not in the log yet."""

    last: tuple[StopEntry, ...] = ()
    owed: tuple[StopEntry, ...] = ()


# --- what was lost ---


class Witness(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stood in the databases lately, kept outside of them: by it a start sees that one is missing, older, or cut.

    `public_key` and `former` (hex) are the installation's keys, now and before; `factors` is the SHA-256 of `factors.key`.
    `number` and `hash` are those of the newest entry of the log; `cases`, `accounts` and `alerts` how many there were.
    """

    format: int = 1
    installation: str
    public_key: str
    former: tuple[str, ...] = ()
    factors: str
    number: int
    hash: str
    cases: int
    accounts: int
    alerts: int
    at: float


class FileState(StrEnum):
    """What was found in the place of a file. Of a `DAMAGED` database what could be read goes on, of an `UNUSABLE` one nothing."""

    WHOLE = "whole"
    MISSING = "missing"
    DAMAGED = "damaged"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Present:
    """What a start found. `aside` are the names of files that were set aside; `lived`: whether clips or packages lie there.

    `number`, `cases` and `alerts` are those of the databases as they are now, `hash_then` is the hash of the entry
    that the witness names, empty where there is none. `told`: whether the log says that a witness was kept. `public_key` and
    `factors` as in `Witness`, of the files that are there; `factor_rows`: whether somebody has a second factor; `signed`: whether
    the log has a signature; `restored`: a backup was put back here, and nobody has seen yet what that means.
    """

    control: FileState
    alerts_file: FileState
    key: FileState
    factors_file: FileState
    number: int = 0
    hash_then: str = ""
    cases: int = 0
    alerts: int = 0
    lived: bool = False
    told: bool = False
    signed: bool = False
    public_key: str = ""
    factors: str = ""
    factor_rows: bool = False
    restored: bool = False
    aside: Mapping[str, str] = field(default_factory=dict)


class LossKind(StrEnum):
    """What is missing, damaged, or not what it was."""

    DATABASE_MISSING = "database-missing"
    DATABASE_DAMAGED = "database-damaged"
    DATABASE_UNUSABLE = "database-unusable"
    DATABASE_OLDER = "database-older"
    LOG_CUT = "log-cut"
    KEY_MISSING = "key-missing"
    KEY_DAMAGED = "key-damaged"
    KEY_OTHER = "key-other"
    FACTORS_MISSING = "factors-missing"
    FACTORS_OTHER = "factors-other"
    WITNESS_MISSING = "witness-missing"
    WITNESS_DAMAGED = "witness-damaged"
    RESTORED = "restored"
    ALERTS_MISSING = "alerts-missing"
    ALERTS_UNUSABLE = "alerts-unusable"


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that was lost, with what its words name."""

    kind: LossKind
    facts: Mapping[str, str | int] = field(default_factory=dict)


class NotAccepted(StrEnum):
    """Why a loss was not accepted."""

    NOTHING = "nothing"
    CHANGED = "changed"
    SAME_PERSON = "same-person"
    MAY_NOT = "may-not"


class NotEntered(StrEnum):
    """Why a fact was not entered."""

    KIND = "kind"
    DAY = "day"
    TEXT = "text"
    NO_FILE = "no-file"
    SMALL = "small"
    UNREADABLE = "unreadable"
    NOT_CSV = "not-csv"
    SIGN = "sign"
    CAMERA = "camera"
    NO_PICTURE = "no-picture"
    NO_PHOTOGRAPH = "no-photograph"
    NO_CODE = "no-code"
    OTHER_CODE = "other-code"
    USED = "used"
    THERE = "there"


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody wrote into the form; `file` is what their document is called, `subject` the sign or camera that a picture shows."""

    kind: str
    day: str
    text: str
    file: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class FactRefused:
    """Why something was not entered, and what exactly: where the document is in use, or the lines of a table with their problems."""

    why: NotEntered
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CrimeFigures:
    """The police's figures for a report: rows, who entered them and signed, and why the newest do not fit its period."""

    rows: Sequence[Row] = ()
    source: Entered | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FloorPlan:
    """A picture of the place under the site plan: number of its entry, hash, who and when (POSIX).

    `metres` is how wide it is, `north` degrees clockwise from its top, `shape` its height over its width.
    """

    number: int
    sha256: str
    by: str
    at: float
    metres: float
    north: float
    shape: float
