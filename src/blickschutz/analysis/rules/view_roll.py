"""Whether a camera was turned about its own axis, seen from look to look.

A hand that holds a camera shifts its picture all the time, and by as much as a shove does; it hardly ever rolls it. So where the
likeness to a known view says nothing, since that wavers anyway, the angle does: over 1.6 s ordinary footage rolls by at most 2.1
degrees (handheld, from a drone, legs that fill the picture), in most clips by less than a tenth of one; whoever turns a camera by
five is measured at 5.1 to 6.8 in every one of 31 clips. A look counts only where the angle explains, in a quarter of the parts, half
of what the best shift leaves: so it does for .27 and more of the parts while a camera is turned, also before a crowd. Where somebody
swings a camera in their hand, which rolls by three degrees at times, or a light passes, it hardly ever does.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from blickschutz.analysis.rules.view_motion import Step, roll

# Degrees, and within how many seconds: of a turn, and of what is left when it was turned back.
_TURNED, _WITHIN_S, _BACK = 3.0, 1.5, 1.5
_MISSES = 1
# A turn is over where the picture rolls by no more than this from look to look, for so long.
_RESTS, _RESTED_S = 0.5, 0.4
# What nobody was told of by then is the view from there on.
_HOLDS_S = 20.0


class Roll:
    """Follows one camera. `look` once per picture; `interrupt` where pictures are missing."""

    def __init__(self) -> None:
        self._lately: deque[tuple[float, float]] = deque()
        self._lies, self._turned_at, self._rests_since = 0.0, -np.inf, np.inf

    def interrupt(self) -> None:
        self._lately.clear()
        self._turned_at = -np.inf

    @property
    def turned(self) -> bool:
        """Whether it was turned a moment ago and not turned back since."""
        return self._turned_at > -np.inf

    @property
    def evidence(self) -> float:
        """How far it was turned, 0..1: one half at three degrees."""
        return min(1.0, abs(self._lies) / (2 * _TURNED)) if self.turned else 0.0

    def lies_turned(self, at: float) -> bool:
        """Whether it was turned and came to rest before the look of time `at`."""
        return self.turned and at - self._rests_since >= _RESTED_S

    def look(self, step: Step | None, at: float) -> None:
        """Take the step to the picture of time `at`."""
        if step is None:
            return
        turned = roll(step)
        self._lately.append((at, turned))
        while self._lately[0][0] < at - _WITHIN_S:
            self._lately.popleft()
        self._rests_since = np.inf if abs(turned) > _RESTS else min(self._rests_since, at)
        if self.turned:
            self._lies += turned
            if abs(self._lies) < _BACK or at - self._turned_at > _HOLDS_S:
                self.interrupt()
            return
        in_one_go = self._in_one_go()
        if abs(in_one_go) >= _TURNED:
            self._turned_at, self._lies = at, in_one_go

    def _in_one_go(self) -> float:
        """The degrees of the looks up to now that all roll the same way; one that says nothing is passed over."""
        turned, misses = 0.0, 0
        for _, step in reversed(self._lately):
            misses = 0 if step else misses + 1
            if misses > _MISSES or step * turned < 0:
                break
            turned += step
        return turned
