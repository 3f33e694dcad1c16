"""Starts the cells, watches their heartbeat, starts them again; knows the newest facts of every camera."""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import os
import random
import socket
import uuid
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess

import structlog

from blickschutz.ingest.model import SessionState
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import DeviceError, ProtocolError
from blickschutz.kernel.scene import Doubt
from blickschutz.kernel.situation import Situation
from blickschutz.pipeline.cell import run_cell
from blickschutz.pipeline.channel import read_from_cell
from blickschutz.pipeline.messages import (
    CellSettings,
    ClipTold,
    Configure,
    EndOrder,
    Fragment,
    FromCell,
    Head,
    Health,
    Moment,
    Quit,
    Record,
    SituationTold,
    Stop,
    TakeMoment,
    TakeSnapshot,
    ToCell,
    Watch,
)
from blickschutz.recording.model import ClipNews, Order
from blickschutz.wall.model import CameraFacts, StreamFragment, StreamInit, TileState
from blickschutz.wall.rules import tile_state
from blickschutz.wall.service import LiveStream
from blickschutz.wire.frames import pack

_log = structlog.get_logger(__name__)

HEARTBEAT_S = 6.0
START_S = 30.0
QUIT_S = 4.0
SNAPSHOT_S = 3.0
MOMENT_S = 30.0
_FIRST_WAIT_S, _MOST_WAIT_S = 0.5, 20.0
_STEADY_S = 30.0

Launch = Callable[[socket.socket, str], BaseProcess]


