"""What the analysis says of a picture: where background is proven, and where people are."""

from __future__ import annotations

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
    """A box in which the detector sees a person, in source pixels, with its score in 0..1."""

    box: Box
    score: float


@dataclass(frozen=True, slots=True)
class Track:
    """A followed person at one moment. The number is good for this camera and this hour only; it is no identity.

    `velocity` is in source pixels per second; `seen_s` is how long ago a detection last confirmed the track.
    """

    number: int
    box: Box
    velocity: tuple[float, float]
    score: float
    seen_s: float
    age_s: float
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """The people of one analysed moment. `at` is the capture time on the monotonic clock, in seconds."""

    at: float
    tracks: tuple[Track, ...] = ()
    detections: tuple[Detection, ...] = ()

    def scaled(self, x: float, y: float) -> Scene:
        """This scene in the pixels of a picture that is `x` times as wide and `y` times as high."""
        if x == 1 and y == 1:
            return self
        tracks = tuple(replace(t, box=t.box.scaled(x, y), velocity=(t.velocity[0] * x, t.velocity[1] * y)) for t in self.tracks)
        return Scene(self.at, tracks, tuple(replace(d, box=d.box.scaled(x, y)) for d in self.detections))


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """Proof of background for one frame.

    `proven` is a small picture (height, width) with 255 where a pixel is proven to be background and 0
    elsewhere. With a `doubt` nothing counts as proven, whatever the array says.
    """

    at: float
    proven: Bytes
    doubt: Doubt | None = None
