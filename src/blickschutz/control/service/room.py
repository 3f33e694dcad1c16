"""The control room as a whole: in which order it starts and ends."""

from __future__ import annotations

import asyncio

from blickschutz.control.service.alerting import Alerting
from blickschutz.control.service.housekeeping import Housekeeping
from blickschutz.control.service.keeping import RecordKeeping
from blickschutz.control.service.moments import AlertMoments
from blickschutz.control.service.supervisor import Supervisor


class ControlRoom:
    """Starts records, alerts and cells; ends them so that what was begun has its outcome. In the event loop."""

    def __init__(
        self, supervisor: Supervisor, keeping: RecordKeeping, alerting: Alerting, moments: AlertMoments, housekeeping: Housekeeping
    ) -> None:
        self._supervisor, self._keeping, self._alerting = supervisor, keeping, alerting
        self._moments, self._housekeeping = moments, housekeeping
        self._rounds: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await asyncio.to_thread(self._keeping.start)
        self._moments.start()
        self._alerting.start()
        await self._supervisor.start()
        self._rounds = asyncio.create_task(self._housekeeping.run(), name="housekeeping")

    async def end(self) -> None:
        """Cells first: what they tell of their last clips is still taken; then what waits for disk and database; then the notices."""
        if self._rounds is not None:
            self._rounds.cancel()
            await asyncio.gather(self._rounds, return_exceptions=True)
        await self._alerting.end_source()
        await self._moments.end()
        await self._supervisor.end()
        await self._alerting.end()
        await asyncio.to_thread(self._keeping.end)
