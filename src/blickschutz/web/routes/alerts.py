"""Alerts: the queue, the desk, an alert's page, decisions, and the stream of changes (Server-Sent Events)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from blickschutz.access.model import Permission
from blickschutz.access.rules import may
from blickschutz.alerts.model import Alert, AlertState, Outcome
from blickschutz.alerts.rules import OPEN
from blickschutz.kernel.situation import Kind, name
from blickschutz.web.allowed import allow, session_of
from blickschutz.web.numbers import Before, Number
from blickschutz.web.pages import Pages
from blickschutz.web.views import open_queue, views

_SEE_OTHER = 303
_BEAT_S = 15.0
_DAY_S = 24 * 3600.0
_TALLY_DAYS = 30
_PAGE = 100

Text = Annotated[str, Form(max_length=500)]


def routes(pages: Pages) -> APIRouter:
    """All about alerts."""
    router = APIRouter()
    desk = pages.room.alerts

    @router.get("/alerts", dependencies=[allow(Permission.ALERTS)])
    async def day(request: Request, camera: str = "", kind: str = "", state: str = "", date: str = "", before: Before = 0) -> Response:
        start = pages.day_start(date)
        end = start + timedelta(days=1)
        found = await asyncio.to_thread(
            desk.store.find,
            states=sorted(OPEN) if state == "open" else [AlertState.CLOSED] if state == "closed" else (),
            camera=camera if any(tile.camera.id == camera for tile in pages.tiles()) else "",
            kind=Kind(kind) if kind in set(Kind) else None,
            since=start.timestamp(),
            until=end.timestamp(),
            before=max(0, before),
            most=_PAGE + 1,
        )
        tally = await asyncio.to_thread(desk.store.tally, pages.room.regime.now().timestamp() - _TALLY_DAYS * _DAY_S)
        values: dict[str, Any] = {"tally": tally, "tally_days": _TALLY_DAYS, "tiles": pages.tiles(), "kinds": list(Kind)}
        shown = views(pages, request, found[:_PAGE])
        older = found[_PAGE - 1].id if len(found) > _PAGE else 0
        chosen = {"camera": camera, "kind": kind, "state": state, "date": f"{start:%Y-%m-%d}"}
        return pages.render(request, "alerts.html", theme="dark", chosen=chosen, alerts=shown, older=older, **values)

    @router.get("/alerts/queue", dependencies=[allow(Permission.ALERTS)])
    async def queue(request: Request) -> Response:
        return pages.render(request, "queue.html", theme="dark", **open_queue(pages, request))

    @router.get("/alerts/stream", dependencies=[allow(Permission.ALERTS)])
    async def stream(request: Request) -> Response:
        return StreamingResponse(_changes(pages, request), media_type="text/event-stream")

    @router.get("/alerts/{number}", dependencies=[allow(Permission.ALERTS)])
    async def alert(request: Request, number: Number) -> Response:
        found = require(pages, number)
        desk.seen(number, pages.person(request))
        return page(pages, request, found)

    @router.get("/alerts/{number}/clip.mp4", dependencies=[allow(Permission.ALERTS)])
    async def clip(number: Number) -> Response:
        data = desk.store.clip(require(pages, number).id)
        if data is None:
            raise HTTPException(404)
        return Response(data, media_type="video/mp4")

    return router


def require(pages: Pages, number: int) -> Alert:
    """The alert with that number; where there is none the answer is the page for what is not found."""
    alert = pages.room.alerts.store.get(number)
    if alert is None:
        raise HTTPException(404)
    return alert


def page(pages: Pages, request: Request, found: Alert, problem: str = "") -> Response:
    """The page of an alert; with a `problem` it says what was wrong with a decision."""
    others = [tile for tile in pages.tiles() if tile.camera.id != found.camera]
    return pages.render(
        request,
        "alert.html",
        status=409 if problem == "late" else 422 if problem else 200,
        theme="dark",
        alert=views(pages, request, [found])[0],
        history=pages.room.alerts.store.history(found.id),
        others=others,
        outcomes=list(Outcome),
        problem=problem,
    )


async def _changes(pages: Pages, request: Request) -> AsyncIterator[str]:
    """One event for each new or changed alert; a comment every 15 s keeps the line alive and finds dead ones."""
    loop, changed = asyncio.get_running_loop(), asyncio.Queue[Alert]()

    def put(alert: Alert) -> None:
        loop.call_soon_threadsafe(changed.put_nowait, alert)

    access, token = pages.room.office.access, session_of(request)
    end = pages.room.alerts.listen(put)
    language = pages.language(request)
    try:
        yield "retry: 2000\n\n"
        while not await request.is_disconnected():
            if not may(access.who(token, touch=False)[0], Permission.ALERTS):
                return
            try:
                async with asyncio.timeout(_BEAT_S):
                    alert = await changed.get()
            except TimeoutError:
                yield ": \n\n"
                continue
            data = {
                "id": alert.id,
                "state": alert.state.value,
                "name": name(alert.kind, language),
                "camera": pages.camera_name(alert.camera),
                "taken": alert.taken,
                "clip": alert.has_clip,
            }
            yield f"event: alert\ndata: {json.dumps(data)}\n\n"
    finally:
        end()
