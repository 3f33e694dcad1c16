"""Detectors whose answers a test knows."""

from __future__ import annotations

import numpy as np

from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.kernel.errors import FaultError


class _Whole:
    """Looks at whole pictures, unless a test says that parts will do."""

    parts = False

    def detect_turned(self, frame, least, region, quarters):
        return np.zeros((0, 5), np.float32)

    def fitting(self, width, height, regions):
        return list(regions) if self.parts else []


class TruthDetector(_Whole):
    """Knows the drawn scene and finds everybody in it."""

    def __init__(self, scene: DrawnScene, score: float = 0.8) -> None:
        self._scene, self._score = scene, score
        self.calls = 0

    def detect(self, frame, least, regions=()):
        self.calls += 1
        boxes = [(*box, self._score) for box in self._scene.picture(frame.index).people]
        return np.array(boxes, np.float32).reshape(-1, 5)


class BlindDetector(_Whole):
    """Finds nobody, ever."""

    def __init__(self) -> None:
        self.calls = 0

    def detect(self, frame, least, regions=()):
        self.calls += 1
        return np.zeros((0, 5), np.float32)


class FailingDetector(_Whole):
    """Works until frame number `after`, then fails for `count` calls."""

    def __init__(self, after: int, count: int = 10**9) -> None:
        self._after, self._left = after, count

    def detect(self, frame, least, regions=()):
        if frame.index >= self._after and self._left:
            self._left -= 1
            raise FaultError("the detector broke")
        return np.zeros((0, 5), np.float32)


class FixedDetector(_Whole):
    """Gives the same boxes (left, top, right, bottom, score) each time."""

    def __init__(self, *boxes: tuple[float, float, float, float, float]) -> None:
        self._boxes = np.array(boxes, np.float32).reshape(-1, 5)
        self.regions = []

    def detect(self, frame, least, regions=()):
        self.regions.append(list(regions))
        return self._boxes[self._boxes[:, 4] > least].copy()
