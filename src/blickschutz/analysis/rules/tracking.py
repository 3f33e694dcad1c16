"""Follow people from detection to detection: boxes in, tracks out. No appearance, no identity.

A two-stage association after Zhang et al. 2022, "ByteTrack": good detections first, then weak ones for
tracks that found none; a weak detection never starts a track. Motion is constant velocity with an
alpha-beta filter per side of the box.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import lap
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box, pairwise_iou

Floats: TypeAlias = npt.NDArray[np.float32]

_UNREACHABLE = 1e3
_STILL = Box(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Thresholds of the tracker; times in seconds."""

    start_score: float = 0.4
    good_score: float = 0.25
    weak_score: float = 0.2
    confirm_hits: int = 2
    coast_s: float = 1.0
    unconfirmed_coast_s: float = 0.6
    least_affinity: float = 0.2
    alpha: float = 0.9
    beta: float = 0.4


@dataclass(slots=True)
class Candidate:
    """One followed person: the filtered box and the velocity of its sides in pixels per second.

    `stands_out` (`kernel.scene.Detection`) is set by whoever knows the background.
    """

    number: int
    box: Box
    velocity: Box = _STILL
    score: float = 0.0
    hits: int = 1
    seen_at: float = 0.0
    born_at: float = 0.0
    stands_out: bool = False

    def predicted(self, at: float) -> Box:
        """The box at time `at`; it moves with the centre's velocity and keeps its size."""
        elapsed = min(at - self.seen_at, 1.0)
        dx, dy = self.velocity.centre
        return self.box.moved(dx * elapsed, dy * elapsed)


class Tracker:
    """Feeds on detections in order of time; `update` returns what is followed at that moment."""

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self._settings = settings or TrackerSettings()
        self._candidates: list[Candidate] = []
        self._next = 1

    def reset(self) -> None:
        """Forget everybody (the camera was lost or moved)."""
        self._candidates.clear()

    @property
    def candidates(self) -> Sequence[Candidate]:
        """All that are followed, the unconfirmed ones too."""
        return self._candidates

    def update(self, detections: Floats, at: float, parts: Sequence[Box] = ()) -> Sequence[Candidate]:
        """Take detections (n, 5: left, top, right, bottom, score) of time `at` and return the confirmed tracks.

        With `parts` only these were looked at: a track outside them goes on as it moved.
        """
        settings = self._settings
        seen = [c for c in self._candidates if not parts or any(part.holds(c.predicted(at).centre) for part in parts)]
        good = detections[detections[:, 4] >= settings.good_score]
        weak = detections[(detections[:, 4] < settings.good_score) & (detections[:, 4] >= settings.weak_score)]
        waiting, unused = self._associate(seen, good, at)
        waiting, _ = self._associate(waiting, weak, at)
        for index in unused:
            if good[index, 4] >= settings.start_score:
                self._start(good[index], at)
        lost = {c.number for c in waiting if at - c.seen_at > self._patience(c)}
        self._candidates = [c for c in self._candidates if c.number not in lost]
        return [c for c in self._candidates if self.is_confirmed(c)]

    def is_confirmed(self, track: Candidate) -> bool:
        """Whether the track was seen often enough to be more than a flicker of the detector."""
        return track.hits >= self._settings.confirm_hits

    def _patience(self, track: Candidate) -> float:
        settings = self._settings
        return settings.coast_s if self.is_confirmed(track) else settings.unconfirmed_coast_s

    def _associate(self, tracks: Sequence[Candidate], boxes: Floats, at: float) -> tuple[list[Candidate], list[int]]:
        if not len(tracks) or not len(boxes):
            return list(tracks), list(range(len(boxes)))
        predicted = np.array([track.predicted(at) for track in tracks], np.float32)
        affinity = _affinity(predicted, boxes[:, :4])
        cost = np.where(affinity >= self._settings.least_affinity, 1 - affinity, _UNREACHABLE)
        _, columns, _ = lap.lapjv(cost.astype(np.float64), extend_cost=True, cost_limit=_UNREACHABLE / 2)
        matched = {row: int(column) for row, column in enumerate(columns) if column >= 0}
        for row, column in matched.items():
            self._correct(tracks[row], boxes[column], at)
        used = set(matched.values())
        return [t for row, t in enumerate(tracks) if row not in matched], [i for i in range(len(boxes)) if i not in used]

    def _correct(self, track: Candidate, row: Floats, at: float) -> None:
        elapsed = max(1e-3, at - track.seen_at)
        predicted = track.predicted(at)
        *sides, score = row.tolist()
        gain = max(self._settings.alpha, 1 / (track.hits + 1))
        beta = self._settings.beta
        residual = [side - guess for side, guess in zip(sides, predicted, strict=True)]
        track.box = Box(*(guess + gain * rest for guess, rest in zip(predicted, residual, strict=True)))
        track.velocity = Box(*(speed + beta * rest / elapsed for speed, rest in zip(track.velocity, residual, strict=True)))
        track.score, track.seen_at, track.hits = score, at, track.hits + 1

    def _start(self, row: Floats, at: float) -> None:
        *sides, score = row.tolist()
        track = Candidate(self._next, Box(*sides), score=score, seen_at=at, born_at=at)
        self._candidates.append(track)
        self._next += 1


def _affinity(first: Floats, second: Floats) -> Floats:
    """Overlap of boxes grown by a third, so that a fast walker still meets their own next detection."""
    margin = np.array([-1, -1, 1, 1], np.float32) / 3
    sizes = [np.tile(boxes[:, 2:] - boxes[:, :2], 2) for boxes in (first, second)]
    grown = [(boxes + margin * size).astype(np.float32) for boxes, size in zip((first, second), sizes, strict=True)]
    return pairwise_iou(grown[0], grown[1])


@dataclass(frozen=True, slots=True)
class TrackPoint:
    """A track in one frame of a file."""

    frame: int
    number: int
    box: Box
    score: float


def fill_gaps(points: Sequence[TrackPoint], analysed: Sequence[int], least_points: int = 2) -> list[TrackPoint]:
    """All points, by frame and number, and between two points of a track those frames where it was hidden.

    `analysed` are the frames that were looked at, in order. Tracks with fewer than `least_points` are left out.
    """
    by_number: dict[int, list[TrackPoint]] = {}
    for point in points:
        by_number.setdefault(point.number, []).append(point)
    order = {frame: position for position, frame in enumerate(analysed)}
    result: list[TrackPoint] = []
    for track in by_number.values():
        if len(track) < least_points:
            continue
        result.append(track[0])
        for first, last in itertools.pairwise(track):
            for frame in analysed[order[first.frame] + 1 : order[last.frame]]:
                share = (frame - first.frame) / (last.frame - first.frame)
                result.append(TrackPoint(frame, first.number, first.box.towards(last.box, share), min(first.score, last.score)))
            result.append(last)
    return sorted(result, key=lambda point: (point.frame, point.number))
