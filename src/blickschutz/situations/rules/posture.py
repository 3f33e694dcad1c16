"""The rule about people who fall or lie."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.situation import Kind
from blickschutz.situations.model import Finding, WatchedZone
from blickschutz.situations.rules.history import History, Point, Trail

_STANDING_ASPECT = 0.55
_STOOD_S = 0.5
_FALL_WITHIN_S = 2.6
_HEIGHT_SHARE = 0.64
_DOWN_ASPECT = 0.7
_DROP_HEIGHTS_PER_S = 0.55
_DROP_S = 0.5
_FOOT_RISE = 0.3
_LOST_WITHIN_S = 4.5
_REACH = 1.0
_COMPANY = 1.5
_SURE_LYING = 0.45
_LIKELY_LYING = 0.2
# In heights of the standing person. Whoever lies is hardly longer than he was tall; wider boxes were several people's legs.
_LYING_WIDTH = (0.35, 1.3)
# Share of the standing height's square that somebody who is down covers at least; a bag covers less.
_LEAST_AREA = 0.14
_EDGE = 0.02


@dataclass(frozen=True, slots=True)
class _Fall:
    """A track that stood and whose top came down fast: standing box, share of its height that is left, and since when."""

    standing: Box
    height_share: float
    down_since: float


def person_down(history: History, zone: WatchedZone) -> Iterator[Finding]:
    """Somebody who stood fell and stays down, or somebody lies there.

    Three ways lead here. A track falls fast and stays low and wide. A track is lost after it stood, and somebody
    who lies is found at its place. Somebody lies there surely who was not seen to stand.
    """
    yield from _fallen(history, zone)
    yield from _lying_where_somebody_stood(history, zone)
    yield from _surely_lying(history, zone)


def _fallen(history: History, zone: WatchedZone) -> Iterator[Finding]:
    now = history.now
    for trail in history.trails.values():
        # A track that is lost while somebody falls counts for a moment longer: whoever lies is seen badly.
        if now.at - trail.last.at > 1.0 or not history.inside(zone, trail.last.box.foot) or _left_the_picture(history, trail):
            continue
        fall = _fall(trail)
        if fall is not None and now.at - fall.down_since >= zone.rules.down_s:
            lying = max((d.score for d in now.lying if _near(d.box, fall.standing)), default=0.0)
            figures = {"height_share": fall.height_share, "seconds": now.at - fall.down_since, "lying": lying}
            yield Finding(Kind.PERSON_DOWN, zone.id, _place(history, trail.last.box), min(1.0, 0.6 + lying), trail.last.box, figures)


def _fall(trail: Trail) -> _Fall | None:
    seen = [point for point in trail.recent if point.seen]
    if not seen or not _is_wide(seen[-1].box):
        return None
    standing = _stood(seen)
    if standing is None or standing is seen[-1]:
        return None
    after = [point for point in seen if point.at > standing.at]
    low = [point for point in after if _is_low(point.box, standing.box.height)]
    if len(low) < 2 or low[0].at - standing.at > _FALL_WITHIN_S or low[-1] is not seen[-1]:
        return None
    # Low without a break since then, the feet where they were, and the way down was fast.
    if any(p.box.height > 0.8 * standing.box.height for p in after if p.at > low[0].at):
        return None
    if low[-1].box.bottom < standing.box.bottom - _FOOT_RISE * standing.box.height:
        return None
    if _fastest_drop([p for p in seen if p.at >= standing.at - 0.1]) < _DROP_HEIGHTS_PER_S * standing.box.height:
        return None
    return _Fall(standing.box, low[-1].box.height / standing.box.height, low[0].at)


def _is_low(box: Box, height: float) -> bool:
    return _is_wide(box) and box.height <= _HEIGHT_SHARE * height and box.width * box.height >= _LEAST_AREA * height * height


def _is_wide(box: Box) -> bool:
    return box.width >= _DOWN_ASPECT * box.height


def _stood(seen: list[Point]) -> Point | None:
    """The last moment at which the track had stood upright for a while."""
    result = start = None
    for point in seen:
        if point.box.width <= _STANDING_ASPECT * point.box.height:
            start = start or point
            if point.at - start.at >= _STOOD_S or result is None:
                result = point
        else:
            start = None
    return result


def _fastest_drop(points: list[Point]) -> float:
    """Greatest speed, in pixels per second, at which the upper edge came down over about half a second."""
    best = 0.0
    for index, first in enumerate(points):
        for second in points[index + 1 :]:
            elapsed = second.at - first.at
            if _DROP_S - 0.15 <= elapsed <= 2 * _DROP_S:
                best = max(best, (second.box.top - first.box.top) / elapsed)
    return best


def _lying_where_somebody_stood(history: History, zone: WatchedZone) -> Iterator[Finding]:
    now = history.now
    for detection in now.lying:
        if detection.score < _LIKELY_LYING or not history.inside(zone, detection.box.centre):
            continue
        for trail in history.trails.values():
            gone = now.at - _last_seen(trail)
            if not 0.5 <= gone <= _LOST_WITHIN_S or _left_the_picture(history, trail):
                continue
            standing = _stood([point for point in trail.recent if point.seen])
            if standing is None:
                continue
            wide = detection.box.width / max(1.0, standing.box.height)
            if detection.score < _SURE_LYING and _in_company(history, trail, standing.box):
                continue
            low = detection.box.height <= _HEIGHT_SHARE * standing.box.height
            fits = low and _LYING_WIDTH[0] <= wide <= _LYING_WIDTH[1] and _near(detection.box, standing.box)
            if fits and not _somebody_stands(history, detection.box):
                share = detection.box.height / max(1.0, standing.box.height)
                figures = {"height_share": share, "seconds": gone, "lying": detection.score}
                score = min(1.0, 0.4 + detection.score)
                yield Finding(Kind.PERSON_DOWN, zone.id, _place(history, detection.box), score, detection.box, figures)
                break


def _surely_lying(history: History, zone: WatchedZone) -> Iterator[Finding]:
    now = history.now
    for detection in now.lying:
        if detection.score < _SURE_LYING or not history.inside(zone, detection.box.centre) or _somebody_stands(history, detection.box):
            continue
        if _as_tall_as_who_stood_there(history, detection.box):
            continue
        scenes = list(history.scenes_since(now.at - zone.rules.lying_s - 0.3))
        since = [s.at for s in scenes if any(_overlaps(d.box, detection.box) for d in s.lying)]
        if len(since) == len(scenes) and now.at - since[0] >= zone.rules.lying_s:
            share = detection.box.height / max(1.0, detection.box.width)
            figures = {"height_share": share, "seconds": now.at - since[0], "lying": detection.score}
            score = min(1.0, 0.3 + detection.score)
            yield Finding(Kind.PERSON_DOWN, zone.id, _place(history, detection.box), score, detection.box, figures)


def _as_tall_as_who_stood_there(history: History, box: Box) -> bool:
    """Whether somebody stood there just now who was hardly taller than the box: then the box holds people who stand."""
    stood = [_stood([point for point in trail.recent if point.seen]) for trail in history.trails.values()]
    near = [point.box.height for point in stood if point is not None and _near(box, point.box)]
    return bool(near) and box.height > _HEIGHT_SHARE * max(near)


def _last_seen(trail: Trail) -> float:
    return next((point.at for point in reversed(trail.recent) if point.seen), -math.inf)


def _left_the_picture(history: History, trail: Trail) -> bool:
    """Whether the track was last seen, or went on by itself, to the left or right edge, or small to the upper one: it walked out."""
    seen = next((point.box for point in reversed(trail.recent) if point.seen), trail.last.box)
    margin = _EDGE * history.now.width
    return any(box.left <= margin or box.right >= history.now.width - margin or box.top <= 0 for box in (seen, trail.last.box))


def _somebody_stands(history: History, box: Box) -> bool:
    return any(
        trail.last.seen and trail.last.box.width <= _STANDING_ASPECT * trail.last.box.height and _overlaps(trail.last.box, box)
        for trail in history.present()
    )


def _in_company(history: History, trail: Trail, standing: Box) -> bool:
    """Whether others are so close that the track may only be hidden behind them, and their legs look like somebody lying."""
    return any(
        other is not trail and math.dist(other.last.box.foot, standing.foot) <= _COMPANY * standing.height for other in history.present()
    )


def _near(lying: Box, standing: Box) -> bool:
    """Whether somebody who stood in one box can lie in the other."""
    return math.dist(lying.centre, standing.foot) <= _REACH * standing.height


def _overlaps(first: Box, second: Box) -> bool:
    return first.left < second.right and second.left < first.right and first.top < second.bottom and second.top < first.bottom


def _place(history: History, box: Box) -> str:
    """A coarse place, so that one person who is found in two ways is one situation."""
    x, y = history.share_box(box).centre
    return f"{round(3 * x)}-{round(3 * y)}"
