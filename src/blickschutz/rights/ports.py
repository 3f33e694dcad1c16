"""What requests need from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from blickschutz.audit.model import Event
from blickschutz.rights.model import Duty, Recording, Request, Restricted
from blickschutz.storage.rows import DamagedRow


class Recordings(Protocol):
    """The recordings that requests are about."""

    def between(self, starts: float, ends: float, cameras: Sequence[str]) -> list[Recording]:
        """Recordings that are there and show any of that time; `cameras` empty means all."""
        ...

    def restrict(self, case: int, request: int, by: str) -> bool:
        """Keep a recording as it is; False where its end was ordered before."""
        ...

    def free(self, case: int, request: int, by: str) -> None:
        """The request needs the recording no longer."""
        ...

    def erase(self, case: int, people: Sequence[str]) -> bool:
        """Destroy a recording because its person asked for it; False where a hold or another request keeps it."""
        ...

    def restricted(self) -> list[tuple[int, int]]:
        """Every restriction in force: case and request."""
        ...


class RightsStore(Protocol):
    """Keeps requests and duties. Every call is one transaction that holds its entry in the log; no entry has a name in it."""

    def add(self, request: Request) -> Request: ...

    def get(self, number: int) -> Request | None: ...

    def open(self) -> list[Request]:
        """All that are not answered, the oldest first."""
        ...

    def latest(self, most: int) -> list[Request]:
        """Those that were answered, the newest first."""
        ...

    def change(self, known: Request, changed: Request, event: Event, by: str, more: Sequence[Restricted] = ()) -> bool:
        """Write `changed` if the request still is `known`; `more` are recordings that the entry names."""
        ...

    def add_duty(self, duty: Duty) -> Duty:
        """A new duty; the one that there is where the same case has an open one."""
        ...

    def get_duty(self, number: int) -> Duty | None: ...

    def duties(self, settled: bool, most: int = 200) -> list[Duty]:
        """Duties that are met (`settled`), the newest first, or not yet, the oldest first; a deferral is not met."""
        ...

    def settle(self, known: Duty, changed: Duty) -> bool: ...

    def forget_duty(self, known: Duty, changed: Duty) -> None:
        """Write what is left of a duty after its time."""
        ...

    def damaged(self) -> list[DamagedRow]:
        """Rows that cannot be read, and so are in no other list. What asks for one of them by number raises `StoreDamagedError`."""
        ...
