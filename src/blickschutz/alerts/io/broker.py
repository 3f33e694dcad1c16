"""The connection to an MQTT broker: who we are there, and what every message carries (MQTT 5.0, OASIS 2019)."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

QOS, KEEPALIVE_S, CONNECT_S = 1, 30, 5.0


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how to sign in; `site` and the `installation` are names of this site among others at the broker.

    Every topic begins with `root`. With `tls` the broker's certificate is verified, and ours is shown where there is one.
    """

    host: str
    site: str
    installation: str
    port: int = 1883
    prefix: str = "blickschutz"
    user: str = ""
    password: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = None

    @property
    def root(self) -> str:
        return f"{self.prefix}/{self.site}"

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


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


def make_client(broker: Broker, part: str) -> mqtt.Client:
    """A client of this installation alone: a broker ends the older one of two connections of the same id (MQTT 5.0, 3.1.4)."""
    name = f"blickschutz-{broker.installation}-{part}"
    client = _Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
    client.connect_timeout = CONNECT_S
    client.reconnect_delay_set(1, 30)
    if broker.user:
        client.username_pw_set(broker.user, broker.password)
    if broker.tls is not None:
        client.tls_set_context(broker.tls)
    return client


def properties(broker: Broker, *, expires_s: int | None = None, json: bool = True, will: bool = False) -> Properties:
    """What is said of a message: UTF-8, its form, whose it is, and after how many seconds a broker forgets it."""
    about = Properties(PacketTypes.WILLMESSAGE if will else PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    about.PayloadFormatIndicator = 1
    about.ContentType = "application/json" if json else "text/plain"
    about.UserProperty = ("installation", broker.installation)
    if expires_s is not None:
        about.MessageExpiryInterval = expires_s
    return about
