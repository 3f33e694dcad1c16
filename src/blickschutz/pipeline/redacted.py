"""A clip in mode `anonymous`: the packets in memory and those that follow, redacted as in a review room, in a thread.

So the seconds before an order are in it too, and nothing unredacted leaves the cell.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import replace

import structlog

from blickschutz.kernel.errors import MediaError
from blickschutz.pipeline.messages import CellSettings
from blickschutz.pipeline.record import RedactedVideo, opening_of
from blickschutz.pipeline.render import Renderer
from blickschutz.recording.io.feed import Collected
from blickschutz.recording.io.ring import Fragment, Head
from blickschutz.recording.model import ClipMode, Gop
from blickschutz.recording.rules import TICKS, BackgroundWriter

_log = structlog.get_logger(__name__)
_RATE = 10.0
_LOOK_S = 0.05


class RedactedRecording:
    """`start` with what is collected, `taken` again and again, `end`."""

    def __init__(self, settings: CellSettings) -> None:
        self._settings = settings
        self._collected: Collected | None = None
        self._ended = threading.Event()
        self._times: deque[tuple[int, float]] = deque()
        self._parts: deque[Head | Fragment] = deque()

    @property
    def is_active(self) -> bool:
        return self._collected is not None

    def start(self, collected: Collected | None) -> None:
        """Begin; without a stream nothing is begun yet."""
        if collected is None:
            return
        self._collected, self._ended = collected, threading.Event()
        self._times, self._parts = deque(), deque()
        arguments = collected, self._ended, self._times, self._parts
        threading.Thread(target=self._run, args=arguments, name="redacted", daemon=True).start()

    def taken(self) -> tuple[list[tuple[int, float]], list[Head | Fragment]]:
        """(pts, taken) of pictures and parts of the stream that came since the last call."""
        times = [self._times.popleft() for _ in range(len(self._times))]
        return times, [self._parts.popleft() for _ in range(len(self._parts))]

    def end(self) -> None:
        if self._collected is not None:
            # Nothing is collected for it any more.
            self._collected.until = float("-inf")
            self._collected = None
            self._ended.set()

    def _run(self, collected: Collected, ended: threading.Event, times: deque[tuple[int, float]], parts: deque[Head | Fragment]) -> None:
        settings = self._settings
        video = RedactedVideo(settings.encoder)
        renderer = Renderer(opening_of(settings, collected.head, ClipMode.SEALED), most_width=settings.encoder.width)
        offset = [0.0]
        try:
            for shown in renderer.frames(_gops(collected, ended, offset)):
                if ended.is_set():
                    break
                new, complete = video.encode(shown, _RATE)
                times.extend(new)
                # The stream's time as the recorder's: that at which the packets came.
                parts.extend(replace(part, at=part.at + offset[0]) if isinstance(part, Fragment) else part for part in complete)
        except MediaError as error:
            _log.error("redacted_recording_failed", problem=str(error))
        finally:
            video.end()


def _gops(collected: Collected, ended: threading.Event, offset: list[float]) -> Iterator[Gop]:
    """The collected groups, as they come; what was used is let go of. `offset` becomes that from stream to monotonic time."""
    backgrounds = BackgroundWriter()
    while not ended.is_set():
        if not collected.pieces:
            ended.wait(_LOOK_S)
            continue
        piece = collected.pieces.pop(0)
        if piece.fragment.pts:
            offset[0] = piece.fragment.at - piece.fragment.pts[-1] / TICKS
        yield piece.gop(backgrounds)
