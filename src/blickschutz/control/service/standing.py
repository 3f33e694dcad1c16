"""What hosts are to do while they are cut off, told to all of them when it is another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from blickschutz.control.service.host_keeper import HostKeeper
from blickschutz.control.service.keeper import CellKeeper
from blickschutz.kernel.clock import Clock
from blickschutz.pipeline.messages import SetStanding

# So often it is asked what it is. That register, keys and accounts are compared for it is why it is not asked all the time.
STAND_S: Final = 30.0


class Standing:
    """`asked` waits for disk and database."""

    def __init__(self, asked: Callable[[], SetStanding], cells: Mapping[str, CellKeeper], clock: Clock) -> None:
        self._asked, self._cells, self._clock = asked, cells, clock
        self._told: SetStanding | None = None
        self._next = float("-inf")

    def look(self) -> None:
        """A round of the housekeeping."""
        hosted = [cell for cell in list(self._cells.values()) if isinstance(cell, HostKeeper)]
        if not hosted or self._clock.monotonic() < self._next:
            return
        told = self._asked()
        # The same one as long as it says the same: nobody has to compare it for each camera.
        self._told = told = self._told if self._told == told else told
        self._next = self._clock.monotonic() + STAND_S
        for cell in hosted:
            cell.stand(told)
