"""Whether a camera that does not hang still was shifted at once, by little, and stays there.

A hand drifts by more than a small shove shifts, but never as suddenly: from look to look open footage moves by at most 1.2 pixels of
the small picture (handheld, from a drone; 192 pixels wide), a shove of a fiftieth of the picture by nearly four. So what counts is one
step, or a few looks in a row, beside the camera's own motion of the seconds before. What passes close to a camera (a tram, legs)
seems to move the whole picture, too: a shift is believed only once the camera moves again as it used to, and the picture before fits
the one after it when it is moved by as much, in most of its parts better than without. Parts that moved by themselves lately (a crowd
below its umbrellas) count little.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from blickschutz.analysis.rules.view_motion import Bytes, Doubles, Step, registered, small_shift, whole_shift
from blickschutz.analysis.rules.view_parts import COLUMNS, ROWS

# Pixels of the small picture: of the whole shift, of its longest step, of its first; and how many times the camera's own motion.
_LEAST, _LEAST_STEP, _LEAST_FIRST, _TIMES = 2.0, 0.8, 0.32, 2.5
# Further is a push that turns most of the picture over: `analysis.rules.view_rest`.
_MOST = 25.0
_WITHIN_S, _MOST_LOOKS = 1.05, 4
# What is longer than this is measured from coarse to fine.
_SMALL = 0.6
# What moved by itself lately counts little: how soon that is believed, and for what a part counts at least.
_TRUST_MEMORY, _LEAST_TRUST = 0.2, 0.4
_TRUSTED: Doubles = np.ones(ROWS * COLUMNS)
# Share of the parts that a step explains: one of a shift, and one that tells of the camera's own motion.
_OF_A_SHIFT, _OF_A_STEP = 0.15, 0.45
# The own motion, at least, from so many looks of so many seconds; and for how long the view must be known.
_OWN, _OWN_LOOKS, _OWN_S, _KNOWN_S = 0.2, 8, 2.5, 3.0
# It moves as it used to again: by no more than this or twice its own motion, for so long, and not later than that.
_CALM, _RESTED_S, _SETTLES_S, _LOOKED_FOR_S = 0.5, 0.4, 1.2, 2.2
# The picture before beside the one after: shares of the parts that fit, and that fit better without; by how much it may be off.
_FITS, _FITS_WITHOUT, _OFF = 0.05, 0.45, 0.8
# A second before nothing had passed yet: so many looks earlier, and what holds of the picture then.
_EARLIER, _FITTED_WITHOUT, _OFF_EARLIER = 5, 0.5, 1.5
# It is back where it was with half the way; what nobody was told of by then is the view from there on.
_BACK, _HOLDS_S = 0.5, 20.0
_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class _Move:
    """From the look before to that of time `at`: (right, down), how far it is to be believed, and the picture after it."""

    at: float
    way: Doubles
    explained: float
    luma: Bytes


@dataclass(slots=True, eq=False)
class _Shifted:
    """A shift since `at` by `way`, of a camera that drifts by `drift` a look and whose own motion is `own`; `before` is the picture
    before it, from which the camera has `moved` by now, `earlier` one of a second before, from which it `came` there.
    """

    at: float
    way: Doubles
    size: float
    drift: Doubles
    own: float
    before: Bytes
    moved: Doubles
    earlier: Bytes
    came: Doubles
    rests_since: float = np.inf
    believed: bool = False


class Jolt:
    """Follows one camera. `look` once per picture; `interrupt` where pictures are missing."""

    def __init__(self) -> None:
        self._lately: deque[_Move] = deque()
        self._shifted: _Shifted | None = None
        self._since = np.inf
        self._trust = _TRUSTED.copy()

    def interrupt(self) -> None:
        self._lately.clear()
        self._shifted, self._since = None, np.inf
        self._trust = _TRUSTED.copy()

    @property
    def shifted(self) -> bool:
        """Whether it was shifted a moment ago and is not back since."""
        return self._shifted is not None and self._shifted.believed

    @property
    def evidence(self) -> float:
        """How far it was shifted, 0..1: one half at two pixels of the small picture."""
        return min(1.0, self._shifted.size / (2 * _LEAST)) if self._shifted is not None and self._shifted.believed else 0.0

    def look(self, step: Step | None, at: float) -> None:
        """Take the step to the picture of time `at`."""
        if step is None:
            return
        self._since = min(self._since, at)
        move = self._measured(step, at)
        self._lately.append(move)
        while self._lately[0].at < at - _OWN_S - _WITHIN_S:
            self._lately.popleft()
        if self._shifted is None:
            self._shifted = self._begun(at) if at - self._since >= _KNOWN_S else None
        elif not self._goes_on(self._shifted, move):
            self._shifted = None

    def _measured(self, step: Step, at: float) -> _Move:
        way, follows = small_shift(step, self._trust)
        explained = 1.0
        if _length(way) >= _SMALL:
            shift = whole_shift(step, self._trust)
            way, explained, follows = shift.way, shift.explained, shift.follows
        self._trust = np.clip(self._trust + _TRUST_MEMORY * (follows - self._trust), _LEAST_TRUST, 1.0)
        return _Move(at, way, explained, step.now.raw)

    def _begun(self, at: float) -> _Shifted | None:
        """A shift that the newest looks may be: unlike all that went before."""
        lately = list(self._lately)
        for count in range(1, min(_MOST_LOOKS, len(lately) - _OWN_LOOKS) + 1):
            now, earlier = lately[-count:], [one for one in lately[:-count] if one.explained >= _OF_A_STEP]
            if now[0].at < at - _WITHIN_S or min(one.explained for one in now) < _OF_A_SHIFT:
                return None
            if len(earlier) < _OWN_LOOKS:
                continue
            drift = np.median([one.way for one in earlier], axis=0)
            own = max(_OWN, max(_length(one.way - drift) for one in earlier))
            steps = [one.way - drift for one in now]
            size = _length(np.sum(steps, axis=0))
            is_long = size >= max(_LEAST, _TIMES * own) and max(map(_length, steps)) >= max(_LEAST_STEP, _TIMES * own)
            if is_long and _length(steps[0]) >= _LEAST_FIRST:
                *_, before = between = lately[-count - 1 - _EARLIER : -count]
                came = np.sum([one.way for one in between[1:]], axis=0)
                moved = np.sum([one.way for one in now], axis=0)
                return _Shifted(at, np.sum(steps, axis=0), size, drift, own, before.luma, moved, between[0].luma, came)
        return None

    def _goes_on(self, shifted: _Shifted, move: _Move) -> bool:
        """Follow what may be a shift; whether it still may be."""
        step, since = move.way - shifted.drift, move.at - shifted.at
        calm = _length(step) <= max(_CALM, 2 * shifted.own)
        shifted.moved = shifted.moved + move.way
        # Later a drift that changed would add up: only what is no drift can bring it back.
        shifted.way = shifted.way + (0 if calm and shifted.believed else step)
        shifted.rests_since = min(shifted.rests_since, move.at) if calm else np.inf
        if shifted.believed:
            return since <= _HOLDS_S and _length(shifted.way) >= _BACK * shifted.size
        if not _BACK * shifted.size <= _length(shifted.way) <= _MOST or (not calm and since > _SETTLES_S):
            return False
        if move.at - shifted.rests_since >= _RESTED_S - _ROUNDING_S:
            shifted.believed = _fits(shifted, move)
        return shifted.believed or since <= _LOOKED_FOR_S


def _fits(shifted: _Shifted, move: _Move) -> bool:
    near = shifted.moved
    found = registered(shifted.before, move.luma, near)
    if found.explained < _FITS or found.stays > _FITS_WITHOUT or _length(found.way - near) > _OFF:
        return False
    near = shifted.came + shifted.moved
    found = registered(shifted.earlier, move.luma, near)
    return found.explained >= _FITS and found.stays <= _FITTED_WITHOUT and _length(found.way - near) <= _OFF_EARLIER


def _length(way: Doubles) -> float:
    return float(np.hypot(way[0], way[1]))
