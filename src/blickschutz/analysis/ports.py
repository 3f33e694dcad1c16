"""What the analysis needs from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from blickschutz.analysis.model import Pose
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.geometry import Box

Floats: TypeAlias = npt.NDArray[np.float32]


class Detector(Protocol):
    """Finds people in one picture."""

    def detect(self, frame: RawFrame, least: float, regions: Sequence[Box] = ()) -> Floats:
        """Boxes (n, 5) as left, top, right, bottom in source pixels and score over `least`, best first.

        With `regions` (source pixels) only those parts are looked at; they are what `fitting` allowed.
        """
        ...

    def detect_turned(self, frame: RawFrame, least: float, region: Box, quarters: int) -> Floats:
        """As `detect`, in `region` (source pixels) turned by `quarters` of a full turn to the left.

        The boxes are turned back: who lies in the picture has a box that is wider than it is high.
        """
        ...

    def fitting(self, width: int, height: int, regions: Sequence[Box]) -> list[Box]:
        """Those of `regions` (pixels of a picture of that size, most wanted first) that one cheap run can look at.

        Empty where only the whole picture can be looked at.
        """
        ...


class Poser(Protocol):
    """Looks at one person."""

    def look(self, frame: RawFrame, box: Box, quarters: int = 0) -> Pose:
        """What the square around `box` (source pixels) shows, turned to the left by `quarters` of a turn before.

        Raises `FaultError` where the engine fails.
        """
        ...
