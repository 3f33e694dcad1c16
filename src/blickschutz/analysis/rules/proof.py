"""Whether a pixel of a picture is background: the comparison of that very picture with what is known of the place.

The only place that makes a `Backdrop`. The camera's cell asks it for each picture that it shows, and whoever redacts
recorded pictures asks it again for each of them, against the background that was sealed with them. So there is no
picture that is shown on the evidence of another one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.analysis.rules.steadying import STILL, Shift, is_beyond, moved_along, put_back, shift_of
from blickschutz.analysis.rules.weather import specks
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.planes import shrunk
from blickschutz.kernel.scene import LEVELS, Backdrop, Background

Bytes: TypeAlias = npt.NDArray[np.uint8]

_DARK, _BRIGHT = 24, 235
_GAIN_STEP = 0.01
# A smaller change than this is within what agrees anyway; in a larger one a pixel that has not moved a quarter of the way
# was not changed by the camera.
_GAIN_NEEDED, _UNMOVED, _UNMOVED_SHARE = 0.05, 0.25, 0.1
# What stands before the whole picture has another pattern than the place (correlation of brightness).
_LEAST_LIKENESS = 0.5
_SLACK_SHARE, _MOST_SLACK, _CHROMA_SLACK = 0.25, 16, 0.5
LEAST_GAIN, MOST_GAIN = 0.7, 1.5


def small_picture(frame: RawFrame, rows: int, columns: int) -> Bytes:
    """`frame` as (rows, columns, 3) in Y, U, V: the scale on which background is known."""
    return np.asarray(cv2.merge([shrunk(plane, columns, rows) for plane in (frame.y, frame.u, frame.v)]), np.uint8)


def levelled(background: Background, picture: Bytes) -> Bytes:
    """`picture` with its luma scaled to the background's exposure.

    Cameras change their gain when somebody in dark clothes walks in. The gain is the median ratio over
    known pixels, so it follows the camera and not a part of the scene; a gain outside the limits is
    not compensated, and then little agrees. Nor is one that a good part of the place does not share: a camera changes
    every pixel, somebody close to it only those before which they stand, be it most of them.
    """
    # Every fourth pixel of every fourth row: two thousand ratios settle a median.
    shown, luma = background.picture[::4, ::4, 0].ravel(), picture[::4, ::4, 0].ravel()
    usable = np.flatnonzero((background.known[::4, ::4].ravel() != 0) & (shown > _DARK) & (luma < _BRIGHT))
    if usable.size <= shown.size // 8:
        return picture
    ratios = luma[usable] / shown[usable].astype(np.float32)
    middle = ratios.size // 2
    gain = float(np.partition(ratios, middle)[middle])
    if abs(gain - 1) < _GAIN_STEP or not LEAST_GAIN <= gain <= MOST_GAIN:
        return picture
    if abs(gain - 1) > _GAIN_NEEDED and not _is_the_cameras(gain, ratios, luma[usable], shown[usable]):
        return picture
    result = picture.copy()
    result[..., 0] = cv2.convertScaleAbs(picture[..., 0], alpha=1 / gain)
    return result


def _is_the_cameras(gain: float, ratios: npt.NDArray[np.floating], luma: Bytes, shown: Bytes) -> bool:
    """Whether a change of brightness is the camera's: no part of the place stayed as it was, and the place is still seen."""
    unmoved = np.count_nonzero(np.abs(ratios - 1) <= _UNMOVED * abs(gain - 1))
    if unmoved > _UNMOVED_SHARE * ratios.size:
        return False
    now, before = (values.astype(np.float64) for values in (luma, shown))
    now, before = now - now.mean(), before - before.mean()
    together, spread = float(now @ before), float(np.sqrt((now @ now) * (before @ before)))
    return spread > 0 and together > _LEAST_LIKENESS * spread


