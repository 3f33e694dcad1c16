"""What came of news that must arrive: once, in order, whatever the broker repeats or brings too early. Bounded; knows no broker."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from blickschutz.hosts.model import Told

# Runs of one camera that are remembered; of each, news that wait for others.
MOST_RUNS: Final = 64
MOST_WAITING: Final = 4096


class Intake:
    """Of one camera. `heard` are the highest numbers that are in the rows already, by run.

    Of a run that is not known the first that comes is the first that was not confirmed: a host tells from there on, in order, and the
    broker's store keeps the order.
    """

    def __init__(self, heard: dict[str, int] | None = None) -> None:
        self._taken: OrderedDict[str, int] = OrderedDict(heard or {})
        self._in_rows = dict(heard or {})
        self._waiting: dict[str, dict[int, Told]] = {}
        self.doubled = self.gaps = 0

    def take(self, told: Told) -> Iterator[Told]:
        """What can be taken in now, in order: this one, and what waited for it. Nothing where it was had, or comes too early."""
        if told.number <= self._taken.get(told.run, 0):
            self.doubled += 1
            return
        self._taken.setdefault(told.run, told.after)
        waiting = self._waiting.setdefault(told.run, {})
        if told.number in waiting:
            self.doubled += 1
        elif len(waiting) >= MOST_WAITING and told.after > self.had(told.run):
            return  # it is told again once what it waits for is here
        waiting[told.number] = told
        yield from self._ready(told.run, waiting)

    def had(self, run: str) -> int:
        """The highest number of this run that was taken in."""
        return self._taken.get(run, 0)

    def confirm(self, run: str, number: int) -> None:
        """All of this run up to that number are in the rows."""
        self._in_rows[run] = max(number, self._in_rows.get(run, 0))
        while len(self._in_rows) > MOST_RUNS:
            del self._in_rows[next(iter(self._in_rows))]

    def in_rows(self, run: str) -> int:
        """The highest number of this run that was confirmed."""
        return self._in_rows.get(run, 0)

    def _ready(self, run: str, waiting: dict[int, Told]) -> Iterator[Told]:
        while waiting:
            first = waiting[min(waiting)]
            if first.after > self.had(run):
                return
            del waiting[first.number]
            if first.number > self.had(run) + 1:
                self.gaps += 1  # dropped from a journal that was full: named by its successor
            self._taken[run] = first.number
            self._taken.move_to_end(run)
            if len(self._taken) > MOST_RUNS:
                over, _ = self._taken.popitem(last=False)
                self._waiting.pop(over, None)
            yield first
        self._waiting.pop(run, None)
