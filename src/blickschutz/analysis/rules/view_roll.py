"""Whether a camera was turned about its own axis, seen from look to look.

A hand that holds a camera shifts its picture all the time, and by as much as a shove does; it hardly ever rolls it. So where the
likeness to a known view says nothing, since that wavers anyway, the angle does: over 1.6 s ordinary footage rolls by at most 2.1
degrees (handheld, from a drone, legs that fill the picture), in most clips by less than a tenth of one; whoever turns a camera by
five is measured at 5.1 to 6.8 in every one of 31 clips. A look counts only where the angle explains, in a quarter of the parts, half
of what the best shift leaves: so it does for .27 and more of the parts while a camera is turned, also before a crowd. Where somebody
swings a camera in their hand, which rolls by three degrees at times, or a light passes, it hardly ever does.

Source: Lucas and Kanade 1981, "An iterative image registration technique", for one shift and one angle of the whole picture; parts
that move by themselves count little (iteratively reweighted least squares).
"""

from __future__ import annotations

import math
from collections import deque
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
_LEAST_STRUCTURE, _LEAST_RESIDUAL = 2.0, 0.01
# Share of the parts in which the angle must explain so much of what the best shift leaves.
_EXPLAINS, _EXPLAINED = 0.25, 0.5
# Degrees, and within how many seconds: of a turn, and of what is left when it was turned back.
_TURNED, _WITHIN_S, _BACK = 3.0, 1.5, 1.5
_MISSES = 1
# A turn is over where the picture rolls by no more than this from look to look, for so long.
_RESTS, _RESTED_S = 0.5, 0.4
# What nobody was told of by then is the view from there on.
_HOLDS_S = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class _Smoothed:
    luma: Floats
    across: Floats
    down: Floats


class Roll:
    """Follows one camera. `look` once per picture; `interrupt` where pictures are missing."""

    def __init__(self) -> None:
        self._before: _Smoothed | None = None
        self._lately: deque[tuple[float, float]] = deque()
        self._lies, self._turned_at, self._rests_since = 0.0, -np.inf, np.inf

    def interrupt(self) -> None:
        self._before = None
        self._lately.clear()
        self._turned_at = -np.inf

    @property
    def turned(self) -> bool:
        """Whether it was turned a moment ago and not turned back since."""
        return self._turned_at > -np.inf

    @property
    def evidence(self) -> float:
        """How far it was turned, 0..1: one half at three degrees."""
        return min(1.0, abs(self._lies) / (2 * _TURNED)) if self.turned else 0.0

    def lies_turned(self, at: float) -> bool:
        """Whether it was turned and came to rest before the look of time `at`."""
        return self.turned and at - self._rests_since >= _RESTED_S

    def look(self, luma: Bytes, at: float) -> None:
        """Take the small picture of time `at`."""
        before, self._before = self._before, _smoothed(luma)
        if before is None:
            return
        roll = _roll(before, self._before)
        self._lately.append((at, roll))
        while self._lately[0][0] < at - _WITHIN_S:
            self._lately.popleft()
        self._rests_since = np.inf if abs(roll) > _RESTS else min(self._rests_since, at)
        if self.turned:
            self._lies += roll
            if abs(self._lies) < _BACK or at - self._turned_at > _HOLDS_S:
                self.interrupt()
            return
        turned = self._in_one_go()
        if abs(turned) >= _TURNED:
            self._turned_at, self._lies = at, turned

    def _in_one_go(self) -> float:
        """The degrees of the looks up to now that all roll the same way; one that says nothing is passed over."""
        turned, misses = 0.0, 0
        for _, roll in reversed(self._lately):
            misses = 0 if roll else misses + 1
            if misses > _MISSES or roll * turned < 0:
                break
            turned += roll
        return turned


def _smoothed(luma: Bytes) -> _Smoothed:
    smooth = cv2.GaussianBlur(luma, (0, 0), _BLUR).astype(np.float32)
    across, down = (np.asarray(cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=3, scale=_SOBEL), np.float32) for order in ((1, 0), (0, 1)))
    return _Smoothed(np.asarray(smooth, np.float32), across, down)


def _roll(before: _Smoothed, now: _Smoothed) -> float:
    """By how many degrees the picture turned between two looks; 0 where that is not what happened."""
    normal, right, total = _equations(before, now)
    structure = normal[0, 0] + normal[1, 1] + _LEAST_STRUCTURE
    solved, left, weight = np.zeros(3), total, 1 / structure
    for _ in range(_ROUNDS):
        solved = _solved(normal, right, weight)
        left = _left(solved, normal, right, total) / structure
        weight = 1 / structure / (1 + left / max(_LEAST_RESIDUAL, float(np.median(left)))) ** 2
    shifted = np.append(_solved(normal[:2, :2], right[:2], weight), 0.0)
    without = _left(shifted, normal, right, total) / structure
    is_turn = np.count_nonzero(left < (1 - _EXPLAINED) * without) >= _EXPLAINS * left.size
    return math.degrees(float(solved[2])) if is_turn else 0.0


def _equations(before: _Smoothed, now: _Smoothed) -> tuple[Doubles, Doubles, Doubles]:
    """Of every part its normal equations (3, 3, n) and right sides (3, n) for (right, down, angle), and its change, squared (n).

    A place at (x, y) from the middle moves by (right - angle y, down + angle x).
    """
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
    return normal, np.array([xd, yd, x * yd - y * xd]), np.asarray(total)


def _solved(normal: Doubles, right: Doubles, weight: Doubles) -> Doubles:
    return np.asarray(np.linalg.solve(normal @ weight + _DAMPING * np.eye(len(right)), right @ weight), np.float64)


def _left(motion: Doubles, normal: Doubles, right: Doubles, total: Doubles) -> Doubles:
    """How much of the change (mean square) of each part is left when the picture moved so."""
    left = total - 2 * (motion @ right) + np.einsum("i,ijn,j->n", motion, normal, motion)
    return np.asarray(np.maximum(left, 0), np.float64)
