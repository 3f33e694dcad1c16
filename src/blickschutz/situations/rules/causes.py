"""Why a moment says nothing about people: vetoes by cause, asked before any score.

While the lens is covered, out of focus or blinded, the picture dark or frozen, or the camera moved, what looks like people is none, or
is no news. Such a moment is kept in the history as one in which nobody was seen. When the view comes back after a while, what
was known of those in it holds no longer.
"""

from __future__ import annotations

from dataclasses import replace

from blickschutz.kernel.scene import Cause, Scene

# The evidence of a single picture from which on nothing else is believed of it.
_DOUBTED = 0.5
# Who is blind for longer has lost sight of everybody; and as long the picture needs to come to rest afterwards.
_LOST_S = 1.0
_SETTLE_S = 2.0
_WAVERS_S = 1.0


def cause_of(scene: Scene) -> Cause | None:
    """Why the view is not believed at this moment; None where it is, or where no usual view is known."""
    view = scene.view
    if view is None or view.doubt < _DOUBTED:
        return None
    return view.cause or Cause.COVERED


def unseen(scene: Scene) -> Scene:
    """The same moment as one in which nobody and nothing was seen: only the view itself is left."""
    return replace(scene, tracks=(), detections=(), lying=(), encounter=None, changes=())


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
