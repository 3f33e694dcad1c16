"""The rule about people who fall or lie."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import POSTURE_FIGURES, Posture, Scene
from blickschutz.situations.declare import NoBounds, rule
from blickschutz.situations.model import FLOOR, Area, Declaration, Finding
from blickschutz.situations.rules.forest import Forest
from blickschutz.situations.rules.history import History, Point, Trail

Floats: TypeAlias = npt.NDArray[np.float32]

WINDOW_S = 1.8
LEAST_POSTURES = 2
PRESENT = 0.5
_SAME_PLACE = 0.6
_MOST_WIDE = 4.0
_STANDING_ASPECT = 0.72
_STOOD_S = 0.5
_DROP_S = 0.5
_TRAIL_S = 6.0
_REACH = 1.2
_NEAR_SHARE = 0.25
_COMPANY = 1.5
_HEIGHT = POSTURE_FIGURES.index("height_share")
# From so far off upright on a body that is lower than it stood came down; whoever walks in below is as low, and upright.
_OFF_UPRIGHT, _LEAST_FALL_S, _MOST_DOWN = 0.45, 0.4, 1.2
# Where no look saw anybody off upright (a car, legs, furniture) the evidence counts less.
_SEEN_FLAT, _UNCONFIRMED = 0.3, 0.8

FALL_FIGURES = ("fall_share", "fall_drop", "fall_ago", "fall_company", "fall_still")
# Flat is presence times lean: how surely somebody is there who is off upright.
WINDOW_FIGURES = (
    *("flattest", "flattest of two", "flattest of four", "flat now", "flat", "looks flat"),
    *("surest", "presence", "looks with somebody", "looks"),
    *("widest with somebody", "wide", "wide now", "box wide", "box wide now", "box widest"),
    *("lowest share of height", "share of height", "share of length", "stood ago", "stood"),
    *FALL_FIGURES,
    *("lying score", "mean lying score", "box score", "upright beside", "edge", "size"),
    *("trunk flat", "legs flat", "head drop", "slender", "moved", "presence upright", "moved least"),
    *("down", "down now", "came down", "leaned", "fell", "foot way", "sank", "deep"),
)

_FLATTEST = WINDOW_FIGURES.index("flattest")


def posture_windows(scenes: Sequence[Scene]) -> list[list[Posture]]:
    """For each posture of the last of `scenes` those of the same body within the window, itself last."""
    now = scenes[-1]
    found = []
    for last in now.postures:
        reach = _SAME_PLACE * max(last.box.width, last.box.height)
        window = [
            one
            for scene in scenes
            if now.at - WINDOW_S <= scene.at
            for one in scene.postures
            if one is last or (scene is not now and math.dist(one.box.centre, last.box.centre) <= reach)
        ]
        if len(window) >= LEAST_POSTURES and max(one.presence for one in window) >= PRESENT:
            found.append(window)
    return found


def posture_features(history: History, window: Sequence[Posture]) -> Floats:
    """In the order of `WINDOW_FIGURES`; what was not measured is -1."""
    rows = np.array([one.figures for one in window], np.float32)
    column = {name: rows[:, index] for index, name in enumerate(POSTURE_FIGURES)}
    presence = np.clip(column["presence"], 0, 1)
    flat = presence * column["lean"]
    best = np.sort(flat)[::-1]
    # Small people are hidden and cut often, and then seem to sink.
    near = column["size"] >= _NEAR_SHARE * column["height_share"]
    there, down = presence >= PRESENT, column["down"]
    sank = np.where(there & near & (column["lean"] >= _OFF_UPRIGHT), down / np.maximum(_LEAST_FALL_S, column["stood_ago"]), np.nan)
    deep = np.where(there, column["lean"] * np.clip(down, 0, _MOST_DOWN), np.nan)
    wide, box_wide = (np.minimum(column[name], _MOST_WIDE) for name in ("wide", "box_wide"))
    figures = [
        *(best[0], best[:2].mean(), best[:4].mean(), flat[-1], flat.mean(), np.count_nonzero(flat > PRESENT)),
        *(presence.max(), presence.mean(), np.count_nonzero(presence >= PRESENT), len(window)),
        *((presence * wide).max(), np.median(wide), wide[-1], np.median(box_wide), box_wide[-1], box_wide.max()),
        *(_known(column["height_share"], np.min), _known(column["height_share"], np.mean), _known(column["length_share"], np.mean)),
        *(_known(column["stood_ago"], np.max), column["stood"].max()),
        *_fall(history, window[-1].box),
        *(column["lying_score"].max(), column["lying_score"].mean(), column["box_score"].max()),
        *(column["upright_beside"].mean(), column["edge"].mean(), np.median(column["size"])),
        *(_known(column[name], np.mean) for name in ("trunk_flat", "legs_flat", "head_drop", "slender", "moved", "presence_upright")),
        _known(column["moved"], np.min),
        *(_known(down, np.max), _known(down[-1:], np.max), _gained(down, presence)),
        *(_gained(flat, presence), (column["fell"] * near).max(), _known(column["foot_way"], np.min)),
        *(_known(sank, np.max), _known(deep, np.max)),
    ]
    return np.array(figures, np.float32)


def posture_score(forest: Forest, features: Floats) -> float:
    """Held down where no look of the window saw anybody off upright."""
    return forest.score(features) * (1.0 if features[_FLATTEST] >= _SEEN_FLAT else _UNCONFIRMED)


def _known(column: Floats, fold: Callable[[Floats], Any]) -> float:
    """Of what was measured; -1 where nothing was."""
    measured = column[~np.isnan(column)]
    return float(fold(measured)) if len(measured) else -1.0


def _gained(column: Floats, presence: Floats) -> float:
    """From the first to the last look that saw somebody; 0 where there are no two."""
    seen = column[(presence >= PRESENT) & ~np.isnan(column)]
    return float(seen[-1] - seen[0]) if len(seen) > 1 else 0.0


def _fall(history: History, box: Box) -> tuple[float, ...]:
    """Of the nearest track that stood there: height left, fastest drop in heights per second, seconds since, company, rest."""
    now = history.now
    best: tuple[float, Trail, Point] | None = None
    for trail in history.trails.values():
        if now.at - trail.last.at > _TRAIL_S:
            continue
        standing = _stood([point for point in trail.recent if point.seen])
        if standing is None:
            continue
        way = math.dist(box.centre, standing.box.foot) / standing.box.height
        if way <= _REACH and (best is None or way < best[0]):
            best = way, trail, standing
    if best is None:
        return (-1.0,) * len(FALL_FIGURES)
    _, trail, standing = best
    seen = [point for point in trail.recent if point.seen and point.at >= standing.at - 0.1]
    height = standing.box.height
    company = sum(
        other is not trail and math.dist(other.last.box.foot, standing.box.foot) <= _COMPANY * height for other in history.present()
    )
    still = math.dist(seen[-1].box.centre, seen[-2].box.centre) / height if len(seen) > 1 else 0.0
    return seen[-1].box.height / height, _fastest_drop(seen) / height, now.at - standing.at, float(company), still


PERSON_DOWN = Declaration(
    id="person_down",
    order=70,
    name=("Sturz oder liegende Person", "Person down"),
    explanation=(
        "Höhe auf {height_share:.0%} der stehenden Höhe gesunken, seit {seconds:.1f} s; Anzeichen für Liegen: {lying:.0%}",
        "height fell to {height_share:.0%} of the standing height, {seconds:.1f} s ago; signs of lying: {lying:.0%}",
    ),
    start=0.78,
    release_s=30.0,
    same_place=0.3,
    learned_from=WINDOW_FIGURES,
    priority="high",
    must_not_wait=True,
    device_class="safety",
)


@rule(
    70,
    PERSON_DOWN,
    bounds=NoBounds,
    true_when="somebody who was looked at a second time lies or has fallen, as a [learned rule](../models/person_down.md) knows it",
)
def person_down(history: History, zone: Area, asked: NoBounds) -> Iterator[Finding]:
    """Somebody who was looked at a second time lies or has fallen, as a learned rule knows it."""
    del asked
    forest = history.learned.of(PERSON_DOWN.id)
    now = history.now
    if not now.postures:
        return
    scenes = list(history.scenes_since(now.at - WINDOW_S))
    for window in posture_windows(scenes):
        last = window[-1]
        if not history.inside(zone, last.box.centre):
            continue
        score = posture_score(forest, posture_features(history, window))
        if score < FLOOR:
            continue
        since = next(scene.at for scene in scenes if any(one is window[0] for one in scene.postures))
        share = last.figures[_HEIGHT]
        if math.isnan(share):
            share = last.box.height / max(1.0, last.box.width)
        figures = {"height_share": share, "seconds": now.at - since, "lying": last.lean}
        yield Finding(PERSON_DOWN, zone.id, _place(history, last.box), score, last.box, figures)


def _stood(seen: Sequence[Point]) -> Point | None:
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


def _fastest_drop(points: Sequence[Point]) -> float:
    """Greatest speed, in pixels per second, at which the upper edge came down over about half a second."""
    best = 0.0
    for index, first in enumerate(points):
        for second in points[index + 1 :]:
            elapsed = second.at - first.at
            if _DROP_S - 0.15 <= elapsed <= 2 * _DROP_S:
                best = max(best, (second.box.top - first.box.top) / elapsed)
    return best


def _place(history: History, box: Box) -> str:
    """A coarse place, so that one person who is found in two ways is one situation."""
    x, y = history.share_box(box).centre
    return f"{round(3 * x)}-{round(3 * y)}"
