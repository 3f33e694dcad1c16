"""Named squares of the 100 m grid merged until ten people stand behind each (quadtree with people, not points).

A reader knows the rule, so what is not divided tells that each of its quarters has nine people at most. Of many people in few quarters
that would prove somebody in each. So a count is cut where it would, and a rest of two quarters is not shown.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from stimmungsbild.evaluation.model import Cell

FEWEST_PEOPLE = 10
# The largest square: 64 x 100 m. What is still too few there is not shown.
LARGEST = 64
_QUARTERS = 4
# Name of a 100 m square after the INSPIRE grid (ETRS89-LAEA, EPSG:3035): north and east of its lower left corner in hundreds of metres.
_SQUARE = re.compile(r"100mN([0-9]{5})E([0-9]{5})")
Named = Mapping[tuple[int, int], set[int]]


def square(name: str) -> tuple[int, int] | None:
    """East and north of a square in hundreds of metres; None where the name is none."""
    found = _SQUARE.fullmatch(name)
    return (int(found[2]), int(found[1])) if found else None


def cells(named: Iterable[tuple[int, int, int]], fewest: int = FEWEST_PEOPLE) -> tuple[tuple[Cell, frozenset[int]], ...]:
    """What may be shown, with the people who stand behind it.

    `named`: east and north of a 100 m square in hundreds of metres, and who named it. Whoever names two squares that are merged is one
    person.
    """
    roots: dict[tuple[int, int], dict[tuple[int, int], set[int]]] = defaultdict(dict)
    for east, north, person in named:
        roots[east // LARGEST, north // LARGEST].setdefault((east, north), set()).add(person)
    shown: list[tuple[Cell, frozenset[int]]] = []
    for (east, north), inside in sorted(roots.items()):
        if len(_people(inside)) >= fewest:
            shown.extend(_divided(east * LARGEST, north * LARGEST, LARGEST, inside, fewest))
    return tuple(shown)


def _people(inside: Named) -> frozenset[int]:
    return frozenset().union(*inside.values())


def most(parts: int, fewest: int = FEWEST_PEOPLE) -> int:
    """As many people may be printed of an area whose `parts` have under `fewest` each: any of the parts may be empty still."""
    return (parts - 1) * (fewest - 1)


def _divided(east: int, north: int, size: int, inside: Named, fewest: int) -> Iterator[tuple[Cell, frozenset[int]]]:
    """A square with enough people: its quarters that have enough themselves, and the others together."""
    half = size // 2
    quarters: dict[tuple[int, int], dict[tuple[int, int], set[int]]] = defaultdict(dict)
    for (x, y), who in inside.items():
        quarters[(x - east) // max(half, 1), (y - north) // max(half, 1)][x, y] = who
    enough = {at: one for at, one in quarters.items() if size > 1 and len(_people(one)) >= fewest}
    if not enough:
        yield Cell(east, north, size, 0 if size == 1 else most(_QUARTERS, fewest)), _people(inside)
        return
    for (right, up), one in sorted(enough.items()):
        yield from _divided(east + right * half, north + up * half, half, one, fewest)
    left = {at: who for quarter, one in quarters.items() if quarter not in enough for at, who in one.items()}
    parts, people = _QUARTERS - len(enough), _people(left)
    if most(parts, fewest) >= fewest and len(people) >= fewest:
        yield Cell(east, north, size, most(parts, fewest), rest=True), people
