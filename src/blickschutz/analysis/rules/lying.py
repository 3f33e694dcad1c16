"""People who lie are found in a turned picture: a detector that learned upright people knows them only upright.

One part at a time, the one that waited longest, is turned by a quarter to the left and to the right in turn.
Only parts in which something is and nobody stands are worth it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box, pairwise_iou
from blickschutz.kernel.scene import Detection, Track

Floats: TypeAlias = npt.NDArray[np.float32]

QUARTERS = (1, 3)
_EVERY_S = 0.4
_KEEP_S = 1.3
_STANDING_ASPECT = 0.7
_LOST_S = 4.0
_LYING_ASPECT = 1.4
_UPRIGHT_OVERLAP = 0.3
_REACH_HEIGHTS = 0.75


@dataclass(slots=True)
class _Found:
    at: float
    detection: Detection


@dataclass(slots=True)
class _Place:
    box: Box
    at: float


class LyingWatch:
    """Chooses where to look for somebody lying, and remembers what was found for about a second."""

    def __init__(self) -> None:
        self._looked_at = -np.inf
        self._turn = 0
        self._found: list[_Found] = []
        self._stood: dict[int, _Place] = {}
        self._looks: list[_Place] = []

    def next_look(self, regions: Sequence[Box], tracks: Sequence[Track], at: float) -> tuple[Box, int] | None:
        """The part to look at now and by how many quarters to turn it, or None."""
        self._remember(tracks, at)
        if at - self._looked_at < _EVERY_S:
            return None
        standing = [t.box.centre for t in tracks if t.confirmed and t.seen_s < 1.0 and t.box.width < _STANDING_ASPECT * t.box.height]
        places = [r for r in regions if not any(_holds(r, centre) for centre in standing)]
        places += [
            _around(place.box) for number, place in self._stood.items() if number not in {t.number for t in tracks if t.seen_s < 0.5}
        ]
        if not places:
            return None
        self._looked_at = at
        chosen = min(places, key=lambda place: self._last_look(place))
        self._turn = 1 - self._turn
        self._looks = [*self._looks[-7:], _Place(chosen, at)]
        return chosen, QUARTERS[self._turn]

    def take(self, boxes: Floats, upright: Floats, at: float, sure: float) -> None:
        """What the turned look found: `boxes` and `upright` detections, (n, 5) in source pixels."""
        for row in boxes:
            box = Box(*(float(v) for v in row[:4]))
            if box.width < _LYING_ASPECT * box.height:
                continue
            standing = upright[(upright[:, 4] >= max(sure, float(row[4])))]
            if len(standing) and float(pairwise_iou(row[None, :4], standing[:, :4]).max()) > _UPRIGHT_OVERLAP:
                tall = standing[:, 3] - standing[:, 1] > standing[:, 2] - standing[:, 0]
                if tall.any():
                    continue
            self._found.append(_Found(at, Detection(box, float(row[4]))))

    def lying(self, at: float) -> tuple[Detection, ...]:
        """The best of what was found lately, one for each place."""
        self._found = [item for item in self._found if at - item.at <= _KEEP_S]
        best: list[Detection] = []
        for item in sorted(self._found, key=lambda found: -found.detection.score):
            centre = item.detection.box.centre
            if not any(_holds(other.box, centre) for other in best):
                best.append(item.detection)
        return tuple(best)

    def _remember(self, tracks: Sequence[Track], at: float) -> None:
        for track in tracks:
            if track.confirmed and track.seen_s < 0.5:
                self._stood[track.number] = _Place(track.box, at)
        self._stood = {number: place for number, place in self._stood.items() if at - place.at <= _LOST_S}

    def _last_look(self, place: Box) -> float:
        return max((look.at for look in self._looks if _holds(look.box, place.centre)), default=-np.inf)


def _around(box: Box) -> Box:
    """Where somebody lies who stood in `box`."""
    reach = _REACH_HEIGHTS * box.height
    x, y = box.foot
    return Box(x - reach, y - reach, x + reach, y + 0.4 * reach)


def _holds(box: Box, point: tuple[float, float]) -> bool:
    return box.left <= point[0] <= box.right and box.top <= point[1] <= box.bottom
