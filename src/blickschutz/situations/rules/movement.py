"""Rules about where people are and how they move."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from blickschutz.kernel.geometry import Box
from blickschutz.situations.kinds import Kind
from blickschutz.situations.model import FLOOR, WHOLE, Finding, Line, WatchedZone, graded
from blickschutz.situations.rules.history import History, Point, Trail

_GAP_S = 3.0
_LEAST_AGE_S = 0.8
_SPEED_S = 0.8
_HALF_SHARE = 0.7
_LEAST_GROUP = 3


def person_in_zone(history: History, zone: WatchedZone) -> Iterator[Finding]:
    """Somebody stands in the zone for a while."""
    there = [trail for trail in history.present() if history.inside(zone, trail.last.box.foot)]
    spans = [_span_inside(history, zone, trail) for trail in there]
    longest = max(spans, default=0.0)
    score = graded((longest, zone.rules.in_zone_s)) if there else 0.0
    if score >= FLOOR:
        box = there[spans.index(longest)].last.box
        yield Finding(Kind.PERSON_IN_ZONE, zone.id, "", score, box, {"persons": len(there), "seconds": longest})


def _span_inside(history: History, zone: WatchedZone, trail: Trail) -> float:
    """For how long the track has been in the zone: exact for the first seconds, to the second from then on."""
    if zone.polygon == WHOLE:
        return history.now.at - trail.first_at
    exact = history.now.at - zone.rules.in_zone_s - 1.0
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


def loitering(history: History, zone: WatchedZone) -> Iterator[Finding]:
    """One track stays within a small circle for long."""
    rules = zone.rules
    for trail in history.present():
        if 2 * (history.now.at - trail.first_at) < rules.loitering_s or not history.inside(zone, trail.last.box.foot):
            continue
        points = [point for point in trail.long if point.at >= history.now.at - rules.loitering_s]
        radius = history.metres(_radius(points), trail.last.box)
        seconds = _stay(history, trail, rules.loitering_m)
        score = graded((seconds, rules.loitering_s))
        if radius <= rules.loitering_m and score >= FLOOR:
            yield Finding(Kind.LOITERING, zone.id, str(trail.number), score, trail.last.box, {"seconds": seconds, "metres": radius})


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


def gathering(history: History, zone: WatchedZone) -> Iterator[Finding]:
    """Many people close together for a while."""
    rules = zone.rules
    there = [trail for trail in history.present() if history.inside(zone, trail.last.box.foot)]
    group = max((_around(history, there, trail, rules.gathering_m) for trail in there), key=len, default=[])
    came = sorted(trail.first_at for trail in group)
    # Of a larger group that has just formed a smaller part may have been there for long: the part that says most counts.
    parts = [(count, history.now.at - came[count - 1]) for count in range(_LEAST_GROUP, len(group) + 1)]
    scores = [graded((count, rules.gathering_persons), (seconds, rules.gathering_s)) for count, seconds in parts]
    score = max(scores, default=0.0)
    if score < FLOOR or not _was_dense(history, group, rules.gathering_m, rules.gathering_s):
        return
    seconds = parts[scores.index(score)][1]
    box = group[0].last.box
    for trail in group[1:]:
        box = box.united(trail.last.box)
    figures = {"persons": len(group), "metres": rules.gathering_m, "seconds": seconds}
    yield Finding(Kind.GATHERING, zone.id, "", score, box, figures)


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


def fast_movement(history: History, zone: WatchedZone) -> Iterator[Finding]:
    """Somebody runs."""
    rules = zone.rules
    for trail in history.present():
        age = history.now.at - trail.first_at
        if age < max(_LEAST_AGE_S, rules.fast_s) or not trail.last.seen or not history.inside(zone, trail.last.box.foot):
            continue
        whole = history.speed(trail, rules.fast_s)
        # Fast in both halves: a box that jumps is fast in one only.
        score = graded((whole, rules.fast_mps), (min(_halves(history, trail, rules.fast_s)), _HALF_SHARE * rules.fast_mps))
        if score >= FLOOR:
            figures = {"metres_per_second": whole, "seconds": rules.fast_s}
            yield Finding(Kind.FAST_MOVEMENT, zone.id, str(trail.number), score, trail.last.box, figures)


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


def approach(history: History, zone: WatchedZone) -> Iterator[Finding]:
    """One person closes in fast on another who does not come towards them as fast."""
    rules = zone.rules
    span = rules.approach_from_m / rules.approach_mps
    present = [trail for trail in history.present() if history.now.at - trail.first_at >= _LEAST_AGE_S]
    places = [(trail, trail.last.box, trail.last.box.foot) for trail in present]
    for (first, own_box, own_foot), (second, other_box, other_foot) in itertools.permutations(places, 2):
        end = history.walked(math.dist(own_foot, other_foot), second)
        if end > rules.approach_to_m:
            continue
        if not first.last.seen or not history.inside(zone, other_foot) or not _alike(own_box, other_box):
            continue
        pairs = list(_together(first, second, history.now.at - 1.5 * span))
        if len(pairs) < 4:
            continue
        start_at, own_start, other_start = max(pairs, key=lambda item: math.dist(item[1].foot, item[2].foot))
        start = history.walked(math.dist(own_start.foot, other_start.foot), second)
        elapsed = history.now.at - start_at
        if start < rules.approach_from_m or elapsed <= 0:
            continue
        closing = (start - end) / elapsed
        own, other = math.dist(own_start.foot, first.last.box.foot), math.dist(other_start.foot, second.last.box.foot)
        score = graded((closing, rules.approach_mps))
        if score >= FLOOR and own > 2 * other:
            figures = {"metres_per_second": closing, "from_metres": start, "to_metres": end}
            box = first.last.box.united(second.last.box)
            yield Finding(Kind.APPROACH, zone.id, f"{first.number}-{second.number}", score, box, figures)


def _alike(first: Box, second: Box) -> bool:
    """Of about the same size, and so about as far from the camera."""
    return max(first.height, second.height) < 1.6 * min(first.height, second.height)


def _together(first: Trail, second: Trail, since: float) -> Iterator[tuple[float, Box, Box]]:
    others = {point.at: point.box for point in second.since(since)}
    return ((point.at, point.box, others[point.at]) for point in first.since(since) if point.at in others)


def line_crossed(history: History, line: Line) -> Iterator[Finding]:
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
            yield Finding(Kind.LINE_CROSSED, line.id, str(trail.number), 0.8, trail.last.box, figures)


def _side(start: tuple[float, float], end: tuple[float, float], point: tuple[float, float]) -> float:
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])


def _meets(start: tuple[float, float], end: tuple[float, float], a: tuple[float, float], b: tuple[float, float]) -> bool:
    """Whether the way from `a` to `b` crosses within the line's ends."""
    return _side(a, b, start) * _side(a, b, end) <= 0
