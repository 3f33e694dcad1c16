"""The session with one camera, as a loop that never gives up until it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from blickschutz.ingest.model import BackoffSettings, SessionEvent, SessionState
from blickschutz.ingest.ports import VideoSource
from blickschutz.ingest.rules import next_state, wait_before_try
from blickschutz.kernel.errors import (
    BlickschutzError,
    CameraStalledError,
    CameraUnreachableError,
    MediaError,
    StreamEndedError,
)
from blickschutz.kernel.frames import RawFrame

_log = structlog.get_logger(__name__)
_STEADY_AFTER_FRAMES = 50

_EVENTS: dict[type[BlickschutzError], SessionEvent] = {
    CameraUnreachableError: SessionEvent.REFUSED,
    CameraStalledError: SessionEvent.STALLED,
    StreamEndedError: SessionEvent.ENDED,
    MediaError: SessionEvent.UNREADABLE,
}


@dataclass(slots=True)
class SessionReport:
    """What is known of the session: its state, how often it was lost, and the last problem in words."""

    state: SessionState = SessionState.STOPPED
    reconnects: int = 0
    problem: str = ""
    cause: SessionEvent | None = None


class CameraSession:
    """Runs in a thread of its own. `open_source` connects; `on_frame` gets every frame; `on_lost` is called
    whenever the stream is interrupted. `wait` sleeps for seconds and returns early when stopped.
    """

    def __init__(
        self,
        camera: str,
        open_source: Callable[[], VideoSource],
        on_frame: Callable[[RawFrame], None],
        on_lost: Callable[[], None],
        backoff: BackoffSettings,
        chance: Callable[[], float],
        wait: Callable[[threading.Event, float], None] | None = None,
    ) -> None:
        self._camera, self._open = camera, open_source
        self._on_frame, self._on_lost = on_frame, on_lost
        self._backoff, self._chance = backoff, chance
        self._wait = wait or (lambda event, seconds: event.wait(seconds) and None)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.report = SessionReport()

    def start(self) -> None:
        """Begin, or begin again after `stop`, even where the old connection still hangs in a read.

        What hangs has a stop signal of its own: it hands over nothing any more and ends when its read ends.
        """
        if self._thread is not None and self._thread.is_alive() and not self._stopping.is_set():
            return
        self._stopping = threading.Event()
        self.report.state = SessionState.STOPPED
        self._thread = threading.Thread(target=self._run, args=(self._stopping,), name=f"session-{self._camera}", daemon=True)
        self._thread.start()

    def stop(self, wait_s: float = 5.0) -> None:
        """Let go of the camera and wait until the thread has ended."""
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(wait_s)

    def run(self) -> None:
        """The loop itself; ends after `stop`."""
        self._run(self._stopping)

    def _run(self, stopping: threading.Event) -> None:
        self._take(SessionEvent.START, stopping)
        attempt = 0
        while not stopping.is_set():
            event, frames = self._attempt(stopping)
            if stopping.is_set():
                break
            self._take(event, stopping)
            self._on_lost()
            attempt = 1 if frames >= _STEADY_AFTER_FRAMES else attempt + 1
            self.report.reconnects += 1
            self._wait(stopping, wait_before_try(attempt, self._backoff, self._chance()))
            if not stopping.is_set():
                self._take(SessionEvent.WAITED, stopping)
        if stopping is self._stopping:
            self._take(SessionEvent.STOP, stopping)
            self._on_lost()

    def _attempt(self, stopping: threading.Event) -> tuple[SessionEvent, int]:
        """One connection, from start to end: what ended it, and how many frames came."""
        frames = 0
        source: VideoSource | None = None
        try:
            source = self._open()
            for frame in source.frames():
                if stopping.is_set():
                    return SessionEvent.STOP, frames
                if frames == 0:
                    self._take(SessionEvent.CONNECTED, stopping)
                    self.report.problem, self.report.cause = "", None
                frames += 1
                self._on_frame(frame)
            return self._ended("the camera ended the stream", SessionEvent.ENDED, stopping), frames
        except BlickschutzError as error:
            return self._ended(str(error), _EVENTS.get(type(error), SessionEvent.ENDED), stopping), frames
        finally:
            if source is not None:
                source.close()

    def _ended(self, problem: str, event: SessionEvent, stopping: threading.Event) -> SessionEvent:
        """An end before the first picture is a refusal, whatever the reason."""
        if stopping.is_set():
            return SessionEvent.STOP
        self.report.problem, self.report.cause = problem, event
        _log.warning("camera_lost", camera=self._camera, problem=problem, cause=event.value)
        if self.report.state is SessionState.CONNECTING and event is SessionEvent.ENDED:
            return SessionEvent.REFUSED
        return event

    def _take(self, event: SessionEvent, stopping: threading.Event) -> None:
        """Only the newest thread says what state the session is in."""
        if stopping is not self._stopping:
            return
        self.report.state = next_state(self.report.state, event)
