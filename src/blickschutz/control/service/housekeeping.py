"""What is done every few seconds: deadlines, destruction, orders without an outcome, outages, alerts that nobody takes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from blickschutz.guard.service import Guard
from blickschutz.guard.work import ThreadWork

EVERY_S = 5.0
_END_S = 10.0


class Housekeeping:
    """`duties` by name. Each has a thread of its own: one that fails or waits for a disk holds up no other."""

    def __init__(self, duties: Mapping[str, Callable[[], Any]]) -> None:
        self._duties = duties
        self._threads: list[ThreadWork] = []

    def start(self, guard: Guard) -> None:
        self._threads = [guard.thread(name, duty, every_s=EVERY_S) for name, duty in self._duties.items()]

    def end(self) -> None:
        """Begin no further round, and wait for those under way; to be called in a thread of its own."""
        for thread in self._threads:
            thread.end()
        for thread in self._threads:
            thread.wait(_END_S)
