"""Where something moves nearly all the time: leaves, flags, water, a screen. Whoever walks past does not stay."""

from __future__ import annotations

import math
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.analysis.rules.view_parts import COLUMNS, ROWS, by_part

Bytes: TypeAlias = npt.NDArray[np.uint8]

_STEPS, _MOVING_SHARE = 9, 0.03
_MEMORY_S, _KNOWN_S = 20.0, 10.0
_RESTLESS = 0.6
_MOST_GAP_S = 2.5


class Restlessness:
    """In which parts of one camera's picture something moves most of the time. `look` once per analysed picture."""

    def __init__(self) -> None:
        self._before: Bytes | None = None
        self._at = self._known_s = 0.0
        self._share = np.zeros((ROWS, COLUMNS))

    def look(self, small: Bytes, at: float) -> frozenset[int]:
        """The numbers of those parts, row by row; none before ten seconds are known."""
        before, self._before = self._before, small
        elapsed, self._at = at - self._at, at
        if before is None or not 0 < elapsed <= _MOST_GAP_S:
            return self._restless()
        moving = by_part(cv2.compare(cv2.absdiff(small, before), _STEPS, cv2.CMP_GT)) > 255 * _MOVING_SHARE
        self._known_s += elapsed
        # A mean at first, then with a memory.
        weight = max(elapsed / self._known_s, 1 - math.exp(-elapsed / _MEMORY_S))
        self._share += weight * (moving - self._share)
        return self._restless()

    def _restless(self) -> frozenset[int]:
        if self._known_s < _KNOWN_S:
            return frozenset()
        return frozenset(np.flatnonzero(self._share >= _RESTLESS).tolist())
