"""Limits, what is due, receipts. Times are POSIX seconds of the retention clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec


@dataclass(frozen=True, slots=True)
class Limits:
    """Regular limit for what nobody decided, hard limit for all that is not held, warning before either; in seconds."""

    regular_s: float
    hard_s: float
    warn_s: float = 12 * 3600.0


class Why(StrEnum):
    """Why a clip ends."""

    HARMLESS = "harmless"
    UNREVIEWED = "unreviewed"
    HOLD_EXPIRED = "hold-expired"
    HOLD_RELEASED = "hold-released"
    ERASURE = "erasure"
    UNSAFE_REDACTION = "unsafe-redaction"


@dataclass(frozen=True, slots=True)
class Kept:
    """What the deadlines need to know of a clip. `held_until` is None without a hold in force.

    `restricted`: kept for a request of somebody concerned (Art. 18 GDPR); no deadline ends it while that is open.
    """

    clip: str
    opened: float
    held_until: float | None = None
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class Deadline:
    at: float
    why: Why


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What was done to a file: how many bytes were overwritten, what else was removed, and that nothing is left."""

    overwritten: int
    derived: int
    absent: bool


@dataclass(frozen=True, slots=True)
class ClockJump:
    """The wall clock moved by itself: by how many seconds (negative: back) against the time that really passed."""

    seconds: float


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Proof of a destruction (Löschprotokoll): what, when, why, how, by whom; no picture content.

    `sha256` and `size` are those of the sealed file; `signature` (Ed25519, hex) is over all other fields.
    """

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
    signature: str = ""
