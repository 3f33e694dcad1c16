"""What the control room hands over to a witness, and what the witness answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import msgspec

from blickschutz.audit.model import GENESIS


class Problem(StrEnum):
    """Why the log is not anchored, as a word that pages and log have texts for."""

    UNREACHABLE = "unreachable"
    FULL = "full"
    ROLLED_BACK = "rolled-back"
    FORKED = "forked"
    FOREIGN = "foreign"
    OTHER_WITNESS = "other-witness"
    WITNESS_ROLLED_BACK = "witness-rolled-back"
    MALFORMED = "malformed"


# What may pass by itself, or by more room; all else is a log, or a witness, that is another than it was.
PASSING = frozenset({Problem.UNREACHABLE, Problem.FULL})


class Anchor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The log at entry `number`, `at` (POSIX): what follows on entry `after`, as the hash (64 hex digits) of each entry.

    `public_key` is the installation's (hex). `after_hash` is the hash of the entry `after`, 64 zeros for none.
    """

    public_key: str
    after: int
    after_hash: str
    number: int
    at: float
    hashes: list[str]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of a witness's folder: an anchor exactly as it was signed, the installation's signature, and what the witness says of it.

    `previous` is the SHA-256 of the line before, 64 zeros for the first; `received` POSIX seconds by the witness's clock; `witness`
    its public key; `countersignature` (Ed25519, hex) is over the anchor, its signature, `previous` and `received`.
    """

    anchor: msgspec.Raw
    signature: str
    previous: str
    received: float
    witness: str
    countersignature: str


class AskHead(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What did you see last? `nonce` (hex) must stand in what is signed, so that an old answer is none."""

    nonce: str


class Hand(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Take this anchor: its text exactly as it was signed, and the signature (hex)."""

    anchor: bytes
    signature: str


class HeadTold(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Number and hash of the newest entry that the witness saw (0 and 64 zeros for none), whose log it is, signed by the witness."""

    number: int
    hash: str
    public_key: str
    witness: str
    signature: str


class Taken(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The record that the witness wrote, as the line of its folder."""

    record: bytes


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Why the witness did not take it, and the newest entry that it saw."""

    problem: Problem
    number: int = 0
    hash: str = GENESIS


Asked: TypeAlias = AskHead | Hand
Answered: TypeAlias = HeadTold | Taken | Refused


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a witness saw a log: number and hash of the newest entry, whose log it is (hex)."""

    number: int = 0
    hash: str = GENESIS
    public_key: str = ""


class Bond(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation remembers of its witness: its public key (hex), and the newest entry that it countersigned, when (POSIX)."""

    witness: str
    number: int = 0
    hash: str = GENESIS
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class AnchorState:
    """How the log is anchored: up to which entry, when last (POSIX, 0 for never), by whom, and why not now."""

    number: int = 0
    at: float = 0.0
    witness: str = ""
    problem: Problem | None = None
