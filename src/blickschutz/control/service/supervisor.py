"""All cells of a site."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from blickschutz.control.model import CellFound
from blickschutz.control.ports import CellDoors
from blickschutz.control.service.keeper import CellKeeper, Launch, launch_cell
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import Clock
from blickschutz.pipeline.messages import CellSettings


class Supervisor:
    """Starts and ends the keepers of all cells. While a site is only prepared no cell is started at all, whoever asks."""

    def __init__(
        self,
        settings: Mapping[str, CellSettings],
        clock: Clock,
        launch: Launch = launch_cell,
        *,
        preparing: bool = False,
        doors: CellDoors | None = None,
    ) -> None:
        self.preparing, self._doors = preparing, doors
        self.keepers = {name: CellKeeper(cell, clock, launch, doors) for name, cell in settings.items()}

    async def find(self) -> list[CellFound]:
        """The cells that outlived the control room before, each handed to its keeper; whose camera is none any more is ended.

        To be called before anything else of the site is touched, and before `start`.
        """
        kept: dict[str, CellFound] = {}
        for found in await self._doors.find() if self._doors is not None else ():
            if self._doors is not None and (self.preparing or found.camera not in self.keepers or found.camera in kept):
                await self._doors.end(found)
            else:
                self.keepers[found.camera].take(found)
                kept[found.camera] = CellFound(found.camera, found.run)
        return list(kept.values())

    def start(self, guard: Guard) -> None:
        """Begin to keep all cells, in the running loop."""
        for keeper in self.keepers.values():
            if self.preparing:
                keeper.stopped = True
            else:
                keeper.start(guard)

    async def end(self) -> None:
        """End all cells; returns when every process is gone."""
        await asyncio.gather(*(keeper.end() for keeper in self.keepers.values()))
