"""Keeps a camera whose cell runs on another host: follows it from host to host, and knows its newest facts."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec
import structlog

from blickschutz.control.model import ClipHeard, HostNewsHeard, NewsTold
from blickschutz.control.service.keeper import HEARTBEAT_S, OWN_DELAY_S, START_S, CellKeeper, silent
from blickschutz.guard.service import Guard
from blickschutz.guard.work import TaskWork
from blickschutz.hosts.model import HostNews, Placed
from blickschutz.hosts.ports import Hosts, RemoteLink
from blickschutz.hosts.rules.intake import Intake
from blickschutz.hosts.rules.settings import travelling
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import DeviceError, ProtocolError
from blickschutz.kernel.events import Topic
from blickschutz.pipeline.messages import (
    CellSettings,
    ClipTold,
    ClockTold,
    Configure,
    FromCell,
    News,
    Record,
    SetStanding,
    SetThresholds,
    Stop,
    TakenOver,
    ToCell,
    Watch,
)
from blickschutz.pipeline.times import EVERY_S, CellTimes
from blickschutz.recording.model import Order
from blickschutz.wire.greeting import Greeting

_log = structlog.get_logger(__name__)
# Longer than a giver of leases waits when it starts.
PLACED_S: Final = 20.0
# So often it is looked whether the camera is to be filmed by another host.
_LOOK_S: Final = 1.0
# So often it is asked what other hosts have to tell, and for how long they are listened to.
COLLECT_S: Final = 3.0
_COLLECTS_S: Final = 5.0
_MOVED: Final = "the camera goes from {} to another host"


class _Post:
    """News of one host: which were taken in, and those whose time cannot be told yet, because its clock was not measured."""

    def __init__(self, host: str) -> None:
        self.host, self.intake = host, Intake()
        self.waiting: deque[tuple[str, int, str, News | HostNews]] = deque()

    def add(self, link: RemoteLink, news: News | HostNews) -> None:
        self.waiting.append((*link.name_of(news.number), news))


class HostKeeper(CellKeeper):
    """See `CellKeeper`. News are confirmed by the life of the cell and their number there, whichever link they came by."""

    def __init__(self, settings: CellSettings, clock: Clock, hosts: Hosts) -> None:
        super().__init__(travelling(settings), clock)
        self._hosts = hosts
        self._link: RemoteLink | None = None
        self._placed: Placed | None = None
        self._post: dict[str, _Post] = {}
        # Besides the one to where it is filmed: to a host that filmed it before, and has something to tell.
        self._links: set[RemoteLink] = set()
        self._beside: list[TaskWork] = []
        # Which host told what is taken in just now.
        self._told_by = ""
        self.host_news: Topic[HostNewsHeard] = Topic()
        # What a host is to do while it is cut off, for a link that opens; waits for disk and database.
        self.standing: Callable[[], SetStanding] | None = None
        # As the host heard it last, over this link: it is said again where it is another.
        self._stood: SetStanding | None = None

    @property
    def host(self) -> str:
        """Where the camera is filmed, as far as it is known."""
        return self._placed.host if self._placed is not None else ""

    @property
    def cause(self) -> str:
        if not self._failed or self.stopped:
            return super().cause
        if self._hosts.problem:
            return "broker-away"
        return "host-away" if self._placed is not None else "host-none"

    def record(self, order: Order) -> None:
        # Where it lies there is no affair of this machine.
        self._tell(Record(msgspec.structs.replace(order, sealing=msgspec.structs.replace(order.sealing, folder=""))))

    @property
    def reachable(self) -> bool:
        return self._link is not None and self._link.is_open and not self.stopped

    def settle(self, settings: CellSettings) -> bool | None:
        return super().settle(travelling(settings))

    def _begin_anew(self) -> None:
        """The host begins another life of the cell once it has these settings; the link stays."""
        self._say(Configure(self._settings))

    def start(self, guard: Guard) -> None:
        super().start(guard)
        self._beside = [
            guard.task(f"collecting-{self.camera}", self._collect, every_s=COLLECT_S),
            guard.task(f"following-{self.camera}", self._follow),
        ]

    def heard(self, told: NewsTold) -> None:
        def confirm() -> None:
            for post in self._post.values():
                post.intake.confirm(told.run, told.number)
            for link in self._links:
                link.confirm(told.run, told.number)

        self._in_loop(confirm)

    async def end(self) -> None:
        for work in (*self._beside, self._work):
            if work is not None:
                work.end()
                await work.finished(0.0)

    def _quit(self) -> None:
        self._ending = True

    def _say(self, message: ToCell) -> None:
        if self._link is not None:
            self._link.send(message)

    async def _live(self) -> None:
        """One link, from its opening to its end."""
        placed = self._placed = await self._somewhere()
        post = self._post.setdefault(placed.host, _Post(placed.host))
        self._link = link = await self._hosts.open(self.camera, placed, post.intake)
        self._links.add(link)
        self._stood = None
        self._times = self._hosts.times(placed.host, link.theirs)
        wanted = (Configure(self._settings), SetThresholds(dict(self._settings.situations.thresholds)), Stop(self.stopped))
        for wish in (*wanted, Watch(self.stream.is_watched), TakenOver()):
            self._say(wish)
        if self.standing is not None:
            self._stand(await asyncio.to_thread(self.standing))
        patience = START_S
        # Another token of the same host is another life of the cell at most, which the host itself tells.
        while self._stays(placed):
            message = await self._heard(link, patience)
            if message is None:
                raise DeviceError(link.problem or f"the link to {placed.host} is over")
            patience = HEARTBEAT_S
            if isinstance(message, News | HostNews):
                post.add(link, message)
            else:
                self._take(message)
            self._deliver(post, self._times, link.theirs)
        raise DeviceError(_MOVED.format(placed.host))

    async def _heard(self, link: RemoteLink, patience: float) -> FromCell | HostNews | None:
        """As `_next`; there is no task for each message, since a link keeps what nobody has received."""
        for wait_s in (patience, OWN_DELAY_S):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    return await link.receive()
        raise silent(patience)

    def stand(self, standing: SetStanding) -> None:
        """Have the host know what it is to do while nobody can be asked. From any thread."""
        if standing is not self._stood:
            self._in_loop(lambda: self._stand(standing))

    def _stand(self, standing: SetStanding) -> None:
        if self._link is None:
            return
        if standing != self._stood:
            self._link.send(standing)
        self._stood = standing

    def _stays(self, placed: Placed) -> bool:
        now = self._hosts.placed(self.camera)
        return now is not None and (now.host, now.floor) == (placed.host, placed.floor)

    async def _follow(self) -> None:
        """A host that died says nothing more: that its camera is another's ends the link to it, and not a silence of some seconds."""
        while True:
            await self._hosts.changed()
            if self._link is not None and self._placed is not None and not self._stays(self._placed):
                self._link.give_up(_MOVED.format(self._placed.host))

    async def _somewhere(self) -> Placed:
        """Where the camera is to be filmed. That nobody has it is said on its tile, once that lasts."""
        until = self._clock.monotonic() + PLACED_S
        while (placed := self._hosts.placed(self.camera)) is None:
            self._placed = None
            if not self._failed and self._clock.monotonic() >= until:
                self._failed, self.problem = True, self._hosts.problem or f"no host films {self.camera}"
                _log.error("no_host", camera=self.camera, problem=self.problem)
            await self._wait(_LOOK_S)
        return placed

    async def _rest(self, seconds: float) -> None:
        if self._hosts.placed(self.camera) in {None, self._placed}:
            await self._wait(min(seconds, HEARTBEAT_S))

    async def _wait(self, seconds: float) -> None:
        """Until another host is to film something, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hosts.changed()

    async def _collect(self) -> None:
        """One round: what hosts have to tell of the time when they filmed this camera, once there is somebody."""
        await self._hosts.something_left(self.camera)
        for placed in self._hosts.untold(self.camera):
            if self._link is not None and self.host == placed.host:
                continue  # that link is not over yet: what it took in comes first
            post = self._post.setdefault(placed.host, _Post(placed.host))
            link = await self._hosts.open(self.camera, placed, post.intake)
            self._links.add(link)
            try:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_COLLECTS_S):
                        await self._collected(link, post)
            finally:
                self._links.discard(link)
                await link.close()
                await _emptied(link, post)

    async def _collected(self, link: RemoteLink, post: _Post) -> None:
        """For a while, or until the link is over: it tells the same again until it is confirmed from rows."""
        times = self._hosts.times(post.host, link.theirs)
        while True:
            now = self._clock.monotonic()
            if (question := times.question(now)) is not None:
                link.send(question)
            try:
                async with asyncio.timeout(EVERY_S):
                    message = await link.receive()
            except TimeoutError:
                continue
            if message is None:
                return
            if isinstance(message, ClockTold):
                times.answered(message, self._clock.monotonic())
            elif isinstance(message, News | HostNews):
                post.add(link, message)
            self._deliver(post, times, link.theirs)

    def _deliver(self, post: _Post, times: CellTimes, theirs: Greeting) -> None:
        """News in order, once the time at which they were can be told."""
        now, wall = self._clock.monotonic(), self._clock.now()
        while post.waiting and times.known(now):
            self._run, number, clock, news = post.waiting[0]
            news = msgspec.structs.replace(news, number=number)
            self._told_by = post.host
            told: FromCell | HostNews | None = news
            if not isinstance(news, HostNews):
                told = CellTimes.by_wall(news, now, wall) if clock != theirs.clock else times.in_ours(news, now, wall)
            if told is None:
                return  # its time cannot be said yet
            self._told(told, now)
            # Not before: where a listener failed it is told again, and nothing behind it is confirmed meanwhile.
            post.waiting.popleft()

    def _told(self, message: FromCell | HostNews, now: float) -> None:
        if isinstance(message, HostNews):
            self.host_news.tell(HostNewsHeard(self.camera, self._told_by, message))
            self._confirm(message.number)
        elif isinstance(message, ClipTold):
            self.clips.tell(ClipHeard(self.camera, message.news, self._told_by))
            self._confirm(message.number)
        else:
            super()._told(message, now)

    async def _over(self, patience: float) -> None:
        del patience
        link, self._link = self._link, None
        if link is not None and self._placed is not None:
            self._links.discard(link)
            await link.close()
            await _emptied(link, self._post[self._placed.host])
        self.lost.tell(self.camera)


async def _emptied(link: RemoteLink, post: _Post) -> None:
    """What a link took in and nobody received before it was over: the next one does not take it in again."""
    with contextlib.suppress(ProtocolError):
        while (message := await link.receive()) is not None:
            if isinstance(message, News | HostNews):
                post.add(link, message)
