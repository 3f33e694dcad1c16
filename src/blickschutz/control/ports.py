"""What the control room needs from outside: cells, rows, the rooms above it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from blickschutz.access.model import Member
from blickschutz.audit.model import Event
from blickschutz.control.model import OrderState, RecordingOrder, Stops, Witness
from blickschutz.control.vitals import DatabaseState
from blickschutz.pipeline.messages import DoorSettings
from blickschutz.recording.model import Order
from blickschutz.review.model import Case, Erasing
from blickschutz.wall.model import TileState
from blickschutz.zones.launcher import Started

if TYPE_CHECKING:
    # A host's agent finds cells by what stands here, and needs no database for it.
    from blickschutz.audit.io.log import Facts


class Do(Protocol):
    """Has something done in the thread of disk and database; never waits."""

    def __call__(self, work: Callable[[], Any], key: str = "") -> None:
        """What fails is tried again; what has the same `key` waits for it, the rest goes on meanwhile."""
        ...


class Cell(Protocol):
    """A camera's cell as orders see it. From any thread."""

    @property
    def reachable(self) -> bool:
        """Whether a cell is there that hears what it is told."""
        ...

    @property
    def stopped(self) -> bool:
        """Whether the stop control holds this camera."""
        ...

    def record(self, order: Order) -> None: ...

    def end_order(self, number: int) -> None: ...


class Shown(Protocol):
    """A camera as others are told of it. From any thread."""

    stopped: bool

    @property
    def state(self) -> TileState: ...


@dataclass(eq=False, slots=True)
class FoundCell:
    """A cell that outlived its control room and has proven whose it is; it waits for `TakenOver` or `Quit`. `settings` is their digest."""

    camera: str
    run: str
    version: str
    settings: str
    process: Started
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class CellDoors(Protocol):
    """The sockets by which cells are found again."""

    def make(self, run: str) -> tuple[socket.socket, DoorSettings] | None:
        """A door for a new life of a cell, and what the cell is told of it; None where none can be had. Waits for the disk."""
        ...

    def remove(self, run: str) -> None:
        """That life is over. Waits for the disk."""
        ...

    async def find(self) -> list[FoundCell]:
        """All cells that live behind a door and prove that they are ours; what does not answer or cannot is ended."""
        ...

    async def end(self, cell: FoundCell) -> None:
        """Have it close its recordings and end, whatever it still has to tell; killed where it does not."""
        ...


class Stoppable(Protocol):
    """A camera as the stop control sees it. From any thread."""

    def stop(self, on: bool) -> None: ...


class RegisterStore(Protocol):
    """Keeps the register of reviewers. Each entry is in the log, in the same transaction, and signed by the installation."""

    def lines(self) -> tuple[str, ...]:
        """The entries of the register that was founded last, as they were made."""
        ...

    def fault(self) -> str:
        """What of the register is not as the log says; empty where all is."""
        ...

    def append(self, line: str, number: int, event: Event, by: str, person: str, facts: Facts) -> bool:
        """Add an entry; False where another took its number meanwhile."""
        ...

    def drafts(self) -> dict[str, tuple[str, str]]:
        """By person: for which founders (JSON) they signed, and their signature (hex)."""
        ...

    def put_draft(self, person: str, founders: str, signature: str) -> None: ...

    def newest_of(self, events: Sequence[Event]) -> dict[str, Facts]:
        """The facts of the newest of `events` about each person, with the event itself as `event`."""
        ...


class OrderStore(Protocol):
    """Keeps orders. What changes one writes its entry in the log in the same transaction."""

    def newest(self) -> int:
        """The highest number that was given so far."""
        ...

    def add(self, order: RecordingOrder) -> None: ...

    def get(self, number: int) -> RecordingOrder | None: ...

    def open(self, camera: str = "") -> list[RecordingOrder]:
        """Orders without an outcome, the oldest first."""
        ...

    def begun(self, number: int, clip: str) -> None: ...

    def again(self, number: int) -> None:
        """The cell is told once more."""
        ...

    def over(self, number: int) -> None:
        """What it was given for is over."""
        ...

    def belongs_to(self, number: int, alert: int) -> None: ...

    def end(self, number: int, state: OrderState, why: str = "") -> RecordingOrder | None:
        """The outcome; None where it had one already."""
        ...

    def drop(self, is_over: Callable[[float], bool]) -> int:
        """Forget orders that had their outcome at a moment that `is_over` (POSIX), but the newest, whose number is not given out again;
        returns how many."""
        ...


class OwedStore(Protocol):
    """Keeps orders whose row follows, outside of the database."""

    def read(self) -> list[RecordingOrder]:
        """All of them; none where there is nothing that can be read."""
        ...

    def write(self, orders: Sequence[RecordingOrder]) -> None:
        """On disk when this returns. Raises `DeviceError`."""
        ...


class StopStore(Protocol):
    """Keeps what the stop control did, independent of the database."""

    def read(self) -> Stops: ...

    def write(self, stops: Stops) -> None: ...


class Waits(Protocol):
    """Says whether everything that destroys or seals has to wait."""

    @property
    def on(self) -> bool: ...


class WitnessStore(Protocol):
    """Keeps what stood in the databases lately, outside of them."""

    def write(self, witness: Witness) -> None:
        """On disk when this returns. Raises `DeviceError`, and `FaultError` without the installation's key."""
        ...


class EndStore(Protocol):
    """Keeps which clips were overwritten, outside of the database. What is lost of it makes a receipt say less, never more."""

    def add(self, clip: str, erasing: Erasing) -> None:
        """On disk when this returns. Raises `DeviceError`, and `FaultError` without the installation's key."""
        ...

    def read(self, clip: str) -> Erasing | None:
        """What this installation noted last of that clip. Raises `DeviceError`."""
        ...


class Probe(Protocol):
    """Looks whether a database answers. From any thread."""

    def look(self) -> DatabaseState: ...


class Rooms(Protocol):
    """Review rooms and key desks: where they are, and who is in them."""

    def present(self, case: int) -> list[str]: ...

    def refusal(self, member: Member, case: Case) -> str: ...

    def share(self, case: Case) -> float | None:
        """How much of a clip is here that is being fetched from its machine; None where nothing is on its way."""
        ...

    async def enter(self, number: int, member: Member, language: str, theme: str, origin: str, session: str) -> tuple[str, str]:
        """The address of the door for this person, or why not. `origin` is how their browser calls this server."""
        ...

    async def key_desk(self, member: Member, language: str, theme: str, origin: str, session: str) -> tuple[str, str]:
        """The address of this person's own desk, or why there is none (empty address)."""
        ...
