"""Redacted playback of recorded packets: the very redaction of the cell, with what the cell knew."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from blickschutz.kernel.frames import RawFrame, RedactedFrame
from blickschutz.pipeline.decode import ClipDecoder
from blickschutz.recording.model import Gop, MaskSample, Opening
from blickschutz.recording.rules import TICKS, backdrop_between, doubt_of, scene_of
from blickschutz.redaction.model import RedactionSettings, Style
from blickschutz.redaction.rules.mask import MaskSettings
from blickschutz.redaction.service import Redactor, blank
from blickschutz.wall.io.live import LiveEncoder
from blickschutz.wall.model import EncoderSettings, StreamInit

# Pictures between two proofs that lie further apart are blank: nobody looked in between.
LONGEST_S = 0.75
# Proofs come five times a second, pictures more often: everything is grown by half a block more than in the cell.
_MASK = MaskSettings(margin_share=0.2, margin_px=12.0, coast_s=1.6)
MOST_WIDTH = 1280
_MOST_WAITING = 64
_RATE = 10.0


def encoded(frames: Iterable[RedactedFrame], settings: EncoderSettings) -> Iterator[tuple[bytes, str]]:
    """Redacted pictures as fragmented MP4, part by part; with the head of a stream comes its codec, else an empty text."""
    encoder: LiveEncoder | None = None
    for shown in frames:
        if encoder is None or encoder.size != (shown.width, shown.height):
            encoder = LiveEncoder(1, shown.width, shown.height, _RATE, settings)
        for part in encoder.encode(shown):
            yield part.data, part.codec if isinstance(part, StreamInit) else ""
    if encoder is not None:
        yield encoder.finish(), ""


def track_at(gops: Iterable[Gop], seconds: float, x: float, y: float) -> int | None:
    """The person at a place (shares of the picture) `seconds` after the clip's beginning; None where nobody or more than one is."""
    first: int | None = None
    nearest: MaskSample | None = None
    for gop in gops:
        first = gop.pts[0] if first is None and gop.pts else first
        for kept in gop.masks:
            wanted = (first or 0) + seconds * TICKS
            if nearest is None or abs(kept.pts - wanted) < abs(nearest.pts - wanted):
                nearest = kept
    if nearest is None or first is None or abs(nearest.pts - first - seconds * TICKS) > LONGEST_S * TICKS:
        return None
    there = [n for n, _, (left, top, right, bottom) in nearest.tracks if left <= x <= right and top <= y <= bottom]
    return there[0] if len(there) == 1 else None


class Renderer:
    """Redacts the pictures of a clip, group by group. A picture waits until the proof after it is known.

    `spared` is the track of somebody who gets a copy of their own data.
    """

    def __init__(self, opening: Opening, spared: int | None = None, most_width: int = MOST_WIDTH) -> None:
        self._spared, self._most_width = spared, most_width
        settings = RedactionSettings(Style(opening.style), opening.privacy_zones, opening.px_per_metre)
        self._redactor = Redactor(settings, _MASK)
        self._decoder = ClipDecoder(opening.init)
        self._proofs: deque[MaskSample] = deque()
        self._waiting: deque[RawFrame] = deque()

    def frames(self, gops: Iterable[Gop]) -> Iterator[RedactedFrame]:
        """All pictures, redacted. Raises `MediaError` where the clip is no video."""
        for gop in gops:
            self._proofs.extend(sorted(gop.masks, key=lambda kept: kept.pts))
            yield from self._ready()
            for frame in self._decoder.decode(gop):
                self._waiting.append(frame)
                yield from self._ready()
        self._waiting.extend(self._decoder.rest())
        while self._waiting:
            yield self._redact(self._waiting.popleft())

    def _ready(self) -> Iterator[RedactedFrame]:
        """Pictures whose next proof is there, or that have waited long enough."""
        while self._waiting:
            known = bool(self._proofs) and self._proofs[-1].pts >= self._waiting[0].pts
            if not known and len(self._waiting) <= _MOST_WAITING:
                return
            yield self._redact(self._waiting.popleft())

    def _redact(self, frame: RawFrame) -> RedactedFrame:
        before, after = self._around(frame.pts)
        shown = frame.at_most(self._most_width)
        backdrop = backdrop_between(before, after, frame.pts / TICKS, LONGEST_S)
        if backdrop is None or before is None or after is None:
            return blank(shown.width, shown.height, frame.index, frame.at, frame.taken, doubt_of(after or before))
        ends = [before] if before is after else [before, after]
        return self._redactor.redact(shown, backdrop, [scene_of(kept, shown.width, shown.height) for kept in ends], self._spared)

    def _around(self, pts: int) -> tuple[MaskSample | None, MaskSample | None]:
        """The newest proof at or before, the oldest at or after; proofs that are no longer needed are dropped."""
        while len(self._proofs) > 1 and self._proofs[1].pts <= pts:
            self._proofs.popleft()
        before = self._proofs[0] if self._proofs and self._proofs[0].pts <= pts else None
        after = next((kept for kept in self._proofs if kept.pts >= pts), None)
        return before, after
