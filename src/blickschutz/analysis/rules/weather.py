"""Rain and snow: small, thin, short-lived differences all over the picture, too small to be anybody.

Only where a camera sees them all over its picture are they allowed for, and only those that stand alone: what lies beside a
larger difference may be a part of somebody. How small they are says who could be taken for one (`docs/design/redaction.md`).
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Bytes: TypeAlias = npt.NDArray[np.uint8]

_FULL = 255
# Pixels of the small picture: a flake near the lens, a drop's streak. A person of that area is seven high.
MOST_CELLS, MOST_ACROSS = 12, 3
_BESIDE, _AROUND = 7, 9
_SEEN_SHARE, _GONE_SHARE = 0.6, 0.3
_FOLLOW = 0.25
_EVERY_S = 0.5


def specks(different: Bytes) -> Bytes:
    """255 where what is `different` (255; (h, w)) is a speck that stands alone."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(different, connectivity=8)
    across = np.minimum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    small = (stats[:, cv2.CC_STAT_AREA] <= MOST_CELLS) & (across <= MOST_ACROSS)
    small[0] = False
    if not small.any():
        return np.zeros_like(different)
    large = ~small
    large[0] = False
    if large.any():
        near = cv2.dilate(large.astype(np.uint8)[labels], np.ones((_BESIDE, _BESIDE), np.uint8))
        small[labels[near != 0]] = False
    return np.asarray(np.where(small, np.uint8(_FULL), np.uint8(0))[labels], np.uint8)


def bodies(different: Bytes) -> Bytes:
    """255 where what is `different` (255; (h, w)) is large enough to be somebody, or a part of them, and a little around it."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(different, connectivity=8)
    large = np.where(stats[:, cv2.CC_STAT_AREA] > 2 * MOST_CELLS, np.uint8(_FULL), np.uint8(0))
    large[0] = 0
    return np.asarray(cv2.dilate(large[labels], np.ones((_AROUND, _AROUND), np.uint8)), np.uint8)


class Weather:
    """Whether it rains or snows: specks of motion in most fields of the picture, look after look."""

    def __init__(self) -> None:
        self._share: float | None = None
        self._looked_at = -np.inf
        self.falls = False

    def look(self, moving: Bytes, at: float) -> Bytes:
        """What moves (255) in the picture of time `at`, without what falls."""
        if (not self.falls and at - self._looked_at < _EVERY_S) or moving.all():
            return moving
        self._looked_at = at
        now = _spread(moving)
        # Where not even all that moves is all over the picture, nobody need look for what is small.
        small = specks(moving) if now > (_GONE_SHARE if self.falls else _SEEN_SHARE) else np.zeros_like(moving)
        now = _spread(small)
        self._share = now if self._share is None else self._share + _FOLLOW * (now - self._share)
        self.falls = self._share > (_GONE_SHARE if self.falls else _SEEN_SHARE)
        return np.asarray(cv2.subtract(moving, small), np.uint8) if self.falls else moving


def _spread(moving: Bytes) -> float:
    """In which share of the picture's fields anything moves."""
    rows, columns = moving.shape
    fields = [moving[y * rows // 3 : (y + 1) * rows // 3, x * columns // 4 : (x + 1) * columns // 4] for y in range(3) for x in range(4)]
    return sum(bool(field.any()) for field in fields) / len(fields)
