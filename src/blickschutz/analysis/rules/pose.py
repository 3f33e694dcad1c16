"""What a network for poses says of one person: whether somebody is there, where their limbs are, and their outline.

The 33 points are those of Bazarevsky et al. 2020, "BlazePose". Everything is given in source pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blickschutz.analysis.model import POINT_COUNT, Outline, Pose
from blickschutz.kernel.geometry import Box

Floats: TypeAlias = npt.NDArray[np.float32]

_NUMBERS = 5
_CONTEXT = 1.25
_LEAST_SIDE = 16
_LEAST_OUTLINE = 50
_EDGE_PERCENT = 2.0


@dataclass(frozen=True, slots=True)
class Window:
    """The square of the picture that is looked at: whole source pixels, even, turned to the left by `quarters` of a turn."""

    left: int
    top: int
    side: int
    quarters: int = 0

    @classmethod
    def around(cls, box: Box, quarters: int = 0) -> Window:
        """A quarter more than the longer side of `box`, as the network learned it."""
        side = max(_LEAST_SIDE, 2 * round(_CONTEXT * max(box.width, box.height) / 2))
        x, y = box.centre
        return cls(2 * round((x - side / 2) / 2), 2 * round((y - side / 2) / 2), side, quarters % 4)

    def back(self, points: Floats, edge: int) -> Floats:
        """`points` (n, 2) of the turned input of `edge` pixels, in source pixels."""
        x, y = points[:, 0], points[:, 1]
        turned = {0: (x, y), 1: (edge - y, x), 2: (edge - x, edge - y), 3: (y, edge - x)}[self.quarters]
        scale = self.side / edge
        return np.asarray(np.stack(turned, axis=1) * scale + (self.left, self.top), np.float32)


def read_pose(points: Floats, presence: float, outline: Floats, window: Window, edge: int) -> Pose:
    """From what the network gave out for `window`, shown to it as `edge` x `edge` pixels."""
    rows = np.asarray(points, np.float32).reshape(-1, _NUMBERS)[:POINT_COUNT]
    places = window.back(rows[:, :2], edge)
    sure = 1 / (1 + np.exp(-np.clip(rows[:, 3:5], -30, 30)))
    return Pose(presence, np.concatenate([places, sure], axis=1), _outline(outline.reshape(edge, edge), window, edge))


def _outline(values: Floats, window: Window, edge: int) -> Outline | None:
    # Every second pixel will do.
    ys, xs = np.nonzero(values[::2, ::2] > 0)
    if len(xs) < _LEAST_OUTLINE:
        return None
    points = window.back(np.stack([xs, ys], axis=1).astype(np.float32) * 2 + 1, edge)
    middle = points.mean(axis=0)
    spread, axes = np.linalg.eigh(np.cov((points - middle).T))
    x, y = np.abs(axes[:, 1])
    low, high = np.percentile(points, (_EDGE_PERCENT, 100 - _EDGE_PERCENT), axis=0)
    area = 4 * len(xs) * (window.side / edge) ** 2
    across, along = np.sqrt(np.maximum(spread, 0)).tolist()
    return Outline(area, (float(middle[0]), float(middle[1])), along, across, math.atan2(x, y), Box(*low.tolist(), *high.tolist()))
