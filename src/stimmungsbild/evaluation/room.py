"""From opened answers to what may be said: each door by itself, every count through the suppressor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stimmungsbild.collection.model import Answer, Door
from stimmungsbild.errors import MarginsError
from stimmungsbild.evaluation.cleaning import MARGINS, clean
from stimmungsbild.evaluation.disclosure import Keys, Shown, Table, publish, record_keys
from stimmungsbild.evaluation.estimates import FEWEST, share
from stimmungsbild.evaluation.model import Area, Entry, Estimate, Floats, Opened, Weights, Whole
from stimmungsbild.evaluation.places import cells, square
from stimmungsbild.evaluation.texts import CATEGORIES, Codes
from stimmungsbild.evaluation.weights import Margins, coded, groups, weigh
from stimmungsbild.questionnaire.model import Item, Kind, Questionnaire

NOBODY, ALL, YES, NO, BURST, CALM = "no_answer", "all", "yes", "no", "burst", "calm"
UNSAFE, SAFE = ("rather_unsafe", "very_unsafe"), ("very_safe", "rather_safe")
# What is printed by groups: feeling unsafe in these places, among those who are ever there.
HEADLINES = ("area_dark", "city_evening", "place_town_hall")
BY = ("age", "sex", "district")
Yes = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Finding:
    """What may be said of one share. `register` is for the town, with its interval; `open` of those who came by themselves, bare.

    Either is None where too few answered. Shares are in 0..1.
    """

    register: Estimate | None
    open: float | None


@dataclass(frozen=True, slots=True)
class Doors:
    """How many answered by each door, as printed; `bursts` of the open door were marked."""

    people: Mapping[Door, int | None]
    bursts: int | None


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that is published of a wave. Keys are names of items, choices, groups."""

    doors: Doors
    items: Mapping[str, Mapping[str, Finding]]
    bases: Mapping[str, Mapping[Door, int | None]]
    unsafe: Mapping[str, Finding]
    unsafe_by: Mapping[str, Mapping[tuple[str, str], Finding]]
    without_bursts: Mapping[str, float | None]
    squares: Mapping[Door, tuple[Area, ...]]
    texts: Mapping[str, Mapping[Door, int | None]]
    weights: Weights
    log: tuple[Entry, ...]


