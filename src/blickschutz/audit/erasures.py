"""Whether what a log lost, it lost at its limit: what entries that tell of erased ones must say, and how old what is gone must be. Pure.

No text of an erased entry is left, so its age is bounded by what is around it: it is at least as young as what was signed before it.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from blickschutz.audit.model import Entry, Fault

LEAST_MONTHS, MOST_MONTHS = 12, 36
_DAY_S = 86_400.0
# 24 calendar months have 730 days at least, any number of them three less than so many twelfths of a year; the rest is for zones and
# for a clock that stood a little beside counted time.
_LESS_DAYS = 10
_DIGEST = re.compile(r"[0-9a-f]{64}")


def erased_digest(hashes: Iterable[tuple[int, str]]) -> str:
    """What the entry that tells of erased ones says of their numbers and hashes, in order."""
    return hashlib.sha256("".join(f"{number}:{hashed}\n" for number, hashed in hashes).encode()).hexdigest()


def least_age_s(months: int) -> float:
    """The shortest so many calendar months can be, by clocks that are a week beside each other."""
    return (months * 365 / 12 - _LESS_DAYS) * _DAY_S


@dataclass(frozen=True, slots=True)
class Order:
    """What an entry `log-erased` says: `count` entries from `first` to `last` were erased at `at`, `months` after they were written."""

    number: int
    at: float
    first: int
    last: int
    count: int
    months: int
    digest: str


def order_of(entry: Entry) -> Order | None:
    """None where the entry does not say all that it must."""
    facts = entry.facts
    numbers = [facts.get(name) for name in ("first", "last", "entries", "months")]
    first, last, count, months = (number if type(number) is int else 0 for number in numbers)
    digest = facts.get("digest")
    whole = 0 < first <= last < entry.number and 0 < count <= last - first + 1 and LEAST_MONTHS <= months <= MOST_MONTHS
    if not whole or not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        return None
    return Order(entry.number, entry.at, first, last, count, months, digest)


class Times:
    """When entries were written at the earliest and latest, by what was signed (or seen) of the log: pairs of a number and a moment.

    A clock may have been wrong for a while: of all moments the most that follow on each other are believed.
    """

    def __init__(self, points: Iterable[tuple[int, float]]) -> None:
        self.points = _rising(list(points))
        self._numbers = [number for number, _ in self.points]

    def before(self, number: int) -> float:
        """The moment at which this entry was not there yet; `-inf` where nothing says so."""
        index = bisect_left(self._numbers, number)
        return self.points[index - 1][1] if index else float("-inf")

    def after(self, number: int) -> float:
        """The first moment at which this entry was there; `inf` where nothing says so."""
        index = bisect_left(self._numbers, number)
        return self.points[index][1] if index < len(self.points) else float("inf")

    def of(self, number: int, at: float) -> float:
        """What an entry says of its own moment, within what was signed around it."""
        return max(self.before(number), min(at, self.after(number)))


def _rising(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """The longest part of them, in their order, of which no moment is before the one before it."""
    tails: list[float] = []
    ends: list[int] = []
    follows: list[int] = []
    for index, (_, at) in enumerate(points):
        place = bisect_right(tails, at)
        follows.append(ends[place - 1] if place else -1)
        tails[place : place + 1], ends[place : place + 1] = [at], [index]
    found, index = [], ends[-1] if ends else -1
    while index >= 0:
        found.append(points[index])
        index = follows[index]
    return found[::-1]


@dataclass(slots=True)
class Erasures:
    """What was erased by the lines of an export, and by the entries that tell of it; `start` is the first entry that it has.

    `signed` are its checkpoints, `there` the moments that its entries say.
    """

    start: int
    gone: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    told: dict[int, Entry] = field(default_factory=dict)
    signed: list[tuple[int, float]] = field(default_factory=list)
    there: list[tuple[int, float]] = field(default_factory=list)

    def faults(self) -> Iterator[Fault]:
        """Everything because of which what is gone cannot have ended at its limit."""
        for number, hashes in self.gone.items():
            if number not in self.told:
                yield Fault(hashes[0][0], "erased", f"entry {hashes[0][0]} is gone, and no entry {number} of the log tells of it")
        times = Times(self.signed)
        # Where nothing signed is left of so long ago, because the key was replaced since, entries that are there say it.
        old = Times([point for point in self.there if not times.points or point[0] < times.points[0][0]])
        signed = {number for number, _ in self.signed}
        for number, entry in self.told.items():
            order, hashes = order_of(entry), self.gone.get(number, [])
            if order is None:
                yield Fault(number, "erased", f"entry {number} does not say whole what was erased")
                continue
            if not self._fits(order, hashes):
                yield Fault(number, "erased", f"entry {number} tells of other erased entries than those that are gone")
            if self.signed and self.signed[0][0] <= number and number not in signed:
                text = f"entry {number} tells of erased entries, and the log was not signed with it: the program did not write it"
                yield Fault(number, "cut", text)
            late = times.of(number, order.at) - least_age_s(order.months)
            young = next((n for n, _ in hashes if max(times.before(n), old.before(n)) > late), 0)
            if young:
                yield Fault(young, "cut", f"entry {young} was younger than {order.months} months when entry {number} erased it")

    def _fits(self, order: Order, hashes: Sequence[tuple[int, str]]) -> bool:
        if order.first >= self.start:
            ends = (hashes[0][0], hashes[-1][0]) if hashes else (0, 0)
            return (*ends, len(hashes), erased_digest(hashes)) == (order.first, order.last, order.count, order.digest)
        # What it tells of is not all in this export.
        return all(order.first < number <= order.last for number, _ in hashes) and len(hashes) < order.count
