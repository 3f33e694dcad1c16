"""Fill masked pixels with coarse cells that cannot be averaged or sharpened back into a person.

Three measures (DESIGN 4.2), each against a known way to undo a mosaic:

- density: at most 12.5 cells per metre of person (DIN EN 62676-4:2016, "monitor"), against reading it;
- the content of a cell is held for 2 s and quantised to 16 levels, against averaging over time;
- the grid moves with the track, against super-resolution from a body that moves below a fixed grid.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.planes import enlarged, repeated, shrunk
from blickschutz.redaction.rules.mask import Region

Bytes: TypeAlias = npt.NDArray[np.uint8]
Planes: TypeAlias = tuple[Bytes, Bytes, Bytes]

CELLS_PER_METRE = 12.5
PERSON_M = 1.75
# Somebody seen from the side: whoever is seen from the front is wider, and gets larger cells than they need.
SHOULDERS_M = 0.3
HOLD_S = 2.0
SAMPLE_EVERY_S = 0.2
LEVELS = 16
LEAST_CELL_PX = 8.0

_CELLS_PER_PERSON = CELLS_PER_METRE * PERSON_M
_STEP = 256 // LEVELS


@dataclass(slots=True)
class _Texture:
    """Held cells of one track: (rows, columns), the same for every plane, and until when they hold."""

    planes: Planes
    until: float


def least_cell(height: int, px_per_metre: float | None) -> float:
    """Least edge of a track's cell in a picture of that height, in pixels, whatever of the person is to be seen.

    `px_per_metre` is the picture's own density where it is densest. Where it is not known, the cell is that of a
    person as tall as the picture: half a body's box says nothing of the body's size.
    """
    person = height / _CELLS_PER_PERSON if px_per_metre is None else px_per_metre / CELLS_PER_METRE
    return max(LEAST_CELL_PX, person)


def cell_size(box: Box, width: int, height: int, least: float = LEAST_CELL_PX) -> int:
    """Edge of a cell, in pixels, for a person of whom at least `box` is seen in a picture of that size; `least` or more.

    The longer side is at most the body's 1.75 m. Where the picture's edge cuts the box, the person may be larger
    than the picture, so the width counts as a pair of shoulders.
    """
    size = max(least, max(box.width, box.height) / _CELLS_PER_PERSON)
    if box.touches_edge(width, height):
        size = max(size, min(box.width, width) / (SHOULDERS_M * CELLS_PER_METRE))
    return _even(size)


def cells_in(box: Box, width: int, height: int, least: float) -> tuple[int, int]:
    """(columns, rows) of cells in the part of `box` that lies in the picture: one where it is smaller than a cell."""
    left, top, right, bottom = box.clipped(width, height)
    cell = cell_size(box, width, height, least)
    return max(1, (right - left) // cell), max(1, (bottom - top) // cell)


def _even(size: float) -> int:
    """`size` rounded up to pixels that are whole in every plane, so that no cell loses a pixel to rounding."""
    return 2 * math.ceil(size / 2)


def quantised(plane: Bytes) -> Bytes:
    """Each value replaced by the nearest of 0, 16, ..., 240; neutral chroma (128) stays neutral."""
    return np.asarray(np.minimum(plane, 247) + np.uint8(_STEP // 2) & np.uint8(256 - _STEP), np.uint8)


def muted(plane: Bytes) -> Bytes:
    """Each value on half the way to grey (128), as the nearest of 64, 80, ..., 192: half the contrast, half the colour."""
    return quantised(np.asarray((plane >> np.uint8(1)) + np.uint8(64), np.uint8))


class Mosaic:
    """The held cells of one camera: a grid over the whole picture, and one that moves with each track.

    `px_per_metre` is the density of this picture (not of its source) where it is densest, None without calibration.
    `tone` is what becomes of a cell's mean.
    """

    def __init__(self, width: int, height: int, px_per_metre: float | None, tone: Callable[[Bytes], Bytes] = quantised) -> None:
        self._tone = tone
        self._least = least_cell(height, px_per_metre)
        # Nothing is known of who is under this grid, so the calibration alone does not make it finer.
        self._cell = _even(max(self._least, height / _CELLS_PER_PERSON))
        self.columns, self.rows = max(1, width // self._cell), max(1, height // self._cell)
        shape = (self.rows, self.columns)
        self._held: list[Bytes] = [np.full(shape, 128, np.uint8) for _ in range(3)]
        self._until = np.full(shape, -np.inf)
        self._sampled_at = -math.inf
        self._textures: dict[int, _Texture] = {}

    def fill(self, planes: Planes, masks: Planes, small: Bytes, regions: Sequence[Region], at: float) -> None:
        """Overwrite `planes` under `masks` (255 = redacted; per plane). `small` is the mask on a smaller scale."""
        self._sample_tracks(planes, regions, at)
        self._sample_grid(planes, small, at)
        cells = [enlarged(held, plane.shape[1], plane.shape[0]) for plane, held in zip(planes, self._held, strict=True)]
        for region in sorted(regions, key=lambda region: region.track is not None):
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
            held[due] = self._tone(shrunk(plane, *size))[due]
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
                self._textures[number] = _Texture(self._coarse(planes, region.box, self._tone), at + HOLD_S)
        for number in gone:
            if self._textures[number].until <= at:
                del self._textures[number]

    def _paint(self, planes: Sequence[Bytes], region: Region) -> None:
        height, width = planes[0].shape
        left, top, right, bottom = region.box.clipped(width, height)
        if right <= left or bottom <= top:
            return
        held = self._cells_of(planes, region)
        if held is None:
            return
        for plane, cells, where in zip(planes, held, _parts(left, top, right, bottom), strict=True):
            plane[where] = repeated(cells, where[1].stop - where[1].start, where[0].stop - where[0].start)

    def _cells_of(self, planes: Sequence[Bytes], region: Region) -> Planes | None:
        """The cells with which a region is painted; None where the picture's grid is coarse enough for it."""
        height, width = planes[0].shape
        if region.track is None:
            if cell_size(region.box, width, height) <= self._cell:
                return None
            # A mean of what the grid holds: so this holds as long, without anything sampled anew. It has its tone already.
            return self._coarse((planes[0], planes[1], planes[2]), region.box, quantised)
        texture = self._textures[region.track]
        columns, rows = cells_in(region.box, width, height, self._least)
        had_rows, had_columns = texture.planes[0].shape
        if had_columns > columns or had_rows > rows:
            # The box has become smaller since: the cells held would be too fine for it.
            size = (min(columns, had_columns), min(rows, had_rows))
            y, u, v = (_averaged(plane, size, quantised) for plane in texture.planes)
            texture.planes = y, u, v
        return texture.planes

    def _coarse(self, planes: Planes, box: Box, tone: Callable[[Bytes], Bytes]) -> Planes:
        """Means of `planes` under `box`, the same cells in each, each in its `tone`."""
        height, width = planes[0].shape
        left, top, right, bottom = box.clipped(width, height)
        if right <= left or bottom <= top:
            grey = np.full((1, 1), 128, np.uint8)
            return grey, grey, grey
        size = cells_in(box, width, height, self._least)
        y, u, v = (_averaged(plane[where], size, tone) for plane, where in zip(planes, _parts(left, top, right, bottom), strict=True))
        return y, u, v


def _parts(left: int, top: int, right: int, bottom: int) -> list[tuple[slice, slice]]:
    """The (rows, columns) of Y, U and V under a rectangle of whole pixels, rounded outwards."""
    return [(slice(top // n, -(-bottom // n)), slice(left // n, -(-right // n))) for n in (1, 2, 2)]


def _averaged(plane: Bytes, size: tuple[int, int], tone: Callable[[Bytes], Bytes]) -> Bytes:
    return tone(np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8))
