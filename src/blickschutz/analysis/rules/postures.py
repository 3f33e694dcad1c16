"""Who may be down: where to look a second time, and what the look says of how a body lies.

A detector that learned upright people loses whoever falls; a network for poses finds a body in a crop as long as it is told
where, and its outline says how the body lies from any side. It is asked where somebody stood and does not any more, where a
box is wider than somebody who stands, and where the turned detector saw something; a bucket of tokens bounds the cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blickschutz.analysis.model import ANKLES, HIPS, KNEES, NOSE, SHOULDERS, Pose
from blickschutz.analysis.rules.allowance import Allowance
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Detection, Posture, Track

Floats: TypeAlias = npt.NDArray[np.float32]
Look: TypeAlias = Callable[[Box, int], Pose]

PRESENT = 0.5
_EVERY_S, _SEEN_S = 0.2, 0.4
_LOOKS_PER_S, _BURST = 0.25, 30.0
_MOST_PLACES, _MOST_TRIES = 2, 2
# How somebody is looked at: upright or turned by a quarter; the way that saw them last comes first.
_TURNS = (0, 1, 3)
_SURE = 0.8
_UPRIGHT, _SITS, _LOW, _SPREAD, _WIDE = 0.55, 0.72, 0.58, 0.85, 1.3
_LOWERED = 0.72
_WEAK, _LIKELY, _SURE_LYING = 0.12, 0.3, 0.45
_STRONG = ("track",)
_STOOD_S, _LOST_S = 6.0, (0.4, 4.0)
_REACH, _COMPANY = 1.0, 0.8
_KNOWN_S = 4.0
# From so far off upright on a body is told to the mask and to the rules about things as somebody who lies.
_LIES = 0.45
_EDGE = 0.02
_BODY_LENGTH = 3.46  # of a uniform bar, in standard deviations along it
# Most who are lost went behind something: so many looks at a weak box where they stood.
_MOST_LOST = 5
_LEAST_PX = 60
# Whoever is as tall as this share of the picture is worth a look on less: small people fall seldom and are hidden often.
_NEAR_SHARE = 0.25


@dataclass(slots=True)
class _Stood:
    """The last upright box of a track, and its height then."""

    box: Box
    at: float
    seen_at: float
    looked: int = 0


@dataclass(frozen=True, slots=True)
class _Place:
    """Somewhere to look: a box, where it comes from, and who stood there."""

    box: Box
    source: str
    score: float = 0.0
    stood: _Stood | None = None


@dataclass(slots=True)
class _Known:
    """A body that was found not upright a moment ago, and which way round it was seen best."""

    box: Box
    at: float
    turn: int
    lies: Detection | None = None


@dataclass(slots=True)
class PostureWatch:
    """Feeds on the boxes and tracks of one camera in order of time."""

    looks: int = 0
    _stood: dict[int, _Stood] = field(default_factory=dict)
    _known: list[_Known] = field(default_factory=list)
    _looked: list[tuple[Box, float]] = field(default_factory=list)
    _tries: int = 0
    _reason_at: float = -math.inf
    _looked_at: float = -math.inf
    _allowance: Allowance = field(default_factory=lambda: Allowance(_LOOKS_PER_S, _BURST))

    def bodies(self, at: float) -> tuple[Detection, ...]:
        """Who was seen lying a moment ago: people, for the mask and for the rules about things."""
        return tuple(known.lies for known in self._known if known.lies is not None and at - known.at <= _KNOWN_S)

    def is_needed(self, at: float) -> bool:
        """Whether somebody may be down who is worth a fresh look of the detector too."""
        return at - self._reason_at <= _SEEN_S and self._allowance.left >= _MOST_TRIES

    def postures(
        self, boxes: Floats, tracks: Sequence[Track], lying: Sequence[Detection], size: tuple[int, int], look: Look, at: float
    ) -> tuple[Posture, ...]:
        """Of those who were looked at now. `boxes` is (n, 5): left, top, right, bottom, score; `size` width and height."""
        self._remember(tracks, at)
        self._allowance.refill(at)
        if at - self._looked_at < _EVERY_S - 0.05 or self._allowance.left < 1:
            return ()
        places = self._places(boxes, tracks, lying, size, at)
        if not places:
            return ()
        self._looked_at = at
        if any(place.source in _STRONG for place in places):
            self._reason_at = at
        upright = [track.box for track in tracks if track.confirmed and track.box.width <= _UPRIGHT * track.box.height]
        found = [self._posture(place, upright, lying, size, look, at) for place in places[:_MOST_PLACES]]
        self._known = [known for known in self._known if at - known.at <= _KNOWN_S]
        self._looked = [(box, then) for box, then in self._looked if at - then <= _KNOWN_S]
        return tuple(one for one in found if one is not None)

    def _remember(self, tracks: Sequence[Track], at: float) -> None:
        for track in tracks:
            if track.seen_s > _SEEN_S or track.score < _LIKELY:
                continue
            known = self._stood.get(track.number)
            box = track.box
            if box.width <= _UPRIGHT * box.height and (
                known is None or box.height >= _LOWERED * known.box.height or at - known.at > _STOOD_S
            ):
                self._stood[track.number] = _Stood(box, at, at)
            elif known is not None:
                known.seen_at = at
        self._stood = {number: stood for number, stood in self._stood.items() if at - max(stood.at, stood.seen_at) <= _STOOD_S}

    def _places(self, boxes: Floats, tracks: Sequence[Track], lying: Sequence[Detection], size: tuple[int, int], at: float) -> list[_Place]:
        """Where somebody may be down, the surest reason and the longest unseen first; one for each spot."""
        found: list[_Place] = []
        stands = [track.box for track in tracks if track.confirmed and track.seen_s <= _SEEN_S and self._stands(track, size)]
        candidates: list[_Place] = []
        candidates += [*self._from_tracks(tracks, size, at), *self._from_lost(boxes, tracks, size, at)]
        found_lying = [_Place(one.box, "lying", one.score, self._who_stood(one.box, at)) for one in lying]
        candidates += [place for place in found_lying if place.score >= (_SURE_LYING if place.stood is None else _LIKELY)]
        wide = boxes[(boxes[:, 4] >= _LIKELY) & (boxes[:, 2] - boxes[:, 0] > _WIDE * (boxes[:, 3] - boxes[:, 1]))]
        candidates += [_Place(box, "box", score, self._who_stood(box, at)) for box, score in _rows(wide)]
        for place in candidates:
            # Somebody who stands there now hides whatever a weak box or an older look made of them.
            if not any(other.box.holds(place.box.centre) for other in found) and not any(box.holds(place.box.centre) for box in stands):
                found.append(place)
        return sorted(found, key=lambda place: (-self._waited(place.box, at), place.stood is None))

    def _stands(self, track: Track, size: tuple[int, int]) -> bool:
        """Neither lower than they stood nor wide; whoever is cut by the lower edge walks out of the picture."""
        box, stood = track.box, self._stood.get(track.number)
        if box.bottom >= (1 - _EDGE) * size[1]:
            return box.width <= _WIDE * box.height
        lowered = stood is not None and box.height < _LOWERED * stood.box.height
        near = stood is not None and stood.box.height >= _NEAR_SHARE * size[1]
        return not (lowered and near) and box.width <= (_LOW if lowered else _SPREAD) * box.height

    def _from_tracks(self, tracks: Sequence[Track], size: tuple[int, int], at: float) -> Iterator[_Place]:
        for track in tracks:
            box, stood = track.box, self._stood.get(track.number)
            if track.confirmed and track.seen_s <= _SEEN_S and not self._stands(track, size):
                yield _Place(box, "track", track.score, stood or self._who_stood(box, at))

    def _from_lost(self, boxes: Floats, tracks: Sequence[Track], size: tuple[int, int], at: float) -> Iterator[_Place]:
        least, most = _LOST_S
        followed = [track for track in tracks if track.confirmed and track.seen_s <= _SEEN_S]
        for number, stood in self._stood.items():
            gone = at - max(stood.at, stood.seen_at)
            if (
                not least <= gone <= most
                or stood.box.height < _LEAST_PX
                or any(track.number == number for track in followed)
                or _left(stood.box, size)
            ):
                continue
            # Whoever goes behind others is hidden, and their legs look like somebody lying.
            if any(math.dist(track.box.foot, stood.box.foot) <= _COMPANY * stood.box.height for track in followed):
                continue
            near = [row for row in _rows(boxes) if row[1] >= _WEAK and _may_lie(row[0], stood.box)]
            if near and stood.looked < _MOST_LOST:
                box, score = max(near, key=lambda row: row[1])
                yield _Place(box, "lost", score, stood)
            elif stood.looked == 0 and stood.box.height >= _NEAR_SHARE * size[1]:
                (x, y), height = stood.box.foot, stood.box.height
                yield _Place(Box(x - 0.5 * height, y - 0.45 * height, x + 0.5 * height, y + 0.1 * height), "lost", 0.0, stood)

    def _who_stood(self, box: Box, at: float) -> _Stood | None:
        near = [stood for stood in self._stood.values() if math.dist(box.centre, stood.box.foot) <= _REACH * stood.box.height]
        return min(near, key=lambda stood: at - stood.at, default=None)

    def _waited(self, box: Box, at: float) -> float:
        """Whoever was found down is looked at each time, everybody else in turn."""
        if any(known.box.holds(box.centre) for known in self._known):
            return math.inf
        return min((at - then for other, then in self._looked if other.holds(box.centre)), default=_KNOWN_S)

    def _posture(
        self, place: _Place, upright: Sequence[Box], lying: Sequence[Detection], size: tuple[int, int], look: Look, at: float
    ) -> Posture | None:
        known = next((one for one in reversed(self._known) if one.box.holds(place.box.centre)), None)
        best: tuple[Pose, int] | None = None
        plain = math.nan
        self._looked.append((place.box, at))
        if place.source == "lost" and place.stood is not None:
            place.stood.looked += 1
        for box, turn in self._ways(place, known):
            if not self._allowance.spend():
                break
            self.looks += 1
            pose = look(box, turn)
            plain = pose.presence if turn == 0 else plain
            if best is None or pose.presence > best[0].presence:
                best = pose, turn
            if pose.presence >= _SURE:
                break
        if best is None or best[0].outline is None:
            return None
        pose, turn = best
        outline = best[0].outline
        moved = math.nan
        if known is not None and known.at < at:
            moved = math.dist(outline.centre, known.box.centre) / max(1.0, outline.along * _BODY_LENGTH) / (at - known.at)
        if pose.presence >= PRESENT and outline.lean > math.pi / 5:
            x, y = outline.centre
            half = max(outline.box.width, outline.box.height) / 2
            lies = Detection(outline.box, pose.presence) if outline.lean > _LIES * math.pi / 2 else None
            self._known = [one for one in self._known if one is not known]
            self._known.append(_Known(Box(x - half, y - half, x + half, y + half), at, turn, lies))
        score = max((one.score for one in lying if place.box.holds(one.box.centre)), default=0.0)
        beside = any(box is not place.box and box.shared(outline.box) / max(1.0, min(box.area, outline.box.area)) > 0.3 for box in upright)
        figures = _figures(place, pose, turn, plain, (score, float(beside), moved), size, at)
        return Posture(outline.box, pose.presence, outline.lean / (math.pi / 2), figures)

    def _ways(self, place: _Place, known: _Known | None) -> list[tuple[Box, int]]:
        """The way that saw somebody last, then another, in turn."""
        first = known.turn if known is not None else 1 if place.source == "lying" else 0
        self._tries += 1
        others = [turn for turn in _TURNS if turn != first]
        return [(place.box, first), (place.box, others[self._tries % len(others)])]


def _figures(
    place: _Place, pose: Pose, turn: int, plain: float, around: tuple[float, float, float], size: tuple[int, int], at: float
) -> tuple[float, ...]:
    """In the order of `POSTURE_FIGURES`. `around`: the turned detector's score, whether somebody stands there, and how it moved."""
    outline, stood = pose.outline, place.stood
    assert outline is not None
    lying, beside, moved = around
    box, length = outline.box, outline.along * _BODY_LENGTH
    shoulders, hips, knees, ankles = (pose.middle(part) for part in (SHOULDERS, HIPS, KNEES, ANKLES))
    trunk, legs = math.dist(shoulders, hips), math.dist(hips, ankles)
    head = pose.points[NOSE, :2].tolist()
    return (
        pose.presence,
        plain,
        float(turn != 0),
        outline.lean / (math.pi / 2),
        outline.across / max(1e-6, outline.along),
        outline.area / max(1.0, box.area),
        box.width / max(1.0, box.height),
        place.box.width / max(1.0, place.box.height),
        abs(hips[0] - shoulders[0]) / max(1.0, trunk),
        abs(ankles[0] - hips[0]) / max(1.0, legs),
        (head[1] - hips[1]) / max(1.0, length),
        math.dist(shoulders, knees) / max(1.0, length),
        float(pose.points[[*SHOULDERS, *HIPS, *KNEES, *ANKLES], 2].mean()),
        float(stood is not None),
        at - stood.at if stood is not None else math.nan,
        box.height / stood.box.height if stood is not None else math.nan,
        length / stood.box.height if stood is not None else math.nan,
        math.dist(outline.centre, stood.box.foot) / stood.box.height if stood is not None else math.nan,
        lying,
        place.score,
        *(float(place.source == name) for name in ("lying", "track", "lost")),
        beside,
        float(box.touches_edge(*size)),
        box.height / max(1, size[1]),
        moved,
    )


def _rows(boxes: Floats) -> list[tuple[Box, float]]:
    return [(Box(*sides), score) for *sides, score in boxes.tolist()]


def _may_lie(box: Box, standing: Box) -> bool:
    """Whether somebody who stood in one box can be down in the other."""
    near = math.dist(box.centre, standing.foot) <= _REACH * standing.height
    return near and box.height < _LOWERED * standing.height and box.width > _LOW * box.height and box.height > 0.15 * standing.height


def _left(box: Box, size: tuple[int, int]) -> bool:
    """Whether somebody last seen there walked out of the picture."""
    margin = _EDGE * size[0]
    return box.left <= margin or box.right >= size[0] - margin or box.top <= 0 or box.bottom >= (1 - _EDGE) * size[1]
