"""What the analysis needs from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from blickschutz.analysis.model import ModelCard, Pose
from blickschutz.kernel.devices import Device, InUse
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


@runtime_checkable
class Placed(Protocol):
    """A detector that says where it computes."""

    @property
    def in_use(self) -> InUse:
        """The device in use, and why where it is another one than was asked for."""
        ...


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What detectors of an engine can beyond whole pictures: look at parts (`regions`), and at parts that are turned (`rotation`)."""

    regions: bool = False
    rotation: bool = False


@runtime_checkable
class Engine(Protocol):
    """Makes detectors of registered models; found by its name (`analysis.io.engines`)."""

    capabilities: Capabilities

    def load(self, card: ModelCard, data: Callable[[], bytes], device: Device) -> Detector:
        """The detector of a model. `data` gives the model's bytes, their hash verified. Raises `ModelError`.

        A device that is not there, or fails later, is replaced by the CPU, and `Placed.in_use` says so.
        """
        ...


class Poser(Protocol):
    """Looks at one person."""

    def look(self, frame: RawFrame, box: Box, quarters: int = 0) -> Pose:
        """What the square around `box` (source pixels) shows, turned to the left by `quarters` of a turn before.

        Raises `FaultError` where the engine fails.
        """
        ...
