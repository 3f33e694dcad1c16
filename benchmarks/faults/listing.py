"""The list of faults; each family's module puts its own on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.faults.round import Round

Play = Callable[["Round"], None]


@dataclass(frozen=True)
class Fault:
    """A fault of ordinary life. `play` makes it, lets the system live with it, and ends it.

    `cells` says that it touches cells, so that their restart is no wonder.
    """

    name: str
    play: Play
    cells: bool = False


FAULTS: dict[str, Fault] = {}


def fault(name: str, *, cells: bool = False) -> Callable[[Play], Play]:
    """Put a function on the list of faults."""

    def add(play: Play) -> Play:
        assert name not in FAULTS, name
        FAULTS[name] = Fault(name, play, cells)
        return play

    return add
