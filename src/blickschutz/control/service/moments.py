"""The redacted seconds of an alert: from what is shown while somebody watches, else from the packets in the cell's memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from blickschutz.alerts.model import Alert
from blickschutz.alerts.service import AlertDesk
from blickschutz.config.channels import Alerts
from blickschutz.control.ports import Do
from blickschutz.guard.service import Guard
from blickschutz.wall.model import StreamFragment, StreamInit
from blickschutz.wall.rules import rebased
from blickschutz.wall.service import LiveStream

_NEARLY_S = 2.5
_PATIENCE_S = 5.0


class Filmed(Protocol):
    """A camera that shows redacted pictures."""

    stream: LiveStream

    async def moment(self, since: float, until: float) -> bytes: ...


class AlertMoments:
    """Keeps the seconds before and after the begin of a situation. `raised` from any thread; the rest in the event loop."""

    def __init__(self, cameras: Mapping[str, Filmed], settings: Alerts, desk: AlertDesk, do: Do) -> None:
        self._cameras, self._settings, self._desk, self._do = cameras, settings, desk, do
        self._loop: asyncio.AbstractEventLoop | None = None
        self._guard: Guard | None = None

    def start(self, guard: Guard) -> None:
        self._loop, self._guard = asyncio.get_running_loop(), guard

    def raised(self, told: tuple[Alert, float]) -> None:
        """There is a new alert; its situation began at that moment (monotonic)."""
        alert, at = told
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: self._begin(alert, at))

    def _begin(self, alert: Alert, at: float) -> None:
        assert self._guard is not None  # set with the loop in which this runs
        self._guard.once_task("alert-seconds", lambda: self._keep(alert, at))

    async def _keep(self, alert: Alert, at: float) -> None:
        camera, since, until = self._cameras[alert.camera], at - self._settings.before_s, at + self._settings.after_s
        head, fragments = _shown(camera.stream, since)
        if not fragments or fragments[0].at > since + _NEARLY_S:
            data = await camera.moment(since, until)
            if data:
                self._store(alert.id, data)
                return
            head, fragments = _shown(camera.stream, since)
        head = await self._follow(camera.stream, head, fragments, until)
        if head is not None and fragments:
            self._store(alert.id, head.data + rebased([fragment.data for fragment in fragments]))

    async def _follow(
        self, stream: LiveStream, head: StreamInit | None, fragments: list[StreamFragment], until: float
    ) -> StreamInit | None:
        """Add what is shown up to `until`; what there is where the camera is lost meanwhile."""
        viewer = stream.join()
        try:
            async with asyncio.timeout(self._settings.after_s + _PATIENCE_S):
                while True:
                    part = await viewer.next()
                    if isinstance(part, StreamInit):
                        if head is not None and part.generation != head.generation and fragments:
                            return head
                        head = part
                        continue
                    if not fragments or part.at > fragments[-1].at:
                        fragments.append(part)
                    if part.at >= until:
                        return head
        except TimeoutError:
            return head
        finally:
            stream.leave(viewer)

    def _store(self, number: int, data: bytes) -> None:
        self._do(lambda: self._desk.keep_seconds(number, data))


def _shown(stream: LiveStream, since: float) -> tuple[StreamInit | None, list[StreamFragment]]:
    return stream.recent(since) or (None, [])
