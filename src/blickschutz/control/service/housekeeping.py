"""What is done every few seconds: deadlines, destruction, orders without an outcome, outages, alerts that nobody takes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from blickschutz.control.ports import Do

EVERY_S = 5.0


class Housekeeping:
    """`duties` touch disk and database and are done by `do`; `looks` only look at what is in memory."""

    def __init__(self, do: Do, duties: Sequence[Callable[[], Any]], looks: Sequence[Callable[[], None]] = ()) -> None:
        self._do, self._duties, self._looks = do, duties, looks

    def once(self) -> None:
        """One round. Never waits."""
        for look in self._looks:
            look()
        for duty in self._duties:
            self._do(duty)

    async def run(self) -> None:
        """Round after round, until it is cancelled."""
        while True:
            self.once()
            await asyncio.sleep(EVERY_S)
