"""What of the place has changed and stays so: things put down or taken away, surfaces painted or broken.

A still change is where the known background disagrees, the picture has stayed the same for a while, and nobody
is or was near for as long. Whether something came or went follows from where the edge is: around a thing that
is there now, or in the picture of before (after Spagnolo et al. 2006, "Moving object segmentation...").
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
_EDGE = 24.0
_MOST_CHANGES = 12


def still_changes(
    still_since: Floats, at: float, least_s: float, shown: Bytes, now: Bytes, scale: tuple[float, float]
) -> tuple[Change, ...]:
    """Still changes at time `at`. All arrays have the shape of the small picture.

    `still_since` is infinite where there is no change; `shown` is the luma of the long-term background, `now` that
    of the moment; `scale` is source pixels per small pixel.
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
        since = float(np.median(still_since[own])) if own.any() else at
        box = Box(x, y, x + width, y + height).scaled(*scale)
        found.append(Change(box, at - since, _appeared(mask, shown, now)))
    return tuple(found)


def _appeared(mask: Bytes, shown: Bytes, now: Bytes) -> float:
    """Share of the outline that is an edge now, less the share that was one before."""
    outline = cv2.dilate(mask, np.ones((3, 3), np.uint8)) - cv2.erode(mask, np.ones((3, 3), np.uint8))
    where = outline != 0
    shares = []
    for picture in (now, shown):
        across, down = (cv2.Sobel(picture, cv2.CV_32F, dx, dy) for dx, dy in ((1, 0), (0, 1)))
        shares.append(float(np.minimum(cv2.magnitude(across, down)[where] / _EDGE, 4).mean()))
    return (shares[0] - shares[1]) / max(1e-6, shares[0] + shares[1])
