"""A town of 85,000 people aged 16 and over, who feel and answer by chance. Shares are made up; districts are of very different sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stimmungsbild.questionnaire.model import MOST_SQUARES, Kind, Questionnaire

PEOPLE = 85_000
# Made-up shares of the town by district, in the order of the questionnaire's list; the smallest has 0.9 %.
_DISTRICTS = (9.0, 9.0, 9.5, 10.0, 8.0, 6.5, 7.0, 8.0, 6.0, 3.8, 1.6, 3.8, 2.4, 1.2, 2.8, 4.0, 3.0, 4.4)
_AGES = (0.24, 0.24, 0.30, 0.22)
_SEXES = (0.5, 0.495, 0.005)
_PASSPORT = 0.8
# The log odds of answering at the open door rise by this for one standard deviation of annoyance: self-selection.
_ANNOYED = 0.7
_CHOICES_OF_MANY = 0.22
# Squares of a town that is made up: east and north in hundreds of metres.
_MIDDLES = {
    "town_hall": (41200, 29300),
    "mall": (41204, 29297),
    "station": (41196, 29288),
    "park": (41189, 29295),
    "volkspark": (41226, 29302),
}
_JOINED = {"district": (("einsiedlerhof", "erlenbach", "moelschbach"),), "sex": (("male", "other"),)}


@dataclass(frozen=True, slots=True)
class Town:
    """Everybody: index of their choice by item (-1: none), several choices by item, and how annoyed each is (mean 0, deviation 1)."""

    one: Mapping[str, NDArray[np.int64]]
    many: Mapping[str, NDArray[np.bool_]]
    annoyed: NDArray[np.float64]


def town(q: Questionnaire, chance: np.random.Generator, people: int = PEOPLE) -> Town:
    """A town. Who is annoyed, female, old or lives in the middle feels less safe in the evening."""
    annoyed = chance.normal(size=people)
    shares = np.array(_DISTRICTS) / sum(_DISTRICTS)
    one: dict[str, NDArray[np.int64]] = {
        "district": chance.choice(len(shares), people, p=shares),
        "age": chance.choice(4, people, p=_AGES),
        "sex": chance.choice(3, people, p=_SEXES),
        "passport": (chance.random(people) > _PASSPORT).astype(np.int64),
    }
    fear = 0.9 * annoyed + 0.5 * (one["sex"] == 0) + 0.25 * (one["age"] == 3) + 0.3 * (one["district"] < 4)
    many: dict[str, NDArray[np.bool_]] = {}
    for item in q.items():
        if item.name in one or not item.list:
            continue
        choices = len(q.lists[item.list])
        if item.kind is Kind.MANY:
            picked = chance.random((people, choices)) < _CHOICES_OF_MANY * (0.5 + (fear > 0))[:, None]
            picked[:, -1] = ~picked[:, :-1].any(axis=1)
            many[item.name] = picked
            continue
        level = fear + chance.normal(0, 1, people) + _at_night(item.name)
        steps = np.quantile(level, np.linspace(0, 1, choices + 1)[1:-1]) if item.list != "safety" else np.array([-0.9, 0.7, 2.0])
        one[item.name] = np.searchsorted(steps, level).astype(np.int64)
        if item.list == "safety":
            one[item.name][chance.random(people) < 0.08] = q.lists["safety"].index("never_there")
    return Town(one, many, annoyed)


def _at_night(item: str) -> float:
    return 0.6 if item in {"city_evening", "area_dark"} or item.startswith("place_") else -0.8


def unsafe(q: Questionnaire, everybody: Town, item: str) -> float:
    """The truth: the share of those who feel unsafe among those who are ever there, counted over everybody."""
    names = q.lists["safety"]
    said = everybody.one[item]
    bad = np.isin(said, [names.index(one) for one in ("rather_unsafe", "very_unsafe")])
    return float(bad.sum() / (said != names.index("never_there")).sum())


def sample(everybody: Town, letters: int, answers: float, chance: np.random.Generator) -> NDArray[np.int64]:
    """Who answers of a simple random sample: older people more often, the annoyed no more than others."""
    drawn = chance.choice(len(everybody.annoyed), letters, replace=False)
    p = answers * (0.7 + 0.2 * everybody.one["age"][drawn])
    return drawn[chance.random(letters) < p]


def come(everybody: Town, many: int, chance: np.random.Generator) -> NDArray[np.int64]:
    """Who comes to the open door: the more annoyed, the more often, and young people more often."""
    pull = np.exp(_ANNOYED * everybody.annoyed - 0.3 * everybody.one["age"])
    return chance.choice(len(pull), many, replace=False, p=pull / pull.sum())


def answers_of(q: Questionnaire, everybody: Town, person: int) -> dict[str, list[str]]:
    """What somebody fills in: names of choices by item."""
    found = {name: [q.lists[_list(q, name)][value[person]]] for name, value in everybody.one.items()}
    for name, picked in everybody.many.items():
        found[name] = [one for one, has in zip(q.lists[_list(q, name)], picked[person], strict=True) if has]
    found |= {item.name: squares(found.get("unsafe_places", []), person) for item in q.items() if item.kind is Kind.SQUARES}
    return found


def squares(places: list[str], person: int) -> list[str]:
    """Where somebody puts their places on the map: each beside the middle of a town that is made up, in one of a few squares."""
    known = [_MIDDLES[one] for one in places if one in _MIDDLES][:MOST_SQUARES]
    return list(dict.fromkeys(f"100mN{north + person % 3:05}E{east + person // 3 % 2:05}" for east, north in known))


def _list(q: Questionnaire, name: str) -> str:
    return next(item.list for item in q.items() if item.name == name)


def register(q: Questionnaire, everybody: Town) -> dict[str, dict[str, float]]:
    """The margins that the town's register has; what is too small to be weighted by itself is joined with a neighbour."""
    found: dict[str, dict[str, float]] = {}
    for name in ("district", "age", "sex"):
        counts = {one: float((everybody.one[name] == at).sum()) for at, one in enumerate(q.lists[_list(q, name)])}
        for joined in _JOINED.get(name, ()):
            counts["+".join(joined)] = sum(counts.pop(one) for one in joined)
        found[name] = counts
    return found
