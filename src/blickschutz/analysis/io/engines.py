"""Engines by name: what makes a detector of a registered model. Another package offers one as an entry point.

    [project.entry-points."blickschutz.engines"]
    name = "package.module:ENGINE"

`ENGINE` is an `analysis.ports.Engine`; a model says with its registration which engine it is for. Only the engine of a registered
model is ever loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import entry_points

import numpy as np

from blickschutz.analysis.io.openvino_detector import OpenVinoDetector
from blickschutz.analysis.io.registry import ModelRegistry
from blickschutz.analysis.model import DETECTOR_HEADS, ModelCard
from blickschutz.analysis.ports import Capabilities, Detector, Engine, Floats, Placed
from blickschutz.kernel.devices import Device, InUse
from blickschutz.kernel.errors import ModelError
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.geometry import Box

GROUP = "blickschutz.engines"
OPENVINO = "openvino"


class OpenVinoEngine:
    """The engine that comes with the software."""

    capabilities = Capabilities(regions=True, rotation=True)

    def load(self, card: ModelCard, data: Callable[[], bytes], device: Device) -> Detector:
        """See `Engine.load`."""
        return OpenVinoDetector(card, data, device)


class Limited:
    """A detector of an engine that cannot all: what it cannot is never asked of it."""

    def __init__(self, detector: Detector, capabilities: Capabilities, in_use: InUse) -> None:
        self._detector, self._can, self._in_use = detector, capabilities, in_use

    @property
    def in_use(self) -> InUse:
        return self._detector.in_use if isinstance(self._detector, Placed) else self._in_use

    def detect(self, frame: RawFrame, least: float, regions: Sequence[Box] = ()) -> Floats:
        """See `Detector.detect`."""
        return self._detector.detect(frame, least, regions if self._can.regions else ())

    def detect_turned(self, frame: RawFrame, least: float, region: Box, quarters: int) -> Floats:
        """See `Detector.detect_turned`; nobody where parts are not looked at, or not turned."""
        if not (self._can.regions and self._can.rotation):
            return np.zeros((0, 5), np.float32)
        return self._detector.detect_turned(frame, least, region, quarters)

    def fitting(self, width: int, height: int, regions: Sequence[Box]) -> list[Box]:
        """See `Detector.fitting`."""
        return self._detector.fitting(width, height, regions) if self._can.regions else []


def load_detector(name: str, registry: ModelRegistry, device: Device = Device.CPU) -> Detector:
    """The detector of the registered model `name`. Raises `ModelError` where it is missing, altered or unusable."""
    card = registry.card(name)
    if card.head not in DETECTOR_HEADS:
        raise ModelError(f"the model {name!r} is no detector: it looks at people whom a detector found")
    engine = _engine(card)
    made = engine.load(card, lambda: registry.load(name)[1], device)
    return Limited(made, engine.capabilities, InUse(device.value, card.engine))


def _engine(card: ModelCard) -> Engine:
    if card.engine == OPENVINO:
        return OpenVinoEngine()
    offered = entry_points(group=GROUP)
    found = next((one for one in offered if one.name == card.engine), None)
    if found is None:
        known = ", ".join(sorted({OPENVINO, *(one.name for one in offered)}))
        raise ModelError(f"no package offers the engine {card.engine!r} that the model {card.name!r} is for (there is {known})")
    try:
        engine = found.load()
    except (ImportError, AttributeError) as error:
        raise ModelError(f"the engine {card.engine!r} cannot be loaded: {error}") from error
    if not isinstance(engine, Engine):
        raise ModelError(f"the engine {card.engine!r} is none: it lacks load or capabilities")
    return engine
