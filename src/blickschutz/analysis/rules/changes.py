"""What of the place has changed and stays so: things put down or taken away, surfaces painted or broken.

A still change is where the known background disagrees, the picture has stayed the same for a while, and nobody
is or was near for as long. Whether something came or went follows from when it stood out from its surroundings: a
thing that was put down stands out now, one that was taken away stood out before.
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Change

Bytes: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float64]

_LEAST_CELLS = 6
_MOST_SHARE = 0.08
_MOST_CHANGES = 12


def still_changes(
    still_since: Floats, stood: tuple[Floats, Floats], at: float, least_s: float, shown: Bytes, now: Bytes, scale: tuple[float, float]
) -> tuple[Change, ...]:
    """Still changes at time `at`. All arrays have the shape of the small picture.

    `still_since` is infinite where there is no change; `stood` says since when each pixel has been known, and when it was last seen so;
    `shown` is the long-term background, `now` the moment,
    both (height, width, 3); `scale` is source pixels per small pixel.
    """
    still = (at - still_since >= least_s).astype(np.uint8)
    if not still.any():
        return ()
    joined = cv2.morphologyEx(still, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found = []
    for label in sorted(range(1, count), key=lambda k: -stats[k][4])[:_MOST_CHANGES]:
        x, y, width, height, area = (int(v) for v in stats[label])
        if area < _LEAST_CELLS or area > _MOST_SHARE * still.size:
            continue
        mask = (labels == label).astype(np.uint8)
        own = (mask != 0) & (still != 0)
        since, known, agreed = (float(np.median(times[own])) if own.any() else at for times in (still_since, *stood))
        box = Box(x, y, x + width, y + height).scaled(*scale)
        found.append(Change(box, at - since, _appeared(mask, shown, now), at - agreed, max(0.0, agreed - known)))
    return tuple(found)


def _appeared(mask: Bytes, shown: Bytes, now: Bytes) -> float:
    """How much more it stands out from its surroundings now than before, from -1 (it was there) to 1 (it is there)."""
    ring = (cv2.dilate(mask, np.ones((7, 7), np.uint8)) != 0) & (cv2.dilate(mask, np.ones((3, 3), np.uint8)) == 0)
    inside = mask != 0
    if not ring.any():
        return 0.0
    stands_out = []
    for picture in (now, shown):
        means = [picture[where].astype(np.float32).mean(axis=0) for where in (inside, ring)]
        stands_out.append(float(np.abs(means[0] - means[1]).sum()))
    return (stands_out[0] - stands_out[1]) / max(1.0, sum(stands_out))
