"""What one camera's pictures are worth at this hour: their contrast, and their noise at each level of brightness.

In the dark somebody differs from what is behind them by a few steps only, and a sensor that turns up its gain differs from
itself by as many. So what counts as the same follows both: the contrast that there is, and the noise that is measured.

Sources: noise as a function of brightness (Liu et al. 2008, "Automatic estimation and removal of noise from a single
image"), here from two pictures and by a quantile, so that whatever moves in less than a good part of them does not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.scene import LEVELS, Levels

Bytes: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float64]

_SHIFT = 4
_STEPS = 32
_EVERY_S = 1.0
_KEPT = 0.8
_LEAST_CELLS = 60
_MOST_TIMES = 2.0
_QUANTILE = 0.7
# The quantile above of the difference of two normally distributed values with a standard deviation of one.
_NORMAL = 1.0364 * 2**0.5
_LOW, _HIGH = 0.02, 0.98
_GREY, _BLACK, _WHITE = 128, 16, 235
# A picture with less than this share of the usual contrast is stretched before people are looked for in it.
_FAINT = 0.6


@dataclass(frozen=True, slots=True)
class SensorSettings:
    """Steps of 8-bit video. With `full_contrast` between the darkest and the brightest of a place `luma` and `chroma` are
    what may differ, with less of it accordingly less, but never less than `least` nor than `deviations` of the noise,
    and never more than `most_luma` and `most_chroma`; a picture differs from the one before from `motion` on.
    """

    full_contrast: float = 125.0
    luma: float = 11.0
    chroma: float = 7.0
    motion: float = 9.0
    least: float = 2.0
    deviations: float = 3.5
    most_luma: float = 16.0
    most_chroma: float = 10.0
    most_motion: float = 20.0


class Sensor:
    """Follows contrast and noise of one camera; asked once a second. Starts with the contrast of the first picture, without noise."""

    def __init__(self, settings: SensorSettings | None = None) -> None:
        self._settings = settings or SensorSettings()
        self._counts = np.zeros((2, LEVELS, _STEPS))
        self._noise, self._overall = np.zeros((2, LEVELS)), 0.0
        self._range = 0.0, 255.0
        self._looked_at = -np.inf
        self._update()

    @property
    def contrast(self) -> float:
        """Share of the usual contrast, 0 to 1."""
        return min(1.0, (self._range[1] - self._range[0]) / self._settings.full_contrast)

    @property
    def noise(self) -> float:
        """Standard deviation of the luma of a pixel of the small picture, over all levels of brightness."""
        return self._overall

    def look(self, picture: Bytes, before: Bytes | None, at: float) -> None:
        """Take the small picture (h, w, 3) of time `at` and the one `before` it, both levelled."""
        if at - self._looked_at < _EVERY_S:
            return
        self._looked_at = at
        luma = picture[..., 0]
        shares = np.cumsum(np.bincount(luma[::2, ::2].ravel(), minlength=256)) / luma[::2, ::2].size
        self._range = float(np.searchsorted(shares, _LOW)), float(np.searchsorted(shares, _HIGH))
        if before is not None:
            change = np.minimum(cv2.absdiff(picture, before), _STEPS - 1)
            level = (luma >> _SHIFT).astype(np.int32).ravel() * _STEPS
            planes = change[..., 0].ravel(), np.maximum(change[..., 1], change[..., 2]).ravel()
            now = [np.bincount(level + plane, minlength=LEVELS * _STEPS).reshape(LEVELS, _STEPS) for plane in planes]
            self._counts = _KEPT * self._counts + now
            overall = _deviation(self._counts.sum(axis=1, keepdims=True))
            self._overall = float(overall[0, 0])
            # A level that is hardly there is often that of something which moves.
            self._noise = np.minimum(_deviation(self._counts), _MOST_TIMES * overall)
        self._update()

    def _update(self) -> None:
        s, share = self._settings, self.contrast
        noise = s.deviations * self._noise
        luma, chroma = (np.maximum(noise[plane], base * share) for plane, base in ((0, s.luma), (1, s.chroma)))
        self.levels = Levels(_steps(luma, s.least, s.most_luma), _steps(chroma, s.least, s.most_chroma))
        moved = np.maximum(2**0.5 * noise[0], s.motion * share)
        self._motion = np.repeat(np.clip(moved, s.least, s.most_motion), 256 // LEVELS).astype(np.uint8)

    def moved(self, change: Bytes, luma: Bytes) -> Bytes:
        """255 where a `change` of the luma is more than noise; both (h, w)."""
        return np.asarray(cv2.compare(change, cv2.LUT(luma, self._motion), cv2.CMP_GT), np.uint8)

    def clearer(self, frame: RawFrame) -> RawFrame:
        """`frame` with the contrast of a picture by day, for a detector that knows those; itself where it has contrast enough."""
        if self.contrast >= _FAINT:
            return frame
        low, high = self._range
        gain = (_WHITE - _BLACK) / max(1.0, high - low)
        y = cv2.LUT(frame.y, _line(gain, low, _BLACK))
        u, v = (cv2.LUT(plane, _line(gain, _GREY, _GREY)) for plane in (frame.u, frame.v))
        return RawFrame(
            np.asarray(y, np.uint8), np.asarray(u, np.uint8), np.asarray(v, np.uint8), frame.index, frame.at, frame.taken, frame.pts
        )


def _line(gain: float, zero: float, value: float) -> Bytes:
    """A table that takes `zero` to `value` and stretches what lies around it."""
    return np.asarray(np.clip((np.arange(256) - zero) * gain + value, 0, 255), np.uint8)


def _steps(values: Floats, least: float, most: float) -> tuple[int, ...]:
    return tuple(int(value) for value in np.floor(np.clip(values, least, most)))


def _deviation(counts: Floats) -> Floats:
    """Standard deviations (2, levels) from `counts` (2, levels, steps) of differences between two pictures.

    Levels that are hardly there have those of their neighbours.
    """
    wide = counts.copy()
    wide[:, 1:] += counts[:, :-1]
    wide[:, :-1] += counts[:, 1:]
    few = wide.sum(axis=2) < _LEAST_CELLS
    wide[few] = counts.sum(axis=1)[np.nonzero(few)[0]]
    total = wide.sum(axis=2, keepdims=True)
    shares = np.cumsum(wide, axis=2) / np.maximum(total, 1)
    place = np.minimum((shares < _QUANTILE).sum(axis=2), _STEPS - 1)
    upper = np.take_along_axis(shares, place[..., None], axis=2)[..., 0]
    lower = np.where(place > 0, np.take_along_axis(shares, np.maximum(place - 1, 0)[..., None], axis=2)[..., 0], 0)
    # A difference of n steps stands for all between n - 1/2 and n + 1/2; none for all below 1/2.
    begin, width = np.maximum(place - 0.5, 0.0), np.where(place > 0, 1.0, 0.5)
    quantile = begin + width * (_QUANTILE - lower) / np.maximum(upper - lower, 1e-9)
    return np.asarray(np.where(total[..., 0] > 0, quantile, 0) / _NORMAL, np.float64)
