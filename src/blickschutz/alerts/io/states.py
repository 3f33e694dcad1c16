"""What is true now, retained at the broker: of the site, of each camera, and whether anybody is there to say so. Never a picture."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
import structlog

from blickschutz.alerts.io.broker import KEEPALIVE_S, QOS, Broker, make_client, properties
from blickschutz.alerts.io.wire import CameraState, SiteState, Switch
from blickschutz.alerts.model import AlertState, Mark
from blickschutz.guard.service import Guard
from blickschutz.guard.work import ThreadWork
from blickschutz.kernel.clock import Clock
from blickschutz.situations.kinds import Kind

_log = structlog.get_logger(__name__)
ONLINE, OFFLINE = b"online", b"offline"
LOOK_S, _CLOSE_S, _GOODBYE_S = 2.0, 3.0, 1.0
# Seconds. All is said again each hour, and a broker forgets within a day what nobody says any more: of a site that is gone, too.
_AGAIN_S, _EXPIRY_S = 3600.0, 86_400

Fixed = Callable[[], Mapping[str, bytes]]


def nothing_fixed() -> Mapping[str, bytes]:
    return {}


@dataclass(frozen=True, slots=True)
class CameraNow:
    """A camera as the control room knows it; `state` is that of its tile."""

    id: str
    name: str
    state: str
    stopped: bool


@dataclass(frozen=True, slots=True)
class SiteNow:
    """What is to be told; `open` are the open alerts."""

    regime: str
    cameras: Sequence[CameraNow]
    open: Sequence[Mark]


def topics_of(now: SiteNow, broker: Broker, site: str) -> dict[str, bytes]:
    """Topic to payload."""
    counts = Counter(mark.state for mark in now.open)
    told = {
        f"{broker.root}/state": msgspec.json.encode(
            SiteState(
                site=site,
                regime=now.regime,
                stopped=_switch(bool(now.cameras) and all(camera.stopped for camera in now.cameras)),
                cameras=len(now.cameras),
                live=sum(camera.state == "live" for camera in now.cameras),
                open=len(now.open),
                escalated=counts[AlertState.ESCALATED],
                in_hand=counts[AlertState.ACKNOWLEDGED] + counts[AlertState.ACTING],
            )
        )
    }
    for camera in now.cameras:
        open_ = [mark.kind for mark in now.open if mark.camera == camera.id]
        told[f"{broker.root}/cameras/{camera.id}/state"] = msgspec.json.encode(
            CameraState(
                camera=camera.id,
                name=camera.name,
                state=camera.state,
                stopped=_switch(camera.stopped),
                open=len(open_),
                kinds={kind.value: _switch(kind in open_) for kind in Kind},
            )
        )
    return told


def _switch(on: bool) -> Switch:
    return "ON" if on else "OFF"


class MqttStates:
    """Keeps the states at the broker as they are here. Its last will says that nobody does any more.

    `fixed` gives retained messages that the broker keeps until they are said anew (discovery); one that it no longer gives is taken back.
    """

    def __init__(
        self, broker: Broker, site: str, look: Callable[[], SiteNow], guard: Guard, clock: Clock, fixed: Fixed = nothing_fixed
    ) -> None:
        self._broker, self._site, self._look, self._guard, self._clock = broker, site, look, guard, clock
        self._fixed, self._availability = fixed, f"{broker.root}/availability"
        self._found: Mapping[str, bytes] = {}
        self._client = make_client(broker, "states")
        self._client.on_connect = self._connected
        self._client.will_set(self._availability, OFFLINE, QOS, retain=True, properties=properties(broker, json=False, will=True))
        self._lock = threading.Lock()
        self._told: dict[str, bytes] = {}
        self._told_at = float("-inf")
        self._threads: list[ThreadWork] = []

    def start(self) -> None:
        """Connect in a guarded thread and go on trying; another one looks every two seconds."""
        self._threads = [
            self._guard.thread("broker-states", self._run, stop=self._stop),
            self._guard.thread("broker-look", self.look, every_s=LOOK_S),
        ]

    def close(self) -> None:
        """Say that nobody keeps the states any more, and end: a last will is for those who could not say it."""
        if self._client.is_connected():
            try:
                self._publish(self._availability, OFFLINE, json=False).wait_for_publish(_GOODBYE_S)
            except (RuntimeError, ValueError) as error:
                # The connection went at this very moment: the last will says it.
                _log.info("broker_goodbye_unsaid", problem=str(error))
        for thread in reversed(self._threads):
            thread.end(_CLOSE_S)

    def look(self) -> None:
        """Say what has changed; all of it after a new connection and each hour."""
        if not self._client.is_connected():
            return
        wanted = topics_of(self._look(), self._broker, self._site)
        now = self._clock.monotonic()
        with self._lock:
            if now - self._told_at >= _AGAIN_S:
                self._told, self._told_at = {}, now
            told = self._told
        found = self._fixed()
        # An empty message is how a broker is told to keep none.
        gone = dict.fromkeys(self._found.keys() - found.keys(), b"")
        self._found = found
        for topic, data in (*gone.items(), *found.items()):
            if told.get(topic) != data:
                self._publish(topic, data)
                told[topic] = data
        for topic, data in wanted.items():
            if told.get(topic) != data:
                self._publish(topic, data, expires_s=_EXPIRY_S)
                told[topic] = data

    def _publish(self, topic: str, data: bytes, *, expires_s: int | None = None, json: bool = True) -> mqtt.MQTTMessageInfo:
        return self._client.publish(topic, data, QOS, retain=True, properties=properties(self._broker, expires_s=expires_s, json=json))

    def _stop(self) -> None:
        self._client.disconnect()

    def _run(self) -> None:
        self._client.connect_async(self._broker.host, self._broker.port, KEEPALIVE_S)
        self._client.loop_forever(retry_first_connection=True)

    def _connected(self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, about: Any) -> None:
        del client, userdata, flags, about
        if reason.is_failure:
            _log.warning("broker_refuses", part="states", reason=str(reason))
            return
        # A new dictionary: a look that goes on meanwhile fills the old one.
        with self._lock:
            self._told = {}
        self._publish(self._availability, ONLINE, json=False)
