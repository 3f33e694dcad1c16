"""Live video and state of one camera by WebSocket: JSON text for state and head, binary for video."""

from __future__ import annotations

import asyncio
import contextlib
import json

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from blickschutz.access.model import Permission
from blickschutz.access.rules import may
from blickschutz.wall.model import StreamInit
from blickschutz.wall.service import Viewer
from blickschutz.web.allowed import allow, session_of
from blickschutz.web.pages import Pages, TileView
from blickschutz.web.routes.wall import find
from blickschutz.web.texts import CAUSE_WORDS, Translate, translator

_STATE_EVERY_S = 0.5
_LOOK_EVERY_S = 2.0


def routes(pages: Pages) -> APIRouter:
    """The live stream of each camera."""
    router = APIRouter()

    @router.websocket("/cameras/{camera}/live", dependencies=[allow(Permission.WALL)])
    async def live(socket: WebSocket, camera: str) -> None:
        tile = find(pages, camera)
        if tile is None:
            await socket.close(1008)
            return
        await socket.accept()
        viewer = tile.control.stream.join()
        parts = [
            asyncio.create_task(_send_video(socket, viewer)),
            asyncio.create_task(_send_states(socket, tile, translator(pages.language(socket)))),
            asyncio.create_task(_until_gone(socket)),
            asyncio.create_task(_while_allowed(socket, pages)),
        ]
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            tile.control.stream.leave(viewer)
            for part in parts:
                part.cancel()
            # A viewer that goes away in the middle of a picture is the normal end of a live stream.
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await asyncio.gather(*parts, return_exceptions=True)
                await socket.close()

    return router


async def _send_video(socket: WebSocket, viewer: Viewer) -> None:
    while True:
        part = await viewer.next()
        if isinstance(part, StreamInit):
            await socket.send_text(json.dumps({"kind": "head", "codec": part.codec}))
        await socket.send_bytes(part.data)


async def _send_states(socket: WebSocket, tile: TileView, translate: Translate) -> None:
    """Send the state when it changes."""
    told = ("", "")
    while True:
        now = (tile.state, translate(CAUSE_WORDS[tile.control.cause]))
        if now != told:
            await socket.send_text(json.dumps({"kind": "state", "state": now[0], "detail": now[1]}))
            told = now
        await asyncio.sleep(_STATE_EVERY_S)


async def _while_allowed(socket: WebSocket, pages: Pages) -> None:
    """Ends when the session has ended, or its person may no longer see the wall. Watching does not keep a session alive."""
    token = session_of(socket)
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        member, _ = pages.room.office.access.who(token, touch=False)
        if not may(member, Permission.WALL):
            return


async def _until_gone(socket: WebSocket) -> None:
    """A viewer has nothing to say; whatever it sends is ignored until it goes."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
