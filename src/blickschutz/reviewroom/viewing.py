"""What of a clip was shown to one person: which seconds played before them, measured in the room. Pure; times in seconds.

The player tells what it played; the room believes no more than its own clock allows: nobody is shown a minute in five seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from blickschutz.recording.model import Mark

Span = tuple[float, float]

# The fastest that the player plays, and what may be told at once after a while without a word (a network that stood).
FASTEST, MOST_AT_ONCE_S = 4.0, 40.0
# A player's clock and this one are read at different moments.
SLACK_S = 1.0
# Gaps so short are the step between two looks of the player, not something that was left out.
GAP_S = 0.5
# What is shown with a situation: the seconds before it and after it.
LEAD_S, TAIL_S = 3.0, 2.0


@dataclass(slots=True)
class Viewing:
    """`begun` and `at` are the room's own clock (monotonic); `sent` once the whole video has gone to this person."""

    begun: float
    at: float
    credit: float = SLACK_S
    sent: bool = False
    told: bool = False
    shown: list[Span] = field(default_factory=list)

    def add(self, spans: Sequence[Span], length: float, now: float) -> None:
        """The player says that it played these; what is more than the time since the last word allows is not believed."""
        self.credit = min(MOST_AT_ONCE_S, self.credit + FASTEST * max(0.0, now - self.at))
        self.at = now
        for first, last in spans:
            first, last = max(0.0, first), min(last, length)
            together = merged([*self.shown, (first, last)])
            # Short gaps are closed, so many short spans cost what they gain.
            cost = max(last - first, length_of(together) - length_of(self.shown))
            if last > first and cost <= self.credit:
                self.credit -= cost
                self.shown = together

    def seconds(self) -> float:
        """How much of the clip was shown, each second once."""
        return length_of(self.shown)

    def is_enough(self, length: float, marks: Sequence[Span]) -> bool:
        """Whether the whole clip was shown, or each marked part of it. A clip without marks has no part that could stand for it."""
        if not self.sent or length <= 0:
            return False
        return self._covers([(0.0, length)]) or (bool(marks) and self._covers(marks))

    def _covers(self, wanted: Sequence[Span]) -> bool:
        return all(not gaps(part, self.shown) for part in wanted)


def length_of(spans: Sequence[Span]) -> float:
    return sum(last - first for first, last in spans)


def merged(spans: Sequence[Span]) -> list[Span]:
    """The same seconds as spans that do not touch, in order."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first - found[-1][1] <= GAP_S:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def gaps(part: Span, shown: Sequence[Span]) -> list[Span]:
    """What of `part` is not in `shown`, without what is too short to be something."""
    at, found = part[0], []
    for first, last in (*shown, (part[1], part[1])):
        if min(first, part[1]) - at > GAP_S:
            found.append((at, min(first, part[1])))
        at = max(at, last)
    return found


def marked(marks: Sequence[Mark], start: float, length: float) -> list[Span]:
    """The parts of a clip in which situations are, with the seconds around them; to the end where none was told."""
    parts, open_marks = [], dict[tuple[str, str], float]()
    for mark in marks:
        at, what = min(length, max(0.0, mark.taken - start)), (mark.kind, mark.zone)
        if mark.began:
            open_marks.setdefault(what, at)
        else:
            parts.append((open_marks.pop(what, 0.0), at))
    parts += [(at, length) for at in open_marks.values()]
    return merged([(max(0.0, first - LEAD_S), min(length, last + TAIL_S)) for first, last in parts])


def spans_of(text: str) -> list[Span]:
    """What a player tells, `0.0-2.5,4-6`; what is no span is left out."""
    found = []
    for part in text.split(",")[:64]:
        first, _, last = part.partition("-")
        try:
            span = float(first), float(last)
        except ValueError:
            continue
        if all(0 <= second < 1e6 for second in span):
            found.append(span)
    return found
