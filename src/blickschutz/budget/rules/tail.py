"""The tail of a camera's evidence: how often peaks reach a score, with what certainty, beyond what was ever seen.

Peaks over threshold (Coles, An Introduction to Statistical Modeling of Extreme Values, 2001, ch. 4): what exceeds a high level comes
as a Poisson process, and its excesses follow a generalised Pareto distribution. Peaks are judged on the scale of log odds, which has
no upper end, so that a score near 1 does not bound the tail by its own notation.

The two parameters are not estimated but weighed: every pair of a fixed grid counts by its likelihood, interval by interval of the
histogram, and by a weak prior that holds the shape near 0 (Martins and Stedinger 2000, Water Resources Research 36: without one a
small sample gives absurd shapes). With the rate's own uncertainty this gives the distribution of the level that keeps a budget; the
bound is a quantile of it (Coles and Tawn 1996, Applied Statistics 45). No optimiser that may fail, and no library of 60 MB for it;
two events give a wide bound, not zero.
"""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blickschutz.budget.model import NEVER, Rate

Floats: TypeAlias = npt.NDArray[np.float64]

# Bins of log odds: 5 % to 99.99 %, whatever floor the rules have.
LOW, WIDTH = math.log(0.05 / 0.95), 0.0625
BINS = math.ceil((math.log(0.9999 / 0.0001) - LOW) / WIDTH)
CONFIDENCE = 0.9
# So many of the highest peaks make the tail; of very many, this share.
_TAIL, _TAIL_SHARE = 40, 0.05
_SHAPES = np.linspace(-0.5, 0.6, 23)
_SCALES = np.geomspace(0.05, 4.0, 32)
_SHAPE_SPREAD = 0.2
_SCALE_MIDDLE, _SCALE_SPREAD = math.log(0.5), 0.7
_RATES = 15
# All other cameras together count as so many peaks of this one: where scales differ by a factor of 1.5 the budget holds in 98 %.
_LIKE = 20.0
_NEGLIGIBLE = 1e-6


def bin_of(score: float) -> int:
    """The bin of a score (0..1)."""
    if not score > 0.0:
        return 0
    if score >= 1.0:
        return BINS - 1
    # A threshold is the edge of a bin; its own rounding must not put it below.
    return min(BINS - 1, max(0, math.floor((math.log(score / (1 - score)) - LOW) / WIDTH + 1e-9)))


def score_of(edge: int) -> float:
    """The score at the lower edge of a bin; `NEVER` beyond the last one."""
    return 1 / (1 + math.exp(-(LOW + edge * WIDTH))) if edge < BINS else NEVER


class Tail:
    """How often the peaks of one camera and kind reach a score. `counts` are peaks by bin (BINS), seen in `days` of observation.

    Below the score `floor` nothing is counted: no threshold lies there. `dispersion` is how much more the counts of days vary than
    chance would have it (1: as chance); by that much less is known. `like` are peaks of other cameras: they say a little of the
    shape, and nothing of how often.
    """

    def __init__(self, counts: Floats, days: float, dispersion: float = 1.0, floor: float = 0.0, like: Floats | None = None) -> None:
        # What a crowd brings together counts as one: so many times less was seen, in so many times less time.
        known = np.asarray(counts, np.float64) / max(1.0, dispersion)
        self._days = max(days, _NEGLIGIBLE) / max(1.0, dispersion)
        self._reach = np.append(np.cumsum(known[::-1])[::-1], 0.0)
        self._floor = bin_of(floor)
        self._level = _level(self._reach * max(1.0, dispersion), self._floor)
        self._start = LOW + self._level * WIDTH
        excess = known[self._level :]
        logs, prior = _grid()
        weight = excess @ logs[: excess.size] + prior
        if like is not None and (others := like[self._level :]).any():
            weight += min(1.0, _LIKE / float(others.sum())) * (others @ logs[: others.size])
        weight = np.exp(weight - weight.max())
        keep = weight > _NEGLIGIBLE
        shapes, scales = _pairs()
        self._shape, self._scale = np.repeat(shapes[keep], _RATES), np.repeat(scales[keep], _RATES)
        self._count = float(excess.sum())
        self._rate = np.tile(_quantiles(self._count + 1.0, _CENTRES), int(keep.sum())) / self._days
        self._weight = np.repeat(weight[keep] / weight[keep].sum(), _RATES) / _RATES

    def threshold(self, per_day: float) -> float:
        """The least score that is reached at most `per_day` times a day, with `CONFIDENCE`; `NEVER` where no score is."""
        if not per_day > 0:
            return NEVER
        if self._highest(self._level) <= per_day:
            # Seen often enough to be counted; nothing has to be continued beyond what was seen.
            edge = next(edge for edge in range(self._floor, self._level + 1) if self._highest(edge) <= per_day)
            return score_of(edge)
        ratio = np.maximum(1.0, self._rate / per_day)
        excess = self._scale * np.where(self._shape == 0.0, np.log(ratio), (ratio**self._shape - 1) / _nonzero(self._shape))
        at = self._start + _quantile(excess, self._weight, CONFIDENCE)
        return score_of(min(BINS, math.ceil((at - LOW) / WIDTH - 1e-9)))

    def rate(self, score: float) -> Rate:
        """How often a day this score is reached."""
        if score > 1.0:
            return Rate(0.0, 0.0, 0.0)
        edge = bin_of(score)
        if edge <= self._level:
            count = float(self._reach[edge])
            low = float(_quantiles(count, np.array([1 - CONFIDENCE]))[0]) / self._days if count else 0.0
            return Rate((count + 0.5) / self._days, low, self._highest(edge))
        survived = _survival((edge - self._level) * WIDTH, self._shape, self._scale)
        share = float((survived * self._weight).sum())
        rates = self._rate * survived
        low = _quantile(rates, self._weight, 1 - CONFIDENCE) * self._count / (self._count + 1)
        return Rate((self._count + 0.5) / self._days * share, low, _quantile(rates, self._weight, CONFIDENCE))

    def _highest(self, edge: int) -> float:
        """The upper bound (Garwood 1936, one-sided) of how often a day the peaks reach a bin, from the count alone."""
        return float(_quantiles(float(self._reach[edge]) + 1.0, np.array([CONFIDENCE]))[0]) / self._days


