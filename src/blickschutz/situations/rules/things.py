"""Whether what has changed and stays so is a thing that somebody put down or took away, and not a body, a car, a chair or the light."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Change
from blickschutz.situations.rules.causes import flutters
from blickschutz.situations.rules.history import History, Trail

_NEAR_HEIGHTS = 1.2
_NEAR_WITHIN_S = 40.0
# In heights of whoever was near: what is as large as somebody who lies, sits or crouches may be one; what is larger is a car or a door.
_BODY_AREA, _BODY_SIDE = 0.14, 0.55
_MOST_AREA, _MOST_SIDE = 1.0, 1.6
# What is smaller is a part of something, or the edge of a door.
_LEAST_AREA, _LEAST_SIDE = 0.015, 0.1
# Whoever walked moved by so many heights, or by this share of the picture's width; furniture that is taken for a person does not.
_WALKED_HEIGHTS, _WALKED_SHARE = 0.4, 0.1
_VANISHED_S, _TAKEN_UP_S = 12.0, 4.0
# For so many seconds in one place, and so much of their height.
_STOOD_S, _STOOD_SHARE = 4, 0.3
# Whoever puts a thing down or takes it is there from when the place is last seen as it was, though they may be followed only later.
_BEFORE_S, _COMES_S = 2.0, 20.0
# What was part of the place for less is no thing that could be taken away: somebody who stood there at the start, or a covered lens.
_PART_OF_THE_PLACE_S = 30.0
_EDGE = 0.02
_RESTS_SCORE, _RESTS_SHARE = 0.12, 0.2
_LYING_SIDE = 0.6
# Parts of one change: so near (heights) and so soon one after the other. So many at once are light, leaves or a moved camera.
_PART_HEIGHTS, _PART_S = 0.6, 10.0
_MANY, _RECENT_S = 3, 60.0
_SWAPPED_HEIGHTS, _SWAPPED_S, _SWAPPED_ALIKE = 2.0, 10.0, 2.5


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody came near a place before it became still; `height` is the greatest that they had there."""

    trail: Trail
    height: float


def visits(history: History, change: Change) -> list[Visit]:
    """Who walked up to the place before the change became still."""
    still_at = history.now.at - change.since_s
    found = []
    for trail in history.trails.values():
        near = [
            point.box.height
            for point in trail.long
            if still_at - _NEAR_WITHIN_S <= point.at <= still_at + 1.0 and _reaches(point.box, change.box)
        ]
        if near:
            found.append(Visit(trail, max(near)))
    return found


def stands_out(history: History, change: Change) -> float:
    """The least that it stood out (or had stood out before), in the same way, at any look since it has been still; 0 where it did not.

    A thing is there or gone from then on. A reflection on wet ground comes and goes, as lights behind it do.
    """
    way = 1.0 if change.appeared > 0 else -1.0
    looks = (
        way * other.appeared
        for scene in history.scenes_since(history.now.at - change.since_s)
        for other in scene.changes
        if other is change or _meets(other.box, change.box)
    )
    return max(0.0, min(looks))


def is_thing(history: History, change: Change, visitors: Sequence[Visit]) -> bool:
    """Whether the change can be a thing that one of `visitors` put down or took away."""
    walkers = [visit for visit in visitors if _walked(visit, history.now.width)]
    if not walkers or not _somebody_began_it(history, change):
        return False
    height = max(visit.height for visit in walkers)
    others = [other for other in history.now.changes if other is not change]
    whole = _whole(change, others, height)
    if whole.area > _MOST_AREA * height * height or max(whole.width, whole.height) > _MOST_SIDE * height:
        return False
    own = change.box
    if own.area < _LEAST_AREA * height * height or min(own.width, own.height) < _LEAST_SIDE * height:
        return False
    if flutters(history, own) or _many_at_once(others) or _only_moved(change, others, height):
        return False
    rests = _somebody_rests(history, whole, height)
    if change.appeared < 0:
        # A thing that is gone is not seen any more; somebody who stood there and walked off was one. Where the picture's edge cuts what
        # is gone nothing tells it from somebody who was half in the picture.
        belonged = change.known_s >= _PART_OF_THE_PLACE_S
        return belonged and not rests and not _at_the_edge(history, own) and not _stood_there(change, visitors)
    return not (_as_large_as_a_body(whole, height) and (rests or _vanished_there(history, change, visitors)))


def _somebody_began_it(history: History, change: Change) -> bool:
    """Whether anybody was near when the place was last seen as it was: whoever only passes later makes no change anew of an old one."""
    began_at = history.now.at - max(change.differs_s, change.since_s)
    return any(
        began_at - _BEFORE_S <= point.at <= began_at + _COMES_S and _reaches(point.box, change.box)
        for trail in history.trails.values()
        for point in trail.long
    )


