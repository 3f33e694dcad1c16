"""MQTT: tell alerts, and hear situations that cameras find themselves. Topics and payloads: `docs/mqtt.md`."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion

from blickschutz.alerts.io.wire import CameraEvent, camera_event, digest_message, fault_message, message
from blickschutz.alerts.model import Digest, FaultNotice, Notice
from blickschutz.guard.rules import words
from blickschutz.guard.service import Guard
from blickschutz.guard.work import ThreadWork
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import UNREADABLE, DeviceError

_log = structlog.get_logger(__name__)
_CONNECT_S, _PUBLISH_S, _KEEPALIVE_S, _CLOSE_S = 5.0, 5.0, 30, 3.0
_QOS = 1
_MOST_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how to sign in; `prefix` starts every topic. With `tls` its certificate is verified."""

    host: str
    port: int = 1883
    prefix: str = "blickschutz"
    user: str = ""
    password: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = None


def _waking_pair() -> tuple[socket.socket, socket.socket]:
    """Two ends by which the client wakes its own thread."""
    pair = socket.socketpair()
    for one in pair:
        one.setblocking(False)
    return pair


# The library takes two TCP sockets on a port of its own for that, and a control room that is confined binds none (`zones`).
mqtt._socketpair_compat = _waking_pair


class _Client(mqtt.Client):
    """Connects without binding a port of its own first, which the library does in any case."""

    def _create_socket_connection(self) -> socket.socket:
        return socket.create_connection((self._host, self._port), timeout=self._connect_timeout)


def _client(broker: Broker, name: str) -> mqtt.Client:
    client = _Client(CallbackAPIVersion.VERSION2, client_id=f"{broker.prefix.replace('/', '-')}-{name}")
    client.connect_timeout = _CONNECT_S
    client.reconnect_delay_set(1, 30)
    if broker.user:
        client.username_pw_set(broker.user, broker.password)
    if broker.tls is not None:
        client.tls_set_context(broker.tls)
    return client


class MqttSender:
    """Publishes each event under `PREFIX/alerts/CAMERA/KIND`, a digest under `PREFIX/digests`, a disturbed
    part of the system under `PREFIX/faults`, at least once.

    The number of a notice, or of a digest with its count of notices, tells a doubled one.
    """

    name = "mqtt"

    def __init__(self, broker: Broker, site: str, language: str) -> None:
        self._broker, self._site, self._language = broker, site, language
        self._client: mqtt.Client | None = None

    def send(self, notice: Notice) -> None:
        topic = f"{self._broker.prefix}/alerts/{notice.alert.camera}/{notice.alert.kind.value}"
        self._publish(topic, msgspec.json.encode(message(notice, self._site, self._language)))

    def send_digest(self, digest: Digest) -> None:
        self._publish(f"{self._broker.prefix}/digests", msgspec.json.encode(digest_message(digest, self._site, self._language)))

    def send_fault(self, fault: FaultNotice) -> None:
        self._publish(f"{self._broker.prefix}/faults", msgspec.json.encode(fault_message(fault, self._site)))

    def _publish(self, topic: str, data: bytes) -> None:
        try:
            sent = self._connected().publish(topic, data, _QOS)
            sent.wait_for_publish(_PUBLISH_S)
            done = sent.is_published()
        except (OSError, ValueError, RuntimeError) as error:
            self.close()
            raise DeviceError(f"the broker {self._broker.host}:{self._broker.port} is not reachable: {error}") from error
        if not done:
            self.close()
            raise DeviceError(f"the broker {self._broker.host}:{self._broker.port} did not confirm within {_PUBLISH_S:g} s")

    def _connected(self) -> mqtt.Client:
        if self._client is None:
            client = _client(self._broker, "alerts")
            client.connect(self._broker.host, self._broker.port, _KEEPALIVE_S)
            client.loop_start()
            self._client = client
        return self._client

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()


def _why(error: Exception) -> str:
    """What our own schema says of a message, and of everything else only its kind: no word of the message itself."""
    return str(error) if isinstance(error, msgspec.DecodeError) else type(error).__name__


class MqttSource:
    """Hears `PREFIX/cameras/CAMERA/events`. What breaks the schema or names an unknown camera is refused and logged."""

    def __init__(
        self, broker: Broker, cameras: frozenset[str], on_event: Callable[[str, CameraEvent], None], guard: Guard | None = None
    ) -> None:
        self._broker, self._cameras, self._on_event = broker, cameras, on_event
        self._client = _client(broker, "cameras")
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
        self._client.connect_async(self._broker.host, self._broker.port, _KEEPALIVE_S)
        self._client.loop_forever(retry_first_connection=True)

    def _subscribe(self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        del userdata, flags, reason, properties
        client.subscribe(f"{self._broker.prefix}/cameras/+/events", _QOS)

    def _take(self, client: mqtt.Client, userdata: Any, item: mqtt.MQTTMessage) -> None:
        del client, userdata
        camera = ""
        try:
            camera = item.topic.removeprefix(f"{self._broker.prefix}/cameras/").removesuffix("/events")
            if camera not in self._cameras:
                raise msgspec.ValidationError(f"there is no camera {camera[:40]!r}")
            if len(item.payload) > _MOST_BYTES:
                raise msgspec.ValidationError(f"{len(item.payload)} bytes are too many")
            event = camera_event(bytes(item.payload))
        # Bytes that are no UTF-8 (in the topic too) are a `ValueError`, a thousand brackets are a `RecursionError`.
        except UNREADABLE as error:
            self.refused += 1
            _log.warning("camera_event_refused", camera=camera[:40], reason=_why(error))
            return
        try:
            self._on_event(camera, event)
        except Exception as error:  # noqa: BLE001 - one event that fails must not cut the line to all cameras
            _log.error("camera_event_failed", camera=camera, problem=words(error))
