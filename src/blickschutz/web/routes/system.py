"""Health, metrics, language and theme."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from blickschutz.access.model import Role
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

    @router.get("/health")
    async def health(request: Request) -> Response:
        room = pages.room
        return pages.render(request, "health.html", tiles=pages.tiles(), unsent=room.unsent(), desk_problem=room.problem)

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @router.post("/preferences")
    async def preferences(
        language: Annotated[str, Form(max_length=5)] = "",
        theme: Annotated[str, Form(max_length=5)] = "",
        person: Annotated[str, Form(max_length=80)] = "",
        back: Annotated[str, Form(max_length=200)] = "/",
    ) -> Response:
        answer = RedirectResponse(local(back), _SEE_OTHER)
        if language in LANGUAGES:
            answer.set_cookie("language", language, max_age=_YEAR_S, httponly=True, samesite="strict")
        if theme in {"dark", "light"}:
            answer.set_cookie("theme", theme, max_age=_YEAR_S, httponly=True, samesite="strict")
        if any(person == other.name and Role.CONTROL_ROOM in other.roles for other in pages.site.people):
            answer.set_cookie("person", quote(person), max_age=_YEAR_S, httponly=True, samesite="strict")
        return answer

    return router
