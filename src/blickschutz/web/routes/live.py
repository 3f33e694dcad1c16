"""Live video and state of one camera by WebSocket: JSON text for state and head, binary for video."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable
from functools import partial

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from blickschutz.access.model import Permission
from blickschutz.access.rules import may
from blickschutz.wall.model import StreamInit
from blickschutz.wall.service import Viewer
from blickschutz.web.allowed import allow
from blickschutz.web.lanes import Lane
from blickschutz.web.pages import Pages, TileView
from blickschutz.web.routes.wall import find
from blickschutz.web.sessions import session_of
from blickschutz.web.streams import Kind, most_pictures
from blickschutz.web.texts import CAUSE_WORDS, TOO_MANY_STREAMS, UNRECORDABLE, Translate, translator

_STATE_EVERY_S = 0.5
_LOOK_EVERY_S = 2.0
_END_S = 2.0
# RFC 6455, registry of close codes.
_TRY_AGAIN_LATER = 1013


def routes(pages: Pages) -> APIRouter:
    """The live stream of each camera."""
    router = pages.router()

    @router.websocket("/cameras/{camera}/live", dependencies=[allow(Permission.WALL)])
    async def live(socket: WebSocket, camera: str) -> None:
        tile = find(pages, camera)
        if tile is None:
            await socket.close(1008)
            return
        await socket.accept()
        with pages.streams.held(session_of(socket), Kind.PICTURES, most_pictures(len(pages.site.cameras))) as there:
            if there:
                await _show(socket, pages, tile)
            else:
                await _too_many(socket, tile, translator(pages.language(socket)))

    return router


async def _show(socket: WebSocket, pages: Pages, tile: TileView) -> None:
    viewer = tile.control.stream.join()
    out = _Out(socket)
    states = partial(_send_states, out, tile, translator(pages.language(socket)))
    works = (partial(_send_video, out, viewer), states, partial(_until_gone, socket), partial(_while_allowed, socket, pages))
    # When one of them ends, for whatever reason, the viewer is let go, and comes again.
    parts = [pages.guard.once_task("live", work) for work in works]
    try:
        await asyncio.wait([part.task for part in parts], return_when=asyncio.FIRST_COMPLETED)
    finally:
        tile.control.stream.leave(viewer)
        for part in parts:
            part.end()
        for part in parts:
            await part.finished(_END_S)
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await socket.close()


async def _too_many(socket: WebSocket, tile: TileView, translate: Translate) -> None:
    """The tile says why it has no picture; it comes again, as after every end."""
    sentence, out = translate(TOO_MANY_STREAMS), _Out(socket)
    await out.text(kind="state", state=tile.control.state.value, detail=sentence, note="", recording="")
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.close(_TRY_AGAIN_LATER, sentence)


class _Out:
    """What goes to the viewer. One who goes away in the middle of a picture is the normal end of a live stream."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self.gone = False

    async def text(self, **values: str) -> None:
        await self._sent(self._socket.send_text(json.dumps(values)))

    async def data(self, data: bytes) -> None:
        await self._sent(self._socket.send_bytes(data))

    async def _sent(self, sending: Awaitable[None]) -> None:
        try:
            await sending
        except (WebSocketDisconnect, RuntimeError):
            self.gone = True


async def _send_video(out: _Out, viewer: Viewer) -> None:
    while not out.gone:
        part = await viewer.next()
        if isinstance(part, StreamInit):
            await out.text(kind="head", codec=part.codec)
        await out.data(part.data)


async def _send_states(out: _Out, tile: TileView, translate: Translate) -> None:
    """Send the state when it changes."""
    told = ("", "", "", "")
    while not out.gone:
        health = tile.control.health
        note = translate(UNRECORDABLE) if tile.control.unrecordable else ""
        recording = health.recording if health is not None else ""
        now = (tile.control.state.value, translate(CAUSE_WORDS[tile.control.cause]), note, recording)
        if now != told:
            await out.text(kind="state", state=now[0], detail=now[1], note=note, recording=recording)
            told = now
        await asyncio.sleep(_STATE_EVERY_S)


async def _while_allowed(socket: WebSocket, pages: Pages) -> None:
    """Ends when the session has ended, or its person may no longer see the wall. Watching does not keep a session alive."""
    token = session_of(socket)
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        member, _ = await pages.lanes.run(Lane.READ, lambda: pages.room.office.access.who(token, touch=False))
        if not may(member, Permission.WALL):
            return


async def _until_gone(socket: WebSocket) -> None:
    """A viewer has nothing to say; whatever it sends is ignored until it goes."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
