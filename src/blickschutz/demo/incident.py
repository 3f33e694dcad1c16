"""A drawn incident for the demonstration: somebody sprays paint on a camera's lens, and it is wiped off again.

Everybody on the real footage walks by, and nothing of that is to be reported; what the demonstration shows of an alert is
therefore drawn, and nobody's behaviour.
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Bytes: TypeAlias = npt.NDArray[np.uint8]
Planes: TypeAlias = tuple[Bytes, Bytes, Bytes]

# Seconds of the clip: from the first drop to the bare lens.
BEGINS_S, SPRAYED_S, LASTS_S = 62.0, 1.5, 14.0
_DROPS, _SEED = 260, 7
# Matt black paint close to a lens: dark, without an edge, and without colour.
_LUMA, _NEUTRAL = 26, 128
_SOFT_SHARE = 0.03


def sprayed(planes: Planes, at: float) -> Planes:
    """The picture (Y, U, V of 4:2:0) at second `at` of the clip, with as much paint on it as there is by then."""
    if not BEGINS_S <= at < BEGINS_S + LASTS_S:
        return planes
    cover = _paint(planes[0].shape[0], planes[0].shape[1], min(1.0, (at - BEGINS_S) / SPRAYED_S))
    result = []
    for plane, value in zip(planes, (_LUMA, _NEUTRAL, _NEUTRAL), strict=True):
        share = cv2.resize(cover, (plane.shape[1], plane.shape[0]), interpolation=cv2.INTER_AREA)
        result.append(np.asarray(plane + (value - plane.astype(np.float32)) * share, np.float32).round().astype(np.uint8))
    return result[0], result[1], result[2]


def _paint(height: int, width: int, share: float) -> npt.NDArray[np.float32]:
    """How much of each pixel is covered (0 to 1) once that share of the drops has hit the lens."""
    random = np.random.default_rng(_SEED)
    drops = random.uniform(0, 1, (_DROPS, 3))
    cover = np.zeros((height, width), np.float32)
    for x, y, size in drops[: max(1, round(share * _DROPS))].tolist():
        cv2.circle(cover, (round(x * width), round(y * height)), max(2, round((0.04 + 0.09 * size) * height)), 1.0, -1)
    if share >= 1:
        cover[:] = np.maximum(cover, 0.97)
    soft = 2 * round(_SOFT_SHARE * height) + 1
    return np.asarray(cv2.GaussianBlur(cover, (soft, soft), 0), np.float32)
