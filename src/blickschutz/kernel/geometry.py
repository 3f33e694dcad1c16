"""Boxes and polygons in picture coordinates: x to the right, y down, in pixels of the source picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from blickschutz.kernel.errors import FaultError

Points: TypeAlias = tuple[tuple[float, float], ...]


class Box(NamedTuple):
    """An axis-parallel rectangle; `right` and `bottom` lie outside it, as in slices."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def area(self) -> float:
        return max(0.0, self.width) * max(0.0, self.height)

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def foot(self) -> tuple[float, float]:
        """The middle of the lower edge: where a standing person touches the ground."""
        return (self.left + self.right) / 2, self.bottom

    def holds(self, point: tuple[float, float]) -> bool:
        """Whether a point lies inside or on an edge."""
        return self.left <= point[0] <= self.right and self.top <= point[1] <= self.bottom

    def grown(self, share: float, least: float = 0.0) -> Self:
        """This box with every side moved outwards by `share` of its extent, by `least` pixels at the least."""
        left, top, right, bottom = self
        dx, dy = max(share * (right - left), least), max(share * (bottom - top), least)
        return type(self)(left - dx, top - dy, right + dx, bottom + dy)

    def moved(self, dx: float, dy: float) -> Self:
        return type(self)(self.left + dx, self.top + dy, self.right + dx, self.bottom + dy)

    def scaled(self, x: float, y: float) -> Self:
        left, top, right, bottom = self
        return type(self)(left * x, top * y, right * x, bottom * y)

    def towards(self, other: Box, share: float) -> Self:
        """The box `share` of the way (0..1) from this one to `other`."""
        return type(self)(*(a + share * (b - a) for a, b in zip(self, other, strict=True)))

    def united(self, other: Box) -> Self:
        """The smallest box around both."""
        return type(self)(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def shared(self, other: Box) -> float:
        """Area of what lies in both."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)

    def touches_edge(self, width: int, height: int) -> bool:
        """Whether it reaches an edge of a picture of that size, or beyond."""
        return self.left <= 0 or self.top <= 0 or self.right >= width or self.bottom >= height

    def clipped(self, width: int, height: int) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) in whole pixels, rounded outwards, inside a picture of that size."""
        # Written out: a busy picture asks this a thousand times a second.
        left, top, right, bottom = math.floor(self[0]), math.floor(self[1]), math.ceil(self[2]), math.ceil(self[3])
        return (
            0 if left < 0 else min(left, width),
            0 if top < 0 else min(top, height),
            0 if right < 0 else min(right, width),
            0 if bottom < 0 else min(bottom, height),
        )


def cells_under(boxes: Sequence[Box], scale: tuple[float, float], shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    """For each box the (rows, columns) that it touches of a grid of `shape`, which is `scale` (x, y) times the boxes' picture.

    Raises `FaultError` where a side is no finite number: such a box would touch nothing, and hide nobody.
    """
    if not boxes:
        return []
    rows, columns = shape
    sides = np.array(boxes, np.float64) * (*scale, *scale)
    if not np.isfinite(sides).all():
        raise FaultError("a box has no finite sides")
    np.floor(sides[:, :2], out=sides[:, :2])
    np.ceil(sides[:, 2:], out=sides[:, 2:])
    np.minimum(np.maximum(sides, 0, out=sides), (columns, rows, columns, rows), out=sides)
    return [(slice(top, bottom), slice(left, right)) for left, top, right, bottom in sides.astype(int).tolist()]


def pairwise_iou(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Intersection over union of every box in `first` (n, 4) with every box in `second` (m, 4): (n, m)."""
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    opposite = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.clip(opposite - corner, 0, None), axis=2)
    sizes = [np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1) for boxes in (first, second)]
    union = sizes[0][:, None] + sizes[1][None, :] - shared
    return np.asarray(shared / np.maximum(union, 1e-9), np.float32)


def crosses_itself(points: Points) -> bool:
    """Whether the edge of a polygon meets itself anywhere but at the corners of neighbouring sides, as that of a figure eight does."""
    # A corner that is written twice in a row, or again at the end, is one corner.
    points = tuple(point for at, point in enumerate(points) if point != points[at - 1])
    count = len(points)
    if len(set(points)) < count:
        return True
    sides = [(points[at], points[(at + 1) % count]) for at in range(count)]
    for first in range(count):
        for second in range(first + 1, count):
            if second - first not in {1, count - 1}:
                if _meet(*sides[first], *sides[second]):
                    return True
            elif _folds(sides[first], sides[second]):
                return True
    return False


def is_on_a_line(points: Points) -> bool:
    """Whether all points lie on one line, to a millionth."""
    return all(abs(_turn(points[0], one, other)) < 1e-6 for one in points for other in points)


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    """Above 0 where `c` lies to one side of the line from `a` to `b`, under 0 to the other, 0 on it."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _meet(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float], d: tuple[float, float]) -> bool:
    """Whether the lines from `a` to `b` and from `c` to `d` have a point in common."""
    if _turn(a, b, c) * _turn(a, b, d) < 0 and _turn(c, d, a) * _turn(c, d, b) < 0:
        return True
    return any(_turn(*line, point) == 0 and _between(*line, point) for line, point in (((a, b), c), ((a, b), d), ((c, d), a), ((c, d), b)))


def _between(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    return min(a[0], b[0]) <= c[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= c[1] <= max(a[1], b[1])


def _folds(first: tuple[tuple[float, float], ...], second: tuple[tuple[float, float], ...]) -> bool:
    """Whether a side runs back along its neighbour."""
    common = next(point for point in first if point in second)
    one, other = (next(point for point in side if point != common) for side in (first, second))
    return _turn(common, one, other) == 0 and (_between(common, one, other) or _between(common, other, one))
