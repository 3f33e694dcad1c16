"""One connection to the broker: TLS both ways, nothing queued while apart, and whoever needs to know hears that it was lost."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import nats.errors
import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

from blickschutz.guard.rules import Lines
from blickschutz.hosts.rules import subjects
from blickschutz.kernel.clock import aging
from blickschutz.kernel.errors import DeviceError

_log = structlog.get_logger(__name__)
# What the client raises where the broker does not do what it should.
BROKEN: Final = (nats.errors.Error, OSError, TimeoutError)
# The header by which a stream knows a double.
MESSAGE_ID: Final = "Nats-Msg-Id"
CONNECT_S: Final = 5.0
# A broker that does not answer so often, so many times, is lost.
_PING_S, _PINGS = 1, 3
_AGAIN_S: Final = 0.25
_CLOSE_S: Final = 2.0
# Said and not sent yet: what is more is not said.
MOST_UNSENT: Final = 4 * 1024 * 1024
# How long it takes until what was delivered and not confirmed is delivered again.
ACK_WAIT_S: Final = 30.0
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is, what it is called in its certificate, and by what this side proves who it is (files, PEM)."""

    url: str
    name: str
    authority: Path
    certificate: Path
    key: Path


class Broker:
    """Connected until closed; it reconnects by itself. In one event loop."""

    def __init__(self, installation: str, name: str) -> None:
        self.installation, self.name = installation, name
        self.client = Client()
        self._on_lost: list[Callable[[], None]] = []
        self.problem = ""
        self._lines = Lines()

    async def connect(self, address: Address) -> None:
        """Raises `DeviceError`: nobody there, or one of the two does not take the other's certificate."""
        try:
            async with asyncio.timeout(CONNECT_S):
                await self.client.connect(
                    address.url,
                    name=self.name,
                    tls=tls(address),
                    tls_hostname=address.name,
                    inbox_prefix=subjects.inbox(self.name),
                    pending_size=0,
                    # The first try is ours to repeat: the client would try without end, and a cancelled try may not end (bpo-42130).
                    allow_reconnect=False,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=_AGAIN_S,  # type: ignore[arg-type]  # it is slept for: parts of a second, too
                    connect_timeout=2,
                    ping_interval=_PING_S,
                    max_outstanding_pings=_PINGS,
                    error_cb=self._failed,
                    reconnected_cb=self._reconnected,
                    disconnected_cb=self._disconnected,
                )
            self.client.options["allow_reconnect"] = True
        except BROKEN as error:
            await self.close()
            raise DeviceError(f"the broker at {address.url} cannot be used: {self.problem or words(error)}") from error

    async def close(self) -> None:
        """Bounded: an end that is not answered is an end, too."""
        with contextlib.suppress(*BROKEN):
            async with asyncio.timeout(_CLOSE_S):
                await self.client.close()

    @property
    def stream(self) -> JetStreamContext:
        return self.client.jetstream(timeout=2.0)

    def on_lost(self, told: Callable[[], None]) -> Callable[[], None]:
        """Have `told` called when the connection is lost; call what is returned to hear no more."""
        self._on_lost.append(told)
        return lambda: self._on_lost.remove(told) if told in self._on_lost else None

    async def say(self, subject: str, data: bytes) -> bool:
        """Whether it was put on its way. What nobody can hear now is dropped."""
        if not self.client.is_connected or self.client.pending_data_size > MOST_UNSENT:
            return False
        try:
            await self.client.publish(subject, data)
        except BROKEN as error:
            self.problem = str(error)
            return False
        return True

    async def make_streams(self) -> None:
        """What must arrive is kept here on its way. The control room calls it, also after a broker was emptied. Raises `DeviceError`."""
        kept = {
            subjects.news_stream(self.installation): subjects.all_news(self.installation),
            subjects.order_stream(self.installation): subjects.all_orders(self.installation),
        }
        for name, subject in kept.items():
            config = StreamConfig(
                name=name,
                subjects=[subject],
                retention=RetentionPolicy.WORK_QUEUE,
                storage=StorageType.FILE,
                discard=DiscardPolicy.NEW,
                max_bytes=256 * 1024 * 1024,
                max_age=7 * _DAY_S,
                duplicate_window=600,
            )
            try:
                await self.stream.add_stream(config)
            except BROKEN as error:
                raise DeviceError(f"the broker does not keep {name}: {error}") from error

    async def make_order_consumer(self, host: str) -> None:
        """By which a host reads its orders. Raises `DeviceError`."""
        config = ConsumerConfig(
            durable_name=subjects.require_name(host),
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_S,
            filter_subject=subjects.all_orders(self.installation).replace("*", host, 1),
        )
        try:
            await self.stream.add_consumer(subjects.order_stream(self.installation), config)
        except BROKEN as error:
            raise DeviceError(f"the broker gives {host} no orders: {error}") from error

    async def _failed(self, error: Exception) -> None:
        self.problem = str(error) or type(error).__name__
        if self.worth_a_line(self.problem):
            _log.warning("broker_problem", name=self.name, problem=self.problem)

    def worth_a_line(self, problem: str) -> bool:
        """Whether it is to stand in the log again: while the broker is away it is tried once a second, or four times."""
        return self._lines.say(problem, aging())

    async def _reconnected(self) -> None:
        self._lines.over()

    async def _disconnected(self) -> None:
        for told in list(self._on_lost):
            told()


def words(error: BaseException) -> str:
    return str(error) or type(error).__name__


def tls(address: Address) -> ssl.SSLContext:
    """TLS 1.3, this side's certificate, and nobody but the installation's authority is believed. Raises `DeviceError`."""
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_verify_locations(address.authority)
        context.load_cert_chain(address.certificate, address.key)
    except (OSError, ssl.SSLError) as error:
        raise DeviceError(f"the certificate {address.certificate.name} cannot be used: {error}") from error
    return context
