"""What a picture shows of a known view, part by part: 48 parts, each compared with the long-term picture of the same part.

The measures are built so that light alone changes none of them: structure is compared by the directions of its edges
(normalised correlation of gradients), and what is left of it is related to what is left of the brightness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.planes import shrunk
from blickschutz.kernel.scene import VIEW_PARTS

Bytes: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]
Flags: TypeAlias = npt.NDArray[np.bool_]

ROWS, COLUMNS = VIEW_PARTS
# Detail is measured on a picture of at most this width: a lens out of focus takes it away there, one pixel of shake does not.
_DETAIL_WIDTH = 480
_DARK, _WHITE = 16, 240
_NONE: Floats = np.zeros((ROWS, COLUMNS), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """One picture, measured. `luma` and the gradients have the size of the small picture, the others (6, 8).

    `structure` is the mean squared gradient, `detail` the mean squared Laplacian at a finer scale, `dark` and `white` are
    shares of the part's pixels.
    """

    luma: Bytes
    across: Floats
    down: Floats
    mean: Floats
    structure: Floats
    detail: Floats
    dark: Floats
    white: Floats


def by_part(values: npt.NDArray[Any]) -> Floats:
    """The mean of `values` in each of the parts."""
    return np.asarray(cv2.resize(values, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA), np.float32)


def measured(small: Bytes, full: Bytes, before: Looked | None) -> Looked:
    """Measure a picture by its luma, `small` and in `full` size. The detail is that of `before`, where it is given."""
    across, down = (np.asarray(side, np.float32) for side in cv2.spatialGradient(cv2.GaussianBlur(small, (3, 3), 0)))
    mean = by_part(small)
    # A part that is nearly all dark (or white) has a mean that says so: the pixels are counted only where one has.
    dark = _filled(cv2.compare(small, _DARK, cv2.CMP_LT)) if float(mean.min()) < 2 * _DARK else _NONE
    white = _filled(cv2.compare(small, _WHITE, cv2.CMP_GE)) if float(mean.max()) > _WHITE / 2 else _NONE
    squared = cv2.accumulateSquare(down, cv2.multiply(across, across))
    return Looked(small, across, down, mean, by_part(squared), _detail(full) if before is None else before.detail, dark, white)


def _filled(flags: npt.NDArray[Any]) -> Floats:
    return np.asarray(by_part(flags) / 255, np.float32)


def _detail(full: Bytes) -> Floats:
    rows, columns = full.shape
    while columns > _DETAIL_WIDTH:
        rows, columns = max(1, rows // 2), columns // 2
    # Smoothed a little, so that the sensor's noise is no detail.
    laplacian = cv2.Laplacian(cv2.GaussianBlur(shrunk(full, columns, rows), (3, 3), 0), cv2.CV_32F, ksize=1)
    # In place: a second buffer of this size costs more in page faults than all the rest.
    return by_part(cv2.multiply(laplacian, laplacian, laplacian))


def ranked(values: npt.NDArray[Any], part: float) -> float:
    """The value that `part` of all others are below; there must be one."""
    place = min(values.size - 1, int(part * values.size))
    return float(np.partition(values, place)[place])


def share(flags: Flags, among: Flags, without: float = 0.0) -> float:
    """Share of the parts in `among` for which `flags` hold; `without` any such part."""
    count = int(np.count_nonzero(among))
    return int(np.count_nonzero(flags & among)) / count if count else without
