"""How large letters must be to be read from a distance (DIN 1450: height of a lower-case x by the angle at which it is seen)."""

from __future__ import annotations

import math
from enum import IntEnum

X_HEIGHT = 0.429
"""Height of an x of the font of the documents (Libertinus Serif), as a share of its size; the bold one has 0.433."""
_MM_PER_PT = 25.4 / 72.0
READ_FROM_M = 2.0
"""From where the first lines of a sign must be read, whatever its paper."""


class Reading(IntEnum):
    """Kinds of reading and the least angle of an x in minutes of arc (DIN 1450:2013, table 2, to be verified)."""

    SIGNAL = 9
    LOOKUP = 10
    TEXT = 13


def least_pt(distance_m: float, reading: Reading) -> float:
    """Least size of the font in points to be read from `distance_m`."""
    return 1000 * distance_m * math.tan(math.radians(reading / 60)) / X_HEIGHT / _MM_PER_PT


def distance_m(size_pt: float, reading: Reading) -> float:
    """From how far a size of the font can be read, in metres."""
    return size_pt * _MM_PER_PT * X_HEIGHT / math.tan(math.radians(reading / 60)) / 1000
