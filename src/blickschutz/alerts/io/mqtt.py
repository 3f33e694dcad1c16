"""MQTT: tell alerts, and hear situations that cameras find themselves. Topics and payloads: `docs/mqtt.md`."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
import structlog

from blickschutz.alerts.io.broker import KEEPALIVE_S, QOS, Broker, make_client, properties
from blickschutz.alerts.io.wire import CameraEvent, camera_event, digest_message, fault_message, message
from blickschutz.alerts.model import Digest, FaultNotice, Notice
from blickschutz.guard.rules import words
from blickschutz.guard.service import Guard
from blickschutz.guard.work import ThreadWork
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import UNREADABLE, DeviceError

_log = structlog.get_logger(__name__)
_PUBLISH_S, _CLOSE_S = 5.0, 3.0
_MOST_BYTES = 16_384
# The payload prefix of events in JSON (ONVIF Core, event broker).
_PUBLISHED = "onvif-ej"
# Seconds. Whoever was away for longer reads in the state what is still open, and no broker keeps who was where for ever.
_EXPIRY_S = 86_400


class MqttSender:
    """Publishes each event under `PREFIX/SITE/alerts/CAMERA/KIND`, a digest under `PREFIX/SITE/digests`, a disturbed
    part of the system under `PREFIX/SITE/faults`, at least once.

    The number of a notice, or of a digest with its count of notices, tells a doubled one.
    """

    name = "mqtt"

    def __init__(self, broker: Broker, site: str, language: str) -> None:
        self._broker, self._site, self._language = broker, site, language
        self._client: mqtt.Client | None = None
        self._refused = ""

    def send(self, notice: Notice) -> None:
        topic = f"{self._broker.root}/alerts/{notice.alert.camera}/{notice.alert.kind.value}"
        self._publish(topic, msgspec.json.encode(message(notice, self._site, self._language)))

    def send_digest(self, digest: Digest) -> None:
        self._publish(f"{self._broker.root}/digests", msgspec.json.encode(digest_message(digest, self._site, self._language)))

    def send_fault(self, fault: FaultNotice) -> None:
        self._publish(f"{self._broker.root}/faults", msgspec.json.encode(fault_message(fault, self._site)))

    def _publish(self, topic: str, data: bytes) -> None:
        self._refused = ""
        try:
            sent = self._connected().publish(topic, data, QOS, properties=properties(self._broker, expires_s=_EXPIRY_S))
            sent.wait_for_publish(_PUBLISH_S)
            done = sent.is_published()
        except (OSError, ValueError, RuntimeError) as error:
            self.close()
            raise DeviceError(f"the broker {self._broker.address} is not reachable: {self._refused or error}") from error
        if not done:
            self.close()
            raise DeviceError(f"the broker {self._broker.address} did not confirm within {_PUBLISH_S:g} s{self._why()}")
        if self._refused:
            raise DeviceError(f"the broker {self._broker.address} refuses{self._why()}")

    def _why(self) -> str:
        return f": {self._refused}" if self._refused else ""

    def _connected(self) -> mqtt.Client:
        if self._client is None:
            client = make_client(self._broker, "alerts")
            client.on_connect = self._answered
            client.on_publish = lambda client, userdata, mid, reason, about: self._take(reason)
            client.connect(self._broker.host, self._broker.port, KEEPALIVE_S)
            client.loop_start()
            self._client = client
        return self._client

    def _answered(self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, about: Any) -> None:
        del client, userdata, flags, about
        self._take(reason)

    def _take(self, reason: Any) -> None:
        """Since MQTT 5 a broker says why it does not let somebody in, or does not take a message."""
        if reason.is_failure:
            self._refused = str(reason)

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()


def _why(error: Exception) -> str:
    """What our own schema says of a message, and of everything else only its kind: no word of the message itself."""
    return str(error) if isinstance(error, msgspec.DecodeError) else type(error).__name__


class MqttSource:
    """Hears `PREFIX/SITE/cameras/CAMERA/events`. What breaks the schema or names an unknown camera is refused and logged.

    `cameras` is asked at each message, as cameras come and go. `on_notice` gets what cameras publish themselves under
    `.../CAMERA/onvif-ej/`: the rest of the topic, and the payload. It gives what is to be done, and raises one of `UNREADABLE` where it is
    none.
    """

    def __init__(
        self,
        broker: Broker,
        cameras: Container[str],
        on_event: Callable[[str, CameraEvent], None],
        guard: Guard | None = None,
        on_notice: Callable[[str, str, bytes], Callable[[], None]] | None = None,
    ) -> None:
        self._broker, self._cameras, self._on_event, self._on_notice = broker, cameras, on_event, on_notice
        self._client = make_client(broker, "cameras")
        self._client.on_connect = self._subscribe
        self._client.on_message = self._take
        self._guard = guard or Guard(SystemClock())
        self._thread: ThreadWork | None = None
        self.refused = 0

    def start(self) -> None:
        """Connect in a guarded thread and go on trying."""
        self._thread = self._guard.thread("camera-events", self._run, stop=self._stop)

    def close(self) -> None:
        if self._thread is not None:
            self._thread.end(_CLOSE_S)

    def _stop(self) -> None:
        self._client.disconnect()

    def _run(self) -> None:
        # What the library does not foresee (a host that is no name) ends its loop: the guard begins it again.
        self._client.connect_async(self._broker.host, self._broker.port, KEEPALIVE_S)
        self._client.loop_forever(retry_first_connection=True)

    def _subscribe(self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, about: Any) -> None:
        del userdata, flags, about
        if reason.is_failure:
            _log.warning("broker_refuses", part="cameras", reason=str(reason))
            return
        client.subscribe(f"{self._broker.root}/cameras/+/events", QOS)
        if self._on_notice is not None:
            client.subscribe(f"{self._broker.root}/cameras/+/{_PUBLISHED}/#", QOS)

    def _take(self, client: mqtt.Client, userdata: Any, item: mqtt.MQTTMessage) -> None:
        del client, userdata
        camera = ""
        try:
            camera, _, topic = item.topic.removeprefix(f"{self._broker.root}/cameras/").partition("/")
            if camera not in self._cameras:
                raise msgspec.ValidationError(f"there is no camera {camera[:40]!r}")
            if len(item.payload) > _MOST_BYTES:
                raise msgspec.ValidationError(f"{len(item.payload)} bytes are too many")
            act = self._read(camera, topic, bytes(item.payload))
        # Bytes that are no UTF-8 (in the topic too) are a `ValueError`, a thousand brackets are a `RecursionError`.
        except UNREADABLE as error:
            self.refused += 1
            _log.warning("camera_event_refused", camera=camera[:40], reason=_why(error))
            return
        try:
            act()
        except Exception as error:  # noqa: BLE001 - one event that fails must not cut the line to all cameras
            _log.error("camera_event_failed", camera=camera, problem=words(error))

    def _read(self, camera: str, topic: str, payload: bytes) -> Callable[[], None]:
        """What is to be done with a message. Raises one of `UNREADABLE`."""
        if self._on_notice is not None and topic.startswith(f"{_PUBLISHED}/"):
            return self._on_notice(camera, topic.removeprefix(f"{_PUBLISHED}/"), payload)
        event = camera_event(payload)
        return lambda: self._on_event(camera, event)
