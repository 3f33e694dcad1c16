"""Keeps one camera's cell alive: starts it, or takes over one that outlived the last control room, watches its heartbeat, starts it
again; knows its newest facts."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
import socket
import uuid
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

import msgspec
import structlog

from blickschutz import __version__
from blickschutz.control.model import CameraFound, CellFound, CellResumed, ClipHeard, EpisodeHeard, NewsTold, SituationSeen
from blickschutz.control.ports import CellDoors, FoundCell
from blickschutz.control.service.blame import device_to_blame
from blickschutz.control.service.launching import Launch, launch_cell
from blickschutz.control.service.questions import Questions
from blickschutz.guard.service import Guard
from blickschutz.guard.work import TaskWork
from blickschutz.ingest.model import SessionState
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import DeviceError, ProtocolError
from blickschutz.kernel.events import Topic
from blickschutz.kernel.scene import Doubt
from blickschutz.pipeline.channel import First, greeted, greeting, read_from_cell, say_first
from blickschutz.pipeline.door import digest_of
from blickschutz.pipeline.messages import (
    CellSettings,
    ClipTold,
    ClockTold,
    EndOrder,
    EpisodeTold,
    FoundTold,
    Fragment,
    FromCell,
    Head,
    Health,
    Heard,
    Moment,
    Quit,
    Record,
    Resumed,
    SetSituations,
    SetThresholds,
    SituationTold,
    Snapshot,
    Stop,
    TakeMoment,
    TakenOver,
    TakeSnapshot,
    ToCell,
    Watch,
)
from blickschutz.pipeline.times import CellTimes
from blickschutz.recording.model import Order
from blickschutz.situations.kinds import Kind
from blickschutz.wall.model import CameraFacts, StreamFragment, StreamInit, TileState
from blickschutz.wall.rules import tile_state
from blickschutz.wall.service import LiveStream
from blickschutz.wire.frames import pack
from blickschutz.zones.launcher import Started

_log = structlog.get_logger(__name__)

HEARTBEAT_S = 6.0
START_S = 30.0
# What a cell gets to close its recordings in order.
QUIT_S = 6.0
SNAPSHOT_S = 3.0
MOMENT_S = 30.0
# Where this process itself stood still, what the cell sent meanwhile is read first.
OWN_DELAY_S = 1.0
_FIRST_WAIT_S, _MOST_WAIT_S = 0.5, 20.0
_STEADY_S = 30.0

T = TypeVar("T")


def silent(patience: float) -> DeviceError:
    return DeviceError(f"the cell gave no sign of life for {patience:g} s")


class CellKeeper:
    """One camera's cell, and what it said last. `record`, `end_order` and `heard` may be called from any thread, the rest in the event
    loop. Without `doors` the cell ends with this process.
    """

    def __init__(
        self,
        settings: CellSettings,
        clock: Clock,
        launch: Launch = launch_cell,
        doors: CellDoors | None = None,
        starts: asyncio.Semaphore | None = None,
    ) -> None:
        """`starts` is held while the cell begins: until it has a picture or says why not, at most `START_S`."""
        self._starts = starts or asyncio.Semaphore()
        self.camera = settings.camera
        self.stream = LiveStream(lambda on: self._say(Watch(on)))
        self.health: Health | None = None
        self.restarts = -1
        self.stopped = False
        self.problem = ""
        self.process: Started | None = None
        self.situations: Topic[SituationSeen] = Topic()
        self.found: Topic[CameraFound] = Topic()
        self.episodes: Topic[EpisodeHeard] = Topic()
        self.clips: Topic[ClipHeard] = Topic()
        # The camera's name: its cell hears what it is told; its cell is gone.
        self.ready: Topic[str] = Topic()
        self.lost: Topic[str] = Topic()
        # One that lived on: before it tells what it has to tell, and after that.
        self.lived_on: Topic[CellFound] = Topic()
        self.resumed: Topic[CellResumed] = Topic()
        self.news: Topic[NewsTold] = Topic()
        self._run = ""
        # At the other end of a local socket is a process that reads our clock.
        self._times = CellTimes()
        self._settings, self._clock, self._launch, self._doors = settings, clock, launch, doors
        self._outlived: FoundCell | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._heard_at = 0.0
        self._snapshots, self._moments = Questions(), Questions()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work: TaskWork | None = None
        self._ending = self._failed = self._anew = False
        # Why the next life is to decode in software: the last one ended while a device could be in use.
        self._device_lost = ""

    def take(self, found: FoundCell) -> None:
        """Begin with a cell that outlived the control room before; called before `start`."""
        self._outlived = found

    def start(self, guard: Guard) -> None:
        """Begin to keep the cell."""
        self._loop = asyncio.get_running_loop()
        self._work = guard.task(f"keeper-{self.camera}", self._keep, stop=self._quit)

    async def end(self) -> None:
        """Ask the cell to quit and hear what it still has to tell: its recordings close in order. Kill it when it does not end."""
        if self._work is not None:
            self._work.end()
            await self._work.finished(QUIT_S if self._writer is not None else 0.0)
        await self._reap(1.0)

    def _quit(self) -> None:
        self._ending = True
        self._say(Quit())

    def facts(self) -> CameraFacts:
        """What a tile's state is derived from."""
        health = self.health
        # The age when the cell last spoke: between two heartbeats nothing is known to have changed.
        age = self._heard_at - health.picture_at if health is not None and health.picture_at is not None else None
        return CameraFacts(
            stopped=self.stopped,
            cell_alive=not self._failed,
            connected=health is None or _connected(health),
            fault=health is not None and health.doubt in {Doubt.FAULT, Doubt.NO_DETECTOR},
            proven=health is not None and health.doubt is None,
            last_picture_s=age,
        )

    @property
    def state(self) -> TileState:
        return tile_state(self.facts())

    @property
    def cause(self) -> str:
        """Why there is no live picture, as a word that the pages have a text for; empty where there is one."""
        health = self.health
        if self._failed:
            return "cell"
        if health is None or self.state in {TileState.LIVE, TileState.STOPPED}:
            return ""
        if health.doubt in {Doubt.NO_DETECTOR, Doubt.FAULT}:
            return str(health.doubt.value)
        return health.cause.value if health.cause else ""

    @property
    def answered(self) -> bool:
        """Whether the cell has said how it is, or cannot, so that nobody waits for it any more."""
        return self.health is not None or self._failed or self.stopped

    @property
    def unrecordable(self) -> str:
        """Why what the camera sends cannot be recorded; empty where it can, and where it sends nothing."""
        return self.health.unrecordable if self.health is not None and not (self._failed or self.stopped) else ""

    def stop(self, on: bool) -> None:
        """The stop control of this camera. From any thread."""
        self.stopped = on
        self._tell(Stop(on))
        if on:
            self._in_loop(self.stream.reset)

    async def moment(self, since: float, until: float) -> bytes:
        """The redacted seconds from `since` to `until` (monotonic) as MP4, from the packets in the cell's memory; empty where not."""
        wait_s = max(0.0, until - self._clock.monotonic()) + MOMENT_S
        return await self._moments.ask(
            lambda number: self._times.in_theirs(TakeMoment(number, since, until), self._clock.monotonic()), self._say, wait_s
        )

    async def snapshot(self) -> bytes:
        """A redacted picture as JPEG. Raises `DeviceError` when there is none."""
        data = await self._snapshots.ask(TakeSnapshot, self._say, SNAPSHOT_S)
        if not data:
            raise DeviceError(f"the camera {self.camera} has no picture")
        return data

    @property
    def reachable(self) -> bool:
        """Whether a cell is there that hears what it is told."""
        return self._writer is not None and not self._writer.is_closing() and not self.stopped

    def record(self, order: Order) -> None:
        """Tell the cell to record. From any thread."""
        self._tell(Record(order))

    def end_order(self, number: int) -> None:
        """What an order was given for is over. From any thread."""
        self._tell(EndOrder(number))

    def heard(self, told: NewsTold) -> None:
        """What the cell told is where it outlasts this process. From any thread."""

        def confirm() -> None:
            if told.run == self._run:
                self._say(Heard(told.number))

        self._in_loop(confirm)

    def set_thresholds(self, thresholds: Mapping[Kind, float]) -> None:
        """Lay these on the scores of this camera's situations, now and in every further life of its cell. From any thread."""
        situations = dataclasses.replace(self._settings.situations, thresholds=dict(thresholds))
        self._settings = msgspec.structs.replace(self._settings, situations=situations)
        self._tell(SetThresholds(dict(thresholds)))

    def settle(self, settings: CellSettings) -> bool | None:
        """Do this from now on: True where a new life of the cell does it, False where the cell is told, None where nothing is another.

        From any thread. The thresholds in force stay, as in `set_thresholds`.
        """
        before = self._settings
        kept = dataclasses.replace(settings.situations, thresholds=before.situations.thresholds)
        self._settings = msgspec.structs.replace(settings, situations=kept)
        if digest_of(self._settings) == digest_of(before):
            return None
        if digest_of(msgspec.structs.replace(self._settings, situations=before.situations)) == digest_of(before):
            self._tell(SetSituations(kept))
            return False
        self._device_lost = ""
        self._in_loop(self._begin_anew)
        return True

    def _begin_anew(self) -> None:
        """Let the cell end in order; the next life begins at once."""
        self._anew = True
        self._say(Quit())
        process = self.process
        if process is not None:
            asyncio.get_running_loop().call_later(QUIT_S, lambda: process.kill() if process.is_alive() else None)

    def _tell(self, message: ToCell) -> None:
        self._in_loop(lambda: self._say(message))

    def _in_loop(self, work: Callable[[], None]) -> None:
        """Have something done in the loop in which the cell is kept; before the start and after the end there is nobody to tell."""
        if self._loop is None or self._loop.is_closed():
            return
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            work()
        else:
            self._loop.call_soon_threadsafe(work)

    def _say(self, message: ToCell) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(pack(message))

    async def _keep(self) -> None:
        """One life of the cell after the other; what ends one is shown on the tile. What else happens here, the guard sees."""
        failures = 0
        while not self._ending:
            started = self._clock.monotonic()
            self.restarts += 1
            try:
                await self._live()
            except (ProtocolError, DeviceError, OSError) as error:
                if self._ending:
                    return
                if self._anew:
                    # Somebody wanted it: nothing failed, nobody waits, and it is no restart that somebody has to look at.
                    self.restarts -= 1
                    continue
                self.problem = str(error)
                self._device_lost = self._device_lost or self._to_blame()
                _log.error("cell_ended", camera=self.camera, reason=self.problem)
            finally:
                await self._lost()
            failures = 0 if self._clock.monotonic() - started > _STEADY_S else failures + 1
            wait = min(_MOST_WAIT_S, _FIRST_WAIT_S * 2 ** min(failures, 10))
            await self._rest(wait * (0.8 + 0.4 * random.random()))

    async def _rest(self, seconds: float) -> None:
        """Until the next life of the cell is begun."""
        await asyncio.sleep(seconds)

    async def _live(self) -> None:
        """One life of the cell, from its start to its end."""
        self._anew = False
        outlived, self._outlived = self._outlived, None
        if outlived is not None and (self.stopped or not self._fits(outlived)):
            await self._dismiss(outlived)
            outlived = None
            if self._ending:
                return
        async with contextlib.AsyncExitStack() as start:
            if outlived is None:
                await start.enter_async_context(self._starts)
                if self._ending:
                    return
            reader = self._taken_over(outlived) if outlived is not None else await self._begun()
            if self.stream.is_watched:
                self._say(Watch(True))
            if outlived is None:
                self.ready.tell(self.camera)
            patience, began = START_S, self._clock.monotonic()
            while True:
                message = await self._next(read_from_cell(reader), patience)
                if message is None:
                    raise await self._ended()
                patience = HEARTBEAT_S
                self._take(message)
                if self._has_begun(began):
                    await start.aclose()

    def _has_begun(self, began: float) -> bool:
        """Whether the next cell may begin: this one has a picture, or says why it has none, or does neither for long."""
        health = self.health
        told = health is not None and (health.session is SessionState.LIVE or bool(health.problem) or health.stopped)
        return told or self._clock.monotonic() - began >= START_S

    async def _ended(self) -> DeviceError:
        assert self.process is not None  # set with the reader
        await asyncio.to_thread(self.process.join, 1.0)
        return DeviceError(f"the cell ended with exit code {self.process.exitcode}")

    async def _begun(self) -> asyncio.StreamReader:
        """Start the cell, and tell it what it needs."""
        self._run = uuid.uuid4().hex
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        made = await asyncio.to_thread(self._doors.make, self._run) if self._doors is not None else None
        listener, door = made or (None, None)
        with contextlib.ExitStack() as unused:
            unused.callback(ours.close)
            with theirs, listener or contextlib.nullcontext():
                self.process = await asyncio.to_thread(self._launch, theirs, self.camera)
                own = greeting(door.installation if door is not None else "", self.camera, self._run)
                rest = say_first(ours, own, First(self._told_settings(), door, listener, stopped=self.stopped))
            unused.pop_all()
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=2**20)
        self._writer.write(rest)
        if await self._next(greeted(reader, own), START_S) is None:
            raise await self._ended()
        if self.stopped:
            self._say(Stop(True))
        if self._anew:
            self._say(Quit())  # while it was started it was to do something else already
        return reader

    def _to_blame(self) -> str:
        return device_to_blame(self._settings.decoding, self.health.decoder if self.health is not None else None, self.problem)

    def _told_settings(self) -> CellSettings:
        """What a life of the cell is told. A driver that takes its process with it, or holds it still, has done so once."""
        return msgspec.structs.replace(self._settings, device_lost=self._device_lost) if self._device_lost else self._settings

    def _fits(self, found: FoundCell) -> bool:
        return found.version == __version__ and found.settings == digest_of(self._settings)

    def _taken_over(self, found: FoundCell) -> asyncio.StreamReader:
        """Go on with a cell that lived on: it tells what the last control room did not confirm, and is told what may be another now."""
        self._run, self.process, self._writer = found.run, found.process, found.writer
        self.lived_on.tell(CellFound(self.camera, found.run))
        self._say(TakenOver())
        self._say(SetThresholds(dict(self._settings.situations.thresholds)))
        return found.reader

    async def _dismiss(self, found: FoundCell) -> None:
        """What is ordered now is another cell, or none: the old one closes its recordings, tells what it has to tell, and ends."""
        self._run, self.process, self._writer = found.run, found.process, found.writer
        self.lived_on.tell(CellFound(self.camera, found.run))
        self._say(Quit())
        try:
            while (message := await self._next(read_from_cell(found.reader), QUIT_S)) is not None:
                self._take(message)
        except (ProtocolError, DeviceError, OSError) as error:
            _log.error("cell_not_ended_in_order", camera=self.camera, problem=str(error))
        await self._over(1.0)

    async def _next(self, read: Coroutine[Any, Any, T], patience: float) -> T:
        """The next message, as `read` gives it. Raises `DeviceError` where it says nothing for `patience` seconds.

        The reading is not given up at once: where this process was held up, the message lies in the socket already.
        """
        reading = asyncio.ensure_future(read)
        try:
            for wait_s in (patience, OWN_DELAY_S):
                done, _ = await asyncio.wait({reading}, timeout=wait_s)
                if done:
                    return reading.result()
        finally:
            reading.cancel()
        raise silent(patience)

    def _take(self, said: FromCell) -> None:
        now = self._clock.monotonic()
        message = self._times.in_ours(said, now, self._clock.now())
        if isinstance(message, ClockTold):
            self._times.answered(message, now)
        if (question := self._times.question(now)) is not None:
            self._say(question)
        if message is not None:
            self._told(message, now)

    def _told(self, message: FromCell, now: float) -> None:
        """What a cell said, with our times."""
        if isinstance(message, Health):
            self.health, self._heard_at, self._failed = message, now, False
            self.problem = message.fault or message.problem
        elif isinstance(message, Head):
            self.stream.feed(StreamInit(message.generation, message.codec, message.data))
        elif isinstance(message, SituationTold):
            self.situations.tell(SituationSeen(self.camera, self._run, message.situation, message.over))
            self._confirm(message.number)
        elif isinstance(message, FoundTold):
            self.found.tell(CameraFound(self.camera, message.found, message.at, message.taken, message.over))
            self._confirm(message.number)
        elif isinstance(message, EpisodeTold):
            told = EpisodeHeard(self.camera, message.kind, message.zone, message.taken, message.seconds, message.peak, message.threshold)
            self.episodes.tell(told)
            self._confirm(message.number)
        elif isinstance(message, ClipTold):
            self.clips.tell(ClipHeard(self.camera, message.news))
            self._confirm(message.number)
        elif isinstance(message, Resumed):
            self.resumed.tell(CellResumed(self.camera, frozenset(message.orders), frozenset(message.clips)))
        elif isinstance(message, Moment):
            self._moments.answered(message.number, message.data)
        elif isinstance(message, Fragment):
            self.stream.feed(StreamFragment(message.generation, message.key, message.at, message.taken, message.data))
        elif isinstance(message, Snapshot):
            self._snapshots.answered(message.number, message.data)

    def _confirm(self, number: int) -> None:
        """All who listen have it; 0 is what the cell will not tell again."""
        if number:
            self.news.tell(NewsTold(self.camera, self._run, number))

    async def _lost(self) -> None:
        self.health, self._failed = None, not (self._ending or self._anew)
        self.stream.reset()
        await self._over(0.0)

    async def _over(self, patience: float) -> None:
        """A life of the cell is over: its process has ended, or is ended now."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        await self._reap(patience)
        if self._doors is not None:
            await asyncio.to_thread(self._doors.remove, self._run)
        self.lost.tell(self.camera)

    async def _reap(self, patience: float) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        if patience:
            await asyncio.to_thread(process.join, patience)
        if process.is_alive():
            process.kill()
        await asyncio.to_thread(process.join, 2.0)


def _connected(health: Health) -> bool:
    """A first try counts as connected, so that a start does not look like a loss."""
    return health.session is SessionState.LIVE or (health.session is SessionState.CONNECTING and not health.problem)
