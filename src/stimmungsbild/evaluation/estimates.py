"""Shares with intervals, from weights of the register door alone."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from stimmungsbild.evaluation.model import Estimate, Weights

# 95 % of a normal distribution lie within so many standard errors.
_WIDE = 1.959964
# Under so many answers no share is printed.
FEWEST = 30


def share(weights: Weights, has: NDArray[np.bool_], base: NDArray[np.bool_]) -> Estimate | None:
    """The share of `has` among `base`; None where fewer than `FEWEST` are in the base.

    The interval is symmetric in log odds, so it stays within 0 and 1. Nobody, or everybody: that of the rule of three.
    """
    many = int(base.sum())
    if many < FEWEST:
        return None
    both = has & base
    total = weights.full[base].sum()
    p = float(weights.full[both].sum() / total)
    n_eff = float(total**2 / (weights.full[base] ** 2).sum())
    if p in {0.0, 1.0}:
        return Estimate(p, max(0.0, p - 3 / n_eff), min(1.0, p + 3 / n_eff), many)
    sums = weights.replicates[base].sum(axis=0)
    found = weights.replicates[both].sum(axis=0) / np.where(sums > 0, sums, np.nan)
    error = math.sqrt(float(np.nansum(weights.scale * (found - p) ** 2)))
    odds, wide = math.log(p / (1 - p)), _WIDE * error / (p * (1 - p))
    return Estimate(p, 1 / (1 + math.exp(wide - odds)), 1 / (1 + math.exp(-wide - odds)), many)
