"""Read the learned rules that come with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import msgspec
import numpy as np

from blickschutz.kernel.errors import ModelError
from blickschutz.situations.kinds import DECLARED, Kind
from blickschutz.situations.rules.forest import Forest, Learned

# What each learned rule looks at now; a file that was learned from other figures is not loaded.
LEARNED = {kind: declared.learned_from for kind, declared in DECLARED.items() if declared.learned_from}


class ForestFile(msgspec.Struct, frozen=True):
    """A forest as JSON: one list for each of its columns, and the names of the features in order."""

    features: list[str]
    depth: int
    roots: list[int]
    feature: list[int]
    threshold: list[float]
    left: list[int]
    right: list[int]
    value: list[float]


def load_learned(folder: Path | None = None) -> Learned:
    """Those of the package, or of `folder`. Raises `ModelError` where one is missing or damaged."""
    place = folder if folder is not None else resources.files(__package__)
    return Learned({kind: _read((place / f"{kind.value}.json").read_bytes(), kind) for kind in LEARNED})


def _read(data: bytes, kind: Kind) -> Forest:
    try:
        file = msgspec.json.decode(data, type=ForestFile)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ModelError(f"the learned rule for {kind} is damaged: {error}") from error
    if tuple(file.features) != LEARNED[kind]:
        raise ModelError(f"the learned rule for {kind} was learned from other figures; run `python -m scripts.train` anew")
    places = (np.array(column, np.intp) for column in (file.roots, file.feature, file.left, file.right))
    roots, feature, left, right = places
    return Forest(roots, feature, np.array(file.threshold, np.float32), left, right, np.array(file.value, np.float32), file.depth)
