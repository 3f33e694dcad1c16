"""Why a moment says nothing about people: vetoes by cause, asked before any score.

While the lens is covered, out of focus or blinded, the picture dark or frozen, or the camera moved, what looks like people is none, or
is no news. Such a moment is kept in the history as one in which nobody was seen. When the view comes back after a while, what
was known of those in it holds no longer.
"""

from __future__ import annotations

import math
from dataclasses import replace

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import VIEW_PARTS, Cause, Scene
from blickschutz.situations.rules.history import History

# The evidence of a single picture from which on nothing else is believed of it.
_DOUBTED = 0.5
# Who is blind for longer has lost sight of everybody; and as long the picture needs to come to rest afterwards.
_LOST_S = 1.0
_SETTLE_S = 2.0
_WAVERS_S = 1.0
_MOSTLY_RESTLESS, _WALKED_HEIGHTS = 0.5, 0.4


def cause_of(scene: Scene) -> Cause | None:
    """Why the view is not believed at this moment; None where it is, or where no usual view is known."""
    view = scene.view
    if view is None or view.doubt < _DOUBTED:
        return None
    return view.cause or Cause.COVERED


def unseen(scene: Scene) -> Scene:
    """The same moment as one in which nobody and nothing was seen: only the view itself is left."""
    return replace(scene, tracks=(), detections=(), lying=(), encounters=(), postures=(), changes=())


def flutters(history: History, box: Box) -> bool:
    """Whether what moves in `box` is leaves, a flag or water: something moves there nearly all the time, and nobody walked there lately."""
    if _restless_share(history.now, box) < _MOSTLY_RESTLESS:
        return False
    return not any(
        box.holds(point.box.centre) and math.dist(point.box.foot, trail.recent[0].box.foot) >= _WALKED_HEIGHTS * point.box.height
        for trail in history.trails.values()
        for point in trail.recent
    )


def _restless_share(scene: Scene, box: Box) -> float:
    """Share of `box` that lies in parts of the picture in which something moves nearly all the time."""
    if scene.view is None or not scene.view.restless or box.area <= 0:
        return 0.0
    rows, columns = VIEW_PARTS
    height, width = scene.height / rows, scene.width / columns
    covered = 0.0
    for number in scene.view.restless:
        row, column = divmod(number, columns)
        down = min(box.bottom, (row + 1) * height) - max(box.top, row * height)
        across = min(box.right, (column + 1) * width) - max(box.left, column * width)
        covered += max(0.0, down) * max(0.0, across)
    return covered / box.area


class Blindness:
    """When a camera was blind, from moment to moment. `take` once per scene, in order of time."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._doubted_at = self._until = float("-inf")

    def take(self, scene: Scene) -> tuple[bool, bool]:
        """(nothing in this scene is believed, what was known before holds no longer).

        A doubt that wavers counts on for a moment.
        """
        if cause_of(scene) is not None:
            self._since, self._doubted_at = scene.at if self._since is None else self._since, scene.at
            return True, False
        if 0 <= scene.at - self._doubted_at < _WAVERS_S:
            return True, False
        lost = self._since is not None and self._doubted_at - self._since >= _LOST_S
        if lost:
            self._until = self._doubted_at + _SETTLE_S
        self._since = None
        return scene.at < self._until, lost
