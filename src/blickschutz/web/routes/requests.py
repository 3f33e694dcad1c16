"""Requests of those concerned and duties to inform: recorded, restricted, extended, answered by two."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from blickschutz.access.model import Permission
from blickschutz.config.hours import holidays_of
from blickschutz.rights.model import (
    Duty,
    DutySource,
    Outcome,
    Problem,
    RequestState,
    Right,
    Settlement,
)
from blickschutz.rights.model import Request as DataRequest
from blickschutz.rights.rules import deadline, due, is_late, is_near, is_unmet, may_extend
from blickschutz.web import texts
from blickschutz.web.allowed import allow
from blickschutz.web.lanes import Lane
from blickschutz.web.numbers import Number, Version
from blickschutz.web.pages import Pages
from blickschutz.web.routes.sign_in import Word
from blickschutz.web.routing import in_lane
from blickschutz.web.sessions import member_of

_SEE_OTHER = 303
_MOST_SHOWN = 50
_REQUESTS = [allow(Permission.REQUESTS)]
Text = Annotated[str, Form(max_length=2000)]
Numbers = Annotated[list[int] | None, Form()]


class RequestForm(BaseModel):
    """What somebody typed about a request. Days as YYYY-MM-DD, moments as YYYY-MM-DDTHH:MM of the site's time zone."""

    received: str = Field("", max_length=40)
    name: str = Field("", max_length=200)
    contact: str = Field("", max_length=500)
    language: str = Field("de", max_length=10)
    rights: list[str] = []
    cameras: list[str] = []
    starts: str = Field("", max_length=40)
    ends: str = Field("", max_length=40)
    text: str = Field("", max_length=2000)


def routes(pages: Pages) -> APIRouter:
    """All about requests and duties."""
    router = pages.router()
    _requests(router, pages)
    _answers(router, pages)
    _duties(router, pages)
    return router


def _requests(router: APIRouter, pages: Pages) -> None:
    desk = pages.room.office.rights

    @router.get("/requests", dependencies=_REQUESTS)
    def everything(request: Request) -> Response:
        return _list(pages, request)

    @router.post("/requests", dependencies=_REQUESTS)
    def record(request: Request, form: Annotated[RequestForm, Form()]) -> Response:
        asked = _asked(pages, form, member_of(request).id)
        outcome = asked if isinstance(asked, Problem) else desk.record(asked)
        if isinstance(outcome, Problem):
            return _list(pages, request, outcome, 422, form.model_dump())
        return RedirectResponse(f"/requests/{outcome.id}", _SEE_OTHER)

    @router.get("/requests/{number}", dependencies=_REQUESTS)
    def one(request: Request, number: Number) -> Response:
        return _page(pages, request, number)

    @router.post("/requests/{number}/restrict", dependencies=_REQUESTS)
    def restrict(request: Request, number: Number, cases: Numbers = None) -> Response:
        return _done(pages, request, number, lambda by: desk.restrict(number, cases or (), by))

    @router.post("/requests/{number}/free", dependencies=_REQUESTS)
    def free(request: Request, number: Number, case: Annotated[int, Form()] = 0) -> Response:
        return _done(pages, request, number, lambda by: desk.free(number, case, by))

    @router.post("/requests/{number}/identity", dependencies=_REQUESTS)
    def identify(request: Request, number: Number, text: Text = "") -> Response:
        return _done(pages, request, number, lambda by: desk.identify(number, text, by))

    @router.post("/requests/{number}/extend", dependencies=_REQUESTS)
    def extend(request: Request, number: Number, reason: Text = "") -> Response:
        return _done(pages, request, number, lambda by: desk.extend(number, reason, by), reason=reason)


def _asked(pages: Pages, form: RequestForm, by: str) -> DataRequest | Problem:
    """The request that was typed, or what is wrong with it."""
    day, begin, end = _day(form.received), _moment(pages, form.starts), _moment(pages, form.ends)
    if day is None:
        return Problem.RECEIVED
    if begin is None or end is None:
        return Problem.WINDOW
    if not {camera.id for camera in pages.site.cameras}.issuperset(form.cameras):
        return Problem.CAMERAS
    return DataRequest(
        id=0,
        state=RequestState.OPEN,
        received=day,
        rights=tuple(Right(one) for one in form.rights if one in set(Right)),
        name=form.name.strip(),
        contact=form.contact.strip(),
        language="en" if form.language == "en" else "de",
        by=by,
        at=0.0,
        starts=begin,
        ends=end,
        cameras=tuple(form.cameras),
        text=form.text.strip(),
    )


