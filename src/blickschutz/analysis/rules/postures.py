"""Who may be down: what a second look says of how a body lies.

A detector that learned upright people loses whoever falls; a network for poses finds a body in a crop as long as it is told
where (`fallen`), and its outline says how the body lies from any side. A bucket of tokens bounds the cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from blickschutz.analysis.model import ANKLES, HIPS, KNEES, NOSE, SHOULDERS, Pose
from blickschutz.analysis.rules.allowance import Allowance
from blickschutz.analysis.rules.fallen import SEEN_S, UPRIGHT, Around, Fallen, Place
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Detection, Posture

Look: TypeAlias = Callable[[Box, int], Pose]

PRESENT = 0.5
_EVERY_S = 0.2
_LOOKS_PER_S, _BURST = 0.25, 30.0
_MOST_PLACES, _LEAST_TRIES = 2, 2
# As long as so many looks are left somebody is looked at in all ways, and reasons that are doubtful count too.
_PLENTY, _RESERVE = 15.0, 10.0
# How often the detector looks at somebody who sinks: fresh looks in a row, and a second in the long run.
_FRESH_S, _FRESH_PER_S, _FRESH_BURST = 0.7, 0.25, 15.0
# Whoever came into view is seen a second time at the next picture: who falls at once is known to have stood then.
_CAME_S = 0.3
# How somebody is looked at: upright or turned by a quarter; the way that saw them last comes first.
_TURNS = (0, 1, 3)
_SURE = 0.8
_STRONG = ("track",)
_KNOWN_S = 4.0
# Furniture and people who sit look like somebody down again and again: so many looks in vain, then seldom.
_VAIN, _MOST_VAIN, _MOST_WAIT_S, _LOOKED_S = 4, 12, 6.0, 12.0
_OFF_UPRIGHT = math.pi / 5
# From so far off upright on a body is told to the mask and to the rules about things as somebody who lies.
_LIES = 0.45
_BODY_LENGTH = 3.46  # of a uniform bar, in standard deviations along it


@dataclass(slots=True)
class _Known:
    """A body that was found not upright a moment ago, and which way round it was seen best."""

    box: Box
    at: float
    turn: int
    lies: Detection | None = None


@dataclass(slots=True)
class _Looked:
    """A place that was looked at, and how often in vain: nobody was there, or somebody upright."""

    box: Box
    at: float
    vain: int = 0

    def waits(self, at: float) -> bool:
        """Whether enough looks were spent here for now: each one in vain doubles the time to the next."""
        return self.vain > _VAIN and at - self.at < min(_MOST_WAIT_S, _EVERY_S * 2 ** (self.vain - _VAIN))


@dataclass(slots=True)
class PostureWatch:
    """Feeds on the boxes and tracks of one camera in order of time."""

    looks: int = 0
    _fallen: Fallen = field(default_factory=Fallen)
    _known: list[_Known] = field(default_factory=list)
    _looked: list[_Looked] = field(default_factory=list)
    _tries: int = 0
    _reason_at: float = -math.inf
    _sank_at: float = -math.inf
    _came: Sequence[Box] = ()
    _came_at: float = -math.inf
    _looked_at: float = -math.inf
    _allowance: Allowance = field(default_factory=lambda: Allowance(_LOOKS_PER_S, _BURST))
    _fresh: Allowance = field(default_factory=lambda: Allowance(_FRESH_PER_S, _FRESH_BURST))

    def bodies(self, at: float) -> tuple[Detection, ...]:
        """Who was seen lying a moment ago: people, for the mask and for the rules about things."""
        return tuple(known.lies for known in self._known if known.lies is not None and at - known.at <= _KNOWN_S)

    def is_needed(self, at: float) -> bool:
        """Whether somebody may be down, or falls, who is worth a fresh look of the detector too."""
        down = at - self._reason_at <= SEEN_S and self._allowance.left >= _LEAST_TRIES
        return down or (at - self._sank_at <= _FRESH_S and self._fresh.left >= 1)

    def newcomers(self, at: float) -> Sequence[Box]:
        """Who came near at the last picture and is worth a second look at this one."""
        return self._came if at - self._came_at <= _CAME_S else ()

    def postures(self, around: Around, look: Look, at: float) -> tuple[Posture, ...]:
        """Of those who were looked at now."""
        self._allowance.refill(at)
        self._fresh.refill(at)
        sinks, came = self._fallen.remember(around.tracks, around.size, at)
        self._sank_at = at if sinks else self._sank_at
        if at - self._sank_at <= _FRESH_S:
            self._fresh.spend()
        self._came, self._came_at = came if came and self._fresh.spend() else (), at
        if at - self._looked_at < _EVERY_S - 0.05 or self._allowance.left < 1:
            return ()
        places = [place for place in self._fallen.places(around, at) if self._is_due(place, at)]
        if not places:
            return ()
        self._looked_at = at
        if any(place.source in _STRONG for place in places):
            self._reason_at = at
        # The longest unseen first, and of them who is known to have stood.
        places.sort(key=lambda place: (-self._waited(place.box, at), place.stood is None))
        upright = [track.box for track in around.tracks if track.confirmed and track.box.width <= UPRIGHT * track.box.height]
        found = [self._posture(place, upright, around, look, at) for place in places[:_MOST_PLACES]]
        self._known = [known for known in self._known if at - known.at <= _KNOWN_S]
        self._looked = [looked for looked in self._looked if at - looked.at <= _LOOKED_S]
        return tuple(one for one in found if one is not None)

    def _is_due(self, place: Place, at: float) -> bool:
        if place.doubtful and self._allowance.left < _RESERVE:
            return False
        last = self._last_look(place.box)
        # Who fell a moment ago is looked at whatever was in vain there before.
        return last is None or (place.stood is not None and place.stood.fell and last.vain <= _MOST_VAIN) or not last.waits(at)

    def _last_look(self, box: Box) -> _Looked | None:
        return next((looked for looked in reversed(self._looked) if looked.box.holds(box.centre)), None)

    def _waited(self, box: Box, at: float) -> float:
        """Whoever was found down is looked at each time, everybody else in turn."""
        if any(known.box.holds(box.centre) for known in self._known):
            return math.inf
        last = self._last_look(box)
        return at - last.at if last is not None else _LOOKED_S

    def _posture(self, place: Place, upright: Sequence[Box], around: Around, look: Look, at: float) -> Posture | None:
        known = next((one for one in reversed(self._known) if one.box.holds(place.box.centre)), None)
        best: tuple[Pose, int] | None = None
        plain = math.nan
        looked = self._look_again(place, at)
        if place.source == "lost" and place.stood is not None:
            place.stood.looked += 1
        for turn in self._ways(place, known):
            if not self._allowance.spend():
                break
            self.looks += 1
            pose = look(place.box, turn)
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
        if pose.presence >= PRESENT and outline.lean > _OFF_UPRIGHT:
            looked.vain = 0
            x, y = outline.centre
            half = max(outline.box.width, outline.box.height) / 2
            lies = Detection(outline.box, pose.presence) if outline.lean > _LIES * math.pi / 2 else None
            self._known = [one for one in self._known if one is not known]
            self._known.append(_Known(Box(x - half, y - half, x + half, y + half), at, turn, lies))
        score = max((one.score for one in around.lying if place.box.holds(one.box.centre)), default=0.0)
        beside = any(box is not place.box and box.shared(outline.box) / max(1.0, min(box.area, outline.box.area)) > 0.3 for box in upright)
        figures = _figures(place, pose, turn, plain, (score, float(beside), moved), around.size, at)
        return Posture(outline.box, pose.presence, outline.lean / (math.pi / 2), figures)

    def _look_again(self, place: Place, at: float) -> _Looked:
        """Noted as in vain, until it is not."""
        last = self._last_look(place.box)
        if last is not None:
            self._looked.remove(last)
        looked = _Looked(place.box, at, last.vain + 1 if last is not None else 1)
        self._looked.append(looked)
        return looked

    def _ways(self, place: Place, known: _Known | None) -> list[int]:
        """The way that saw somebody last, then another in turn, or all."""
        first = known.turn if known is not None else 1 if place.source == "lying" else 0
        self._tries += 1
        others = [turn for turn in _TURNS if turn != first]
        others = others[:: -1 if self._tries % 2 else 1]
        return [first, *(others if self._allowance.left >= _PLENTY else others[:1])]


def _figures(
    place: Place, pose: Pose, turn: int, plain: float, around: tuple[float, float, float], size: tuple[int, int], at: float
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
        (outline.centre[1] - stood.box.top) / stood.box.height if stood is not None else math.nan,
        float(stood is not None and stood.fell),
    )