def forkserver_launch(connection: socket.socket, name: str) -> BaseProcess:
    """Start a cell from a server process that has loaded the libraries once: quick, and their memory is shared."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["blickschutz.pipeline.preload"])
    process = context.Process(target=run_cell, args=(connection,), name=f"cell-{name}", daemon=True)
    process.start()
    return process


class CellKeeper:
    """Keeps one camera's cell alive and holds what it said last."""

    def __init__(self, settings: CellSettings, clock: Clock, launch: Launch = forkserver_launch) -> None:
        self.camera = settings.camera
        self.stream = LiveStream(lambda on: self._say(Watch(on)))
        self.health: Health | None = None
        self.restarts = -1
        self.stopped = False
        self.problem = ""
        self.process: BaseProcess | None = None
        self.on_situation: Callable[[str, str, Situation], None] = lambda camera, run, situation: None
        self.on_clip: Callable[[str, ClipNews], None] = lambda camera, news: None
        self.on_lost: Callable[[str], None] = lambda camera: None
        self._run = ""
        self._settings, self._clock, self._launch = settings, clock, launch
        self._writer: asyncio.StreamWriter | None = None
        self._heard_at = 0.0
        self._numbers = itertools.count(1)
        self._snapshots: dict[int, asyncio.Future[bytes]] = {}
        self._moments: dict[int, asyncio.Future[bytes]] = {}
        self._task: asyncio.Task[None] | None = None
        self._ending = self._failed = False

    def start(self) -> None:
        """Begin to keep the cell."""
        self._task = asyncio.create_task(self._keep(), name=f"keeper-{self.camera}")

    async def end(self) -> None:
        """Ask the cell to quit; kill it when it does not."""
        self._ending = True
        self._say(Quit())
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._reap(QUIT_S)

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

    def stop(self, on: bool) -> None:
        """The stop control of this camera."""
        self.stopped = on
        self._say(Stop(on))
        if on:
            self.stream.reset()

    async def moment(self, since: float, until: float) -> bytes:
        """The redacted seconds from `since` to `until` (monotonic) as MP4, from the packets in the cell's memory; empty where not."""
        number = next(self._numbers)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._moments[number] = answer
        try:
            self._say(TakeMoment(number, since, until))
            async with asyncio.timeout(max(0.0, until - self._clock.monotonic()) + MOMENT_S):
                return await answer
        except TimeoutError:
            return b""
        finally:
            self._moments.pop(number, None)

    @property
    def reachable(self) -> bool:
        """Whether a cell is there that hears what it is told."""
        return self._writer is not None and not self._writer.is_closing() and not self.stopped

    def record(self, order: Order) -> None:
        """Tell the cell to record."""
        self._say(Record(order))

    def end_order(self, number: int) -> None:
        self._say(EndOrder(number))

    async def snapshot(self) -> bytes:
        """A redacted picture as JPEG. Raises `DeviceError` when there is none."""
        number = next(self._numbers)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._snapshots[number] = answer
        try:
            self._say(TakeSnapshot(number))
            async with asyncio.timeout(SNAPSHOT_S):
                data = await answer
        except TimeoutError:
            data = b""
        finally:
            self._snapshots.pop(number, None)
        if not data:
            raise DeviceError(f"the camera {self.camera} has no picture")
        return data

    def _say(self, message: ToCell) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(pack(message))

    async def _keep(self) -> None:
        failures = 0
        while not self._ending:
            started = self._clock.monotonic()
            self.restarts += 1
            self._run = uuid.uuid4().hex
            try:
                await self._live()
            except (ProtocolError, DeviceError, OSError) as error:
                if self._ending:
                    return
                self.problem = str(error)
                _log.error("cell_ended", camera=self.camera, reason=self.problem)
            finally:
                await self._lost()
            failures = 0 if self._clock.monotonic() - started > _STEADY_S else failures + 1
            wait = min(_MOST_WAIT_S, _FIRST_WAIT_S * 2 ** min(failures, 10))
            await asyncio.sleep(wait * (0.8 + 0.4 * random.random()))

    async def _live(self) -> None:
        """One life of the cell, from its start to its end."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self.process = await asyncio.to_thread(self._launch, theirs, self.camera)
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=2**20)
        self._say(Configure(self._settings))
        if self.stopped:
            self._say(Stop(True))
        if self.stream.is_watched:
            self._say(Watch(True))
        patience = START_S
        while True:
            try:
                async with asyncio.timeout(patience):
                    message = await read_from_cell(reader)
            except TimeoutError:
                raise DeviceError(f"the cell gave no sign of life for {patience:g} s") from None
            if message is None:
                await asyncio.to_thread(self.process.join, 1.0)
                raise DeviceError(f"the cell ended with exit code {self.process.exitcode}")
            patience = HEARTBEAT_S
            self._take(message)

    def _take(self, message: FromCell) -> None:
        if isinstance(message, Health):
            self.health, self._heard_at, self._failed = message, self._clock.monotonic(), False
            self.problem = message.fault or message.problem
        elif isinstance(message, Head):
            self.stream.feed(StreamInit(message.generation, message.codec, message.data))
        elif isinstance(message, SituationTold):
            self.on_situation(self.camera, self._run, message.situation)
        elif isinstance(message, ClipTold):
            self.on_clip(self.camera, message.news)
        elif isinstance(message, Moment):
            if (asked := self._moments.get(message.number)) is not None and not asked.done():
                asked.set_result(message.data)
        elif isinstance(message, Fragment):
            self.stream.feed(StreamFragment(message.generation, message.key, message.at, message.taken, message.data))
        elif message.number in self._snapshots:
            self._snapshots[message.number].set_result(message.data)

    async def _lost(self) -> None:
        self.health, self._failed = None, not self._ending
        self.stream.reset()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        await self._reap(0.0)
        self.on_lost(self.camera)

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


class Supervisor:
    """All cells of a site."""

    def __init__(self, settings: Mapping[str, CellSettings], clock: Clock, launch: Launch = forkserver_launch) -> None:
        self.keepers = {name: CellKeeper(cell, clock, launch) for name, cell in settings.items()}

    async def start(self) -> None:
        # One thread per library in a cell: eleven cells share the machine's cores.
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
            os.environ.setdefault(name, "1")
        for keeper in self.keepers.values():
            keeper.start()

    async def end(self) -> None:
        """End all cells; returns when every process is gone."""
        await asyncio.gather(*(keeper.end() for keeper in self.keepers.values()))

    def stop_all(self, on: bool) -> None:
        for keeper in self.keepers.values():
            keeper.stop(on)
