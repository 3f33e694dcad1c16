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
        """Begin, or begin again after `stop`."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._stopping.clear()
        self._thread = threading.Thread(target=self.run, name=f"session-{self._camera}", daemon=True)
        self._thread.start()

    def stop(self, wait_s: float = 5.0) -> None:
        """Let go of the camera and wait until the thread has ended."""
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(wait_s)

    def run(self) -> None:
        """The loop itself; ends after `stop`."""
        self._take(SessionEvent.START)
        attempt = 0
        while not self._stopping.is_set():
            event, frames = self._attempt()
            if self._stopping.is_set():
                break
            self._take(event)
            self._on_lost()
            attempt = 1 if frames >= _STEADY_AFTER_FRAMES else attempt + 1
            self.report.reconnects += 1
            self._wait(self._stopping, wait_before_try(attempt, self._backoff, self._chance()))
            if not self._stopping.is_set():
                self._take(SessionEvent.WAITED)
        self._take(SessionEvent.STOP)
        self._on_lost()

    def _attempt(self) -> tuple[SessionEvent, int]:
        """One connection, from start to end: what ended it, and how many frames came."""
        frames = 0
        source: VideoSource | None = None
        try:
            source = self._open()
            for frame in source.frames():
                if self._stopping.is_set():
                    return SessionEvent.STOP, frames
                if frames == 0:
                    self._take(SessionEvent.CONNECTED)
                    self.report.problem, self.report.cause = "", None
                frames += 1
                self._on_frame(frame)
            return self._ended("the camera ended the stream", SessionEvent.ENDED), frames
        except BlickschutzError as error:
            return self._ended(str(error), _EVENTS.get(type(error), SessionEvent.ENDED)), frames
        finally:
            if source is not None:
                source.close()

    def _ended(self, problem: str, event: SessionEvent) -> SessionEvent:
        """An end before the first picture is a refusal, whatever the reason."""
        self.report.problem, self.report.cause = problem, event
        _log.warning("camera_lost", camera=self._camera, problem=problem, cause=event.value)
        if self.report.state is SessionState.CONNECTING and event is SessionEvent.ENDED:
            return SessionEvent.REFUSED
        return event

    def _take(self, event: SessionEvent) -> None:
        self.report.state = next_state(self.report.state, event)
