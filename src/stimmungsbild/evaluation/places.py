"""Named squares merged until ten people stand behind each (quadtree; Behnisch and Meinel on grid maps, here with people, not points)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from stimmungsbild.evaluation.model import Cell

FEWEST_PEOPLE = 10
# The largest square: 64 x 100 m. What is still too few there is not shown.
LARGEST = 64


def cells(named: Iterable[tuple[int, int, str]], fewest: int = FEWEST_PEOPLE) -> tuple[tuple[Cell, ...], int]:
    """Squares with at least `fewest` people each, and how many people's naming is in none.

    `named`: east and north of a 100 m square in hundreds of metres, and who named it. Whoever names two squares that are merged is one
    person. A square is divided only where each of its quarters is empty or has enough: else the smaller one could be subtracted.
    """
    people: dict[tuple[int, int], set[str]] = defaultdict(set)
    for east, north, person in named:
        people[east, north].add(person)
    roots: dict[tuple[int, int], dict[tuple[int, int], set[str]]] = defaultdict(dict)
    for (east, north), who in people.items():
        roots[east // LARGEST, north // LARGEST][east, north] = who
    shown: list[Cell] = []
    hidden: set[str] = set()
    for (east, north), inside in sorted(roots.items()):
        everybody = set().union(*inside.values())
        if len(everybody) < fewest:
            hidden |= everybody
        else:
            shown.extend(_divided(east * LARGEST, north * LARGEST, LARGEST, inside, fewest))
    return tuple(shown), len(hidden)


def _divided(east: int, north: int, size: int, inside: dict[tuple[int, int], set[str]], fewest: int) -> Iterable[Cell]:
    """A square with enough people, or its quarters where each of them has enough."""
    half = size // 2
    quarters: dict[tuple[int, int], dict[tuple[int, int], set[str]]] = defaultdict(dict)
    for (x, y), who in inside.items():
        quarters[(x - east) // max(half, 1), (y - north) // max(half, 1)][x, y] = who
    enough = all(len(set().union(*one.values())) >= fewest for one in quarters.values())
    if size == 1 or not enough:
        yield Cell(east, north, size, len(set().union(*inside.values())))
        return
    for (right, up), one in sorted(quarters.items()):
        yield from _divided(east + right * half, north + up * half, half, one, fewest)