class _Door:
    """The people of one door, the tables that are published of them, their counts."""

    def __init__(self, q: Questionnaire, answers: Sequence[Answer], keys: Keys, coded: Sequence[frozenset[str]]) -> None:
        self.many, self._q = len(answers), q
        zero = np.zeros(self.many, dtype=np.int64)
        self.said = {item.name: [_one(a.values.get(item.name, "")) for a in answers] for item in q.items()}
        self.tables = [table for item in q.items() if item.list for table in self._of(item)]
        self.tables += [self._by(name, by) for name in _safety(q) for by in ("", *(BY if name in HEADLINES else ()))]
        self.cells = cells(
            (*where, number)
            for item in q.items()
            if item.kind is Kind.SQUARES
            for number, named in enumerate(self.said[item.name])
            for where in filter(None, map(square, named))
        )
        said = np.array([bool(one) for one in coded], dtype=bool)
        for one in CATEGORIES if said.any() else ():
            holds = np.array([one in codes for codes in coded], dtype=bool)
            self.tables.append(Table(f"text:{one}", (YES, NO, NOBODY), (ALL,), np.where(said, np.where(holds, 0, 1), 2), zero))
        for at, (_, behind) in enumerate(self.cells):
            rows = np.ones(self.many, dtype=np.int64)
            rows[sorted(behind)] = 0
            self.tables.append(Table(f"square:{at}", (YES, NO), (ALL,), rows, zero))
        # With and without bursts are tables of the same people, so that nobody learns of the difference by subtracting.
        bursts = np.array([0 if one.burst and not one.worked else 1 for one in answers], dtype=np.int64)
        self.tables += [self._split(f"unsafe:{name}:burst", (BURST, CALM), bursts, name) for name in HEADLINES if name in _safety(q)]
        self.shown: Mapping[str, Shown] = publish(self.tables, keys)

    def _of(self, item: Item) -> list[Table]:
        said, choices = self.said[item.name], self._q.lists[item.list]
        nothing = np.zeros(self.many, dtype=np.int64)
        if item.kind is Kind.MANY:
            has = {one: self.has(item, one) for one in choices}
            answered = self.answered(item.name)
            return [
                Table(f"{item.name}={one}", (YES, NO, NOBODY), (ALL,), np.where(answered, np.where(has[one], 0, 1), 2), nothing)
                for one in choices
            ]
        rows = _places(said, choices)
        return [Table(item.name, (*choices, NOBODY), (ALL,), rows, nothing)]

    def _split(self, title: str, names: tuple[str, ...], rows: Whole, name: str) -> Table:
        """Feeling unsafe, feeling safe, or neither said, for each group of people."""
        columns = np.where(self.unsafe(name), 0, np.where(self.there(name), 1, 2))
        return Table(title, names, (YES, NO, NOBODY), rows, columns)

    def _by(self, name: str, by: str) -> Table:
        if not by:
            return self._split(f"unsafe:{name}", (ALL,), np.zeros(self.many, dtype=np.int64), name)
        item = next(one for one in self._q.items() if one.name == by)
        rows = _places(self.said[by], self._q.lists[item.list])
        return self._split(f"unsafe:{name}:{by}", (*self._q.lists[item.list], NOBODY), rows, name)

    @property
    def total(self) -> int | None:
        """How many people, as printed."""
        return self.shown[f"unsafe:{_safety(self._q)[0]}"].total

    def coded(self, category: str) -> int | None:
        """How many texts say this, as printed."""
        shown = self.shown.get(f"text:{category}")
        return shown.cells[YES, ALL] if shown else None

    def areas(self) -> tuple[Area, ...]:
        """Squares with their people, as printed."""
        found = ((cell, self.shown[f"square:{at}"].cells[YES, ALL]) for at, (cell, _) in enumerate(self.cells))
        return tuple(
            Area(cell, min(many, cell.most or many), bool(cell.most) and many >= cell.most) for cell, many in found if many is not None
        )

    def answered(self, name: str) -> Yes:
        return np.array([bool(one) for one in self.said[name]], dtype=bool)

    def has(self, item: Item, choice: str) -> Yes:
        return np.array([choice in one for one in self.said[item.name]], dtype=bool)

    def _among(self, name: str, choices: tuple[str, ...]) -> Yes:
        return np.array([bool(one) and one[0] in choices for one in self.said[name]], dtype=bool)

    def unsafe(self, name: str) -> Yes:
        return self._among(name, UNSAFE)

    def there(self, name: str) -> Yes:
        """Who is ever there, and said how they feel."""
        return self._among(name, UNSAFE + SAFE)

    def counts(self, item: Item, choice: str) -> tuple[int | None, int | None]:
        """How many chose it and how many answered the item, as printed."""
        if item.kind is Kind.MANY:
            cells = self.shown[f"{item.name}={choice}"].cells
            return cells[YES, ALL], _sum(cells[YES, ALL], cells[NO, ALL])
        shown = self.shown[item.name]
        return shown.cells[choice, ALL], _sum(*(shown.cells[one, ALL] for one in self._q.lists[item.list]), hidden=True)

    def unsafe_counts(self, name: str, by: str = "", group: str = ALL) -> tuple[int | None, int | None]:
        """How many feel unsafe and how many are ever there, as printed."""
        cells = self.shown[f"unsafe:{name}{f':{by}' if by else ''}"].cells
        return cells[group, YES], _sum(cells[group, YES], cells[group, NO])


def _places(said: Sequence[tuple[str, ...]], choices: Sequence[str]) -> Whole:
    """Which of the choices each person took; one more where none."""
    where = {one: at for at, one in enumerate(choices)}
    return np.array([where[one[0]] if one else len(choices) for one in said], dtype=np.int64)


def _one(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,) if value else ()


def _sum(*counts: int | None, hidden: bool = False) -> int | None:
    """The sum of printed counts; of hidden ones nothing is known, so it is None unless they may be left out (`hidden`)."""
    known = [one for one in counts if one is not None]
    return sum(known) if hidden or len(known) == len(counts) else None


def _safety(q: Questionnaire) -> list[str]:
    return [item.name for item in q.items() if item.list == "safety"]


def _bare(counts: tuple[int | None, int | None]) -> float | None:
    """A share from printed counts."""
    some, base = counts
    return some / base if some is not None and base is not None and base >= FEWEST else None