def agreeing(background: Background, picture: Bytes) -> Bytes:
    """255 where `picture` (height, width, 3; uint8; levelled, put back) agrees with the known background, else 0."""
    agrees = _alike(background, picture, background.picture, background.known)
    if background.others is not None:
        agrees = cv2.bitwise_or(agrees, _alike(background, picture, background.others.picture, background.others.known))
    # A single pixel is decided by its neighbours: sensor noise and block edges of the video code.
    agrees = np.asarray(cv2.medianBlur(agrees, 3), np.uint8)
    if background.falls is not None:
        allowed = cv2.bitwise_and(background.falls, background.known)
        agrees = np.asarray(cv2.bitwise_or(agrees, cv2.bitwise_and(specks(cv2.bitwise_not(agrees)), allowed)), np.uint8)
    return agrees


def agreeing_itself(background: Background, picture: Bytes) -> Bytes:
    """As `agreeing`, with the background as it mostly is: neither another state of it nor what falls before it."""
    return agreeing(replace(background, others=None, falls=None), picture)


def _alike(background: Background, picture: Bytes, place: Bytes, known: Bytes) -> Bytes:
    for plane, most in zip(cv2.split(cv2.absdiff(picture, place)), _tolerances(background, place), strict=True):
        known = np.asarray(cv2.bitwise_and(known, cv2.compare(plane, most, cv2.CMP_LE)), np.uint8)
    return known


def _tolerances(background: Background, place: Bytes) -> tuple[Bytes | int, Bytes | int, Bytes | int]:
    """What may differ in Y, U and V: one number, or for each pixel its own."""
    levels = background.levels
    if levels is None:
        return background.tolerance
    known = np.ascontiguousarray(place[..., 0])
    luma, chroma = (_each(known, steps) for steps in (levels.luma, levels.chroma))
    if background.shaky:
        more = slack(known)
        luma, chroma = cv2.add(more, luma), cv2.add(cv2.convertScaleAbs(more, alpha=_CHROMA_SLACK), chroma)
    return luma, chroma, chroma


def slack(known: Bytes) -> Bytes:
    """What a picture differs by, at the edges of the place, when it was put back from between two pixels."""
    square = np.ones((3, 3), np.uint8)
    span = cv2.subtract(cv2.dilate(known, square), cv2.erode(known, square))
    return np.asarray(cv2.min(cv2.convertScaleAbs(span, alpha=_SLACK_SHARE), _MOST_SLACK), np.uint8)


def _each(known: Bytes, steps: tuple[int, ...]) -> Bytes | int:
    """The steps of each pixel's level of brightness; one number where all levels have the same."""
    if min(steps) == max(steps):
        return steps[0]
    return np.asarray(cv2.LUT(known, np.repeat(np.array(steps, np.uint8), 256 // LEVELS)), np.uint8)


def compared(background: Background, picture: Bytes, at: float, shift: Shift = STILL) -> tuple[Backdrop, Bytes, Bytes]:
    """The proof for the picture of time `at`, whose levelled small picture is `picture` and lies at `shift` from the place.

    Beside it the picture put back, and what of that agrees with the place.
    """
    if shift == STILL:
        agrees = agreeing(background, picture)
        return Backdrop(at, agrees, background.doubt, background.known), picture, agrees
    steady = put_back(picture, shift)
    agrees = proven = agreeing(background, steady)
    if is_beyond(shift):
        # At the edge the place is not known where the picture lies: there it must agree as it is.
        proven = moved_along(agrees, shift, agreeing(background, picture))
    return Backdrop(at, proven, background.doubt, background.known), steady, agrees


def prove(background: Background, frame: RawFrame) -> Backdrop:
    """What of `frame` is proven background."""
    picture = levelled(background, small_picture(frame, *background.known.shape))
    return compared(background, picture, frame.at, _shift(background, picture))[0]


def _shift(background: Background, picture: Bytes) -> Shift:
    if not background.shaky:
        return STILL
    luma, known = (np.ascontiguousarray(planes[..., 0]) for planes in (picture, background.picture))
    return shift_of(known, luma, background.known)


def recorded_proof(at: float, proven: Bytes) -> Backdrop:
    """The proof that a cell made of the very picture at `at` and kept: clips of format 1 hold it for some pictures."""
    return Backdrop(at, proven)
