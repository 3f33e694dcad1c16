"""Rank 1: how often the most alike in the gallery is the right one, beside chance and beside what guessing reaches by luck."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from benchmarks.attack.features import COLOURS, FEATURES, Crops, Vectors, distances
from benchmarks.attack.footage import Crop, Key

Taken: TypeAlias = dict[Key, Crop]
Hits: TypeAlias = npt.NDArray[np.float64]

FUSED = "all of these together"
SAME_S = 1.0
_GUESSES = 200
# Frames from the first to the last of a track that is long enough to be parted.
_LEAST_SPAN = 20
_AT_ONCE = 12
_TIE = 1e-9


@dataclass(frozen=True)
class Question:
    """Which of `gallery` (people) is each of `asked` (people)? Rows of the vectors of one clip.

    `group` is what was seen at the same time: within it an attacker who guesses errs in the same way.
    """

    queries: Sequence[int]
    gallery: Sequence[int]
    asked: Sequence[int]
    offered: Sequence[int]
    group: int


@dataclass(frozen=True)
class Asked:
    """All questions of one kind on one clip, and the crops that they mean: those of the queries, then those of the gallery."""

    crops: Crops
    split: int
    questions: list[Question]


@dataclass(frozen=True)
class Rank:
    """`best` is the strongest of all features, by its name; `colours` the plain one. `luck` is what the strongest of as many
    reaches when people's numbers are dealt anew, in 95 of 100 deals.
    """

    colours: float
    best: float
    feature: str
    chance: float
    luck: float
    queries: int


def same_moment(queries: Taken, gallery: Taken, rate: float) -> Asked:
    """Everybody in one picture, sought among everybody in the one a second later."""
    gap, frames = _gap(queries, rate), _by_frame(queries)
    rows, columns = _rows(queries), _rows(gallery)
    questions = []
    for frame, people in frames.items():
        there = frames.get(frame + gap, [])
        asked = [one for one in people if one in there]
        if len(there) < 2 or not asked:
            continue
        group = int(frame / rate / 2)
        questions.append(Question([rows[frame, one] for one in asked], [columns[frame + gap, one] for one in there], asked, there, group))
    return Asked(_stack([*queries.values(), *gallery.values()]), len(queries), questions)


def other_times(queries: Taken, gallery: Taken) -> Asked:
    """Single pictures of the second half of everybody's track, among the mean of the first half of each."""
    halves = list(_halves(queries))
    asked = [(number, [queries[frame, number] for frame in late]) for number, _, late in halves]
    means = [np.mean([gallery[frame, number] for frame in early], axis=0) for number, early, _ in halves]
    people = [number for number, *_ in halves]
    crops = [crop for _, some in asked for crop in some]
    owners = [number for number, some in asked for _ in some]
    place = list(range(len(crops)))
    questions = [
        Question(place[start : start + _AT_ONCE], range(len(people)), owners[start : start + _AT_ONCE], people, number)
        for number, start in enumerate(range(0, len(crops), _AT_ONCE))
    ]
    return Asked(_stack([*crops, *means]), len(crops), questions if len(people) > 1 else [])


