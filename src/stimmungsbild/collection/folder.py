"""A field's folder: `field.json`, `facts.toml`, the questionnaire as a workbook where it is an own one, `answers.db`."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec

from stimmungsbild.collection.model import Field, Map, Sealed
from stimmungsbild.collection.store import Store
from stimmungsbild.errors import FieldError
from stimmungsbild.keys.model import EvaluationKey
from stimmungsbild.law.files import demo_facts, passed, read_facts
from stimmungsbild.law.model import Facts
from stimmungsbild.questionnaire.io import built_in, read_workbook
from stimmungsbild.questionnaire.model import Questionnaire
from stimmungsbild.questionnaire.rules import digest, wording

_ID_BYTES, _PEPPER_BYTES = 16, 32
_MAP, _PICTURE = "map.json", "map.svg"
_LARGEST_PICTURE = 2 * 1024 * 1024
_FIELD, _FACTS, _WORKBOOK, _ANSWERS = "field.json", "facts.toml", "questionnaire.xlsx", "answers.db"


def fingerprint(q: Questionnaire) -> str:
    """SHA-256 over names and wordings of all items, in hex: which questionnaire a field asked."""
    return hashlib.sha256("\n".join(f"{item.name} {digest(wording(q, item))}" for item in q.items()).encode()).hexdigest()


def create(folder: Path, key: EvaluationKey, workbook: Path | None, facts: Path | None, randomness: Callable[[int], bytes]) -> Field:
    """A new field. Of the evaluation's key it gets the public halves only.

    `facts`: the facts file, its documents beside it; None makes a demonstration. Raises `LawError` with everything that is lacking.
    """
    if (folder / _FIELD).exists():
        raise FieldError(f"{folder} is a field already; a new one needs an empty folder")
    data = facts.read_bytes() if facts else demo_facts()
    law = passed(data, facts.parent if facts else None)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if workbook:
        (folder / _WORKBOOK).write_bytes(workbook.read_bytes())
    q = questionnaire_of(folder)
    if law.wave != q.wave:
        raise FieldError(f"the facts are those of wave {law.wave}, and the questionnaire is of wave {q.wave}")
    write_private(folder / _FACTS, data)
    under = hashlib.sha256(data).hexdigest()
    field = Field(randomness(_ID_BYTES).hex(), q.wave, fingerprint(q), key.public, key.verify, randomness(_PEPPER_BYTES), under, law.demo)
    write_private(folder / _FIELD, msgspec.json.format(msgspec.json.encode(field), indent=1))
    return field


def facts_of(folder: Path) -> Facts:
    """The facts under which a field began. Raises `FieldError` where they are others by now."""
    field, _ = load(folder)
    try:
        data = (folder / _FACTS).read_bytes()
    except OSError as error:
        raise FieldError(f"{folder} has no {_FACTS} any more; bring it back") from error
    if hashlib.sha256(data).hexdigest() != field.law:
        raise FieldError(f"{_FACTS} is another one than the field began with; bring back the old one, or begin another field")
    return read_facts(data)


def set_map(folder: Path, picture: bytes, what: Map) -> None:
    """Give a field its picture of the town, drawn north up, on which people point at squares. Raises `FieldError`."""
    load(folder)
    if len(picture) > _LARGEST_PICTURE or b"<svg" not in picture[:1000]:
        raise FieldError(f"the picture is an SVG of at most {_LARGEST_PICTURE // 1024} KiB")
    if min(what.wide, what.high) < 1 or max(what.wide, what.high) > 400:
        raise FieldError("the picture shows 1 to 400 squares in each direction")
    write_private(folder / _PICTURE, picture)
    write_private(folder / _MAP, msgspec.json.encode(what))


def map_of(folder: Path) -> tuple[Map, bytes] | None:
    """What the field's picture shows and the picture; None where it has none."""
    try:
        return msgspec.json.decode((folder / _MAP).read_bytes(), type=Map), (folder / _PICTURE).read_bytes()
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise FieldError(f"{_MAP} cannot be read: {error}; `stimmungsbild field map` makes it anew") from error


def served(folder: Path, today: date) -> Facts:
    """The facts of a field that may be answered today. Raises `FieldError`."""
    facts = facts_of(folder)
    if not facts.demo and not facts.begins <= today <= facts.ends:
        raise FieldError(f"the papers of this field say {facts.begins} to {facts.ends}, and today is {today}")
    return facts


def load(folder: Path) -> tuple[Field, Questionnaire]:
    """A field that was created. Raises `FieldError` where its questionnaire is another one than it began with."""
    try:
        field = msgspec.json.decode((folder / _FIELD).read_bytes(), type=Field)
    except (OSError, msgspec.MsgspecError) as error:
        raise FieldError(f"{folder} is no field: {error}; `stimmungsbild field create` makes one") from error
    q = questionnaire_of(folder)
    if fingerprint(q) != field.questionnaire:
        raise FieldError("the questionnaire is another one than the field began with; bring back the old one, or begin another field")
    return field, q


def questionnaire_of(folder: Path) -> Questionnaire:
    """The field's own questionnaire, else that of the package."""
    own = folder / _WORKBOOK
    return read_workbook(own) if own.exists() else built_in()


def open_store(folder: Path, randomness: Callable[[int], bytes]) -> Store:
    """The database of a field."""
    try:
        return Store(folder / _ANSWERS, randomness)
    except sqlite3.Error as error:
        raise FieldError(f"the field's database cannot be opened: {error}") from error


def write_private(path: Path, data: bytes) -> None:
    """Wholly or not at all, for its owner alone."""
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def end(folder: Path, target: Path, randomness: Callable[[int], bytes]) -> tuple[Sealed, str]:
    """Close a field and write all that leaves it to `target`; with the file's SHA-256, which two people write down."""
    field, _ = load(folder)
    store = open_store(folder, randomness)
    try:
        store.close_field()
        sealed = Sealed(field, store.acknowledged(), store.letters(), store.answers())
    finally:
        store.close()
    data = msgspec.json.encode(sealed)
    write_private(target, data)
    return sealed, hashlib.sha256(data).hexdigest()
