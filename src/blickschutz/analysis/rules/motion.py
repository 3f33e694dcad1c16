"""How people who are close together move: dense optical flow in the box around them, in body heights per second.

Flow after Kroeger et al. 2016, "Fast Optical Flow using Dense Inverse Search" (OpenCV's DIS). That the spread
of directions and the motion of limbs tell a scuffle from a walk follows Hassner et al. 2012, "Violent Flows".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Encounter

Bytes: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]

NEAR_HEIGHTS = 1.0
_ALIKE = 2.0
_LEAST_SCORE = 0.12
_MARGIN = 0.25
_BODY_PX = 48
_LEAST_EDGE_PX = 24
_MOST_EDGE_PX = 160
_DIRECTIONS = 8
_MOVING = 0.25


def near_pairs(boxes: Floats, least_height: float, most_distance: float = NEAR_HEIGHTS) -> list[tuple[Box, Box]]:
    """Pairs of people of about the same size whose centres are at most `most_distance` body heights apart.

    Together they are at least `least_height` pixels tall. `boxes` is (n, 5): left, top, right, bottom, score.
    Weak ones count: people who hold each other are seen badly.
    """
    people = boxes[boxes[:, 4] >= _LEAST_SCORE].astype(np.float64)
    left, top, right, bottom = people[:, :4].T
    height = bottom - top
    x, y = (left + right) / 2, (top + bottom) / 2
    greater, lesser = np.maximum.outer(height, height), np.minimum.outer(height, height)
    near = np.hypot(np.subtract.outer(x, x), np.subtract.outer(y, y)) <= most_distance * (greater + lesser) / 2
    tall = np.maximum.outer(bottom, bottom) - np.minimum.outer(top, top) >= least_height
    pairs = np.argwhere(np.triu(near & tall & (greater < _ALIKE * lesser), 1)).tolist()
    return [(Box(*people[first, :4].tolist()), Box(*people[second, :4].tolist())) for first, second in pairs]


def make_flow() -> Any:
    """The flow estimator; keeps buffers, so one for each camera."""
    return cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)


def encounter(flow: Any, before: Bytes, now: Bytes, elapsed: float, pairs: Sequence[tuple[Box, Box]]) -> Encounter | None:
    """The liveliest of `pairs` between two luma pictures (full size) that lie `elapsed` seconds apart; None without one."""
    found = [_measured(flow, before, now, elapsed, pair) for pair in pairs[:4]]
    return max((item for item in found if item is not None), key=lambda item: item.limbs, default=None)


def _measured(flow: Any, before: Bytes, now: Bytes, elapsed: float, pair: tuple[Box, Box]) -> Encounter | None:
    first, second = pair
    body = (first.height + second.height) / 2
    rows, columns = now.shape
    left, top, right, bottom = first.united(second).grown(_MARGIN).clipped(columns, rows)
    # A body is about 48 px tall in the picture that flow is computed on, whatever its size in the camera's.
    scale = min(1.0, _BODY_PX / body)
    width, height = (min(_MOST_EDGE_PX, round(side * scale)) for side in (right - left, bottom - top))
    if min(width, height) < _LEAST_EDGE_PX or elapsed <= 0:
        return None
    small = [cv2.resize(picture[top:bottom, left:right], (width, height), interpolation=cv2.INTER_AREA) for picture in (before, now)]
    field = flow.calc(small[0], small[1], None)
    x, y = width / (right - left), height / (bottom - top)
    field = field / (elapsed * np.array([body * x, body * y], np.float32))
    limbs = max(_limbs(field, box.moved(-left, -top).scaled(x, y)) for box in pair)
    distance = math.dist(first.centre, second.centre) / body
    return Encounter(first.united(second), distance, limbs, _spread(field))


def _limbs(field: Floats, box: Box) -> float:
    """Root mean square of the motion in `box` against its mean."""
    rows, columns = field.shape[:2]
    left, top, right, bottom = box.clipped(columns, rows)
    part = field[top:bottom, left:right].reshape(-1, 2)
    return float(np.sqrt(np.mean(np.sum((part - part.mean(axis=0)) ** 2, axis=1)))) if len(part) else 0.0


def _spread(field: Floats) -> float:
    """Entropy of the directions of motion, weighted by speed, as a share of the greatest possible."""
    x, y = field[..., 0].ravel(), field[..., 1].ravel()
    speed = np.hypot(x, y)
    moving = speed > _MOVING
    weights = np.histogram(np.arctan2(y[moving], x[moving]), _DIRECTIONS, (-math.pi, math.pi), weights=speed[moving])[0]
    total = float(weights.sum())
    if total <= 0:
        return 0.0
    shares = weights[weights > 0] / total
    return float(-(shares * np.log(shares)).sum() / math.log(_DIRECTIONS))
