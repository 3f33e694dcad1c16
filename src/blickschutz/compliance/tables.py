"""Sections of the facts file as tables that people hand in (CSV): purposes, incidents, ways, signs, risks and what else comes in rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Literal, get_args

from pydantic import BaseModel, ValidationError

from blickschutz.compliance.csvfile import TEXTS, NoTableError, cells_of
from blickschutz.compliance.facts import Facts, Incidents
from blickschutz.compliance.sheets import ALONE, GERMAN, ONCE, PARTICULARS, SECTIONS, Sheet, columns, covered
from blickschutz.config.loader import reason
from blickschutz.kernel.errors import SettingsError

Language = Literal["de", "en"]
_TRUTH = {"ja": "true", "nein": "false", "yes": "true", "no": "false"}
# An office writes "öffentliche Aufgabe" and "nicht öffentlich".
_PLAIN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", " ": "-", "_": "-"})
_LISTS = frozenset({"contacts"})
_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_TEXTS = {
    **TEXTS,
    "columns": ("diese Spalte gibt es nicht: {name}; möglich sind: {known}", "there is no such column: {name}; possible are: {known}"),
    "doubled": ("die Spalte {name} kommt zweimal vor", "the column {name} occurs twice"),
    "cells": ("es sind {count} Felder, {wanted} müssen es sein", "there are {count} cells, there must be {wanted}"),
    "empty": ("die Tabelle hat keine Zeile", "the table has no row"),
    "absent": ("das Feld ist leer", "the cell is empty"),
    "twice": ("{value} kommt schon in Zeile {other} vor", "{value} stands in line {other} already"),
    "camera": ("die Kamera „{value}“ gibt es nicht; hier steht ihr Kurzname", "there is no camera '{value}'; its short name stands here"),
    "overlap": (
        "der Zeitraum überschneidet sich mit Zeile {other}, bei derselben Kamera und Quelle; dieselben Vorfälle zählten doppelt",
        "the period overlaps with line {other}, for the same camera and source; the same incidents would count twice",
    ),
    "truth": ("schreiben Sie ja oder nein", "write yes or no"),
    "alone": ("die Tabelle hat nur eine Zeile", "the table has one row only"),
    "particular": (
        "diese Angabe gibt es nicht: {name}; möglich sind: {known}",
        "there is no such particular: {name}; possible are: {known}",
    ),
}


@dataclass(frozen=True, slots=True)
class Read:
    """A table as it was handed in: what its head and rows say, word for word, and the sections of the facts file that it stands for."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sections: Mapping[str, Any]


def read_table(sheet: Sheet, data: bytes, name: str, language: Language, cameras: Collection[str] | None = None) -> Read:
    """Read a CSV file, comma or semicolon, its columns in German or English; `cameras` are those that an acceptance
    may name, where that is known.
    Raises `SettingsError` with one line per problem."""
    said = _Said(name, language)
    try:
        found, _ = cells_of(data)
    except NoTableError as error:
        raise said(error.line, error.key) from error
    head = tuple(found[0]) if found else ()
    keys = _keys(sheet, head, said)
    rows = [(number, cells) for number, cells in enumerate(found[1:], 2) if any(cells)]
    if not rows:
        raise said(1, "empty")
    problems = [str(said(number, "cells", count=len(cells), wanted=len(keys))) for number, cells in rows if len(cells) != len(keys)]
    if problems:
        raise SettingsError("\n".join(problems))
    named = [(number, {key: cell for key, cell in zip(keys, cells, strict=True) if cell}) for number, cells in rows]
    sections = _particulars(named, said) if sheet is Sheet.PARTICULARS else _section(sheet, named, said, cameras)
    return Read(head, tuple(tuple(cells) for _, cells in rows), sections)


class _Said:
    """What is wrong in which line of which file."""

    def __init__(self, name: str, language: Language) -> None:
        self.name, self.language = name, language

    def __call__(self, line: int, key: str, **values: object) -> SettingsError:
        return self.plain(line, _TEXTS[key][0 if self.language == "de" else 1].format(**values))

    def plain(self, line: int, text: str) -> SettingsError:
        # A cell may hold whatever ends a line somewhere; a problem is one line.
        return SettingsError(f"{self.name}:{line}: {' '.join(text.split())}")

    def invalid(self, model: type[BaseModel], line: int, error: ValidationError, words: Mapping[str, str]) -> list[str]:
        """One line for each problem, with the column as it is called."""
        found = []
        for one in error.errors():
            path = [*one["loc"], *one.get("ctx", {}).get("where", ())]
            key = ".".join(str(part) for part in path if not isinstance(part, int))
            called = words.get(key, key) if self.language == "de" else key
            known = {"missing": "absent", "bool_parsing": "truth"}.get(one["type"])
            why = _TEXTS[known][0 if self.language == "de" else 1] if known else reason(model, one, path, self.language)
            found.append(str(self.plain(line, f"{called}: {why}")))
        return found


def _keys(sheet: Sheet, head: Sequence[str], said: _Said) -> list[str]:
    known = columns(sheet)
    words = {word.casefold(): key for key, german in known.items() for word in (key, german)}
    keys = []
    for name in head:
        key = words.get(name.casefold())
        if key is None:
            raise said(1, "columns", name=name or "–", known=", ".join(known.values() if said.language == "de" else known))
        if key in keys:
            raise said(1, "doubled", name=name)
        keys.append(key)
    return keys


