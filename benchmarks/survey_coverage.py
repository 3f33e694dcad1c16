"""How often a 95 % interval of the letters holds the truth, over many simulated towns; and the open door's share beside it.

    python -m benchmarks.survey_coverage [--towns 1000] [--seed 1] [--json]

Each town is drawn anew: people by district, age and sex, who feel unsafe by chance and by these. Whoever lives in the third district,
or is young, answers a letter less often; at the open door the annoyed come, and are weighted like the letters.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from numpy.typing import NDArray

from stimmungsbild.evaluation.estimates import share
from stimmungsbild.evaluation.weights import coded, groups, weigh

PEOPLE = 20_000
_SHARES = {"district": [0.5, 0.3, 0.2], "age": [0.4, 0.6], "sex": [0.51, 0.49]}
_NAMES = {"district": ["a", "b", "c"], "age": ["young", "old"], "sex": ["f", "m"]}


def measured(towns: int, seed: int) -> dict[str, float]:
    """Over so many towns, in per cent: how often the interval held, its mean width; how far the open door's share was off, in points."""
    chance = np.random.default_rng(seed)
    held, wide, off, naive = 0, 0.0, 0.0, 0
    for _ in range(towns):
        values = {name: chance.choice(_NAMES[name], PEOPLE, p=shares) for name, shares in _SHARES.items()}
        annoyed = chance.normal(size=PEOPLE)
        old, far = values["age"] == "old", values["district"] == "c"
        unsafe = chance.random(PEOPLE) < (0.2 + 0.3 * far + 0.2 * old + 0.08 * annoyed).clip(0, 1)
        margins = {name: {one: float((column == one).sum()) for one in _NAMES[name]} for name, column in values.items()}
        letters = np.flatnonzero(chance.random(PEOPLE) < 0.05 + 0.03 * old - 0.02 * far)
        pull = np.exp(0.7 * annoyed)
        came = chance.choice(PEOPLE, 1000, replace=False, p=pull / pull.sum())
        one = _share(values, margins, unsafe, letters, chance)
        other = _share(values, margins, unsafe, came, chance)
        truth = float(unsafe.mean())
        held += one[1] <= truth <= one[2]
        naive += other[1] <= truth <= other[2]
        wide += one[2] - one[1]
        off += other[0] - truth
    return {
        "towns": towns,
        "held_percent": round(100 * held / towns, 1),
        "mean_width_points": round(100 * wide / towns, 2),
        "open_door_off_points": round(100 * off / towns, 1),
        "open_door_would_hold_percent": round(100 * naive / towns, 1),
    }


def _share(
    values: dict[str, NDArray[np.str_]],
    margins: dict[str, dict[str, float]],
    unsafe: NDArray[np.bool_],
    here: NDArray[np.int64],
    chance: np.random.Generator,
) -> tuple[float, float, float]:
    categories, targets = coded({name: column[here].tolist() for name, column in values.items()}, margins)
    weights = weigh(np.ones(len(here)), categories, targets, categories[0], groups(categories[0], chance.integers))
    found = share(weights, unsafe[here], np.ones(len(here), dtype=bool))
    assert found is not None
    return found.share, found.low, found.high


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--towns", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measured(given.towns, given.seed)
    print(json.dumps(found) if given.json else "\n".join(f"{name:28} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
