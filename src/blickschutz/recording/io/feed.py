"""The last seconds of one stream, in memory only: fragments, and what was known of their pictures."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import structlog

from blickschutz.kernel.scene import Background
from blickschutz.recording.io.ring import Fragment, Head
from blickschutz.recording.model import Gop, Mark
from blickschutz.recording.rules import TICKS, BackgroundWriter, Known, sample

_log = structlog.get_logger(__name__)
# Far more than comes in the two seconds of the longest fragment: where no fragment comes, nothing piles up.
_MOST = 400
# A camera that sends a keyframe more rarely than once a minute has no seconds before: a minute is the most.
MOST_S = 60.0
# A fragment has two seconds; with the pictures on their way, a stream of which nothing came for so long gives nothing any more.
GROWS_S = 8.0
# The background moves slowly, and what was learned since the last one kept is covered, not shown.
_BACKGROUND_EVERY = TICKS
# More than ten seconds of the largest cameras in H.264; a cell is not to take a machine's memory, whatever its camera sends.
MOST_BYTES = 192 * 1024 * 1024
_NO_FRAGMENT = Fragment(0, b"", False, (), 0.0)


@dataclass(slots=True)
class Piece:
    """A fragment with what became known until it was complete, and the background that was in force before.

    It is packed when it is written, not before.
    """

    fragment: Fragment
    background: tuple[int, Background] | None = None
    times: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=_MOST))
    analysed: deque[Known] = field(default_factory=lambda: deque(maxlen=_MOST))
    marks: deque[Mark] = field(default_factory=lambda: deque(maxlen=_MOST))

    def gop(self, backgrounds: BackgroundWriter) -> Gop:
        """The message of a clip, whose backgrounds up to here were written by `backgrounds`."""
        part = self.fragment
        kept = [self.background] if self.background is not None else []
        kept += [(known.pts, known.background) for known in self.analysed if known.background is not None]
        return Gop(
            data=part.data,
            key=part.key,
            pts=part.pts,
            times=tuple(self.times),
            masks=tuple(sample(known) for known in self.analysed),
            marks=tuple(self.marks),
            backgrounds=tuple(one for one in (backgrounds.write(*pair) for pair in kept) if one is not None),
        )


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
        self._bytes = self.shortened = 0
        self._next = Piece(_NO_FRAGMENT)
        self._background: tuple[int, Background] | None = None
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
        """What was known of a picture. Of its backgrounds one a second is kept, and the first after a doubt."""
        if known.doubt:
            self._background = None
        elif known.background is not None and (self._background is None or not 0 <= known.pts - self._background[0] < _BACKGROUND_EVERY):
            self._background = known.pts, known.background
            self._next.analysed.append(known)
            return
        self._next.analysed.append(replace(known, background=None))

    def mark(self, mark: Mark) -> None:
        self._next.marks.append(mark)

    def clear(self) -> None:
        """The stream was interrupted: nothing of before is kept."""
        self.head, self._next, self._background = None, Piece(_NO_FRAGMENT), None
        self._drop(len(self.pieces))
        self._collecting.clear()

    def before(self, now: float) -> list[Piece]:
        """What goes into a clip that is ordered now: from a keyframe on, and of nothing older than `before_s` more than one group."""
        self.forget(now)
        pieces = list(self.pieces)
        while pieces and not pieces[0].fragment.key:
            pieces.pop(0)
        return pieces

    def forget(self, now: float) -> None:
        """Drop what is too old, whether or not anything comes. Ages are those of the pictures, not of their arrival."""
        while self.pieces and self.pieces[0].fragment.at < now - MOST_S:
            self._drop(1)
        while self.pieces:
            ends = next((n for n, piece in enumerate(self.pieces) if n and piece.fragment.key), len(self.pieces))
            if self.pieces[ends - 1].fragment.at > now - self._before_s:
                return
            if ends == len(self.pieces) and self._grows(now):
                return
            self._drop(ends)

    def _bound(self) -> None:
        """Whole groups go, the oldest first, while all together are more than memory is for, as a few seconds of large MJPEG are."""
        while self._bytes > MOST_BYTES and (ends := next((n for n, piece in enumerate(self.pieces) if n and piece.fragment.key), 0)):
            self._drop(ends)
            self.shortened += 1
            if self.shortened.bit_count() == 1:
                _log.warning("seconds_before_shortened", groups=self.shortened)

    def _drop(self, count: int) -> None:
        for _ in range(count):
            self._bytes -= len(self.pieces.popleft().fragment.data)

    def _grows(self, now: float) -> bool:
        """Whether the newest group still goes on: then it is needed, because what follows cannot be opened without it."""
        return now - self.pieces[-1].fragment.at <= GROWS_S

    def take(self, parts: Sequence[Head | Fragment]) -> list[Piece]:
        """Add what the muxer gave; returns the new pieces."""
        new: list[Piece] = []
        for part in parts:
            if isinstance(part, Head):
                self.head = part
                self._drop(len(self.pieces))
                # What comes now cannot be opened with the head that those have who collect.
                self._collecting.clear()
            elif self.head is not None and part.generation == self.head.generation:
                self._next.fragment = part
                new.append(self._next)
                self.pieces.append(self._next)
                self._bytes += len(part.data)
                for collected in self._collecting:
                    collected.pieces.append(self._next)
                self._collecting = [collected for collected in self._collecting if not collected.complete]
                self._next = Piece(_NO_FRAGMENT, self._background)
                self.forget(part.at)
                self._bound()
        return new

    def rest(self) -> Piece:
        """What became known since the last fragment."""
        # A copy: whoever else collects needs it with the next fragment.
        new = self._next
        return Piece(_NO_FRAGMENT, new.background, new.times.copy(), new.analysed.copy(), new.marks.copy())
