"""Redacted playback of recorded packets: decoded, and redacted as the cell redacts what it shows live (`replay.py`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from blickschutz.kernel.density import Yardstick
from blickschutz.kernel.frames import RawFrame, RedactedFrame
from blickschutz.pipeline.decode import ClipDecoder
from blickschutz.pipeline.replay import LONGEST_S, Replay
from blickschutz.pipeline.showing import Showing
from blickschutz.recording.model import Gop, MaskSample, Opening
from blickschutz.recording.rules import TICKS
from blickschutz.redaction.model import Colour, RedactionSettings, Style
from blickschutz.wall.io.live import LiveEncoder
from blickschutz.wall.model import EncoderSettings, StreamInit

MOST_WIDTH = 1280
_RATE = 10.0
# Groups that wait for what is known of their last pictures; a stream without times would wait for ever.
_MOST_WAITING = 64 * 1024 * 1024


def encoded(frames: Iterable[RedactedFrame], settings: EncoderSettings) -> Iterator[tuple[bytes, str]]:
    """Redacted pictures as fragmented MP4, part by part; with the head of a stream comes its codec, else an empty text."""
    encoder: LiveEncoder | None = None
    for shown in frames:
        # One file has one size: pictures of another one (the camera was set up anew) are scaled to it.
        if encoder is None:
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
    """Redacts the pictures of a clip, group by group. `spared` is the track of somebody who gets a copy of their own data."""

    def __init__(self, opening: Opening, spared: int | None = None, most_width: int = MOST_WIDTH) -> None:
        dense = opening.px_per_metre
        # The density goes with the picture's width, should that change within the clip.
        density = Yardstick((0.0, 0.0), (1.0, 0.0), opening.width / dense) if dense and opening.width else dense
        settings = RedactionSettings(Style(opening.style), opening.privacy_zones, density, Colour(opening.colour))
        self._replay = Replay(Showing(settings, most_width), spared, opening.skew_s)
        self._decoder = ClipDecoder(opening.init)

    def frames(self, gops: Iterable[Gop]) -> Iterator[RedactedFrame]:
        """All pictures that have a proof of their own, redacted, and blank ones in place of those that nothing is known of.

        Raises `MediaError` where the clip is no video. What is known of the last pictures of a group comes with the next one:
        until then they wait undecoded, so that only a few raw pictures are in memory, whatever their size and rate.
        """
        waiting: deque[tuple[int, Iterator[RawFrame]]] = deque()
        for gop in gops:
            self._replay.know(gop.masks, gop.backgrounds, max(gop.pts, default=-1))
            waiting.append((len(gop.data), self._decoder.decode(gop)))
            yield from self._known(waiting)
        for _, frames in waiting:
            for frame in frames:
                yield from self._replay.push(frame)
        for frame in self._decoder.rest():
            yield from self._replay.push(frame)
        yield from self._replay.rest()

    def _known(self, waiting: deque[tuple[int, Iterator[RawFrame]]]) -> Iterator[RedactedFrame]:
        """The pictures of the groups that wait, as far as enough is known of them."""
        while waiting:
            too_much = sum(size for size, _ in waiting) > _MOST_WAITING
            if self._replay.is_short and not too_much:
                return
            frame = next(waiting[0][1], None)
            if frame is None:
                waiting.popleft()
                continue
            yield from self._replay.push(frame)
            if too_much:
                yield from self._replay.rest()
