"""Facts that software cannot know: entered with their document, signed by two people, given out again."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.requests import ClientDisconnect

from blickschutz.access.model import Member, Permission
from blickschutz.compliance.entered import (
    ACCEPTANCE,
    CRIME,
    LASTING,
    PICTURES,
    SHEETS,
    SIGNERS,
    Entered,
    NotSigned,
    Standing,
    refusal,
    roles_wanted,
)
from blickschutz.compliance.io.incoming import Incoming
from blickschutz.compliance.sheets import Sheet
from blickschutz.control.model import FactRefused, Given
from blickschutz.kernel.errors import DeviceError
from blickschutz.web import texts
from blickschutz.web.allowed import allow
from blickschutz.web.lanes import Lane
from blickschutz.web.limits import MOST_UPLOAD
from blickschutz.web.numbers import Number
from blickschutz.web.pages import Pages
from blickschutz.web.sessions import member_of
from blickschutz.web.uploads import FormError, Received, receive

UPLOADS = "/facts"
_SEE_OTHER, _INCOMPLETE, _OTHERWISE_NOW, _TOO_LARGE, _TOO_SLOW = 303, 422, 409, 413, 408
_SMALL = 10 * 1024
_STATUS = {"large": _TOO_LARGE, "slow": _TOO_SLOW, "crowded": 503}


def routes(pages: Pages) -> APIRouter:
    """The list, one fact, its document, and what people do with it."""
    router = pages.router()
    _reading(router, pages)
    _signing(router, pages)
    _entering(router, pages)
    return router


def _reading(router: APIRouter, pages: Pages) -> None:
    desk = pages.room.policy.desk

    @router.get("/facts", dependencies=[allow(Permission.FACTS)])
    def facts(request: Request) -> Response:
        return _list(pages, request)

    @router.get("/facts/tables/{name}.csv", dependencies=[allow(Permission.FACTS)])
    def table(request: Request, name: str) -> Response:
        if name not in SHEETS:
            raise HTTPException(404)
        data = desk.template(Sheet(name), _language(pages, request))
        return Response(data, media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}.csv"'})

    @router.get("/facts/{number}", dependencies=[allow(Permission.FACTS)])
    def fact(request: Request, number: Number) -> Response:
        return _one(pages, request, _require(pages, number))

    @router.get("/facts/{number}/document", dependencies=[allow(Permission.FACTS)])
    def document(request: Request, number: Number) -> Response:
        found = _require(pages, number)
        data = desk.document(found)
        if data is None:
            return _one(pages, request, found, NotSigned.ALTERED.value)
        # Never shown within these pages, whatever it is: the browser saves it (and asks nobody what kind it is).
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.file)}"}
        return Response(data, media_type="application/octet-stream", headers=headers)

    @router.get("/facts/{number}/picture", dependencies=[allow(Permission.FACTS)])
    def picture(request: Request, number: Number) -> Response:
        data = desk.picture(_require(pages, number))
        if data is None:
            raise HTTPException(404)
        return Response(data, media_type="image/jpeg")


def _signing(router: APIRouter, pages: Pages) -> None:
    policy = pages.room.policy

    @router.post("/facts/{number}/sign", dependencies=[allow(Permission.FACTS)])
    def sign(
        request: Request,
        number: Number,
        read: Annotated[str, Form(max_length=5)] = "",
        settings: Annotated[str, Form(max_length=64)] = "",
    ) -> Response:
        found, member = _require(pages, number), member_of(request)
        problem = refusal(found, member, policy.desk.settings)
        if problem is None and not read:
            return _one(pages, request, found, "unread")
        problem = problem or policy.desk.sign(number, member, settings)
        if problem is not None:
            return _one(pages, request, _require(pages, number), problem.value)
        policy.changed()
        return RedirectResponse(f"/facts/{number}", _SEE_OTHER)

    @router.post("/facts/{number}/withdraw", dependencies=[allow(Permission.FACTS)])
    def withdraw(request: Request, number: Number, reason: Annotated[str, Form(max_length=300)] = "") -> Response:
        found = _require(pages, number)
        if not reason.strip():
            return _one(pages, request, found, "reason")
        problem = policy.desk.withdraw(number, member_of(request).id, reason.strip())
        if problem is not None:
            return _one(pages, request, _require(pages, number), problem.value)
        policy.changed()
        return RedirectResponse(f"/facts/{number}", _SEE_OTHER)


def _entering(router: APIRouter, pages: Pages) -> None:
    policy, lanes = pages.room.policy, pages.lanes
    busy = _Busy()

    @router.post(UPLOADS, dependencies=[allow(Permission.FACTS)])
    async def enter(request: Request) -> Response:
        """Streams: who it is was asked before a byte of the body was read."""
        if busy.taken:
            return await lanes.run(Lane.WRITE, lambda: _list(pages, request, "crowded"))
        busy.taken = True
        try:
            incoming = await lanes.run(Lane.WRITE, policy.desk.begin)
            try:
                received = await _received(request, incoming)
            except (FormError, ClientDisconnect) as error:
                await lanes.run(Lane.WRITE, incoming.close)
                problem = "form" if isinstance(error, FormError) else "slow"
                return await lanes.run(Lane.WRITE, lambda: _list(pages, request, problem))
            except DeviceError:
                await lanes.run(Lane.WRITE, incoming.close)
                raise
            return await lanes.run(Lane.COMPUTE, lambda: _enter(request, incoming, received))
        finally:
            busy.taken = False

    async def _received(request: Request, incoming: Incoming) -> Received:
        async def hand_on(data: bytes) -> None:
            await lanes.run(Lane.WRITE, lambda: incoming.write(data))

        return await receive(request.headers.get("content-type", ""), request.stream(), hand_on, MOST_UPLOAD, "document")

    def _enter(request: Request, incoming: Incoming, received: Received) -> Response:
        fields = received.fields
        given = Given(fields.get("kind", ""), fields.get("day", ""), fields.get("text", ""), received.file, fields.get("subject", ""))
        if received.too_large:
            incoming.close()
            return _list(pages, request, "large", given)
        made = policy.desk.enter(incoming, given, member_of(request).id, _language(pages, request))
        if isinstance(made, FactRefused):
            return _list(pages, request, made.why.value, given, made.details)
        policy.changed()
        return RedirectResponse(f"/facts/{made.number}", _SEE_OTHER)


class _Busy:
    """Whether somebody hands something in just now: one at a time, so that disk and memory stay free."""

    taken = False


def _language(pages: Pages, request: Request) -> Literal["de", "en"]:
    return "de" if pages.language(request) == "de" else "en"


def _require(pages: Pages, number: int) -> Entered:
    found = pages.room.policy.desk.get(number)
    if found is None:
        raise HTTPException(404)
    return found


def _list(pages: Pages, request: Request, problem: str = "", given: Given | None = None, details: tuple[str, ...] = ()) -> Response:
    member, language = member_of(request), pages.language(request)
    translate = texts.translator(language)
    views = [_view(pages, one, member, language) for one in reversed(pages.room.policy.desk.all())]
    there = {view["own"].kind for view in views if view["standing"] in {Standing.SIGNED, Standing.WAITING}}
    shown = [translate(texts.FACT_KINDS[one]) if one in texts.FACT_KINDS else one for one in details]
    return pages.render(
        request,
        "facts.html",
        status=_STATUS.get(problem, _INCOMPLETE) if problem else 200,
        problem=problem,
        details=shown,
        given=given or Given("", "", "", ""),
        today=pages.room.regime.now().date().isoformat(),
        open=[view for view in views if view["standing"] in {Standing.WAITING, Standing.VOID}],
        signed=[view for view in views if view["standing"] is Standing.SIGNED],
        withdrawn=[view for view in views if view["standing"] is Standing.WITHDRAWN],
        sheets=list(texts.FACT_SHEETS),
        kinds=list(texts.FACT_DOCUMENTS),
        signs=pages.room.policy.desk.signs(),
        cameras=pages.room.policy.desk.cameras,
        missing=[kind for kind in texts.FACT_KINDS if kind not in there and kind != CRIME],
        crime=CRIME,
    )


def _one(pages: Pages, request: Request, found: Entered, problem: str = "") -> Response:
    member, language = member_of(request), pages.language(request)
    status = 200 if not problem else _INCOMPLETE if problem in {"unread", "reason"} else _OTHERWISE_NOW
    refused = refusal(found, member, pages.room.policy.desk.settings)
    return pages.render(
        request,
        "fact.html",
        status=status,
        problem=problem,
        one=_view(pages, found, member, language),
        settings=pages.room.policy.desk.settings,
        refused=refused.value if refused is not None else "",
        table=pages.room.policy.desk.table(found),
        code=pages.room.policy.desk.code(found),
        is_picture=found.kind in PICTURES,
        is_acceptance=found.kind == ACCEPTANCE,
        subject=pages.room.policy.desk.cameras.get(found.subject, found.subject),
        is_lasting=found.kind in LASTING,
        signers=[sorted(role.value for role in roles) for roles in SIGNERS[found.kind]],
    )


def _view(pages: Pages, one: Entered, member: Member, language: str) -> dict[str, Any]:
    """A fact as templates see it."""
    settings = pages.room.policy.desk.settings
    valid = one.valid(settings)
    return {
        "own": one,
        "standing": one.standing(settings),
        "day": texts.day(one.day, language),
        "at": texts.moment(pages.moment(one.at), language),
        "by": pages.person_name(one.by),
        "size": texts.number(max(one.size / 1024, 0.1), language, 1 if one.size < _SMALL else 0),
        "withdrawn_by": pages.person_name(one.withdrawn_by) if one.withdrawn_by else "",
        "wanted": sorted(role.value for role in roles_wanted(one, settings)),
        "mine": refusal(one, member, settings) is None,
        "signatures": [(made, texts.moment(pages.moment(made.at), language), made in valid) for made in one.signatures],
    }
