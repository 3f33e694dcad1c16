"""What stands in a package of evidence."""

from __future__ import annotations

from enum import StrEnum

import msgspec

FORMAT = "blickschutz-evidence-1"


class Basis(StrEnum):
    """Legal bases of a release (§ 21(3) LDSG RLP). There are no others."""

    PROSECUTION = "strafverfolgung"
    DANGER = "gefahrenabwehr"
    STATUTE = "gesetzlich"
    PERSON_CONCERNED = "betroffener"


# Named so that it can be refused: an administrative offence is no reason (ZB-02).
ADMINISTRATIVE_OFFENCE = "ordnungswidrigkeit"


class Custody(msgspec.Struct, frozen=True, kw_only=True):
    """The record of a release (Übergabeprotokoll). Times are POSIX seconds; people are short names.

    `recipient_key` is the age key to which the package was encrypted, empty where words open it or in packages from before this field.
    `begun` and `ended` are when the first and the last picture were taken, 0 where none was decoded.
    """

    format: str
    installation: str
    operator: str
    site: str
    case: int
    clip: str
    camera: str
    basis: str
    recipient: str
    reference: str
    people: tuple[str, str]
    released: float
    sealed_sha256: str
    clip_state: str
    contents: tuple[str, ...]
    begun: float = 0.0
    ended: float = 0.0
    timezone: str = ""
    recipient_key: str = ""


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Ed25519 over the hashes of the package's manifest and tag files; hex."""

    format: str
    public_key: str
    digests: dict[str, str]
    signature: str


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a package, and with which file of it."""

    file: str
    problem: str
    text: str
