"""A host's end of a link over the broker: between one of its cells and whichever control room opens a session.

The cell does not know that there is a broker: it speaks with this end as with a control room, over its pair of sockets. What must arrive
goes into the journal first, and the cell may forget it; from there it is told until the control room has it in its rows.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Collection
from typing import Final

import msgspec
import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from blickschutz.guard.service import Guard
from blickschutz.hosts.io.alone import Alone
from blickschutz.hosts.io.broker import BROKEN, MESSAGE_ID, Broker
from blickschutz.hosts.io.bundles import Bundles
from blickschutz.hosts.io.clips import HostClips
from blickschutz.hosts.io.going_on import GoingOn
from blickschutz.hosts.io.journal import FileJournal
from blickschutz.hosts.model import BUNDLES, AskCopy, AskPiece, Confirmed, Delivery, Open, Part, Piece, Place
from blickschutz.hosts.ports import CellLine
from blickschutz.hosts.rules import subjects
from blickschutz.hosts.rules.delivery import delivery_of, importance_of
from blickschutz.hosts.rules.parts import Joined, Parted
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import DeviceError, ProtocolError
from blickschutz.pipeline.channel import unpack_to_cell
from blickschutz.pipeline.messages import (
    ClipTold,
    FilmUntil,
    Fragment,
    FromCell,
    Head,
    Health,
    Heard,
    News,
    Record,
    Resumed,
    SetStanding,
    SituationTold,
    ToCell,
    Watch,
)
from blickschutz.wire.frames import unpack
from blickschutz.wire.greeting import Greeting, RefusedError, agreed, clock_name

_log = structlog.get_logger(__name__)
_encoder = msgspec.msgpack.Encoder()
_open: msgspec.msgpack.Decoder[Open] = msgspec.msgpack.Decoder(Open)
_parts: msgspec.msgpack.Decoder[Part] = msgspec.msgpack.Decoder(Part)
_confirmed: msgspec.msgpack.Decoder[Confirmed] = msgspec.msgpack.Decoder(Confirmed)
_asked: msgspec.msgpack.Decoder[AskPiece] = msgspec.msgpack.Decoder(AskPiece)
_asked_copy: msgspec.msgpack.Decoder[AskCopy] = msgspec.msgpack.Decoder(AskCopy)
# Until news are told again that the broker did not take.
_AGAIN_S: Final = 0.5
# Without a word of the control room for so long nobody watches.
SILENT_S: Final = 6.0
# Pictures that wait until they can be said.
_MOST_WAITING: Final = 64
_TAKE_S = 2.0


class HostEnd:
    """Of one cell. `token` gives the lease under which its camera is filmed now."""

    def __init__(
        self,
        broker: Broker,
        place: Place,
        line: CellLine,
        journal: FileJournal,
        ours: Greeting,
        guard: Guard,
        clock: Clock,
        token: Callable[[], int],
        bundles: Bundles,
        clips: HostClips | None = None,
        going_on: GoingOn | None = None,
    ) -> None:
        self._broker, self._place, self._line, self._journal = broker, place, line, journal
        self._clips, self._going_on, self._bundles = clips, going_on, bundles
        self._ours, self._guard, self._clock, self._token = ours, guard, clock, token
        self._session, self._contract = "", 0
        self._up, self._down = Parted(""), Joined("")
        self._outgoing: deque[FromCell | None] = deque()
        self._say, self._news = asyncio.Event(), asyncio.Event()
        self._told = ("", 0)
        # What the last heartbeat of this session said that somebody looks at.
        self._state: tuple[object, ...] | None = None
        self._broken, self._last_word = False, 0.0
        # What the cell has in hand, and the news before it: it is said once these are in rows.
        self._resumed: tuple[Resumed, tuple[str, int] | None] | None = None
        self._subscriptions: list[Subscription] = []
        self._alone = Alone(clock)

    def begin(self) -> None:
        """What needs no broker: what the cell tells is kept, and recorded by what was last said, if anything was."""
        for message in self._going_on.told(self._place.camera) if self._going_on is not None else ():
            self._direct(message)
        self._forget = self._broker.on_lost(self._lost)
        self._work = [
            self._guard.task(f"host-{name}-{self._place.camera}", run)
            for name, run in (("hears", self._from_cell), ("says", self._saying), ("tells", self._telling))
        ]

    async def start(self) -> None:
        """Have whoever leads open a session. Raises `DeviceError`."""
        heard = ((subjects.opens, self._opened), (subjects.down, self._hear), (subjects.confirms, self._heard))
        try:
            for subject, call in heard:
                self._subscriptions.append(await self._broker.client.subscribe(subject(self._place), cb=call))
            await self._broker.client.flush()  # from here on the broker knows that somebody listens
        except BROKEN as error:
            raise DeviceError(f"the broker does not let {self._place.host} listen: {error}") from error

    async def close(self) -> None:
        self._forget()
        for work in self._work:
            work.end()
        for work in self._work:
            await work.finished(1.0)
        for one in self._subscriptions:
            with contextlib.suppress(*BROKEN):
                await one.unsubscribe()

    def order(self, message: ToCell, session: str) -> None:
        """What the control room ordered, by way of the broker's store. One of a session that is over is not done: it may be late by hours,
        and whoever gave it gives it again where it still makes sense.
        """
        if session == self._session:
            if not isinstance(message, Record) or self._alone.ordered(message.order):
                self._line.send(message)
        else:
            _log.warning("order_of_another_session", camera=self._place.camera, order=type(message).__name__)

    def told(self) -> None:
        """Something else is in the journal."""
        self._news.set()

    def film_until(self, until: float) -> None:
        """The lease: the cell itself lets go then, also where this process hangs."""
        self._line.send(FilmUntil(until))

    def over(self) -> None:
        """The cell has ended: whoever has a session hears so, and opens another one. What is before it is still said."""
        if self._session:
            self._outgoing.append(None)
            self._say.set()

    # --- what comes from the control room ---

    async def _opened(self, message: Msg) -> None:
        try:
            asked = unpack(message.data, _open)
            contract = agreed(self._ours, asked.greeting)
        except RefusedError as error:
            _log.error("control_room_refused", camera=self._place.camera, problem=str(error))
            await message.respond(_encoder.encode(error.refusal))
            return
        except ProtocolError as error:
            _log.error("control_room_unreadable", camera=self._place.camera, problem=str(error))
            return
        self._session, self._last_word, self._contract = asked.session, self._clock.monotonic(), contract
        self._line.send(Watch(False))
        self._up, self._down = Parted(asked.session), Joined(asked.session)
        self._outgoing.clear()
        self._told, self._state = ("", 0), None
        self._news.set()
        await message.respond(_encoder.encode(self._ours))

    async def _hear(self, message: Msg) -> None:
        try:
            data = self._down.take(unpack(message.data, _parts))
            if data is None:
                return
            said = unpack_to_cell(data)
            if self._going_on is not None:
                self._going_on.tell(self._place.camera, said)
            self._direct(said)
        except ProtocolError as error:
            _log.error("session_ended", camera=self._place.camera, problem=str(error))
            self._lost()

    def _direct(self, said: ToCell) -> None:
        if isinstance(said, SetStanding):
            self._alone.standing = said
        else:
            self._line.send(said)

    async def _heard(self, message: Msg) -> None:
        self._last_word = self._clock.monotonic()
        try:
            told = unpack(message.data, _confirmed)
            if not told.run:
                return
            await asyncio.to_thread(self._journal.confirm, told.run, told.number)
            self._resume()
        except (ProtocolError, DeviceError) as error:
            # It is told again, and known as a double there.
            _log.error("not_confirmed", camera=self._place.camera, problem=str(error))

    def _lost(self) -> None:
        """Nobody is there: nothing is said until somebody opens a session, and nobody watches."""
        if self._session:
            self._session = ""
            self._outgoing.clear()
            self._resumed = None
            self._alone.cut()
            self._say.set()
            self._line.send(Watch(False))
        self._told = ("", 0)
        self._news.set()

    # --- what comes from the cell ---

    async def _from_cell(self) -> None:
        while (message := await self._line.receive()) is not None:
            if isinstance(message, News):
                await self._keep(message)
            elif isinstance(message, Resumed):
                self._resumed = message, self._journal.last
                self._resume()
            elif self._session:
                self._put(message)
        raise DeviceError("the cell has ended")

    def _resume(self) -> None:
        """What a cell does not have in hand any more it has told of, and would be ordered again where that was not heard first."""
        if self._resumed is None or not self._session:
            return
        message, after = self._resumed
        if after is None or not self._journal.holds(*after):
            self._resumed = None
            self._put(message)

    async def _keep(self, news: News) -> None:
        if isinstance(news, ClipTold) and self._clips is not None:
            news = await asyncio.to_thread(self._clips.heard, self._place.camera, self._line.run, news)
        if isinstance(news, SituationTold):
            news = self._alone.seen(self._line.run, news, apart=not self._session)
            self._say.set()
        told = (self._line.run, news.number, self._token(), _encoder.encode(news), importance_of(news), clock_name())
        await asyncio.to_thread(self._journal.add, *told)
        self._line.send(Heard(news.number))
        self._news.set()

    def _put(self, message: FromCell) -> None:
        """Queue it. A stream that lost a picture begins anew, with an init segment."""
        if isinstance(message, Head):
            self._broken = False
        elif isinstance(message, Fragment) and self._broken:
            return
        if delivery_of(message) is Delivery.BY_DEMAND and len(self._outgoing) >= _MOST_WAITING:
            self._outgoing = deque(one for one in self._outgoing if not isinstance(one, Head | Fragment))
            self._broken = True
            self._line.send(Watch(True))
            return
        self._outgoing.append(message)
        self._say.set()

    async def _saying(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._say.wait()
            if self._clock.monotonic() - self._last_word > SILENT_S:
                self._lost()
            self._say.clear()
            for order in self._alone.take():
                if self._clips is not None and not await asyncio.to_thread(self._clips.ordered, self._place.camera, order):
                    self._line.send(Record(order))
            while self._outgoing:
                await self._said(self._outgoing.popleft())

    def present(self, sessions: Collection[str]) -> None:
        """The control room has these sessions."""
        if self._session in sessions:
            self._last_word = self._clock.monotonic()

    def _unsaid(self, session: str) -> None:
        if session == self._session:
            self._lost()

    async def _said(self, message: FromCell | None) -> None:
        parts = self._up.parts(_encoder.encode(message)) if message is not None else (Part(self._session, 0, True, b""),)
        # A heartbeat that says the same as the one before may wait for others.
        state = _state_of(message)
        soon, self._state = state is None or state != self._state, state or self._state
        for part in parts:
            if not self._session:
                break
            if self._contract >= BUNDLES:
                await self._bundles.say(part, self._unsaid, soon=soon)
            elif not await self._broker.say(subjects.up(self._place), _encoder.encode(part)):
                self._lost()
        if message is None:
            self._lost()

    async def _telling(self) -> None:
        """From the journal to the broker's store, in order. The broker's word ends nothing: only `Confirmed` does."""
        while True:
            waiting = await asyncio.to_thread(self._journal.waiting, *self._told)
            for told in waiting:
                if not await self._take(told.name, _encoder.encode(told)):
                    await asyncio.sleep(_AGAIN_S)
                    break
                self._told = (told.run, told.number)
            if not waiting:
                self._news.clear()
                await self._news.wait()

    async def _take(self, name: str, data: bytes) -> bool:
        if not self._broker.client.is_connected:
            return False
        try:
            await self._broker.stream.publish(subjects.news(self._place), data, timeout=_TAKE_S, headers={MESSAGE_ID: name})
        except BROKEN as error:
            self._broker.problem = str(error)
            return False
        return True


def _state_of(message: FromCell | None) -> tuple[object, ...] | None:
    if not isinstance(message, Health):
        return None
    return message.session, message.stopped, message.doubt, message.fault, message.problem, message.recording, message.unrecordable


class HostOrders:
    """Orders to all cells of a host, and what is said of its clips, from the broker's store, each once."""

    _MOST_NAMES: Final = 1000

    def __init__(self, broker: Broker, host: str, ends: dict[str, HostEnd], clips: HostClips | None = None) -> None:
        self._broker, self._host, self._ends, self._clips = broker, host, ends, clips
        self._names: deque[str] = deque(maxlen=self._MOST_NAMES)
        self.doubled = 0

    async def run(self) -> None:
        """Until it is ended; what the broker does not do is the guard's to try again."""
        stream = subjects.order_stream(self._broker.installation)
        try:
            pulled = await self._broker.stream.pull_subscribe_bind(consumer=self._host, stream=stream)
            while True:
                with contextlib.suppress(TimeoutError):
                    for message in await pulled.fetch(16, timeout=1.0):
                        await self._take(message)
        except BROKEN as error:
            raise DeviceError(f"orders cannot be read: {error}") from error

    async def _take(self, message: Msg) -> None:
        name = (message.headers or {}).get(MESSAGE_ID, "")
        camera = message.subject.split(".")[-2]
        if name in self._names:
            self.doubled += 1
        elif camera == subjects.OF_HOST:
            await self._directed(message.data)
        elif (end := self._ends.get(camera)) is not None:
            try:
                ordered = unpack_to_cell(message.data)
                if not (isinstance(ordered, Record) and self._clips is not None and await self._refused(camera, ordered)):
                    end.order(ordered, name.partition(".")[0])
            except ProtocolError as error:
                _log.error("order_unreadable", camera=camera, problem=str(error))
        self._names.append(name)
        await message.ack()

    async def _refused(self, camera: str, ordered: Record) -> bool:
        """Whether nothing may be recorded here, which is told; else how long what is recorded is kept is on disk."""
        assert self._clips is not None  # whoever asks has looked
        return bool(await asyncio.to_thread(self._clips.ordered, camera, ordered.order))

    async def _directed(self, data: bytes) -> None:
        """What is on disk is taken from the store, and what can never be: a disk that fails is tried again."""
        if self._clips is None:
            return
        try:
            await asyncio.to_thread(self._clips.directed, data)
        except ProtocolError as error:
            _log.error("directive_refused", problem=str(error))


class HostPieces:
    """Hands out the ciphertext of clips, piece by piece; two pieces at once at most."""

    def __init__(self, broker: Broker, clips: HostClips) -> None:
        self._broker, self._clips, self._few = broker, clips, asyncio.Semaphore(2)

    async def start(self) -> None:
        installation, host = self._broker.installation, self._broker.name
        await self._broker.client.subscribe(subjects.pieces(installation, host), cb=self._asked)
        await self._broker.client.subscribe(subjects.copies(installation, host), cb=self._asked_copy)

    async def _asked(self, message: Msg) -> None:
        await self._answer(message, lambda: self._clips.piece(unpack(message.data, _asked)))

    async def _asked_copy(self, message: Msg) -> None:
        """Of another host, which has to show the installation's order."""
        await self._answer(message, lambda: self._clips.copied(unpack(message.data, _asked_copy)))

    async def _answer(self, message: Msg, found: Callable[[], Piece]) -> None:
        try:
            async with self._few:
                piece = await asyncio.to_thread(found)
        except ProtocolError as error:
            _log.error("question_refused", subject=message.subject, problem=str(error))
            return
        with contextlib.suppress(*BROKEN):
            await message.respond(_encoder.encode(piece))
