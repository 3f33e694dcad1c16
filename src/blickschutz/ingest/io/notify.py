"""Hears lines that a camera sends by itself (IP Notify), on a port that is its own, from its own address alone."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable

import structlog

from blickschutz.guard.service import Guard
from blickschutz.guard.work import ThreadWork
from blickschutz.ingest.io.connection import shut
from blickschutz.ingest.model import Found, NotifySettings
from blickschutz.ingest.rules.notices import Notices
from blickschutz.ingest.rules.notify import MOST_LINE, is_web, notice_of_line
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import DeviceError

_log = structlog.get_logger(__name__)
_LOOK_S, _LINE_S = 0.5, 2.0
_ANSWERS = {True: b"HTTP/1.0 204 No Content\r\n\r\n", False: b"HTTP/1.0 403 Forbidden\r\n\r\n"}


def notify_listener(settings: NotifySettings) -> socket.socket | str:
    """The port, bound before a process is confined; where that cannot be, why."""
    try:
        listener = socket.create_server((settings.host, settings.port), backlog=8)
    except OSError as error:
        return f"{settings.host}:{settings.port}: {error.strerror}"
    listener.settimeout(_LOOK_S)
    return listener


class CameraLines:
    """Calls `on_found` in a thread of its own. `refused` counts lines of others, without the secret, or of no form."""

    def __init__(
        self,
        settings: NotifySettings,
        listener: socket.socket | str,
        on_found: Callable[[Found], None],
        clock: Clock,
        guard: Guard,
    ) -> None:
        self._settings, self._listener, self._on_found = settings, listener, on_found
        self._clock, self._guard = clock, guard
        self._notices = Notices(settings.motion)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._work: ThreadWork | None = None
        self._stale = False
        self.refused = 0

    def start(self) -> None:
        if self._work is None:
            self._stopping = stopping = threading.Event()
            self._work = self._guard.thread("camera-lines", lambda: self._run(stopping), stop=stopping.set)

    def stop(self) -> None:
        """Waits for nobody; what was open has ended."""
        work, self._work = self._work, None
        if work is None:
            return
        with self._lock:
            self._stale = True
            self._stopping.set()
            for found in self._notices.end():
                self._on_found(found)
        work.end(0.0)

    def _run(self, stopping: threading.Event) -> None:
        if isinstance(self._listener, str):
            raise DeviceError(f"no port to hear the camera at: {self._listener}")
        if self._stale:
            self._stale = False
            self._forget(self._listener)
        while not stopping.is_set():
            try:
                connection, place = self._listener.accept()
            except TimeoutError:
                continue
            try:
                self._heard(connection, place[0], stopping)
            finally:
                shut(connection)

    def _forget(self, listener: socket.socket) -> None:
        """What was sent while nobody listened is over."""
        listener.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                shut(listener.accept()[0])
        listener.settimeout(_LOOK_S)

    def _heard(self, connection: socket.socket, place: str, stopping: threading.Event) -> None:
        if place not in self._places():
            self._refuse(f"a line from {place}")
            return
        line = _line(connection)
        try:
            notice = notice_of_line(line, self._settings.secret)
        except ValueError as error:
            notice = None
            self._refuse(str(error))
        else:
            if notice is None:
                self._refuse("a line without the secret")
        if is_web(line):
            with contextlib.suppress(OSError):  # it does not wait for an answer
                connection.sendall(_ANSWERS[notice is not None])
        if notice is None:
            return
        with self._lock:
            if not stopping.is_set():
                for found in self._notices.take(notice, self._clock.monotonic()):
                    self._on_found(found)

    def _places(self) -> set[str]:
        """The camera's addresses: its host may be a name."""
        try:
            return {str(one[4][0]) for one in socket.getaddrinfo(self._settings.camera, None, type=socket.SOCK_STREAM)}
        except (OSError, UnicodeError):
            return set()

    def _refuse(self, why: str) -> None:
        self.refused += 1
        if self.refused.bit_count() == 1:
            _log.warning("camera_line_refused", reason=why, refused=self.refused)


def _line(connection: socket.socket) -> bytes:
    """The first line, or what came of it; neither long nor for long."""
    until, data = time.monotonic() + _LINE_S, b""
    while b"\n" not in data and len(data) < MOST_LINE and (left := until - time.monotonic()) > 0:
        connection.settimeout(left)
        try:
            more = connection.recv(MOST_LINE)
        except OSError:
            break
        if not more:
            break
        data += more
    return data[:MOST_LINE].partition(b"\n")[0]
