"""What the analysis says of a picture: where background is proven, and where people are."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box

Bytes: TypeAlias = npt.NDArray[np.uint8]


class Doubt(StrEnum):
    """Why nothing at all is proven, so that the whole picture is redacted."""

    STARTING = "starting"
    CHANGED = "changed"
    NO_DETECTOR = "no-detector"
    NO_ANALYSIS = "no-analysis"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Detection:
    """A box in which the detector sees a person, in source pixels, with its score in 0..1.

    `stands_out`: when it was found, the background's proof saw somebody there too. Whoever does not stand out (a dark
    coat at night) is known by the box alone. `moved_on`: nobody looked there since, and the track of whoever was found
    there is elsewhere.
    """

    box: Box
    score: float
    stands_out: bool = False
    moved_on: bool = False


@dataclass(frozen=True, slots=True)
class Track:
    """A followed person at one moment. The number is good for this camera and this hour only; it is no identity.

    `velocity` is in source pixels per second; `seen_s` is how long ago a detection last confirmed the track, and
    `stands_out` is that detection's.
    """

    number: int
    box: Box
    velocity: tuple[float, float]
    score: float
    seen_s: float
    age_s: float
    confirmed: bool
    stands_out: bool = False


@dataclass(frozen=True, slots=True)
class Encounter:
    """Two people close together at one moment, in the box around both; `body` is their mean height in source pixels.

    `distance` between them is in body heights. `limbs` is the motion of body parts against the body (root mean
    square, body heights per second) of the livelier of the two; `spread` says whether the motion in the box goes one
    way (0) or all ways (1). `figures` are what a learned rule looks at, in the order of `ENCOUNTER_FIGURES`; a figure
    that was not measured is NaN. `bodies` is how many of the two a second look confirmed as people, None where nobody looked.
    """

    box: Box
    body: float
    distance: float
    limbs: float
    spread: float
    bodies: int | None = None
    figures: tuple[float, ...] = ()


# Flow of both in the box around them (1: of the livelier, 0: of the calmer), then where they are, then their poses.
ENCOUNTER_FIGURES = (
    *("limbs_1", "limbs_0", "speed_1", "speed_0", "peak_1", "peak_0", "upper_1", "upper_0"),
    *("relative", "spread", "beside", "difference", "divergence", "curl"),
    *("distance", "overlap", "contained", "size", "ratio", "score_1", "score_0", "around", "crowd"),
    *("presence_1", "presence_0", "reach", "tilt_1", "tilt_0", "raised", "extended", "lean"),
    *("hands_1", "hands_0", "feet", "hips_1", "hips_0", "turning"),
)


@dataclass(frozen=True, slots=True)
class Posture:
    """A second look at somebody who may be down. `box` is the body's outline where there is one, in source pixels.

    `presence` is how surely somebody is there; `lean` how far the body is from upright (0) towards lying (1). `figures`
    are what a learned rule looks at, in the order of `POSTURE_FIGURES`; what was not measured is NaN.
    """

    box: Box
    presence: float
    lean: float
    figures: tuple[float, ...] = ()


POSTURE_FIGURES = (
    *("presence", "presence_upright", "turned", "lean", "slender", "filled", "wide", "box_wide"),
    *("trunk_flat", "legs_flat", "head_drop", "folded", "seen_limbs"),
    *("stood", "stood_ago", "height_share", "length_share", "foot_way"),
    *("lying_score", "box_score", "from_lying", "from_track", "from_lost", "upright_beside", "edge", "size", "moved"),
    *("down", "fell"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """A part of the known background that looks different and stays so, with nobody in it.

    `since_s` is how long it has been still. `appeared` is the share of its outline that is an edge now, less
    the share that was an edge before: above 0 something is there that was not, below 0 something is gone.
    Before it was last seen as it is known, `differs_s` ago, it had been known so for `known_s`. People who pass before it end
    `since_s`, not these.
    """

    box: Box
    since_s: float
    appeared: float
    differs_s: float = 0.0
    known_s: float = math.inf


class Cause(StrEnum):
    """What keeps a camera from seeing what it usually sees."""

    COVERED = "covered"
    DEFOCUSED = "defocused"
    DARK = "dark"
    BLINDED = "blinded"
    MOVED = "moved"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class View:
    """Whether the camera still sees what it saw. Everything is compared with the long-term picture of the place.

    `agreement` is the share of picture parts whose structure still lies where it lay, `sharpness` the energy of fine detail
    as a share of the usual, `luma` the mean brightness (0..255), `contrast` its standard deviation. `score` (0..1) is the
    evidence for `cause` that has lasted for `seconds`; `doubt` (0..1) is that of this very picture, for any cause. `restless` are
    the numbers, row by row, of those of 6 x 8 parts in which something moves nearly all the time.
    """

    agreement: float
    sharpness: float
    luma: float
    contrast: float
    cause: Cause | None = None
    score: float = 0.0
    doubt: float = 0.0
    seconds: float = 0.0
    restless: frozenset[int] = frozenset()


VIEW_PARTS = (6, 8)


@dataclass(frozen=True, slots=True)
class Scene:
    """The people of one analysed moment, and what of the place has changed.

    `at` is the capture time on the monotonic clock, `taken` on the wall clock, in seconds; `width` and `height`
    are those of the picture. `lying` are people who are found in a turned picture only, at most about a second
    old. `view` is None while no long-term picture is known. `looked_s` is how long ago the detector gave the newest
    of `detections`: where nobody watches it looks less often than the tracks are predicted.
    """

    at: float
    tracks: tuple[Track, ...] = ()
    detections: tuple[Detection, ...] = ()
    taken: float = 0.0
    width: int = 0
    height: int = 0
    lying: tuple[Detection, ...] = ()
    encounters: tuple[Encounter, ...] = ()
    postures: tuple[Posture, ...] = ()
    changes: tuple[Change, ...] = ()
    view: View | None = None
    looked_s: float = 0.0

    def scaled(self, x: float, y: float) -> Scene:
        """The people of this scene in the pixels of a picture that is `x` times as wide and `y` times as high.

        Only what redaction needs is carried over.
        """
        if x == 1 and y == 1:
            return self
        tracks = tuple(replace(t, box=t.box.scaled(x, y), velocity=(t.velocity[0] * x, t.velocity[1] * y)) for t in self.tracks)
        found, lying = (tuple(replace(d, box=d.box.scaled(x, y)) for d in part) for part in (self.detections, self.lying))
        return Scene(self.at, tracks, found, self.taken, self.width, self.height, lying, looked_s=self.looked_s)


# A level of brightness is so many steps of luma.
LEVELS = 16


@dataclass(frozen=True, slots=True)
class Levels:
    """What may differ in luma and in chroma, in steps, at each of the `LEVELS` of brightness of the known luma, darkest first."""

    luma: tuple[int, ...]
    chroma: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Others:
    """A second state of pixels, as `Background`: of a leaf before a wall, a flag. Nobody writes into the arrays any more."""

    picture: Bytes
    known: Bytes


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """The place without people, as it was known at one moment: what a picture is compared with to prove its background.

    `picture` is small, (height, width, 3) in Y, U, V; `known` is (height, width), 255 where a pixel was learned. A
    pixel agrees within `tolerance` steps in Y, U and V, or within what `levels` say for its brightness where they are
    known. Where the camera is `shaky` a picture is put back to where it lay before it is compared; where rain or snow
    `falls` (255) specks do not count: nowhere near anything large enough for somebody. `others` are what it looks like
    at other times. With a `doubt` nothing can be proven by it. `at` is in seconds of the clock or stream that it belongs
    to. Nobody writes into the arrays any more.
    """

    at: float
    picture: Bytes
    known: Bytes
    tolerance: tuple[int, int, int]
    doubt: Doubt | None = None
    levels: Levels | None = None
    shaky: bool = False
    falls: Bytes | None = None
    others: Others | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """Proof of background for one picture, and for no other: `at` is that picture's own time.

    `proven` is a small picture (height, width) with 255 where a pixel is proven to be background and 0
    elsewhere; where the place is not `known` (0) that says nothing of people. With a `doubt` nothing counts as
    proven, whatever the array says. It is made in one place only, by comparing the picture itself with a `Background`
    (`analysis.rules.proof`).
    """

    at: float
    proven: Bytes
    doubt: Doubt | None = None
    known: Bytes | None = None
