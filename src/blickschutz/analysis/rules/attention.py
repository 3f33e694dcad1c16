"""Where the detector looks next: parts that changed at once, calm walkers in turn, the rest not at all.

A run costs what its pixels cost. A person who walks alone is as well followed with half as many looks; two
people close together, a newcomer and a part that was never looked at are looked at every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box, cells_under
from blickschutz.kernel.scene import Track

Floats: TypeAlias = npt.NDArray[np.float64]

_CALM_AGE_S = 0.8
_CALM_HEIGHTS_PER_S = 1.5


class Attention:
    """Remembers when each place was looked at, on a grid of (rows, columns) over a picture of `width` x `height` pixels."""

    def __init__(self, rows: int, columns: int, width: int, height: int) -> None:
        self._looked_at: Floats = np.full((rows, columns), -np.inf)
        self._scale = columns / width, rows / height

    def looked(self, parts: Sequence[Box], at: float) -> None:
        """The detector looked at `parts` at time `at`."""
        for where in cells_under(parts, self._scale, self._looked_at.shape):
            self._looked_at[where] = at

    def due(self, regions: Sequence[Box], tracks: Sequence[Track], at: float, calm_s: float) -> list[Box]:
        """Those of `regions` that must be looked at now, the longest unseen first.

        A region in which one calm track is alone waits `calm_s` between two looks, every other is looked at each time.
        """
        waited = [(at - self._last_look(region), region) for region in regions]
        due = [(age, region) for age, region in waited if age >= calm_s or not _is_calm(region, tracks)]
        return [region for _, region in sorted(due, key=lambda pair: -pair[0])]

    def _last_look(self, region: Box) -> float:
        rows, columns = self._looked_at.shape
        x, y = region.scaled(*self._scale).centre
        return float(self._looked_at[min(rows - 1, max(0, int(y))), min(columns - 1, max(0, int(x)))])


def _is_calm(region: Box, tracks: Sequence[Track]) -> bool:
    inside = [track for track in tracks if region.holds(track.box.centre)]
    if len(inside) != 1:
        return False
    track = inside[0]
    fast = max(map(abs, track.velocity)) > _CALM_HEIGHTS_PER_S * track.box.height
    return track.confirmed and track.age_s >= _CALM_AGE_S and not fast
