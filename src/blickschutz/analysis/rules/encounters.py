"""Who is close to whom, and how the two stand to each other: a second look at both before anybody believes in a pair.

The detector's boxes are weak where people hold each other, so weak ones count as a reason to look; two of them may be one
body, a coat or a bush. A pose tells: nobody is there, both boxes hold the same body, or two people stand together.
Looks are few: at the liveliest pairs alone, and no more than a bucket of tokens allows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blickschutz.analysis.model import ANKLES, HIPS, NOSE, SHOULDERS, WRISTS, Pose
from blickschutz.analysis.rules.allowance import Allowance
from blickschutz.analysis.rules.motion import Bytes, Motion, make_flow, measure
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Encounter

Floats: TypeAlias = npt.NDArray[np.float32]
Look: TypeAlias = Callable[[Box], Pose]

PRESENT = 0.3
NEAR_HEIGHTS = 1.2
_BODY_SHARE = 0.65
_LEAST_SCORE = 0.12
_ALIKE = 2.0
_SAME_BOX = 0.6
_SAME_BODY_HEIGHTS = 0.12
_MOST_PAIRS, _MOST_ENCOUNTERS = 4, 2
# What the motion of a pair must come to before anybody looks at them: a logistic regression over two figures (its value, not its
# probability), which keeps nine tenths of the moments of fights and a quarter of those of people who walk together.
_SPREAD, _LIMBS, _MOST_LIMBS, _LIVELY = 7.85, 1.52, 3.0, 2.5
# The fewer looks are left the more it must come to, so that a lively place keeps some for what is livelier still.
_DEARER = 2.5
_WEAK = 0.1
_LOOKS_PER_S, _BURST = 0.4, 40.0
_TRUNKS = 2.7
_AROUND_HEIGHTS = 1.5
_SEEN = 0.3
_REACH_MOST = 2.0
_SAME_PERSON = (0.5, 1.6)
_REMEMBER_S = 0.7


@dataclass(frozen=True, slots=True)
class _Person:
    """A box with its score, and what the second look said; without one the box alone gives middle and height."""

    box: Box
    score: float
    pose: Pose | None = None

    @property
    def known(self) -> bool:
        return self.pose is not None and self.pose.presence >= PRESENT

    @property
    def body(self) -> float:
        return max(self.box.height, _TRUNKS * self.pose.trunk) if self.pose is not None and self.known else self.box.height

    @property
    def middle(self) -> tuple[float, float]:
        return self.pose.middle(HIPS) if self.pose is not None and self.known else self.box.centre


@dataclass(frozen=True, slots=True)
class _Strides:
    """How somebody moved since the last look, in body heights (and half turns) per second."""

    hands: float
    feet: float
    hips: float
    turning: float


class EncounterWatch:
    """Feeds on the detector's boxes of one camera in order of time."""

    def __init__(self) -> None:
        self._flow = make_flow()
        self._allowance = Allowance(_LOOKS_PER_S, _BURST)
        self._poses: list[tuple[Pose, float]] = []
        self._posed_at = -math.inf
        self._lively_at = -math.inf
        self.looks = 0

    def is_lively(self, at: float) -> bool:
        """Whether two moved hard a moment ago and a look at them may still be spent."""
        return at - self._lively_at <= _REMEMBER_S and self._allowance.left >= 2

    def encounters(
        self, boxes: Floats, crowd: Sequence[Box], pictures: tuple[Bytes, Bytes, float], least: float, look: Look | None, at: float
    ) -> tuple[Encounter, ...]:
        """The liveliest pairs of this moment, at most two.

        `boxes` is (n, 5): left, top, right, bottom, score; `crowd` everybody who is surely followed; `pictures` luma of
        a moment before and of now and the seconds between; `least` the height in pixels that a pair fills at the least.
        """
        before, now, elapsed = pictures
        found = []
        for pair in near_pairs(boxes, least):
            motion = measure(self._flow, before, now, elapsed, (pair[0].box, pair[1].box))
            if motion is not None:
                found.append((motion, pair))
        # The liveliest first, but a weak box that trembles is no reason to overlook two whose bodies are seen.
        found.sort(key=lambda item: -item[0].limbs_1 * (_WEAK + min(person.score for person in item[1])))
        seen: dict[Box, Pose] = {}
        met = [self._encounter(motion, pair, crowd, now.shape[0], look, seen, at) for motion, pair in found[:_MOST_ENCOUNTERS]]
        if seen:
            self._poses = [(pose, box.height) for box, pose in seen.items() if pose.presence >= PRESENT]
            self._posed_at = at
        return tuple(item for item in met if item is not None)

    def _encounter(
        self,
        motion: Motion,
        pair: tuple[_Person, _Person],
        crowd: Sequence[Box],
        height: int,
        look: Look | None,
        seen: dict[Box, Pose],
        at: float,
    ) -> Encounter | None:
        looked = look is not None and self._may_look(motion, pair, seen, at)
        if look is not None and looked:
            for person in pair:
                if person.box not in seen:
                    seen[person.box] = look(person.box)
                    self.looks += 1
            pair = (replace(pair[0], pose=seen[pair[0].box]), replace(pair[1], pose=seen[pair[1].box]))
        first, second = pair
        body = (first.body + second.body) / 2
        distance = math.dist(first.middle, second.middle) / body
        if distance > NEAR_HEIGHTS or _one_body(first, second, body):
            return None
        united = first.box.united(second.box)
        around = sum(math.dist(other.centre, united.centre) < _AROUND_HEIGHTS * body for other in crowd)
        shared = first.box.shared(second.box)
        least, greatest = sorted((first.score, second.score))
        place = (
            distance,
            shared / max(1e-9, first.box.area + second.box.area - shared),
            shared / max(1e-9, min(first.box.area, second.box.area)),
            united.height / height,
            max(first.body, second.body) / min(first.body, second.body),
            *(greatest, least, float(around), float(len(crowd))),
        )
        figures = (*motion, *place, *self._posture(pair, body, at))
        bodies = sum(person.known for person in pair) if looked else None
        return Encounter(united, body, distance, motion.limbs_1, motion.spread, bodies, figures)

    def _may_look(self, motion: Motion, pair: tuple[_Person, _Person], seen: dict[Box, Pose], at: float) -> bool:
        self._allowance.refill(at)
        needed = len({person.box for person in pair} - set(seen))
        least = _LIVELY + _DEARER * (1 - self._allowance.left / _BURST)
        if _SPREAD * motion.spread + _LIMBS * min(motion.limbs_1, _MOST_LIMBS) < least or not self._allowance.spend(needed):
            return False
        self._lively_at = at
        return True

    def _posture(self, pair: tuple[_Person, _Person], body: float, at: float) -> tuple[float, ...]:
        """presence, reach, tilt, raised, extended, lean, then how both moved since the last look."""
        if pair[0].pose is None or pair[1].pose is None:
            return (math.nan,) * 14
        least, greatest = sorted(person.pose.presence for person in pair if person.pose is not None)
        poses = [person.pose for person in pair if person.pose is not None and person.known]
        if not poses:
            return (greatest, least, *(math.nan,) * 12)
        tilts = sorted(pose.tilt for pose in poses)
        shoulders = [(pose, pose.middle(SHOULDERS)) for pose in poses]
        wrists = [(pose.points[index], middle) for pose, middle in shoulders for index in WRISTS]
        moved = [stride for pose in poses if (stride := self._stride(pose, body, at)) is not None]
        hands, hips = (sorted(values) or [math.nan] for values in ([m.hands for m in moved], [m.hips for m in moved]))
        return (
            greatest,
            least,
            _reach(poses[0], poses[1], body) if len(poses) == 2 else math.nan,
            *(tilts[-1], tilts[0]),
            max((middle[1] - float(wrist[1])) / body for wrist, middle in wrists),
            max(math.dist(wrist[:2].tolist(), middle) / body for wrist, middle in wrists),
            max((pose.outline.lean / (math.pi / 2) if pose.outline is not None else 0.0) for pose in poses),
            *(hands[-1], hands[0], max((m.feet for m in moved), default=math.nan), hips[-1], hips[0]),
            max((m.turning for m in moved), default=math.nan),
        )

    def _stride(self, pose: Pose, body: float, at: float) -> _Strides | None:
        """Against the nearest pose of the last look, where it can be the same person's."""
        elapsed = at - self._posed_at
        if not 0 < elapsed <= _REMEMBER_S:
            return None
        far, larger = _SAME_PERSON
        known = [
            (math.dist(pose.middle(HIPS), other.middle(HIPS)) / body, other) for other, height in self._poses if height < larger * body
        ]
        way, other = min(known, key=lambda item: item[0], default=(math.inf, pose))
        if way > far:
            return None
        own, before = (item.points[:, :2] - item.middle(HIPS) for item in (pose, other))
        speed = np.hypot(*(own - before).T) / (body * elapsed) * np.minimum(pose.points[:, 2], other.points[:, 2])
        hands, feet = (float(speed[list(points)].max()) for points in (WRISTS, ANKLES))
        return _Strides(hands, feet, way / elapsed, abs(pose.tilt - other.tilt) / math.pi / elapsed)


