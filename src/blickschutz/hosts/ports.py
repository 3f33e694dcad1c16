"""The way between a cell and the control room, whatever carries it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from blickschutz.hosts.model import AskPiece, HostNews, Piece, Placed, StoreFacts, Told
from blickschutz.pipeline.messages import DoorSettings, FromCell, ToCell
from blickschutz.pipeline.times import CellTimes
from blickschutz.wire.greeting import Greeting
from blickschutz.zones.launcher import Started


class Link(Protocol):
    """The control room's end. Both sides have greeted, and `theirs` is who the other one is."""

    theirs: Greeting

    @property
    def is_open(self) -> bool:
        """Whether what is said may still arrive."""
        ...

    def send(self, message: ToCell) -> None:
        """Say something; never waits. What cannot be said ends the link, which `receive` tells."""
        ...

    async def receive(self) -> FromCell | None:
        """The next message; None when the link is over. Raises `ProtocolError`."""
        ...

    async def close(self) -> None: ...


class Arrivals(Protocol):
    """What came of one host's news of a camera, over all links to it. See `rules.intake`."""

    def take(self, told: Told) -> Iterator[Told]:
        """What can be taken in now, in order; nothing where it was had, or comes too early."""
        ...

    def confirm(self, run: str, number: int) -> None:
        """All of this run up to that number are in the rows."""
        ...

    def in_rows(self, run: str) -> int:
        """The highest number of this run that was confirmed."""
        ...


class RemoteLink(Protocol):
    """A link to a cell on another host, of which the host itself tells, too. As `Link` else; news have numbers of this link alone."""

    theirs: Greeting
    problem: str

    def give_up(self, problem: str) -> None:
        """The link is over, though nobody said so: who waits in `receive` hears it at once."""
        ...

    @property
    def is_open(self) -> bool: ...

    def send(self, message: ToCell) -> None: ...

    async def receive(self) -> FromCell | HostNews | None:
        """The next message; None when the link is over. Raises `ProtocolError`."""
        ...

    async def close(self) -> None: ...

    def name_of(self, number: int) -> tuple[str, int, str]:
        """Of which life of a cell news are, their number there, and the name of the clock by which their times are."""
        ...

    def confirm(self, run: str, number: int) -> None:
        """All news of this run up to that number are in rows. Also of a link before this one."""
        ...


class Hosts(Protocol):
    """The hosts of an installation, as whoever keeps a camera's cell sees them. In the event loop."""

    @property
    def problem(self) -> str:
        """Why no host can be reached at all; empty where they can."""
        ...

    def placed(self, camera: str) -> Placed | None:
        """Which host is to film it now."""
        ...

    def untold(self, camera: str) -> Sequence[Placed]:
        """Hosts that do not film it, and have something to tell of the time when they did."""
        ...

    def times(self, host: str, theirs: Greeting) -> CellTimes:
        """By which times of that host are turned into ours: its cells read one clock, and what one link measures counts for all."""
        ...

    async def something_left(self, camera: str) -> None:
        """Returns once `untold` names somebody."""
        ...

    async def changed(self) -> None:
        """Returns when another host is to film something, or something else."""
        ...

    async def open(self, camera: str, placed: Placed, intake: Arrivals) -> RemoteLink:
        """Raises `DeviceError` where that host does not answer, `RefusedError` where it does not speak with us."""
        ...


class ClipHosts(Protocol):
    """The hosts of an installation, as whoever keeps cases sees them."""

    def is_present(self, host: str) -> bool:
        """Whether it renews its lease. From any thread."""
        ...

    def direct(self, host: str, name: str, data: bytes) -> None:
        """Have a signed directive on its way, kept until the host has read it; given twice under one name it goes once. From any thread;
        never waits. What cannot be said is dropped: until the host has confirmed it, it is said again."""
        ...

    def require_report(self, host: str, text: bytes, signature: bytes, certificate: bytes) -> None:
        """Raises `ProtocolError` unless that host signed the text. Waits for the disk."""
        ...

    async def piece(self, host: str, asked: AskPiece) -> Piece:
        """A piece of a clip's ciphertext. In the event loop. Raises `DeviceError` where the host does not answer."""
        ...


class CopyStore(Protocol):
    """An object store elsewhere that keeps ciphertext for a keeper of copies. All of it waits for the network and raises `DeviceError`."""

    def facts(self) -> StoreFacts:
        """What it says of itself, and whether what is put there can be destroyed."""
        ...

    def put(self, clip: str, path: Path, order: bytes) -> None:
        """A whole file, and the signed order beside it. Again after a crash."""
        ...

    def digest(self, clip: str) -> tuple[str, int] | None:
        """SHA-256 and length of what lies there, read back; None where there is nothing."""
        ...

    def order(self, clip: str) -> bytes:
        """What was put beside a file; empty where there is nothing."""
        ...

    def piece(self, clip: str, start: int, most: int) -> tuple[int, bytes]:
        """The length of the whole, and so many bytes at most from there on."""
        ...

    def destroy(self, clip: str) -> None:
        """Every version of it; nothing of it is listed when this returns."""
        ...

    def clips(self) -> set[str]:
        """Of which clips there is anything."""
        ...


class CellLine(Protocol):
    """What a host's agent has of one of its own cells."""

    @property
    def run(self) -> str:
        """The life of the cell of which the last message was that `receive` gave."""
        ...

    def send(self, message: ToCell) -> None: ...

    async def receive(self) -> FromCell | None:
        """The next message; None when the cell has ended. Raises `ProtocolError`."""
        ...


class Journal(Protocol):
    """What a host has to tell about one camera. Every call may wait for the disk."""

    def add(self, run: str, number: int, token: int, data: bytes, importance: int, clock: str = "") -> None:
        """On disk when this returns; one that is there already is not added again. Raises `DeviceError`."""
        ...

    def confirm(self, run: str, number: int) -> None:
        """All of this run up to that number need not be told again."""
        ...


class CellDoors(Protocol):
    """The sockets by which cells are found again."""

    def make(self, run: str) -> tuple[socket.socket, DoorSettings] | None:
        """A door for a new life of a cell, and what the cell is told of it; None where none can be had. Waits for the disk."""
        ...

    def remove(self, run: str) -> None:
        """That life is over. Waits for the disk."""
        ...


class LeftCell(Protocol):
    """A cell that outlived the agent before, and waits to be told what to do."""

    camera: str
    run: str
    process: Started
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
