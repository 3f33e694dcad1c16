"""What a cell was asked for and has not answered yet."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

from blickschutz.pipeline.messages import ToCell


class Questions:
    """Of one kind, by their numbers. In the event loop."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[bytes]] = {}

    async def ask(self, question: Callable[[int], ToCell | None], say: Callable[[ToCell], None], wait_s: float) -> bytes:
        """The cell's answer; empty where none comes in time, and where the question cannot be said to it."""
        number = next(self._numbers)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            asked = question(number)
            if asked is None:
                return b""
            say(asked)
            async with asyncio.timeout(wait_s):
                return await answer
        except TimeoutError:
            return b""
        finally:
            self._waiting.pop(number, None)

    def answered(self, number: int, data: bytes) -> None:
        """Hand an answer to whoever asked, where they still wait for it."""
        asked = self._waiting.get(number)
        if asked is not None and not asked.done():
            asked.set_result(data)
