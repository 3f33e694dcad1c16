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
    """Called in the broker's thread alone. `motion` says for each camera what a plain alarm of motion counts as."""

    def __init__(self, motion: Mapping[str, Kind | None], tell: Callable[[tuple[str, Found]], None], clock: Clock) -> None:
        self._cameras = {camera: Notices(kind) for camera, kind in motion.items()}
        self._tell, self._clock = tell, clock

    def read(self, camera: str, topic: str, payload: bytes) -> Callable[[], None]:
        """What is to be done with a message. Raises one of `kernel.errors.UNREADABLE` where it is no notice."""
        notice = notice_of(topic, payload)
        return lambda: self._take(camera, notice)

    def _take(self, camera: str, notice: Notice) -> None:
        notices = self._cameras[camera]
        before = notices.refused
        for found in notices.take(notice, self._clock.monotonic()):
            self._tell((camera, found))
        if notices.refused > before and notices.refused.bit_count() == 1:
            _log.warning("camera_events_refused", camera=camera, refused=notices.refused)
