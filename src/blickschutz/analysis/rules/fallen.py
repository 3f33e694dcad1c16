"""Where somebody may be down: the places that are worth a look at a pose, and how surely.

Somebody stood there and does not any more: their box turned wide or low, or it was lost and something is left on the ground, a weak
box or what stands out from the known place. Whoever is upright now hides what is behind them; whoever walks out of the picture is
gone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Detection, Track

Bytes: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]

SEEN_S, _FRESH_S = 0.4, 0.1
UPRIGHT, _STOOD = 0.55, 0.65
_LOW, _SPREAD, _WIDE = 0.58, 0.85, 1.3
_LOWERED = 0.72
_WEAK, _LIKELY, _SURE_LYING, _LYING = 0.12, 0.3, 0.45, 0.22
_STOOD_S, _LOST_S = 6.0, (0.4, 4.0)
_REACH, _COMPANY = 1.0, 0.8
_EDGE = 0.02
# Most who are lost went behind something: so many looks at a weak box where they stood.
_MOST_LOST = 6
_LEAST_PX = 60
# Whoever is as tall as this share of the picture is worth a look on less: small people fall seldom and are hidden often.
_NEAR_SHARE = 0.25
# Whoever falls comes down by this share of their height, and by this many heights a second; whoever walks out of the picture or
# sits down is slower. From half of it on the detector looks more often.
_FALL, _FALL_SPEED, _SHRUNK = 0.35, 0.5, 0.88
_SINKS, _SINK_SPEED = 0.15, 0.3
# What is left of somebody on the ground, in heights and squares of heights: no crumb, no shadow, no crowd.
_LEFT_SIDES, _LEFT_AREA, _LEFT_HEIGHT = (0.35, 1.7), 0.08, 0.8
_HIDDEN = 0.2


@dataclass(slots=True)
class Stood:
    """The last upright box of a track, the tallest it ever was, how often it was seen upright, and whether it fell since."""

    box: Box
    at: float
    seen_at: float
    tallest: float
    times: int
    looked: int = 0
    fell: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere to look: a box, where it comes from, who stood there, and whether looks that are scarce are kept from it."""

    box: Box
    source: str
    score: float = 0.0
    stood: Stood | None = None
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Around:
    """One moment: `boxes` (n, 5) of the detector, tracks, what the turned detector saw, the picture's width and height.

    `left_over` gives the boxes of what stands out from the known place; it is asked only where somebody was lost.
    """

    boxes: Floats
    tracks: Sequence[Track]
    lying: Sequence[Detection]
    size: tuple[int, int]
    left_over: Callable[[], Sequence[Box]]


