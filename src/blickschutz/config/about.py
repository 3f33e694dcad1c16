"""What there is to know of a setting besides its type, bounds and English meaning, said where it stands in its section.

port: Annotated[int, Field(ge=1024, le=65535), Setting("Port der Seiten.")] = 8710
\"\"\"Port on which the pages are served.\"\"\"
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from blickschutz.situations.declare import GERMAN


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting. `german` is its meaning as a page shows it; the English one is its docstring, which the schema has, too."""

    german: str
    live: bool | None = None
    """Whether a change of it reaches the running system by its cells and pages, or waits for the next start. None: as what it stands in;
    at the top of the file: the next start."""
    shown: bool = False
    """Only what something is called, or how it is drawn on pages: no picture, no rule and no period is another one by it, so one person
    may change it. Where a camera stands on the plan is no such thing: by it go the rule of signs before each view, and documents."""
    anchor: bool = False
    """By this the service is kept honest, or here it lives: whoever has the service must not have it, too; it is changed by hand."""
    law: str = ""
    """The paragraph behind a refusal of its value."""


def said_of(model: type[Any], key: str) -> Setting | None:
    """What is said of a setting; None where nothing is."""
    if issubclass(model, BaseModel):
        field = model.model_fields.get(key)
        return next((one for one in field.metadata if isinstance(one, Setting)), None) if field is not None else None
    bound = next((one for one in dataclasses.fields(model) if one.name == key), None)
    return Setting(bound.metadata[GERMAN]) if bound is not None else None


def settings_in(model: type[Any]) -> dict[str, Setting]:
    """The settings of a section by name. Raises `KeyError` for one of which nothing is said."""
    keys = list(model.model_fields) if issubclass(model, BaseModel) else [one.name for one in dataclasses.fields(model)]
    found = {key: said_of(model, key) for key in keys}
    if missing := [key for key, one in found.items() if one is None]:
        raise KeyError(f"{model.__name__}: nothing is said of {', '.join(missing)}")
    return {key: one for key, one in found.items() if one is not None}


def every(model: type[Any], within: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Setting]]:
    """All settings of a section and of those in it with their paths, without names of entries in lists."""
    for key, one in settings_in(model).items():
        yield (*within, key), one
        if (inner := section_of(_annotation(model, key))) is not None:
            yield from every(inner, (*within, key))


def english(model: type[Any], key: str) -> str:
    """What a setting means, as the schema says it."""
    if issubclass(model, BaseModel):
        return model.model_fields[key].description or ""
    return str(next(one.metadata["description"] for one in dataclasses.fields(model) if one.name == key))


def along(model: type[Any], path: Sequence[str]) -> Iterator[tuple[type[Any], str] | None]:
    """The settings to which a path leads, each as its section and name; names of entries in lists are passed over.

    None, and then no more, where there is no such setting.
    """
    here: type[Any] | None = model
    is_entry = False
    for part in path:
        if is_entry or here is None:
            is_entry = False
            continue
        annotation = _annotation(here, part)
        yield (here, part) if annotation is not None else None
        if annotation is None:
            return
        here, is_entry = section_of(annotation), getattr(annotation, "__origin__", None) is tuple


def is_one_section(model: type[Any], key: str) -> bool:
    """Whether a setting is a section: no value, and no list of sections."""
    annotation = _annotation(model, key)
    return section_of(annotation) is not None and getattr(annotation, "__origin__", None) is not tuple


def _annotation(model: type[Any], name: str) -> Any:
    if issubclass(model, BaseModel):
        found = model.model_fields.get(name)
        return found.annotation if found is not None else None
    return next((field.type for field in dataclasses.fields(model) if field.name == name), None)


def section_of(annotation: Any) -> type[Any] | None:
    """The section that a setting is, or is a list of; None where it is a value."""
    if isinstance(annotation, type) and (issubclass(annotation, BaseModel) or dataclasses.is_dataclass(annotation)):
        return annotation
    return next((found for part in getattr(annotation, "__args__", ()) if (found := section_of(part))), None)
