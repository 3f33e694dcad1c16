"""The mark of a data folder, who holds it, where it was, and why it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

from blickschutz.kernel.errors import OperatorError

FORMAT = 1
MARK, MOVING, RESTORING = "installation.json", "moving.json", "restoring.json"
HOLD_LOCK, USE_LOCK = "installation.lock", "installation.use"
LOCKS = frozenset({HOLD_LOCK, USE_LOCK})


class Use(StrEnum):
    """What a process wants of a folder. `RUN` holds it; `BESIDE` works in it while another runs; `ALONE` has it to itself."""

    RUN = "run"
    BESIDE = "beside"
    ALONE = "alone"


class State(StrEnum):
    """What lies at a path. `UNMARKED` is a data folder that an older version made, or one whose mark is gone."""

    EMPTY = "empty"
    MARKED = "marked"
    UNMARKED = "unmarked"
    FOREIGN = "foreign"
    MOVING = "moving"
    RESTORING = "restoring"


class Why(StrEnum):
    """Why a folder is refused."""

    HELD = "held"
    BUSY = "busy"
    ABSENT = "absent"
    FOREIGN = "foreign"
    OTHER_ID = "other-id"
    OTHER_SITE = "other-site"
    DEMONSTRATION = "demonstration"
    NEWER = "newer"
    DAMAGED = "damaged"
    OWNER = "owner"
    OLD_PLACE = "old-place"
    ELSEWHERE = "elsewhere"
    MOVING = "moving"
    RESTORING = "restoring"
    NOT_EMPTY = "not-empty"
    NOTHING = "nothing-to-move"
    INSIDE = "inside"
    IN_USE = "in-use"
    DIFFERS = "copy-differs"
    SOURCE_GONE = "source-gone"
    IN_ENVIRONMENT = "in-environment"
    DENIED = "denied"
    READ_ONLY = "read-only"
    FULL = "full"
    DISK = "disk"


class FolderError(OperatorError):
    """A data folder cannot be used; the text says what to do, `why` is the reason for programs."""

    def __init__(self, why: Why, text: str) -> None:
        super().__init__(text)
        self.why = why


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """`installation.json`: whose folder it is. `made` is UTC in ISO 8601, `version` the program's that made it.

    `site` is the site file that it was made for, empty after a restore. `digest` is SHA-256 over the rest: it shows damage,
    not intent; whoever can write the file can write its digest.
    """

    format: int
    id: str
    made: str
    version: str
    demo: bool
    site: str
    digest: str = ""


class Holder(msgspec.Struct, frozen=True):
    """Who holds a folder, as they wrote it into its lock."""

    command: str
    pid: int
    host: str
    user: str
    since: str


class Move(msgspec.Struct, frozen=True):
    """A move that is under way, written in the new folder. With `copied` the new folder is whole and the old one is ending.

    `inode` is the old folder's: what somebody made in its place meanwhile is not it, and is left alone.
    """

    source: str
    copied: bool
    inode: int


class Known(msgspec.Struct, frozen=True):
    """Where an installation was last started, and by which site file."""

    id: str
    folder: str
    site: str
    demo: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where the data of a site belong, and what the site file says of it.

    `stated`: the id stands in the site file; else it comes from where the site file lies, and the folder's own counts.
    `chosen`: the folder was named on the command line. `known`: folder of notes on where installations lie; None for none.
    `old`: where older versions kept these data; `nearby`: folders of such data under similar names.
    """

    id: str
    stated: bool
    folder: Path
    chosen: bool
    site: Path
    demo: bool
    known: Path | None = None
    old: tuple[Path, ...] = ()
    nearby: tuple[Path, ...] = ()
    language: str = "en"
