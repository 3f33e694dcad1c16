"""Rules about people who come close to each other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Le

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import ENCOUNTER_FIGURES, Encounter, Scene
from blickschutz.situations.declare import bound, rule
from blickschutz.situations.model import FLOOR, Area, Declaration, Finding, Metres, Seconds, Share, graded
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


PHYSICAL_ALTERCATION = Declaration(
    id="physical_altercation",
    order=60,
    name=("Körperliche Auseinandersetzung", "Physical altercation"),
    explanation=(
        "2 Personen im Abstand von {metres:.1f} {m} seit {seconds:.1f} s, Gliedmaßen bis {limbs:.2f} Körperhöhen/s, "
        "Bewegung in {spread:.0%} aller Richtungen",
        "2 persons {metres:.1f} {m} apart for {seconds:.1f} s, limbs up to {limbs:.2f} body heights/s, "
        "motion in {spread:.0%} of all directions",
    ),
    start=0.9,
    release_s=10.0,
    one_per_zone=True,
    learned_from=WINDOW_FIGURES,
    priority="high",
    must_not_wait=True,
    device_class="safety",
)


@dataclass(frozen=True)
class PhysicalAltercation:
    """From what span and size on it is judged."""

    altercation_s: Seconds = bound(
        0.6,
        "Körperliche Auseinandersetzung: Zeitspanne, über die mindestens geurteilt wird.",
        "physical_altercation: span over which it is judged at the least.",
    )
    altercation_height: Share = bound(
        0.3,
        "Körperliche Auseinandersetzung: Mindestanteil der Bildhöhe, den die beiden füllen.",
        "physical_altercation: least share of the picture's height that the two fill; smaller limbs are not told from noise.",
    )


@rule(
    60,
    PHYSICAL_ALTERCATION,
    bounds=PhysicalAltercation,
    true_when="two people close together, both confirmed by a second look, move for 2 s as a "
    "[learned rule](../models/physical_altercation.md) knows it of fights",
)
def physical_altercation(history: History, zone: Area, asked: PhysicalAltercation) -> Iterator[Finding]:
    """Two people close together, both seen as people, who move over two seconds as a learned rule knows it of fights."""
    now = history.now
    forest = history.learned.of(PHYSICAL_ALTERCATION.id)
    scenes = list(history.scenes_since(now.at - WINDOW_S))
    if not now.encounters or now.at - scenes[0].at < asked.altercation_s:
        return
    best: tuple[float, list[Encounter]] | None = None
    for window in altercation_windows(scenes):
        last = window[-1]
        if last.box.height < asked.altercation_height * now.height or not history.inside(zone, last.box.centre):
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
    yield Finding(PHYSICAL_ALTERCATION, zone.id, "", score, last.box, figures)


REPEATED_BRIEF_CONTACT = Declaration(
    id="repeated_brief_contact",
    order=80,
    name=("Wiederholte kurze Kontakte", "Repeated brief contacts"),
    explanation=(
        "eine Person mit {contacts:.0f} kurzen Kontakten zu verschiedenen Personen in {minutes:.1f} min",
        "one person with {contacts:.0f} brief contacts with different persons within {minutes:.1f} min",
    ),
    release_s=60.0,
)


@dataclass(frozen=True)
class RepeatedBriefContact:
    """How many contacts, how near, how long each, and within what time."""

    contacts: Annotated[int, Ge(2), Le(20)] = bound(
        4, "Wiederholte kurze Kontakte: Zahl verschiedener Personen.", "repeated_brief_contact: number of different persons."
    )
    contact_m: Metres = bound(
        1.0,
        "Wiederholte kurze Kontakte: Abstand, der als Kontakt zählt.",
        "repeated_brief_contact: distance that counts as a contact.",
    )
    contact_least_s: Seconds = bound(2.0, "Wiederholte kurze Kontakte: kürzester Kontakt.", "repeated_brief_contact: shortest contact.")
    contact_most_s: Seconds = bound(25.0, "Wiederholte kurze Kontakte: längster Kontakt.", "repeated_brief_contact: longest contact.")
    contact_window_s: Seconds = bound(
        600.0,
        "Wiederholte kurze Kontakte: Zeitspanne, in der die Kontakte liegen.",
        "repeated_brief_contact: span in which the contacts lie.",
    )


@rule(
    80,
    REPEATED_BRIEF_CONTACT,
    bounds=RepeatedBriefContact,
    true_when="one track, 4 contacts of 2 to 25 s with different others within 10 min, 2 s apart from each other",
    slow=True,
)
def repeated_brief_contact(history: History, zone: Area, asked: RepeatedBriefContact) -> Iterator[Finding]:
    """One track meets several others, one after the other and apart from each other, each for a short time."""
    now = history.now
    known = asked.contacts * asked.contact_least_s
    there = [t for t in history.present() if now.at - t.first_at >= known and history.inside(zone, t.last.box.foot)]
    if not there:
        return
    since = now.at - asked.contact_window_s
    steps = {trail.number: _by_second(trail) for trail in history.trails.values() if trail.long[-1].at >= since}
    for trail in there:
        met = []
        for other in history.trails.values():
            if other is trail or other.number not in steps:
                continue
            spans = _contacts(history, steps[trail.number], steps[other.number], asked.contact_m)
            brief = [(start, end) for start, end in spans if asked.contact_least_s <= end - start <= asked.contact_most_s and end < now.at]
            if brief:
                met.append(brief[0])
        apart = _one_after_the_other(met)
        score = graded((len(apart), asked.contacts))
        if len(apart) >= _LEAST_CONTACTS and score >= FLOOR:
            figures = {"contacts": len(apart), "minutes": (now.at - apart[0][0]) / 60}
            yield Finding(REPEATED_BRIEF_CONTACT, zone.id, str(trail.number), score, trail.last.box, figures)


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
