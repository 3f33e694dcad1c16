"""The room's end of the channel to the control room."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import msgspec

from blickschutz.kernel.errors import ProtocolError
from blickschutz.reviewroom.messages import Answer, FromRoom, ToRoom
from blickschutz.wire.frames import pack, read

_decoder: msgspec.msgpack.Decoder[ToRoom] = msgspec.msgpack.Decoder(ToRoom)
_ANSWER_S = 20.0


class Link:
    """Sends, and asks for answers. `on_message` hears everything that is no answer, None at the end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, on_message: Callable[[ToRoom | None], None]) -> None:
        self._reader, self._writer, self._on_message = reader, writer, on_message
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Answer]] = {}

    def send(self, message: FromRoom) -> None:
        if not self._writer.is_closing():
            self._writer.write(pack(message))

    async def ask(self, make: Callable[[int], Any]) -> Answer:
        """Send the message that `make` builds for a number and wait for its answer. Raises `ProtocolError`."""
        number = next(self._numbers)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        try:
            self.send(make(number))
            async with asyncio.timeout(_ANSWER_S):
                return await answer
        except TimeoutError as error:
            raise ProtocolError("the control room does not answer") from error
        finally:
            self._asked.pop(number, None)

    async def listen(self) -> None:
        """Hear messages until the control room is gone."""
        while (message := await read(self._reader, _decoder)) is not None:
            if isinstance(message, Answer):
                waiting = self._asked.get(message.number)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
            else:
                self._on_message(message)
        self._on_message(None)

    async def drain(self) -> None:
        await self._writer.drain()
