"""The settings in force as people read them: value, meaning, and the line of the site file or that it is the default."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from pydantic import BaseModel

from blickschutz.config.about import english, settings_in
from blickschutz.config.lines import key_lines
from blickschutz.config.model import SiteFile
from blickschutz.ingest.rules.address import without_secrets
from blickschutz.situations.kinds import Kind, name
from blickschutz.web.texts import MODE_WORDS, PRIORITY_WORDS, REGIME_WORDS, ROLE_WORDS, SIDE_WORDS, number, translator
from blickschutz.web.words import POINTS

_Path = tuple[str | int, ...]
_GIVEN = re.compile(r"=[^&;/?#]*")


@dataclass(frozen=True, slots=True)
class Row:
    """One setting. `line` is where it stands in the site file, 0 where the default is in force."""

    key: str
    value: str
    meaning: str
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the site file; `parts` are the entries of a list, each with its name."""

    key: str
    meaning: str
    rows: list[Row]
    parts: list[tuple[str, list[Row]]]


def sections(site: SiteFile, text: str, language: str) -> list[Section]:
    """All sections in the order of the model. Passwords in addresses are not shown."""
    lines, found = key_lines(text), []
    for key in SiteFile.model_fields:
        value, meaning = getattr(site, key), meaning_of(SiteFile, key, language)
        if isinstance(value, tuple):
            parts = [(_title(one), [*_rows(one, (key, index), "", lines, language, only_set=True)]) for index, one in enumerate(value)]
            found.append(Section(key, meaning, [], parts))
        elif isinstance(value, BaseModel):
            found.append(Section(key, meaning, [*_rows(value, (key,), "", lines, language)], []))
    return found


def meaning_of(model: type[Any], key: str, language: str) -> str:
    """What a setting means, in the language of the page."""
    return settings_in(model)[key].german if language == "de" else english(model, key).replace("`", "")


def _rows(part: Any, path: _Path, prefix: str, lines: Mapping[_Path, int], language: str, *, only_set: bool = False) -> Iterator[Row]:
    for key, value in _fields(part):
        here, shown = (*path, key), f"{prefix}{key}"
        line = lines.get(here, 0)
        if isinstance(value, BaseModel) or dataclasses.is_dataclass(value):
            # What a line of the file says about the whole stands there for its parts.
            yield from _rows(value, here, f"{shown}.", {**lines, **_inherited(value, here, line)}, language, only_set=only_set)
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            for index, one in enumerate(value):
                yield from _rows(one, (*here, index), f"{shown}[{_title(one)}].", lines, language, only_set=True)
        elif not only_set or line or key in _FACTS:
            yield Row(shown, _shown(key, value, language), meaning_of(type(part), key, language), line)


_FACTS = frozenset({"id", "name"})
# What the values of enumerations are called.
_ENUMS: Mapping[str, str] = {**PRIORITY_WORDS, **MODE_WORDS, **ROLE_WORDS, **REGIME_WORDS, **SIDE_WORDS}


def _inherited(part: Any, path: _Path, line: int) -> dict[_Path, int]:
    """Keys of a table that is written in one line stand in that line."""
    return {(*path, key): line for key, value in _fields(part) if line and value not in (None, (), {})}


def _fields(part: Any) -> Iterator[tuple[str, Any]]:
    names = type(part).model_fields if isinstance(part, BaseModel) else [field.name for field in dataclasses.fields(part)]
    return ((one, getattr(part, one)) for one in names)


def _title(part: Any) -> str:
    return str(getattr(part, "name", None) or getattr(part, "id", ""))


def _shown(key: str, value: Any, language: str) -> str:
    """A value as people read it."""
    translate = translator(language)
    if value is None or value in ("", (), {}, frozenset()):
        return "–"
    if isinstance(value, bool):
        return translate("ja") if value else translate("nein")
    if isinstance(value, Kind):
        return name(value, language)
    if isinstance(value, Enum):
        return translate(_ENUMS.get(str(value.value), str(value.value)))
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}" if language == "de" else f"{value:%d %b %Y}"
    if isinstance(value, dict):
        return ", ".join(f"{_shown('', one, language)}: {_shown('', two, language)}" for one, two in value.items())
    if isinstance(value, (tuple, frozenset)):
        if isinstance(next(iter(value)), tuple):
            return translate(POINTS).format(n=len(value))
        return ", ".join(_shown("", one, language) for one in value)
    if isinstance(value, float):
        text = number(value, language, 4).rstrip("0")
        return text.rstrip(",.")
    return shown_address(str(value)) if key == "address" else str(value)


def shown_address(address: str) -> str:
    """A stream's address without the credentials in it. Many cameras take them in path or query (`/user=admin&password=…`)."""
    shown = without_secrets(address)
    return _GIVEN.sub("=…", address if shown == address else shown.replace("://", "://…@", 1))
