"""From evidence to the mask: everything is redacted that is not proven to be background (DESIGN 4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box, cells_under
from blickschutz.kernel.scene import Backdrop, Scene

Bytes: TypeAlias = npt.NDArray[np.uint8]

_FULL = 255
_SAME_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class MaskSettings:
    """How far a mask reaches beyond the evidence.

    A detection masks its whole box from `sure_score` on; between `weak_score` and that only where some of
    the box is not proven. `margin_share` and `margin_px` (one coding block of the camera's video code, in
    source pixels) are what every mask is grown by.
    """

    sure_score: float = 0.3
    weak_score: float = 0.08
    weak_unproven_share: float = 0.15
    margin_share: float = 0.15
    margin_px: float = 8.0
    coast_s: float = 1.2
    close_px: float = 16.0


@dataclass(frozen=True, slots=True)
class Region:
    """A person-shaped part of the mask: the track it belongs to (None for a bare detection) and its box."""

    track: int | None
    box: Box


def people_regions(scenes: Sequence[Scene], backdrop: Backdrop, width: int, height: int, settings: MaskSettings) -> list[Region]:
    """Boxes of everybody in the analysed moments around one frame, grown, in source pixels.

    A track that is in the moment before and in the moment after is masked where it is between them. What is
    in one of them only is masked there.
    """
    seen: dict[int, list[tuple[float, Box]]] = {}
    alone: list[tuple[Box, float]] = []
    for scene in scenes:
        followed = [track for track in scene.tracks if track.seen_s <= settings.coast_s]
        for track in followed:
            seen.setdefault(track.number, []).append((scene.at, track.box))
        alone += _alone(scene, [track.box.grown(_SAME_SHARE) for track in followed], settings.weak_score)
    boxes = [Region(None, box) for box in _counting(alone, backdrop, width, height, settings)]
    boxes.extend(Region(number, _between(places, backdrop.at)) for number, places in seen.items())
    return [Region(r.track, r.box.grown(settings.margin_share, settings.margin_px)) for r in boxes]


def _between(places: Sequence[tuple[float, Box]], at: float) -> Box:
    (start, first), (end, last) = places[0], places[-1]
    if end <= start:
        return first
    share = min(1.0, max(0.0, (at - start) / (end - start)))
    return first.towards(last, share)


def _alone(scene: Scene, followed: Sequence[Box], weak: float) -> list[tuple[Box, float]]:
    """Detections and their scores that need a region of their own: those that lie in none of the tracks' boxes."""
    found = [(d.box, d.score) for d in (*scene.detections, *scene.lying) if d.score >= weak]
    if not found or not followed:
        return found
    inner, outer = (np.array(boxes, np.float64) for boxes in ([box for box, _ in found], followed))
    inside = np.all(inner[:, None, :2] >= outer[None, :, :2], axis=2) & np.all(inner[:, None, 2:] <= outer[None, :, 2:], axis=2)
    # A box that is no number lies in none, and becomes a fault further on.
    covered = np.any(inside, axis=1) & np.all(np.isfinite(inner), axis=1)
    return [found[index] for index in np.flatnonzero(~covered).tolist()]


def _counting(alone: Sequence[tuple[Box, float]], backdrop: Backdrop, width: int, height: int, settings: MaskSettings) -> Iterator[Box]:
    """Those boxes that are masked: the sure ones, and the weak ones of which enough is not proven background."""
    rows, columns = backdrop.proven.shape
    yield from (box for box, score in alone if score >= settings.sure_score)
    weak = [box for box, score in alone if score < settings.sure_score]
    for box, where in zip(weak, cells_under(weak, (columns / width, rows / height), backdrop.proven.shape), strict=True):
        part = backdrop.proven[where]
        if part.size and 1 - np.count_nonzero(part) / part.size >= settings.weak_unproven_share:
            yield box


def small_mask(backdrop: Backdrop, regions: Iterable[Region], width: int, height: int, settings: MaskSettings) -> Bytes:
    """The mask on the scale of `backdrop.proven`: 255 = redacted."""
    mask = cv2.bitwise_not(backdrop.proven)
    pixel = width / backdrop.proven.shape[1]
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _disc(settings.close_px / pixel))
    mask = cv2.dilate(mask, _disc(settings.margin_px / pixel))
    for where in _cells(regions, width, height, mask.shape):
        mask[where] = _FULL
    return np.asarray(mask, np.uint8)


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
