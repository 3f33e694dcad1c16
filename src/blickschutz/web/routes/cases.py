"""Cases: the queue by deadline, a case, the way into its review room, holds, packages of evidence."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Member, Role
from blickschutz.audit.model import Event
from blickschutz.review.model import Case, CaseState, Ground
from blickschutz.review.rules import OPENABLE, THERE, visible, waits_for
from blickschutz.web import texts
from blickschutz.web.pages import Pages
from blickschutz.web.routes.wall import require as require_camera

_SEE_OTHER = 303
_MOST_ENDED = 50
_REVIEWERS = (Role.REVIEW, Role.SUPERVISION)


def routes(pages: Pages) -> APIRouter:
    """All about cases."""
    router = APIRouter()
    recordings = pages.room.recordings
    desk = recordings.desk

    @router.get("/cases")
    async def queue(request: Request) -> Response:
        member = pages.require(request, *_REVIEWERS)
        there = await asyncio.to_thread(desk.cases, sorted(THERE))
        ended = await asyncio.to_thread(desk.store.latest, [CaseState.DESTROYING, CaseState.DESTROYED], _MOST_ENDED)
        waiting = [case for case in there if case.state is not CaseState.HELD]
        held = [case for case in there if case.state is CaseState.HELD]
        return pages.render(
            request,
            "cases.html",
            waiting=_views(pages, request, member, waiting),
            held=_views(pages, request, member, held),
            ended=_views(pages, request, member, ended),
            packages=recordings.packages() if member.may(Role.SUPERVISION) else [],
            forecast=recordings.forecast(),
            offset=recordings.clock_offset(),
        )

    @router.get("/cases/{number}")
    async def case(request: Request, number: int) -> Response:
        member = pages.require(request, *_REVIEWERS)
        found = await _require(number)
        await asyncio.to_thread(recordings.log.write, Event.CASE_SEEN, member.id, found.clip, {"case": number})
        return _page(request, member, found)

    @router.post("/cases/{number}/enter")
    async def enter(request: Request, number: int) -> Response:
        member = pages.require(request, *_REVIEWERS)
        found = await _require(number)
        language, theme = pages.language(request), pages.theme(request, "light")
        address, problem = await recordings.rooms.enter(number, member, language, theme)
        return pages.render(request, "door.html", status=403 if problem else 200, case=found, address=address, problem=problem)

    @router.post("/cases/{number}/hold")
    async def hold(
        request: Request,
        number: int,
        ground: Annotated[str, Form(max_length=40)] = "",
        reference: Annotated[str, Form(max_length=60)] = "",
        until: Annotated[str, Form(max_length=10)] = "",
    ) -> Response:
        member = pages.require(request, *_REVIEWERS)
        found = await _require(number)
        end = _end_of(pages, until)
        if ground not in set(Ground) or end is None:
            return _page(request, member, found, "hold", 422)
        if not await asyncio.to_thread(desk.propose_hold, number, member.id, Ground(ground), reference, end):
            return _page(request, member, found, "hold", 422)
        return RedirectResponse(f"/cases/{number}", _SEE_OTHER)

    @router.post("/cases/{number}/hold/end")
    async def end(request: Request, number: int) -> Response:
        member = pages.require(request, *_REVIEWERS)
        await _require(number)
        await asyncio.to_thread(desk.propose_end, number, member.id)
        return RedirectResponse(f"/cases/{number}", _SEE_OTHER)

    @router.post("/cases/{number}/hold/confirm")
    async def confirm(request: Request, number: int) -> Response:
        member = pages.require(request, *_REVIEWERS)
        found = await _require(number)
        if not await asyncio.to_thread(desk.confirm, number, member.id):
            return _page(request, member, found, "second", 409)
        return RedirectResponse(f"/cases/{number}", _SEE_OTHER)

    @router.get("/exports/{name}")
    async def package(request: Request, name: str) -> Response:
        member = pages.require(request, Role.SUPERVISION)
        data = await asyncio.to_thread(recordings.package, name)
        if data is None:
            raise HTTPException(404)
        await asyncio.to_thread(recordings.log.write, Event.RELEASE_FETCHED, member.id, name.split("-", 1)[0], {"file": name})
        return Response(data, media_type="application/octet-stream", headers={"Content-Disposition": f'attachment; filename="{name}"'})

    @router.post("/cameras/{camera}/record")
    async def record(request: Request, camera: str, text: Annotated[str, Form(max_length=500)] = "") -> Response:
        tile = require_camera(pages, camera)
        by = member.id if (member := pages.member(request)) is not None else pages.person(request)
        problem = recordings.record(tile.camera.id, by, text.strip(), None) if text.strip() else "reason"
        if problem:
            words = {**texts.RECORDING_PROBLEMS, **texts.DOOR_PROBLEMS}
            health = tile.control.health
            return pages.render(
                request, "camera.html", status=422, theme="dark", tile=tile, health=health, record_problem=words.get(problem, problem)
            )
        return RedirectResponse(f"/cameras/{camera}", _SEE_OTHER)

    @router.post("/clock")
    async def clock(request: Request) -> Response:
        member = pages.require(request, Role.SUPERVISION)
        await asyncio.to_thread(recordings.accept_clock, member.id)
        return RedirectResponse("/cases", _SEE_OTHER)

    async def _require(number: int) -> Case:
        found = await asyncio.to_thread(desk.store.get, number)
        if found is None:
            raise HTTPException(404)
        return found

    def _page(request: Request, member: Member, found: Case, problem: str = "", status: int = 200) -> Response:
        return pages.render(
            request,
            "case.html",
            status=status,
            case=_views(pages, request, member, [found])[0],
            problem=problem,
            grounds=list(Ground),
            door=recordings.rooms.refusal(member, found) if found.state in OPENABLE else "not-openable",
            present=[_name(pages, person) for person in recordings.rooms.present(found.id)],
            log=[entry for entry, _ in recordings.log.find(subject=found.clip, most=200)] if member.may(Role.SUPERVISION) else [],
        )

    return router


def _name(pages: Pages, person: str) -> str:
    member = pages.room.recordings.access.members.get(person)
    return member.name if member is not None else person


def _end_of(pages: Pages, until: str) -> float | None:
    """The last second of the day `until` (YYYY-MM-DD) as POSIX seconds."""
    try:
        day = datetime.strptime(until, "%Y-%m-%d")
    except ValueError:
        return None
    return pages.day_start(f"{day:%Y-%m-%d}").timestamp() + 86_399


def _views(pages: Pages, request: Request, member: Member, cases: list[Case]) -> list[dict[str, Any]]:
    """Cases as templates see them."""
    language = pages.language(request)
    translate = texts.translator(language)
    recordings = pages.room.recordings
    now = recordings.time()
    views = []
    for case in cases:
        at, why = recordings.deadline(case)
        views.append(
            {
                "own": case,
                "camera": pages.camera_name(case.camera),
                "cause": texts.cause_name(case.cause, language),
                "opened": texts.clock(pages.moment(case.opened), language),
                "deadline": texts.moment(pages.moment(at), language),
                "left": texts.remaining(at - now, translate),
                "near": at - now < 12 * 3600,
                "why": why,
                "mine": waits_for(case, member.id),
                "verdicts": [(_name(pages, one.person), one) for one in visible(case, member.id)],
                "given": len(case.verdicts),
                "people": [_name(pages, person) for person in case.shred_by],
                "hold_owner": _name(pages, case.hold.owner) if case.hold is not None else "",
                "hold_until": texts.moment(pages.moment(case.hold.until), language) if case.hold is not None else "",
                "proposal_by": _name(pages, case.proposal.by[0]) if case.proposal is not None else "",
                "proposal_until": texts.moment(pages.moment(case.proposal.until), language)
                if case.proposal is not None and case.proposal.until
                else "",
                "may_confirm": case.proposal is not None and member.id not in case.proposal.by,
                "destroyed": texts.clock(pages.moment(case.destroyed), language) if case.destroyed else "",
            }
        )
    return views
