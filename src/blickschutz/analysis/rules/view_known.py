"""The long-term picture of one camera's view, and what a picture looks like beside it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np

from blickschutz.analysis.rules.view_jolt import Jolt
from blickschutz.analysis.rules.view_motion import Bytes, Step, Steps
from blickschutz.analysis.rules.view_parts import COLUMNS, ROWS, Flags, Floats, Looked, by_part, ranked, share
from blickschutz.analysis.rules.view_rest import Rest
from blickschutz.analysis.rules.view_roll import Roll

# Learned from every look at first, then once a second, with a memory of some minutes.
_EAGER, _LEARN_S, _MOST_AGE = 30, 0.9, 400
_SELDOM = 5
_TEXTURED = 300.0
_SAME = 0.35
_KEPT, _KEPT_MEMORY = 0.7, 80
_LEAST_DETAIL = 4.0
# A part that looks different for so long, in a view that is the usual one, is learned anew: a car is parked there.
_RELEARN_S = 90.0
# A camera that does not hang still is not called moved, unless its view was known for long and kept well in spite of it.
_SHAKES, _AT_REST, _STEADINESS_LOOKS = 0.003, 0.97, 100
_TRUSTED = ((8.0, 0.9), (20.0, 0.75))
_YOUNG_S, _DRIFTING_AGE = 20.0, 15
# Where a pan ends is seen soon to be the view, as at the beginning.
_PANNED_AGE = 2
_EPS = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A picture beside the long-term one, part by part, all (6, 8). Only the `judged` parts have structure that can be relied on.

    `likeness` of structure in -1..1, `energy` of structure and `sharpness` of detail as shares of the usual, `lighter` the ratio of
    brightness. `usual_mean` and `usual_likeness` are those of ordinary times. `agreement` is the share of judged parts that are alike.
    """

    judged: Flags
    likeness: Floats
    energy: Floats
    sharpness: Floats
    lighter: Floats
    usual_mean: Floats
    usual_likeness: Floats
    agreement: float


