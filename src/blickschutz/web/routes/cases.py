"""Cases: the queue by deadline, a case, the way into its review room, holds, packages of evidence."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Member, Permission, Role
from blickschutz.audit.model import Entry, Event
from blickschutz.review.model import Case, CaseState, Ground
from blickschutz.review.rules import MORTAL, OPENABLE, fates, is_undecided, visible, waits_for
from blickschutz.web import texts
from blickschutz.web.allowed import allow
from blickschutz.web.lanes import Lane
from blickschutz.web.numbers import Number, Version
from blickschutz.web.pages import Pages
from blickschutz.web.routes.wall import require as require_camera
from blickschutz.web.routing import in_lane
from blickschutz.web.sessions import member_of, session_of

_SEE_OTHER = 303
_MOST_ENDED = 20
_PAGE = 50


def routes(pages: Pages) -> APIRouter:
    """All about cases."""
    router = pages.router()
    _lists(router, pages)
    _holds(router, pages)
    _orders(router, pages)
    return router


def _lists(router: APIRouter, pages: Pages) -> None:
    recordings, office, rooms = pages.room.recordings, pages.room.office, pages.room.rooms
    desk = office.cases

    @router.get("/cases", dependencies=[allow(Permission.CASES)])
    def queue(request: Request, page: Annotated[int, Query(ge=1, le=1_000_000)] = 1) -> Response:
        member = member_of(request)
        found = desk.queue((page - 1) * _PAGE, _PAGE + 1)
        ended = desk.store.latest([CaseState.DESTROYING, CaseState.DESTROYED], _MOST_ENDED)
        held = desk.store.find(states=[CaseState.HELD], most=_PAGE)
        quarantined = office.quarantine.waiting()
        counts = desk.store.counts()
        return pages.render(
            request,
            "cases.html",
            waiting=views(pages, request, member, found[:_PAGE]),
            held=views(pages, request, member, held),
            quarantined=views(pages, request, member, quarantined),
            page=page,
            more=len(found) > _PAGE,
            waiting_count=sum(number for state, number in counts.items() if state in MORTAL - {CaseState.HELD}),
            held_count=counts.get(CaseState.HELD, 0),
            ended=views(pages, request, member, ended),
            forecast=recordings.forecast(),
        )

    @router.get("/cases/{number}", dependencies=[allow(Permission.CASES)])
    @in_lane(Lane.WRITE)
    def case(request: Request, number: Number) -> Response:
        member = member_of(request)
        found = _require(pages, number)
        office.log.write(Event.CASE_SEEN, member.id, found.clip, {"case": number})
        return case_page(pages, request, member, found)

    @router.get("/cases/{number}/receipt", dependencies=[allow(Permission.CASES)])
    def receipt(request: Request, number: Number) -> Response:
        """The signed proof that the clip is destroyed, as `blickschutz verify receipt` reads it."""
        entry = _shredded(number)
        return Response(
            json.dumps(entry.facts, indent=1), media_type="application/json", headers=receipt_headers(pages, request, entry, number, "json")
        )

    @router.get("/cases/{number}/receipt.pdf", dependencies=[allow(Permission.CASES)])
    @in_lane(Lane.COMPUTE)
    def receipt_paper(request: Request, number: Number) -> Response:
        """The same on paper (PDF/A), with a picture code that holds it."""
        return receipt_pdf(pages, request, _shredded(number), number)

    def _shredded(number: int) -> Entry:
        entries = office.log.find(event=Event.SHREDDED.value, subject=_require(pages, number).clip, most=1)
        if not entries:
            raise HTTPException(404)
        return entries[0][0]

    @router.post("/cases/{number}/enter", dependencies=[allow(Permission.REVIEW)])
    async def enter(request: Request, number: Number) -> Response:
        member = member_of(request)
        found = await pages.lanes.run(Lane.READ, lambda: _require(pages, number))
        language, theme = pages.language(request), pages.theme(request)
        address, problem = await rooms.enter(number, member, language, theme, pages.origin(request), session_of(request))
        status = 202 if problem == "fetching" else 403 if problem else 200
        shown = {"case": found, "address": address, "problem": problem, "share": rooms.share(found)}
        return await pages.shown(Lane.READ, request, "door.html", status=status, **shown)


def receipt_pdf(pages: Pages, request: Request, entry: Entry, number: int) -> Response:
    """The receipt in `entry` on paper. Computes for a while."""
    data = pages.room.policy.receipt(entry.facts, "en" if pages.language(request) == "en" else "de")
    return Response(data, media_type="application/pdf", headers=receipt_headers(pages, request, entry, number, "pdf"))


def receipt_headers(pages: Pages, request: Request, entry: Entry, number: int, form: str) -> dict[str, str]:
    """A receipt is named by case and date."""
    name = f"{texts.translator(pages.language(request))(texts.RECEIPT_FILE)}-{number}-{pages.moment(entry.at):%Y-%m-%d}.{form}"
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _holds(router: APIRouter, pages: Pages) -> None:
    desk = pages.room.office.cases

    @router.post("/cases/{number}/hold", dependencies=[allow(Permission.REVIEW)])
    def hold(
        request: Request,
        number: Number,
        ground: Annotated[str, Form(max_length=40)] = "",
        reference: Annotated[str, Form(max_length=60)] = "",
        until: Annotated[str, Form(max_length=10)] = "",
    ) -> Response:
        member = member_of(request)
        found = _require(pages, number)
        end = end_of(pages, until)
        if ground not in set(Ground) or end is None:
            return case_page(pages, request, member, found, "hold", 422)
        if not desk.propose_hold(number, member.id, Ground(ground), reference, end):
            return case_page(pages, request, member, found, "hold", 422)
        return RedirectResponse(f"/cases/{number}", _SEE_OTHER)

    @router.post("/cases/{number}/hold/end", dependencies=[allow(Permission.REVIEW)])
    def end(request: Request, number: Number) -> Response:
        member = member_of(request)
        found = _require(pages, number)
        if found.restricted:
            return case_page(pages, request, member, found, "restricted", 409)
        desk.propose_end(number, member.id)
        return RedirectResponse(f"/cases/{number}", _SEE_OTHER)

    @router.post("/cases/{number}/hold/confirm", dependencies=[allow(Permission.REVIEW)])
    def confirm(request: Request, number: Number, version: Version = 0) -> Response:
        member = member_of(request)
        _require(pages, number)
        refused = desk.confirm(number, member.id, version)
        if refused is not None:
            return case_page(pages, request, member, _require(pages, number), refused.value, 409)
        return RedirectResponse(f"/cases/{number}", _SEE_OTHER)


def _orders(router: APIRouter, pages: Pages) -> None:
    recordings = pages.room.recordings

    @router.post("/cameras/{camera}/record", dependencies=[allow(Permission.RECORD)])
    def record(request: Request, camera: str, text: Annotated[str, Form(max_length=500)] = "") -> Response:
        tile = require_camera(pages, camera)
        by = member_of(request).id
        problem = recordings.record(tile.camera.id, by, text.strip(), None) if text.strip() else "reason"
        if problem:
            words = {**texts.RECORDING_PROBLEMS, **texts.DOOR_PROBLEMS}
            health = tile.control.health
            return pages.render(request, "camera.html", status=422, tile=tile, health=health, record_problem=words.get(problem, problem))
        return RedirectResponse(f"/cameras/{camera}", _SEE_OTHER)


def _require(pages: Pages, number: int) -> Case:
    found = pages.room.office.cases.store.get(number)
    if found is None:
        raise HTTPException(404)
    return found


def case_page(pages: Pages, request: Request, member: Member, found: Case, problem: str = "", status: int = 200) -> Response:
    office, rooms = pages.room.office, pages.room.rooms
    return pages.render(
        request,
        "case.html",
        status=status,
        case=views(pages, request, member, [found])[0],
        problem=problem,
        grounds=list(Ground),
        fates=[fate.value for fate in fates(found)],
        door=rooms.refusal(member, found) if found.state in OPENABLE else "not-openable",
        share=rooms.share(found),
        duty=any(duty.case == found.id for duty in office.rights.store.duties(settled=False)),
        present=[pages.person_name(person) for person in rooms.present(found.id)],
        log=[entry for entry, _ in office.log.find(subject=found.clip, most=200)] if member.may(Role.SUPERVISION) else [],
    )


def end_of(pages: Pages, until: str) -> float | None:
    """The last second of the day `until` (YYYY-MM-DD) as POSIX seconds."""
    try:
        day = datetime.strptime(until, "%Y-%m-%d")
    except ValueError:
        return None
    return pages.day_start(f"{day:%Y-%m-%d}").timestamp() + 86_399


def views(pages: Pages, request: Request, member: Member, cases: list[Case]) -> list[dict[str, Any]]:
    """Cases as templates see them."""
    language = pages.language(request)
    translate = texts.translator(language)
    recordings = pages.room.recordings
    now, uncopied = recordings.time(), set(recordings.uncopied())
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
                "near": at - now < 12 * 3600 and not case.restricted,
                "why": why,
                "away": recordings.is_away(case),
                "unheard": recordings.is_unheard(case),
                "copies": recordings.copies(case),
                "uncopied": case.id in uncopied,
                "single": recordings.has_no_place(case),
                "mine": waits_for(case, member.id),
                "verdicts": [(pages.person_name(one.person), one) for one in visible(case, member.id)],
                "given": len(case.verdicts),
                "people": [pages.person_name(person) for person in case.shred_by],
                "hold_owner": pages.person_name(case.hold.owner) if case.hold is not None else "",
                "hold_until": texts.moment(pages.moment(case.hold.until), language) if case.hold is not None else "",
                "proposal_by": pages.person_name(case.proposal.by[0]) if case.proposal is not None else "",
                "proposal_until": texts.moment(pages.moment(case.proposal.until), language)
                if case.proposal is not None and case.proposal.until
                else "",
                "since": texts.clock(pages.moment(case.quarantine.since), language) if case.quarantine is not None else "",
                "undecided": is_undecided(case, now),
                "fate_by": pages.person_name(case.fate.by) if case.fate is not None else "",
                "fate_until": texts.moment(pages.moment(case.fate.hold.until), language)
                if case.fate is not None and case.fate.hold is not None
                else "",
                "may_decide": case.fate is not None and case.fate.by != member.id,
                "may_confirm": case.proposal is not None and member.id not in case.proposal.by,
                "destroyed": texts.clock(pages.moment(case.destroyed), language) if case.destroyed else "",
            }
        )
    return views
