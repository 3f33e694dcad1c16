"""Fill masked pixels with coarse cells that cannot be averaged or sharpened back into a person.

Three measures (DESIGN 4.2), each against a known way to undo a mosaic:

- density: at most 12.5 cells per metre of person (DIN EN 62676-4:2016, "monitor"), against reading it;
- the content of a cell is held for 2 s and quantised to 16 levels, against averaging over time;
- the grid moves with the track, against super-resolution from a body that moves below a fixed grid.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.planes import enlarged, shrunk
from blickschutz.redaction.rules.mask import Region

Bytes: TypeAlias = npt.NDArray[np.uint8]
Planes: TypeAlias = tuple[Bytes, Bytes, Bytes]

CELLS_PER_METRE = 12.5
PERSON_M = 1.75
SHOULDERS_M = 0.5
HOLD_S = 2.0
SAMPLE_EVERY_S = 0.2
LEVELS = 16
LEAST_CELL_PX = 8.0

_CELLS_PER_PERSON = CELLS_PER_METRE * PERSON_M
_STEP = 256 // LEVELS


@dataclass(slots=True)
class _Texture:
    """Held cells of one track: (rows, columns) per plane, and until when they hold."""

    planes: Planes
    until: float


def cell_size(box: Box, width: int, height: int) -> float:
    """Least edge of a cell, in pixels, for a person that fills `box` in a picture of that size.

    The longer side is taken for the body's 1.75 m. Where the picture's edge cuts the box, the person is
    larger than the box, so the width counts as a pair of shoulders.
    """
    size = max(box.width, box.height) / _CELLS_PER_PERSON
    if box.left <= 0 or box.top <= 0 or box.right >= width or box.bottom >= height:
        size = max(size, min(box.width, width) / (SHOULDERS_M * CELLS_PER_METRE))
    return max(LEAST_CELL_PX, size)


def quantised(plane: Bytes) -> Bytes:
    """Each value replaced by the nearest of 0, 16, ..., 240; neutral chroma (128) stays neutral."""
    return np.asarray(np.minimum(plane, 247) + np.uint8(_STEP // 2) & np.uint8(256 - _STEP), np.uint8)


class Mosaic:
    """The held cells of one camera: a grid over the whole picture, and one that moves with each track."""

    def __init__(self, width: int, height: int, px_per_metre: float | None) -> None:
        cell = max(LEAST_CELL_PX, height / _CELLS_PER_PERSON, (px_per_metre or 0.0) / CELLS_PER_METRE)
        self.columns, self.rows = max(1, int(width / cell)), max(1, int(height / cell))
        shape = (self.rows, self.columns)
        self._held: list[Bytes] = [np.full(shape, 128, np.uint8) for _ in range(3)]
        self._until = np.full(shape, -np.inf)
        self._sampled_at = -math.inf
        self._textures: dict[int, _Texture] = {}

    def fill(self, planes: Planes, masks: Planes, small: Bytes, regions: Iterable[Region], at: float) -> None:
        """Overwrite `planes` under `masks` (255 = redacted; per plane). `small` is the mask on a smaller scale."""
        tracks = [region for region in regions if region.track is not None]
        self._sample_tracks(planes, tracks, at)
        self._sample_grid(planes, small, at)
        cells = [enlarged(held, plane.shape[1], plane.shape[0]) for plane, held in zip(planes, self._held, strict=True)]
        for region in tracks:
            self._paint(cells, region)
        for plane, mask, filled in zip(planes, masks, cells, strict=True):
            cv2.copyTo(filled, mask, plane)

    def _sample_grid(self, planes: Planes, small: Bytes, at: float) -> None:
        """Means for the cells that are masked and whose time is up. Until its turn comes a cell shows what it held."""
        if 0 <= at - self._sampled_at < SAMPLE_EVERY_S:
            return
        size = (self.columns, self.rows)
        touched = cv2.resize(small.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
        due = touched & (self._until <= at)
        if not due.any():
            return
        self._sampled_at = at
        for plane, held in zip(planes, self._held, strict=True):
            held[due] = quantised(shrunk(plane, *size))[due]
        self._until[due] = at + HOLD_S

    def _sample_tracks(self, planes: Planes, regions: Iterable[Region], at: float) -> None:
        gone = set(self._textures)
        for region in regions:
            number = region.track
            if number is None:
                continue
            gone.discard(number)
            texture = self._textures.get(number)
            if texture is None or texture.until <= at:
                self._textures[number] = _Texture(_coarse(planes, region.box), at + HOLD_S)
        for number in gone:
            if self._textures[number].until <= at:
                del self._textures[number]

    def _paint(self, planes: Sequence[Bytes], region: Region) -> None:
        if region.track is None:
            return
        height, width = planes[0].shape
        left, top, right, bottom = region.box.clipped(width, height)
        if right <= left or bottom <= top:
            return
        for plane, cells, shrink in zip(planes, self._textures[region.track].planes, (1, 2, 2), strict=True):
            where = slice(top // shrink, -(-bottom // shrink)), slice(left // shrink, -(-right // shrink))
            size = (where[1].stop - where[1].start, where[0].stop - where[0].start)
            plane[where] = cv2.resize(cells, size, interpolation=cv2.INTER_NEAREST)


def _coarse(planes: Planes, box: Box) -> Planes:
    height, width = planes[0].shape
    left, top, right, bottom = box.clipped(width, height)
    cell = cell_size(box, width, height)
    size = (max(1, math.floor((right - left) / cell)), max(1, math.floor((bottom - top) / cell)))
    result = []
    for plane, shrink in zip(planes, (1, 2, 2), strict=True):
        part = plane[
            top // shrink : max(top // shrink + 1, -(-bottom // shrink)),
            left // shrink : max(left // shrink + 1, -(-right // shrink)),
        ]
        result.append(
            quantised(np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8))
            if part.size
            else np.full((1, 1), 128, np.uint8)
        )
    return result[0], result[1], result[2]