def averages(queries: Taken, gallery: Taken) -> Asked:
    """The mean of a third of everybody's track, among the means of another third of each: all six pairs of thirds."""
    asked, known, people = [], [], []
    for number, frames in _tracks(queries):
        third = max(1, len(frames) // 3)
        for part in (frames[:third], frames[third : len(frames) - third] or frames[:third], frames[-third:]):
            asked.append(np.mean([queries[frame, number] for frame in part], axis=0))
            known.append(np.mean([gallery[frame, number] for frame in part], axis=0))
        people.append(number)
    pairs = list(permutations(range(3), 2))
    questions = [
        Question([3 * place + mine], range(theirs, 3 * len(people), 3), [people[place]], people, 9 * place + 3 * mine + theirs)
        for place in range(len(people))
        for mine, theirs in pairs
    ]
    return Asked(_stack([*asked, *known]), len(asked), questions if len(people) > 1 else [])


def rank(asked: Sequence[Asked], seed: int = 0) -> Rank | None:
    """Over all clips; None where nothing can be asked."""
    found = [one for one in asked if one.questions]
    if not found:
        return None
    hits: dict[str, list[Hits]] = {name: [] for name in (*FEATURES, FUSED)}
    luck: dict[str, list[Hits]] = {name: [] for name in hits}
    for one in found:
        vectors = {name: feature(one.crops) for name, feature in FEATURES.items()}
        for question in one.questions:
            tables = _tables(vectors, one.split, question)
            right = np.array([[person == offered for offered in question.offered] for person in question.asked])
            orders = _deals(seed, question)
            for name, table in tables.items():
                nearest = _nearest(table)
                hits[name].append((nearest * right).sum(axis=1))
                luck[name].append((nearest[:, orders] * right[:, None]).sum(axis=2))
    measured = {name: float(np.concatenate(some).mean()) for name, some in hits.items()}
    strongest = max(measured, key=lambda name: measured[name])
    dealt = np.max([np.concatenate(some).mean(axis=0) for some in luck.values()], axis=0)
    chances = [1 / len(question.offered) for one in found for question in one.questions for _ in question.asked]
    luckiest, chance = float(np.quantile(dealt, 0.95)), float(np.mean(chances))
    return Rank(measured[COLOURS], measured[strongest], strongest, chance, luckiest, len(chances))


def _deals(seed: int, question: Question) -> npt.NDArray[np.intp]:
    """(deals, people): who is taken for whom, the same in all questions of a group with as many people."""
    random = np.random.default_rng((seed, question.group, len(question.offered)))
    return np.argsort(random.random((_GUESSES, len(question.offered))), axis=1)


def _tables(vectors: dict[str, Vectors], split: int, question: Question) -> dict[str, Vectors]:
    there = [split + place for place in question.gallery]
    tables = {name: distances(name, some[list(question.queries)], some[there]) for name, some in vectors.items()}
    spread = [(table - table.mean(axis=1, keepdims=True)) / (table.std(axis=1, keepdims=True) + _TIE) for table in tables.values()]
    return {**tables, FUSED: np.mean(spread, axis=0)}


def _nearest(table: Vectors) -> Hits:
    """1 at the nearest of each row; shared out where several are as near, as whoever guesses among them would."""
    near = table <= table.min(axis=1, keepdims=True) + 1e-6
    return near / near.sum(axis=1, keepdims=True)


def _gap(taken: Taken, rate: float) -> int:
    """The number of pictures nearest to a second that lies between two that were attacked."""
    frames = sorted({frame for frame, _ in taken})
    step = min((later - frame for frame, later in pairwise(frames)), default=1)
    return max(step, round(SAME_S * rate / step) * step)


def _by_frame(taken: Taken) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for frame, number in taken:
        found.setdefault(frame, []).append(number)
    return found


def _tracks(taken: Taken) -> Iterator[tuple[int, list[int]]]:
    """Whoever is there long enough, and in which frames."""
    found: dict[int, list[int]] = {}
    for frame, number in taken:
        found.setdefault(number, []).append(frame)
    for number, frames in sorted(found.items()):
        if max(frames) - min(frames) >= _LEAST_SPAN and len(frames) > 1:
            yield number, sorted(frames)


def _halves(taken: Taken) -> Iterator[tuple[int, list[int], list[int]]]:
    for number, frames in _tracks(taken):
        middle = (frames[0] + frames[-1]) / 2
        early, late = [frame for frame in frames if frame < middle], [frame for frame in frames if frame >= middle]
        if early and late:
            yield number, early, late


def _rows(taken: Taken) -> dict[Key, int]:
    return {key: place for place, key in enumerate(taken)}


def _stack(crops: Sequence[Crop]) -> Crops:
    return np.stack(crops).astype(np.float32) if crops else np.zeros((0, 3, 24, 8), np.float32)
