"""Whether a picture is frozen: the noise of the sensor is missing that this camera has in ordinary times.

Some encoders send pictures of a quiet place that are the same to the bit. So it is learned how still the camera gets and for
how long; a picture counts as frozen when it is still for three times as long as ever lately. Of a camera that is still for
minutes nothing can be said, and nothing is. Nor of one in which only part of the picture moved before, as long as it was
never seen to be as quiet without being still: there people may only have left.

An encoder goes on with a frozen picture: for a second or two it brings out what it left away, by single steps of brightness,
and at a key picture it draws everything anew. So steps of one count little, and one picture in between is passed over.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.analysis.rules.view_parts import Flags, by_part, ranked

Bytes: TypeAlias = npt.NDArray[np.uint8]

# A still picture changes by more than one step in at most this share of the least that this camera changes so in ordinary times.
_STILL, _STEPS = 0.02, 0.3
_LEAST_LOOKS, _MOST_LOOKS = 15, 300
_LOW = 0.1
_LIVELY_SHARE = 0.02
_LIVELY_LOOKS = 3
_LEAST_LIVELY, _KEY_PARTS = 6, 24
_LEAST_QUIET_S = 6.0
_LEAST_S, _TIMES = 1.4, 3.0
_HALVES_S = 3600.0
_ROUNDING = 1e-9


class Stillness:
    """How much one camera's picture changes from look to look. `look` once per analysed picture."""

    def __init__(self) -> None:
        self._before: Bytes | None = None
        # Shares of the picture that changed, at all and by more than one step.
        self._changed: deque[tuple[float, float]] = deque(maxlen=_MOST_LOOKS)
        self._usual = (0.0, 0.0)
        self._lively: deque[Flags] = deque(maxlen=_LIVELY_LOOKS)
        self._still_since: float | None = None
        self._last_at = 0.0
        self._interrupted = False
        self._longest, self._longest_at = 0.0, 0.0
        self._quiet_s = 0.0

    def interrupt(self) -> None:
        """Pictures are missing: what is still now was not watched being so."""
        self._before, self._still_since, self._interrupted = None, None, False

    @property
    def certain(self) -> bool:
        """Whether enough is known of this camera, and much enough changed before, to say that its picture is frozen."""
        return len(self._changed) >= _LEAST_LOOKS and (self._is_lively() or self._quiet_s >= _LEAST_QUIET_S)

    def look(self, small: Bytes, at: float) -> tuple[float, float]:
        """(evidence in 0..1 that the picture is frozen, for how many seconds it has been still)."""
        before, self._before, last, self._last_at = self._before, small, self._last_at, at
        if before is None:
            return 0.0, 0.0
        difference = cv2.absdiff(small, before)
        changed = cv2.compare(difference, 0, cv2.CMP_GT)
        shares = cv2.countNonZero(changed) / changed.size, cv2.countNonZero(cv2.compare(difference, 1, cv2.CMP_GT)) / changed.size
        known = len(self._changed) >= _LEAST_LOOKS
        if known and shares[0] <= _STEPS * self._usual[0] and shares[1] <= _STILL * self._usual[1]:
            self._still_since = last if self._still_since is None else self._still_since
            self._interrupted = False
        elif self._still_since is not None and not self._interrupted and self._is_key_picture(changed):
            self._interrupted = True
        else:
            self._moves(changed, shares, last, at)
            return 0.0, 0.0
        still_s = at - self._still_since
        needed = max(_LEAST_S, _TIMES * self._lately(at))
        return (min(1.0, still_s / (2 * needed) + _ROUNDING) if self.certain else 0.0), still_s

    def _moves(self, changed: Bytes, shares: tuple[float, float], last: float, at: float) -> None:
        if self._still_since is not None:
            still_s = last - self._still_since
            if still_s >= self._lately(at):
                self._longest, self._longest_at = still_s, at
            self._still_since, self._interrupted = None, False
        self._changed.append(shares)
        self._lively.append(by_part(changed) > 255 * _LIVELY_SHARE)
        self._quiet_s += 0.0 if self._is_lively() else at - last
        if len(self._changed) % 10 == 0 or len(self._changed) <= _LEAST_LOOKS:
            columns = np.array(self._changed)
            self._usual = ranked(columns[:, 0], _LOW), ranked(columns[:, 1], _LOW)

    def _is_key_picture(self, changed: Bytes) -> bool:
        """Whether the change lies over most of the picture, as when an encoder draws it anew."""
        return int(np.count_nonzero(by_part(changed) > 255 * _LIVELY_SHARE)) >= _KEY_PARTS

    def _lately(self, at: float) -> float:
        """The longest time that it was still, of late: by half less each hour."""
        return self._longest * math.pow(0.5, (at - self._longest_at) / _HALVES_S)

    def _is_lively(self) -> bool:
        return bool(self._lively) and int(np.count_nonzero(np.any(list(self._lively), axis=0))) >= _LEAST_LIVELY
