"""The way between a cell and the control room, whatever carries it."""

from __future__ import annotations

from typing import Protocol

from blickschutz.pipeline.messages import FromCell, ToCell
from blickschutz.wire.greeting import Greeting


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


class CellLine(Protocol):
    """What a host's agent has of one of its own cells."""

    def send(self, message: ToCell) -> None: ...

    async def receive(self) -> FromCell | None:
        """The next message; None when the cell has ended. Raises `ProtocolError`."""
        ...


class Journal(Protocol):
    """What a host has to tell about one camera. Every call may wait for the disk."""

    def add(self, run: str, number: int, token: int, data: bytes, importance: int) -> None:
        """On disk when this returns; one that is there already is not added again. Raises `DeviceError`."""
        ...

    def confirm(self, run: str, number: int) -> None:
        """All of this run up to that number need not be told again."""
        ...
