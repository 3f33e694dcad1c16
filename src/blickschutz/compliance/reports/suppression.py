"""Small counts in published tables (statistical disclosure control).

Cells from 1 to 4 are hidden (primary suppression), and as many others that nobody can compute them from the total
(secondary suppression; Willenborg and de Waal, Elements of Statistical Disclosure Control, 2001). All hidden cells look
alike, so a reader knows of each only that it is at least 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from blickschutz.kernel.errors import FaultError

LEAST = 5
HIDDEN = "•"
NOT_PUBLISHED = "nicht veröffentlicht"
_SMALL = re.compile(rf"(?<![\d.,:§])\b(?:[1-{LEAST - 1}]|einmal|zwei|zweimal|drei|dreimal|vier|viermal)\b(?![.,:]?\d)", re.IGNORECASE)


class Count:
    """How many there were of something that could tell of a person. It has no text: only a `Suppressor` writes it."""

    __slots__ = ("_value",)

    def __init__(self, value: int) -> None:
        self._value = value

    def __str__(self) -> str:
        raise FaultError("a count is written by the suppressor alone")

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Shown:
    """What is written of some tables of the same things: their total, and each table's cells; None for a table that is not published."""

    total: str
    tables: Mapping[str, Mapping[str, str] | None]


class Suppressor:
    """Writes counts: all of them in an internal report, and in a `public` one those that tell of nobody."""

    def __init__(self, *, public: bool) -> None:
        self.public = public

    def alone(self, count: Count) -> str:
        """A count that belongs to no table."""
        return HIDDEN if self.hides(count) else f"{count._value}"

    def hides(self, *counts: Count) -> bool:
        """Whether one of them is too small to be published."""
        return self.public and any(0 < count._value < LEAST for count in counts)

    def tables(self, tables: Mapping[str, Mapping[str, Count]]) -> Shown:
        """Tables of the same things: see `publish`."""
        bare = {name: {label: count._value for label, count in cells.items()} for name, cells in tables.items()}
        found = publish(bare) if self.public else Published(next((sum(cells.values()) for cells in bare.values()), 0), bare)
        return Shown(
            _written(found.total),
            {
                name: None if cells is None else {label: _written(count) for label, count in cells.items()}
                for name, cells in found.tables.items()
            },
        )

    def text(self, written: str) -> str:
        """What somebody wrote in a fact: in public not where a small number stands in it."""
        return NOT_PUBLISHED if self.public and _SMALL.search(written) else written


def _written(count: int | None) -> str:
    return HIDDEN if count is None else str(count)


@dataclass(frozen=True, slots=True)
class Published:
    """What may be published of some tables of the same things. A hidden cell or table is None; so is a total that is small."""

    total: int | None
    tables: Mapping[str, Mapping[str, int | None] | None]


def publish(tables: Mapping[str, Mapping[str, int]], least: int = LEAST) -> Published:
    """Hide what is small. All tables count the same things, so each has the same total, which a reader may know from any of them."""
    totals = {sum(cells.values()) for cells in tables.values()}
    if len(totals) > 1:
        raise ValueError("tables of the same things have the same total")
    total = totals.pop() if totals else 0
    if 0 < total < least:
        return Published(None, dict.fromkeys(tables))
    return Published(total, {name: _hidden(cells, least) for name, cells in tables.items()})


def _hidden(cells: Mapping[str, int], least: int) -> dict[str, int | None] | None:
    """The table with small cells hidden; None where that is not enough.

    With a known total the hidden cells have a known sum. It tells nothing exactly when at least two are hidden and the sum
    is larger than their number: then one of them may be larger and another smaller.
    """
    hidden = {name for name, count in cells.items() if 0 < count < least}
    if not hidden:
        return dict(cells)
    others = sorted((count, name) for name, count in cells.items() if count >= least)
    while len(hidden) < 2 or sum(cells[name] for name in hidden) <= len(hidden):
        if not others:
            return None
        hidden.add(others.pop(0)[1])
    return {name: None if name in hidden else count for name, count in cells.items()}
