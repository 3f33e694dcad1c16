"""Rules and documents."""

from __future__ import annotations

import asyncio
from datetime import date

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Permission
from blickschutz.compliance.model import Result
from blickschutz.compliance.policy import closed_gates
from blickschutz.web import texts
from blickschutz.web.allowed import allow, member_of
from blickschutz.web.pages import Pages


def routes(pages: Pages) -> APIRouter:
    """What the law asks, and the papers about it."""
    router = APIRouter()

    @router.get("/policy", dependencies=[allow(Permission.POLICY)])
    async def policy(request: Request) -> Response:
        found, at = await asyncio.to_thread(pages.room.policy.assessed)
        index = 0 if pages.language(request) == "de" else 1
        counts = {result: sum(one.answer.result is result for one in found) for result in Result}
        when = texts.clock(pages.moment(at), pages.language(request))
        gates = len(closed_gates(found))
        return pages.render(request, "policy.html", found=found, counts=counts, gates=gates, index=index, when=when)

    @router.get("/documents", dependencies=[allow(Permission.POLICY)])
    async def documents(request: Request) -> Response:
        papers = await asyncio.to_thread(pages.room.policy.documents)
        printed = texts.day(date.fromisoformat(papers.printed), pages.language(request)) if papers is not None else ""
        return pages.render(request, "documents.html", papers=papers, printed=printed)

    @router.post("/documents", dependencies=[allow(Permission.POLICY)])
    async def print_anew(request: Request) -> Response:
        await asyncio.to_thread(pages.room.policy.print_documents, member_of(request).id)
        return RedirectResponse("/documents", 303)

    @router.get("/documents/{name}", dependencies=[allow(Permission.POLICY)])
    async def document(name: str) -> Response:
        data = await asyncio.to_thread(pages.room.policy.document, name)
        if data is None:
            raise HTTPException(404)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(data, media_type="application/pdf", headers=headers)

    return router
