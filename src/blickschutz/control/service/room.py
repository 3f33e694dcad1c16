"""The control room as a whole: in which order it starts and ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from blickschutz.control.service.alerting import Alerting
from blickschutz.control.service.housekeeping import Housekeeping
from blickschutz.control.service.keeping import RecordKeeping
from blickschutz.control.service.moments import AlertMoments
from blickschutz.control.service.sensitivity import Sensitivity
from blickschutz.control.service.supervisor import Supervisor
from blickschutz.guard.service import Guard


class ControlRoom:
    """Starts records, alerts and cells; ends them so that what was begun has its outcome. In the event loop."""

    def __init__(
        self,
        guard: Guard,
        supervisor: Supervisor,
        keeping: RecordKeeping,
        alerting: Alerting,
        moments: AlertMoments,
        housekeeping: Housekeeping,
        sensitivity: Sensitivity,
        begin: Callable[[], object],
    ) -> None:
        self._guard, self._supervisor, self._keeping, self._alerting = guard, supervisor, keeping, alerting
        self._moments, self._housekeeping, self._sensitivity = moments, housekeeping, sensitivity
        self._begin = begin

    async def start(self) -> None:
        found = await self._supervisor.find()
        await asyncio.to_thread(self._keeping.start, self._guard, frozenset(one.camera for one in found))
        await asyncio.to_thread(self._keeping.attempt, self._begin)
        self._moments.start(self._guard)
        await asyncio.to_thread(self._alerting.start, [one.run for one in found])
        self._supervisor.start(self._guard)
        self._housekeeping.start(self._guard)

    async def end(self) -> None:
        """Cells first: what they tell of their last clips is still taken; then what waits for disk and database; then the notices."""
        await asyncio.to_thread(self._housekeeping.end)
        await self._alerting.end_source()
        await self._supervisor.end()
        await self._guard.finish()
        await asyncio.to_thread(self._sensitivity.end)
        await self._alerting.end()
        await asyncio.to_thread(self._keeping.end)
        await asyncio.to_thread(self._guard.end)
