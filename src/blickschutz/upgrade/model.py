"""A bundle, a state of the service, and what became of an upgrade."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from pathlib import Path

import msgspec

from blickschutz.kernel.errors import OperatorError


class UpgradeError(OperatorError):
    """It was not begun, and nothing was changed; the text says why and what to do."""


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """An upgrade that is under way, or did not come to its end: the two versions."""

    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was unpacked and verified: its folder, and which version it brings."""

    folder: Path
    version: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What the service manager says of the service at one moment.

    `live` and `cameras`: from its status text; None while it says nothing of them. `restarts` counts those that the manager made.
    """

    active: bool
    failed: bool
    restarts: int
    live: int | None = None
    cameras: int | None = None


class Verdict(Enum):
    """Whether a service that was started is to be waited for."""

    WAIT = "wait"
    READY = "ready"
    FAILED = "failed"


class Fate(StrEnum):
    """How an upgrade ended."""

    DONE = "done"
    TAKEN_BACK = "taken-back"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an upgrade. `dark_s`: seconds in which no picture was watched, by the service manager's word;
    `unnoted`: why the log has no entry of it.
    """

    fate: Fate
    before: str
    now: str
    dark_s: float
    reason: str = ""
    unnoted: str = ""


@dataclass(frozen=True, slots=True)
class Returned:
    """A database that has the form of an earlier version again: rows by table, and rows of tables that version does not know."""

    rows: int
    left: dict[str, int]
