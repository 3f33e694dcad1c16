"""The bar and the banners of every page, and the stream that says when they are other ones (Server-Sent Events)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from blickschutz.access.model import Permission
from blickschutz.access.rules import may
from blickschutz.alerts.model import Alert
from blickschutz.situations.kinds import name
from blickschutz.web import texts
from blickschutz.web.allowed import allow
from blickschutz.web.lanes import Lane
from blickschutz.web.pages import Pages
from blickschutz.web.routes.sign_in import local
from blickschutz.web.sessions import session_of
from blickschutz.web.streams import ChangesResponse

_BEAT_S = 15.0
# How soon somebody hears of what nobody tells: cameras stopped, deadlines suspended, the regime. In memory all of them.
_LOOK_S = 0.25
_WHO_S = 2.0
# What nobody tells and is not in memory (accounts, requests) is asked anew once a minute.
_AGAIN_S = 60.0

_State = tuple[object, ...]


def routes(pages: Pages) -> APIRouter:
    """The bar by itself."""
    router = pages.router()

    @router.get("/bar", dependencies=[allow(Permission.OWN, touch=False)])
    def bar(request: Request, path: Annotated[str, Query(max_length=200)] = "/") -> Response:
        return pages.render(request, "live.html", path=local(path))

    @router.get("/bar/stream", dependencies=[allow(Permission.OWN, touch=False)])
    async def stream(request: Request) -> Response:
        return stream_of(pages, request, Permission.OWN)

    return router


def stream_of(pages: Pages, request: Request, needed: Permission) -> Response:
    """The stream of `changes`; one more than a session may have open is refused in words."""
    sentence = texts.translator(pages.language(request))(texts.TOO_MANY_STREAMS)
    return ChangesResponse(pages.streams, session_of(request), lambda: changes(pages, request, needed), sentence)


class Changes:
    """What a reader of the stream has not been told yet: of each alert only the newest, so that a storm stays as long as its alerts."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._newest, self._some = loop, dict[int, Alert](), asyncio.Event()

    def put(self, alert: Alert) -> None:
        """Called in any thread."""
        self._loop.call_soon_threadsafe(self._put, alert)

    def _put(self, alert: Alert) -> None:
        self._newest[alert.id] = alert
        self._some.set()

    async def next(self) -> Alert:
        await self._some.wait()
        alert = self._newest.pop(next(iter(self._newest)))
        if not self._newest:
            self._some.clear()
        return alert


async def changes(pages: Pages, request: Request, needed: Permission) -> AsyncIterator[str]:
    """`bar` whenever the bar is another one; for who may see alerts, `alert` for each that is new or changed.

    Ends when the session has ended or its person may no longer do what is `needed`. A comment every 15 s finds dead lines.
    """
    changed = Changes(asyncio.get_running_loop())
    access, token, clock = pages.room.office.access, session_of(request), asyncio.get_running_loop().time
    end = pages.room.alerts.listen(changed.put)
    told: _State = ()
    asked = spoken = renewed = -_AGAIN_S
    try:
        yield "retry: 2000\n\n"
        while not await request.is_disconnected():
            if clock() - asked >= _WHO_S:
                member, _ = await pages.lanes.run(Lane.READ, lambda: access.who(token, touch=False))
                asked = clock()
                if not may(member, needed):
                    return
            try:
                async with asyncio.timeout(_LOOK_S):
                    alert = await changed.next()
            except TimeoutError:
                alert = None
            state = await pages.lanes.run(Lane.READ, partial(_state, pages))
            if alert is not None and may(member, Permission.ALERTS):
                said = await pages.lanes.run(Lane.READ, partial(_said, pages, request, alert))
                yield f"event: alert\ndata: {json.dumps(said)}\n\n"
            if alert is not None or state != told or clock() - renewed >= _AGAIN_S:
                yield "event: bar\ndata: {}\n\n"
                told, spoken, renewed = state, clock(), clock()
            elif clock() - spoken >= _BEAT_S:
                yield ": \n\n"
                spoken = clock()
    finally:
        end()


def _state(pages: Pages) -> _State:
    """What the bar shows beside the number of alerts."""
    room = pages.room
    regime = room.regime.current()
    return pages.all_stopped(), room.clock.suspended, regime.name, regime.until, room.recordings.safety.on


def _said(pages: Pages, request: Request, alert: Alert) -> dict[str, object]:
    language = pages.language(request)
    return {
        "id": alert.id,
        "state": alert.state.value,
        "name": name(alert.kind, language),
        "camera": pages.camera_name(alert.camera),
        "taken": alert.taken,
        "clip": alert.has_clip,
        "priority": pages.room.alerts.priorities.of(alert.kind, alert.zone).value,
    }
