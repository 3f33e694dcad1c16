"""What a field is, and what comes of a form that was sent."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Door(StrEnum):
    """How somebody came to answer."""

    REGISTER = "register"
    OPEN = "open"
    OUTREACH = "outreach"


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field as its folder says: whose key seals, which questionnaire it is, with what codes are hashed (`pepper`, 32 bytes).

    `law`: SHA-256 (hex) of the facts file under which it began; `demo`: that of a demonstration.
    """

    id: str
    wave: str
    questionnaire: str
    public: bytes
    verify: bytes
    pepper: bytes
    law: str = ""
    demo: bool = False


class Map(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a field's picture of the town shows: its lower left square (in hundreds of metres, ETRS89-LAEA), and how many squares."""

    east: int
    north: int
    wide: int
    high: int


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One answer as it is sealed. `burst`: at the open door, while more arrived than people usually send.

    `worked`: its browser did the work that the open door asks for; one without a script does not.
    """

    door: Door
    language: str
    day: str
    burst: bool
    values: dict[str, str | tuple[str, ...]]
    worked: bool = False


class Outcome(StrEnum):
    """What came of a form. Of a code that does not count nobody learns whether it was spent, altered or made up."""

    TAKEN = "taken"
    ALREADY = "already"
    REFUSED = "refused"
    TOO_MANY_CODES = "too-many-codes"
    BUSY = "busy"
    NOT_SAVED = "not-saved"
    CLOSED = "closed"


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that leaves a field at its end: sealed answers in no order, and how many were acknowledged.

    `letters`: codes of each door that were made; `spent`: forms that were acknowledged.
    """

    field: Field
    acknowledged: int
    letters: dict[Door, int]
    answers: tuple[bytes, ...]


# Totals of what was answered, by door and by the values of single items; never crossed with each other.
Totals = Mapping[Door, Mapping[str, Mapping[str, int]]]
STRATA = ("district", "age", "sex", "passport", "language")
