"""What each part of a picture says of the camera, and what the parts together are evidence for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.analysis.rules.view_known import Compared
from blickschutz.analysis.rules.view_parts import Flags, Looked, ranked, share
from blickschutz.kernel.scene import Cause

Evidence: TypeAlias = Mapping[Cause, float]
Told: TypeAlias = npt.NDArray[np.uint8]

# What a part can tell, as planes of one array (6, 6, 8).
COVERED, BLURRED, BLACK, WHITE, MOVED, LOST = range(6)

_SAME, _UNMOVED = 0.4, 0.75
_FLAT, _FADED = 0.35, 0.2
_BLURRED = 0.4
_ALL_OF_A_PART, _MOST_OF_A_PART = 0.9, 0.6
_LIT, _BLACK, _BRIGHT = 24.0, 16.0, 200.0
_WASHED_OUT, _LIGHTER, _HALO, _HALO_SHARE = 190.0, 1.3, 1.1, 0.5
_NEIGHBOURS = np.ones((3, 3), np.uint8)
_LEAST_PARTS, _LEAST_LIT_PARTS = 6, 24
# Shares of the view at which the evidence is one half.
_COVERED, _BLINDED, _DARKENED, _LOST = 0.35, 0.06, 0.5, 0.5
# Before a camera that moves in somebody's hand an empty ground looks like a cover sooner.
_SWAYING = 1.4
# The share that is still in its place at which a view is half known to have moved; with twice as much it has not.
_STILL_IN_PLACE = 0.15


def told_by(seen: Looked, compared: Compared) -> Told:
    """What every part tells: (6, 6, 8), 1 where it is so."""
    usual = compared.usual_mean
    flat = (compared.likeness < _SAME) & (compared.energy < _FLAT)
    faded = (compared.energy < (_FADED * compared.lighter) ** 2) & (seen.mean >= _BLACK)
    covered = flat | faded
    blurred = (compared.likeness >= _SAME) & (compared.sharpness < _BLURRED) & ~covered
    black = (usual >= _LIT) & (seen.dark >= _ALL_OF_A_PART)
    white = _glare(seen, compared, covered)
    moved = compared.likeness < _UNMOVED * compared.usual_likeness
    return np.stack([covered, blurred, black, white, moved, compared.likeness < _SAME]).astype(np.uint8)


def _glare(seen: Looked, compared: Compared, covered: Flags) -> Flags:
    """Where a light shines into the lens: white or washed out, with a halo around.

    White that more light or a longer exposure alone makes of a bright wall is none, a torch makes it of the ground; and a
    white van has no halo.
    """
    gain = _gain(compared)
    lighter = compared.lighter >= _HALO * gain
    washed_out = covered & (seen.mean >= _WASHED_OUT) & (compared.lighter >= _LIGHTER * gain)
    white = ((seen.white >= _MOST_OF_A_PART) | washed_out) & (compared.usual_mean * gain < _BRIGHT)
    around = (cv2.dilate(white.astype(np.uint8), _NEIGHBOURS) != 0) & ~white
    return white if share(lighter, around, 1.0) >= _HALO_SHARE else np.zeros_like(white)


def _gain(compared: Compared) -> float:
    """How much lighter the whole picture is: by so much or more are nine tenths of its parts."""
    lit = compared.usual_mean >= _LIT
    return max(1.0, ranked(compared.lighter[lit], 0.1)) if lit.any() else 1.0


def evidence(told: Told, compared: Compared, *, drifts: bool, sways: bool) -> Evidence:
    """The evidence for each cause, each 0..1. Of a camera that `drifts` it is not said that it was moved; where it `sways` at
    this moment a cover must hide more.
    """
    judged = compared.judged
    covered, blurred = (told[plane] != 0 for plane in (COVERED, BLURRED))
    lit = compared.usual_mean >= _LIT
    enough = int(np.count_nonzero(judged)) >= _LEAST_PARTS
    gone = _half(share(covered | blurred, judged), _COVERED * (_SWAYING if sways else 1.0)) if enough else 0.0
    sharp = _count(covered & judged) >= _count(blurred & judged)
    in_place = 1 - share(told[MOVED] != 0, judged)
    moved = min(1 - in_place / (2 * _STILL_IN_PLACE), _half(share(told[LOST] != 0, judged), _LOST))
    return {
        Cause.DARK: _half(share(told[BLACK] != 0, lit), _DARKENED) if _count(lit) >= _LEAST_LIT_PARTS else 0.0,
        Cause.BLINDED: _half(_count(told[WHITE] != 0) / judged.size, _BLINDED),
        Cause.COVERED: gone if sharp else 0.0,
        Cause.DEFOCUSED: 0.0 if sharp else gone,
        Cause.MOVED: max(0.0, moved) if enough and not drifts else 0.0,
    }


def _count(flags: Flags) -> int:
    return int(np.count_nonzero(flags))


def _half(part: float, at_half: float) -> float:
    """A share as evidence: one half at `at_half`, one at twice as much."""
    return min(1.0, part / (2 * at_half))
