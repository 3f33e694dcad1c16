"""Rules about how people move."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt, Le

from blickschutz.kernel.geometry import Box
from blickschutz.situations.declare import NoBounds, Where, bound, rule
from blickschutz.situations.model import FLOOR, Area, Declaration, Finding, Line, Metres, Seconds, graded
from blickschutz.situations.rules.history import History, Trail

_GAP_S = 3.0
_LEAST_AGE_S = 0.8
_SPEED_S = 0.8
_HALF_SHARE = 0.7

Speed = Annotated[float, Gt(0), Le(15)]

FAST_MOVEMENT = Declaration(
    id="fast_movement",
    order=40,
    name=("Schnelle Bewegung", "Fast movement"),
    explanation=(
        "eine Person mit {metres_per_second:.1f} {mps} über {seconds:.1f} s",
        "one person at {metres_per_second:.1f} {mps} over {seconds:.1f} s",
    ),
    start=0.54,
    release_s=8.0,
)


@dataclass(frozen=True)
class FastMovement:
    """How fast, and how long."""

    fast_mps: Speed = bound(
        4.5,
        "Schnelle Bewegung: Mindestgeschwindigkeit in Metern je Sekunde.",
        "fast_movement: least speed in metres per second.",
    )
    fast_s: Seconds = bound(0.8, "Schnelle Bewegung: Dauer.", "fast_movement: how long.")


@rule(40, FAST_MOVEMENT, bounds=FastMovement, true_when="4.5 m/s over 0.8 s, in both halves of it")
def fast_movement(history: History, zone: Area, asked: FastMovement) -> Iterator[Finding]:
    """Somebody runs."""
    for trail in history.present():
        age = history.now.at - trail.first_at
        if age < max(_LEAST_AGE_S, asked.fast_s) or not trail.last.seen or not history.inside(zone, trail.last.box.foot):
            continue
        whole = history.speed(trail, asked.fast_s)
        # Fast in both halves: a box that jumps is fast in one only.
        score = graded((whole, asked.fast_mps), (min(_halves(history, trail, asked.fast_s)), _HALF_SHARE * asked.fast_mps))
        if score >= FLOOR:
            figures = {"metres_per_second": whole, "seconds": asked.fast_s}
            yield Finding(FAST_MOVEMENT, zone.id, str(trail.number), score, trail.last.box, figures)


def _halves(history: History, trail: Trail, over_s: float) -> tuple[float, float]:
    points = [point for point in trail.since(history.now.at - over_s) if point.seen]
    if len(points) < 3:
        return 0.0, 0.0
    middle = points[len(points) // 2]
    speeds = [
        history.walked(math.dist(a.box.centre, b.box.centre), trail) / (b.at - a.at) if b.at > a.at else 0.0
        for a, b in ((points[0], middle), (middle, points[-1]))
    ]
    return speeds[0], speeds[1]


APPROACH = Declaration(
    id="approach",
    order=50,
    name=("Annäherung", "Approach"),
    explanation=(
        "eine Person kommt mit {metres_per_second:.1f} {mps} auf eine andere zu, von {from_metres:.1f} auf {to_metres:.1f} {m}",
        "one person closes in on another at {metres_per_second:.1f} {mps}, from {from_metres:.1f} to {to_metres:.1f} {m}",
    ),
    release_s=8.0,
)


@dataclass(frozen=True)
class Approach:
    """How fast, from how far, and how near."""

    approach_mps: Speed = bound(
        3.5, "Annäherung: Mindestgeschwindigkeit in Metern je Sekunde.", "approach: least closing speed in metres per second."
    )
    approach_from_m: Metres = bound(4.0, "Annäherung: mindestens aus diesem Abstand.", "approach: from at least this distance.")
    approach_to_m: Metres = bound(1.2, "Annäherung: höchstens bis auf diesen Abstand.", "approach: to at most this distance.")


@rule(
    50,
    APPROACH,
    bounds=Approach,
    true_when="one closes in at 3.5 m/s from 4 m to 1.2 m on another who moves less than half as fast",
)
def approach(history: History, zone: Area, asked: Approach) -> Iterator[Finding]:
    """One person closes in fast on another who does not come towards them as fast."""
    span = asked.approach_from_m / asked.approach_mps
    present = [trail for trail in history.present() if history.now.at - trail.first_at >= _LEAST_AGE_S]
    places = [(trail, trail.last.box, trail.last.box.foot) for trail in present]
    for (first, own_box, own_foot), (second, other_box, other_foot) in itertools.permutations(places, 2):
        end = history.walked(math.dist(own_foot, other_foot), second)
        if end > asked.approach_to_m:
            continue
        if not first.last.seen or not history.inside(zone, other_foot) or not _alike(own_box, other_box):
            continue
        pairs = list(_together(first, second, history.now.at - 1.5 * span))
        if len(pairs) < 4:
            continue
        start_at, own_start, other_start = max(pairs, key=lambda item: math.dist(item[1].foot, item[2].foot))
        start = history.walked(math.dist(own_start.foot, other_start.foot), second)
        elapsed = history.now.at - start_at
        if start < asked.approach_from_m or elapsed <= 0:
            continue
        closing = (start - end) / elapsed
        own, other = math.dist(own_start.foot, first.last.box.foot), math.dist(other_start.foot, second.last.box.foot)
        score = graded((closing, asked.approach_mps))
        if score >= FLOOR and own > 2 * other:
            figures = {"metres_per_second": closing, "from_metres": start, "to_metres": end}
            box = first.last.box.united(second.last.box)
            yield Finding(APPROACH, zone.id, f"{first.number}-{second.number}", score, box, figures)


def _alike(first: Box, second: Box) -> bool:
    """Of about the same size, and so about as far from the camera."""
    return max(first.height, second.height) < 1.6 * min(first.height, second.height)


def _together(first: Trail, second: Trail, since: float) -> Iterator[tuple[float, Box, Box]]:
    others = {point.at: point.box for point in second.since(since)}
    return ((point.at, point.box, others[point.at]) for point in first.since(since) if point.at in others)


LINE_CROSSED = Declaration(
    id="line_crossed",
    order=120,
    name=("Linie überschritten", "Line crossed"),
    explanation=(
        "eine Person hat die Linie mit {metres_per_second:.1f} {mps} überschritten",
        "one person crossed the line at {metres_per_second:.1f} {mps}",
    ),
    release_s=2.0,
    is_fact=True,
    onvif=("RuleEngine/LineDetector",),
)


@rule(110, LINE_CROSSED, bounds=NoBounds, true_when="feet cross a line of the site file", where=Where.LINES)
def line_crossed(history: History, line: Line, asked: NoBounds) -> Iterator[Finding]:
    """Somebody's feet went from one side of a line to the other between two scenes."""
    now = history.now
    start, end = ((x * now.width, y * now.height) for x, y in (line.start, line.end))
    for trail in history.present():
        points = list(trail.recent)[-2:]
        if len(points) < 2 or points[1].at - points[0].at > _GAP_S:
            continue
        sides = [_side(start, end, point.box.foot) for point in points]
        forward = sides[0] > 0 >= sides[1]
        if (forward or (line.both_ways and sides[0] <= 0 < sides[1])) and _meets(start, end, points[0].box.foot, points[1].box.foot):
            figures = {"metres_per_second": history.speed(trail, _SPEED_S)}
            yield Finding(LINE_CROSSED, line.id, str(trail.number), 0.8, trail.last.box, figures)


def _side(start: tuple[float, float], end: tuple[float, float], point: tuple[float, float]) -> float:
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])


def _meets(start: tuple[float, float], end: tuple[float, float], a: tuple[float, float], b: tuple[float, float]) -> bool:
    """Whether the way from `a` to `b` crosses within the line's ends."""
    return _side(a, b, start) * _side(a, b, end) <= 0
