"""The process of a review room or key desk: started by the control room for one case or one person, ends with it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from pathlib import Path

import msgspec
import structlog
import uvicorn
from fastapi import FastAPI

from blickschutz.evidence.io.package import own_folder
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import ProtocolError
from blickschutz.pipeline.logs import configure_logs
from blickschutz.reviewroom.keydesk import KeyDesk, make_key_app
from blickschutz.reviewroom.link import Link
from blickschutz.reviewroom.messages import (
    Admit,
    CloseRoom,
    Expel,
    OpenKeyDesk,
    OpenRoom,
    Ready,
    RoomEmpty,
    RoomSettings,
    Suspended,
    ToRoom,
)
from blickschutz.reviewroom.pages import make_room_app
from blickschutz.reviewroom.release import Release
from blickschutz.reviewroom.room import Room
from blickschutz.web.connections import LimitedHttp
from blickschutz.web.door import Door
from blickschutz.web.tls import require_modern
from blickschutz.wire.frames import read
from blickschutz.zones import profiles
from blickschutz.zones.hardening import confine, harden

_log = structlog.get_logger(__name__)
IDLE_S = 15 * 60.0
EMPTY_S = 5 * 60.0
_LOOK_S = 1.0
_GRACE_S = 2


def run_room(connection: socket.socket) -> None:
    """Entry point of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_logs()
    harden()
    with contextlib.suppress(ProtocolError):
        asyncio.run(_run(connection))


async def _run(connection: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=connection, limit=2**20)
    first = await read(reader, msgspec.msgpack.Decoder(ToRoom))
    if not isinstance(first, OpenRoom | OpenKeyDesk):
        return
    listener = _listener(first.settings.host, first.settings.port)
    settings = msgspec.structs.replace(first.settings, port=listener.getsockname()[1])
    memory = _confine(first, settings)
    ended = asyncio.Event()
    room: Room | None = None

    def hear(message: ToRoom | None) -> None:
        if isinstance(message, Admit) and room is not None:
            room.admit(message.ticket, message.guest)
        elif isinstance(message, Suspended) and room is not None:
            room.suspend(message.why)
        elif isinstance(message, Expel):
            if room is not None:
                room.expel(message.person)
            elif isinstance(first, OpenKeyDesk) and first.person == message.person:
                ended.set()
        elif message is None or isinstance(message, CloseRoom):
            ended.set()

    link = Link(reader, writer, hear)
    guard = Guard(SystemClock())
    if isinstance(first, OpenRoom):
        room = Room(settings, link, guard)
        app = make_room_app(room, Release(room, memory))
    else:
        app = make_key_app(settings, KeyDesk(first, link), first.ticket)
    server = uvicorn.Server(_config(app, settings))
    # Whatever ends one of them, an error too, ends the room: nobody sits in a room that is not watched.
    parts = [
        guard.once_task("listening", link.listen),
        guard.once_task("watching", lambda: _watch(room, link, ended)),
        guard.once_task("serving", lambda: server.serve(sockets=[listener]), stop=lambda: _stop(server)),
    ]
    link.send(Ready(port=settings.port))
    await asyncio.wait([part.task for part in parts], return_when=asyncio.FIRST_COMPLETED)
    if room is not None:
        room.close_clip()
        link.send(RoomEmpty())
        with contextlib.suppress(ConnectionError):
            await link.drain()
    await guard.finish(_GRACE_S + 1)
    writer.close()


def _confine(first: OpenRoom | OpenKeyDesk, settings: RoomSettings) -> Path | None:
    """From here on this process opens what is on its list, and nothing else. Returns its own folder in memory, for a room.

    What it listens on is open already, so it opens no socket any more.
    """
    certificate = [Path(name) for name in (settings.certificate, settings.certificate_key) if name]
    if isinstance(first, OpenKeyDesk):
        confine(profiles.key_desk(certificate=certificate))
        return None
    exports, memory = Path(settings.exports), own_folder()
    exports.mkdir(parents=True, exist_ok=True, mode=0o700)
    confine(profiles.review_room(clip=Path(settings.path), exports=exports, memory=memory, certificate=certificate))
    return memory


def _stop(server: uvicorn.Server) -> None:
    server.should_exit = True


def _config(app: FastAPI, settings: RoomSettings) -> uvicorn.Config:
    """Like the control room's own: with its certificate, where it has one."""
    config = uvicorn.Config(
        app,
        http=LimitedHttp,
        ws="none",
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    if settings.certificate:
        config.ssl_certfile, config.ssl_keyfile = settings.certificate, settings.certificate_key
        config.load()
        require_modern(config)
    return config


def _listener(host: str, port: int) -> socket.socket:
    """A socket on the server's own address; any free port for 0."""
    host = "127.0.0.1" if host == "localhost" else host
    listener = Door(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.bind((host, 0))
    # At once: who comes before the pages are there waits instead of being refused.
    listener.listen(16)
    return listener


async def _watch(room: Room | None, link: Link, ended: asyncio.Event) -> None:
    """Ends when told to, when nobody is in the room for a while, or when nobody does anything."""
    empty_since = time.monotonic()
    while not ended.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                await ended.wait()
        now = time.monotonic()
        if room is None:
            if now - empty_since > IDLE_S:
                return
            continue
        room.is_unmasked()
        for seat in list(room.seats.values()):
            if now - seat.seen > IDLE_S:
                room.leave(seat)
        if room.seats:
            empty_since = now
        elif now - empty_since > EMPTY_S:
            return
