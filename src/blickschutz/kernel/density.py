"""How many pixels of a picture a metre has: from the calibration, wherever the picture's size is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
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
