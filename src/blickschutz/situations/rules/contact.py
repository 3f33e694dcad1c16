"""Rules about people who come close to each other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import ENCOUNTER_FIGURES, Encounter, Scene
from blickschutz.situations.kinds import Kind
from blickschutz.situations.model import FLOOR, Finding, WatchedZone, graded
from blickschutz.situations.rules.forest import Forest, summary
from blickschutz.situations.rules.history import History, Trail

Floats: TypeAlias = npt.NDArray[np.float32]

_Steps: TypeAlias = Mapping[int, tuple[float, Box, tuple[float, float]]]

WINDOW_S = 2.0
LEAST_ENCOUNTERS = 2
_STEADY_VIEW = 0.6
_LEAST_CONTACTS = 2
_APART_S = 2.0
# Two encounters are those of the same pair where they are so close and so alike, in mean body heights.
_SAME_PAIR, _SAME_SIZE = 0.75, (0.6, 1.6)
# Where a second look saw one of the two alone, or nobody, the evidence counts less: it is kept, and does not reach the start's threshold.
_CONFIRMED = (0.7, 0.85, 1.0)
# As much less where two looks are all there is.
_FEW, _OF_FEW = 2, 0.85


def altercation_windows(scenes: Sequence[Scene]) -> list[list[Encounter]]:
    """For each encounter of the last of `scenes` those of the same pair within the window, itself last.

    Nothing is judged while the camera's view is not the usual one.
    """
    now = scenes[-1]
    found = []
    for last in now.encounters:
        window = []
        for scene in scenes:
            if scene.at < now.at - WINDOW_S or (scene.view is not None and scene.view.agreement < _STEADY_VIEW):
                continue
            same = [one for one in scene.encounters if one is last or _is_same_pair(one, last)]
            if same:
                window.append(max(same, key=lambda one: one.limbs))
        if len(window) >= LEAST_ENCOUNTERS:
            found.append(window)
    return found


def _is_same_pair(one: Encounter, last: Encounter) -> bool:
    low, high = _SAME_SIZE
    return low < one.body / last.body < high and math.dist(one.box.centre, last.box.centre) < _SAME_PAIR * last.body


WINDOW_FIGURES = (*(f"{part} {name}" for part in ("greatest", "mean", "least") for name in ENCOUNTER_FIGURES), "looks", "two bodies")


def altercation_features(window: Sequence[Encounter]) -> Floats:
    """Of every figure the greatest, the mean and the least in the window, then how many looks there were, and how many at two bodies."""
    looks = [len(window), sum((one.bodies or 0) >= 2 for one in window)]
    return np.concatenate([summary([one.figures for one in window]), looks]).astype(np.float32)


def altercation_score(forest: Forest, window: Sequence[Encounter]) -> float:
    """Held down where no look ever saw both as people (leaves, furniture, two boxes on one coat, somebody alone), or looks are few."""
    bodies = min(2, max((one.bodies or 0 for one in window), default=0))
    return forest.score(altercation_features(window)) * _CONFIRMED[bodies] * (_OF_FEW if len(window) <= _FEW else 1.0)


def physical_altercation(history: History, zone: WatchedZone) -> Iterator[Finding]:
    """Two people close together, both seen as people, who move over two seconds as a learned rule knows it of fights."""
    rules, now = zone.rules, history.now
    forest = history.learned.of(Kind.PHYSICAL_ALTERCATION)
    scenes = list(history.scenes_since(now.at - WINDOW_S))
    if not now.encounters or now.at - scenes[0].at < rules.altercation_s:
        return
    best: tuple[float, list[Encounter]] | None = None
    for window in altercation_windows(scenes):
        last = window[-1]
        if last.box.height < rules.altercation_height * now.height or not history.inside(zone, last.box.centre):
            continue
        score = altercation_score(forest, window)
        if score >= FLOOR and (best is None or score > best[0]):
            best = score, window
    if best is None:
        return
    score, window = best
    last = window[-1]
    figures = {
        "metres": history.metres(last.distance * last.body, last.box),
        "seconds": now.at - scenes[0].at,
        "limbs": max(one.limbs for one in window),
        "spread": max(one.spread for one in window),
    }
    yield Finding(Kind.PHYSICAL_ALTERCATION, zone.id, "", score, last.box, figures)


def repeated_brief_contact(history: History, zone: WatchedZone) -> Iterator[Finding]:
    """One track meets several others, one after the other and apart from each other, each for a short time."""
    rules, now = zone.rules, history.now
    known = rules.contacts * rules.contact_least_s
    there = [t for t in history.present() if now.at - t.first_at >= known and history.inside(zone, t.last.box.foot)]
    if not there:
        return
    since = now.at - rules.contact_window_s
    steps = {trail.number: _by_second(trail) for trail in history.trails.values() if trail.long[-1].at >= since}
    for trail in there:
        met = []
        for other in history.trails.values():
            if other is trail or other.number not in steps:
                continue
            spans = _contacts(history, steps[trail.number], steps[other.number], rules.contact_m)
            brief = [(start, end) for start, end in spans if rules.contact_least_s <= end - start <= rules.contact_most_s and end < now.at]
            if brief:
                met.append(brief[0])
        apart = _one_after_the_other(met)
        score = graded((len(apart), rules.contacts))
        if len(apart) >= _LEAST_CONTACTS and score >= FLOOR:
            figures = {"contacts": len(apart), "minutes": (now.at - apart[0][0]) / 60}
            yield Finding(Kind.REPEATED_BRIEF_CONTACT, zone.id, str(trail.number), score, trail.last.box, figures)


def _one_after_the_other(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """As many of `spans` as lie apart: whoever walks in a crowd is close to several at once, and meets none of them."""
    chosen: list[tuple[float, float]] = []
    for start, end in sorted(spans, key=lambda span: span[1]):
        if not chosen or start >= chosen[-1][1] + _APART_S:
            chosen.append((start, end))
    return chosen


def _by_second(trail: Trail) -> dict[int, tuple[float, Box, tuple[float, float]]]:
    """Second by second: the moment, the box and its feet."""
    return {round(point.at): (point.at, point.box, point.box.foot) for point in trail.long}


def _contacts(history: History, first: _Steps, others: _Steps, most_m: float) -> list[tuple[float, float]]:
    """Spans in which both were close, with gaps of a look or two; passing by is too short to count."""
    near = [
        at
        for second, (at, box, foot) in first.items()
        if (other := others.get(second)) is not None and history.metres(math.dist(foot, other[2]), box) <= most_m
    ]
    spans: list[list[float]] = []
    for at in near:
        if spans and at - spans[-1][1] <= 2.5:
            spans[-1][1] = at
        else:
            spans.append([at, at])
    return [(start, end) for start, end in spans]
