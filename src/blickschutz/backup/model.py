"""What a backup says of itself, what is in it, and what is wrong with it. Bytes are base64 in JSON."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

from blickschutz.kernel.errors import OperatorError
from blickschutz.vault.model import Envelope, Reviewer, SealedPrivateKey

FORMAT = 1
MAGIC = b"BLKSBACK"
SUFFIX = ".backup"
RESTORED = "restored.json"
LEAST_PEOPLE = 2


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the open. `made` is POSIX seconds, `version` the program's, `id` the installation's.

    `people` are the recovery keys, each under its person's words; `envelope` shares the backup's key among them, two open it.
    `local` is the same key sealed for the installation itself, so that it can try a restore while nobody is there.
    """

    format: int
    name: str
    id: str
    made: float
    version: str
    people: tuple[SealedPrivateKey, ...]
    envelope: Envelope
    local: bytes
    stream: bytes


class Member(msgspec.Struct, frozen=True):
    """A file of the backup: its place in the data folder (or below `settings/`), bytes, SHA-256."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The signed list of what is in the backup. The log ended with the entry `log_number`, whose hash is `log_hash`.

    `cases` are there, `held` of them held. `reviewers` are the public halves of those who could open clips. `left` are names in
    the data folder that nothing is known of, which are therefore not in the backup.
    """

    format: int
    name: str
    id: str
    made: float
    version: str
    folder_format: int
    log_number: int
    log_hash: str
    cases: int
    held: int
    reviewers: tuple[Reviewer, ...]
    members: tuple[Member, ...]
    left: tuple[str, ...]


class Restored(msgspec.Struct, frozen=True):
    """`restored.json`: this folder came out of a backup. It stays until two people have seen what that means.

    Everything that happened after `made` is not known here: holds, verdicts, blocked accounts.
    """

    name: str
    made: float
    restored: float
    log_number: int


class Restoring(msgspec.Struct, frozen=True):
    """`restoring.json`: a restore is under way. With `whole` everything is out of the backup and checked."""

    name: str
    whole: bool


class Problem(StrEnum):
    """Why a backup is not made or not restored."""

    UNREADABLE = "unreadable"
    NO_BACKUP = "no-backup"
    NEWER = "newer"
    CUT_OFF = "cut-off"
    ALTERED = "altered"
    FOREIGN = "foreign"
    TOO_FEW_PEOPLE = "too-few-people"
    WRONG_WORDS = "wrong-words"
    NOT_OPENED = "not-opened"
    NO_ROOM = "no-room"
    CANNOT_WRITE = "cannot-write"
    EXISTS = "exists"
    INSIDE = "inside"
    NO_KEY = "no-key"
    DATABASE = "database"
    LOG = "log"
    ROWS = "rows"


class BackupError(OperatorError):
    """A backup cannot be made or restored; the text says what to do."""

    def __init__(self, problem: Problem, text: str) -> None:
        super().__init__(text)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made."""

    path: Path
    sha256: str
    size: int
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Found:
    """What a restored folder holds, and what it lacks.

    `missing` are clips of cases that should be there and are not; `missing_held` those of them that are held. `strangers` are
    clips that no row knows. `without_key` are people whose sealed private key is not here, so that they open no older clip.
    """

    cases: int
    held: int
    log_entries: int
    missing: tuple[str, ...] = ()
    missing_held: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    without_key: tuple[str, ...] = ()
