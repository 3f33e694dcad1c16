"""How much of a request is taken before anybody knows who asks: bytes, kinds and time (OWASP ASVS 5, 15.2.2)."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# The longest form of these pages is a few kilobytes of text; nothing is uploaded.
MOST_BYTES = 128 * 1024
BODY_S = 15.0
_DIGITS = 12
# What is sent with these is never read.
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
_TEXTS = {
    408: "The request came too slowly.",
    413: "The request is too large.",
    415: "Files are not taken here.",
}


class BodyLimit:
    """ASGI middleware. No more than `most` bytes of a body are taken, none of a kind that spools to disk, all within `within_s`.

    A body is read here, before anything else sees the request: what is refused costs no work, and leaves nothing behind.
    """

    def __init__(self, app: ASGIApp, most: int = MOST_BYTES, within_s: float = BODY_S) -> None:
        self._app, self._most, self._within_s = app, most, within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._declared(Headers(scope=scope))
        if not refusal and scope["method"] not in _WITHOUT_BODY:
            try:
                async with asyncio.timeout(self._within_s):
                    body = await self._body(receive)
            except TimeoutError:
                refusal = 408
            else:
                if body is None:
                    return
                refusal, receive = (413, receive) if len(body) > self._most else (0, _again(body, receive))
        if refusal:
            await _answer(refusal)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _declared(self, headers: Headers) -> int:
        """The refusal that the headers already call for, as a status; 0 without one."""
        if headers.get("content-type", "").strip().lower().startswith("multipart/"):
            return 415
        length = headers.get("content-length", "0")
        # Of all that counts as a digit somewhere, only those of ASCII are a number here.
        counts = length.isascii() and length.isdigit() and len(length) <= _DIGITS
        return 0 if counts and int(length) <= self._most else 413

    async def _body(self, receive: Receive) -> bytes | None:
        """The body, cut off soon after the most that is taken; None where whoever sent it went away."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None
            body += message.get("body", b"")
            if len(body) > self._most or not message.get("more_body", False):
                return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """A way to receive on which the body comes first, as it came, and whatever else comes after it."""
    first = [body]

    async def received() -> MutableMapping[str, Any]:
        if first:
            return {"type": "http.request", "body": first.pop(), "more_body": False}
        return await receive()

    return received


def _answer(status: int) -> PlainTextResponse:
    return PlainTextResponse(_TEXTS[status], status_code=status, headers={"Connection": "close"})
