"""The last seconds of one stream, in memory only: fragments, and what was known of their pictures."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from blickschutz.recording.io.ring import Fragment, Head
from blickschutz.recording.model import Gop, Mark
from blickschutz.recording.rules import Known, sample

# Far more than comes in the two seconds of the longest fragment: where no fragment comes, nothing piles up.
_MOST = 400
MOST_S = 60.0
_NO_FRAGMENT = Fragment(0, b"", False, (), 0.0)


@dataclass(slots=True)
class Piece:
    """A fragment with what became known until it was complete. The proofs are packed when they are written, not before."""

    fragment: Fragment
    times: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=_MOST))
    analysed: deque[Known] = field(default_factory=lambda: deque(maxlen=_MOST))
    marks: deque[Mark] = field(default_factory=lambda: deque(maxlen=_MOST))

    def gop(self) -> Gop:
        """The message of a clip."""
        part = self.fragment
        masks = tuple(sample(known) for known in self.analysed)
        return Gop(data=part.data, key=part.key, pts=part.pts, times=tuple(self.times), masks=masks, marks=tuple(self.marks))


@dataclass(slots=True)
class Collected:
    """The seconds from `since` to `until` (monotonic) of a stream, as they come."""

    since: float
    until: float
    head: Head
    pieces: list[Piece]

    @property
    def complete(self) -> bool:
        """Whether a fragment after the end is there too: with it come the proofs for the last pictures."""
        return len(self.pieces) > 1 and self.pieces[-2].fragment.at >= self.until


class Feed:
    """Keeps `before_s` seconds of one stream, from a key picture on."""

    def __init__(self, before_s: float) -> None:
        self._before_s = before_s
        self.head: Head | None = None
        self.pieces: deque[Piece] = deque()
        self._next = Piece(_NO_FRAGMENT)
        self._collecting: list[Collected] = []

    def collect(self, since: float, until: float) -> Collected | None:
        """Begin to collect, from the key picture before `since` on where that is still there; None without a stream."""
        if self.head is None:
            return None
        starts = [n for n, piece in enumerate(self.pieces) if piece.fragment.key]
        before = [n for n in starts if n == 0 or self.pieces[n - 1].fragment.at <= since]
        kept = list(self.pieces)[before[-1] if before else 0 :] if starts else []
        collected = Collected(since, until, self.head, kept)
        self._collecting.append(collected)
        return collected

    def frame(self, pts: int, taken: float) -> None:
        self._next.times.append((pts, taken))

    def analysed(self, known: Known) -> None:
        self._next.analysed.append(known)

    def mark(self, mark: Mark) -> None:
        self._next.marks.append(mark)

    def clear(self) -> None:
        """The stream was interrupted: nothing of before is kept."""
        self.head, self._next = None, Piece(_NO_FRAGMENT)
        self.pieces.clear()
        self._collecting.clear()

    def take(self, parts: Sequence[Head | Fragment]) -> list[Piece]:
        """Add what the muxer gave; returns the new pieces."""
        new: list[Piece] = []
        for part in parts:
            if isinstance(part, Head):
                self.head = part
                self.pieces.clear()
            elif self.head is not None and part.generation == self.head.generation:
                self._next.fragment = part
                new.append(self._next)
                self.pieces.append(self._next)
                for collected in self._collecting:
                    collected.pieces.append(self._next)
                self._collecting = [collected for collected in self._collecting if not collected.complete]
                self._next = Piece(_NO_FRAGMENT)
                self._trim(part.at)
        return new

    def rest(self) -> Piece:
        """What became known since the last fragment."""
        piece, self._next = self._next, Piece(_NO_FRAGMENT)
        return piece

    def _trim(self, now: float) -> None:
        """Drop the oldest group of pictures as long as what is left still reaches back far enough.

        A camera that sends a key picture more rarely than once a minute has no seconds before: a minute is the most.
        """
        while self.pieces and self.pieces[0].fragment.at < now - MOST_S:
            self.pieces.popleft()
        while True:
            keys = [index for index, piece in enumerate(self.pieces) if piece.fragment.key]
            if len(keys) < 2 or self.pieces[keys[1] - 1].fragment.at > now - self._before_s:
                return
            for _ in range(keys[1]):
                self.pieces.popleft()
