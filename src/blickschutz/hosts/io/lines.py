"""Both ends of a pair of local sockets as links: the embedded default, and what a host's agent has of its own cells."""

from __future__ import annotations

import asyncio

from blickschutz.pipeline.channel import read_from_cell
from blickschutz.pipeline.messages import FromCell, ToCell
from blickschutz.wire.frames import pack
from blickschutz.wire.greeting import Greeting


class SocketLink:
    """See `Link` and `CellLine`; both have greeted already."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, theirs: Greeting) -> None:
        self._reader, self._writer, self.theirs = reader, writer, theirs
        self._over = False

    @property
    def run(self) -> str:
        return self.theirs.run

    @property
    def is_open(self) -> bool:
        return not (self._over or self._writer.is_closing())

    def send(self, message: ToCell) -> None:
        if self.is_open:
            self._writer.write(pack(message))

    async def receive(self) -> FromCell | None:
        message = await read_from_cell(self._reader)
        self._over = message is None
        return message

    async def close(self) -> None:
        self._over = True
        self._writer.close()
