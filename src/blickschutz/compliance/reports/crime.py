"""The police's figures: import from CSV, with all that must fit before anything is reckoned from them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Literal, TypeVar

from blickschutz.compliance.csvfile import TEXTS, NoTableError, cells_of
from blickschutz.kernel.errors import SettingsError

COLUMNS = ("kind", "place", "role", "period", "event", "from", "to", "unit", "exposure", "offences", "identity_checks")
MOST_YEARS = 4
"""How far before the period looked at a period of comparison may begin: what is older compares other times."""
EVENT_YEARS = 3
"""Over how many years at least an event that returns (a Christmas market) is looked at."""
_MOST_DAYS = MOST_YEARS * 366
_TEXTS = {
    **TEXTS,
    "no-row": ("die Tabelle hat keine Zeile", "the table has no row"),
    "columns": ("die Spalten müssen heißen: {columns}", "the columns must be called: {columns}"),
    "cells": ("es sind {count} Felder, {wanted} müssen es sein", "there are {count} cells, there must be {wanted}"),
    "date": ("{value!r} ist kein Tag; schreiben Sie zum Beispiel 2025-12-01", "{value!r} is no day; write for example 2025-12-01"),
    "order": ("der Zeitraum endet, bevor er beginnt", "the period ends before it begins"),
    "count": ("{value!r} ist keine Anzahl; schreiben Sie eine ganze Zahl ab 0", "{value!r} is no count; write a whole number from 0"),
    "empty": ("Art und Ort dürfen nicht leer sein", "kind and place must not be empty"),
    "word": ("{value!r} ist nicht möglich; schreiben Sie eines von: {words}", "{value!r} is not possible; write one of: {words}"),
    "days": (
        "{value} Tage passen nicht: der Zeitraum hat {days} (Öffnungstage: höchstens so viele)",
        "{value} days do not fit: the period has {days} (opening days: at most as many)",
    ),
    "nothing": ("exposure muss größer als 0 sein", "exposure must be greater than 0"),
    "overlap": (
        "der Zeitraum überschneidet sich mit Zeile {other}; dieselben Taten zählten doppelt",
        "the period overlaps with line {other}; the same offences would count twice",
    ),
    "role": ("derselbe Ort hat in Zeile {other} eine andere Rolle", "the same place has another role in line {other}"),
    "unit": ("dieselbe Art hat in Zeile {other} eine andere Bezugsgröße (unit)", "the same kind has another unit in line {other}"),
    "before": (
        "„vorher“ endet nicht vor dem Beginn von „nachher“ (Zeile {other})",
        "“before” does not end before “after” begins (line {other})",
    ),
    "outside": (
        "„nachher“ liegt nicht im Zeitraum des Berichts ({first} bis {last})",
        "“after” does not lie in the period of the report ({first} to {last})",
    ),
    "old": (
        f"der Zeitraum beginnt mehr als {MOST_YEARS} Jahre vor dem Bericht; er beschreibt eine andere Zeit",
        f"the period begins more than {MOST_YEARS} years before the report; it tells of another time",
    ),
}


class Role(StrEnum):
    """What a place is for the comparison."""

    WATCHED = "watched"
    COMPARISON = "comparison"


class Period(StrEnum):
    """Before the cameras (or before the period of the report), or in it."""

    BEFORE = "before"
    AFTER = "after"


class Unit(StrEnum):
    """What offences are set against."""

    DAYS = "days"
    OPENING_DAYS = "opening_days"
    VISITORS = "visitors"


_ROLES = {"watched": Role.WATCHED, "beobachtet": Role.WATCHED, "comparison": Role.COMPARISON, "vergleich": Role.COMPARISON}
_PERIODS = {"before": Period.BEFORE, "vorher": Period.BEFORE, "after": Period.AFTER, "nachher": Period.AFTER}
_UNITS = {
    "days": Unit.DAYS,
    "tage": Unit.DAYS,
    "opening_days": Unit.OPENING_DAYS,
    "öffnungstage": Unit.OPENING_DAYS,
    "visitors": Unit.VISITORS,
    "besucher": Unit.VISITORS,
}


@dataclass(frozen=True, slots=True)
class Row:
    """Offences of one kind at one place in a period, both days included, and how many identity checks the police made then.

    `event` names what returns every year, empty for the time as such; `exposure` is in `unit`.
    """

    kind: str
    place: str
    role: Role
    period: Period
    event: str
    first: date
    last: date
    unit: Unit
    exposure: float
    offences: int
    identity_checks: int

    @property
    def days(self) -> int:
        """Length of the period."""
        return (self.last - self.first).days + 1


class _BadCellError(ValueError):
    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key, self.values = key, values


_Numbered = tuple[int, Row]
_GERMAN_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_Word = TypeVar("_Word")


def read_rows(data: bytes, name: str, language: Literal["de", "en"] = "de", report: tuple[date, date] | None = None) -> list[Row]:
    """The rows of a CSV file, comma or semicolon, for a report of that period. Raises `SettingsError` that names file and line of every
    problem: what is no table, and what fits neither itself nor the report."""
    index = 0 if language == "de" else 1

    def said(line: int, key: str, **values: object) -> str:
        return f"{name}:{line}: {_TEXTS[key][index].format(**values)}"

    try:
        found, delimiter = cells_of(data)
    except NoTableError as error:
        raise SettingsError(said(error.line, error.key)) from error
    if not found or tuple(found[0]) != COLUMNS:
        raise SettingsError(said(1, "columns", columns=delimiter.join(COLUMNS)))
    if not any(any(cells) for cells in found[1:]):
        raise SettingsError(said(1, "no-row"))
    rows: list[_Numbered] = []
    problems = []
    for number, cells in enumerate(found[1:], 2):
        if not any(cells):
            continue
        if len(cells) != len(COLUMNS):
            problems.append(said(number, "cells", count=len(cells), wanted=len(COLUMNS)))
            continue
        try:
            rows.append((number, _row(cells)))
        except _BadCellError as error:
            problems.append(said(number, error.key, **error.values))
    problems += [] if problems else [said(number, key, **values) for number, key, values in _misfits(rows, report)]
    if problems:
        raise SettingsError("\n".join(problems))
    return [row for _, row in rows]


def _row(cells: list[str]) -> Row:
    kind, place, role, period, event, first, last, unit, exposure, offences, checks = cells
    if not kind or not place:
        raise _BadCellError("empty")
    begins, ends = _day(first), _day(last)
    if ends < begins:
        raise _BadCellError("order")
    known = _word(unit, _UNITS)
    return Row(
        kind,
        place,
        _word(role, _ROLES),
        _word(period, _PERIODS),
        event,
        begins,
        ends,
        known,
        _exposure(exposure, known, (ends - begins).days + 1),
        _count(offences),
        _count(checks),
    )


def _word(value: str, words: Mapping[str, _Word]) -> _Word:
    try:
        return words[value.lower()]
    except KeyError as error:
        raise _BadCellError("word", value=value, words=", ".join(words)) from error


def _exposure(value: str, unit: Unit, days: int) -> float:
    if unit is Unit.DAYS and not value:
        return float(days)
    count = _count(value)
    if count == 0:
        raise _BadCellError("nothing")
    if (unit is Unit.DAYS and count != days) or (unit is Unit.OPENING_DAYS and count > days):
        raise _BadCellError("days", value=count, days=days)
    return float(count)


def _day(value: str) -> date:
    found = _GERMAN_DAY.fullmatch(value)
    try:
        return date(int(found[3]), int(found[2]), int(found[1])) if found is not None else date.fromisoformat(value)
    except ValueError as error:
        raise _BadCellError("date", value=value) from error


def _count(value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise _BadCellError("count", value=value)
    return int(value)


_Misfit = tuple[int, str, dict[str, object]]


def _misfits(rows: Sequence[_Numbered], report: tuple[date, date] | None) -> list[_Misfit]:
    """Lines that do not fit each other, or the report."""
    found: list[_Misfit] = []
    places: dict[str, _Numbered] = {}
    kinds: dict[tuple[str, str], _Numbered] = {}
    spans: dict[tuple[str, str, str], list[_Numbered]] = {}
    for number, row in rows:
        same_place, same_kind = places.setdefault(row.place, (number, row)), kinds.setdefault((row.kind, row.event), (number, row))
        if same_place[1].role is not row.role:
            found.append((number, "role", {"other": same_place[0]}))
        if same_kind[1].unit is not row.unit:
            found.append((number, "unit", {"other": same_kind[0]}))
        spans.setdefault((row.kind, row.place, row.event), []).append((number, row))
        if report is not None and row.period is Period.AFTER and not (report[0] <= row.first and row.last <= report[1]):
            found.append((number, "outside", {"first": report[0], "last": report[1]}))
        if report is not None and (report[0] - row.first).days > _MOST_DAYS:
            found.append((number, "old", {}))
    for group in spans.values():
        ordered = sorted(group, key=lambda one: (one[1].first, one[0]))
        found += [(two[0], "overlap", {"other": one[0]}) for one, two in pairwise(ordered) if two[1].first <= one[1].last]
    return sorted(found + _reversed(rows), key=lambda one: one[0])


def _reversed(rows: Sequence[_Numbered]) -> list[_Misfit]:
    """Lines that say "before" and end after an "after" of the same kind begins."""
    begins: dict[tuple[str, str], _Numbered] = {}
    for number, row in rows:
        key = (row.kind, row.event)
        if row.period is Period.AFTER and (key not in begins or row.first < begins[key][1].first):
            begins[key] = (number, row)
    found: list[_Misfit] = []
    for number, row in rows:
        after = begins.get((row.kind, row.event))
        if row.period is Period.BEFORE and after is not None and row.last >= after[1].first:
            found.append((number, "before", {"other": after[0]}))
    return found
