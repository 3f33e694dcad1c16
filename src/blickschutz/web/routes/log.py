"""The log, for the data protection officer: entries with filters, state of the chain, export."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import chain, islice

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from blickschutz.access.model import Permission
from blickschutz.audit.model import Event
from blickschutz.web import texts
from blickschutz.web.allowed import allow
from blickschutz.web.lanes import Lane
from blickschutz.web.log_words import Names, said
from blickschutz.web.numbers import Before, Number
from blickschutz.web.pages import Pages
from blickschutz.web.routes.cases import receipt_pdf
from blickschutz.web.routing import in_lane
from blickschutz.web.sessions import member_of

_PAGE = 100


def routes(pages: Pages) -> APIRouter:
    """What the data protection officer sees; no picture anywhere."""
    router = pages.router()
    log = pages.room.office.log

    @router.get("/log", dependencies=[allow(Permission.LOG)])
    @in_lane(Lane.WRITE)
    def entries(request: Request, event: str = "", by: str = "", subject: str = "", before: Before = 0) -> Response:
        member = member_of(request)
        chosen = {"event": event if event in set(Event) else "", "by": by.strip()[:40], "subject": subject.strip()[:80]}
        log.write(Event.LOG_SEEN, member.id, "", {name: value for name, value in chosen.items() if value})
        found = log.find(**chosen, before=max(0, before), most=_PAGE)
        report = pages.room.recordings.chain()
        newest, hashed, point = log.state()

        def when(at: float) -> str:
            return texts.clock(pages.moment(at), pages.language(request))

        names = Names(pages.language(request), pages.person_name, pages.camera_name, when)
        return pages.render(
            request,
            "log.html",
            entries=[said(entry, hashed, names) for entry, hashed in found],
            chosen=chosen,
            events=list(Event),
            newest=newest,
            hash=hashed,
            point=point,
            point_at=when(point.at) if point is not None else "",
            faults=report.faults,
            verified=report.number,
            verified_at=when(report.at) if report.at else "",
            whole_at=when(report.whole_at) if report.whole_at else "",
            older=found[-1][0].number if len(found) == _PAGE else 0,
            public=log.public.hex(),
        )

    @router.get("/log/{number}/receipt.pdf", dependencies=[allow(Permission.LOG)])
    @in_lane(Lane.COMPUTE)
    def receipt(request: Request, number: Number) -> Response:
        """The receipt that stands in an entry, on paper."""
        found = log.find(event=Event.SHREDDED.value, before=number + 1, most=1)
        if not found or found[0][0].number != number:
            raise HTTPException(404)
        entry, _ = found[0]
        return receipt_pdf(pages, request, entry, int(str(entry.facts.get("case", 0))))

    @router.get("/log/export", dependencies=[allow(Permission.LOG)])
    @in_lane(Lane.WRITE)
    def export(request: Request) -> Response:
        member = member_of(request)
        log.write(Event.LOG_EXPORTED, member.id)
        headers = {"Content-Disposition": 'attachment; filename="protokoll.jsonl"'}
        lines = log.export()
        # The first line comes with a fresh checkpoint: where that cannot be written, it is said before anything is sent.
        lines = chain([next(lines)], lines)
        return StreamingResponse(_lines(pages, lines), media_type="application/jsonl", headers=headers)

    return router


async def _lines(pages: Pages, lines: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Lines of an exported log, a thousand at a time."""
    while part := await pages.lanes.run(Lane.READ, lambda: list(islice(lines, 1000))):
        yield b"\n".join(part) + b"\n"
