"""The path of a frame through a cell: analysed at a set rate, redacted with what is known before and after.

Frames between two analysed ones wait for the second (200 ms at five per second). So a person who turns
up between the two is masked from the first frame on: redaction looks ahead instead of running behind.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from blickschutz.analysis.service import Analyser
from blickschutz.kernel.frames import RawFrame, RedactedFrame
from blickschutz.kernel.scene import Backdrop, Background, Doubt, Scene
from blickschutz.pipeline.showing import Showing

_log = structlog.get_logger(__name__)
_MOST_WAITING = 32
_MOTION_S = 0.1
_MOST_EARLIER = 4


@dataclass(slots=True)
class _Waiting:
    frame: RawFrame
    backdrop: Backdrop


@dataclass(frozen=True, slots=True)
class Analysed:
    """What was found of one frame; `pts` is its time in the stream. `background` is what is known of the place from then on."""

    pts: int
    backdrop: Backdrop
    scene: Scene
    background: Background


@dataclass(slots=True)
class PathCounters:
    """What happened on the path since its start."""

    frames: int = 0
    analysed: int = 0
    faults: int = 0
    doubt: Doubt | None = Doubt.STARTING
    fault: str = ""


class RedactionPath:
    """Feeds on the raw frames of one camera; gives redacted frames in the same order.

    `rate` is how often a second the frames are analysed. The analysis works on the frame as it came, at whatever
    size it is shown.
    """

    def __init__(self, analyser: Analyser, showing: Showing, rate: float) -> None:
        self._analyser, self._showing = analyser, showing
        self._period = 1 / rate
        self._due = float("-inf")
        self._waiting: list[_Waiting] = []
        self._scene: Scene | None = None
        self._untaken: Analysed | None = None
        self._size = (0, 0)
        self._latest_at = float("-inf")
        self._earlier: deque[RawFrame] = deque(maxlen=_MOST_EARLIER)
        self.counters = PathCounters()

    def restart(self) -> None:
        """The stream was interrupted: nothing that was known holds any longer."""
        self._analyser.restart()
        self._waiting.clear()
        self._earlier.clear()
        self._scene, self._due = None, float("-inf")
        self.counters.doubt = Doubt.STARTING

    def push(self, frame: RawFrame, *, wanted: bool) -> Sequence[RedactedFrame]:
        """Take the next frame; return what can be shown now. With `wanted` off only the analysis runs."""
        self.counters.frames += 1
        given_up: list[RedactedFrame] = []
        if (frame.width, frame.height) != self._size or frame.at < self._latest_at:
            given_up = self._give_up_waiting(Doubt.CHANGED)
            self.restart()
            self._size = (frame.width, frame.height)
        return [*given_up, *self._take(frame, wanted)]

    def _take(self, frame: RawFrame, wanted: bool) -> Sequence[RedactedFrame]:
        interval, self._latest_at = frame.at - self._latest_at, frame.at
        self._earlier.append(frame)
        try:
            if frame.at + min(interval, self._period) / 2 >= self._due:
                return self._analyse(frame, wanted)
            if wanted:
                self._waiting.append(_Waiting(frame, self._analyser.observe(frame)))
        # Whatever the analysis does, the answer is a blank picture; it is counted, logged and shown as a fault.
        except Exception as error:  # noqa: BLE001 - fails closed, and says so on the tile
            return self._fail(frame, wanted, error)
        return self._release([]) if len(self._waiting) > _MOST_WAITING else []

    def take_analysed(self) -> Analysed | None:
        """What was found of the newest analysed frame, once; None where nothing was analysed since the last call."""
        found, self._untaken = self._untaken, None
        return found

    def take_scene(self) -> Scene | None:
        """The scene alone."""
        found = self.take_analysed()
        return found.scene if found is not None else None

    def flush(self) -> Sequence[RedactedFrame]:
        """What still waits, with what is known."""
        return self._release([])

    def _analyse(self, frame: RawFrame, wanted: bool) -> Sequence[RedactedFrame]:
        backdrop, scene = self._analyser.analyse(frame, watched=wanted, before=self._before(frame))
        self.counters.analysed += 1
        self.counters.doubt, self.counters.fault = backdrop.doubt, ""
        self._untaken = Analysed(frame.pts, backdrop, scene, self._analyser.background(frame))
        self._due = max(self._due + self._period, frame.at + self._period / 2) if self._due > 0 else frame.at + self._period
        shown = list(self._release([scene], backdrop))
        self._scene = scene
        if wanted:
            shown.append(self._redact(frame, backdrop, [scene]))
        return shown

    def _before(self, frame: RawFrame) -> RawFrame | None:
        """The frame that came about a tenth of a second before, whatever the camera's rate."""
        return min(
            (earlier for earlier in self._earlier if earlier.at < frame.at),
            key=lambda earlier: abs(frame.at - earlier.at - _MOTION_S),
            default=None,
        )

    def _release(self, after: Sequence[Scene], last: Backdrop | None = None) -> Sequence[RedactedFrame]:
        """What waits, with what was seen before and `after`; `last` is the proof of the frame behind it."""
        scenes = ([self._scene] if self._scene else []) + list(after)
        proofs = [*(item.backdrop for item in self._waiting[1:]), last]
        shown = [self._redact(item.frame, item.backdrop, scenes, proof) for item, proof in zip(self._waiting, proofs, strict=False)]
        self._waiting.clear()
        return shown

    def _redact(self, frame: RawFrame, backdrop: Backdrop | None, scenes: Sequence[Scene], after: Backdrop | None = None) -> RedactedFrame:
        before = self._showing.faults
        shown = self._showing.show(frame, backdrop, scenes, after=after)
        if self._showing.faults != before:
            self.counters.faults += 1
            self.counters.doubt, self.counters.fault = Doubt.FAULT, "redaction"
        return shown

    def _fail(self, frame: RawFrame, wanted: bool, error: Exception) -> Sequence[RedactedFrame]:
        _log.exception("analysis_failed", frame=frame.index)
        given_up = self._give_up_waiting(Doubt.FAULT)
        self.restart()
        self._due = frame.at + self._period
        self.counters.faults += 1
        self.counters.doubt, self.counters.fault = Doubt.FAULT, str(error)
        return [*given_up, self._showing.withheld(frame, Doubt.FAULT)] if wanted else given_up

    def _give_up_waiting(self, doubt: Doubt) -> list[RedactedFrame]:
        """Frames whose second scene will not come go out blank."""
        shown = [self._showing.withheld(item.frame, doubt) for item in self._waiting]
        self._waiting.clear()
        return shown
