"""Changes of settings as people read them: which setting, what it means, before and after."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blickschutz.config.about import along
from blickschutz.config.model import SiteFile
from blickschutz.kernel.errors import UNREADABLE
from blickschutz.settings.model import Difference, Edit, Effects, Refused
from blickschutz.web.settings import meaning_of, shown_address

_MOST_SHOWN = 2000


@dataclass(frozen=True, slots=True)
class Shown:
    """One difference: the key, where it stands in words, what it means, the values as the file writes them; empty where there is none."""

    key: str
    place: str
    meaning: str
    before: str
    after: str


def shown(differences: Sequence[Difference], names: Mapping[str, str], language: str) -> list[Shown]:
    """`names` are those of the cameras by id."""
    return [
        Shown(
            one.key,
            names.get(one.path[1], one.path[1]) if one.path[0] == "cameras" and len(one.path) > 1 else "",
            meaning_at(one.path, language),
            _written(one.before) if one.had else "",
            _written(one.after) if one.has else "",
        )
        for one in differences
    ]


def meaning_at(path: Sequence[str], language: str) -> str:
    """What the setting at a path means; of an entry of a list, what the list means. Empty where there is no such setting."""
    steps = list(along(SiteFile, path))
    last = steps[-1] if steps else None
    return meaning_of(*last, language) if last is not None else ""


def _written(value: Any) -> str:
    """A value as the file writes it, about; a table with a line for each of its settings."""
    lines = [f"{key} = {_inline(one)}" for key, one in value.items()] if isinstance(value, dict) else [_inline(value)]
    text = "\n".join(lines)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]} …"


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_inline(one)}' for key, one in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    if isinstance(value, str):
        return json.dumps(shown_address(value) if "://" in value else value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False, default=str)


def edit_of(key: str, value: str) -> Edit | None:
    """What somebody typed: a path with dots, and a value as the file writes it, or text as it is; None where that is neither.

    Without a value the setting is removed, so that its default holds.
    """
    path = tuple(part.strip() for part in key.split(".") if part.strip())
    if not path:
        return None
    typed = value.strip()
    if not typed:
        return Edit(path, remove=True)
    try:
        found = tomllib.loads(f"x = {typed}")
    except UNREADABLE:
        return None
    return Edit(path, found["x"]) if found.keys() == {"x"} else None


def refusal_in_words(refused: Refused, language: str) -> dict[str, Any]:
    """Why a change was not made, as the pages show it."""
    index = 0 if language == "de" else 1
    return {
        "problem": refused.why.value,
        "lines": [*refused.lines, *refused.keys],
        "against": [(one.rule, one.source, one.text[index]) for one in refused.against],
    }


def effects_in_words(effects: Effects, name_of: Callable[[str], str], language: str) -> dict[str, Any]:
    """What a change does, as the pages show it; `name_of` gives a camera's name."""
    index = 0 if language == "de" else 1
    rules = {name: [(one.rule, one.source, one.text[index]) for one in getattr(effects, name)] for name in ("open", "anew")}
    cells = [(name_of(name), reach.value) for name, reach in effects.cells.items()]
    return {**rules, "cells": cells, "documents": effects.documents, "restart": effects.restart}
