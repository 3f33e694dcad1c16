"""All cells of a site."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from blickschutz.control.service.keeper import CellKeeper, Launch, launch_cell
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import Clock
from blickschutz.pipeline.messages import CellSettings


class Supervisor:
    """Starts and ends the keepers of all cells. While a site is only prepared no cell is started at all, whoever asks."""

    def __init__(
        self, settings: Mapping[str, CellSettings], clock: Clock, launch: Launch = launch_cell, *, preparing: bool = False
    ) -> None:
        self.preparing = preparing
        self.keepers = {name: CellKeeper(cell, clock, launch) for name, cell in settings.items()}

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