def evaluate(
    q: Questionnaire,
    opened: Opened,
    margins: Margins,
    sent: Mapping[str, float] | None,
    secret: bytes,
    below: Callable[[int], int],
    texts: Codes | None = None,
) -> Findings:
    """Everything that may be published. `sent`: letters by district where the sample was not drawn in equal parts.

    `texts`: categories of the open text of each answer, by its digest.
    """
    missing = [one for one in MARGINS if one not in margins]
    if missing:
        raise MarginsError(f"the register's margins lack {', '.join(missing)}")
    answers, digests, log = clean(q, opened)
    keys = record_keys(secret, digests)

    codes = [(texts or {}).get(one, frozenset()) for one in digests]

    def of(door: Door) -> tuple[list[Answer], Keys, list[frozenset[str]]]:
        at = [number for number, one in enumerate(answers) if one.door is door and (door is not Door.REGISTER or _placed(one))]
        return [answers[number] for number in at], keys[np.array(at, dtype=np.int64)], [codes[number] for number in at]

    people, people_keys, people_codes = of(Door.REGISTER)
    if len(people) < FEWEST:
        raise MarginsError(f"{len(people)} people with a letter gave district, age and sex; under {FEWEST} nothing is said of the town")
    weights = _weights(people, {one: margins[one] for one in MARGINS}, sent, below)
    came, came_keys, came_codes = of(Door.OPEN)
    register, open_ = _Door(q, people, people_keys, people_codes), _Door(q, came, came_keys, came_codes)
    doors = {Door.REGISTER: register.total, Door.OPEN: open_.total, Door.OUTREACH: _counted(*of(Door.OUTREACH)[:2])}

    def finding(has: Yes, base: Yes, mine: tuple[int | None, int | None], theirs: tuple[int | None, int | None]) -> Finding:
        return Finding(share(weights, has, base) if None not in mine else None, _bare(theirs))

    def unsafe(name: str, by: str = "", group: str = ALL, inside: Yes | None = None) -> Finding:
        base = register.there(name) if inside is None else register.there(name) & inside
        return finding(register.unsafe(name), base, register.unsafe_counts(name, by, group), open_.unsafe_counts(name, by, group))

    items: dict[str, dict[str, Finding]] = {}
    for item in (one for one in q.items() if one.list):
        base = register.answered(item.name)
        items[item.name] = {
            one: finding(register.has(item, one), base, register.counts(item, one), open_.counts(item, one)) for one in q.lists[item.list]
        }
    headlines = [one for one in HEADLINES if one in _safety(q)]
    by_group = {
        name: {(by, one): unsafe(name, by, one, register.has(_item(q, by), one)) for by in BY for one in q.lists[_item(q, by).list]}
        for name in headlines
    }
    return Findings(
        Doors(doors, open_.shown[f"unsafe:{headlines[0]}:burst"].row_sums[BURST] if headlines else None),
        items,
        {name: {door: _base(one, _item(q, name)) for door, one in ((Door.REGISTER, register), (Door.OPEN, open_))} for name in items},
        {name: unsafe(name) for name in _safety(q)},
        by_group,
        {name: _bare(open_.unsafe_counts(name, "burst", CALM)) for name in headlines},
        {Door.REGISTER: register.areas(), Door.OPEN: open_.areas()},
        {one: {Door.REGISTER: register.coded(one), Door.OPEN: open_.coded(one)} for one in CATEGORIES} if texts else {},
        weights,
        log,
    )


def _placed(answer: Answer) -> bool:
    return all(one in answer.values for one in MARGINS)


def _item(q: Questionnaire, name: str) -> Item:
    return next(one for one in q.items() if one.name == name)


def _base(door: _Door, item: Item) -> int | None:
    return door.counts(item, next(iter(door._q.lists[item.list])))[1]


def _counted(people: Sequence[Answer], keys: Keys) -> int | None:
    """A count that stands in no table."""
    nothing = np.zeros(len(people), dtype=np.int64)
    return publish([Table(ALL, (ALL,), (ALL,), nothing, nothing)], keys)[ALL].total


def _weights(people: Sequence[Answer], margins: Margins, sent: Mapping[str, float] | None, below: Callable[[int], int]) -> Weights:
    values = {name: [str(one.values[name]) for one in people] for name in margins}
    categories, targets = coded(values, margins)
    names = [one for one, many in margins["district"].items() if many > 0]
    strata = categories[list(margins).index("district")]
    design: Floats = np.ones(len(people))
    if sent is not None:
        design = np.array([_design(one, margins["district"][one], sent) for one in names])[strata]
    return weigh(design, categories, targets, strata, groups(strata, below))


def _design(name: str, people: float, sent: Mapping[str, float]) -> float:
    letters = sent.get(name, sum(sent.get(one, 0) for one in name.split("+")))
    if letters <= 0:
        raise MarginsError(f"no letter was sent to {name}, and yet somebody answered from there")
    return people / letters
