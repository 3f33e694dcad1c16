"""Rules about people who come close to each other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Encounter, Scene
from blickschutz.kernel.situation import Kind
from blickschutz.situations.model import FLOOR, Finding, WatchedZone, graded
from blickschutz.situations.rules.history import History, Trail

_Steps: TypeAlias = Mapping[int, tuple[float, Box, tuple[float, float]]]

WINDOW_S = 2.0
LEAST_ENCOUNTERS = 3
_STEADY_VIEW = 0.6
_MOST_LIMBS = 3.0
_LEAST_CONTACTS = 2


@dataclass(frozen=True, slots=True)
class AltercationModel:
    """A logistic model over two figures of a window: the widest spread of directions and the liveliest limbs.

    Learned by `scripts/train_altercation.py`; what it can and cannot do stands in `docs/models/altercation.md`.
    """

    bias: float
    spread: float
    limbs: float

    def confidence(self, spread: float, limbs: float) -> float:
        value = self.bias + self.spread * spread + self.limbs * min(limbs, _MOST_LIMBS)
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))


MODEL = AltercationModel(bias=-6.021, spread=7.846, limbs=1.516)


def altercation_window(scenes: Sequence[Scene], least_height: float) -> list[Encounter]:
    """The encounters in `scenes` that are large enough to be judged, while the camera's view is the usual one."""
    return [
        scene.encounter
        for scene in scenes
        if scene.encounter is not None
        and scene.encounter.box.height >= least_height * scene.height
        and (scene.view is None or scene.view.agreement >= _STEADY_VIEW)
    ]


def altercation_features(encounters: Sequence[Encounter]) -> tuple[float, float]:
    """(widest spread, liveliest limbs) of a window."""
    spread = max((item.spread for item in encounters), default=0.0)
    limbs = max((min(item.limbs, _MOST_LIMBS) for item in encounters), default=0.0)
    return spread, limbs


def physical_altercation(history: History, zone: WatchedZone) -> Iterator[Finding]:
    """Two people close together whose limbs move hard and in all directions, over about two seconds."""
    rules, now = zone.rules, history.now
    scenes = list(history.scenes_since(now.at - WINDOW_S))
    found = altercation_window(scenes, rules.altercation_height)
    encounters = [encounter for encounter in found if history.inside(zone, encounter.box.centre)]
    if len(encounters) < LEAST_ENCOUNTERS or now.at - scenes[0].at < rules.altercation_s:
        return
    spread, limbs = altercation_features(encounters)
    score = MODEL.confidence(spread, limbs)
    if score < FLOOR:
        return
    last = encounters[-1]
    metres = last.distance * history.metres(last.box.height, last.box)
    figures = {"metres": metres, "seconds": now.at - scenes[0].at, "limbs": limbs, "spread": spread}
    yield Finding(Kind.PHYSICAL_ALTERCATION, zone.id, "", score, last.box, figures)


def repeated_brief_contact(history: History, zone: WatchedZone) -> Iterator[Finding]:
    """One track meets several others, one after the other, each for a short time."""
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
            if any(rules.contact_least_s <= end - start <= rules.contact_most_s and end < now.at for start, end in spans):
                met.append(min(start for start, _ in spans))
        score = graded((len(met), rules.contacts))
        if len(met) >= _LEAST_CONTACTS and score >= FLOOR:
            figures = {"contacts": len(met), "minutes": (now.at - min(met)) / 60}
            yield Finding(Kind.REPEATED_BRIEF_CONTACT, zone.id, str(trail.number), score, trail.last.box, figures)


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
