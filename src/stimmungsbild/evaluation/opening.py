"""Opens what left the field. One answer that was altered is named; the others are read all the same."""

from __future__ import annotations

import hashlib

import msgspec

from stimmungsbild.collection.model import Answer, Sealed
from stimmungsbild.collection.rules import unpad
from stimmungsbild.errors import OpeningError
from stimmungsbild.evaluation.model import Opened
from stimmungsbild.keys.model import OpenKey
from stimmungsbild.keys.service import unseal


def read_sealed(data: bytes) -> Sealed:
    """The file that left a field."""
    try:
        return msgspec.json.decode(data, type=Sealed)
    except msgspec.MsgspecError as error:
        raise OpeningError(f"this is no file of sealed answers: {error}") from error


def open_answers(sealed: Sealed, key: OpenKey) -> Opened:
    """All answers that open, and the SHA-256 of each that does not."""
    answers: list[Answer] = []
    digests: list[str] = []
    altered: list[str] = []
    for box in sealed.answers:
        digest, text = hashlib.sha256(box).hexdigest(), unseal(key, box)
        try:
            answers.append(msgspec.json.decode(unpad(text or b""), type=Answer))
            digests.append(digest)
        except msgspec.MsgspecError:
            altered.append(digest)
    letters = {door.value: many for door, many in sealed.letters.items()}
    missing = sealed.acknowledged - len(sealed.answers)
    return Opened(sealed.field, tuple(answers), tuple(digests), tuple(altered), missing, letters)
