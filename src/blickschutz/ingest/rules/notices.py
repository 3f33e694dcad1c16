"""What a camera's own events mean here: topics of ONVIF to kinds of situations, one beginning and one end for each, never too many.

A topic that no kind declares means nothing: what recognises a person (faces, plates) is never taken, whatever a camera offers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from blickschutz.ingest.model import Found
from blickschutz.ingest.rules.onvif import DIRECT, Notice
from blickschutz.situations.kinds import DECLARED, Kind

_TOPICS: Mapping[str, Kind] = {topic: kind for kind, declared in DECLARED.items() for topic in declared.onvif}
_MOTION = ("VideoSource/MotionAlarm", "RuleEngine/CellMotionDetector", "RuleEngine/MotionRegionDetector")
_PEOPLE = frozenset({"human", "person", "people"})
_TRUE, _FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})
# At once so many begin, then one every so many seconds; a camera that has more to tell tells nothing.
_BURST, _EVERY_S, MOST_ACTIVE = 10, 2.0, 64


def kind_of(notice: Notice, motion: Kind | None) -> Kind | None:
    """What a topic stands for; `motion` is what a plain alarm of motion is to count as, None for nothing."""
    if notice.topic.startswith(_MOTION):
        return motion
    if notice.topic.startswith(DIRECT):
        return next((kind for kind in Kind if kind.value == notice.topic.removeprefix(DIRECT)), None)
    return next((kind for topic, kind in _TOPICS.items() if notice.topic == topic or notice.topic.startswith(f"{topic}/")), None)


def state_of(notice: Notice) -> bool | None:
    """Whether it is so now; None for what happened in a moment."""
    if notice.over:
        return False
    for name, value in notice.data:
        if name == "ClassTypes":
            return bool({one.lower() for one in re.split(r"[\s,]+", value)} & _PEOPLE)
        if value.lower() in _TRUE | _FALSE:
            return value.lower() in _TRUE
    return None


class Notices:
    """Turns what one camera tells into what is told of it. `refused` counts what came too often."""

    def __init__(self, motion: Kind | None) -> None:
        self._motion = motion
        self._active: dict[str, Found] = {}
        self._over: set[str] = set()
        self._left, self._filled = float(_BURST), float("-inf")
        self.refused = 0

    def take(self, notice: Notice, now: float) -> list[Found]:
        """`now` is monotonic."""
        kind = kind_of(notice, self._motion)
        if kind is None:
            return []
        state, number = state_of(notice), _identity(notice)
        if state is False:
            known = self._active.pop(number, None)
            if known is None and number not in self._over and len(self._over) < MOST_ACTIVE:
                # What an earlier life of this process told may still be open; once is enough.
                known = Found(number, kind, True, _zone(notice))
                self._over.add(number)
            return [_ended(known)] if known is not None else []
        if number in self._active:
            return []
        if not self._may(now) or len(self._active) >= MOST_ACTIVE:
            self.refused += 1
            return []
        found = Found(number, kind, True, _zone(notice))
        if state is None:
            return [found, _ended(found)]
        self._active[number] = found
        return [found]

    def end(self) -> list[Found]:
        """Nobody listens any more: what is not over by then is over here."""
        ended = [_ended(one) for one in self._active.values()]
        self._active.clear()
        return ended

    def _may(self, now: float) -> bool:
        self._left = min(float(_BURST), self._left + max(0.0, now - self._filled) / _EVERY_S)
        self._filled = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def _ended(found: Found) -> Found:
    return Found(found.id, found.kind, False, found.zone)


def _identity(notice: Notice) -> str:
    """The same for the same thing in the same place of the camera."""
    return hashlib.sha256(repr((notice.topic, sorted(notice.source))).encode()).hexdigest()[:24]


def _zone(notice: Notice) -> str:
    """The camera's own name of its rule, as far as it is one that a page shows."""
    named = next((value for name, value in notice.source if name in {"Rule", "RuleName"}), "")
    return re.sub(r"[^\w .-]+", "", named)[:40].strip() or "camera"
