"""Reads one document of one site: one connection, one request, one answer, by TLS with that site's authority and no other."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import h11

from blickschutz.kernel.errors import SettingsError
from blickschutz.overview.model import Fault, ReadError
from blickschutz.overview.rules import MOST_BYTES

PATH: Final = "/api/v1/overview"
_CHUNK, _MOST_HEAD = 16 * 1024, 16 * 1024
_REFUSED: Final = {401: Fault.REFUSED, 403: Fault.REFUSED, 409: Fault.REFUSED, 429: Fault.TOO_OFTEN}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a site is asked, and with what."""

    host: str
    port: int
    token: str = field(repr=False)
    context: ssl.SSLContext = field(repr=False)
    within_s: float = 8.0


def trusting(authority: Path) -> ssl.SSLContext:
    """TLS as the pages speak it, to whoever that authority (PEM) vouches for, and to nobody else. Raises `SettingsError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_verify_locations(cafile=str(authority))
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"{authority} is no certificate of an authority: {error.strerror or error}") from error
    return context


async def fetch(place: Place) -> bytes:
    """What the site answers, at most `MOST_BYTES`, in `within_s` in all. Raises `ReadError`; what was sent is in none of them."""
    try:
        async with asyncio.timeout(place.within_s):
            return await _asked(place)
    except TimeoutError:
        raise ReadError(Fault.SLOW) from None
    except ssl.SSLError:
        raise ReadError(Fault.CERTIFICATE) from None
    except (OSError, asyncio.IncompleteReadError):
        raise ReadError(Fault.AWAY) from None
    except h11.RemoteProtocolError:
        raise ReadError(Fault.ANSWER) from None


async def _asked(place: Place) -> bytes:
    reader, writer = await asyncio.open_connection(place.host, place.port, ssl=place.context, server_hostname=place.host, limit=_CHUNK)
    try:
        talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD)
        host = f"[{place.host}]" if ":" in place.host else place.host
        headers = [
            ("Host", f"{host}:{place.port}"),
            ("Authorization", f"Bearer {place.token}"),
            ("Accept", "application/json"),
            ("Connection", "close"),
        ]
        writer.write((talk.send(h11.Request(method="GET", target=PATH, headers=headers)) or b"") + (talk.send(h11.EndOfMessage()) or b""))
        await writer.drain()
        return await _answer(reader, talk)
    finally:
        writer.transport.abort()  # whoever does not say good-bye keeps nobody waiting
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader, talk: h11.Connection) -> bytes:
    body = bytearray()
    while True:
        event = talk.next_event()
        if event is h11.NEED_DATA:
            talk.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Response):
            _require_document(event)
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MOST_BYTES:
                raise ReadError(Fault.SIZE)
        elif isinstance(event, h11.EndOfMessage):
            return bytes(body)
        elif isinstance(event, h11.ConnectionClosed):
            raise ReadError(Fault.ANSWER)


def _require_document(answer: h11.Response) -> None:
    """Nothing but the document: a redirect leads to no other host, a page is no document."""
    if answer.status_code != 200:
        raise ReadError(_REFUSED.get(answer.status_code, Fault.ANSWER))
    fields = {name.lower(): value for name, value in answer.headers}
    kind = fields.get(b"content-type", b"").split(b";")[0].strip().lower()
    if kind != b"application/json" or b"content-encoding" in fields:
        raise ReadError(Fault.ANSWER)
    length = fields.get(b"content-length", b"0")
    if not length.isdigit() or int(length[:12]) > MOST_BYTES:
        raise ReadError(Fault.SIZE)
