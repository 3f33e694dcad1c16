"""From evidence to the mask: everything is redacted that is not proven to be background (DESIGN 4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Backdrop, Detection, Scene

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
    boxes: list[Region] = []
    unproven = _UnprovenShare(backdrop, width, height)
    for scene in scenes:
        followed: list[Box] = []
        for track in scene.tracks:
            if track.seen_s <= settings.coast_s:
                seen.setdefault(track.number, []).append((scene.at, track.box))
                followed.append(track.box.grown(_SAME_SHARE))
        for detection in (*scene.detections, *scene.lying):
            # A detection that lies within a tenth of a track's box needs no region of its own.
            if not any(_within(detection.box, box) for box in followed) and _counts(detection, unproven, settings):
                boxes.append(Region(None, detection.box))
    boxes.extend(Region(number, _between(places, backdrop.at)) for number, places in seen.items())
    return [Region(r.track, r.box.grown(settings.margin_share, settings.margin_px)) for r in boxes]


def _between(places: Sequence[tuple[float, Box]], at: float) -> Box:
    (start, first), (end, last) = places[0], places[-1]
    if end <= start:
        return first
    share = min(1.0, max(0.0, (at - start) / (end - start)))
    return first.towards(last, share)


def _within(inner: Box, outer: Box) -> bool:
    return inner[0] >= outer[0] and inner[1] >= outer[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


class _UnprovenShare:
    """Share of a box that is not proven background."""

    def __init__(self, backdrop: Backdrop, width: int, height: int) -> None:
        self._rows, self._columns = backdrop.proven.shape
        self._scale = self._columns / width, self._rows / height
        self._proven = backdrop.proven

    def __call__(self, box: Box) -> float:
        left, top, right, bottom = box.scaled(*self._scale).clipped(self._columns, self._rows)
        part = self._proven[top:bottom, left:right]
        return 1 - np.count_nonzero(part) / part.size if part.size else 0.0


def _counts(detection: Detection, unproven: _UnprovenShare, settings: MaskSettings) -> bool:
    if detection.score >= settings.sure_score:
        return True
    return detection.score >= settings.weak_score and unproven(detection.box) >= settings.weak_unproven_share


def small_mask(backdrop: Backdrop, regions: Iterable[Region], width: int, height: int, settings: MaskSettings) -> Bytes:
    """The mask on the scale of `backdrop.proven`: 255 = redacted."""
    rows, columns = backdrop.proven.shape
    mask = cv2.bitwise_not(backdrop.proven)
    pixel = width / columns
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _disc(settings.close_px / pixel))
    mask = cv2.dilate(mask, _disc(settings.margin_px / pixel))
    for region in regions:
        # Outwards to whole pixels first, then to whole cells: else a pixel that the box only touches could lie in a cell beyond.
        whole = Box(*region.box.clipped(width, height))
        left, top, right, bottom = whole.scaled(columns / width, rows / height).clipped(columns, rows)
        mask[top:bottom, left:right] = _FULL
    return np.asarray(mask, np.uint8)


def spare(mask: Bytes, regions: Sequence[Region], track: int, width: int, height: int) -> Bytes:
    """`mask` without the person `track`, but for every cell in which somebody else is masked."""
    rows, columns = mask.shape
    free = np.zeros_like(mask)
    others = np.zeros_like(mask)
    for region in regions:
        whole = Box(*region.box.clipped(width, height))
        left, top, right, bottom = whole.scaled(columns / width, rows / height).clipped(columns, rows)
        (free if region.track == track else others)[top:bottom, left:right] = _FULL
    return np.where((free != 0) & (others == 0), 0, mask).astype(np.uint8)


def _disc(radius: float) -> Bytes:
    size = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
