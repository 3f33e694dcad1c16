"""Planes of a picture (h, w; uint8) at other sizes, by the quickest way that gives the same picture."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Bytes: TypeAlias = npt.NDArray[np.uint8]

_MOST_CHANNELS = 64


def shrunk(plane: Bytes, width: int, height: int, last: int = cv2.INTER_AREA) -> Bytes:
    """Area-averaged to `width` x `height`. By halves first: OpenCV averages four pixels ten times as fast as any other number.

    `last` is the interpolation of the step that is no half; there a pixel at a border counts in part for both sides.
    """
    rows, columns = plane.shape
    while columns >= 2 * width and rows >= 2 * height and not columns % 2 and not rows % 2:
        columns, rows = columns // 2, rows // 2
        plane = np.asarray(cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    if (columns, rows) == (width, height):
        return plane
    return np.asarray(cv2.resize(plane, (width, height), interpolation=last), np.uint8)


def enlarged(plane: Bytes, width: int, height: int) -> Bytes:
    """Every pixel repeated to `width` x `height` (nearest neighbour): rows once widened, then copied whole."""
    rows, columns = plane.shape
    times = width // columns
    if times * columns == width and times <= _MOST_CHANNELS:
        wide = np.asarray(cv2.merge([plane] * times), np.uint8).reshape(rows, width)
    else:
        wide = plane.take(_places(columns, width), axis=1)
    return wide.take(_places(rows, height), axis=0)


def repeated(plane: Bytes, width: int, height: int) -> Bytes:
    """As `enlarged`, for a few cells: there gathering rows and columns is quicker than making whole rows."""
    rows, columns = plane.shape
    return plane.take(_places(columns, width), axis=1).take(_places(rows, height), axis=0)


@lru_cache(maxsize=1024)
def _places(count: int, wanted: int) -> npt.NDArray[np.intp]:
    """Which of `count` pixels lies under each of `wanted`."""
    return np.arange(wanted, dtype=np.intp) * count // wanted