def dispersion(days: npt.NDArray[np.float64]) -> float:
    """By how much the counts of days (whole days of observation, at least five) vary more than chance: variance over mean."""
    if days.size < 5 or days.mean() <= 0:
        return 1.0
    return max(1.0, float(days.var(ddof=1) / days.mean()))


def _level(reach: Floats, floor: int) -> int:
    """The highest bin that enough peaks reach to say how the tail goes on; the floor where there are few."""
    found = np.flatnonzero(reach[floor:-1] >= max(_TAIL, _TAIL_SHARE * float(reach[floor])))
    return floor + int(found[-1]) if found.size else floor


_CENTRES = (np.arange(_RATES) + 0.5) / _RATES


@cache
def _normal(share: float) -> float:
    return NormalDist().inv_cdf(share)


def _quantiles(shape: float, shares: Floats) -> Floats:
    """Quantiles of the gamma distribution with scale 1 (Wilson and Hilferty 1931; within 2 % from shape 1 on)."""
    z = np.array([_normal(float(share)) for share in shares])
    return np.asarray(shape * np.maximum(0.0, 1 - 1 / (9 * shape) + z / (3 * math.sqrt(shape))) ** 3, np.float64)


def _quantile(values: Floats, weights: Floats, share: float) -> float:
    order = np.argsort(values)
    return float(values[order[min(values.size - 1, int(np.searchsorted(np.cumsum(weights[order]), share)))]])


def _nonzero(shape: Floats) -> Floats:
    return np.where(shape == 0.0, 1.0, shape)


def _survival(excess: float | Floats, shape: Floats, scale: Floats) -> Floats:
    """P(Y > excess) of generalised Pareto distributions."""
    inner = np.maximum(0.0, 1 + shape * excess / scale)
    with np.errstate(divide="ignore"):
        heavy = np.power(inner, -1 / _nonzero(shape), where=inner > 0, out=np.zeros(np.broadcast(inner, shape).shape))
    return np.asarray(np.where(shape == 0.0, np.exp(-excess / scale), heavy), np.float64)


@cache
def _pairs() -> tuple[Floats, Floats]:
    return np.repeat(_SHAPES, _SCALES.size), np.tile(_SCALES, _SHAPES.size)


@cache
def _grid() -> tuple[Floats, Floats]:
    """Log probability of each bin above the level (rows) for each pair (columns), and the pairs' prior."""
    shapes, scales = _pairs()
    shapes = np.where(np.abs(shapes) < 1e-12, 0.0, shapes)
    edges = np.asarray(np.arange(BINS + 1)[:, None] * WIDTH, np.float64)
    survived = _survival(edges, np.broadcast_to(shapes, (BINS + 1, shapes.size)), np.broadcast_to(scales, (BINS + 1, scales.size)))
    with np.errstate(divide="ignore"):
        logs = np.log(np.maximum(survived[:-1] - survived[1:], 1e-30))
    prior = -0.5 * ((shapes / _SHAPE_SPREAD) ** 2 + ((np.log(scales) - _SCALE_MIDDLE) / _SCALE_SPREAD) ** 2)
    return logs, prior
