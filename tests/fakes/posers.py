"""Posers whose answers a test knows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from blickschutz.analysis.model import ANKLES, HIPS, KNEES, NOSE, POINT_COUNT, SHOULDERS, WRISTS, Outline, Pose
from blickschutz.kernel.geometry import Box

# Of an upright body: across in shares of the height from the middle, down in shares from the top.
_PLACES = {NOSE: (0.0, 0.07), SHOULDERS: (0.11, 0.2), WRISTS: (0.13, 0.5), HIPS: (0.07, 0.52), KNEES: (0.07, 0.75), ANKLES: (0.07, 0.97)}


def drawn_pose(box: Box, presence: float = 1.0, *, lies: bool = False) -> Pose:
    """Somebody who fills `box`, upright or lying with the head to the left."""
    points = np.zeros((POINT_COUNT, 4), np.float32)
    points[:, 2:] = 1
    x, y = box.centre
    length = box.width if lies else box.height
    for numbers, (across, down) in _PLACES.items():
        for number, side in zip(np.atleast_1d(numbers).tolist(), (1, -1), strict=False):
            off, along = side * across * length, (down - 0.5) * length
            points[number, :2] = (x + along, y + off) if lies else (x + off, y + along)
    outline = Outline(0.5 * box.area, (x, y), 0.29 * length, 0.08 * length, 1.5 if lies else 0.05, box)
    return Pose(presence, points, outline)


class FixedPoser:
    """Says of every box what `says` says, and keeps what it was asked."""

    def __init__(self, says: Callable[[Box], Pose] = drawn_pose) -> None:
        self._says = says
        self.asked: list[tuple[Box, int]] = []

    def look(self, frame: object, box: Box, quarters: int = 0) -> Pose:
        self.asked.append((box, quarters))
        return self._says(box)
