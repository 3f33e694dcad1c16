"""Rules about where people are, and for how long."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from blickschutz.situations.declare import bound, rule
from blickschutz.situations.model import FLOOR, WHOLE, Area, Declaration, Finding, Metres, Seconds, graded
from blickschutz.situations.rules.history import History, Point, Trail

_LEAST_GROUP = 3

PERSON_IN_ZONE = Declaration(
    id="person_in_zone",
    order=10,
    name=("Person im Bereich", "Person in zone"),
    explanation=(
        "{persons:.0f} Person(en) seit {seconds:.1f} s im Bereich",
        "{persons:.0f} person(s) in the zone for {seconds:.1f} s",
    ),
    one_per_zone=True,
    is_fact=True,
    device_class="occupancy",
    onvif=("RuleEngine/FieldDetector", "RuleEngine/ObjectDetection"),
)


@dataclass(frozen=True)
class PersonInZone:
    """Who counts as being in a zone."""

    in_zone_s: Seconds = bound(1.0, "Person im Bereich: Dauer.", "person_in_zone: how long somebody must be there.")


@rule(10, PERSON_IN_ZONE, bounds=PersonInZone, true_when="somebody's feet are in the zone for 1 s")
def person_in_zone(history: History, zone: Area, asked: PersonInZone) -> Iterator[Finding]:
    """Somebody stands in the zone for a while."""
    there = [trail for trail in history.present() if history.inside(zone, trail.last.box.foot)]
    spans = [_span_inside(history, zone, trail, asked.in_zone_s) for trail in there]
    longest = max(spans, default=0.0)
    score = graded((longest, asked.in_zone_s)) if there else 0.0
    if score >= FLOOR:
        box = there[spans.index(longest)].last.box
        yield Finding(PERSON_IN_ZONE, zone.id, "", score, box, {"persons": len(there), "seconds": longest})


def _span_inside(history: History, zone: Area, trail: Trail, asked_s: float) -> float:
    """For how long the track has been in the zone: exact for the first seconds, to the second from then on."""
    if zone.polygon == WHOLE:
        return history.now.at - trail.first_at
    exact = history.now.at - asked_s - 1.0
    start = trail.last.at
    for point in reversed(trail.recent):
        if point.at < exact:
            break
        if not history.inside(zone, point.box.foot):
            return history.now.at - start
        start = point.at
    for point in reversed(trail.long):
        if point.at < start:
            if not history.inside(zone, point.box.foot):
                break
            start = point.at
    return history.now.at - start


LOITERING = Declaration(
    id="loitering",
    order=20,
    name=("Verweilen", "Loitering"),
    explanation=(
        "eine Person seit {seconds:.0f} s in einem Umkreis von {metres:.1f} {m}",
        "one person for {seconds:.0f} s within {metres:.1f} {m}",
    ),
    priority="low",
    onvif=("RuleEngine/LoiteringDetector",),
)


@dataclass(frozen=True)
class Loitering:
    """How long, and how near to where somebody is."""

    loitering_s: Seconds = bound(
        180.0, "Verweilen: Dauer innerhalb des Radius.", "loitering: how long somebody stays within `loitering_m`."
    )
    loitering_m: Metres = bound(6.0, "Verweilen: Radius in Metern.", "loitering: radius in metres.")


@rule(20, LOITERING, bounds=Loitering, true_when="one track stays within 6 m for 180 s", slow=True)
def loitering(history: History, zone: Area, asked: Loitering) -> Iterator[Finding]:
    """One track stays within a small circle for long."""
    for trail in history.present():
        if 2 * (history.now.at - trail.first_at) < asked.loitering_s or not history.inside(zone, trail.last.box.foot):
            continue
        points = [point for point in trail.long if point.at >= history.now.at - asked.loitering_s]
        radius = history.metres(_radius(points), trail.last.box)
        seconds = _stay(history, trail, asked.loitering_m)
        score = graded((seconds, asked.loitering_s))
        if radius <= asked.loitering_m and score >= FLOOR:
            yield Finding(LOITERING, zone.id, str(trail.number), score, trail.last.box, {"seconds": seconds, "metres": radius})


def _radius(points: Sequence[Point]) -> float:
    feet = [point.box.foot for point in points]
    x, y = (sum(values) / len(values) for values in zip(*feet, strict=True))
    return max(math.dist((x, y), foot) for foot in feet)


def _stay(history: History, trail: Trail, most_m: float) -> float:
    """How long the track has been within that distance of where it is."""
    start = history.now.at
    for point in reversed(trail.long):
        if history.metres(math.dist(point.box.foot, trail.last.box.foot), trail.last.box) > 2 * most_m:
            break
        start = point.at
    return history.now.at - start


GATHERING = Declaration(
    id="gathering",
    order=30,
    name=("Ansammlung", "Gathering"),
    explanation=(
        "{persons:.0f} Personen in einem Umkreis von {metres:.1f} {m} seit {seconds:.0f} s",
        "{persons:.0f} persons within {metres:.1f} {m} for {seconds:.0f} s",
    ),
    one_per_zone=True,
)


@dataclass(frozen=True)
class Gathering:
    """How many, how close together, and how long."""

    gathering_persons: Annotated[int, Ge(3), Le(100)] = bound(
        7, "Ansammlung: Mindestzahl von Personen.", "gathering: least number of persons."
    )
    gathering_m: Metres = bound(
        4.0, "Ansammlung: Radius in Metern um die Mitte der Gruppe.", "gathering: radius in metres around the middle of the group."
    )
    gathering_s: Seconds = bound(20.0, "Ansammlung: Dauer.", "gathering: how long.")


@rule(30, GATHERING, bounds=Gathering, true_when="7 people within 4 m for 20 s", slow=True)
def gathering(history: History, zone: Area, asked: Gathering) -> Iterator[Finding]:
    """Many people close together for a while."""
    there = [trail for trail in history.present() if history.inside(zone, trail.last.box.foot)]
    group = max((_around(history, there, trail, asked.gathering_m) for trail in there), key=len, default=[])
    came = sorted(trail.first_at for trail in group)
    # Of a larger group that has just formed a smaller part may have been there for long: the part that says most counts.
    parts = [(count, history.now.at - came[count - 1]) for count in range(_LEAST_GROUP, len(group) + 1)]
    scores = [graded((count, asked.gathering_persons), (seconds, asked.gathering_s)) for count, seconds in parts]
    score = max(scores, default=0.0)
    if score < FLOOR or not _was_dense(history, group, asked.gathering_m, asked.gathering_s):
        return
    seconds = parts[scores.index(score)][1]
    box = group[0].last.box
    for trail in group[1:]:
        box = box.united(trail.last.box)
    figures = {"persons": len(group), "metres": asked.gathering_m, "seconds": seconds}
    yield Finding(GATHERING, zone.id, "", score, box, figures)


def _around(history: History, there: Sequence[Trail], middle: Trail, metres: float) -> list[Trail]:
    at = middle.last.box.foot
    return [trail for trail in there if history.metres(math.dist(trail.last.box.foot, at), middle.last.box) <= metres]


def _was_dense(history: History, group: Sequence[Trail], metres: float, seconds: float) -> bool:
    """Whether these people were together at the beginning of the span too."""
    then = history.now.at - min(seconds, 10.0)
    places = [next((p.box for p in trail.recent if p.at >= then), None) for trail in group]
    known = [box for box in places if box is not None]
    if not known:
        return False
    x, y = (sum(values) / len(known) for values in zip(*(box.foot for box in known), strict=True))
    return all(history.metres(math.dist((x, y), box.foot), box) <= 1.5 * metres for box in known)
