"""How much of a request is taken before anybody knows who asks: bytes, kinds and time (OWASP ASVS 5, 15.2.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# The longest form of these pages is a few kilobytes of text.
MOST_BYTES = 128 * 1024
BODY_S = 15.0
# A document that somebody hands in who is signed in. What is too large is read to its end and thrown away, so that the browser shows
# why, instead of a connection that was cut; up to this.
MOST_UPLOAD, MOST_READ, UPLOAD_S = 32 * 1024 * 1024, 256 * 1024 * 1024, 180.0
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

    A body is read here, before anything else sees the request: what is refused costs no work, and leaves nothing behind. Only at the
    paths `uploads` files are taken: their route asks first who it is, and then reads the body itself, bounded here.
    """

    def __init__(
        self,
        app: ASGIApp,
        most: int = MOST_BYTES,
        within_s: float = BODY_S,
        uploads: Collection[str] = (),
        upload_s: float = UPLOAD_S,
        most_read: int = MOST_READ,
    ) -> None:
        self._app, self._most, self._within_s = app, most, within_s
        self._uploads, self._upload_s, self._most_read = frozenset(uploads), upload_s, most_read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "POST" and scope["path"] in self._uploads and is_upload(Headers(scope=scope)):
            await self._app(scope, _bounded(receive, self._most_read, self._upload_s), send)
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
        if is_upload(headers):
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


def is_upload(headers: Headers) -> bool:
    """Whether a request says that it brings files."""
    return headers.get("content-type", "").strip().lower().startswith("multipart/")


def _bounded(receive: Receive, most: int, within_s: float) -> Receive:
    """A way to receive that ends, as if whoever sends had gone away, after `most` bytes or `within_s` seconds."""
    loop = asyncio.get_running_loop()
    until, taken = loop.time() + within_s, 0

    async def received() -> MutableMapping[str, Any]:
        nonlocal taken
        if taken > most:
            return {"type": "http.disconnect"}
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            return {"type": "http.disconnect"}
        taken += len(message.get("body", b""))
        return message

    return received


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
