"""The control room's end of a link over the broker. See `Link`."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
from collections import deque
from typing import Final

import msgspec
import structlog
from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError

from blickschutz.guard.service import Guard
from blickschutz.guard.work import TaskWork
from blickschutz.hosts.io.broker import ACK_WAIT_S, BROKEN, MESSAGE_ID, Broker, words
from blickschutz.hosts.io.sessions import Sessions
from blickschutz.hosts.model import Confirmed, Delivery, HostNews, Open, Part, Place, Told
from blickschutz.hosts.ports import Arrivals
from blickschutz.hosts.rules import subjects
from blickschutz.hosts.rules.delivery import delivery_of
from blickschutz.hosts.rules.intake import Intake
from blickschutz.hosts.rules.parts import Joined, Parted, PartLostError
from blickschutz.kernel.errors import DeviceError, ProtocolError
from blickschutz.pipeline.channel import unpack_from_cell
from blickschutz.pipeline.messages import FoundTold, FromCell, Heard, News, SituationTold, ToCell
from blickschutz.wire.frames import unpack
from blickschutz.wire.greeting import Greeting, agreed, opening_decoder

_log = structlog.get_logger(__name__)
_encoder = msgspec.msgpack.Encoder()
_told: msgspec.msgpack.Decoder[Told] = msgspec.msgpack.Decoder(Told)
_news: msgspec.msgpack.Decoder[News | HostNews] = msgspec.msgpack.Decoder(News | HostNews)
OPEN_S: Final = 3.0
_ASKED_AGAIN_S: Final = 0.2
# News on their way to rows; what is behind them waits at the broker.
_MOST_UNCONFIRMED = 256
# So long the broker is waited for when there are no news: what comes is given at once. Not by all links in the same moment.
_FETCH_S = (20.0, 40.0)
_chance = secrets.SystemRandom()
_TRIES = 3
_CLOSE_S = 1.0
# Messages that were heard and not received yet: pictures go first.
_MOST_HEARD = 1000


class RoomLink:
    """Of one session. News have numbers of this link, by which they are confirmed; `name_of` says of which life of a cell one is. An
    `intake` that several sessions have one after the other takes nothing in twice: what an earlier one had is confirmed when that is.

    A situation that was told under a lease lower than `token` is taken in as one that is over; `late` counts all such news.
    """

    def __init__(
        self, broker: Broker, sessions: Sessions, place: Place, guard: Guard, token: int = 0, intake: Arrivals | None = None
    ) -> None:
        self._broker, self._sessions, self.place, self._guard, self._token = broker, sessions, place, guard, token
        self.theirs = Greeting(first=0, last=0)
        self._session = secrets.token_hex(16)
        self._down, self._up, self._intake = Parted(self._session), Joined(self._session), intake or Intake()
        self.contract = 0
        self._heard: deque[FromCell | HostNews] = deque()
        self._wake = asyncio.Event()
        self._open, self.problem = False, ""
        self._fault: ProtocolError | None = None
        self._unconfirmed: dict[tuple[str, int], list[Msg]] = {}
        # By the number under which it was received: whose run it is of, and its number there.
        self._names: dict[int, tuple[str, int, str]] = {}
        self._numbers, self._orders = itertools.count(1), itertools.count(1)
        self._outgoing: deque[ToCell | Confirmed] = deque()
        self._say, self._quiet, self._busy = asyncio.Event(), asyncio.Event(), False
        self._work: list[TaskWork] = []
        self.late = 0

    async def open(self, ours: Greeting) -> None:
        """Greet the host. Raises `DeviceError` where it does not answer, `RefusedError` where the two do not speak with each other."""
        # What the host says of it may come with its answer.
        self._sessions.add(self._session, self)
        try:
            async with asyncio.timeout(OPEN_S):
                reply = await self._asked(_encoder.encode(Open(self._session, ours)))
            theirs = unpack(reply.data, opening_decoder)
            self.contract = agreed(ours, theirs)
            assert isinstance(theirs, Greeting)  # else it was refused
            self.theirs, self._open = theirs, True
        except BROKEN as error:
            raise DeviceError(f"the host {self.place.host} does not answer: {words(error)}") from error
        finally:
            if not self._open:
                self._sessions.remove(self._session, self)
        self._forget = self._broker.on_lost(lambda: self._end("the broker was lost"))
        self._work = [
            self._guard.once_task("link-says", self._saying),
            self._guard.once_task("link-news", self._fetching),
        ]

    async def _asked(self, opening: bytes) -> Msg:
        """The host's answer, awaited for as long as the caller likes. One that connects anew listens again in a moment."""
        while True:
            try:
                return await self._broker.client.request(subjects.opens(self.place), opening, timeout=OPEN_S)
            except NoRespondersError:
                await asyncio.sleep(_ASKED_AGAIN_S)

    @property
    def is_open(self) -> bool:
        return self._open

    def send(self, message: ToCell) -> None:
        if self._open:
            self._outgoing.append(message)
            self._say.set()

    async def receive(self) -> FromCell | HostNews | None:
        while not self._heard:
            if not self._open:
                if self._fault is not None:
                    raise self._fault
                return None
            self._wake.clear()
            await self._wake.wait()
        return self._heard.popleft()

    async def close(self) -> None:
        """What was said is on its way when this returns, as far as there is a broker."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                while self._open and (self._outgoing or self._busy):
                    self._quiet.clear()
                    await self._quiet.wait()
        self._end("")
        for work in self._work:
            work.end()
        for work in self._work:
            await work.finished(1.0)
        if self._work:
            self._forget()
        self._sessions.remove(self._session, self)

    def give_up(self, problem: str) -> None:
        self._end(problem)

    def name_of(self, number: int) -> tuple[str, int, str]:
        """Of which life of a cell news are, their number there, and the name of the clock by which their times are."""
        return self._names[number]

    def confirm(self, run: str, number: int) -> None:
        """All news of this run up to that number are in rows. Also of a session before this one."""
        if self._open:
            self._outgoing.append(Confirmed(run, number))
            self._say.set()

    def _end(self, problem: str, fault: ProtocolError | None = None) -> None:
        if self._open:
            self._open, self.problem, self._fault = False, problem, fault
        self._wake.set()
        self._say.set()

    # --- what comes ---

    def hear(self, part: Part) -> None:
        """One part of what the cell says, in order."""
        try:
            data = self._up.take(part)
            if data is not None:
                self._put(unpack_from_cell(data))
        except PartLostError as error:
            self._end(str(error))  # the broker cannot keep up, or the way was cut for a moment
        except ProtocolError as error:
            self._end(str(error), error)

    def _put(self, message: FromCell | HostNews) -> None:
        if len(self._heard) >= _MOST_HEARD and delivery_of(message) is Delivery.BY_DEMAND:
            return
        self._heard.append(message)
        self._wake.set()

    async def _fetching(self) -> None:
        """News, from the broker's store; each stays there until it is confirmed from rows."""
        place, name = self.place, subjects.news_stream(self.place.installation)
        config = ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, ack_wait=ACK_WAIT_S, max_ack_pending=_MOST_UNCONFIRMED)
        durable = f"room-{place.host}-{place.camera}"
        try:
            # What the session before did not confirm is delivered now, and not when its time is up.
            with contextlib.suppress(NotFoundError):
                await self._broker.stream.delete_consumer(name, durable)
            pulled = await self._broker.stream.pull_subscribe(subjects.news(place), durable, stream=name, config=config)
            while self._open:
                with contextlib.suppress(TimeoutError):
                    for message in await pulled.fetch(64, timeout=_chance.uniform(*_FETCH_S)):
                        await self._news(message)
            await pulled.unsubscribe()
        except BROKEN as error:
            self._end(f"news cannot be read: {error}")
        except ProtocolError as error:
            self._end(str(error), error)

    async def _news(self, message: Msg) -> None:
        told = unpack(message.data, _told)
        if told.number <= self._intake.in_rows(told.run):
            # It was confirmed, and the host has not heard so: it is told again.
            await message.ack()
            await self._confirm(told.run, told.number)
        else:
            self._unconfirmed.setdefault((told.run, told.number), []).append(message)
        for one in self._intake.take(told):
            news = unpack(one.data, _news)
            if one.token < self._token:
                # Another host filmed since: that it happened is true all the same, and it cannot be recorded any more.
                self.late += 1
                news = msgspec.structs.replace(news, over=True) if isinstance(news, SituationTold | FoundTold) else news
            number = next(self._numbers)
            self._names[number] = (one.run, one.number, one.clock)
            self._put(msgspec.structs.replace(news, number=number))

    # --- what goes ---

    async def _saying(self) -> None:
        while self._open:
            self._say.clear()
            while self._outgoing:
                self._busy = True
                await self._said(self._outgoing.popleft())
            self._busy = False
            self._quiet.set()
            await self._say.wait()

    async def _said(self, message: ToCell | Confirmed) -> None:
        if isinstance(message, Confirmed):
            await self._had(message.run, message.number)
            return
        place, data = self.place, _encoder.encode(message)
        if isinstance(message, Heard):
            over = {run: number for one, (run, number, _) in self._names.items() if one <= message.number}
            for run, number in over.items():  # the last one of each run
                await self._had(run, number)
        elif delivery_of(message) is Delivery.MUST_ARRIVE:
            await self._order(data)
        else:
            for part in self._down.parts(data):
                if not await self._broker.say(subjects.down(place), _encoder.encode(part)):
                    self._end("the broker does not take what is said")

    async def _order(self, data: bytes) -> None:
        """Given anew under the same name where no answer comes: it is kept once."""
        name = f"{self._session}.{next(self._orders)}"
        for left in reversed(range(_TRIES)):
            try:
                await self._broker.stream.publish(subjects.orders(self.place), data, headers={MESSAGE_ID: name})
                return
            except BROKEN as error:
                if not left:
                    self._end(f"an order cannot be given: {error}")

    async def _had(self, run: str, number: int) -> None:
        """In rows up to there: the broker and the host may forget it."""
        self._intake.confirm(run, number)
        self._names = {one: name for one, name in self._names.items() if name[0] != run or name[1] > number}
        for key in [key for key in self._unconfirmed if key[0] == run and key[1] <= number]:
            for message in self._unconfirmed.pop(key):
                with contextlib.suppress(*BROKEN):
                    await message.ack()
        await self._confirm(run, number)

    async def _confirm(self, run: str, number: int) -> None:
        await self._broker.say(subjects.confirms(self.place), _encoder.encode(Confirmed(run, number)))
