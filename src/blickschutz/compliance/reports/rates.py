"""Rates of offences and how they changed, with intervals: Poisson model with offset, and the simple ratio. Never stated as cause."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054
_MOST_STEPS, _DONE = 100, 1e-12
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of rates and its 95 % confidence interval. `high` is infinite, and `value` NaN, where nothing was counted before."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Cell:
    """Offences at one place in one period, and how much there was of what they are set against (days, opening days, visitors)."""

    place: str
    watched: bool
    after: bool
    offences: int
    exposure: float


@dataclass(frozen=True, slots=True)
class Change:
    """The change in the watched area by that in the comparison area. `dispersion` is Pearson's chi-square by its degrees of freedom, NaN
    where there are none; much above 1 the interval is too narrow."""

    ratio: Ratio
    dispersion: float


def ratio(after: int, exposure_after: float, before: int, exposure_before: float) -> Ratio:
    """Rate after by rate before. Given their sum the counts are binomial (Przyborowski and Wilenski 1940); the interval of the
    share is Wilson's (1927), so that it holds with few and with no offences too.
    """
    total, exposure = after + before, exposure_after / exposure_before
    if total == 0:
        return Ratio(math.nan, 0.0, math.inf)
    share = after / total
    middle = share + Z95**2 / (2 * total)
    spread = Z95 * math.sqrt(share * (1 - share) / total + Z95**2 / (4 * total**2))
    low, high = ((middle + sign * spread) / (1 + Z95**2 / total) for sign in (-1, 1))
    value = math.inf if before == 0 else (after / before) / exposure
    return Ratio(value, _odds(max(0.0, low)) / exposure, _odds(min(1.0, high)) / exposure)


def _odds(share: float) -> float:
    return math.inf if share >= 1 else share / (1 - share)


def change(cells: Sequence[Cell]) -> Change | None:
    """The ratio of ratios: log rate = place + after + after in the watched area, by maximum likelihood (McCullagh and Nelder 1989),
    with Wald's interval, as R's `glm(offences ~ place + after + after:watched, poisson, offset = log(exposure))` has them.

    None where one of the four sums is nought or missing: then nothing can be said.
    """
    sums = {(watched, after): 0 for watched in (True, False) for after in (True, False)}
    for one in cells:
        sums[one.watched, one.after] += one.offences
    if 0 in sums.values():
        return None
    # A place where nothing was ever counted says nothing of a change.
    counted = {one.place for one in cells if one.offences}
    used = [one for one in cells if one.place in counted]
    places = sorted(counted)
    design = np.zeros((len(used), len(places) + 2))
    for row, one in enumerate(used):
        design[row, places.index(one.place)] = 1.0
        design[row, -2] = float(one.after)
        design[row, -1] = float(one.after and one.watched)
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    counts = np.array([one.offences for one in used], dtype=np.float64)
    offset = np.log(np.array([one.exposure for one in used], dtype=np.float64))
    fitted = _fit(design, counts, offset)
    if fitted is None:
        return None
    coefficients, covariance, expected = fitted
    value, spread = float(coefficients[-1]), Z95 * math.sqrt(float(covariance[-1, -1]))
    free = design.shape[0] - design.shape[1]
    dispersion = float(np.sum((counts - expected) ** 2 / expected)) / free if free else math.nan
    return Change(Ratio(math.exp(value), math.exp(value - spread), math.exp(value + spread)), dispersion)


def _fit(design: _Floats, counts: _Floats, offset: _Floats) -> tuple[_Floats, _Floats, _Floats] | None:
    """Coefficients, their covariance and the expected counts, by iteratively reweighted least squares; None where it does not settle."""
    expected = counts + 0.1
    deviance = math.inf
    # Where every cell has a parameter of its own the deviance is nought, and what is computed is the rounding of its terms.
    rounding = 64 * float(np.finfo(np.float64).eps) * float(counts.sum())
    for _ in range(_MOST_STEPS):
        linear = np.log(expected) - offset
        working = linear + (counts - expected) / expected
        information = design.T @ (expected[:, None] * design)
        coefficients = np.linalg.solve(information, design.T @ (expected * working))
        expected = np.exp(design @ coefficients + offset)
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(counts > 0, counts * np.log(counts / expected), 0.0)
        now = float(2 * np.sum(terms - (counts - expected)))
        if not math.isfinite(now):
            return None
        if abs(now - deviance) <= max(_DONE * (abs(now) + 0.1), rounding):
            covariance = np.linalg.inv(design.T @ (expected[:, None] * design))
            return coefficients.astype(np.float64), covariance.astype(np.float64), expected
        deviance = now
    return None