def _section(
    sheet: Sheet, rows: Sequence[tuple[int, Mapping[str, str]]], said: _Said, cameras: Collection[str] | None
) -> Mapping[str, Any]:
    section, model = SECTIONS[sheet]
    made, problems, there = [], [], dict[tuple[str, str], int]()
    for number, cells in rows:
        try:
            made.append(model.model_validate({key: _value(model, key, cell) for key, cell in cells.items()}, strict=False))
        except ValidationError as error:
            problems += said.invalid(model, number, error, GERMAN)
        if cameras is not None and sheet is Sheet.ACCEPTANCES and cells.get("camera", "") not in {"", *cameras}:
            problems.append(str(said(number, "camera", value=cells["camera"])))
        if sheet in ALONE and len(made) > 1:
            problems.append(str(said(number, "alone")))
        for key, cell in cells.items():
            if (sheet, key) in ONCE and (other := there.setdefault((key, cell), number)) != number:
                problems.append(str(said(number, "twice", value=cell, other=other)))
    if sheet is Sheet.INCIDENTS and not problems:
        problems = [str(said(number, "overlap", other=other)) for number, other in _overlapping(made, [number for number, _ in rows])]
    if problems:
        raise SettingsError("\n".join(problems))
    return {section: made[0] if sheet in ALONE else tuple(made)}


def _overlapping(made: Sequence[BaseModel], numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Lines of a camera whose period shares days with an earlier one from the same source: the same incidents would count twice."""
    incidents = [one for one in made if isinstance(one, Incidents)]
    for index, one in enumerate(incidents):
        for before, number in zip(incidents[:index], numbers, strict=False):
            if one.shares(before):
                yield numbers[index], number
                break


def _particulars(rows: Sequence[tuple[int, Mapping[str, str]]], said: _Said) -> Mapping[str, Any]:
    words = {word.casefold(): key for key, german in PARTICULARS.items() for word in (key, german)}
    values: dict[str, Any] = {}
    lines, problems = dict[str, int](), list[str]()
    for number, cells in rows:
        name, value = cells.get("particular", ""), cells.get("value", "")
        key = words.get(name.casefold())
        if key is None:
            known = ", ".join(PARTICULARS.values() if said.language == "de" else PARTICULARS)
            problems.append(str(said(number, "particular", name=name or "–", known=known)))
        elif not value:
            continue
        elif key == "recipients":
            values["recipients"] = (*values.get("recipients", ()), value)
        elif key in lines:
            problems.append(str(said(number, "twice", value=name, other=lines[key])))
        elif "." in key:
            office, _, part = key.partition(".")
            values.setdefault(office, {})[part] = value
        else:
            values[key] = value.replace(",", ".") if key == "north" else value
        lines.setdefault(key or "", number)
    try:
        facts = Facts.model_validate(values, strict=False)
    except ValidationError as error:
        problems += said.invalid(Facts, 1, error, PARTICULARS)
    if problems:
        raise SettingsError("\n".join(problems))
    return {section: getattr(facts, section) for section in covered(Sheet.PARTICULARS)}


def _value(model: type[BaseModel], key: str, cell: str) -> Any:
    """A cell as the model takes it: days and numbers as an office writes them, ja and nein, several numbers in one cell."""
    shape = str(model.model_fields[key].annotation)
    if key == "points":
        return tuple(tuple(_number(one) for one in point.split()) for point in cell.split("/"))
    if key in _LISTS:
        return tuple(one.strip() for one in cell.split(" / "))
    if "tuple" in shape:
        return tuple(re.split(r"[\s/]+", cell))
    if "bool" in shape:
        return _TRUTH.get(cell.casefold(), cell)
    if "float" in shape:
        return _number(cell)
    choices = _choices(model, key)
    if choices:
        plain = cell.casefold().translate(_PLAIN)
        return next((one for one in choices if one.replace("_", "-") == plain), cell)
    if "date" in shape and (found := _DAY.fullmatch(cell)):
        return f"{found[3]}-{int(found[2]):02d}-{int(found[1]):02d}"
    return cell


def _choices(model: type[BaseModel], key: str) -> tuple[str, ...]:
    """The words of which a cell is one; empty where it may be any."""
    kinds = [kind for kind in (model.model_fields[key].annotation, *get_args(model.model_fields[key].annotation)) if kind is not None]
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return tuple(kind)
    return tuple(one for one in kinds if isinstance(one, str))


def _number(text: str) -> str:
    return text.replace(",", ".")


def template(sheet: Sheet, facts: Facts, language: Language) -> bytes:
    """The table as it is in force, to be filled in and handed in: CSV in UTF-8 with its mark, so that Excel and LibreOffice read it."""
    known, german = columns(sheet), language == "de"
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(known.values() if german else known)
    if sheet is Sheet.PARTICULARS:
        for key, word in PARTICULARS.items():
            office, _, part = key.partition(".")
            value = getattr(facts, office)
            values = value if isinstance(value, tuple) and value else [getattr(value, part, "") if part else value]
            writer.writerows([word if german else key, _cell(one)] for one in values)
    else:
        section = getattr(facts, SECTIONS[sheet][0])
        for one in section if sheet not in ALONE else () if section is None else (section,):
            writer.writerow([" / ".join(getattr(one, key)) if key in _LISTS else _cell(getattr(one, key)) for key in known])
    return out.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "ja" if value else "nein"
    if isinstance(value, tuple):
        return " / ".join(" ".join(map(str, one)) for one in value) if value and isinstance(value[0], tuple) else " ".join(map(str, value))
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)
