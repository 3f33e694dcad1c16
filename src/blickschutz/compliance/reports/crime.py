"""The police's figures: import from CSV, rates, and rate ratios with confidence intervals. Never stated as cause."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from blickschutz.kernel.errors import SettingsError

COLUMNS = ("kind", "place", "from", "to", "offences", "identity_checks")
_Z95 = 1.959964
_TEXTS = {
    "encoding": ("die Datei ist nicht in UTF-8; speichern Sie sie als „CSV UTF-8“", "the file is not in UTF-8; save it as CSV UTF-8"),
    "columns": ("die Spalten müssen heißen: {columns}", "the columns must be called: {columns}"),
    "cells": ("es sind {count} Felder, {wanted} müssen es sein", "there are {count} cells, there must be {wanted}"),
    "date": ("{value!r} ist kein Tag; schreiben Sie zum Beispiel 2025-12-01", "{value!r} is no day; write for example 2025-12-01"),
    "order": ("der Zeitraum endet, bevor er beginnt", "the period ends before it begins"),
    "count": ("{value!r} ist keine Anzahl; schreiben Sie eine ganze Zahl ab 0", "{value!r} is no count; write a whole number from 0"),
    "empty": ("Art und Ort dürfen nicht leer sein", "kind and place must not be empty"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """Offences of one kind at one place in a period, both days included, and how many identity checks the police made then."""

    kind: str
    place: str
    first: date
    last: date
    offences: int
    identity_checks: int

    @property
    def days(self) -> int:
        """Length of the period."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of rates and its 95 % confidence interval. `high` is infinite, and `value` NaN, where nothing was counted before."""

    value: float
    low: float
    high: float


def read_rows(data: bytes, name: str, language: Literal["de", "en"] = "de") -> list[Row]:
    """The rows of a CSV file, comma or semicolon. Raises `SettingsError` that names file and line of every problem."""
    index = 0 if language == "de" else 1

    def said(line: int, key: str, **values: object) -> str:
        return f"{name}:{line}: {_TEXTS[key][index].format(**values)}"

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(said(1 + data[: error.start].count(b"\n"), "encoding")) from error
    lines = text.splitlines()
    delimiter = ";" if lines and ";" in lines[0] else ","
    found = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    if not found or tuple(cell.strip() for cell in found[0]) != COLUMNS:
        raise SettingsError(said(1, "columns", columns=delimiter.join(COLUMNS)))
    rows, problems = [], []
    for number, cells in enumerate(found[1:], 2):
        if not any(cells):
            continue
        if len(cells) != len(COLUMNS):
            problems.append(said(number, "cells", count=len(cells), wanted=len(COLUMNS)))
            continue
        try:
            rows.append(_row([cell.strip() for cell in cells]))
        except _BadCellError as error:
            problems.append(said(number, error.key, value=error.value))
    if problems:
        raise SettingsError("\n".join(problems))
    return rows


class _BadCellError(ValueError):
    def __init__(self, key: str, value: str = "") -> None:
        super().__init__(key)
        self.key, self.value = key, value


def _row(cells: list[str]) -> Row:
    kind, place, first, last, offences, checks = cells
    if not kind or not place:
        raise _BadCellError("empty")
    row = Row(kind, place, _day(first), _day(last), _count(offences), _count(checks))
    if row.last < row.first:
        raise _BadCellError("order")
    return row


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise _BadCellError("date", value) from error


def _count(value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise _BadCellError("count", value)
    return int(value)


def rate(rows: Sequence[Row]) -> float:
    """Offences for each day."""
    days = sum(row.days for row in rows)
    return sum(row.offences for row in rows) / days if days else math.nan


def ratio(after: int, days_after: float, before: int, days_before: float) -> Ratio:
    """Rate after by rate before. Given their sum the counts are binomial (Przyborowski and Wilenski 1940); the interval of the
    share is Wilson's (1927), so that it holds with few and with no offences too.
    """
    total, exposure = after + before, days_after / days_before
    if total == 0:
        return Ratio(math.nan, 0.0, math.inf)
    share = after / total
    middle = share + _Z95**2 / (2 * total)
    spread = _Z95 * math.sqrt(share * (1 - share) / total + _Z95**2 / (4 * total**2))
    low, high = ((middle + sign * spread) / (1 + _Z95**2 / total) for sign in (-1, 1))
    value = math.inf if before == 0 else (after / before) / exposure
    return Ratio(value, _odds(max(0.0, low)) / exposure, _odds(min(1.0, high)) / exposure)


def _odds(share: float) -> float:
    return math.inf if share >= 1 else share / (1 - share)


def ratio_of_ratios(here: tuple[int, int], there: tuple[int, int]) -> Ratio | None:
    """How the change here compares with the change in the comparison area; each is (before, after) in periods of the same length.

    None where a count is nought: then nothing can be said. Logarithms are taken for normal (Woolf 1955).
    """
    if 0 in (*here, *there):
        return None
    value = math.log(here[1] / here[0]) - math.log(there[1] / there[0])
    spread = _Z95 * math.sqrt(sum(1 / count for count in (*here, *there)))
    return Ratio(math.exp(value), math.exp(value - spread), math.exp(value + spread))
