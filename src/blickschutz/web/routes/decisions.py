"""Decisions on an alert, each a plain form: acknowledge, note what was done, close, order a recording."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Permission
from blickschutz.alerts.model import Outcome
from blickschutz.audit.model import Event
from blickschutz.web.allowed import allow, member_of
from blickschutz.web.numbers import Number
from blickschutz.web.pages import Pages
from blickschutz.web.routes.alerts import page, require

_SEE_OTHER = 303

Text = Annotated[str, Form(max_length=500)]


def routes(pages: Pages) -> APIRouter:
    """What staff decide."""
    router = APIRouter()
    desk = pages.room.alerts

    @router.post("/alerts/{number}/acknowledge", dependencies=[allow(Permission.DECIDE)])
    async def acknowledge(request: Request, number: Number, back: Annotated[str, Form(max_length=10)] = "") -> Response:
        require(pages, number)
        if not desk.acknowledge(number, pages.person(request)):
            return page(pages, request, require(pages, number), "late")
        pages.log(request, Event.ALERT_DECIDED, f"alert-{number}", decision="acknowledge")
        return RedirectResponse("/wall" if back == "wall" else f"/alerts/{number}", _SEE_OTHER)

    @router.post("/alerts/{number}/act", dependencies=[allow(Permission.DECIDE)])
    async def act(request: Request, number: Number, text: Text = "") -> Response:
        found = require(pages, number)
        if not text.strip():
            return page(pages, request, found, "text")
        if not desk.act(number, pages.person(request), text.strip()):
            return page(pages, request, require(pages, number), "late")
        pages.log(request, Event.ALERT_DECIDED, f"alert-{number}", decision="act", text=text.strip())
        return RedirectResponse(f"/alerts/{number}", _SEE_OTHER)

    @router.post("/alerts/{number}/close", dependencies=[allow(Permission.DECIDE)])
    async def close(request: Request, number: Number, outcome: Annotated[str, Form(max_length=20)] = "", text: Text = "") -> Response:
        found = require(pages, number)
        if outcome not in set(Outcome):
            return page(pages, request, found, "outcome")
        if not desk.close(number, pages.person(request), Outcome(outcome), text.strip()):
            return page(pages, request, require(pages, number), "late")
        pages.log(request, Event.ALERT_DECIDED, f"alert-{number}", decision="close", outcome=outcome)
        return RedirectResponse("/alerts", _SEE_OTHER)

    @router.post("/alerts/{number}/record", dependencies=[allow(Permission.RECORD)])
    async def record(request: Request, number: Number, text: Text = "") -> Response:
        found = require(pages, number)
        if not text.strip():
            return page(pages, request, found, "reason")
        by = member_of(request).id
        problem = pages.room.recordings.record(found.camera, by, text.strip(), number)
        if problem:
            return page(pages, request, found, problem)
        desk.order_recording(number, pages.person(request), text.strip())
        return RedirectResponse(f"/alerts/{number}", _SEE_OTHER)

    return router