def _answers(router: APIRouter, pages: Pages) -> None:
    desk = pages.room.office.rights

    @router.post("/requests/{number}/answer", dependencies=_REQUESTS)
    def prepare(request: Request, number: Number, outcome: Word = "", text: Text = "") -> Response:
        if outcome not in set(Outcome):
            return _page(pages, request, number, "outcome", 422, text=text)
        act = functools.partial(desk.prepare, number, Outcome(outcome), text)
        return _done(pages, request, number, act, outcome=outcome, text=text)

    @router.post("/requests/{number}/confirm", dependencies=_REQUESTS)
    def confirm(request: Request, number: Number, version: Version = 0) -> Response:
        return _done(pages, request, number, lambda by: desk.confirm(number, by, version))

    @router.post("/requests/{number}/return", dependencies=_REQUESTS)
    def give_back(request: Request, number: Number) -> Response:
        return _done(pages, request, number, lambda by: desk.give_back(number, by))

    @router.get("/requests/{number}/answer.pdf", dependencies=_REQUESTS)
    @in_lane(Lane.COMPUTE)
    def answer(number: Number) -> Response:
        return _letter(number, extension=False)

    @router.get("/requests/{number}/extension.pdf", dependencies=_REQUESTS)
    @in_lane(Lane.COMPUTE)
    def extension(number: Number) -> Response:
        return _letter(number, extension=True)

    def _letter(number: int, *, extension: bool) -> Response:
        found = desk.store.get(number)
        if found is None or (found.extension if extension else found.answer) is None:
            raise HTTPException(404)
        data = pages.room.policy.letter(found, extension=extension)
        name = f"{'zwischennachricht' if extension else 'antwort'}-{number}.pdf"
        return Response(data, media_type="application/pdf", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _duties(router: APIRouter, pages: Pages) -> None:
    desk = pages.room.office.rights

    @router.post("/cases/{number}/assigned", dependencies=[allow(Permission.REVIEW)])
    def assigned(request: Request, number: Number) -> Response:
        case = pages.room.office.cases.store.get(number)
        if case is None:
            raise HTTPException(404)
        desk.assigned(number, case.clip, DutySource.HAND, member_of(request).id)
        return RedirectResponse(f"/cases/{number}", _SEE_OTHER)

    @router.get("/duties/{number}/letter.pdf", dependencies=_REQUESTS)
    @in_lane(Lane.COMPUTE)
    def letter(number: Number, language: Literal["de", "en"] = "de") -> Response:
        found = desk.store.get_duty(number)
        if found is None:
            raise HTTPException(404)
        headers = {"Content-Disposition": f'attachment; filename="information-{found.case}-{language}.pdf"'}
        return Response(pages.room.policy.duty_letter(found, language), media_type="application/pdf", headers=headers)

    @router.post("/duties/{number}", dependencies=_REQUESTS)
    def meet(request: Request, number: Number, settlement: Word = "", text: Text = "", until: Word = "") -> Response:
        by = member_of(request).id
        problem: str | None = "outcome"
        if settlement in set(Settlement):
            problem = desk.meet(number, Settlement(settlement), text, _day(until), by)
        if problem is not None:
            given = {"duty": number, "settlement": settlement, "reason": text, "until": until}
            return _list(pages, request, problem, 422, given)
        return RedirectResponse("/requests#duties", _SEE_OTHER)


def _done(pages: Pages, request: Request, number: int, act: Callable[[str], Problem | None], **given: str) -> Response:
    """Do it; back to the request, or its page with what is wrong and what was `given`, so that nothing is typed twice."""
    problem = act(member_of(request).id)
    if problem is not None:
        status = 409 if problem in {Problem.NOT_NOW, Problem.SAME_PERSON, Problem.LEFT} else 422
        return _page(pages, request, number, problem.value, status, **given)
    return RedirectResponse(f"/requests/{number}", _SEE_OTHER)


def _list(
    pages: Pages, request: Request, problem: Problem | str | None = None, status: int = 200, given: dict[str, Any] | None = None
) -> Response:
    store, today = pages.room.office.rights.store, pages.room.regime.now().date()
    empty: dict[str, Any] = {
        "received": today.isoformat(),
        "name": "",
        "contact": "",
        "language": pages.language(request),
        "text": "",
        "starts": "",
    }
    empty |= {"ends": "", "rights": [], "cameras": [], "duty": 0, "settlement": "", "reason": "", "until": ""}
    return pages.render(
        request,
        "requests.html",
        status=status,
        problem=str(problem) if problem is not None else "",
        given={**empty, **(given or {})},
        open=[view(pages, request, one, today) for one in store.open()],
        answered=[view(pages, request, one, today) for one in store.latest(_MOST_SHOWN)],
        duties=[_duty(pages, request, one, today) for one in store.duties(settled=False)],
        met=[_duty(pages, request, one, today) for one in store.duties(settled=True, most=_MOST_SHOWN)],
        rights=list(Right),
        settlements=list(Settlement),
        cameras=pages.site.cameras,
    )


def _page(pages: Pages, request: Request, number: int, problem: str = "", status: int = 200, **given: str) -> Response:
    desk, today = pages.room.office.rights, pages.room.regime.now().date()
    found = desk.store.get(number)
    if found is None:
        raise HTTPException(404)
    by, language = member_of(request).id, pages.language(request)

    def row(one: Any) -> dict[str, Any]:
        return {"own": one, "camera": pages.camera_name(one.camera), "opened": texts.clock(pages.moment(one.opened), language)}

    return pages.render(
        request,
        "request.html",
        status=status,
        asked=view(pages, request, found, today),
        problem=problem,
        given={"outcome": "", "text": "", "reason": "", **given},
        restricted=[{**row(one), "may_free": one.by != by} for one in found.restricted],
        candidates=[row(one) for one in desk.candidates(found)] if found.state is RequestState.OPEN else [],
        may_extend=may_extend(found, today) is None,
        may_confirm=found.state is RequestState.PREPARED and found.answer is not None and by not in found.answer.by,
        outcomes=list(Outcome),
    )


def view(pages: Pages, request: Request, asked: DataRequest, today: date) -> dict[str, Any]:
    """A request as templates see it."""
    language, end = pages.language(request), deadline(asked)

    def moment(at: float) -> str:
        return texts.moment(pages.moment(at), language)

    return {
        "own": asked,
        "received": texts.day(asked.received, language),
        "deadline": texts.day(end, language),
        "left": (end - today).days,
        "late": is_late(asked, today, holidays_of(pages.site.regimes.holidays)),
        "near": is_near(asked, today),
        "window": f"{moment(asked.starts)} – {moment(asked.ends)}" if asked.ends else "",
        "cameras": [pages.camera_name(one) for one in asked.cameras],
        "people": [pages.person_name(one) for one in asked.answer.by] if asked.answer is not None else [],
        "answered": texts.day(asked.answer.day, language) if asked.answer is not None else "",
        "extended": texts.day(asked.extension.day, language) if asked.extension is not None else "",
        "erased": texts.day(asked.erased, language) if asked.erased is not None else "",
    }


def _duty(pages: Pages, request: Request, duty: Duty, today: date) -> dict[str, Any]:
    language, end = pages.language(request), due(duty)
    return {
        "own": duty,
        "since": texts.day(duty.since, language),
        "due": texts.day(end, language) if end is not None else "",
        "late": is_unmet(duty, today, holidays_of(pages.site.regimes.holidays)),
        "by": pages.person_name(duty.settled.by) if duty.settled is not None else "",
        "day": texts.day(duty.settled.day, language) if duty.settled is not None else "",
    }


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _moment(pages: Pages, text: str) -> float | None:
    """A local moment (YYYY-MM-DDTHH:MM) as POSIX seconds; 0 where nothing was given, None where it is no moment."""
    if not text.strip():
        return 0.0
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=pages.zone).timestamp()
    except (ValueError, OverflowError):
        return None