def _reaches(person: Box, thing: Box) -> bool:
    return math.dist(person.foot, thing.centre) <= _NEAR_HEIGHTS * person.height + max(thing.width, thing.height) / 2


def _walked(visit: Visit, width: int) -> bool:
    feet = [point.box.foot for point in (*visit.trail.long, *visit.trail.recent)]
    far = min(_WALKED_HEIGHTS * visit.height, _WALKED_SHARE * width)
    return any(math.dist(feet[0], foot) >= far for foot in feet)


def _whole(change: Change, others: Sequence[Change], height: float) -> Box:
    """The box around the change and the parts of the same one: a body is seldom known as one piece."""
    box = change.box
    for other in sorted(others, key=lambda part: math.dist(part.box.centre, change.box.centre)):
        if abs(other.since_s - change.since_s) <= _PART_S and _gap(box, other.box) <= _PART_HEIGHTS * height:
            box = box.united(other.box)
    return box


def _gap(first: Box, second: Box) -> float:
    across = max(first.left - second.right, second.left - first.right, 0.0)
    down = max(first.top - second.bottom, second.top - first.bottom, 0.0)
    return math.hypot(across, down)


def _many_at_once(others: Sequence[Change]) -> bool:
    return sum(other.since_s <= _RECENT_S for other in others) >= _MANY


def _only_moved(change: Change, others: Sequence[Change], height: float) -> bool:
    """Something as large is gone (or new) close by since about the same time: a chair that was pushed aside."""
    return any(
        other.appeared * change.appeared < 0
        and abs(other.since_s - change.since_s) <= _SWAPPED_S
        and math.dist(other.box.centre, change.box.centre) <= _SWAPPED_HEIGHTS * height
        and max(other.box.area, change.box.area) <= _SWAPPED_ALIKE * min(other.box.area, change.box.area)
        for other in others
    )


def _as_large_as_a_body(box: Box, height: float) -> bool:
    return box.area >= _BODY_AREA * height * height or max(box.width, box.height) >= _BODY_SIDE * height


def _stood_there(change: Change, visitors: Sequence[Visit]) -> bool:
    """Whether a visitor stayed where the thing was, and the thing is as high: then it was them."""
    return any(
        sum(point.box.holds(change.box.centre) for point in visit.trail.long) >= _STOOD_S
        and change.box.height >= _STOOD_SHARE * visit.height
        for visit in visitors
    )


def _vanished_there(history: History, change: Change, visitors: Sequence[Visit]) -> bool:
    """Whether a visitor was last seen near the place, about when it became still, and nobody walked on from there."""
    still_at = history.now.at - change.since_s
    for visit in visitors:
        last = _last_seen(visit.trail)
        if last is None or abs(last[0] - still_at) > _VANISHED_S or not _reaches(last[1], change.box) or _at_the_edge(history, last[1]):
            continue
        if not any(_goes_on(history, other, last) for other in history.trails.values() if other is not visit.trail):
            return True
    return False


def _last_seen(trail: Trail) -> tuple[float, Box] | None:
    seen: Iterator[tuple[float, Box]] = ((point.at, point.box) for point in reversed((*trail.long, *trail.recent)) if point.seen)
    return max(seen, key=lambda item: item[0], default=None)


def _goes_on(history: History, other: Trail, last: tuple[float, Box]) -> bool:
    """Whether `other` took up who was `last` seen, and is somewhere else by now or walked out of the picture."""
    at, box = last
    first, end = other.long[0], other.last
    taken_up = -1.0 <= first.at - at <= _TAKEN_UP_S and math.dist(first.box.foot, box.foot) <= box.height
    away = math.dist(end.box.foot, box.foot) > _NEAR_HEIGHTS * box.height or _at_the_edge(history, end.box)
    return taken_up and away


def _at_the_edge(history: History, box: Box) -> bool:
    now = history.now
    margin = _EDGE * now.width
    return box.left <= margin or box.right >= now.width - margin or box.top <= margin or box.bottom >= now.height - margin


def _somebody_rests(history: History, whole: Box, height: float) -> bool:
    """Whether somebody was found lying there, or the detector sees somebody there again and again, however weakly."""
    scenes = history.scenes
    for scene in scenes:
        if any(_meets(found.box, whole) and max(found.box.width, found.box.height) >= _LYING_SIDE * height for found in scene.lying):
            return True
    seen = sum(any(one.score >= _RESTS_SCORE and _meets(one.box, whole) for one in scene.detections) for scene in scenes)
    return seen >= _RESTS_SHARE * len(scenes)


def _meets(person: Box, thing: Box) -> bool:
    return thing.holds(person.centre) or person.holds(thing.centre)
