"""The detector of a cell, or what stands in its place where none can be loaded."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from blickschutz.analysis.io import engines
from blickschutz.analysis.io.registry import ModelRegistry
from blickschutz.analysis.ports import Detector, Floats
from blickschutz.kernel.devices import Device
from blickschutz.kernel.errors import FaultError, ModelError
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.geometry import Box

_log = structlog.get_logger(__name__)


class NoDetector:
    """Stands where no detector could be loaded; every use fails, so every picture is blank."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def detect(self, frame: RawFrame, least: float, regions: Sequence[Box] = ()) -> Floats:
        del frame, least, regions
        raise FaultError(self.reason)

    def detect_turned(self, frame: RawFrame, least: float, region: Box, quarters: int) -> Floats:
        del frame, least, region, quarters
        raise FaultError(self.reason)

    def fitting(self, width: int, height: int, regions: Sequence[Box]) -> list[Box]:
        del width, height, regions
        raise FaultError(self.reason)


def load_detector(model: str, registry: ModelRegistry, device: Device) -> Detector:
    """The registered detector `model`; where that is missing, altered or unusable, one that fails and says so."""
    try:
        return engines.load_detector(model, registry, device)
    except ModelError as error:
        _log.error("no_detector", reason=str(error))
        return NoDetector(str(error))
