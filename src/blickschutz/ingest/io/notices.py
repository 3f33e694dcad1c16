"""Listens to what a camera finds itself, by ONVIF, and never lets go of trying."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from blickschutz.guard.model import Backoff
from blickschutz.guard.service import Guard
from blickschutz.guard.work import ThreadWork
from blickschutz.ingest.io.onvif import LEASE_S, OnvifCamera
from blickschutz.ingest.model import Found, NoticeSettings
from blickschutz.ingest.rules.notices import Notices
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import DeviceError

_log = structlog.get_logger(__name__)
_BACKOFF = Backoff(first_s=2.0, most_s=60.0, factor=2.0)
# A camera that answers an empty pull at once would be asked without a pause.
_LEAST_S = 0.2
# One that cannot renew is subscribed to anew.
_RENEW_S = LEASE_S / 3


class CameraNotices:
    """Calls `on_found` in a thread of its own. `start` and `stop` may follow each other; with `stop` all that was begun has ended."""

    def __init__(self, camera: str, settings: NoticeSettings, on_found: Callable[[Found], None], clock: Clock, guard: Guard) -> None:
        self._camera, self._settings, self._on_found = camera, settings, on_found
        self._clock, self._guard = clock, guard
        self._notices = Notices(settings.motion)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._work: ThreadWork | None = None
        self._refused = 0

    def start(self) -> None:
        if self._work is None:
            self._stopping = stopping = threading.Event()
            self._work = self._guard.thread("camera-events", lambda: self._run(stopping), stop=stopping.set, backoff=_BACKOFF)

    def stop(self) -> None:
        """Waits for nobody: what still hangs in a question is not listened to any more."""
        work, self._work = self._work, None
        if work is None:
            return
        with self._lock:
            self._stopping.set()
            for found in self._notices.end():
                self._on_found(found)
        work.end(0.0)

    def _run(self, stopping: threading.Event) -> None:
        """One subscription, until it fails: the guard says so, waits longer each time, and runs it again."""
        settings = self._settings
        device = OnvifCamera(settings.address, self._clock, settings.authority, settings.fingerprint)
        device.difference_s()
        subscription = device.subscribe()
        renewed = self._clock.monotonic()
        _log.info("camera_events_heard", camera=self._camera)
        while not stopping.is_set():
            asked = self._clock.monotonic()
            if asked - renewed > _RENEW_S:
                try:
                    device.renew(subscription)
                except DeviceError:
                    # Some keep a subscription alive by each pull and know no renewal; where this is not so the next pull says it.
                    _log.info("camera_events_not_renewed", camera=self._camera)
                renewed = asked
            notices = device.pull(subscription)
            now = self._clock.monotonic()
            with self._lock:
                if stopping.is_set():
                    return
                for notice in notices:
                    for found in self._notices.take(notice, now):
                        self._on_found(found)
            self._told_refused()
            stopping.wait(max(0.0, _LEAST_S - (now - asked)))

    def _told_refused(self) -> None:
        if self._notices.refused > self._refused:
            self._refused = self._notices.refused
            _log.warning("camera_events_refused", camera=self._camera, refused=self._refused)
