"""The long-term background of one camera, which pictures are compared with (`proof.py`; DESIGN 4.2).

A pixel is proven when it agrees with a long-term model that people cannot enter. The model learns a
pixel only where nothing speaks against it: no detection (also a weak one), no track, no recent motion
there. What was touched by a person and looks different since then stays unproven for minutes, so a
person who stands still does not melt into the background while they stand there.

Sources: running average with selective update (Wren et al. 1997, "Pfinder"); the two-stage candidate
model follows the idea of Kim et al. 2005, "codebook": a pixel must be stable for a time before it counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.analysis.rules.proof import agreeing_itself, slack
from blickschutz.analysis.rules.sensor import Sensor
from blickschutz.analysis.rules.states import OtherStates
from blickschutz.analysis.rules.steadying import STILL, Shift, shift_of
from blickschutz.analysis.rules.weather import Weather, bodies
from blickschutz.kernel.scene import Background, Doubt, Others

Bytes: TypeAlias = npt.NDArray[np.uint8]

_FULL = 255
_CANDIDATE_SHARE = 0.2
_MOST_GAP_S = 1.25
_LEAST_LOOKS = 4
# Of times that are sums of fractions: 1.3999 s are 1.4 s, not a look more.
_ROUNDING_S = 1e-3
# When a pixel was last seen as it is known is noted so often.
_NOTED_S = 1.0


@dataclass(frozen=True, slots=True)
class BackgroundSettings:
    """Times in seconds, differences in steps of 8-bit video, sizes in pixels of the small picture."""

    luma_tolerance: int = 11
    chroma_tolerance: int = 7
    learn_after_s: float = 1.4
    relearn_after_s: float = 20.0
    relearn_touched_after_s: float = 600.0
    adapt_share: float = 0.06
    change_share: float = 0.45
    change_hold_s: float = 2.0
    restart_learn_after_s: float = 4.0
    doubtful_learn_after_s: float = 12.0
    cut_learn_after_s: float = 900.0
    glimpse_s: float = 10.0
    body_cells: int = 16
    states_after_s: float = 3.0
    shift_every_s: float = 2.0
    shaky_px: float = 0.15
    shaky_s: float = 10.0
    anchored_share: float = 0.3
    misses: int = 2
    somebody_s: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Where the detector or a track says that people are: 255 in arrays (h, w) of the small picture.

    `people` are all, however weak; `cut` those weak and still ones at the picture's edge: of them too little may be seen.
    """

    people: Bytes
    cut: Bytes


class BackgroundState(Enum):
    """What the whole model is worth at this moment."""

    LEARNING = "learning"
    STEADY = "steady"
    CHANGED = "changed"


