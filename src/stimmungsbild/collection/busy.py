"""While the server is behind, who sends a form has it back at once: whole, with the words to send it again in a minute.

Making the next page, or sealing an answer, would cost what is lacking. So what was sent is not even read: it comes back as one hidden
field of a page that is ready, and is read when it is sent again.
"""

from __future__ import annotations

import asyncio
import html
from urllib.parse import parse_qs

from starlette.requests import Request

# The hidden field that carries a form which was not read.
FIELD = "form"
LARGEST_FORM = 512 * 1024
# How many times as long a form may be as a field, where each sign of it that is not plain is written as three.
_GROWN = 2
# How often it is looked whether the server is behind, and from when on it is, in seconds.
_BEAT_S, LATE_S = 0.1, 1.0
# Where a ready page takes what was sent.
SLOT = "slot-for-what-was-sent"
_PREFIX = f"{FIELD}=".encode()


class TooLargeError(Exception):
    """More was sent than any form holds."""


class UnreadableError(Exception):
    """What was sent is no text, or no form that was given back."""


async def sent_form(request: Request) -> str:
    """What was sent, taken out of the field in which it was given back. Raises `TooLargeError`, `UnreadableError`."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM * (_GROWN if body.startswith(_PREFIX) else 1):
            raise TooLargeError
    try:
        text = body.decode()
        if not body.startswith(_PREFIX):
            return text
        text = parse_qs(text, max_num_fields=1, errors="strict", keep_blank_values=True)[FIELD][0]
    except ValueError as error:
        raise UnreadableError from error
    if len(text) > LARGEST_FORM:
        raise TooLargeError
    return text


def filled(page: str, sent: str) -> str:
    """A ready page with what was sent."""
    return page.replace(SLOT, html.escape(sent))


class Lateness:
    """Whether what is due now has to wait, since this turn of the loop has taken so long already.

    The first forms of each turn are taken, whatever the one before took: a server that only sent forms back would never catch up.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due = 0.0

    def behind(self) -> bool:
        """Asked by each form; the first one of a loop has it watched from then on."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop = loop
            self._beat(loop)
        return loop.time() - self._due > LATE_S

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = loop.time() + _BEAT_S
        loop.call_at(self._due, self._beat, loop)
