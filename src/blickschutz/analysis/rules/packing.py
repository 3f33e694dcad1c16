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


class Placement(NamedTuple):
    """A part of the whole input (left, top, width, height) and where it starts in the small one (x, y); pixels."""

    left: int
    top: int
    width: int
    height: int
    x: int
    y: int


def pack(regions: Sequence[Box], whole: tuple[int, int], small: tuple[int, int]) -> list[Placement] | None:
    """Place `regions` (pixels of an input of size `whole`) into `small`, in shelves; None where they do not fit.

    Everything is aligned to the network's cells, so that a body lies on them as it would in the whole input.
    """
    aligned = sorted((_aligned(region, whole) for region in regions), key=lambda part: -part[3])
    placements: list[Placement] = []
    x = y = shelf = 0
    for left, top, width, height in aligned:
        if width <= 0 or height <= 0:
            continue
        if x + width > small[0]:
            x, y = 0, y + shelf + _GAP
            shelf = 0
        if width > small[0] or y + height > small[1]:
            return None
        placements.append(Placement(left, top, width, height, x, y))
        x, shelf = x + width + _GAP, max(shelf, height)
    return placements


def _aligned(region: Box, whole: tuple[int, int]) -> tuple[int, int, int, int]:
    """(left, top, width, height) on the network's cells, inside the whole input."""
    left, top = (max(0, math.floor(side / _ALIGN) * _ALIGN) for side in (region.left, region.top))
    width = min(whole[0], math.ceil(region.right / _ALIGN) * _ALIGN) - left
    height = min(whole[1], math.ceil(region.bottom / _ALIGN) * _ALIGN) - top
    return left, top, width, height


def unpack(boxes: Floats, placements: Sequence[Placement]) -> Floats:
    """Boxes (n, 5) of the small input as boxes of the whole one; those whose centre lies in no part are dropped.

    A box is cut where its part ends: beyond that the network saw another part.
    """
    result = []
    for left, top, width, height, x, y in placements:
        cx, cy = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
        mine = boxes[(cx >= x) & (cx < x + width) & (cy >= y) & (cy < y + height)].copy()
        mine[:, 0:4:2] = np.clip(mine[:, 0:4:2] - x, 0, width) + left
        mine[:, 1:4:2] = np.clip(mine[:, 1:4:2] - y, 0, height) + top
        result.append(mine)
    found = np.concatenate(result) if result else boxes[:0]
    return np.asarray(found[np.argsort(-found[:, 4])], np.float32)
