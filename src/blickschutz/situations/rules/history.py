"""What happened lately in one camera's picture, as the rules see it: scenes, and a trail for each track."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from blickschutz.kernel.density import px_per_metre
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Scene
from blickschutz.situations.model import WHOLE, Area, Measured
from blickschutz.situations.rules.forest import Learned

PERSON_M = 1.75
RECENT_S = 12.0
_TRAIL_S = 1.0
_MOST_TRAIL = 1200
_FORGET_S = 900.0
_SEEN_S = 0.7


class Point(NamedTuple):
    """A track at one moment; `seen` is False where it was predicted only."""

    at: float
    box: Box
    seen: bool


@dataclass(slots=True)
class Trail:
    """One track: all of the last seconds, and one point a second of the time before. Numbers are no identity."""

    number: int
    recent: deque[Point] = field(default_factory=deque)
    long: deque[Point] = field(default_factory=lambda: deque(maxlen=_MOST_TRAIL))
    heights: float = 0.0

    @property
    def last(self) -> Point:
        return self.recent[-1]

    @property
    def first_at(self) -> float:
        return self.long[0].at

    def since(self, at: float) -> list[Point]:
        """The points of the last seconds from `at` on."""
        return [point for point in self.recent if point.at >= at]


class History:
    """Feeds on scenes in order of time. `metres` turns pixels near a person into metres."""

    def __init__(self, settings: Measured, learned: Learned | None = None) -> None:
        self._settings = settings
        self.learned = learned or Learned()
        self.scenes: deque[Scene] = deque()
        self.trails: dict[int, Trail] = {}
        self._present: list[Trail] = []

    def add(self, scene: Scene) -> None:
        if self.scenes and scene.at < self.scenes[-1].at:
            self.clear()
        self.scenes.append(scene)
        while self.scenes[0].at < scene.at - RECENT_S:
            self.scenes.popleft()
        for track in scene.tracks:
            if track.confirmed:
                self._extend(track.number, Point(scene.at, track.box, track.seen_s < _SEEN_S))
        self.trails = {number: trail for number, trail in self.trails.items() if scene.at - trail.last.at < _FORGET_S}
        self._present = [trail for trail in self.trails.values() if trail.last.at == scene.at]

    def clear(self) -> None:
        """The clock jumped or the stream was interrupted: tracks of before have nothing to do with those after."""
        self.scenes.clear()
        self.trails.clear()
        self._present = []

    def _extend(self, number: int, point: Point) -> None:
        trail = self.trails.setdefault(number, Trail(number))
        trail.recent.append(point)
        while trail.recent[0].at < point.at - RECENT_S:
            trail.recent.popleft()
        if not trail.long or point.at - trail.long[-1].at >= _TRAIL_S:
            trail.long.append(point)
        if point.seen:
            trail.heights = point.box.height if not trail.heights else 0.9 * trail.heights + 0.1 * point.box.height

    @property
    def now(self) -> Scene:
        return self.scenes[-1]

    def present(self) -> Sequence[Trail]:
        """The trails of everybody who is followed at this moment."""
        return self._present

    def metres(self, pixels: float, near: Box) -> float:
        """`pixels` near somebody who fills `near`, in metres."""
        return self._metres(pixels, near.height)

    def walked(self, pixels: float, trail: Trail) -> float:
        """`pixels` on the way of somebody, in metres. A box that the picture's edge cuts is lower than its body, which is what scales."""
        return self._metres(pixels, max(trail.last.box.height, trail.heights))

    def _metres(self, pixels: float, height: float) -> float:
        density = self._settings.px_per_metre
        scale = px_per_metre(density, self.now.width, self.now.height) if density is not None else None
        return pixels / (scale or max(1.0, height) / PERSON_M)

    def speed(self, trail: Trail, over_s: float) -> float:
        """Speed in metres per second over the last `over_s`, from the first seen to the last seen point; 0 where unknown."""
        points = [point for point in trail.since(self.now.at - over_s) if point.seen]
        if len(points) < 3 or points[-1].at - points[0].at < over_s / 2:
            return 0.0
        way = math.dist(points[0].box.centre, points[-1].box.centre)
        return self.walked(way, trail) / (points[-1].at - points[0].at)

    def scenes_since(self, at: float) -> Iterator[Scene]:
        return (scene for scene in self.scenes if scene.at >= at)

    def share_box(self, box: Box) -> Box:
        """`box` in shares of the picture."""
        now = self.now
        return box.scaled(1 / max(1, now.width), 1 / max(1, now.height))

    def inside(self, zone: Area, point: tuple[float, float]) -> bool:
        """Whether a place in the picture lies in the zone. What lies outside the picture counts at its edge."""
        if zone.polygon == WHOLE:
            return True
        now = self.now
        x = min(max(point[0] / max(1, now.width), 0.0), 1.0)
        y = min(max(point[1] / max(1, now.height), 0.0), 1.0)
        return contains(zone.polygon, x, y)


def contains(polygon: Sequence[tuple[float, float]], x: float, y: float) -> bool:
    """Whether (x, y) lies in `polygon` or on its edge (even-odd rule)."""
    result = False
    for (x1, y1), (x2, y2) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        within = min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2)
        if within and abs((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)) < 1e-12:
            return True
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            result = not result
    return result
