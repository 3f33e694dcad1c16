"""Whether the camera still sees what it saw: edges of now against edges of the long-term picture, part by part.

Brightness may change by day and night; edges stay where they are as long as nobody covers, moves, blinds or
defocuses the camera (IEC 62676-1-1 asks for an alarm in these four cases).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.scene import View

Bytes: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]

_PARTS = (6, 8)
_LEAST_EDGE = 60.0
_AGREES = 0.35
_EVERY_S = 1.0
_RENEW_S = 60.0
_RENEW_SHARE = 0.05
_STEADY_AGREEMENT = 0.6
_ACCEPT_S = 900.0
_LEAST_PARTS = 4
_NO_SPREAD = 1e-6


class ViewWatch:
    """Keeps the long-term edges of one camera. `look` once per analysed picture; it works once a second."""

    def __init__(self) -> None:
        self._edges: Floats | None = None
        self._sharpness = 0.0
        self._looked_at = self._renewed_at = self._agreed_at = -np.inf
        self._view: View | None = None

    def look(self, luma: Bytes, steady: bool, at: float) -> View | None:
        """Compare `luma` (small picture) of time `at`; learn the long-term picture while the background is `steady`."""
        if at - self._looked_at < _EVERY_S:
            return self._view
        self._looked_at = at
        edges = _edges(luma)
        mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(luma))
        if self._edges is None:
            if steady:
                self._edges, self._sharpness, self._renewed_at = edges, float(edges.mean()), at
            return None
        agreement = _agreement(self._edges, edges)
        sharpness = float(edges.mean()) / max(1e-3, self._sharpness)
        self._view = View(agreement, sharpness, mean, deviation)
        self._agreed_at = at if agreement >= _STEADY_AGREEMENT else max(self._agreed_at, self._renewed_at)
        if steady and at - self._agreed_at >= _ACCEPT_S:
            # Nobody put the camera back: what it sees now is its view from here on.
            self._edges, self._sharpness, self._renewed_at = edges, float(edges.mean()), at
        elif steady and agreement >= _STEADY_AGREEMENT and at - self._renewed_at >= _RENEW_S:
            # Shadows wander: what still agrees follows slowly.
            self._edges = np.asarray((1 - _RENEW_SHARE) * self._edges + _RENEW_SHARE * edges, np.float32)
            self._sharpness, self._renewed_at = float(self._edges.mean()), at
        return self._view


def _edges(luma: Bytes) -> Floats:
    smooth = cv2.GaussianBlur(luma, (3, 3), 0)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, dx, dy) for dx, dy in ((1, 0), (0, 1)))
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _agreement(known: Floats, now: Floats) -> float:
    """Share of the parts with edges in which both edge pictures correlate."""
    if known.shape[0] < _PARTS[0] or known.shape[1] < _PARTS[1]:
        return 1.0
    judged = _by_part(np.maximum, known) >= _LEAST_EDGE
    count = int(np.count_nonzero(judged))
    if count < _LEAST_PARTS:
        return 1.0
    first, second = known.astype(np.float64), now.astype(np.float64)
    size = _by_part(np.add, np.ones_like(first))
    mean_first, mean_second = _by_part(np.add, first) / size, _by_part(np.add, second) / size
    together = _by_part(np.add, first * second) / size - mean_first * mean_second
    spread_first = _by_part(np.add, first * first) / size - mean_first**2
    spread_second = _by_part(np.add, second * second) / size - mean_second**2
    spread = np.sqrt(np.maximum(spread_first, 0) * np.maximum(spread_second, 0))
    return int(np.count_nonzero(judged & (spread > _NO_SPREAD) & (together >= _AGREES * spread))) / count


def _by_part(fold: np.ufunc, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """`fold` over each of the picture's parts."""
    starts = [np.arange(parts) * side // parts for parts, side in zip(_PARTS, values.shape, strict=True)]
    return np.asarray(fold.reduceat(fold.reduceat(values, starts[0], axis=0), starts[1], axis=1), np.float64)
