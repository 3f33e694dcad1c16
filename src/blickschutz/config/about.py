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


def settings_in(model: type[Any]) -> dict[str, Setting]:
    """The settings of a section by name. Raises `KeyError` for one of which nothing is said."""
    if issubclass(model, BaseModel):
        found = {key: next((one for one in field.metadata if isinstance(one, Setting)), None) for key, field in model.model_fields.items()}
        missing = [key for key, one in found.items() if one is None]
        if missing:
            raise KeyError(f"{model.__name__}: nothing is said of {', '.join(missing)}")
        return {key: one for key, one in found.items() if one is not None}
    return {one.name: Setting(one.metadata[GERMAN]) for one in dataclasses.fields(model)}


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
