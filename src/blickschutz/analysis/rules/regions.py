"""Which parts of a picture a detector must look at, when most of it is proven to be empty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box, cells_under

Bytes: TypeAlias = npt.NDArray[np.uint8]


def lively_regions(lively: Bytes, boxes: Sequence[Box], width: int, height: int, margin: float) -> list[Box]:
    """Rectangles around everything that is `lively` (255, on a smaller scale) and around `boxes`.

    Rectangles and boxes are in pixels of a picture of `width` x `height`. Things closer to each other than
    twice the `margin`, which is added on every side, share a rectangle.
    """
    rows, columns = lively.shape
    scale_x, scale_y = width / columns, height / rows
    occupied = lively.copy()
    for where in cells_under(boxes, (1 / scale_x, 1 / scale_y), lively.shape):
        occupied[where] = 255
    reach = (2 * round(margin / scale_x) + 1, 2 * round(margin / scale_y) + 1)
    grown = cv2.dilate(occupied, np.ones(reach[::-1], np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(grown, connectivity=8)
    return [Box(x * scale_x, y * scale_y, (x + w) * scale_x, (y + h) * scale_y) for x, y, w, h, _ in stats[1:].tolist()]
