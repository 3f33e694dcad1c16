"""The control room's side of all hosts: one connection to the broker, the leases, and links to the cells."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import msgspec
import structlog

from blickschutz.guard.model import Backoff
from blickschutz.guard.service import Guard
from blickschutz.hosts.io.broker import BROKEN, MESSAGE_ID, Address, Broker, words
from blickschutz.hosts.io.leases import Connection, GiverRounds
from blickschutz.hosts.io.room_link import RoomLink
from blickschutz.hosts.io.sessions import PRESENT_S, Sessions
from blickschutz.hosts.io.tokens import Tokens
from blickschutz.hosts.model import AskPiece, Piece, Place, Placed
from blickschutz.hosts.ports import Arrivals
from blickschutz.hosts.rules import subjects
from blickschutz.hosts.rules.lease import Giver
from blickschutz.hosts.rules.placement import Need
from blickschutz.kernel.clock import aging
from blickschutz.kernel.errors import DeviceError, ProtocolError
from blickschutz.pipeline.channel import greeting
from blickschutz.pipeline.times import CellTimes
from blickschutz.wire.frames import unpack
from blickschutz.wire.greeting import Greeting

_log = structlog.get_logger(__name__)
EVERY_S: Final = 0.5
_SOON: Final = Backoff(first_s=0.3, most_s=2.0)
_AGAIN_S: Final = 1.0
_PIECE_S: Final = 10.0
# More are said again once there is room for them.
_MOST_DIRECTIVES: Final = 1000
_encoder = msgspec.msgpack.Encoder()
_pieces: msgspec.msgpack.Decoder[Piece] = msgspec.msgpack.Decoder(Piece)


class HostRoom:
    """See `Hosts` and `ClipHosts`. `known` are the hosts that were ever let in, `enrolled` those that may be given anything now.

    `tokens` keep the highest token, and who films without end; `report` raises where a host did not sign what it is to have told. While
    `leads` says no, another control room may lead, and this one has no camera with a host.
    """

    def __init__(
        self,
        broker: Broker,
        address: Callable[[], Address],
        known: Callable[[], Collection[str]],
        enrolled: Callable[[], Collection[str]],
        needs: Mapping[str, Need],
        tokens: Tokens,
        report: Callable[[str, bytes, bytes, bytes], None] | None = None,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._broker, self._address, self._enrolled, self._leads = broker, address, enrolled, leads
        self._needs = needs
        self._placed: dict[str, Placed] = {}
        self._change = asyncio.Event()
        self._connection, self._sessions = Connection(broker), Sessions(broker)
        self.problem = "the broker was not reached yet"
        self._guard: Guard | None = None
        self._report = report
        self._directives: deque[tuple[str, str, bytes]] = deque(maxlen=_MOST_DIRECTIVES)
        self._present: frozenset[str] = frozenset()
        # As of the last round, by camera.
        self._untold: Mapping[str, Sequence[str]] = {}
        self._left: dict[str, asyncio.Event] = {}
        # By host the name of its clock, and what is known of that. What another host says of a clock of that name counts for nothing.
        self._times: dict[str, tuple[str, CellTimes]] = {}
        self._seen: tuple[int, frozenset[str], frozenset[str]] | None = None
        self.giver = Giver(aging(), tokens.read(), tokens.alone())
        self._rounds = GiverRounds(broker, self.giver, known, lambda: needs, tokens.remember, nudge=self._nudge, may=enrolled)

    def start(self, guard: Guard) -> None:
        """Begin to reach the broker, and to give leases; in the running loop."""
        self._guard = guard
        guard.task("hosts", self._run, backoff=_SOON)
        guard.task("present", self._sessions.present, every_s=PRESENT_S)

    async def end(self) -> None:
        await self._broker.close()

    def placed(self, camera: str) -> Placed | None:
        return self._placed.get(camera)

    def untold(self, camera: str) -> Sequence[Placed]:
        floor = self._placed[camera].token if camera in self._placed else 0
        return [Placed(host, 0, floor) for host in self._untold.get(camera, ()) if host in self._enrolled()]

    def times(self, host: str, theirs: Greeting) -> CellTimes:
        known = self._times.get(host)
        if known is None or not theirs.clock or known[0] != theirs.clock:
            known = self._times[host] = theirs.clock, CellTimes(greeting(), theirs)
        return known[1]

    async def something_left(self, camera: str) -> None:
        if camera not in self._untold:
            await self._left.setdefault(camera, asyncio.Event()).wait()

    async def changed(self) -> None:
        await self._change.wait()

    async def open(self, camera: str, placed: Placed, intake: Arrivals) -> RoomLink:
        if self._guard is None or not self._broker.client.is_connected:
            raise DeviceError(f"the broker between hosts is away: {self.problem or self._broker.problem}")
        place = Place(self._broker.installation, placed.host, camera)
        link = RoomLink(self._broker, self._sessions, place, self._guard, placed.floor + 1 if placed.floor else 0, intake)
        await link.open(greeting(self._broker.installation, camera))
        return link

    # --- clips that lie with hosts ---

    def is_present(self, host: str) -> bool:
        return host in self._present

    def direct(self, host: str, name: str, data: bytes) -> None:
        self._directives.append((host, name, data))

    def require_report(self, host: str, text: bytes, signature: bytes, certificate: bytes) -> None:
        if self._report is None:
            raise ProtocolError("nobody here knows what hosts sign with")
        self._report(host, text, signature, certificate)

    async def piece(self, host: str, asked: AskPiece) -> Piece:
        try:
            subject = subjects.pieces(self._broker.installation, host)
            found = await self._broker.client.request(subject, _encoder.encode(asked), timeout=_PIECE_S)
            return unpack(found.data, _pieces)
        except BROKEN as error:
            raise DeviceError(f"the host {host} does not answer: {words(error)}") from error

    async def _say_directives(self) -> None:
        while self._directives:
            host, name, data = self._directives.popleft()
            subject = subjects.directives(self._broker.installation, host)
            try:
                await self._broker.stream.publish(subject, data, headers={MESSAGE_ID: name})
            except BROKEN as error:
                raise DeviceError(f"a directive cannot be said: {words(error)}") from error

    async def _run(self) -> None:
        if not self._broker.client.is_connected and not self._broker.client.is_reconnecting:
            await self._connect()
        while True:
            try:
                await self._round()
                self.problem = ""
            except DeviceError as error:
                self.problem, self._present, self._untold, self._seen = str(error), frozenset(), {}, None
                raise
            await asyncio.sleep(EVERY_S)

    async def _connect(self) -> None:
        while True:
            try:
                await self._broker.connect(await asyncio.to_thread(self._address))
                await self._sessions.listen()
                return
            except DeviceError as error:
                self.problem = str(error)
                if self._broker.worth_a_line(self.problem):
                    _log.error("no_broker", problem=self.problem)
                await asyncio.sleep(_AGAIN_S)

    async def _round(self) -> None:
        if not self._leads():
            self._place({})
            self._seen = None
            raise DeviceError("the database does not say whether this control room leads; cameras with hosts wait for it")
        if anew := self._connection.anew:
            # The broker may be another one, or an emptied one.
            await self._broker.make_streams()
            for host in self._enrolled():
                await self._broker.make_order_consumer(host)
            self._connection.dealt_with(anew)
        await self._rounds.round()
        present, enrolled = frozenset(self.giver.alive(aging())), self._enrolled()
        seen = self.giver.version, present, frozenset(enrolled)
        if seen != self._seen:
            self._look(enrolled)
        self._seen, self._present = seen, present
        await self._say_directives()

    def _look(self, enrolled: Collection[str]) -> None:
        """What follows for cameras from what hosts have and say now."""
        self._untold = self.giver.untold(aging())
        for camera, left in self._left.items():
            if camera in self._untold:
                left.set()
            else:
                left.clear()
        self._place({camera: one for camera, one in self.giver.placed().items() if one.host in enrolled})

    def _place(self, placed: dict[str, Placed]) -> None:
        if placed != self._placed:
            self._placed = placed
            change, self._change = self._change, asyncio.Event()
            change.set()

    async def _nudge(self, host: str) -> None:
        await self._broker.say(subjects.nudges(self._broker.installation, host), b"")
