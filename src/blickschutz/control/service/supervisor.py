"""All cells of a site."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, ItemsView, Iterator, Mapping, ValuesView

from blickschutz.control.model import CellFound
from blickschutz.control.ports import CellDoors
from blickschutz.control.service.host_keeper import HostKeeper
from blickschutz.control.service.keeper import CellKeeper
from blickschutz.control.service.launching import Launch, launch_cell
from blickschutz.guard.service import Guard
from blickschutz.hosts.ports import Hosts
from blickschutz.kernel.clock import Clock
from blickschutz.pipeline.messages import CellSettings
from blickschutz.settings.model import Reach

_LEAST_AT_ONCE = 2


class Keepers(Mapping[str, CellKeeper]):
    """The keepers by camera. Whoever goes through them sees those of one moment: they are replaced as a whole."""

    def __init__(self) -> None:
        self._all: dict[str, CellKeeper] = {}

    def put(self, keepers: Mapping[str, CellKeeper]) -> None:
        self._all = dict(keepers)

    def __getitem__(self, camera: str) -> CellKeeper:
        return self._all[camera]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def values(self) -> ValuesView[CellKeeper]:
        return self._all.values()

    def items(self) -> ItemsView[str, CellKeeper]:
        return self._all.items()


class Supervisor:
    """Starts and ends the keepers of all cells, as many cells at once as the machine has cores. While a site is only prepared no cell is
    started at all, whoever asks.
    """

    def __init__(
        self,
        settings: Mapping[str, CellSettings],
        clock: Clock,
        launch: Launch = launch_cell,
        *,
        preparing: bool = False,
        doors: CellDoors | None = None,
        keepers: Keepers | None = None,
        hosts: Hosts | None = None,
        hosted: Collection[str] = (),
    ) -> None:
        self._hosts, self._hosted = hosts, frozenset(hosted)
        self.preparing, self._doors, self._clock, self._launch = preparing, doors, clock, launch
        self._guard: Guard | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.keepers = keepers if keepers is not None else Keepers()
        # A cell that begins takes a core for a second or two; all at once they would miss their times to answer, and begin anew.
        self._starts = asyncio.Semaphore(max(_LEAST_AT_ONCE, os.cpu_count() or 1))
        self.keepers.put({name: self._keeper(cell) for name, cell in settings.items()})

    def _keeper(self, cell: CellSettings) -> CellKeeper:
        if self._hosts is not None and cell.camera in self._hosted:
            return HostKeeper(cell, self._clock, self._hosts)
        return CellKeeper(cell, self._clock, self._launch, self._doors, self._starts)

    async def find(self) -> list[CellFound]:
        """The cells that outlived the control room before, each handed to its keeper; whose camera is none any more is ended.

        To be called before anything else of the site is touched, and before `start`.
        """
        kept: dict[str, CellFound] = {}
        for found in await self._doors.find() if self._doors is not None else ():
            if self._doors is not None and (self.preparing or not self._takes(found.camera) or found.camera in kept):
                await self._doors.end(found)
            else:
                self.keepers[found.camera].take(found)
                kept[found.camera] = CellFound(found.camera, found.run)
        return list(kept.values())

    def _takes(self, camera: str) -> bool:
        """Whether a cell of this machine may go on with that camera."""
        return camera in self.keepers and not isinstance(self.keepers[camera], HostKeeper)

    def start(self, guard: Guard) -> None:
        """Begin to keep all cells, in the running loop."""
        self._guard = guard
        if not self.preparing:
            self._loop = asyncio.get_running_loop()
        for keeper in self.keepers.values():
            self._start(keeper)

    def _start(self, keeper: CellKeeper) -> None:
        if self.preparing:
            keeper.stopped = True
        elif self._guard is not None:
            keeper.start(self._guard)

    def settle(self, settings: Mapping[str, CellSettings], joined: Callable[[CellKeeper], None]) -> dict[str, Reach]:
        """Have these cells, in this order, and touch no other: what became of each that is touched. `joined` is called with each new keeper
        before its cell is started. From any thread but the loop's, and one at a time.
        """
        before, reached = dict(self.keepers.items()), dict[str, Reach]()
        now: dict[str, CellKeeper] = {}
        for name, cell in settings.items():
            keeper = before.get(name)
            if keeper is None:
                keeper = self._keeper(cell)
                joined(keeper)
                reached[name] = Reach.BEGINS
            elif (anew := keeper.settle(cell)) is not None:
                reached[name] = Reach.ANEW if anew else Reach.TOLD
            now[name] = keeper
        gone = [name for name in before if name not in now]
        self.keepers.put(now)
        self._follow([now[name] for name, reach in reached.items() if reach is Reach.BEGINS], [before[name] for name in gone])
        return reached | dict.fromkeys(gone, Reach.ENDS)

    def _follow(self, begun: list[CellKeeper], gone: list[CellKeeper]) -> None:
        """Start the new ones and end those that are gone, in the loop in which cells are kept; before the start nothing is to be done."""
        if self._loop is None or self._loop.is_closed() or self._guard is None:
            return
        guard = self._guard

        def follow() -> None:
            for keeper in begun:
                self._start(keeper)
            for keeper in gone:
                guard.once_task("camera-ends", keeper.end)

        self._loop.call_soon_threadsafe(follow)

    async def end(self) -> None:
        """End all cells; returns when every process is gone."""
        await asyncio.gather(*(keeper.end() for keeper in self.keepers.values()))
