"""What an attacker compares: from crops (n, 3, 24, 8) to vectors (n, d). None knows anything of the redaction but its look."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Vectors: TypeAlias = npt.NDArray[np.float64]
Crops: TypeAlias = npt.NDArray[np.float32]

_TINY = 1e-6
_BINS = 6
COLOURS = "colours of 12x4 cells"
SIGNLESS = "pattern, light and dark exchanged"


def _cells(crops: Crops) -> Vectors:
    """(n, 3, 12, 4): means of cells."""
    return crops.reshape(len(crops), 3, 12, 2, 4, 2).mean(axis=(3, 5)).astype(np.float64)


def _flat(values: npt.NDArray[np.float64]) -> Vectors:
    return values.reshape(len(values), -1)


def _normed(values: Vectors) -> Vectors:
    """Each row with mean 0 and spread 1; a flat one becomes 0."""
    centred = values - values.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    return np.where(spread > _TINY, centred / np.maximum(spread, _TINY), 0.0)


def _ranks(values: Vectors) -> Vectors:
    return np.argsort(np.argsort(values, axis=1, kind="stable"), axis=1, kind="stable").astype(np.float64)


def _luma(crops: Crops) -> Vectors:
    """(n, 24, 8), each crop normed."""
    return _normed(_flat(crops[:, 0].astype(np.float64))).reshape(len(crops), *crops.shape[2:])


def _edges(crops: Crops) -> Vectors:
    """Where the luma changes, whichever side is the lighter one."""
    luma = _luma(crops)
    return np.concatenate([_flat(np.abs(np.diff(luma, axis=1))), _flat(np.abs(np.diff(luma, axis=2)))], axis=1)


def _gradients(crops: Crops) -> Vectors:
    """Histograms of oriented gradients, six directions, blocks of 6x2 (Dalal and Triggs 2005, unsigned)."""
    luma = crops[:, 0].astype(np.float64)
    down, across = np.gradient(luma, axis=(1, 2))
    size, angle = np.hypot(across, down), (np.arctan2(down, across) % np.pi) / np.pi * _BINS
    blocks = []
    for direction in range(_BINS):
        near = np.clip(1 - np.abs((angle - direction + _BINS / 2) % _BINS - _BINS / 2), 0, 1)
        blocks.append(_flat((size * near).reshape(len(luma), 4, 6, 4, 2).sum(axis=(2, 4))))
    found = np.concatenate(blocks, axis=1)
    return found / (np.linalg.norm(found, axis=1, keepdims=True) + _TINY)


def _whitened(crops: Crops) -> Vectors:
    """Colours of cells by their principal components, each as important as the others."""
    cells = _flat(_cells(crops))
    centred = cells - cells.mean(axis=0)
    _, spread, axes = np.linalg.svd(centred, full_matrices=False)
    kept = spread > max(_TINY, 0.02 * float(spread[0]))
    return (centred @ axes[kept].T) / spread[kept] * np.sqrt(len(crops))


FEATURES: dict[str, Callable[[Crops], Vectors]] = {
    COLOURS: lambda crops: _flat(_cells(crops)),
    "chroma of 12x4 cells": lambda crops: _flat(_cells(crops)[:, 1:]),
    "mean colour": lambda crops: _flat(crops.mean(axis=(2, 3)).astype(np.float64)),
    "colours, whitened": _whitened,
    "luma of 12x4 cells": lambda crops: _flat(_cells(crops)[:, 0]),
    "luma, sorted": lambda crops: np.sort(_flat(crops[:, 0].astype(np.float64)), axis=1)[:, ::8],
    "pattern of 12x4 cells": lambda crops: _normed(_flat(_cells(crops)[:, 0])),
    "pattern of 24x8 cells": lambda crops: _flat(_luma(crops)),
    SIGNLESS: lambda crops: _normed(_flat(_cells(crops)[:, 0])),
    "pattern, ranked": lambda crops: _ranks(_flat(_cells(crops)[:, 0])),
    "rows": lambda crops: _normed(crops[:, 0].mean(axis=2).astype(np.float64)),
    "edges": _edges,
    "edges of rows": lambda crops: np.abs(np.diff(_normed(crops[:, 0].mean(axis=2).astype(np.float64)), axis=1)),
    "gradients": _gradients,
}


def distances(feature: str, queries: Vectors, gallery: Vectors) -> Vectors:
    """(queries, gallery): how unlike they are."""
    if feature == SIGNLESS:
        return -np.abs(queries @ gallery.T)
    squares = (queries**2).sum(axis=1)[:, None] + (gallery**2).sum(axis=1)[None] - 2 * queries @ gallery.T
    return np.sqrt(np.maximum(0.0, squares))
