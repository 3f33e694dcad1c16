"""Whether a camera that does not hang still rests for a moment, and whether it was pushed aside.

The structure of each picture is compared with that of the look before. A hand that holds a camera moves it all the time and
little; a push turns most of the picture over from one look to the next, is over within about a second, and then the camera
rests elsewhere. Whoever pans takes longer.
"""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from blickschutz.analysis.rules.view_parts import Looked, by_part, ranked

_TEXTURED = 300.0
_EPS = 1e-6
# Likeness of the best quarter of the parts with the look before: of a push, of a camera that came to rest, of one that rests.
_PUSHED, _CAME_TO_REST, _CALM = 0.65, 0.7, 0.9
_PUSH_TAKES_S, _RESTED_S, _CALM_S = 1.25, 0.4, 1.2
# After a pan it takes so long until the new view is the known one.
_SETTLES_S = 5.0
# The view before a push must have been known for so long, and mostly kept at the looks just before it.
_KNOWN_S, _LATELY, _ALIKE_BEFORE, _ALIKE_AFTER = 3.0, 5, 0.6, 0.35


class Rest:
    """Follows one camera from the time `since` on. Ask `look` of every picture, `agreed` of those that show the usual view.

    `panned_at` is when it was last seen that a move was no push.
    """

    def __init__(self, since: float) -> None:
        self._since = since
        self._before: Looked | None = None
        self._lately: deque[float] = deque(maxlen=_LATELY)
        self._pushed_at = self._rests_since = self._calm_since = np.inf
        self.panned_at = -np.inf

    def interrupt(self) -> None:
        """Pictures are missing: whatever happened was not seen."""
        self._before = None
        self._pushed_at = self._rests_since = self._calm_since = np.inf

    @property
    def pushed(self) -> bool:
        """Whether the camera was pushed aside a moment ago, or was and does not see again what it saw before."""
        return self._pushed_at < np.inf

    def lies_elsewhere(self, at: float) -> bool:
        """Whether it was pushed aside and came to rest before the look of time `at`."""
        return at - self._rests_since >= _RESTED_S

    def is_calm(self, at: float) -> bool:
        """Whether the camera hardly moved for the last looks before time `at`, and was not swung elsewhere lately."""
        return at - self._calm_since >= _CALM_S and at - self.panned_at >= _SETTLES_S

    def agreed(self, agreement: float) -> None:
        """Take the share of parts that are alike in a picture of the usual view."""
        self._lately.append(agreement)

    def look(self, seen: Looked, agreement: float, at: float) -> None:
        """Take the picture of time `at`, whose share of parts that look as they are known is `agreement`."""
        before, self._before = self._before, seen
        textured = seen.structure >= _TEXTURED
        if before is None or not textured.any():
            self._calm_since = np.inf
            return
        together = by_part(cv2.accumulateProduct(before.down, seen.down, cv2.multiply(before.across, seen.across)))
        stays = ranked((together / np.sqrt(before.structure * seen.structure + _EPS))[textured], 0.75)
        self._calm_since = min(self._calm_since, at) if stays >= _CALM else np.inf
        if self.pushed:
            self._follow(stays, agreement, at)
        elif stays < _PUSHED and self._was_known(at):
            self._pushed_at, self._rests_since = at, np.inf

    def _was_known(self, at: float) -> bool:
        lately = self._lately
        return at - self._since >= _KNOWN_S and len(lately) == _LATELY and ranked(np.array(lately), 0.5) >= _ALIKE_BEFORE

    def _follow(self, stays: float, agreement: float, at: float) -> None:
        """What came of a push: the camera is back, goes on moving, or lies elsewhere."""
        rests = stays >= _CAME_TO_REST
        self._rests_since = min(self._rests_since, at) if rests else np.inf
        if rests and agreement > _ALIKE_AFTER:
            self._pushed_at = self._rests_since = np.inf
        elif not rests and at - self._pushed_at > _PUSH_TAKES_S:
            self._pushed_at, self.panned_at = np.inf, at
            # What is seen on the way is no view that could be lost.
            self._lately.clear()
