"""Sensitivity: what each camera costs in false alarms, and the thresholds that supervision accepts."""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Permission
from blickschutz.budget.model import NotDone
from blickschutz.situations.kinds import Kind
from blickschutz.web import texts
from blickschutz.web.allowed import allow
from blickschutz.web.lanes import Lane
from blickschutz.web.pages import Pages
from blickschutz.web.routing import in_lane
from blickschutz.web.sensitivity import camera_page, overview
from blickschutz.web.sessions import member_of

_SEE_OTHER, _OTHERWISE_NOW, _UNKNOWN = 303, 409, 404
Word = Annotated[str, Form(max_length=40)]


def routes(pages: Pages) -> APIRouter:
    """Reading computes for a moment; what is accepted is in the log when the page says so."""
    router = pages.router()
    desk = pages.room.sensitivity

    @router.get("/sensitivity", dependencies=[allow(Permission.SENSITIVITY)])
    @in_lane(Lane.COMPUTE)
    def sensitivity(request: Request) -> Response:
        language, budget = pages.language(request), pages.site.alerts.budget
        count, days = (texts.number(value, language, 0 if value == round(value) else 1) for value in (budget.false_alarms, budget.days))
        return pages.render(request, "sensitivity.html", rows=overview(pages, desk.views(), language), count=count, days=days)

    @router.get("/sensitivity/{camera}", dependencies=[allow(Permission.SENSITIVITY)])
    @in_lane(Lane.COMPUTE)
    def camera(request: Request, camera: str) -> Response:
        return page(request, camera)

    @router.post("/sensitivity/{camera}/accept", dependencies=[allow(Permission.ADJUST)])
    def accept(request: Request, camera: str, kind: Word = "", seen: Word = "") -> Response:
        known, threshold = _kind(kind), _number(seen)
        done = desk.accept(camera, known, threshold, member_of(request).id) if known and threshold is not None else NotDone.UNKNOWN
        return answer(request, camera, done)

    @router.post("/sensitivity/{camera}/undo", dependencies=[allow(Permission.ADJUST)])
    def undo(request: Request, camera: str, kind: Word = "") -> Response:
        known = _kind(kind)
        return answer(request, camera, desk.undo(camera, known, member_of(request).id) if known else NotDone.UNKNOWN)

    @router.post("/sensitivity/{camera}/renew", dependencies=[allow(Permission.ADJUST)])
    def renew(request: Request, camera: str) -> Response:
        return answer(request, camera, desk.renew(camera, member_of(request).id))

    def answer(request: Request, camera: str, done: NotDone | None) -> Response:
        return RedirectResponse(f"/sensitivity/{camera}", _SEE_OTHER) if done is None else page(request, camera, done)

    def page(request: Request, camera: str, problem: NotDone | None = None) -> Response:
        view = desk.drawn(camera)
        if view is None:
            raise HTTPException(_UNKNOWN)
        shown = camera_page(pages, view, pages.language(request))
        status = 200 if problem is None else _UNKNOWN if problem is NotDone.UNKNOWN else _OTHERWISE_NOW
        return pages.render(request, "sensitivity_camera.html", status=status, problem=problem.value if problem else "", **shown)

    return router


def _kind(text: str) -> Kind | None:
    return Kind(text) if text in set(Kind) else None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
