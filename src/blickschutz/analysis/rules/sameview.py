"""Whether two streams of a camera show the same part of the world: what was learned of one proves nothing of the other else.

The fine structure of both (each pixel less the mean around it) is compared field by field on the scale on which background is
known. Brightness, contrast and sharpness may differ, as encoders make them; place may not: a cut or shifted picture has another
structure in nearly every field (normalised cross-correlation, Lewis 1995).
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.analysis.rules.proof import small_picture
from blickschutz.kernel.frames import RawFrame

Bytes: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]

FIELDS = 6
# Mean of the squared structure (steps of luma) below which a field is as good as even, and the share of it that must be known.
_LEAST_POWER, _LEAST_KNOWN = 4.0, 0.5
# In so many fields there must be something to compare, and in such a share of them both must agree: people stand before the others.
_LEAST_FIELDS, _LEAST_SHARE = 6, 0.6
_LEAST_LIKENESS = 0.5
_AROUND = 9
# The scale on which background is known of a picture of 16:9.
_SCALE = 108, 192


def show_the_same(small: RawFrame, large: RawFrame) -> bool:
    """Whether a picture of each stream shows the same view; False where there is too little structure to tell."""
    place, picture = (np.ascontiguousarray(small_picture(one, *_SCALE)[..., 0]) for one in (small, large))
    return is_same_view(place, np.full_like(place, 255), picture)


def is_same_view(place: Bytes, known: Bytes, picture: Bytes) -> bool:
    """Whether `picture` shows what `place` shows (luma, both (rows, columns)), judged by what is `known` (not 0) of it.

    False also where there is too little structure to tell.
    """
    ours, theirs = _structure(place), _structure(picture)
    counts = (known != 0).astype(np.float32)
    together = _fields(ours * theirs * counts)
    own, other, share = _fields(ours * ours * counts), _fields(theirs * theirs * counts), _fields(counts)
    telling = (share >= _LEAST_KNOWN) & (own >= _LEAST_POWER * share)
    if np.count_nonzero(telling) < _LEAST_FIELDS:
        return False
    likeness = together / np.sqrt(np.maximum(own * other, 1e-6))
    return bool(np.count_nonzero(likeness[telling] >= _LEAST_LIKENESS) >= _LEAST_SHARE * np.count_nonzero(telling))


def _structure(luma: Bytes) -> Floats:
    plain = luma.astype(np.float32)
    return np.asarray(plain - cv2.blur(plain, (_AROUND, _AROUND)), np.float32)


def _fields(values: Floats) -> Floats:
    """The mean of each of `FIELDS` x `FIELDS` parts."""
    return np.asarray(cv2.resize(values, (FIELDS, FIELDS), interpolation=cv2.INTER_AREA), np.float32)
