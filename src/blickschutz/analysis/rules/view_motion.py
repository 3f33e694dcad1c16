"""How a camera's picture moves from one look to the next: shift and angle, by least squares over the parts.

Source: Lucas and Kanade 1981, "An iterative image registration technique", for one motion of the whole picture; parts that move by
themselves count little (iteratively reweighted least squares).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.analysis.rules.view_parts import COLUMNS, ROWS, by_part

Bytes: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]
Doubles: TypeAlias = npt.NDArray[np.float64]

_BLUR = 1.5
_SOBEL = 1 / 8
_ROUNDS, _DAMPING = 5, 1e-6
_LEAST_STRUCTURE, _LEAST_RESIDUAL, _TEXTURED = 2.0, 0.01, 4.0
_LEAST_PARTS = 6
# Share of the parts in which the angle must explain so much of what the best shift leaves.
_EXPLAINS, _EXPLAINED = 0.25, 0.5
# A shift is found from coarse to fine, by at most so many pixels of each size at once.
_SIZES, _MOST_AT_ONCE = (2, 1, 0, 0), 3.0
_EVERY_PART: Doubles = np.ones(ROWS * COLUMNS)


@dataclass(frozen=True, slots=True, eq=False)
class _Smoothed:
    raw: Bytes
    luma: Floats
    across: Floats
    down: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """Two pictures, and of every part the normal equations (3, 3, n) and right sides (3, n) for (right, down, angle), and its
    change, squared (n). A place at (x, y) from the middle moves by (right - angle y, down + angle x).
    """

    before: _Smoothed
    now: _Smoothed
    normal: Doubles
    right: Doubles
    total: Doubles


@dataclass(frozen=True, slots=True, eq=False)
class Shift:
    """`way`: (right, down) in pixels. `explained`: the share of the parts with structure of which it explains half of the change;
    `stays`: of those that look more alike without it. `follows`: how well each part moves with it, 0..1.
    """

    way: Doubles
    explained: float
    stays: float
    follows: Doubles


class Steps:
    """Makes steps of the pictures of one camera."""

    def __init__(self) -> None:
        self._before: _Smoothed | None = None

    def interrupt(self) -> None:
        self._before = None

    def take(self, luma: Bytes, known: Step | None = None) -> Step | None:
        """From the picture before to this one; None for the first. `known`: a step to this very picture that was made before."""
        before, self._before = self._before, _smoothed(luma) if known is None else known.now
        if before is None:
            return None
        return known if known is not None and known.before is before else _step(before, self._before)


def step_between(before: Bytes, now: Bytes) -> Step:
    return _step(_smoothed(before), _smoothed(now))


def roll(step: Step) -> float:
    """By how many degrees the picture turned; 0 where that is not what happened."""
    structure = step.normal[0, 0] + step.normal[1, 1] + _LEAST_STRUCTURE
    solved, follows = _robust(step.normal, step.right, step.total, _EVERY_PART)
    weight = follows / structure
    left = _left(solved, step.normal, step.right, step.total) / structure
    shifted = np.append(_solved(step.normal[:2, :2], step.right[:2], weight), 0.0)
    without = _left(shifted, step.normal, step.right, step.total) / structure
    is_turn = np.count_nonzero(left < (1 - _EXPLAINED) * without) >= _EXPLAINS * left.size
    return math.degrees(float(solved[2])) if is_turn else 0.0


def small_shift(step: Step, trust: Doubles) -> tuple[Doubles, Doubles]:
    """(right, down): right for about a pixel; of more it is known that it is more. And how well each part moves with it.

    `trust`: what each part counts for, 0..1.
    """
    return _robust(step.normal[:2, :2], step.right[:2], step.total, trust)


def whole_shift(step: Step, trust: Doubles) -> Shift:
    """The shift however long it is, up to a tenth of the picture or so. `trust`: what each part counts for, 0..1."""
    return _refined(step, np.zeros(2), _SIZES, trust)


def registered(before: Bytes, now: Bytes, near: Doubles) -> Shift:
    """The shift from one picture to a later one that is `near`."""
    return _refined(step_between(before, now), near, _SIZES[1:], _EVERY_PART)


def _refined(step: Step, near: Doubles, sizes: tuple[int, ...], trust: Doubles) -> Shift:
    befores, nows = _pyramid(step.before.raw), _pyramid(step.now.raw)
    way, left, follows = near.copy(), step.total, trust
    for size in sizes:
        before, now, scale = befores[size], nows[size], 2**size
        back = np.array([[1, 0, way[0] / scale], [0, 1, way[1] / scale]], np.float32)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(now, back, before.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
        rest = step_between(before, np.asarray(moved, np.uint8))
        more, follows = small_shift(rest, trust)
        left = _left(np.append(more, 0.0), rest.normal, rest.right, rest.total)
        way = way + np.clip(more, -_MOST_AT_ONCE, _MOST_AT_ONCE) * scale
    counts = trust * (step.normal[0, 0] + step.normal[1, 1] >= _TEXTURED)
    parts = max(_LEAST_PARTS, float(counts.sum()))
    explained = float(counts[left < (1 - _EXPLAINED) * step.total].sum())
    stays = float(counts[step.total < left].sum())
    return Shift(way, explained / parts, stays / parts, follows)


def _pyramid(luma: Bytes) -> tuple[Bytes, Bytes, Bytes]:
    half = np.asarray(cv2.pyrDown(luma), np.uint8)
    return luma, half, np.asarray(cv2.pyrDown(half), np.uint8)


def _smoothed(luma: Bytes) -> _Smoothed:
    smooth = cv2.GaussianBlur(luma, (0, 0), _BLUR).astype(np.float32)
    across, down = (np.asarray(cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=3, scale=_SOBEL), np.float32) for order in ((1, 0), (0, 1)))
    return _Smoothed(luma, np.asarray(smooth, np.float32), across, down)


def _step(before: _Smoothed, now: _Smoothed) -> Step:
    across, down = (before.across + now.across) / 2, (before.down + now.down) / 2
    change = before.luma - now.luma
    change -= np.median(change)
    pairs = ((across, across), (down, down), (across, down), (across, change), (down, change), (change, change))
    xx, yy, xy, xd, yd, total = (by_part(one * other).ravel().astype(np.float64) for one, other in pairs)
    height, width = change.shape
    rows, columns = np.mgrid[0:ROWS, 0:COLUMNS]
    x, y = ((columns + 0.5) / COLUMNS - 0.5).ravel() * width, ((rows + 0.5) / ROWS - 0.5).ravel() * height
    turned_x, turned_y = x * xy - y * xx, x * yy - y * xy
    normal = np.array([[xx, xy, turned_x], [xy, yy, turned_y], [turned_x, turned_y, y * y * xx - 2 * x * y * xy + x * x * yy]])
    return Step(before, now, normal, np.array([xd, yd, x * yd - y * xd]), np.asarray(total))


def _robust(normal: Doubles, right: Doubles, total: Doubles, trust: Doubles) -> tuple[Doubles, Doubles]:
    """The motion, and how well each part moves with it, 0..1."""
    structure = normal[0, 0] + normal[1, 1] + _LEAST_STRUCTURE
    solved, follows, trusted = np.zeros(len(right)), _EVERY_PART, trust >= trust.mean()
    for _ in range(_ROUNDS):
        solved = _solved(normal, right, trust * follows / structure)
        left = _left(solved, normal, right, total) / structure
        follows = 1 / (1 + left / max(_LEAST_RESIDUAL, float(np.median(left[trusted])))) ** 2
    return solved, follows


def _solved(normal: Doubles, right: Doubles, weight: Doubles) -> Doubles:
    return np.asarray(np.linalg.solve(normal @ weight + _DAMPING * np.eye(len(right)), right @ weight), np.float64)


def _left(motion: Doubles, normal: Doubles, right: Doubles, total: Doubles) -> Doubles:
    """How much of the change (mean square) of each part is left when the picture moved so."""
    left = total - 2 * (motion @ right[: len(motion)]) + np.einsum("i,ijn,j->n", motion, normal[: len(motion), : len(motion)], motion)
    return np.asarray(np.maximum(left, 0), np.float64)
