"""Which of several control rooms leads: kept where every decision is kept, so that one that lost the lead can decide nothing more.

Only databases on a server have it: files have one process at a time, by the lock of their folder.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol

from blickschutz.kernel.errors import OperatorError
from blickschutz.storage.places import Server


@dataclass(frozen=True, slots=True)
class Led:
    """Who leads: the `holder` by name (empty: nobody, it ended in order) under the number `term`, which only grows; `beat` is counted up
    by it. `since` and `seen` are for people, by the server's clock (POSIX seconds). `token` is the highest of any camera's lease.
    `waiting`: who waits to take over, and how many seconds ago it said so.
    """

    term: int
    beat: int
    holder: str
    since: float
    seen: float
    token: int = 0
    waiting: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Paper:
    """A small file of the leader's folder, sealed: the one that was put as number `number` under `term`."""

    name: str
    term: int
    number: int
    sealed: bytes


class Lead(Protocol):
    """All raise `StoreError`; what is under a term that is over `StoreFencedError`, and changes nothing."""

    def look(self) -> Led: ...

    def take(self, was: Led, name: str) -> int | None:
        """Take the lead, if it still stands as it `was` seen: the new term, from whose return on nothing is written under an older one.
        None where somebody else was there meanwhile. Raises `StoreBusyError` where somebody keeps on writing."""
        ...

    def beat(self, term: int) -> None:
        """Say that this term goes on."""
        ...

    def release(self, term: int) -> None:
        """Say that it ends in order: nobody has to wait for it."""
        ...

    def remember(self, term: int, token: int) -> None:
        """Keep the highest token of a lease, before it is given."""
        ...

    def wait(self, name: str) -> None:
        """Say that somebody waits."""
        ...

    def put(self, term: int, number: int, name: str, sealed: bytes) -> None:
        """Keep a paper in place of the one of that name."""
        ...

    def papers(self, term: int, number: int) -> list[Paper]:
        """Those that were put after that one, in the order in which they were."""
        ...

    def close(self) -> None: ...


def lead_of(server: Server) -> Lead:
    """Raises `OperatorError` where what speaks to servers is not installed."""
    try:
        return importlib.import_module("blickschutz.storage.dialects.pg_lead").PostgresLead(server)  # type: ignore[no-any-return]
    except ModuleNotFoundError as error:
        raise OperatorError("a database on a server needs: pip install 'blickschutz[postgresql]'") from error
