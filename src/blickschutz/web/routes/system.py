"""Health, metrics, language and theme."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from blickschutz.access.model import Permission
from blickschutz.web import texts
from blickschutz.web.allowed import allow
from blickschutz.web.metrics import CameraCollector
from blickschutz.web.pages import Pages
from blickschutz.web.routes.sign_in import local
from blickschutz.web.texts import LANGUAGES

_YEAR_S = 365 * 24 * 3600
_SEE_OTHER = 303


def routes(pages: Pages) -> APIRouter:
    """Pages about the system itself."""
    router = APIRouter()
    registry = CollectorRegistry()
    registry.register(CameraCollector(pages.room))

    @router.get("/health", dependencies=[allow(Permission.HEALTH)])
    async def health(request: Request) -> Response:
        room = pages.room
        until = room.certificate_until()
        return pages.render(
            request,
            "health.html",
            tiles=pages.tiles(),
            channels=await asyncio.to_thread(room.alerts.queues),
            desk_problem=room.problem,
            forecast=await asyncio.to_thread(room.recordings.forecast),
            offset=room.recordings.clock_offset(),
            certificate=texts.day(until.date(), pages.language(request)) if until is not None else "",
            quarantined=len(await asyncio.to_thread(room.office.quarantine.waiting)),
            stuck=room.recordings.stuck(),
            chain=room.recordings.chain(),
            models=await asyncio.to_thread(room.models),
        )

    @router.get("/metrics", dependencies=[allow(Permission.FIGURES)])
    async def metrics() -> Response:
        return Response(await asyncio.to_thread(generate_latest, registry), media_type=CONTENT_TYPE_LATEST)

    @router.post("/preferences", dependencies=[allow(Permission.PUBLIC)])
    async def preferences(
        request: Request,
        language: Annotated[str, Form(max_length=5)] = "",
        theme: Annotated[str, Form(max_length=5)] = "",
        back: Annotated[str, Form(max_length=200)] = "/",
    ) -> Response:
        answer, secure = RedirectResponse(local(back), _SEE_OTHER), request.url.scheme == "https"
        if language in LANGUAGES:
            answer.set_cookie("language", language, max_age=_YEAR_S, httponly=True, samesite="strict", secure=secure)
        if theme in {"dark", "light"}:
            answer.set_cookie("theme", theme, max_age=_YEAR_S, httponly=True, samesite="strict", secure=secure)
        return answer

    return router