class KnownView:
    """What one camera usually sees, known since the time `since`. `compare` before `learn`."""

    def __init__(self, first: Looked, at: float) -> None:
        self.since, self.drifts = at, False
        self._across, self._down = first.across.copy(), first.down.copy()
        self._structure, self._mean, self._detail = first.structure.copy(), first.mean.copy(), first.detail.copy()
        self._age, self._kept, self._likeness = (np.ones((ROWS, COLUMNS), np.float32) for _ in range(3))
        self._looks, self._watched, self._learned_at = 0, 0, -np.inf
        self._differs_since = np.full((ROWS, COLUMNS), np.inf)
        self._changes: deque[float] = deque(maxlen=_STEADINESS_LOOKS)
        self._agreements: deque[float] = deque(maxlen=_STEADINESS_LOOKS)
        self._bests: deque[float] = deque(maxlen=_STEADINESS_LOOKS)
        self.rest, self.roll, self.jolt = Rest(at), Roll(), Jolt()
        # From look to look, and from picture to picture; the newest of these.
        self._steps, self._each_step = Steps(), Steps()
        self._step: Step | None = None

    def interrupt(self) -> None:
        """Pictures are missing: no part was seen to differ for long."""
        self._differs_since[:] = np.inf
        self.jolt.interrupt()
        self._each_step.interrupt()
        self._interrupt_motion()

    def _interrupt_motion(self) -> None:
        for one in (self.rest, self._steps, self.roll):
            one.interrupt()

    def watch_shift(self, luma: Bytes, at: float) -> bool:
        """Follow the motion of a camera that does not hang still, or is hardly known, from picture to picture; whether it was shifted."""
        if self.drifts or self.jolt.shifted or at - self.since < _YOUNG_S:
            self._step = self._each_step.take(luma)
            self.jolt.look(self._step, at)
        else:
            self._step = None
            self._each_step.interrupt()
            self.jolt.interrupt()
        return self.jolt.shifted

    def watch_rest(self, seen: Looked, compared: Compared, at: float) -> None:
        """Follow the camera's own motion; asked only where it `drifts` or is hardly known, since of others every move is told."""
        if self.drifts or self.was_moved or at - self.since < _YOUNG_S:
            step = self._steps.take(seen.luma, self._step)
            self.rest.look(seen, compared.agreement, at)
            self.roll.look(step, at)
            if self.rest.panned_at == at:
                self._age = np.minimum(self._age, _PANNED_AGE).astype(np.float32)
        else:
            self._interrupt_motion()

    @property
    def was_moved(self) -> bool:
        """Whether it was pushed aside, turned or shifted a moment ago, and does not see again what it saw before."""
        return self.rest.pushed or self.felt > 0

    @property
    def felt(self) -> float:
        """The evidence, 0..1, of the motion itself: that it was turned or shifted."""
        return max(self.roll.evidence, self.jolt.evidence)

    def felt_to_rest(self, at: float) -> bool:
        """Whether it was turned or shifted, and came to rest before the look of time `at`."""
        return self.jolt.shifted or self.roll.lies_turned(at)

    def lies_elsewhere(self, at: float) -> bool:
        """Whether it was moved in any way, and came to rest before the look of time `at`."""
        return self.rest.lies_elsewhere(at) or self.felt_to_rest(at)

    def compare(self, seen: Looked) -> Compared:
        together = by_part(cv2.accumulateProduct(self._down, seen.down, cv2.multiply(self._across, seen.across)))
        likeness = together / np.sqrt(self._structure * seen.structure + _EPS)
        # The flattest part shows the noise of the moment: it is no detail.
        fine, usual = (np.maximum(detail - detail.min(), 0) for detail in (seen.detail, self._detail))
        gain = np.maximum(together / (self._structure + _EPS), 0.2)
        sharpness = np.where(usual >= _LEAST_DETAIL, fine / (usual + _EPS) / (gain * gain), 1.0)
        judged = (self._structure >= _TEXTURED) & (self._kept >= _KEPT)
        lighter, energy = (seen.mean + 1) / (self._mean + 1), seen.structure / (self._structure + _EPS)
        return Compared(judged, likeness, energy, sharpness, lighter, self._mean, self._likeness, share(likeness >= _SAME, judged, 1.0))

    def learn(self, seen: Looked, compared: Compared, at: float) -> None:
        """Take up a picture of time `at` that shows the usual view."""
        self._looks += 1
        if self._looks > _EAGER and not self.drifts and at - self._learned_at < _LEARN_S:
            return
        self._learned_at = at
        same = compared.likeness >= _SAME
        self._differs_since = np.where(same | ~compared.judged, np.inf, np.minimum(self._differs_since, at))
        self._age[at - self._differs_since >= _RELEARN_S] = 0
        self._age = np.minimum(self._age, _DRIFTING_AGE if self.drifts else _MOST_AGE).astype(np.float32)
        part = np.asarray(1 / (self._age + 1), np.float32)
        slowly = np.maximum(part, 1 / _KEPT_MEMORY)
        self._kept += np.asarray(slowly * (same - self._kept), np.float32)
        self._likeness += np.asarray(slowly * same * (compared.likeness - self._likeness), np.float32)
        wide = cv2.resize(part, seen.across.shape[::-1], interpolation=cv2.INTER_NEAREST)
        for known, now in ((self._across, seen.across), (self._down, seen.down)):
            known += wide * (now - known)
        self._detail += part * (seen.detail - self._detail)
        self._mean += part * (seen.mean - self._mean)
        self._structure = by_part(cv2.accumulateSquare(self._down, cv2.multiply(self._across, self._across)))
        self._age += 1

    def watch_steadiness(self, compared: Compared, usual: bool, at: float) -> None:
        """Whether the camera hangs still: the likeness of its best parts hardly changes from look to look then.

        Also asked of pictures that are not the `usual` view while that is little known: a camera in somebody's hand is never at rest.
        """
        known_s = at - self.since
        if not (usual or known_s < _YOUNG_S) or not compared.judged.any():
            return
        best = ranked(compared.likeness[compared.judged], 0.75)
        self._changes.append(abs(best - (self._bests[-1] if self._bests else 1.0)))
        self._bests.append(best)
        if usual:
            self._agreements.append(compared.agreement)
            self.rest.agreed(compared.agreement)
        self._watched += 1
        if self._watched > _EAGER and self._watched % _SELDOM:
            return
        agreement = ranked(np.fromiter(self._agreements, float), 0.1) if self._agreements else 0.0
        kept = any(known_s >= least_s and agreement >= least for least_s, least in _TRUSTED)
        shakes = ranked(np.fromiter(self._changes, float), 0.5) >= _SHAKES and ranked(np.fromiter(self._bests, float), 0.25) < _AT_REST
        self.drifts = shakes and not kept
