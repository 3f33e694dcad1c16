"""The session with one camera, as a loop that never gives up until it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from blickschutz.guard.model import Backoff
from blickschutz.guard.rules import words
from blickschutz.guard.service import Guard
from blickschutz.guard.work import ThreadWork, attempt
from blickschutz.ingest.model import BackoffSettings, Cause, SessionEvent, SessionState
from blickschutz.ingest.ports import VideoSource
from blickschutz.ingest.rules.session import next_state, wait_before_try
from blickschutz.kernel.errors import (
    BlickschutzError,
    CameraRefusedError,
    CameraStalledError,
    CameraUnreachableError,
    MediaError,
    StreamEndedError,
)

_log = structlog.get_logger(__name__)
_STEADY_AFTER_FRAMES = 50

T = TypeVar("T")

_EVENTS: dict[type[BlickschutzError], tuple[SessionEvent, Cause]] = {
    CameraUnreachableError: (SessionEvent.REFUSED, Cause.REFUSED),
    CameraStalledError: (SessionEvent.STALLED, Cause.STALLED),
    StreamEndedError: (SessionEvent.ENDED, Cause.ENDED),
    MediaError: (SessionEvent.UNREADABLE, Cause.UNREADABLE),
}
_ENDED = SessionEvent.ENDED, Cause.ENDED


@dataclass(slots=True)
class SessionReport:
    """What is known of the session: its state, how often it was lost, and the last problem in words."""

    state: SessionState = SessionState.STOPPED
    reconnects: int = 0
    problem: str = ""
    cause: Cause | None = None


class CameraSession(Generic[T]):
    """Runs in a guarded thread called `name`. `open_source` connects; `on_frame` gets every frame; `on_lost` is called
    whenever the stream is interrupted. `wait` sleeps for seconds and returns early when stopped.

    An error that is nobody's fault (a picture that a library did not expect) interrupts the stream like any other.
    """

    def __init__(
        self,
        camera: str,
        open_source: Callable[[], VideoSource[T]],
        on_frame: Callable[[T], None],
        on_lost: Callable[[], None],
        backoff: BackoffSettings,
        chance: Callable[[], float],
        guard: Guard,
        wait: Callable[[threading.Event, float], None] | None = None,
        name: str = "session",
    ) -> None:
        self._name = name
        self._camera, self._open = camera, open_source
        self._on_frame, self._on_lost = on_frame, on_lost
        self._backoff, self._chance, self._guard = backoff, chance, guard
        self._wait = wait or (lambda event, seconds: event.wait(seconds) and None)
        self._stopping = threading.Event()
        self._begun = threading.Lock()
        self._work: ThreadWork | None = None
        self.report = SessionReport()

    def start(self) -> None:
        """Begin, or begin again after `stop`, even where the old connection still hangs in a read.

        What hangs has a stop signal of its own: it hands over nothing any more and ends when its read ends.
        """
        if self._work is not None and not self._stopping.is_set():
            return
        self._stopping = stopping = threading.Event()
        self.report.state = SessionState.STOPPED
        backoff = Backoff(self._backoff.first, self._backoff.most, self._backoff.factor)
        with self._begun:
            self._work = self._guard.thread(self._name, lambda: self._run(stopping), stop=stopping.set, backoff=backoff)

    def stop(self, wait_s: float = 5.0) -> None:
        """Let go of the camera, and wait so long until the thread has ended."""
        self._stopping.set()
        if self._work is not None:
            self._work.end(wait_s)

    @property
    def has_let_go(self) -> bool:
        """Whether nothing of it is connected to the camera."""
        return self._work is None or self._work.ended

    def run(self) -> None:
        """The loop itself; ends after `stop`."""
        self._run(self._stopping)

    def _run(self, stopping: threading.Event) -> None:
        if stopping is self._stopping:
            # After a fault of the loop itself the guard runs it once more, from whatever state it was in.
            self.report.state = SessionState.STOPPED
        self._take(SessionEvent.START, stopping)
        tries = 0
        while not stopping.is_set():
            event, frames = self._connection(stopping)
            if stopping.is_set():
                break
            self._take(event, stopping)
            self._on_lost()
            tries = 1 if frames >= _STEADY_AFTER_FRAMES else tries + 1
            self.report.reconnects += 1
            self._wait(stopping, wait_before_try(tries, self._backoff, self._chance()))
            if not stopping.is_set():
                self._take(SessionEvent.WAITED, stopping)
        if stopping is self._stopping:
            self._take(SessionEvent.STOP, stopping)
            self._on_lost()

    def _connection(self, stopping: threading.Event) -> tuple[SessionEvent, int]:
        """One connection, from start to end: what ended it, and how many frames came."""
        count = [0]
        error = attempt(lambda: self._stream(stopping, count))
        if error is None:
            return self._ended("the camera ended the stream", *_ENDED, stopping), count[0]
        if isinstance(error, CameraRefusedError):
            return self._ended(str(error), SessionEvent.REFUSED, Cause(error.cause), stopping), count[0]
        if isinstance(error, BlickschutzError):
            return self._ended(str(error), *_EVENTS.get(type(error), _ENDED), stopping), count[0]
        # Until the thread's work is known here it cannot be told of its error.
        with self._begun:
            work = self._work
        if work is not None and not stopping.is_set():
            work.failed(error)
        return self._ended(words(error), SessionEvent.UNREADABLE, Cause.UNREADABLE, stopping), count[0]

    def _stream(self, stopping: threading.Event, count: list[int]) -> None:
        """Hand over the frames of one connection until it ends or is stopped; `count` says how many those were."""
        source = self._open()
        try:
            for frame in source.frames():
                if stopping.is_set():
                    return
                if count[0] == 0:
                    self._take(SessionEvent.CONNECTED, stopping)
                    self.report.problem, self.report.cause = "", None
                count[0] += 1
                if count[0] == _STEADY_AFTER_FRAMES and self._work is not None:
                    self._work.well()
                self._on_frame(frame)
        finally:
            source.close()

    def _ended(self, problem: str, event: SessionEvent, cause: Cause, stopping: threading.Event) -> SessionEvent:
        """An end before the first picture is a refusal, whatever the reason; and a refusal after it an end."""
        if stopping.is_set():
            return SessionEvent.STOP
        self.report.problem, self.report.cause = problem, cause
        _log.warning("camera_lost", camera=self._camera, problem=problem, cause=cause.value)
        if self.report.state is SessionState.CONNECTING and event is SessionEvent.ENDED:
            return SessionEvent.REFUSED
        return SessionEvent.ENDED if self.report.state is SessionState.LIVE and event is SessionEvent.REFUSED else event

    def _take(self, event: SessionEvent, stopping: threading.Event) -> None:
        """Only the newest thread says what state the session is in."""
        if stopping is not self._stopping:
            return
        self.report.state = next_state(self.report.state, event)
