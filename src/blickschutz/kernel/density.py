"""How many pixels of a picture a metre has: from the calibration, wherever the picture's size is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Yardstick:
    """Two points, in shares of the picture's width and height, and their distance in metres."""

    start: tuple[float, float]
    end: tuple[float, float]
    metres: float


Density: TypeAlias = float | Yardstick
"""Pixels of the source per metre, or what they are to be reckoned from."""


def px_per_metre(density: Density | None, width: float, height: float) -> float | None:
    """Pixels per metre of a source of that size (pixels), None without calibration."""
    if not isinstance(density, Yardstick):
        return density
    (x1, y1), (x2, y2) = density.start, density.end
    return math.hypot((x2 - x1) * width, (y2 - y1) * height) / density.metres


@dataclass(frozen=True, slots=True)
class Stander:
    """Somebody who stands in the picture: where their feet are, from the top in shares of its height, how many pixels they are high, and
    how many metres."""

    foot: float
    pixels: float
    metres: float


MOST_OFF = 0.2
"""How far a mark may be from the plane that is laid through all of them, as a share; more, and one of them is wrong."""
_LEAST_APART = 0.1


class Skew(StrEnum):
    """Why no ground can be laid through the marks."""

    FEW = "few"
    CLOSE = "close"
    UPSIDE_DOWN = "upside-down"
    APART = "apart"


def ground(marks: Sequence[Stander]) -> tuple[float, float] | Skew:
    """Density of a flat ground seen by a level camera: (slope, at the top) in px/m over the height of the picture, or why there is none.

    On such a ground the pixels of a metre grow in proportion to how far below the horizon it stands, so a line is laid through the
    marks (least squares of their shares). Three are asked for: with two every mistake fits.
    """
    if len(marks) < 3:
        return Skew.FEW
    if max(mark.foot for mark in marks) - min(mark.foot for mark in marks) < _LEAST_APART:
        return Skew.CLOSE
    found = [mark.pixels / mark.metres for mark in marks]
    weights = [1 / one**2 for one in found]
    total = sum(weights)
    mean = sum(weight * mark.foot for weight, mark in zip(weights, marks, strict=True)) / total
    middle = sum(weight * one for weight, one in zip(weights, found, strict=True)) / total
    spread = sum(weight * (mark.foot - mean) ** 2 for weight, mark in zip(weights, marks, strict=True))
    slope = sum(w * (mark.foot - mean) * (one - middle) for w, mark, one in zip(weights, marks, found, strict=True)) / spread
    top = middle - slope * mean
    if slope <= 0:
        return Skew.UPSIDE_DOWN
    if any(abs(top + slope * mark.foot - one) > MOST_OFF * one for mark, one in zip(marks, found, strict=True)):
        return Skew.APART
    return slope, top


def densest(plane: tuple[float, float]) -> float:
    """Greatest density of a ground, at the lower edge of the picture (px/m)."""
    return sum(plane)
