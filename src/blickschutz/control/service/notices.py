"""What cameras publish of their own (`onvif-ej` by MQTT), turned into what is told of them; one bound for each camera."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from blickschutz.ingest.model import Found
from blickschutz.ingest.rules.notices import Notices
from blickschutz.ingest.rules.onvif import Notice
from blickschutz.ingest.rules.onvif_json import notice_of
from blickschutz.kernel.clock import Clock
from blickschutz.situations.kinds import Kind

_log = structlog.get_logger(__name__)


class PublishedNotices:
    """Reads in the broker's thread alone. `motion` says for each camera what a plain alarm of motion counts as."""

    def __init__(self, motion: Mapping[str, Kind | None], tell: Callable[[tuple[str, Found]], None], clock: Clock) -> None:
        self._tell, self._clock = tell, clock
        self._motion, self._cameras = dict[str, Kind | None](), dict[str, Notices]()
        self.settle(motion)

    def settle(self, motion: Mapping[str, Kind | None]) -> None:
        """Other settings are in force, told by any thread: a camera that means the same by motion goes on as it was."""
        known, before = self._cameras, self._motion
        same = {camera for camera, kind in motion.items() if camera in known and before[camera] == kind}
        self._cameras = {camera: known[camera] if camera in same else Notices(kind) for camera, kind in motion.items()}
        self._motion = dict(motion)

    def read(self, camera: str, topic: str, payload: bytes) -> Callable[[], None]:
        """What is to be done with a message. Raises one of `kernel.errors.UNREADABLE` where it is no notice."""
        notice = notice_of(topic, payload)
        return lambda: self._take(camera, notice)

    def _take(self, camera: str, notice: Notice) -> None:
        notices = self._cameras.get(camera)
        if notices is None:
            return
        before = notices.refused
        for found in notices.take(notice, self._clock.monotonic()):
            self._tell((camera, found))
        if notices.refused > before and notices.refused.bit_count() == 1:
            _log.warning("camera_events_refused", camera=camera, refused=notices.refused)
