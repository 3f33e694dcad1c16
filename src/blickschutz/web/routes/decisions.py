"""Decisions on an alert, each a plain form: acknowledge, note what was done, close, order a recording."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Permission
from blickschutz.alerts.model import Outcome
from blickschutz.alerts.rules import OPEN
from blickschutz.web.allowed import allow
from blickschutz.web.numbers import Number, numbers
from blickschutz.web.pages import Pages
from blickschutz.web.routes.alerts import TOGETHER, page, require
from blickschutz.web.views import by_whom, enter, views

_SEE_OTHER = 303

Text = Annotated[str, Form(max_length=500)]
# Numbers of further alerts that a decision is about, as they were shown.
Also = Annotated[str, Form(max_length=1000)]


def routes(pages: Pages) -> APIRouter:
    """What staff decide."""
    router = pages.router()
    desk = pages.room.alerts

    @router.post("/alerts/{number}/acknowledge", dependencies=[allow(Permission.DECIDE)])
    def acknowledge(request: Request, number: Number, back: Annotated[str, Form(max_length=10)] = "", also: Also = "") -> Response:
        """Take on an alert, and those of its row that were shown with it; what came since waits on."""
        require(pages, number)
        by = by_whom(request)
        if not [one for one in desk.same(number, numbers(also)) if desk.acknowledge(one, by)]:
            return page(pages, request, require(pages, number), "late")
        enter(pages)
        return RedirectResponse("/wall" if back == "wall" else f"/alerts/{number}", _SEE_OTHER)

    @router.post("/alerts/{number}/undo", dependencies=[allow(Permission.DECIDE)])
    def undo(request: Request, number: Number, back: Annotated[str, Form(max_length=10)] = "", also: Also = "") -> Response:
        require(pages, number)
        by = by_whom(request)
        if not [one for one in desk.same(number, numbers(also)) if desk.undo(one, by)]:
            return page(pages, request, require(pages, number), "over")
        enter(pages)
        return RedirectResponse("/wall" if back == "wall" else f"/alerts/{number}", _SEE_OTHER)

    @router.post("/alerts/{number}/act", dependencies=[allow(Permission.DECIDE)])
    def act(request: Request, number: Number, text: Text = "") -> Response:
        found = require(pages, number)
        if not text.strip():
            return page(pages, request, found, "text")
        if not desk.act(number, by_whom(request), text.strip()):
            return page(pages, request, require(pages, number), "late")
        enter(pages)
        return RedirectResponse(f"/alerts/{number}", _SEE_OTHER)

    @router.post("/alerts/{number}/close", dependencies=[allow(Permission.DECIDE)])
    def close(request: Request, number: Number, outcome: Annotated[str, Form(max_length=20)] = "", text: Text = "") -> Response:
        found = require(pages, number)
        if outcome not in set(Outcome):
            return page(pages, request, found, "outcome")
        if not desk.close(number, by_whom(request), Outcome(outcome), text.strip()):
            return page(pages, request, require(pages, number), "late")
        enter(pages)
        return RedirectResponse("/alerts", _SEE_OTHER)

    @router.get("/alerts/{number}/together", dependencies=[allow(Permission.DECIDE)])
    def ask(
        request: Request,
        number: Number,
        also: Annotated[list[int] | None, Query(max_length=TOGETHER)] = None,
        outcome: Annotated[str, Query(max_length=20)] = "",
        panel: bool = False,
    ) -> Response:
        """The question before several alerts are closed with one outcome."""
        found, template = require(pages, number), "alert_panel.html" if panel else "alert.html"
        if outcome not in set(Outcome):
            return page(pages, request, found, "outcome", template)
        shown = [one for one in desk.store.some(desk.same(number, also or [])) if one.state in OPEN]
        if number not in {one.id for one in shown}:
            return page(pages, request, found, "late", template)
        asked = views(pages, request, shown)
        frame = "together_panel.html" if panel else "together.html"
        return pages.render(request, frame, alert=asked[0], asked=asked, outcome=outcome, others=[one.id for one in shown[1:]])

    @router.post("/alerts/{number}/together", dependencies=[allow(Permission.DECIDE)])
    def close_together(
        request: Request, number: Number, outcome: Annotated[str, Form(max_length=20)] = "", also: Also = "", text: Text = ""
    ) -> Response:
        """Close an alert and others of its camera and kind with one outcome; each has its own entry."""
        found, by = require(pages, number), by_whom(request)
        if outcome not in set(Outcome):
            return page(pages, request, found, "outcome")
        asked = desk.same(number, numbers(also))
        closed = [one for one in asked if desk.close(one, by, Outcome(outcome), text.strip())]
        enter(pages)
        if not closed:
            return page(pages, request, require(pages, number), "late")
        return RedirectResponse(f"/alerts/{number}?{urlencode({'also': ' '.join(map(str, closed))})}", _SEE_OTHER)

    @router.post("/alerts/{number}/record", dependencies=[allow(Permission.RECORD)])
    def record(request: Request, number: Number, text: Text = "") -> Response:
        found = require(pages, number)
        if not text.strip():
            return page(pages, request, found, "reason")
        by = by_whom(request)
        # Who ordered it and why is on disk before the order is given.
        desk.order_recording(number, by, text.strip())
        problem = pages.room.recordings.record(found.camera, by.member, text.strip(), number)
        if problem:
            desk.unrecorded(number, problem)
        enter(pages)
        if problem:
            return page(pages, request, require(pages, number), problem)
        return RedirectResponse(f"/alerts/{number}", _SEE_OTHER)

    return router
