"""People who lie are found in a turned picture: a detector that learned upright people knows them only upright.

One part at a time, the one that waited longest, is turned by a quarter to the left and to the right in turn.
Only parts in which something is and nobody stands are worth it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blickschutz.analysis.rules.allowance import Allowance
from blickschutz.kernel.geometry import Box, pairwise_iou
from blickschutz.kernel.scene import Detection, Track

Floats: TypeAlias = npt.NDArray[np.float32]

QUARTERS = (1, 3)
_EVERY_S = 0.4
_OFTEN_S = 1.0
_SELDOM_S = 2.5
_MEMORY_S = 4.0
_FOUND_MARGIN = 0.5
_LOOKS_PER_S, _BURST = 0.4, 8.0
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
    turn: int


@dataclass(slots=True)
class _Place:
    box: Box
    at: float
    turn: int = 0


class LyingWatch:
    """Chooses where to look for somebody lying, and remembers what was found for about a second."""

    def __init__(self) -> None:
        self._looked_at = -np.inf
        # A busy place must not cost what a fall is worth.
        self._allowance = Allowance(_LOOKS_PER_S, _BURST)
        self._found: list[_Found] = []
        self._stood: dict[int, _Place] = {}
        self._looks: list[_Place] = []

    def next_look(self, regions: Callable[[], Sequence[Box]], tracks: Sequence[Track], at: float) -> tuple[Box, int] | None:
        """The part to look at now and by how many quarters to turn it, or None. `regions` is asked only when it is time."""
        self._remember(tracks, at)
        if at - self._looked_at < _EVERY_S:
            return None
        standing = [t.box.centre for t in tracks if t.confirmed and t.seen_s < 1.0 and t.box.width < _STANDING_ASPECT * t.box.height]
        seen = {track.number for track in tracks if track.seen_s < 0.5}
        lost = [_around(place.box) for number, place in self._stood.items() if number not in seen]
        others = [region for region in regions() if not any(region.holds(centre) for centre in standing)]
        # Where somebody lay a moment ago, every time; where somebody stood a moment ago, often; elsewhere seldom:
        # flags move there, and branches.
        places = [item.detection.box.grown(_FOUND_MARGIN) for item in self._found]
        places += [place for place in lost if self._waited(place, at) >= _OFTEN_S]
        places += [place for place in others if self._waited(place, at) >= _SELDOM_S]
        if not places:
            return None
        self._allowance.refill(at)
        if not self._allowance.spend():
            return None
        self._looked_at = at
        chosen = max(places, key=lambda place: self._waited(place, at))
        # A known place is looked at the way it was not; what was found there last is seen again the way it was found.
        last = next((look for look in reversed(self._looks) if look.box.holds(chosen.centre)), None)
        known = next((item for item in self._found if chosen.holds(item.detection.box.centre)), None)
        turn = known.turn if known is not None else QUARTERS[1] if last is not None and last.turn == QUARTERS[0] else QUARTERS[0]
        self._looks = [look for look in (*self._looks, _Place(chosen, at, turn)) if at - look.at <= _MEMORY_S]
        return chosen, turn

    def take(self, boxes: Floats, upright: Floats, at: float, sure: float) -> None:
        """What the last turned look found: `boxes` and `upright` detections, (n, 5) in source pixels."""
        for row in boxes:
            box = Box(*(float(v) for v in row[:4]))
            if box.width < _LYING_ASPECT * box.height:
                continue
            standing = upright[(upright[:, 4] >= max(sure, float(row[4])))]
            if len(standing) and float(pairwise_iou(row[None, :4], standing[:, :4]).max()) > _UPRIGHT_OVERLAP:
                tall = standing[:, 3] - standing[:, 1] > standing[:, 2] - standing[:, 0]
                if tall.any():
                    continue
            self._found.append(_Found(at, Detection(box, float(row[4])), self._looks[-1].turn))

    def lying(self, at: float) -> tuple[Detection, ...]:
        """The best of what was found lately, one for each place."""
        self._found = [item for item in self._found if at - item.at <= _KEEP_S]
        best: list[Detection] = []
        for item in sorted(self._found, key=lambda found: -found.detection.score):
            centre = item.detection.box.centre
            if not any(other.box.holds(centre) for other in best):
                best.append(item.detection)
        return tuple(best)

    def _remember(self, tracks: Sequence[Track], at: float) -> None:
        for track in tracks:
            if track.confirmed and track.seen_s < 0.5:
                self._stood[track.number] = _Place(track.box, at)
        self._stood = {number: place for number, place in self._stood.items() if at - place.at <= _LOST_S}

    def _waited(self, place: Box, at: float) -> float:
        """Seconds since `place` was last looked at in both turns; infinite as long as one turn is missing."""
        looks = [look for look in self._looks if look.box.holds(place.centre)]
        return at - looks[-1].at if len({look.turn for look in looks}) == len(QUARTERS) else np.inf


def _around(box: Box) -> Box:
    """Where somebody lies who stood in `box`."""
    reach = _REACH_HEIGHTS * box.height
    x, y = box.foot
    return Box(x - reach, y - reach, x + reach, y + 0.4 * reach)
