"""How far a picture lies from the known background where wind or a passing lorry shakes the camera, and the picture put back.

Source: registration by the gradient (Lucas and Kanade 1981), of the whole picture, coarse to fine. Only a shift is looked
for: a camera on a mast turns by so little that nothing else is seen of it.
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Bytes: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]
Shift: TypeAlias = tuple[float, float]

STILL: Shift = (0.0, 0.0)
# Pixels of the small picture.
MOST_SHIFT = 4.0
LEAST_SHIFT = 0.06
_COARSE = 4
_ITERATIONS = 3
_ENOUGH = 0.01
# What differs by more is somebody before the place, and says nothing of the camera.
_MOST_STEPS = 40.0
_LEAST_GRADIENT = 2.0


def shift_of(known: Bytes, luma: Bytes, where: Bytes) -> Shift:
    """By how much `luma` lies to the right of and below `known` (both (h, w)), in pixels; judged by the pixels `where` (not 0).

    None at all where that cannot be told: too little is known, or the place has no pattern.
    """
    size = max(1, known.shape[1] // _COARSE), max(1, known.shape[0] // _COARSE)
    small = [np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8) for plane in (known, luma, where)]
    coarse = _refined(small[0], small[1], small[2] > 127, STILL)
    start = coarse[0] * _COARSE, coarse[1] * _COARSE
    fine = _refined(known, luma, where != 0, start if max(map(abs, start)) <= MOST_SHIFT else STILL)
    return fine if max(map(abs, fine)) <= MOST_SHIFT else STILL


def _refined(known: Bytes, luma: Bytes, where: npt.NDArray[np.bool_], start: Shift) -> Shift:
    soft = np.asarray(cv2.blur(known, (3, 3)), np.float32)
    across, down = (np.asarray(cv2.Sobel(soft, cv2.CV_32F, *order, scale=1 / 8), np.float32) for order in ((1, 0), (0, 1)))
    strong = where & (np.abs(across) + np.abs(down) > _LEAST_GRADIENT)
    if np.count_nonzero(strong) < known.size // 100:
        return start
    gx, gy, before, blurred = across[strong], down[strong], soft[strong], np.asarray(cv2.blur(luma, (3, 3)), np.uint8)
    x, y = start
    for _ in range(_ITERATIONS):
        change = put_back(blurred, (x, y))[strong].astype(np.float32) - before
        weight = (np.abs(change) < _MOST_STEPS).astype(np.float32)
        wx, wy = gx * weight, gy * weight
        xx, xy, yy = float(wx @ gx), float(wx @ gy), float(wy @ gy)
        determinant = xx * yy - xy * xy
        if determinant <= 1e-3 * (xx + yy) ** 2:
            return start
        px, py = float(wx @ change), float(wy @ change)
        step = (yy * px - xy * py) / determinant, (xx * py - xy * px) / determinant
        x, y = x - step[0], y - step[1]
        if max(map(abs, step)) < _ENOUGH:
            break
    return x, y


def put_back(picture: Bytes, shift: Shift) -> Bytes:
    """`picture` (h, w[, n]) as it would be without the shift; what came in at an edge repeats it."""
    rows, columns = picture.shape[:2]
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(picture, matrix, (columns, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def moved_along(agrees: Bytes, shift: Shift, edge: Bytes) -> Bytes:
    """What `agrees` (255) with the place, where it lies in the picture; what came in at an edge is taken from `edge`.

    Both have the shape of the place.
    """
    x, y = round(shift[0]), round(shift[1])
    rows, columns = agrees.shape
    result = edge.copy()
    inside = agrees[max(0, -y) : rows - max(0, y), max(0, -x) : columns - max(0, x)]
    result[max(0, y) : rows + min(0, y), max(0, x) : columns + min(0, x)] = inside
    return result


def is_beyond(shift: Shift) -> bool:
    """Whether a shift is so large that what lay in one pixel lies in another."""
    return round(shift[0]) != 0 or round(shift[1]) != 0
