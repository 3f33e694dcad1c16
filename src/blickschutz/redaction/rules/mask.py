"""From evidence to the mask: everything is redacted that is not proven to be background (DESIGN 4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box, cells_under, pairwise_iou
from blickschutz.kernel.scene import Backdrop, Scene, Track

Bytes: TypeAlias = npt.NDArray[np.uint8]

_FULL = 255
_SAME_SHARE = 0.1
_SAME_OVERLAP = 0.6
# Fewer cells than these are noise of the sensor or the video code; they are covered as they are.
_LEAST_CELLS = 3


@dataclass(frozen=True, slots=True)
class MaskSettings:
    """How far a mask reaches beyond the evidence.

    A detection masks its whole box from `sure_score` on; between `weak_score` and that only where some of the box is
    not proven, and only in the moment in which it was found (`weak_s`). A track masks its whole box within `sure_s` of
    its last detection. What is older (a track until `coast_s`) masks where some of it is not proven in the picture itself,
    unless the person did not stand out from the background when they were found: then nothing but the box tells of them.
    `margin_share` and `margin_px` (one coding block of the camera's video code, in source pixels) are what every mask is
    grown by; a guess by `guess_margin_share` and `guess_margin_px`.

    What is not proven is taken for parts of one body where the gaps are at most `gap_across` of the picture's width
    and `gap_down` of its height, unless `explained_share` of it lies where somebody is known to be.
    What reaches the picture's edge in a picture at most `edge_s` away is covered in this one too.
    """

    sure_score: float = 0.3
    weak_score: float = 0.08
    weak_unproven_share: float = 0.15
    margin_share: float = 0.15
    margin_px: float = 8.0
    guess_margin_share: float = 0.05
    guess_margin_px: float = 3.0
    weak_s: float = 0.1
    sure_s: float = 0.3
    coast_s: float = 0.8
    close_px: float = 16.0
    gap_across: float = 0.015
    gap_down: float = 0.15
    explained_share: float = 0.95
    edge_s: float = 0.25


@dataclass(frozen=True, slots=True)
class Region:
    """A person-shaped part of the mask: the track it belongs to (None for a bare detection) and its box."""

    track: int | None
    box: Box


def people_regions(
    scenes: Sequence[Scene], backdrop: Backdrop, width: int, height: int, settings: MaskSettings, spared: int | None = None
) -> list[Region]:
    """Boxes of everybody in the analysed moments around one frame, grown, in source pixels.

    A track that is in the moment before and in the moment after is masked where it is between them. What is
    in one of them only is masked there. Within the box of `spared` (a track) a detection of another size is somebody else.
    """
    seen: dict[int, list[tuple[float, Box]]] = {}
    guessed: set[int] = set()
    alone: list[tuple[Box, bool]] = []
    for scene in scenes:
        followed = [track for track in scene.tracks if track.seen_s <= settings.coast_s]
        guessed |= {track.number for track in followed if track.seen_s > settings.sure_s and track.stands_out}
        for track in followed:
            seen.setdefault(track.number, []).append((scene.at, track.box))
        others = [track for track in followed if track.number != spared]
        found = _alone(scene, [_when_looked(track, scene.looked_s).grown(_SAME_SHARE) for track in others], settings)
        own = next((track.box for track in followed if track.number == spared), None)
        alone += found if own is None else [one for one in found if not _same(own, one[0])]
    boxes = [Region(None, box) for box in _counting(alone, backdrop, width, height, settings)]
    tracks = {number: _between(places, backdrop.at) for number, places in seen.items()}
    # Of somebody at the picture's edge too little may be seen to say that they are gone.
    guessed = {number for number in guessed if not tracks[number].touches_edge(width, height)}
    unproven = set(_unproven([tracks[number] for number in guessed], backdrop, width, height, settings.weak_unproven_share))
    boxes.extend(Region(number, box) for number, box in tracks.items() if number not in guessed)
    regions = [Region(r.track, r.box.grown(settings.margin_share, settings.margin_px)) for r in boxes]
    # What reaches beyond a guess is not proven, and covered by itself.
    share, least = settings.guess_margin_share, settings.guess_margin_px
    return regions + [Region(number, tracks[number].grown(share, least)) for number in sorted(guessed) if tracks[number] in unproven]


def _same(own: Box, found: Box) -> bool:
    """Whether a detection is the followed person and nobody before or beside them."""
    return float(pairwise_iou(np.array([own], np.float32), np.array([found], np.float32))[0, 0]) > _SAME_OVERLAP


def _when_looked(track: Track, looked_s: float) -> Box:
    """Where a track was when the detector looked last: a box that was found then is compared with the track of then."""
    dx, dy = track.velocity
    return track.box.moved(-dx * looked_s, -dy * looked_s) if looked_s > 0 else track.box


def _between(places: Sequence[tuple[float, Box]], at: float) -> Box:
    (start, first), (end, last) = places[0], places[-1]
    if end <= start:
        return first
    share = min(1.0, max(0.0, (at - start) / (end - start)))
    return first.towards(last, share)


def _alone(scene: Scene, followed: Sequence[Box], settings: MaskSettings) -> list[tuple[Box, bool]]:
    """Detections that need a region of their own, and whether they are sure: those that lie in none of the tracks' boxes."""
    old = scene.looked_s > settings.weak_s
    least = settings.sure_score if old else settings.weak_score
    there = [d for d in scene.detections if d.score >= least and not d.moved_on]
    found = [(d.box, d.score >= settings.sure_score and not (old and d.stands_out)) for d in there]
    found += [(d.box, d.score >= settings.sure_score) for d in scene.lying if d.score >= settings.weak_score]
    if not found or not followed:
        return found
    inner, outer = (np.array(boxes, np.float64) for boxes in ([box for box, _ in found], followed))
    inside = np.all(inner[:, None, :2] >= outer[None, :, :2], axis=2) & np.all(inner[:, None, 2:] <= outer[None, :, 2:], axis=2)
    # A box that is no number lies in none, and becomes a fault further on.
    covered = np.any(inside, axis=1) & np.all(np.isfinite(inner), axis=1)
    return [found[index] for index in np.flatnonzero(~covered).tolist()]


def _counting(alone: Sequence[tuple[Box, bool]], backdrop: Backdrop, width: int, height: int, settings: MaskSettings) -> Iterator[Box]:
    """Those boxes that are masked: the sure ones, and the weak ones of which enough is not proven background."""
    yield from (box for box, sure in alone if sure)
    weak = [box for box, sure in alone if not sure]
    # What is not known of the place is covered as it is; only what differs speaks for somebody.
    same = (
        backdrop if backdrop.known is None else replace(backdrop, proven=cv2.bitwise_or(backdrop.proven, cv2.bitwise_not(backdrop.known)))
    )
    yield from _unproven(weak, same, width, height, settings.weak_unproven_share)


def _unproven(boxes: Sequence[Box], backdrop: Backdrop, width: int, height: int, least: float) -> Iterator[Box]:
    """Those of `boxes` of which at least a share of `least` is not proven."""
    rows, columns = backdrop.proven.shape
    for box, where in zip(boxes, cells_under(boxes, (columns / width, rows / height), backdrop.proven.shape), strict=True):
        part = backdrop.proven[where]
        if part.size and 1 - np.count_nonzero(part) / part.size >= least:
            yield box


def small_mask(
    backdrop: Backdrop,
    regions: Iterable[Region],
    width: int,
    height: int,
    settings: MaskSettings,
    edges: Sequence[Bytes] = (),
) -> Bytes:
    """The mask on the scale of `backdrop.proven`: 255 = redacted. `edges`: `at_the_edge` of the pictures before and after."""
    mask = cv2.bitwise_not(backdrop.proven)
    for edge in edges:
        mask = cv2.bitwise_or(mask, edge)
    pixel = width / backdrop.proven.shape[1]
    people = np.zeros_like(mask)
    for where in _cells(regions, width, height, mask.shape):
        people[where] = _FULL
    _join_bodies(mask, people, backdrop.known, settings)
    parts = mask if backdrop.known is None else cv2.bitwise_and(mask, cv2.bitwise_or(backdrop.known, people))
    mask = cv2.bitwise_or(mask, cv2.morphologyEx(parts, cv2.MORPH_CLOSE, _disc(settings.close_px / pixel)))
    mask = cv2.dilate(mask, _disc(settings.margin_px / pixel))
    return np.asarray(cv2.bitwise_or(mask, people), np.uint8)


def at_the_edge(proven: Bytes) -> Bytes:
    """255 where parts that are not proven reach the picture's edge.

    Of somebody who comes or goes there is a moment of which a sleeve is seen, too little to differ from what is behind it.
    The picture before or after has more of them, at the same place.
    """
    unproven = cv2.bitwise_not(proven)
    if all(side.all() for side in (proven[0], proven[-1], proven[:, 0], proven[:, -1])):
        return np.zeros_like(unproven)
    count, labels = cv2.connectedComponents(unproven, connectivity=8)
    reaches = np.zeros(count, np.uint8)
    for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        reaches[side] = _FULL
    reaches[0] = 0
    return np.asarray(reaches[labels], np.uint8)


def _join_bodies(mask: Bytes, people: Bytes, known: Bytes | None, settings: MaskSettings) -> None:
    """Fill in `mask` (255: not proven) the outline around parts that belong to one body.

    Somebody in a dark jacket before a dark shelf differs from it in head and legs only; between two looks of the
    detector nothing else tells of them. Parts that are not proven and lie close to each other, above all one above the
    other, are therefore one body, and all that their convex hull holds is covered. Parts within `people` (255: somebody
    is known to be there) need none of it, and what is not `known` (0) of the place is no part of anybody: it is covered as it is.
    """
    parts = mask if known is None else np.asarray(cv2.bitwise_and(mask, known), np.uint8)
    if cv2.countNonZero(cv2.bitwise_and(parts, cv2.bitwise_not(people))) == 0:
        return
    height, width = mask.shape
    reach = 2 * round(settings.gap_down * height / 2) + 1, 2 * round(settings.gap_across * width / 2) + 1
    count, labels = cv2.connectedComponents(cv2.dilate(parts, np.ones(reach, np.uint8)), connectivity=8)
    rows, columns = np.nonzero(parts)
    own = labels[rows, columns]
    cells = np.bincount(own, minlength=count)
    unexplained = np.bincount(own[people[rows, columns] == 0], minlength=count)
    bodies = np.flatnonzero((cells >= _LEAST_CELLS) & (unexplained > (1 - settings.explained_share) * cells))
    for body in bodies.tolist():
        inside = own == body
        places = np.stack([columns[inside], rows[inside]], axis=1).astype(np.int32)
        cv2.fillConvexPoly(mask, cv2.convexHull(places), _FULL)


def _cells(regions: Iterable[Region], width: int, height: int, shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    """The cells that each region touches."""
    # Outwards to whole pixels first, then to whole cells: else a pixel that the box only touches could lie in a cell beyond.
    whole = [Box(*region.box.clipped(width, height)) for region in regions]
    return cells_under(whole, (shape[1] / width, shape[0] / height), shape)


def spare(mask: Bytes, regions: Sequence[Region], track: int, width: int, height: int) -> Bytes:
    """`mask` without the person `track`, but for every cell in which somebody else is masked."""
    free = np.zeros_like(mask)
    others = np.zeros_like(mask)
    for region, where in zip(regions, _cells(regions, width, height, mask.shape), strict=True):
        (free if region.track == track else others)[where] = _FULL
    return np.where((free != 0) & (others == 0), 0, mask).astype(np.uint8)


@lru_cache(maxsize=16)
def _disc(radius: float) -> Bytes:
    size = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
