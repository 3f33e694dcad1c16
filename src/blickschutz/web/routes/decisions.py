"""Decisions on an alert, each a plain form: acknowledge, note what was done, close, order a recording."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Permission
from blickschutz.alerts.model import Outcome
from blickschutz.web.allowed import allow
from blickschutz.web.numbers import Number
from blickschutz.web.pages import Pages
from blickschutz.web.routes.alerts import page, require
from blickschutz.web.views import by_whom, enter

_SEE_OTHER = 303

Text = Annotated[str, Form(max_length=500)]


def routes(pages: Pages) -> APIRouter:
    """What staff decide."""
    router = APIRouter()
    desk = pages.room.alerts

    @router.post("/alerts/{number}/acknowledge", dependencies=[allow(Permission.DECIDE)])
    async def acknowledge(request: Request, number: Number, back: Annotated[str, Form(max_length=10)] = "") -> Response:
        await require(pages, number)
        if not await asyncio.to_thread(desk.acknowledge, number, by_whom(request)):
            return await page(pages, request, await require(pages, number), "late")
        await enter(pages)
        return RedirectResponse("/wall" if back == "wall" else f"/alerts/{number}", _SEE_OTHER)

    @router.post("/alerts/{number}/act", dependencies=[allow(Permission.DECIDE)])
    async def act(request: Request, number: Number, text: Text = "") -> Response:
        found = await require(pages, number)
        if not text.strip():
            return await page(pages, request, found, "text")
        if not await asyncio.to_thread(desk.act, number, by_whom(request), text.strip()):
            return await page(pages, request, await require(pages, number), "late")
        await enter(pages)
        return RedirectResponse(f"/alerts/{number}", _SEE_OTHER)

    @router.post("/alerts/{number}/close", dependencies=[allow(Permission.DECIDE)])
    async def close(request: Request, number: Number, outcome: Annotated[str, Form(max_length=20)] = "", text: Text = "") -> Response:
        found = await require(pages, number)
        if outcome not in set(Outcome):
            return await page(pages, request, found, "outcome")
        if not await asyncio.to_thread(desk.close, number, by_whom(request), Outcome(outcome), text.strip()):
            return await page(pages, request, await require(pages, number), "late")
        await enter(pages)
        return RedirectResponse("/alerts", _SEE_OTHER)

    @router.post("/alerts/{number}/record", dependencies=[allow(Permission.RECORD)])
    async def record(request: Request, number: Number, text: Text = "") -> Response:
        found = await require(pages, number)
        if not text.strip():
            return await page(pages, request, found, "reason")
        by = by_whom(request)
        # Who ordered it and why is on disk before the order is given.
        await asyncio.to_thread(desk.order_recording, number, by, text.strip())
        problem = await asyncio.to_thread(pages.room.recordings.record, found.camera, by.member, text.strip(), number)
        if problem:
            await asyncio.to_thread(desk.unrecorded, number, problem)
        await enter(pages)
        if problem:
            return await page(pages, request, await require(pages, number), problem)
        return RedirectResponse(f"/alerts/{number}", _SEE_OTHER)

    return router
