"""A host's agent: its connection to the broker, its lease, and for each of its cameras a cell and what the cell has to tell."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec
import structlog
from nats.aio.msg import Msg

from blickschutz.guard.model import Backoff
from blickschutz.guard.service import Guard
from blickschutz.guard.work import TaskWork
from blickschutz.hosts.io.broker import BROKEN, Address, Broker
from blickschutz.hosts.io.bundles import Bundles, Presence
from blickschutz.hosts.io.clips import HostClips
from blickschutz.hosts.io.ends import Told
from blickschutz.hosts.io.going_on import GoingOn
from blickschutz.hosts.io.host_end import HostEnd, HostOrders, HostPieces
from blickschutz.hosts.io.hosted import HostedCell
from blickschutz.hosts.io.journal import FileJournal
from blickschutz.hosts.io.leases import HostRounds
from blickschutz.hosts.io.pulling import CopyPull
from blickschutz.hosts.model import Place
from blickschutz.hosts.ports import LeftCell
from blickschutz.hosts.rules import subjects
from blickschutz.hosts.rules.delivery import importance_of
from blickschutz.hosts.rules.lease import FOREVER_S, FULL_S, RENEW_S, Capacity, Holder
from blickschutz.kernel.clock import Clock, aging
from blickschutz.kernel.errors import DeviceError, ProtocolError
from blickschutz.pipeline.channel import greeting, read_from_cell
from blickschutz.pipeline.messages import ClipTold, News, Quit
from blickschutz.wire.frames import pack
from blickschutz.wire.greeting import clock_name
from blickschutz.zones.launcher import Started

_log = structlog.get_logger(__name__)
_encoder = msgspec.msgpack.Encoder()
# A lease lasts some seconds: whoever renews it waits for nothing longer.
_SOON: Final = Backoff(first_s=0.2, most_s=1.0)
_AGAIN_S: Final = 1.0
# Bounded: the lease goes on for the other cameras meanwhile.
_GONE_S: Final = 1.5
_LEFT_S: Final = 8.0
# So often it is looked at the clips that lie here.
CLIPS_S: Final = 2.0


class OwnNews:
    """What the host itself has to tell, beside its cells. See `hosts.io.ends.Teller`."""

    def __init__(self, journals: Mapping[str, FileJournal], told: Callable[[str], None]) -> None:
        self._journals, self._told = journals, told
        # Of each camera a run of its own: numbers count without a gap in one journal.
        self._runs = {camera: uuid.uuid4().hex for camera in journals}
        self._numbers = dict.fromkeys(journals, 0)
        self._lock = threading.Lock()

    @property
    def line(self) -> str:
        return next(iter(self._journals), "")

    def tell(self, camera: str, news: Told) -> tuple[str, int] | None:
        camera = camera or self.line
        journal = self._journals.get(camera)
        if journal is None:
            return None
        with self._lock:
            number, run = self._numbers[camera] + 1, self._runs[camera]
            data = _encoder.encode(msgspec.structs.replace(news, number=number))
            journal.add(run, number, 0, data, 0, clock_name())
            self._numbers[camera] = number
        self._told(camera)
        return run, number

    def waits(self, camera: str, run: str, number: int) -> bool:
        return camera in self._journals and self._journals[camera].holds(run, number)


class Agent:
    """Of one host. `cells` are the cameras whose secrets it has; `journals` the folder of what it has to tell. `keeping` makes what keeps
    its clips, of how it tells; `going_on` is what it goes on with before anybody is reached.
    """

    def __init__(
        self,
        broker: Broker,
        address: Address,
        capacity: Capacity,
        cells: Mapping[str, HostedCell],
        journals: Path,
        guard: Guard,
        clock: Clock,
        keeping: Callable[[OwnNews, Callable[[str], str]], HostClips] | None = None,
        going_on: GoingOn | None = None,
    ) -> None:
        self._broker, self._address, self._cells, self._guard, self._clock = broker, address, cells, guard, clock
        self._journals = {camera: FileJournal(journals / f"{camera}.journal") for camera in cells}
        self._ends: dict[str, HostEnd] = {}
        self._bundles = Bundles(broker)
        self._going_on = going_on
        self._holder = Holder((going_on.run if going_on is not None else "") or uuid.uuid4().hex, capacity)
        # Cells of a process before this one may film until their deadline, and nobody is to hear before that it does not hold them.
        self._silent_until = float("-inf")
        if going_on is not None and going_on.run:
            self._holder.resume(going_on.tokens)
            self._silent_until = aging() + FULL_S
        keep = going_on.hold if going_on is not None else None
        self._rounds = HostRounds(broker, self._holder, self._films, let_go=self._let_go, keep=keep)
        self._nudged = asyncio.Event()
        self._lease: TaskWork | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.clips = keeping(OwnNews(self._journals, self._told), self._life) if keeping is not None else None

    def _life(self, camera: str) -> str:
        return self._cells[camera].life if camera in self._cells else ""

    def _told(self, camera: str) -> None:
        """Something is in a journal. From any thread."""
        if self._loop is not None and not self._loop.is_closed() and camera in self._ends:
            self._loop.call_soon_threadsafe(self._ends[camera].told)

    async def take_in(self, left: Iterable[LeftCell]) -> None:
        """End the cells that outlived the agent before; what they have to tell is kept first."""
        for cell in left:
            try:
                cell.writer.write(pack(Quit()))
                async with asyncio.timeout(_LEFT_S):
                    while (message := await read_from_cell(cell.reader)) is not None:
                        if isinstance(message, ClipTold) and self.clips is not None:
                            message = await asyncio.to_thread(self.clips.heard, cell.camera, cell.run, message)
                        if isinstance(message, News) and cell.camera in self._journals:
                            told = (cell.run, message.number, 0, _encoder.encode(message), importance_of(message), clock_name())
                            await asyncio.to_thread(self._journals[cell.camera].add, *told)
            except (OSError, ProtocolError) as error:
                _log.error("cell_not_ended_in_order", camera=cell.camera, problem=str(error))
            cell.writer.close()
            if not await asyncio.to_thread(_is_over, cell.process):
                raise DeviceError(f"a cell of {cell.camera} from before cannot be ended; another one would film beside it")

    async def run(self, ended: asyncio.Event) -> None:
        """Until `ended`, once those that were left are taken in. Before the broker was reached and gave a lease nothing is filmed but what
        this host alone may film, and filmed before; deadlines are kept from the first moment on."""
        self._loop = asyncio.get_running_loop()
        if self.clips is not None:
            self._guard.thread("clips", self.clips.look, every_s=CLIPS_S)
            if self.clips.copies is not None:
                self._guard.thread("copies", self.clips.copies.look, every_s=CLIPS_S)
        self._begin()
        while not ended.is_set() and not await self._connected():
            await _either(ended, _AGAIN_S)
        if not ended.is_set():
            await self._join()
        await ended.wait()
        await self._end()

    async def _connected(self) -> bool:
        try:
            await self._broker.connect(self._address)
        except DeviceError as error:
            if self._broker.worth_a_line(str(error)):
                _log.error("no_broker", host=self._broker.name, problem=str(error))
            return False
        return True

    def _begin(self) -> None:
        broker, installation = self._broker, self._broker.installation
        for camera, cell in self._cells.items():
            place, ours = Place(installation, broker.name, camera), greeting(installation, camera)
            journal = self._journals[camera]
            by = self._guard, self._clock, cell.told_under
            end = HostEnd(broker, place, cell, journal, ours, *by, self._bundles, self.clips, self._going_on)
            cell.over = end.over
            self._ends[camera] = end
            end.begin()
            self._guard.task(f"cell-{camera}", cell.keep)
        if self._going_on is not None:
            self._guard.task("going-on", self._going_on.keep)
            self._films(self._holder.films(aging()), self._holder.until)
            if self._going_on.tokens:
                _log.warning("goes_on_unreached", cameras=sorted(self._going_on.tokens))

    async def _join(self) -> None:
        broker, installation = self._broker, self._broker.installation
        for end in self._ends.values():
            await end.start()
        self._guard.task("orders", HostOrders(broker, broker.name, self._ends, self.clips).run)
        if self.clips is not None:
            await HostPieces(broker, self.clips).start()
            if self.clips.copies is not None:
                self._guard.task("copying", CopyPull(broker, self.clips.copies).run)
        await Presence(broker, self._ends).start()
        self._guard.task("bundles", self._bundles.keep)
        await broker.client.subscribe(subjects.nudges(installation, broker.name), cb=self._nudge)
        self._lease = self._guard.task("lease", self._renewing, backoff=_SOON)
        _log.info("host_joined", host=broker.name, cameras=len(self._cells))

    async def _renewing(self) -> None:
        await asyncio.sleep(max(0.0, self._silent_until - aging()))
        while True:
            self._nudged.clear()
            self._holder.waiting = tuple(camera for camera, journal in self._journals.items() if len(journal))
            await self._rounds.round()
            await _either(self._nudged, RENEW_S)

    async def _nudge(self, message: Msg) -> None:
        del message
        self._nudged.set()

    def _films(self, cameras: Mapping[str, int], until: float) -> None:
        now = aging()
        for camera, cell in self._cells.items():
            lasts = camera in cameras and self._holder.until_of(camera, now) > until
            cell.lease(cameras.get(camera, 0), now + FOREVER_S if lasts else until)

    async def _let_go(self, cameras: Collection[str], patience_s: float = _GONE_S) -> None:
        """Returns once no cell of these is left. Raises `DeviceError` where one does not end though it is killed: from the next renewal on
        another host may film, so it must not be written; the lease ends by itself then."""
        cells = [self._cells[camera] for camera in cameras if camera in self._cells]
        if cells and not await _gone(cells, patience_s):
            for cell in cells:
                cell.kill()
            if not await _gone(cells, _GONE_S):
                raise DeviceError(f"cells of {', '.join(cell.camera for cell in cells)} do not end")

    async def _end(self) -> None:
        """The cells end and tell their last; the lease goes back, so that others need not wait for its end. What goes on unreached stays
        on disk: the store still has it."""
        if self._lease is not None:
            self._lease.end()
            await self._lease.finished(_GONE_S)
        self._holder.leave()
        self._films({}, self._holder.until)
        with contextlib.suppress(DeviceError, *BROKEN):
            await self._let_go(self._cells, _LEFT_S)
            if self._lease is not None and aging() >= self._silent_until:
                await self._rounds.round()
        for end in self._ends.values():
            await end.close()
        await self._guard.finish()
        await self._broker.close()
        for journal in self._journals.values():
            journal.close()


async def _gone(cells: Collection[HostedCell], seconds: float) -> bool:
    """Whether no cell of them is left within that time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(cell.gone() for cell in cells))
            return True
    return False


def _is_over(process: Started) -> bool:
    """Whether it has ended; it is killed where it did not in its time."""
    if process.is_alive():
        process.kill()
    process.join(_LEFT_S)
    return not process.is_alive()


async def _either(event: asyncio.Event, seconds: float) -> None:
    """Until it is set, at most so long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
