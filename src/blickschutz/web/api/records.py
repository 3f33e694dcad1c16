"""Cases, recordings by hand, the log, people."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request

from blickschutz.access.model import Permission
from blickschutz.audit.model import Event
from blickschutz.review.model import Case, CaseState, Hold
from blickschutz.web.allowed import allow_token
from blickschutz.web.api import models as m
from blickschutz.web.api.problems import ApiProblem
from blickschutz.web.lanes import Lane
from blickschutz.web.pages import Pages
from blickschutz.web.routing import in_lane
from blickschutz.web.sessions import member_of

_MOST = 100
Before = Annotated[int, Query(ge=0, le=2**53)]


def _in_force(case: Case) -> Hold | None:
    """The hold that keeps a case now; its row keeps one that has ended, too."""
    return case.hold if case.state is CaseState.HELD else None


def routes(pages: Pages) -> APIRouter:
    """What is written down."""
    router, recordings, office = pages.router(), pages.room.recordings, pages.room.office

    def _case(case: Case) -> m.Case:
        end, _ = recordings.deadline(case)
        return m.Case(
            id=case.id,
            clip=case.clip,
            camera=case.camera,
            mode=case.mode,
            cause=case.cause,
            state=case.state.value,
            opened=pages.moment(case.opened),
            deadline=pages.moment(end) if not pages.room.clock.suspended else None,
            verdicts=len(case.verdicts),
            held_until=pages.moment(hold.until) if (hold := _in_force(case)) is not None else None,
        )

    def _hold(hold: Hold) -> m.Hold:
        return m.Hold(
            ground=hold.ground,
            reference=hold.reference,
            owner=hold.owner,
            by=list(hold.by),
            since=pages.moment(hold.since),
            until=pages.moment(hold.until),
        )

    @router.get("/cases", dependencies=[allow_token(Permission.CASES)])
    def cases(start: Annotated[int, Query(ge=0, le=1_000_000)] = 0) -> m.Cases:
        """Cases that wait for somebody, the next deadline first, a hundred at a time."""
        found = office.cases.queue(start, _MOST + 1)
        return m.Cases(cases=[_case(one) for one in found[:_MOST]], more=len(found) > _MOST)

    @router.get("/cases/{number}", dependencies=[allow_token(Permission.CASES)])
    @in_lane(Lane.WRITE)
    def case(request: Request, number: m.Number) -> m.Case:
        """One case."""
        found = office.cases.store.get(number)
        if found is None:
            raise HTTPException(404)
        office.log.write(Event.CASE_SEEN, member_of(request).id, found.clip, {"case": number})
        hold = _in_force(found)
        return _case(found).model_copy(update={"hold": _hold(hold) if hold is not None else None})

    @router.get("/packages", dependencies=[allow_token(Permission.EVIDENCE)])
    def packages() -> list[m.Package]:
        """Packages of evidence that are on this machine, the newest first."""
        found = recordings.packages()
        return [m.Package(name=name, bytes=size, made=pages.moment(made)) for name, size, made in found]

    @router.post("/cameras/{camera}/record", dependencies=[allow_token(Permission.RECORD)], status_code=202)
    def record(request: Request, camera: str, wish: m.Note) -> m.Note:
        """Order a recording by hand."""
        if all(tile.camera.id != camera for tile in pages.tiles()):
            raise HTTPException(404)
        problem = recordings.record(camera, member_of(request).id, wish.text, None)
        if problem:
            raise ApiProblem(409, problem, "Nothing is recorded now.")
        return wish

    @router.get("/log", dependencies=[allow_token(Permission.LOG)])
    @in_lane(Lane.WRITE)
    def log(
        request: Request,
        event: Event | None = None,
        by: Annotated[str, Query(max_length=40)] = "",
        subject: Annotated[str, Query(max_length=80)] = "",
        before: Before = 0,
    ) -> m.Entries:
        """Entries of the log, the newest first, a hundred at a time. Reading it is an entry too."""
        office.log.write(Event.LOG_SEEN, member_of(request).id, "", {"by": "token"})
        word = event.value if event is not None else ""
        found = office.log.find(event=word, by=by, subject=subject, before=before, most=_MOST)
        entries = [
            m.Entry(
                number=one.number,
                at=pages.moment(one.at),
                event=one.event.value,
                by=one.by,
                subject=one.subject,
                facts=dict(one.facts),
                hash=hashed,
            )
            for one, hashed in found
        ]
        return m.Entries(entries=entries, next_before=entries[-1].number if len(entries) == _MOST else None)

    @router.get("/people", dependencies=[allow_token(Permission.PEOPLE)])
    def people() -> list[m.Person]:
        """Everybody with an account."""
        access = office.access
        factors = access.factors.counts()
        return [
            m.Person(
                id=one.id,
                name=one.name,
                roles=sorted(role.value for role in one.roles),
                state=one.state.value,
                trained_until=one.trained_until.isoformat() if one.trained_until is not None else None,
                second_factors=factors.get(one.id, 0),
            )
            for one in access.members.values()
        ]

    return router