def near_pairs(boxes: Floats, least: float) -> list[tuple[_Person, _Person]]:
    """Boxes of about the same size whose middles are at most `NEAR_HEIGHTS` apart, the surest pairs first, at most four.

    Together they are at least `least` pixels tall, and on the mean two thirds of that. Two boxes that overlap so much
    that one body would do for both are none.
    """
    rows = boxes[boxes[:, 4] >= _LEAST_SCORE].astype(np.float64)
    left, top, right, bottom, score = rows.T
    height = bottom - top
    x, y = (left + right) / 2, (top + bottom) / 2
    greater, lesser = np.maximum.outer(height, height), np.minimum.outer(height, height)
    large = greater + lesser >= 2 * _BODY_SHARE * least
    near = np.hypot(np.subtract.outer(x, x), np.subtract.outer(y, y)) <= NEAR_HEIGHTS * (greater + lesser) / 2
    tall = np.maximum.outer(bottom, bottom) - np.minimum.outer(top, top) >= least
    pairs = np.argwhere(np.triu(near & tall & large & (greater < _ALIKE * lesser), 1)).tolist()
    pairs.sort(key=lambda pair: -min(score[pair[0]], score[pair[1]]))
    found = []
    for one, other in pairs:
        first, second = (_Person(Box(*rows[index, :4].tolist()), float(score[index])) for index in (one, other))
        shared = first.box.shared(second.box)
        if shared <= _SAME_BOX * (first.box.area + second.box.area - shared):
            found.append((first, second))
        if len(found) == _MOST_PAIRS:
            break
    return found


def _one_body(first: _Person, second: _Person, body: float) -> bool:
    if first.pose is None or second.pose is None or not (first.known and second.known):
        return False
    apart = np.hypot(*(first.pose.points[:, :2] - second.pose.points[:, :2]).T).mean() / body
    return bool(apart < _SAME_BODY_HEIGHTS)


def _reach(first: Pose, second: Pose, body: float) -> float:
    """Least way from a hand of one to the head, the shoulders or the trunk of the other, in body heights."""
    best = _REACH_MOST
    for own, other in ((first, second), (second, first)):
        (sx, sy), (hx, hy) = other.middle(SHOULDERS), other.middle(HIPS)
        targets = (other.points[NOSE, :2].tolist(), (sx, sy), ((sx + hx) / 2, (sy + hy) / 2))
        for index in WRISTS:
            x, y, seen, _ = own.points[index].tolist()
            if seen > _SEEN:
                best = min(best, *(math.dist((x, y), target) / body for target in targets))
    return best
