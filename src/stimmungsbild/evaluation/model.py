"""What the evaluation room knows: opened answers, what was cleaned, weights, estimates, what may be published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from stimmungsbild.collection.model import Answer, Field

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Opened:
    """All answers of a field. `altered`: SHA-256 (hex) of each that did not open.

    `missing`: how many were acknowledged and are not there; negative where more are there than were acknowledged.
    """

    field: Field
    answers: tuple[Answer, ...]
    digests: tuple[str, ...]
    altered: tuple[str, ...]
    missing: int
    letters: Mapping[str, int]


class Cleaned(StrEnum):
    """What was done to an answer, and why."""

    UNKNOWN = "holds what the questionnaire does not know; left out"
    EMPTY = "no question was answered; left out"
    CONTRADICTION = "“none of these” beside something else; “none” taken away"
    NO_MARGIN = "district, age or sex is not known; in no estimate for the town"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the cleaning log."""

    digest: str
    what: Cleaned
    item: str = ""


@dataclass(frozen=True, slots=True)
class Weights:
    """Raked weights of n people (mean 1) and what became of the raking.

    `replicates` (n x R) with `scale` (R) are those of a stratified jackknife (JKn); `residual` is the largest distance of a margin from
    its target, in shares; `trimmed` how many weights stand at a bound.
    """

    full: Floats
    replicates: Floats
    scale: Floats
    iterations: int
    residual: float
    trimmed: int
    converged: bool

    @property
    def deff(self) -> float:
        """Kish's design effect of the weights."""
        return float(len(self.full) * (self.full**2).sum() / self.full.sum() ** 2)

    @property
    def n_eff(self) -> float:
        """How many people of a simple random sample say as much."""
        return len(self.full) / self.deff


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share with its 95 % interval, in 0..1, of the town; `base` people gave an answer."""

    share: float
    low: float
    high: float
    base: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A square of the INSPIRE grid, `size` times 100 m wide; `rest`: without those of its quarters that are shown by themselves.

    Of more than `most` people no more are printed; 0: there is no bound.
    """

    east: int
    north: int
    size: int
    most: int = 0
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Area:
    """What is published of a cell: people as printed. `more`: there may be more of them."""

    cell: Cell
    people: int
    more: bool
