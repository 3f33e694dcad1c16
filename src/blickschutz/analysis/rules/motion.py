"""How people who are close together move: dense optical flow in the box around them, in body heights per second.

Flow after Kroeger et al. 2016, "Fast Optical Flow using Dense Inverse Search" (OpenCV's DIS). That the spread
of directions and the motion of limbs tell a scuffle from a walk follows Hassner et al. 2012, "Violent Flows".
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box

Bytes: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]

_MARGIN = 0.25
_BODY_PX = 48
_LEAST_EDGE_PX = 24
_MOST_EDGE_PX = 160
_LEAST_PIXELS = 4
_DIRECTIONS = 8
_MOVING = 0.25
_PEAK_PERCENT = 90
_NOISE_LUMA = 8.0


class Motion(NamedTuple):
    """Of two bodies, the greater (`_1`) and the lesser (`_0`) figure, in body heights per second.

    `limbs`: parts against the body's mean, root mean square; `peak`: their ninetieth percentile; `upper`: in the upper
    half; `speed`: the mean itself. `relative`: between the two means; `spread`: entropy of the directions (0..1);
    `beside`: median outside both; `difference`: change of luma against its contrast; `divergence` and `curl` of the field.
    """

    limbs_1: float
    limbs_0: float
    speed_1: float
    speed_0: float
    peak_1: float
    peak_0: float
    upper_1: float
    upper_0: float
    relative: float
    spread: float
    beside: float
    difference: float
    divergence: float
    curl: float


def make_flow() -> Any:
    """The flow estimator; keeps buffers, so one for each camera."""
    return cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)


def measure(flow: Any, before: Bytes, now: Bytes, elapsed: float, pair: tuple[Box, Box]) -> Motion | None:
    """How `pair` moves between two luma pictures (full size) that lie `elapsed` seconds apart; None where too little is seen."""
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
    parts = [box.moved(-left, -top).scaled(x, y).clipped(width, height) for box in pair]
    own, other = (_body(field, part) for part in parts)
    if own is None or other is None:
        return None
    pairs = [sorted(values, reverse=True) for values in zip(own[1:], other[1:], strict=True)]
    around = (
        math.dist(own[0], other[0]),
        _spread(field),
        _beside(field, parts),
        float(cv2.norm(small[0], small[1], cv2.NORM_L1) / small[0].size / (float(small[1].std()) + _NOISE_LUMA)),
        _turning(field, (0, 1)),
        _turning(field, (1, 0)),
    )
    return Motion._make((*(value for pair in pairs for value in pair), *around))


def _body(field: Floats, part: tuple[int, int, int, int]) -> tuple[tuple[float, float], float, float, float, float] | None:
    """Mean motion of a body, then limbs, speed, peak and the limbs of its upper half."""
    left, top, right, bottom = part
    rows = field[top:bottom, left:right].reshape(-1, 2)
    if len(rows) < _LEAST_PIXELS:
        return None
    mean = rows.mean(axis=0)
    against = np.hypot(*(rows - mean).T)
    upper = field[top : (top + bottom) // 2, left:right].reshape(-1, 2)
    above = float(np.hypot(*(upper - upper.mean(axis=0)).T).mean()) if len(upper) else 0.0
    limbs = math.sqrt(float(np.square(against).mean()))
    return (float(mean[0]), float(mean[1])), limbs, float(np.hypot(*mean)), float(np.percentile(against, _PEAK_PERCENT)), above


def _beside(field: Floats, parts: list[tuple[int, int, int, int]]) -> float:
    speed = np.hypot(field[..., 0], field[..., 1])
    outside = np.ones(speed.shape, bool)
    for left, top, right, bottom in parts:
        outside[top:bottom, left:right] = False
    return float(np.median(speed[outside])) if outside.any() else 0.0


def _turning(field: Floats, order: tuple[int, int]) -> float:
    """Mean of |du/dx + dv/dy| for the order (0, 1), of |dv/dx - du/dy| for (1, 0), per body height."""
    along, across = order
    first, second = np.gradient(field[..., along], axis=1), np.gradient(field[..., across], axis=0)
    return float(np.abs(first + second if along == 0 else first - second).mean() * _BODY_PX)


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
