"""Opens what left the field. One answer that was altered is named; the others are read all the same."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import msgspec

from stimmungsbild.collection.model import Answer, Door, Sealed
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


def joined(files: Sequence[Sealed]) -> Sealed:
    """All files of one field as one. Raises `OpeningError` for files of different fields, and for an answer that is in two of them."""
    first, *others = files
    if any(one.field != first.field for one in others):
        raise OpeningError("these files are of different fields")
    answers = tuple(box for one in files for box in one.answers)
    if len(set(answers)) != len(answers):
        raise OpeningError("an answer is there twice; one of the files was given twice, or copied into another")
    letters: Counter[Door] = Counter()
    for one in files:
        letters.update(one.letters)
    return Sealed(first.field, sum(one.acknowledged for one in files), dict(letters), answers)


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
