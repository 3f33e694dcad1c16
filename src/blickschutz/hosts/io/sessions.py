"""The sessions that the control room has with cells on hosts: what is said in them finds its link, and hosts hear which there are."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Final, Protocol

import msgspec
import structlog
from nats.aio.msg import Msg

from blickschutz.hosts.io.broker import BROKEN, Broker, words
from blickschutz.hosts.model import BUNDLES, Bundle, Confirmed, Part, Place, Present
from blickschutz.hosts.rules import subjects
from blickschutz.kernel.errors import DeviceError, ProtocolError
from blickschutz.wire.frames import unpack

_log = structlog.get_logger(__name__)
_encoder = msgspec.msgpack.Encoder()
_parts: msgspec.msgpack.Decoder[Part] = msgspec.msgpack.Decoder(Part)
_bundles: msgspec.msgpack.Decoder[Bundle] = msgspec.msgpack.Decoder(Bundle)
# As often a host hears that somebody is there, whom it believes gone after six seconds of silence.
PRESENT_S: Final = 2.0


class Session(Protocol):
    """One link, as whoever hears for all of them sees it."""

    place: Place
    contract: int

    def hear(self, part: Part) -> None: ...

    def give_up(self, problem: str) -> None: ...


class Sessions:
    """Of one connection to the broker, in the event loop."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        # By host and session: a host that heard of another one's session can say nothing in it.
        self._open: dict[tuple[str, str], Session] = {}

    async def listen(self) -> None:
        """Once for each connection that was made; one that was lost and made again by itself goes on listening. Raises `DeviceError`."""
        try:
            await self._broker.client.subscribe(subjects.all_up(self._broker.installation), cb=self._hear)
        except BROKEN as error:
            raise DeviceError(f"the broker does not let us hear hosts: {words(error)}") from error

    def add(self, name: str, session: Session) -> None:
        self._open[session.place.host, name] = session

    def remove(self, name: str, session: Session) -> None:
        self._open.pop((session.place.host, name), None)

    async def present(self) -> None:
        """Say to each host which sessions there are: it believes those gone of which it hears nothing."""
        by_host: defaultdict[str, list[str]] = defaultdict(list)
        for (host, name), session in list(self._open.items()):
            if session.contract >= BUNDLES:
                by_host[host].append(name)
            else:
                await self._broker.say(subjects.confirms(session.place), _encoder.encode(Confirmed("", 0)))
        for host, names in by_host.items():
            await self._broker.say(subjects.present(self._broker.installation, host), _encoder.encode(Present(tuple(names))))

    async def _hear(self, message: Msg) -> None:
        host, camera = subjects.speaker(message.subject)
        try:
            parts = unpack(message.data, _bundles).parts if camera == subjects.OF_HOST else (unpack(message.data, _parts),)
        except ProtocolError as error:
            _log.error("host_unreadable", host=host, problem=str(error))
            for (name, _), one in list(self._open.items()):
                if name == host:
                    one.give_up(str(error))
            return
        for part in parts:
            if (session := self._open.get((host, part.session))) is not None:
                session.hear(part)
        # Whoever hears for all would keep everybody else waiting while there is something to hear.
        await asyncio.sleep(0)
