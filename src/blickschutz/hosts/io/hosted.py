"""One camera's cell on a host: started while the host's lease and the control room's settings are there, ended with either.

To `HostEnd` it is a line that never ends. The cell itself holds the lease (`FilmUntil`): where this process hangs it lets go all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from blickschutz.hosts.ports import CellDoors
from blickschutz.hosts.rules.settings import OwnCamera, housed
from blickschutz.kernel.clock import Clock, aging
from blickschutz.kernel.errors import DeviceError, ProtocolError
from blickschutz.pipeline.channel import First, greeted, greeting, read_from_cell, say_first
from blickschutz.pipeline.door import digest_of
from blickschutz.pipeline.lease import GRACE_S
from blickschutz.pipeline.messages import (
    AskClock,
    CellSettings,
    ClockTold,
    Configure,
    FilmUntil,
    FromCell,
    Quit,
    Record,
    SetSituations,
    SetThresholds,
    Stop,
    TakenOver,
    ToCell,
    Watch,
)
from blickschutz.wire.frames import pack
from blickschutz.zones.launcher import Started

_log = structlog.get_logger(__name__)
START_S: Final = 30.0
HEARTBEAT_S: Final = 6.0
# What a cell gets to close what it has in hand.
QUIT_S: Final = 6.0
_FIRST_WAIT_S, _MOST_WAIT_S, _STEADY_S = 0.5, 20.0, 30.0
# The state that is wanted: a cell that is started anew is told it again, and says what it has in hand, which is nothing.
_STATES: Final = (SetThresholds, Stop, Watch, TakenOver)


@dataclass(frozen=True, slots=True)
class Housing:
    """What all cells of a host have in common. `clips` is the only folder in which they may make files; `root` is that of the register
    of reviewers, as two people pinned it when the host was enrolled (empty: they did not).
    """

    installation: str
    launch: Callable[[socket.socket, str], Started]
    doors: CellDoors
    clips: Path
    root: str = ""


class _Life:
    """One life of the cell: under which lease it began, and the digest of what it does. `asked`: it was told to end."""

    def __init__(self, run: str, token: int, settings: str) -> None:
        self.run, self.token, self.settings = run, token, settings
        self.process: Started | None = None
        self.asked = False

    def kill(self) -> None:
        if self.process is not None and self.process.is_alive():
            self.process.kill()


class HostedCell:
    """See `CellLine`. In one event loop; `over` is called when a life of the cell has ended."""

    def __init__(self, camera: str, own: OwnCamera, housing: Housing, clock: Clock) -> None:
        self.camera = camera
        self._own, self._housing, self._clock = own, housing, clock
        self.token = 0
        # Of which life of the cell, and under which lease, the last message was that `receive` gave.
        self.run, self._told_under = "", 0
        self.problem = ""
        self.over: Callable[[], None] = lambda: None
        self._until = float("-inf")
        self._settings: CellSettings | None = None
        self._states: dict[type[Any], ToCell] = {}
        self._told: asyncio.Queue[tuple[str, int, FromCell]] = asyncio.Queue()
        self._changed, self._ended = asyncio.Event(), asyncio.Event()
        self._ended.set()
        self._writer: asyncio.StreamWriter | None = None
        self._life: _Life | None = None
        # Also while it is started, and does not answer yet.
        self._newest: _Life | None = None

    def lease(self, token: int, until: float) -> None:
        """What the host may film now: under this token (0: not at all), until then by `aging`."""
        self.token, self._until = token, until if token else float("-inf")
        self._write(FilmUntil(self._until))
        self._look(min(QUIT_S, max(0.0, until - aging()) + GRACE_S))

    def kill(self) -> None:
        """Nothing of it films from now on."""
        if self._newest is not None:
            self._newest.kill()

    async def gone(self) -> None:
        """Wait until no cell of it is left."""
        await self._ended.wait()

    # --- as `CellLine` ---

    def send(self, message: ToCell) -> None:
        if isinstance(message, Configure):
            self._settings = message.settings
            self._look()
            return
        if isinstance(message, SetSituations) and self._settings is not None:
            # The cell goes on and does it; another life of it begins with it.
            self._settings = msgspec.structs.replace(self._settings, situations=message.situations)
            if self._life is not None:
                self._life.settings = digest_of(self._settings)
        if isinstance(message, _STATES):
            self._states[type(message)] = message
        if isinstance(message, AskClock) and self._writer is None:
            # The cell's clock is this process's: what is in the journal of it can be dated though no cell is there.
            now = self._clock.monotonic()
            self._told.put_nowait((self.run, self._told_under, ClockTold(message.number, now, now, self._clock.now())))
        if isinstance(message, Record):
            # Where a clip is written is no affair of another machine.
            sealing = msgspec.structs.replace(message.order.sealing, folder=str(self._housing.clips))
            message = Record(msgspec.structs.replace(message.order, sealing=sealing))
        self._write(message)

    @property
    def life(self) -> str:
        """The life of the cell that is there now, and of which not all is taken in; empty where there is none."""
        if self._life is not None:
            return self._life.run
        return self.run if not self._told.empty() else ""

    def told_under(self) -> int:
        """The lease under which the last message was said."""
        return self._told_under

    async def receive(self) -> FromCell | None:
        self.run, self._told_under, message = await self._told.get()
        return message

    # --- its lives ---

    async def keep(self) -> None:
        """One life of the cell after the other, while it is wanted. For the guard."""
        failures = 0
        while True:
            while not self._wanted():
                self._changed.clear()
                await self._changed.wait()
            started = self._clock.monotonic()
            try:
                await self._live()
                failures = 0
                continue
            except (ProtocolError, DeviceError, OSError) as error:
                self.problem = str(error)
                _log.error("cell_ended", camera=self.camera, reason=self.problem)
            failures = 0 if self._clock.monotonic() - started > _STEADY_S else failures + 1
            wait = min(_MOST_WAIT_S, _FIRST_WAIT_S * 2 ** min(failures, 10))
            await asyncio.sleep(wait * (0.8 + 0.4 * random.random()))

    def _wanted(self) -> bool:
        return self.token != 0 and self._settings is not None and aging() < self._until

    def _digest(self) -> str:
        """Of all that only another life of the cell can do: thresholds are told whenever they change."""
        return digest_of(self._settings) if self._settings is not None else ""

    def _look(self, patience: float = QUIT_S) -> None:
        """Something is another now: a life that is not wanted any more is told to end, and killed where it does not in that time."""
        self._changed.set()
        life = self._life
        if life is None or life.asked or (self._wanted() and (self.token, self._digest()) == (life.token, life.settings)):
            return
        life.asked = True
        self._write(Quit())
        asyncio.get_running_loop().call_later(patience, life.kill)

    async def _live(self) -> None:
        """One life, until it is not wanted any more. Raises `DeviceError` where it ends unasked."""
        assert self._settings is not None  # it is wanted
        life = self._newest = _Life(uuid.uuid4().hex, self.token, self._digest())
        settings = housed(self._settings, self._own, str(self._housing.clips), self._housing.root)
        self._ended.clear()
        try:
            reader = await self._begun(settings, life)
            self._life = life
            self._look()
            patience = START_S
            while True:
                try:
                    async with asyncio.timeout(patience):
                        message = await read_from_cell(reader)
                except TimeoutError as error:
                    raise DeviceError(f"the cell gave no sign of life for {patience:g} s") from error
                if message is None:
                    break
                patience, self.problem = HEARTBEAT_S, ""
                self._told.put_nowait((life.run, life.token, message))
            if not life.asked:
                raise DeviceError(f"the cell of {self.camera} has ended")
        finally:
            self._life = None
            await self._end(life)
            self._newest = None

    async def _begun(self, settings: CellSettings, life: _Life) -> asyncio.StreamReader:
        housing, run = self._housing, life.run
        made = await asyncio.to_thread(housing.doors.make, run)
        if made is None:
            raise DeviceError("no door could be made for the cell")
        listener, door = made
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with contextlib.ExitStack() as unused:
            unused.callback(ours.close)
            with theirs, listener:
                life.process = await asyncio.to_thread(housing.launch, theirs, self.camera)
                own = greeting(housing.installation, self.camera, run)
                stop = self._states.get(Stop)
                first = First(settings, door, listener, self._until, stopped=isinstance(stop, Stop) and stop.on)
                rest = say_first(ours, own, first)
            unused.pop_all()
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=2**20)
        self._writer.write(rest)
        # Before the first picture: how long it may film at all.
        self._write(FilmUntil(self._until))
        for state in self._states.values():
            self._write(state)
        async with asyncio.timeout(START_S):
            if await greeted(reader, own) is None:
                raise DeviceError(f"the cell of {self.camera} has ended")
        return reader

    async def _end(self, life: _Life) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if life.process is not None:
            await asyncio.to_thread(_reaped, life.process)
        await asyncio.to_thread(self._housing.doors.remove, life.run)
        self._ended.set()
        self.over()

    def _write(self, message: ToCell) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(pack(message))


def _reaped(process: Started) -> None:
    """Returns once it is gone, however long a busy machine takes for that: another one would film beside it."""
    process.join(0.5)
    while process.is_alive():
        process.kill()
        process.join(2.0)
