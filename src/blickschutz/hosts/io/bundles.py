"""One message of the broker for many cells of a host, because each costs the same: what they say, and that somebody is there."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Mapping
from typing import Final, Protocol

import msgspec
import structlog
from nats.aio.msg import Msg

from blickschutz.hosts.io.broker import BROKEN, Broker
from blickschutz.hosts.model import Bundle, Part, Present
from blickschutz.hosts.rules import subjects
from blickschutz.hosts.rules.parts import PART_BYTES
from blickschutz.kernel.errors import DeviceError, ProtocolError
from blickschutz.wire.frames import unpack

# So long a heartbeat may wait for others. Nothing hangs on half a second of it: its times are the cell's own.
EVERY_S: Final = 0.5
_encoder = msgspec.msgpack.Encoder()
_present: msgspec.msgpack.Decoder[Present] = msgspec.msgpack.Decoder(Present)
_log = structlog.get_logger(__name__)


class Bundles:
    """Of one host, in the event loop; `keep` is for the guard."""

    def __init__(self, broker: Broker) -> None:
        self._broker, self._subject = broker, subjects.bundles(broker.installation, broker.name)
        self._parts: list[Part] = []
        self._bytes = 0
        # By session whom to tell that it was not said.
        self._unsaid: dict[str, Callable[[str], None]] = {}

    async def say(self, part: Part, unsaid: Callable[[str], None], *, soon: bool) -> None:
        """Put it behind what was said before, and on its way at once where it is to be there `soon`. Where the broker does not take it,
        `unsaid` is called with the session, which is over."""
        if self._parts and self._bytes + len(part.data) > PART_BYTES:
            await self._flush()
        self._parts.append(part)
        self._bytes += len(part.data)
        self._unsaid[part.session] = unsaid
        if soon:
            await self._flush()

    async def keep(self) -> None:
        # Hosts that began in the same moment need not go on in step.
        await asyncio.sleep(random.uniform(0.0, EVERY_S))
        while True:
            await asyncio.sleep(EVERY_S)
            await self._flush()

    async def _flush(self) -> None:
        # All that is between these lines and the client's own queue is done without a pause: bundles keep their order.
        parts, unsaid = self._parts, self._unsaid
        self._parts, self._unsaid, self._bytes = [], {}, 0
        if parts and not await self._broker.say(self._subject, _encoder.encode(Bundle(tuple(parts)))):
            for session, told in unsaid.items():
                told(session)


class End(Protocol):
    def present(self, sessions: Collection[str]) -> None: ...


class Presence:
    """That the control room is there, heard once for all cells of a host."""

    def __init__(self, broker: Broker, ends: Mapping[str, End]) -> None:
        self._broker, self._ends = broker, ends

    async def start(self) -> None:
        """Raises `DeviceError`."""
        try:
            await self._broker.client.subscribe(subjects.present(self._broker.installation, self._broker.name), cb=self._hear)
        except BROKEN as error:
            raise DeviceError(f"the broker does not let {self._broker.name} listen: {error}") from error

    async def _hear(self, message: Msg) -> None:
        try:
            sessions = frozenset(unpack(message.data, _present).sessions)
        except ProtocolError as error:
            _log.error("control_room_unreadable", host=self._broker.name, problem=str(error))
            return
        for end in self._ends.values():
            end.present(sessions)
