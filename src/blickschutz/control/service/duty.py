"""What joins cameras, regime and alerts: a situation is judged by the regime in force and becomes an alert, or a count.

Everything that touches the database or the outside runs in threads of its own; cells and pages never wait for it.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog

from blickschutz.alerts.io.channels import AppriseChannel, MailSender, Webhook, Words
from blickschutz.alerts.io.mqtt import Broker, MqttSender, MqttSource
from blickschutz.alerts.io.store import SqlAlertStore
from blickschutz.alerts.io.tables import METADATA as ALERT_TABLES
from blickschutz.alerts.io.wire import CameraEvent
from blickschutz.alerts.model import Alert, Origin
from blickschutz.alerts.ports import Channel
from blickschutz.alerts.service import SYSTEM, AlertDesk, Sender
from blickschutz.config.channels import MqttChannel
from blickschutz.config.model import SiteFile
from blickschutz.control.service.hours import RegimeKeeper
from blickschutz.control.service.keeping import Keeping
from blickschutz.control.service.outages import OutageWatch
from blickschutz.control.service.supervisor import CellKeeper
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import SettingsError
from blickschutz.kernel.situation import Situation
from blickschutz.recording.model import ClipMode
from blickschutz.regime.model import Action
from blickschutz.storage.sqlite import open_engine
from blickschutz.wall.model import StreamFragment, StreamInit
from blickschutz.wall.rules import rebased

_log = structlog.get_logger(__name__)
_HOUSEKEEPING_S = 5.0
_HOUR_S = 3600.0
_NEARLY_S = 2.5
_MOST_ORDERED = 500


class Duty:
    """Alerts of a running site. `start` and `end` in the event loop of the pages."""

    def __init__(
        self, site: SiteFile, base: Path, data: Path, clock: Clock, keepers: Mapping[str, CellKeeper], keeping: Keeping | None = None
    ) -> None:
        self._keeping = keeping
        self._orders: dict[tuple[str, str, int], int] = {}
        self._ordered: dict[int, tuple[str, str, Situation]] = {}
        if keeping is not None:
            keeping.on_unrecorded = self.unrecorded
        self._site, self._clock, self._keepers = site, clock, keepers
        self.regime = RegimeKeeper(site, clock, data / "regime.jsonl")
        self._store = SqlAlertStore(open_engine(data / "alerts.db", ALERT_TABLES))
        names = {camera.id: camera.name for camera in site.cameras}
        channels = make_channels(site, base, names)
        self.desk = AlertDesk(self._store, clock, [channel.name for channel in channels], site.alerts.escalate_after_s)
        self._senders = [Sender(channel, self._store, clock) for channel in channels]
        self._source = self._make_source(base)
        self._work: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._worker = threading.Thread(target=self._run, name="duty", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.problem = ""
        self._outages = OutageWatch(keepers, keeping.log, clock, keeping.do) if keeping is not None else None
        for keeper in keepers.values():
            keeper.on_situation = self.take

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._worker.start()
        for sender in self._senders:
            sender.start()
        if self._source is not None:
            self._source.start()
        self.desk.listen(self._poke)
        self._keep(self._housekeeping())

    def unsent(self) -> dict[str, tuple[int, str]]:
        """Per channel how many notices wait after a failed try, and why."""
        return self._store.unsent()

    async def end(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._source is not None:
            await asyncio.to_thread(self._source.close)
        self._work.put(None)
        await asyncio.to_thread(self._worker.join, 5.0)
        await asyncio.gather(*(asyncio.to_thread(sender.end) for sender in self._senders))
        self._store.close()

    def take(self, camera: str, run: str, situation: Situation, origin: Origin = Origin.ANALYSIS) -> None:
        """A situation began or ended. Never waits."""
        key = camera, run, situation.number
        action = self.regime.action(situation)
        if situation.ended_at is not None:
            # Whatever the regime says by now: what was ordered when it began ends with it.
            order = self._end_record(camera, key)
        else:
            order = self._record(camera, key, situation) if action in {Action.RECORD, Action.BOTH} else None
        # Where nothing could be recorded somebody is told instead, so that the situation is not lost.
        notify = action in {Action.NOTIFY, Action.BOTH} or (action is Action.RECORD and order is None)
        self._work.put(lambda: self._raise(camera, run, situation, notify, origin, order))

    def _record(self, camera: str, key: tuple[str, str, int], situation: Situation) -> int | None:
        """Order a recording for a situation that began; the order's number, None where it was refused."""
        if self._keeping is None or camera not in self._keepers:
            return None
        while len(self._ordered) > _MOST_ORDERED:
            self._ordered.pop(next(iter(self._ordered)))
        if key not in self._orders:
            order = self._keeping.order(camera, ClipMode(self.regime.mode().value), situation.kind.value, SYSTEM)
            if order is not None:
                self._orders[key] = order
                self._ordered[order] = (camera, key[1], situation)
        return self._orders.get(key)

    def _end_record(self, camera: str, key: tuple[str, str, int]) -> int | None:
        """A situation is over: its order is too, where there was one."""
        order = self._orders.pop(key, None)
        if order is not None and self._keeping is not None:
            self._keeping.end_order(camera, order)
        return order

    def unrecorded(self, order: int) -> None:
        """What was ordered could not be recorded after all, or not to its end: somebody is told of the situation instead."""
        known = self._ordered.pop(order, None)
        if known is not None:
            camera, run, situation = known
            self._work.put(lambda: self._raise(camera, run, situation, True, Origin.ANALYSIS, None))

    def record_by_hand(self, camera: str, by: str, reason: str, alert: int | None = None) -> str:
        """Somebody orders a recording; empty where it was ordered, else why not."""
        if self._keeping is None:
            return "reviewers"
        seconds = self._site.recording.manual_s
        order = self._keeping.order(camera, ClipMode(self.regime.mode().value), "manual", by, reason, seconds)
        if order is None:
            return self._keeping.problem
        if alert is not None:
            self._keeping.belongs_to(order, alert)
        return ""

    def _raise(self, camera: str, run: str, situation: Situation, notify: bool, origin: Origin, order: int | None) -> None:
        alert = self.desk.take(camera, situation, notify=notify, run=run, origin=origin)
        if alert is not None and order is not None and self._keeping is not None:
            self._keeping.belongs_to(order, alert.id)
        if alert is not None and self._loop is not None and camera in self._keepers:
            since = situation.at if origin is Origin.ANALYSIS else self._clock.monotonic()
            self._loop.call_soon_threadsafe(lambda: self._keep(self._keep_clip(alert, since)))

    def _keep(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep_clip(self, alert: Alert, at: float) -> None:
        """Keep the redacted seconds before and after the begin of a situation.

        While somebody watches they are taken from what is shown; else the cell makes them from the packets in its memory.
        """
        stream, settings = self._keepers[alert.camera].stream, self._site.alerts
        past = stream.recent(at - settings.before_s)
        head, fragments = past if past is not None else (None, [])
        if not fragments or fragments[0].at > at - settings.before_s + _NEARLY_S:
            data = await self._keepers[alert.camera].moment(at - settings.before_s, at + settings.after_s)
            if data:
                self._work.put(lambda: self._store_clip(alert.id, data))
                return
            past = stream.recent(at - settings.before_s)
            head, fragments = past if past is not None else (None, [])
        viewer = stream.join()
        try:
            async with asyncio.timeout(settings.after_s + 5.0):
                while True:
                    part = await viewer.next()
                    if isinstance(part, StreamInit):
                        if head is not None and part.generation != head.generation and fragments:
                            break
                        head = part
                    elif isinstance(part, StreamFragment):
                        if not fragments or part.at > fragments[-1].at:
                            fragments.append(part)
                        if part.at - at >= settings.after_s:
                            break
        except TimeoutError:
            pass  # the camera was lost meanwhile: what there is is kept
        finally:
            stream.leave(viewer)
        if head is not None and fragments:
            data = head.data + rebased([fragment.data for fragment in fragments])
            self._work.put(lambda: self._store_clip(alert.id, data))

    def _store_clip(self, number: int, data: bytes) -> None:
        self._store.put_clip(number, data)
        self.desk.changed(number)

    def _poke(self, alert: Alert) -> None:
        del alert
        for sender in self._senders:
            sender.poke()

    def drop_alert_clip(self, alert: int) -> None:
        """The recording that an alert belongs to is destroyed: its redacted seconds go with it."""
        self._store.drop_clip(alert)

    async def _housekeeping(self) -> None:
        while True:
            if self._keeping is not None:
                self._keeping.housekeep()
            if self._outages is not None:
                self._outages.look()
            self._work.put(self.desk.escalate_overdue)
            self._work.put(lambda: self._store.drop_clips(self._clock.now() - self._site.alerts.keep_hours * _HOUR_S))
            await asyncio.sleep(_HOUSEKEEPING_S)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                work()
            # The desk must go on whatever a full disk does to one alert; the log and the health page say what failed.
            except Exception as error:  # noqa: BLE001 - goes on, counts the fault and shows it on the health page
                self.problem = f"{type(error).__name__}: {error}"
                _log.exception("duty_failed")

    def _make_source(self, base: Path) -> MqttSource | None:
        mqtt = self._site.alerts.mqtt
        if mqtt is None or not mqtt.listen:
            return None
        return MqttSource(broker(mqtt, base), frozenset(self._keepers), self._from_camera)

    def _from_camera(self, camera: str, event: CameraEvent) -> None:
        """A camera found something itself."""
        now, at = self._clock.now(), self._clock.monotonic()
        ended = None if event.active else at
        situation = Situation(0, event.kind, event.zone, at, now, event.confidence, event.figures, None, ended)
        self.take(camera, f"camera:{event.id}", situation, Origin.CAMERA)


def broker(mqtt: MqttChannel, base: Path) -> Broker:
    """The broker of the site file, with the password from its file. Raises `SettingsError`."""
    password = ""
    if mqtt.password_file:
        path = base / mqtt.password_file
        try:
            password = path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(f"alerts.mqtt.password_file: {path}: {error.strerror}") from error
    return Broker(mqtt.host, mqtt.port, mqtt.prefix, mqtt.user, password)


def make_channels(site: SiteFile, base: Path, cameras: Mapping[str, str]) -> list[Channel]:
    """The channels that the site file names."""
    alerts, language = site.alerts, site.site.language
    words = Words(site.site.name, language, cameras)
    channels: list[Channel] = []
    if alerts.mqtt is not None:
        channels.append(MqttSender(broker(alerts.mqtt, base), site.site.name, language))
    if alerts.mail is not None:
        mail = alerts.mail
        channels.append(MailSender(mail.host, mail.port, mail.sender, mail.to, mail.starttls, words))
    channels += [Webhook(hook.id, hook.address, site.site.name, language) for hook in alerts.webhooks]
    channels += [AppriseChannel(other.id, other.address, words) for other in alerts.apprise]
    return channels
