"""Small counts in published tables (statistical disclosure control).

Cells from 1 to 4 are hidden (primary suppression), and as many others that nobody can compute them from the total
(secondary suppression; Willenborg and de Waal, Elements of Statistical Disclosure Control, 2001). All hidden cells look
alike, so a reader knows of each only that it is at least 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LEAST = 5


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