class BackgroundModel:
    """Long-term background of one camera on a small picture of shape (height, width, 3) in Y, U, V.

    Compare every frame with its `background`; call `learn` at the analysis rate, with frames in order of time.
    """

    def __init__(self, height: int, width: int, settings: BackgroundSettings | None = None) -> None:
        self._settings = settings or BackgroundSettings()
        shape = (height, width)
        self._mean = np.zeros((*shape, 3), np.float32)
        self._shown = np.zeros((*shape, 3), np.uint8)
        self._known = np.zeros(shape, np.uint8)
        self._candidate = np.zeros((*shape, 3), np.float32)
        self._stable_since = np.zeros(shape)
        self._touched = np.zeros(shape, bool)
        self._glimpsed_at = np.full(shape, -np.inf)
        self._cut_at, self._has_cut = np.full(shape, -np.inf), False
        self._previous: Bytes | None = None
        self._moved_at = np.full(shape, -np.inf)
        self._learned_at = -np.inf
        self._known_at, self._agreed_at, self._noted_at = np.full(shape, np.inf), np.full(shape, -np.inf), -np.inf
        self._least_wait = 0.0
        self._learn_after = self._settings.learn_after_s
        self._changed_until = self._anew_at = -np.inf
        self.sensor, self.weather = Sensor(), Weather()
        self._falls: Bytes | None = None
        self._somebody_at = np.full(shape, -np.inf)
        self._states, self._has_others = OtherStates(height, width), False
        self._misses = np.zeros(shape, np.uint8)
        self._is_anchored = False
        self._slack: Bytes | None = None
        self._shift_at = self._shook_at = -np.inf
        self.state = BackgroundState.LEARNING

    def _start_anew(self, at: float) -> None:
        """Forget everything and learn more slowly than at first: people may be in the picture and missed."""
        self._known = np.zeros_like(self._known)
        self._stable_since[:] = at
        self._touched[:] = False
        self._cut_at[:] = self._glimpsed_at[:] = -np.inf
        self._states.forget()
        self._has_others = False
        self._learn_after, self._anew_at = self._settings.restart_learn_after_s, at
        self._is_anchored = False
        self._changed_until = at + self._settings.change_hold_s
        self.state = BackgroundState.CHANGED

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the small picture."""
        height, width = self._known.shape
        return height, width

    @property
    def known_share(self) -> float:
        return float(np.count_nonzero(self._known)) / self._known.size

    @property
    def shown(self) -> Bytes:
        """The long-term background (height, width, 3) in Y, U, V."""
        return self._shown

    def still_since(self, agrees: Bytes, blocked: Bytes) -> npt.NDArray[np.float64]:
        """Since when a known pixel has differed and stayed the same with nobody near; infinite elsewhere."""
        different = (self._known != 0) & (agrees == 0) & (blocked == 0)
        return np.where(different, self._stable_since, np.inf)

    def stood(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """For each known pixel since when it has been known as it is, and when it was last seen so (to a second)."""
        return self._known_at, self._agreed_at

    def background(self, at: float, doubt: Doubt | None = None) -> Background:
        """What is known at this moment. It stays as it is: learning replaces the arrays, it does not write into them."""
        tolerance = self._settings.luma_tolerance, self._settings.chroma_tolerance, self._settings.chroma_tolerance
        others = Others(self._states.shown, self._states.known) if self._has_others else None
        return Background(at, self._shown, self._known, tolerance, doubt, self.sensor.levels, self.is_shaky(at), self._falls, others)

    def shift(self, picture: Bytes, at: float) -> Shift:
        """How far the levelled `picture` of time `at` lies from the place. Where the camera does not shake it is asked seldom."""
        settings = self._settings
        if not self._is_anchored:
            # Until something is known the first picture stands for the place; it proves nothing.
            self._is_anchored, self._anew_at = True, max(self._anew_at, at)
            self._mean[self._known == 0] = picture[self._known == 0]
            self._shown = cv2.convertScaleAbs(self._mean)
        shaky = self.is_shaky(at)
        if not shaky and at - self._shift_at < settings.shift_every_s:
            return STILL
        self._shift_at = at
        where = self._known if self.known_share > settings.anchored_share else np.full_like(self._known, _FULL)
        luma, known = (np.ascontiguousarray(planes[..., 0]) for planes in (picture, self._shown))
        shift = shift_of(known, luma, where)
        if max(map(abs, shift)) >= settings.shaky_px:
            self._shook_at = at
        return shift if self.is_shaky(at) else STILL

    def waits(self, at: float) -> Bytes | None:
        """255 where somebody who may stand at the edge keeps the place from being learned; None where nobody does."""
        if not self._has_cut:
            return None
        waiting = (self._cut_at > at - self._settings.cut_learn_after_s) & (self._known == 0)
        return np.where(waiting, np.uint8(_FULL), np.uint8(0))

    def is_shaky(self, at: float) -> bool:
        """Whether the camera shook in the last seconds."""
        return at - self._shook_at <= self._settings.shaky_s

    def moving(self, picture: Bytes, at: float) -> Bytes:
        """255 where `picture` of time `at` differs from the one before; the very first moves everywhere."""
        previous, self._previous = self._previous, picture
        self.sensor.look(picture, previous, at)
        if previous is None:
            moving = np.full(picture.shape[:2], _FULL, np.uint8)
        else:
            change = cv2.absdiff(picture[..., 0], previous[..., 0])
            self._slack = slack(np.ascontiguousarray(self._shown[..., 0])) if self.is_shaky(at) else None
            if self._slack is not None:
                change = cv2.subtract(change, self._slack)
            changed = self.sensor.moved(change, np.ascontiguousarray(picture[..., 0]))
            moving = self.weather.look(np.asarray(cv2.medianBlur(changed, 3), np.uint8), at)
        self._moved_at[cv2.dilate(moving, np.ones((5, 5), np.uint8)) != 0] = at
        return moving

    def recently_moved(self, at: float, within_s: float) -> Bytes:
        """255 where something moved, or moved nearby, within the last `within_s` seconds."""
        return np.where(self._moved_at > at - within_s, np.uint8(_FULL), np.uint8(0))

    def learn(self, picture: Bytes, agrees: Bytes, blocked: Bytes, doubtful: Bytes, at: float, found: Found | None = None) -> None:
        """Learn from `picture` of time `at`, nowhere where `blocked` (255: a person may be there).

        Where `doubtful` (255: a weak detection and no motion) a pixel is learned later. Where anybody was `found` (default:
        wherever it is blocked) no other state is learned.
        """
        if not 0 <= at - self._learned_at <= _MOST_GAP_S:
            # What was not seen cannot have stayed the same: every wait begins anew.
            self._stable_since[:] = at
        # Whoever looks once a second must see a pixel unchanged as often as one who looks five times.
        self._least_wait = _LEAST_LOOKS * max(0.0, min(at - self._learned_at, _MOST_GAP_S))
        self._learned_at = at
        self._watch_for_change(agrees, blocked, at)
        free = blocked == 0
        itself = agreeing_itself(self.background(at), picture) if self._has_others or self._falls is not None else agrees
        if at - self._noted_at >= _NOTED_S:
            self._noted_at = at
            self._agreed_at[agrees != 0] = at
        self._falls = self._falling(agrees, at) if self.weather.falls else None
        self._adapt(picture, (itself != 0) & free)
        if found is not None and found.cut.any():
            self._has_cut, cut = True, found.cut != 0
            # One glimpse of a post in the rain is nobody; whoever stands there is found again.
            self._cut_at[cut & (self._glimpsed_at > at - self._settings.glimpse_s) & (self._glimpsed_at < at)] = at
            self._glimpsed_at[cut] = at
        self._touched |= ((blocked != 0) | (doubtful != 0)) & (self._known != 0)
        different = (agrees == 0) | (self._known == 0)
        self._touched &= different
        self._consider(picture, different & free, doubtful != 0, at)
        self._learn_states(picture, agrees, itself, (blocked if found is None else found.people) != 0, at)

    def _learn_states(self, picture: Bytes, agrees: Bytes, itself: Bytes, people: npt.NDArray[np.bool_], at: float) -> None:
        """Take what comes back again and again for another state of the place, and where none is known yet for the place."""
        if at < self._anew_at + self._settings.states_after_s:
            return
        if self._has_others:
            self._states.seen((agrees != 0) & (itself == 0), at)
        most = max(self.sensor.levels.luma)
        new = self._states.look(picture, agrees == 0, people, cv2.bitwise_not(self._known), most, at)
        unknown = new[self._known.reshape(-1)[new] == 0]
        if unknown.size:
            self._mean.reshape(-1, 3)[unknown] = self._states.shown.reshape(-1, 3)[unknown]
            self._make_known(unknown, at)
            self._states.drop(unknown)
        if new.size or not round(at) % 10:
            self._has_others = self._states.any

    def _make_known(self, places: npt.NDArray[np.intp], at: float) -> None:
        known = self._known.copy()
        known.reshape(-1)[places] = _FULL
        self._known = known
        self._touched.reshape(-1)[places] = False
        self._known_at.reshape(-1)[places] = self._agreed_at.reshape(-1)[places] = at
        self._shown = cv2.convertScaleAbs(self._mean)

    def _falling(self, agrees: Bytes, at: float) -> Bytes:
        """Where specks may be taken for rain or snow: away from everything that is or a moment ago was large enough for somebody."""
        self._somebody_at[bodies(cv2.bitwise_and(cv2.bitwise_not(agrees), self._known)) != 0] = at
        return np.where(self._somebody_at < at - self._settings.somebody_s, np.uint8(_FULL), np.uint8(0))

    def _adapt(self, picture: Bytes, where: npt.NDArray[np.bool_]) -> None:
        cv2.accumulateWeighted(picture, self._mean, self._settings.adapt_share, where.astype(np.uint8))
        self._shown = cv2.convertScaleAbs(self._mean)

    def _consider(self, picture: Bytes, open_: npt.NDArray[np.bool_], doubtful: npt.NDArray[np.bool_], at: float) -> None:
        """A pixel that stays the same for long enough, with nobody near it, becomes background.

        Only the open pixels are touched, which are few once the background is known. The others start
        anew: their wait begins when they are open again.
        """
        np.copyto(self._stable_since, at, where=~open_)
        where = np.flatnonzero(open_)
        if not where.size:
            return
        colours, candidates = picture.reshape(-1, 3)[where], self._candidate.reshape(-1, 3)
        held, since = candidates[where], self._stable_since.reshape(-1)
        most: Bytes | int = max(self.sensor.levels.luma)
        if self._slack is not None:
            most = most + self._slack.reshape(-1)[where][:, None]
        stays = (np.abs(colours - held) <= most).all(axis=1)
        other = self._is_other(where, stays)
        candidates[where] = np.where(other[:, None], colours, np.where(stays[:, None], held + _CANDIDATE_SHARE * (colours - held), held))
        since[where[other]] = at
        if self._has_cut:
            # Whoever may have stood there has gone.
            self._cut_at.reshape(-1)[where[other]] = -np.inf
        accepted = where[stays & (at - since[where] >= self._wait(where, doubtful, at) - _ROUNDING_S)]
        if accepted.size:
            accepted = self._without_bodies(accepted)
            self._mean.reshape(-1, 3)[accepted] = candidates[accepted]
            self._make_known(accepted, at)

    def _is_other(self, where: npt.NDArray[np.intp], stays: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Which of the pixels look different now. A flake that passes is no other picture of the place."""
        if not self.weather.falls:
            return ~stays
        misses = self._misses.reshape(-1)
        count = np.where(stays, 0, misses[where] + 1)
        other = count > self._settings.misses
        misses[where] = np.where(other, 0, count)
        return np.asarray(other, np.bool_)

    def _wait(self, where: npt.NDArray[np.intp], doubtful: npt.NDArray[np.bool_], at: float) -> npt.NDArray[np.float64]:
        """For how long each pixel must stay the same before it is learned."""
        s = self._settings
        known, touched = self._known.reshape(-1)[where] != 0, self._touched.reshape(-1)[where]
        wait = np.where(known, np.where(touched, s.relearn_touched_after_s, s.relearn_after_s), self._learn_after)
        doubts = np.where(doubtful.reshape(-1)[where], s.doubtful_learn_after_s, 0)
        if self._has_cut:
            doubts[self._cut_at.reshape(-1)[where] > at - s.cut_learn_after_s] = s.cut_learn_after_s
        return np.maximum(np.maximum(wait, doubts), self._least_wait)

    def _without_bodies(self, accepted: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """Those of the `accepted` places that are no part of anything a person touched, or that reaches the picture's edge.

        The jacket of somebody who came in and stands still has no edges that move; their outline had.
        """
        again = np.zeros_like(self._known)
        again.reshape(-1)[accepted[(self._known.reshape(-1)[accepted] != 0) & ~self._touched.reshape(-1)[accepted]]] = _FULL
        if not again.any():
            return accepted
        joined = np.maximum(again, self._touched * np.uint8(_FULL))
        count, labels = cv2.connectedComponents(cv2.dilate(joined, np.ones((3, 3), np.uint8)))
        theirs = np.zeros(count, bool)
        theirs[labels[self._touched]] = True
        for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
            theirs[side] = True
        # What is smaller than anybody is a mistake of the first seconds, or weather.
        theirs &= np.bincount(labels.ravel(), weights=joined.ravel() != 0, minlength=count) >= self._settings.body_cells
        theirs[0] = False
        whole = theirs[labels] & (again != 0)
        self._touched |= whole
        return np.asarray(accepted[~whole.reshape(-1)[accepted]], np.intp)

    def _watch_for_change(self, agrees: Bytes, blocked: Bytes, at: float) -> None:
        """Light switched or camera moved: most of what was known no longer holds."""
        settings = self._settings
        known = (self._known != 0) & (blocked == 0)
        count = int(np.count_nonzero(known))
        if self.state is BackgroundState.STEADY and count > self._known.size // 8:
            gone = int(np.count_nonzero(known & (agrees == 0))) / count
            if gone > settings.change_share:
                self._start_anew(at)
                return
        if at >= self._changed_until:
            # What waits at the edge has been looked at for long enough, and stays covered.
            waits = self.waits(at)
            settled = np.count_nonzero(self._known) + (0 if waits is None else np.count_nonzero(waits))
            self.state = BackgroundState.STEADY if settled > 0.5 * self._known.size else BackgroundState.LEARNING
