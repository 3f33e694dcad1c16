"""How much of a request is taken before anybody knows who asks: bytes, kinds and time (OWASP ASVS 5, 15.2.2)."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The longest form of these pages is a few kilobytes of text; nothing is uploaded.
MOST_BYTES = 128 * 1024
BODY_S = 15.0
_DIGITS = 12
_TEXTS = {
    408: "The request came too slowly.",
    413: "The request is too large.",
    415: "Files are not taken here.",
}


class BodyLimit:
    """ASGI middleware. No more than `most` bytes of a body are taken, none of a kind that spools to disk, all within `within_s`."""

    def __init__(self, app: ASGIApp, most: int = MOST_BYTES, within_s: float = BODY_S) -> None:
        self._app, self._most, self._within_s = app, most, within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._declared(Headers(scope=scope))
        if refusal:
            await _answer(refusal)(scope, receive, send)
            return
        request = _Request(self._most, self._within_s, receive, send)
        try:
            await self._app(scope, request.receive, request.send)
        except _RefusedError:
            # Whoever parses a body may also have made another error of it; both end in the same answer.
            if request.started:
                raise
        if request.refusal and not request.started:
            await _answer(request.refusal)(scope, receive, send)

    def _declared(self, headers: Headers) -> int:
        """The refusal that the headers already call for, as a status; 0 without one."""
        if headers.get("content-type", "").strip().lower().startswith("multipart/"):
            return 415
        length = headers.get("content-length", "0")
        # Of all that counts as a digit somewhere, only those of ASCII are a number here.
        counts = length.isascii() and length.isdigit() and len(length) <= _DIGITS
        return 0 if counts and int(length) <= self._most else 413


class _RefusedError(Exception):
    """No more of this request is read."""


class _Request:
    """One request on its way in, and its answer on the way out."""

    def __init__(self, most: int, within_s: float, receive: Receive, send: Send) -> None:
        self._left, self._receive, self._send = most, receive, send
        self._until = asyncio.get_running_loop().time() + within_s
        self._whole = False
        self.refusal = 0
        self.started = False

    async def receive(self) -> MutableMapping[str, Any]:
        if self.refusal:
            raise _RefusedError
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            self.refusal = 408
            raise _RefusedError from None
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            if self._left < 0:
                self.refusal = 413
                raise _RefusedError
        return message

    async def send(self, message: Message) -> None:
        """Passed on, but for an answer that somebody made of our refusal."""
        if self.refusal and not self.started:
            return
        self.started = True
        await self._send(message)


def _answer(status: int) -> PlainTextResponse:
    return PlainTextResponse(_TEXTS[status], status_code=status, headers={"Connection": "close"})