@dataclass(slots=True)
class Fallen:
    """Feeds on the moments of one camera in order of time."""

    _stood: dict[int, Stood] = field(default_factory=dict)

    def remember(self, tracks: Sequence[Track], size: tuple[int, int], at: float) -> tuple[bool, list[Box]]:
        """Take up who stands; (whether somebody sinks, who is near and was seen upright for the first time now)."""
        sinks, came = False, list[Box]()
        for track in tracks:
            if track.seen_s > SEEN_S or track.score < (_LIKELY if track.number not in self._stood else _WEAK):
                continue
            known, box = self._stood.get(track.number), track.box
            if known is not None:
                known.seen_at = at
                down, speed = _sunk(box, known, at)
                sinks |= track.confirmed and down >= _SINKS and speed >= _SINK_SPEED
                # Whoever walks towards the camera comes down too, and grows; a track that was seen once jumps to who walks in below.
                cut = box.bottom >= (1 - _EDGE) * size[1]
                lower = known.times > 1 if cut else box.height <= _SHRUNK * known.box.height
                known.fell |= track.confirmed and down >= _FALL and speed >= _FALL_SPEED and lower
            stands = box.width <= _STOOD * box.height and track.score >= _LIKELY
            if stands and (known is None or box.height >= _LOWERED * known.box.height or at - known.at > _STOOD_S):
                tallest = max(box.height, known.tallest if known is not None else 0.0)
                times = (known.times if known is not None else 0) + (track.seen_s < _FRESH_S)
                if known is None and track.seen_s < _FRESH_S and box.height >= _NEAR_SHARE * size[1]:
                    came.append(box)
                self._stood[track.number] = Stood(box, at, at, tallest, times)
        self._stood = {number: stood for number, stood in self._stood.items() if at - max(stood.at, stood.seen_at) <= _STOOD_S}
        return sinks, came

    def places(self, around: Around, at: float) -> list[Place]:
        """Where somebody may be down, one for each spot."""
        size, found = around.size, list[Place]()
        stands = [track.box for track in around.tracks if track.confirmed and track.seen_s <= SEEN_S and self._stands(track, size)]
        candidates = [*self._from_tracks(around.tracks, size, at), *self._from_lost(around, at)]
        found_lying = [Place(one.box, "lying", one.score, self._who_stood(one.box, at)) for one in around.lying]
        candidates += [place for place in found_lying if place.score >= (_SURE_LYING if place.stood is None else _LYING)]
        boxes = around.boxes
        wide = boxes[(boxes[:, 4] >= _LIKELY) & (boxes[:, 2] - boxes[:, 0] > _WIDE * (boxes[:, 3] - boxes[:, 1]))]
        candidates += [Place(box, "box", score, self._who_stood(box, at)) for box, score in _rows(wide)]
        for place in candidates:
            # Somebody who stands there now hides whatever a weak box or an older look made of them.
            if not any(other.box.holds(place.box.centre) for other in found) and not any(box.holds(place.box.centre) for box in stands):
                found.append(place)
        return found

    def _stands(self, track: Track, size: tuple[int, int]) -> bool:
        """Neither lower than they stood nor wide; whoever is cut by the lower edge walks out of the picture, unless they fell."""
        box, stood = track.box, self._stood.get(track.number)
        if box.bottom >= (1 - _EDGE) * size[1]:
            return box.width <= _WIDE * box.height and not (stood is not None and stood.fell)
        lowered = stood is not None and box.height < _LOWERED * stood.box.height
        near = stood is not None and stood.box.height >= _NEAR_SHARE * size[1]
        return not (lowered and near) and box.width <= (_LOW if lowered else _SPREAD) * box.height

    def _from_tracks(self, tracks: Sequence[Track], size: tuple[int, int], at: float) -> Iterator[Place]:
        for track in tracks:
            box, stood = track.box, self._stood.get(track.number)
            if track.confirmed and track.seen_s <= SEEN_S and not self._stands(track, size):
                cut = box.bottom >= (1 - _EDGE) * size[1]
                yield Place(box, "track", track.score, stood or self._who_stood(box, at), doubtful=cut)

    def _from_lost(self, around: Around, at: float) -> Iterator[Place]:
        least, most = _LOST_S
        size = around.size
        followed = [track for track in around.tracks if track.confirmed and track.seen_s <= SEEN_S]
        open_parts: Sequence[Box] | None = None
        for number, stood in self._stood.items():
            gone, box = at - max(stood.at, stood.seen_at), stood.box
            if not (least / 2 if stood.fell else least) <= gone <= most or box.height < _LEAST_PX:
                continue
            if any(track.number == number for track in followed) or _walked_out(box, size):
                continue
            company = [track.box for track in followed if math.dist(track.box.foot, box.foot) <= _COMPANY * box.height]
            open_parts = around.left_over() if open_parts is None else open_parts
            remains = [one for one in open_parts if _remains(one, box) and not _is_hidden(one, company)]
            # Whoever goes behind others is hidden, and their legs look like somebody lying.
            near = [] if company else [row for row in _rows(around.boxes) if row[1] >= _WEAK and _may_lie(row[0], box)]
            cut = box.bottom >= (1 - _EDGE) * size[1] and not stood.fell
            if remains and (not near or stood.looked % 2) and stood.looked < _MOST_LOST:
                yield Place(max(remains, key=lambda one: one.area), "lost", 0.0, stood, doubtful=cut)
            elif near and stood.looked < _MOST_LOST:
                where, score = max(near, key=lambda row: row[1])
                yield Place(where, "lost", score, stood, doubtful=cut)
            elif stood.looked <= stood.fell and box.height >= _NEAR_SHARE * size[1] and not company and not cut:
                (x, y), height = box.foot, box.height
                yield Place(Box(x - 0.5 * height, y - 0.45 * height, x + 0.5 * height, y + 0.1 * height), "lost", 0.0, stood)

    def _who_stood(self, box: Box, at: float) -> Stood | None:
        near = [stood for stood in self._stood.values() if math.dist(box.centre, stood.box.foot) <= _REACH * stood.box.height]
        return min(near, key=lambda stood: at - stood.at, default=None)


def left_over(proven: Bytes, known: Bytes, scale: tuple[float, float], most: int = 12) -> list[Box]:
    """The largest parts of a small picture that are `known` (255) and not `proven`, in source pixels; `scale` (x, y) leads to them."""
    open_parts = np.asarray(cv2.bitwise_and(cv2.bitwise_not(proven), known), np.uint8)
    open_parts = np.asarray(cv2.morphologyEx(open_parts, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)), np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(open_parts, connectivity=8)
    largest = stats[1:][np.argsort(-stats[1:, cv2.CC_STAT_AREA])][:most]
    return [Box(x, y, x + width, y + height).scaled(*scale) for x, y, width, height, _ in largest.tolist()]


def _rows(boxes: Floats) -> list[tuple[Box, float]]:
    return [(Box(*sides), score) for *sides, score in boxes.tolist()]


def _sunk(box: Box, stood: Stood, at: float) -> tuple[float, float]:
    """How far the upper edge came down since somebody stood, in heights, and how many a second."""
    down = (box.top - stood.box.top) / stood.tallest
    return down, down / max(SEEN_S, at - stood.at)


def _may_lie(box: Box, standing: Box) -> bool:
    """Whether somebody who stood in one box can be down in the other."""
    near = math.dist(box.centre, standing.foot) <= _REACH * standing.height
    return near and box.height < _LOWERED * standing.height and box.width > _LOW * box.height and box.height > 0.15 * standing.height


def _remains(box: Box, standing: Box) -> bool:
    """Whether what stands out in one box can be somebody who stood in the other."""
    height, (least, most) = standing.height, _LEFT_SIDES
    fits = least * height <= max(box.width, box.height) <= most * height and box.area >= _LEFT_AREA * height * height
    low = box.height <= _LEFT_HEIGHT * height and box.width > _LOW * box.height
    return fits and low and math.dist(box.centre, standing.foot) <= _REACH * height


def _is_hidden(box: Box, others: Sequence[Box]) -> bool:
    return any(box.shared(other) > _HIDDEN * box.area for other in others)


def _walked_out(box: Box, size: tuple[int, int]) -> bool:
    """Whether somebody last seen there walked out of the picture at a side or at the top."""
    margin = _EDGE * size[0]
    return box.left <= margin or box.right >= size[0] - margin or box.top <= 0
