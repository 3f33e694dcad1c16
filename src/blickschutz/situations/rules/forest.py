"""A learned rule as plain numbers: the mean over decision trees (Geurts et al. 2006, "Extremely randomized trees")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blickschutz.kernel.errors import ModelError

Floats: TypeAlias = npt.NDArray[np.float32]
Places: TypeAlias = npt.NDArray[np.intp]

_UNKNOWN = -1.0


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """All trees in one row of nodes. Node i asks whether feature `feature[i]` is at most `threshold[i]`, and goes on at
    `left[i]` or else at `right[i]`; a leaf goes on at itself and says `value[i]`, 0 to 1. `roots` are the first nodes.
    """

    roots: Places
    feature: Places
    threshold: Floats
    left: Places
    right: Places
    value: Floats
    depth: int

    def score(self, features: Floats) -> float:
        """The mean of what the trees say of one row of features."""
        node = self.roots
        for _ in range(self.depth):
            node = np.where(features[self.feature[node]] <= self.threshold[node], self.left[node], self.right[node])
        return float(self.value[node].mean())


def summary(rows: Sequence[Sequence[float]]) -> Floats:
    """Of every column the greatest, the mean and the least; -1 where nothing of it was measured (NaN)."""
    figures = np.array(rows, np.float32)
    known = ~np.isnan(figures)
    count = known.sum(axis=0)
    greatest = np.where(known, figures, -np.inf).max(axis=0)
    least = np.where(known, figures, np.inf).min(axis=0)
    mean = np.where(known, figures, 0).sum(axis=0) / np.maximum(count, 1)
    return np.concatenate([np.where(count > 0, part, _UNKNOWN) for part in (greatest, mean, least)]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Learned:
    """The learned rules by kind, each under its name in files; `missing` says why there are none."""

    forests: Mapping[str, Forest] = field(default_factory=dict)
    missing: str = "no learned rules were loaded"

    def of(self, kind: str) -> Forest:
        """By the name of the kind. Raises `ModelError` where the kind is not available, so that it is shown as a fault of its rule."""
        if kind not in self.forests:
            raise ModelError(f"{kind} is not available: {self.missing}")
        return self.forests[kind]
