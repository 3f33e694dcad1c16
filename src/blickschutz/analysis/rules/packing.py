"""Put the interesting parts of a picture into one small picture, so that one small run sees them all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box

Floats: TypeAlias = npt.NDArray[np.float32]

_GAP = 8
_ALIGN = 4
# A part that is too large for the small input holds somebody near, who is found at half the size as well.
_SHRINK = 2


class Placement(NamedTuple):
    """A part of the whole input (left, top, width, height) and where it starts in the small one (x, y); pixels.

    In the small input the part is `shrink` times smaller.
    """

    left: int
    top: int
    width: int
    height: int
    x: int
    y: int
    shrink: int = 1


def pack(regions: Sequence[Box], whole: tuple[int, int], small: tuple[int, int]) -> list[Placement] | None:
    """Place `regions` (pixels of an input of size `whole`) into `small`, in shelves; None where they do not fit.

    Everything is aligned to the network's cells, so that a body lies on them as it would in the whole input.
    """
    parts = [_aligned(region, whole, small) for region in regions]
    placements: list[Placement] = []
    x = y = shelf = 0
    for part in sorted(parts, key=lambda part: -part.height // part.shrink):
        width, height = part.width // part.shrink, part.height // part.shrink
        if width <= 0 or height <= 0:
            continue
        if x + width > small[0]:
            x, y = 0, y + shelf + _GAP
            shelf = 0
        if width > small[0] or y + height > small[1]:
            return None
        placements.append(part._replace(x=x, y=y))
        x, shelf = x + width + _GAP, max(shelf, height)
    return placements


def fitting(regions: Sequence[Box], whole: tuple[int, int], small: tuple[int, int]) -> list[int]:
    """Which of `regions`, in their order, fit together into `small`: their indices. What does not fit is passed over."""
    chosen: list[int] = []
    for index in range(len(regions)):
        if pack([regions[other] for other in (*chosen, index)], whole, small) is not None:
            chosen.append(index)
    return chosen


def _aligned(region: Box, whole: tuple[int, int], small: tuple[int, int]) -> Placement:
    """The part on the network's cells, inside the whole input."""
    shrink = _SHRINK if region.width > small[0] - _ALIGN or region.height > small[1] - _ALIGN else 1
    step = _ALIGN * shrink
    left, top = (max(0, math.floor(side / step) * step) for side in (region.left, region.top))
    width = min(whole[0], math.ceil(region.right / step) * step) - left
    height = min(whole[1], math.ceil(region.bottom / step) * step) - top
    return Placement(left, top, width, height, 0, 0, shrink)


def unpack(boxes: Floats, placements: Sequence[Placement]) -> Floats:
    """Boxes (n, 5) of the small input as boxes of the whole one; those whose centre lies in no part are dropped.

    A box is cut where its part ends: beyond that the network saw another part.
    """
    result = []
    for part in placements:
        width, height = part.width / part.shrink, part.height / part.shrink
        cx, cy = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
        mine = boxes[(cx >= part.x) & (cx < part.x + width) & (cy >= part.y) & (cy < part.y + height)].copy()
        mine[:, 0:4:2] = np.clip(mine[:, 0:4:2] - part.x, 0, width) * part.shrink + part.left
        mine[:, 1:4:2] = np.clip(mine[:, 1:4:2] - part.y, 0, height) * part.shrink + part.top
        result.append(mine)
    found = np.concatenate(result) if result else boxes[:0]
    return np.asarray(found[np.argsort(-found[:, 4])], np.float32)


def turned_back(boxes: Floats, width: int, height: int, quarters: int) -> Floats:
    """Boxes (n, 5) found in a picture that was turned by `quarters` (1: to the left, 3: to the right), turned back.

    `width` and `height` are those of the picture before it was turned. Boxes whose centre lies outside are dropped.
    """
    left, top, right, bottom = boxes[:, 0], boxes[:, 1], boxes[:, 2], boxes[:, 3]
    sides = (width - bottom, left, width - top, right) if quarters == 1 else (top, height - right, bottom, height - left)
    result = np.stack([*sides, boxes[:, 4]], axis=1)
    cx, cy = (result[:, 0] + result[:, 2]) / 2, (result[:, 1] + result[:, 3]) / 2
    return np.asarray(result[(cx >= 0) & (cx < width) & (cy >= 0) & (cy < height)], np.float32)
