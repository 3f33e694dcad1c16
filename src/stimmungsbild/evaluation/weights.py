"""Raking to margins with trimming, and replicate weights of a stratified jackknife.

Deming and Stephan, Annals of Mathematical Statistics 11, 1940; Lumley, Complex Surveys, 2010, 7.2 and 2.3 (JKn). Every replicate is
raked anew, so the variance knows of the raking.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from stimmungsbild.errors import MarginsError
from stimmungsbild.evaluation.model import Floats, Weights, Whole

MOST_ITERATIONS = 500
CLOSE = 1e-10
# Bounds of a weight beside their mean, and how near to its target a margin must be for the raking to count as converged.
LOWEST, HIGHEST = 0.2, 5.0
NEAR = 0.001
# Two margins count the same people; their sums may differ by this part (people moved while the register was read).
SAME_PEOPLE = 0.005
GROUPS = 10
_TRIMS = 50
Margins = Mapping[str, Mapping[str, float]]


def coded(values: Mapping[str, Sequence[str]], margins: Margins) -> tuple[list[Whole], list[Floats]]:
    """For each margin the category of each person, and the target share of each category.

    `values` has each person's value by margin. A category `a+b` of the register stands for both. Raises `MarginsError` for what does
    not fit: sums, values without a category, categories that nobody answered from.
    """
    sums = {name: sum(people.values()) for name, people in margins.items()}
    if min(sums.values()) <= 0 or max(sums.values()) > min(sums.values()) * (1 + SAME_PEOPLE):
        raise MarginsError("the margins do not count the same people: " + ", ".join(f"{name} {many:.0f}" for name, many in sums.items()))
    categories, targets = [], []
    for name, people in margins.items():
        known = [(one, many) for one, many in people.items() if many > 0]
        where = {value: at for at, (one, _) in enumerate(known) for value in one.split("+")}
        lost = sorted(set(values[name]) - where.keys())
        if lost:
            raise MarginsError(f"the register has no people for {name}: {', '.join(lost)}")
        found = np.array([where[value] for value in values[name]], dtype=np.int64)
        empty = [one for at, (one, _) in enumerate(known) if not (found == at).any()]
        if empty:
            raise MarginsError(f"nobody answered from {name}: {', '.join(empty)}; join it with another in the margins, as in “a+b”")
        categories.append(found)
        targets.append(np.array([many for _, many in known]) / sums[name])
    return categories, targets


def _pairs(categories: Sequence[Whole], targets: Sequence[Floats]) -> list[tuple[Whole, Floats]]:
    return list(zip(categories, targets, strict=True))


def _raked(start: Floats, categories: Sequence[Whole], targets: Sequence[Floats]) -> tuple[Floats, int]:
    """`start` (n x R), each column raked so that its shares meet the targets and its sum is n. Every category has somebody in it."""
    weights, n = start.copy(), start.shape[0]
    # People in the order of their category, and where each category begins: sums without a product of large matrices.
    sorts = [
        (np.argsort(one, kind="stable"), np.searchsorted(np.sort(one), np.arange(len(target))))
        for one, target in _pairs(categories, targets)
    ]
    for number in range(1, MOST_ITERATIONS + 1):
        moved = 0.0
        for (category, target), (order, begins) in zip(_pairs(categories, targets), sorts, strict=True):
            sums = np.add.reduceat(weights[order], begins, axis=0)
            with np.errstate(divide="ignore", invalid="ignore"):
                factors = np.where(sums > 0, target[:, None] * n / sums, 0.0)
            moved = max(moved, float(np.abs(factors[sums > 0] - 1).max()))
            weights *= factors[category]
        if moved < CLOSE:
            return weights, number
    return weights, MOST_ITERATIONS


def residual(weights: Floats, categories: Sequence[Whole], targets: Sequence[Floats]) -> float:
    """The largest distance of a margin's share from its target."""
    shares = (np.bincount(one, weights, len(target)) / weights.sum() for one, target in zip(categories, targets, strict=True))
    return max(float(np.abs(share - target).max()) for share, target in zip(shares, targets, strict=True))


def _bounded(start: Floats, categories: Sequence[Whole], targets: Sequence[Floats], low: float, high: float) -> tuple[Floats, int]:
    """Raked, cut to the bounds and raked again until both hold, or as near as they come."""
    weights, iterations = _raked(start, categories, targets)
    for _ in range(_TRIMS):
        cut = weights.clip(low, high)
        if np.allclose(cut, weights, atol=1e-9):
            break
        weights, more = _raked(cut, categories, targets)
        iterations += more
    return weights.clip(low, high), iterations


def groups(strata: Whole, below: Callable[[int], int], many: int = GROUPS) -> Whole:
    """A random group for each person within their stratum, as even as it goes; numbered over all strata.

    A stratum of fewer than two people has one group, and no variance of its own.
    """
    found, number = np.zeros(len(strata), dtype=np.int64), 0
    for stratum in np.unique(strata):
        here = np.flatnonzero(strata == stratum)
        for at in range(len(here) - 1, 0, -1):
            other = below(at + 1)
            here[at], here[other] = here[other], here[at]
        size = min(many, len(here))
        found[here] = number + np.arange(len(here)) % size
        number += size
    return found


def weigh(
    design: Floats,
    categories: Sequence[Whole],
    targets: Sequence[Floats],
    strata: Whole,
    group: Whole,
    bounds: tuple[float, float] = (LOWEST, HIGHEST),
) -> Weights:
    """Weights of n people whose design weights are `design`; `strata` and `group` say how the jackknife leaves people out."""
    start = (design / design.mean())[:, None]
    full, iterations = _bounded(start, categories, targets, *bounds)
    columns, scale = [], []
    for stratum in np.unique(strata):
        inside = strata == stratum
        numbers = np.unique(group[inside])
        if len(numbers) < 2:
            continue
        for number in numbers:
            factor = np.where(inside, np.where(group == number, 0.0, len(numbers) / (len(numbers) - 1)), 1.0)
            columns.append(start[:, 0] * factor)
            scale.append((len(numbers) - 1) / len(numbers))
    replicates = _raked(np.array(columns).T, categories, targets)[0] if columns else np.zeros((len(design), 0))
    left = residual(full[:, 0], categories, targets)
    trimmed = int(((full <= bounds[0] + 1e-9) | (full >= bounds[1] - 1e-9)).sum())
    return Weights(full[:, 0], replicates, np.array(scale), iterations, left, trimmed, left < NEAR)
