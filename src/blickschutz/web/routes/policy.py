"""Rules and documents."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Permission
from blickschutz.compliance.documents.model import Picture, Plan, Sentence, Table
from blickschutz.compliance.model import Result
from blickschutz.compliance.policy import closed_gates
from blickschutz.web import texts
from blickschutz.web.allowed import allow
from blickschutz.web.pages import Pages
from blickschutz.web.sessions import member_of

Day = Annotated[str, Query(max_length=20)]
_USUAL_DAYS, _MOST_DAYS = 30, 3 * 366


def routes(pages: Pages) -> APIRouter:
    """What the law asks, and the papers about it."""
    router = pages.router()

    @router.get("/policy", dependencies=[allow(Permission.POLICY)])
    def policy(request: Request) -> Response:
        found, at = pages.room.policy.assessed()
        index = 0 if pages.language(request) == "de" else 1
        counts = {result: sum(one.answer.result is result for one in found) for result in Result}
        when = texts.clock(pages.moment(at), pages.language(request))
        gates = len(closed_gates(found))
        return pages.render(request, "policy.html", found=found, counts=counts, gates=gates, index=index, when=when)

    @router.get("/documents", dependencies=[allow(Permission.POLICY)])
    def documents(request: Request) -> Response:
        papers = pages.room.policy.documents()
        printed = texts.day(date.fromisoformat(papers.printed), pages.language(request)) if papers is not None else ""
        return pages.render(request, "documents.html", papers=papers, printed=printed)

    @router.post("/documents", dependencies=[allow(Permission.POLICY)])
    def print_anew(request: Request) -> Response:
        pages.room.policy.print_documents(member_of(request).id)
        return RedirectResponse("/documents", 303)

    @router.get("/documents/{name}", dependencies=[allow(Permission.POLICY)])
    def document(name: str) -> Response:
        data = pages.room.policy.document(name)
        if data is None:
            raise HTTPException(404)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(data, media_type="application/pdf", headers=headers)

    @router.get("/report", dependencies=[allow(Permission.POLICY)])
    def report(request: Request, first: Day = "", last: Day = "", public: Day = "") -> Response:
        period, problem = _period(pages, first, last)
        return _report(pages, request, period, "period" if problem else "", public=bool(public))

    @router.get("/report.pdf", dependencies=[allow(Permission.POLICY)])
    def printed_report(request: Request, first: Day = "", last: Day = "", public: Day = "") -> Response:
        period, problem = _period(pages, first, last)
        if problem:
            raise HTTPException(422)
        if public and (refused := pages.room.policy.not_public(*period)) is not None:
            return _report(pages, request, period, refused[0].value, public=True)
        by = member_of(request).id
        data = pages.room.policy.print_report(*period, by, public=bool(public))
        if data is None:
            return _report(pages, request, period, "gone", public=True)
        name = f"bericht-{'oeffentlich' if public else 'intern'}-{period[0]}-{period[1]}.pdf"
        return Response(data, media_type="application/pdf", headers={"Content-Disposition": f'attachment; filename="{name}"'})

    return router


def _report(pages: Pages, request: Request, period: tuple[date, date], problem: str, *, public: bool) -> Response:
    """The page of a report. Whether a public one may be printed is said before somebody tries."""
    policy, language = pages.room.policy, pages.language(request)
    found = policy.report(*period, public=public)
    figures = policy.desk.crime(*period, "de" if language == "de" else "en")
    refused = policy.not_public(*period) if public else None
    return pages.render(
        request,
        "report.html",
        status={"": 200, "period": 422}.get(problem, 409),
        problem=problem,
        refused=refused[0].value if refused is not None else "",
        other=[texts.day(day, language) for day in refused[1]] if refused is not None else [],
        report=found,
        figures=figures,
        signed_by=[one.name for one in figures.source.signatures] if figures.source is not None else [],
        parts=[(section.title, [_part(part) for part in section.parts]) for section in found.sections],
        first=period[0].isoformat(),
        last=period[1].isoformat(),
        public=public,
    )


def _period(pages: Pages, first: str, last: str) -> tuple[tuple[date, date], bool]:
    """The days that were asked for and whether something is wrong with them; else the last thirty days that are over."""
    today = pages.room.regime.now().date()
    usual = today - timedelta(days=_USUAL_DAYS), today - timedelta(days=1)
    if not first and not last:
        return usual, False
    try:
        begin, end = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        return usual, True
    # A report goes to the end of its last day, which the last of all days has not.
    fits = timedelta(0) <= end - begin <= timedelta(days=_MOST_DAYS) and end < date.max
    return ((begin, end), False) if fits else (usual, True)


def _part(part: Sentence | Table | Plan | Picture) -> dict[str, Any]:
    """A part of a report as the template sees it; rows with a number have its share of the largest."""
    if isinstance(part, Plan | Picture):
        part = part.caption
    if isinstance(part, Sentence):
        return {"text": part.text, "known": part.known, "evidence": "; ".join(map(str, part.evidence))}
    counts = [int(cells[part.bar]) if part.bar is not None and cells[part.bar].isdigit() else 0 for cells, _ in part.rows]
    most = max([1, *counts])
    rows = [(cells, "; ".join(map(str, evidence)), 100 * count / most) for (cells, evidence), count in zip(part.rows, counts, strict=True)]
    return {"columns": part.columns, "rows": rows, "bar": part.bar is not None}
