"""The large stream of a camera that has two: recorded packet by packet as they came, never decoded in the cell.

What is looked at, shown and judged is the small one. What was found there is written beside the packets of the large one, at the
moment at which it was found: both streams lie on the monotonic clock (docs/design/substream.md).
"""

from __future__ import annotations

import random
import socket
from collections import deque
from collections.abc import Callable

from blickschutz.guard.service import Guard
from blickschutz.ingest.io.sources import PacketSource
from blickschutz.ingest.model import BackoffSettings, SessionState, SourceSettings
from blickschutz.ingest.ports import VideoSource
from blickschutz.ingest.service import CameraSession
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.streams import TICKS, Stamp
from blickschutz.recording.io.feed import GROWS_S
from blickschutz.recording.io.recorder import Recorder
from blickschutz.recording.io.ring import Fragment, Head, PacketMuxer
from blickschutz.recording.model import ClipMode

_LOST = "the large stream is lost"


class MainStream:
    """A session of its own. `wake` is called when the stream was lost; all but that happens in the cell's own thread."""

    def __init__(
        self,
        camera: str,
        settings: SourceSettings,
        backoff: BackoffSettings,
        clock: Clock,
        guard: Guard,
        listener: socket.socket | None,
        wake: Callable[[], None],
    ) -> None:
        self._settings, self._clock, self._guard, self._listener, self._wake = settings, clock, guard, listener, wake
        self._muxer = PacketMuxer()
        self._lost: deque[int] = deque()
        chance = random.SystemRandom().random
        self._session = CameraSession[Stamp](
            camera, self._open, lambda stamp: None, self._on_lost, backoff, chance, guard, name="recorded-session"
        )

    def start(self) -> None:
        self._session.start()

    def stop(self, wait_s: float) -> None:
        self._session.stop(wait_s)

    def place(self, at: float) -> tuple[int, int] | None:
        """Where a moment (monotonic) lies in this stream: (generation, pts); None where it does not."""
        return self._muxer.place(at)

    def turn(self, recorder: Recorder) -> None:
        """Hand over what came, one stream after the other."""
        while self._lost:
            self._hand(recorder, self._muxer.finish(self._lost.popleft()))
            recorder.lost(recorded=True)
        self._hand(recorder, self._muxer.taken())

    def stopped(self, recorder: Recorder) -> None:
        """The camera was let go: what is complete still goes into the clip that is being written."""
        self._lost.clear()
        self._hand(recorder, self._muxer.finish(self._muxer.ended()))

    def unrecordable(self, recorder: Recorder, now: float) -> str:
        """Why nothing of it can be recorded now; empty where it can."""
        report, since = self._session.report, self._muxer.opened_at
        if report.state is not SessionState.LIVE:
            return f"{_LOST}: {report.problem}" if report.problem else ""
        quiet = since is not None and now - since > GROWS_S and recorder.gives_nothing(now)
        return self._muxer.problem or ("no keyframe came" if quiet else "")

    def _open(self) -> VideoSource[Stamp]:
        return PacketSource(self._settings, self._clock, self._muxer.connection(), self._guard, self._listener)

    def _on_lost(self) -> None:
        self._lost.append(self._muxer.ended())
        self._wake()

    def _hand(self, recorder: Recorder, parts: list[Head | Fragment]) -> None:
        # Nobody decodes these pictures: when they were taken is reckoned from their packets.
        wall = self._clock.now() - self._clock.monotonic()
        for part in parts:
            if isinstance(part, Fragment):
                for pts in part.pts:
                    recorder.frame(ClipMode.SEALED, pts, wall + part.at - (max(part.pts) - pts) / TICKS)
            recorder.take(ClipMode.SEALED, [part])
