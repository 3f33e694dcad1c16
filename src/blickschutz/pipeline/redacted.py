"""A clip in mode `anonymous`: the packets in memory and those that follow, redacted as in a review room, in a thread.

So the seconds before an order are in it too, and nothing unredacted leaves the cell.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from blickschutz.guard.model import Backoff
from blickschutz.guard.rules import wait_after, words
from blickschutz.guard.service import Guard
from blickschutz.guard.work import attempt
from blickschutz.pipeline.messages import CellSettings
from blickschutz.pipeline.record import RedactedVideo, opening_of
from blickschutz.pipeline.render import Renderer
from blickschutz.recording.io.feed import Collected
from blickschutz.recording.io.recorder import Recorder
from blickschutz.recording.io.ring import Fragment, Head
from blickschutz.recording.model import ClipMode, Gop
from blickschutz.recording.rules import TICKS, BackgroundWriter

_RATE = 10.0
_LOOK_S = 0.05
_AGAIN = Backoff(first_s=1.0, most_s=10.0)
_MOST_FAILURES = 3
_STEADY_S = 30.0


@dataclass(slots=True)
class _Run:
    """What a thread works on, and what it has made. `problem` says that it ended before it was told to."""

    collected: Collected
    began: float
    ended: threading.Event = field(default_factory=threading.Event)
    times: deque[tuple[int, float]] = field(default_factory=deque)
    parts: deque[Head | Fragment] = field(default_factory=deque)
    problem: str = ""


class RedactedRecording:
    """In mode `anonymous` the recorder gets redacted video, and only that: `turn` again and again, `end` with the stream.

    Where the redaction fails the clip ends, says so, and another is begun after a wait; after three failures in a row the
    order is given up. Meanwhile `problem` says that nothing is recorded.
    """

    def __init__(self, settings: CellSettings, guard: Guard) -> None:
        self._settings, self._guard = settings, guard
        self._run: _Run | None = None
        self._failures, self._due = 0, float("-inf")
        self.problem = ""

    def turn(self, recorder: Recorder, now: float) -> None:
        """Hand over what is done, begin or end as the recorder wants it. `now` is monotonic."""
        if recorder.recording is not ClipMode.ANONYMOUS:
            self.end()
            self._failures, self._due, self.problem = 0, float("-inf"), ""
            return
        if self._run is None:
            if now >= self._due and (collected := recorder.collect_before()) is not None:
                self._begin(_Run(collected, now))
            return
        run = self._run
        # Looked at before what it made is taken: so nothing that came before its end is missed.
        problem = run.problem
        times = [run.times.popleft() for _ in range(len(run.times))]
        parts = [run.parts.popleft() for _ in range(len(run.parts))]
        for pts, taken in times:
            recorder.frame(ClipMode.ANONYMOUS, pts, taken)
        recorder.take(ClipMode.ANONYMOUS, parts)
        if problem:
            self._broke(recorder, problem, now - run.began >= _STEADY_S, now)
        elif any(isinstance(part, Fragment) for part in parts):
            self.problem = ""

    def end(self) -> None:
        if self._run is not None:
            # Nothing is collected for it any more.
            self._run.collected.until = float("-inf")
            self._run.ended.set()
            self._run = None

    def _broke(self, recorder: Recorder, problem: str, was_steady: bool, now: float) -> None:
        self.end()
        self._failures, self.problem = 1 if was_steady else self._failures + 1, problem
        self._due = now + wait_after(self._failures, _AGAIN, 1.0)
        recorder.broke(problem, again=self._failures < _MOST_FAILURES)

    def _begin(self, run: _Run) -> None:
        self._run = run
        self._guard.once_thread("redacted", lambda: self._work(run))

    def _work(self, run: _Run) -> None:
        error = attempt(lambda: self._redact(run))
        if not run.ended.is_set():
            run.problem = words(error) if error is not None else "the redaction ended by itself"
        if error is not None:
            raise error

    def _redact(self, run: _Run) -> None:
        settings = self._settings
        video = RedactedVideo(settings.encoder)
        renderer = Renderer(opening_of(settings, run.collected.head, ClipMode.SEALED), most_width=settings.encoder.width)
        offset = [0.0]
        try:
            for shown in renderer.frames(_gops(run.collected, run.ended, offset)):
                if run.ended.is_set():
                    break
                new, complete = video.encode(shown, _RATE)
                run.times.extend(new)
                # The stream's time as the recorder's: that at which the packets came.
                run.parts.extend(replace(part, at=part.at + offset[0]) if isinstance(part, Fragment) else part for part in complete)
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
