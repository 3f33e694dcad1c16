"""What takes two people of the supervision beside the review: a loss to be accepted, the fate of a clip in quarantine."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Permission
from blickschutz.control.words import said
from blickschutz.review.model import Case, Fate, Ground
from blickschutz.web.allowed import allow
from blickschutz.web.numbers import Number, Version
from blickschutz.web.pages import Pages
from blickschutz.web.routes.cases import case_page, end_of
from blickschutz.web.sessions import member_of

_SEE_OTHER = 303


def routes(pages: Pages) -> APIRouter:
    """Both, each with its page."""
    router = pages.router()
    _losses(router, pages)
    _fates(router, pages)
    return router


def _losses(router: APIRouter, pages: Pages) -> None:
    safety = pages.room.recordings.safety

    def page(request: Request, problem: str = "", status: int = 200) -> Response:
        language = pages.language(request)
        losses = [(loss.kind.value, *said(loss, language)) for loss in safety.losses]
        seen_by = pages.person_name(safety.seen_by) if safety.seen_by else ""
        return pages.render(request, "loss.html", status=status, losses=losses, what=safety.what, seen_by=seen_by, problem=problem)

    @router.get("/loss", dependencies=[allow(Permission.HEALTH)])
    def show(request: Request) -> Response:
        return page(request)

    @router.post("/loss/accept", dependencies=[allow(Permission.KEEPING)])
    def accept(
        request: Request, what: Annotated[str, Form(max_length=400)] = "", sure: Annotated[str, Form(max_length=5)] = ""
    ) -> Response:
        if sure != "yes":
            return page(request, "sure", 422)
        refused = safety.accept(member_of(request).id, what)
        return page(request, refused.value, 409) if refused is not None else RedirectResponse("/loss", _SEE_OTHER)


def _fates(router: APIRouter, pages: Pages) -> None:
    desk = pages.room.office.quarantine

    def found(number: int) -> Case:
        case = desk.store.get(number)
        if case is None:
            raise HTTPException(404)
        return case

    @router.post("/cases/{number}/fate", dependencies=[allow(Permission.KEEPING)])
    def propose(
        request: Request,
        number: Number,
        fate: Annotated[str, Form(max_length=20)] = "",
        ground: Annotated[str, Form(max_length=40)] = "",
        reference: Annotated[str, Form(max_length=60)] = "",
        until: Annotated[str, Form(max_length=10)] = "",
    ) -> Response:
        member, case = member_of(request), found(number)
        if fate not in set(Fate):
            return case_page(pages, request, member, case, "no-fate", 422)
        why = Ground(ground) if ground in set(Ground) else None
        end = end_of(pages, until) or 0.0
        refused = desk.propose(number, member.id, Fate(fate), why, reference, end)
        if refused is not None:
            return case_page(pages, request, member, found(number), refused.value, 422)
        return RedirectResponse(f"/cases/{number}", _SEE_OTHER)

    @router.post("/cases/{number}/fate/confirm", dependencies=[allow(Permission.KEEPING)])
    def confirm(request: Request, number: Number, version: Version = 0) -> Response:
        member = member_of(request)
        refused = desk.confirm(number, member.id, version)
        if refused is not None:
            return case_page(pages, request, member, found(number), refused.value, 409)
        return RedirectResponse(f"/cases/{number}", _SEE_OTHER)
