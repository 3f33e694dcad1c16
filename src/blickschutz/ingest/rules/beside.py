"""Whether a device decodes a stream as software does, from the same pictures of both. H.264 and H.265 say to the bit what a picture is;
what is left over is rounding, from ten bits to eight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blickschutz.kernel.devices import Decoding, InUse

Bytes: TypeAlias = npt.NDArray[np.uint8]
Planes: TypeAlias = tuple[Bytes, Bytes, Bytes]

# By how many of 255 levels the worst pixel may differ, and all of a plane on average.
MOST_LEVELS, MOST_MEAN = 1.0, 0.05
# Pictures in a row that must be alike before a device is believed, and packets within which there must be so many.
ENOUGH, _MOST_PACKETS = 25, 250
# H.264 and H.265 let no decoder hold back more pictures than 16.
_MOST_WAITING = 20
# The first of them pay for what is made once.
_FIRST = 5
# What `AUTO` tries, in this order.
TRIED = (Decoding.NVDEC, Decoding.QSV, Decoding.VAAPI)


def difference(ours: Planes, theirs: Planes) -> tuple[float, float]:
    """(levels by which the worst pixel differs, mean of the worst plane); infinite where sizes differ."""
    if any(one.shape != other.shape for one, other in zip(ours, theirs, strict=True)):
        return float("inf"), float("inf")
    worst = mean = 0.0
    for one, other in zip(ours, theirs, strict=True):
        if not np.array_equal(one, other):
            apart = np.maximum(one, other) - np.minimum(one, other)
            worst, mean = max(worst, float(apart.max())), max(mean, float(apart.mean()))
    return worst, mean


class Comparison:
    """Takes what both gave for each packet. `problem` says why the device is not to be believed, empty while it may be."""

    def __init__(self) -> None:
        self.alike = self.packets = 0
        self.worst = self.mean = 0.0
        self.problem = ""
        self._ours: dict[int, Planes] = {}
        self._theirs: dict[int, Planes] = {}
        self._spent = [0.0, 0.0]

    def take(self, ours: Mapping[int, Planes], theirs: Mapping[int, Planes], ours_s: float, theirs_s: float) -> None:
        """Pictures by their times, and the processor's seconds that the packet cost each."""
        self._ours.update(ours)
        self._theirs.update(theirs)
        self.packets += 1
        if self.packets > _FIRST:
            self._spent = [self._spent[0] + ours_s, self._spent[1] + theirs_s]
        for pts in sorted(self._ours.keys() & self._theirs.keys()):
            self._compare(pts)
        waiting = max(len(self._ours), len(self._theirs))
        if not self.problem and (waiting > _MOST_WAITING or (self.packets >= _MOST_PACKETS and not self.enough)):
            self.problem = "it leaves out pictures"

    def _compare(self, pts: int) -> None:
        if any(one < pts for pictures in (self._ours, self._theirs) for one in pictures):
            # One of both gave a picture that the other never gave.
            self.alike = 0
        worst, mean = difference(self._ours[pts], self._theirs[pts])
        for pictures in (self._ours, self._theirs):
            for old in [one for one in pictures if one <= pts]:
                del pictures[old]
        self.worst, self.mean = max(self.worst, worst), max(self.mean, mean)
        if worst > MOST_LEVELS or mean > MOST_MEAN:
            said = "of another size" if worst == float("inf") else f"that differ by up to {worst:.0f} levels of 255"
            self.problem = f"it gives pictures {said}"
        self.alike += 1

    @property
    def enough(self) -> bool:
        return self.alike >= ENOUGH

    @property
    def costs(self) -> tuple[float, float]:
        """The processor's seconds for a packet: software's, the device's."""
        count = max(1, self.packets - _FIRST)
        return self._spent[0] / count, self._spent[1] / count


def judged(comparison: Comparison, wanted: Decoding, device: Decoding) -> InUse:
    """What is in use after enough pictures that were alike. A slower device is for whoever asked for it, and they are told."""
    ours, theirs = comparison.costs
    speed = f"{device} takes {1000 * theirs:.1f} ms of the processor a picture, software {1000 * ours:.1f} ms"
    if theirs > ours and wanted is Decoding.AUTO:
        return InUse(wanted, Decoding.SOFTWARE, speed)
    return InUse(wanted, device, speed, trouble=theirs > ours)
