"""Health, metrics, language and theme."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from blickschutz.access.model import Permission
from blickschutz.web.allowed import allow
from blickschutz.web.health import health_view
from blickschutz.web.metrics import CameraCollector, VitalsCollector
from blickschutz.web.pages import Pages
from blickschutz.web.routes.sign_in import local
from blickschutz.web.texts import LANGUAGES

_YEAR_S = 365 * 24 * 3600
_SEE_OTHER = 303


def routes(pages: Pages) -> APIRouter:
    """Pages about the system itself."""
    router = pages.router()
    registry = CollectorRegistry()
    registry.register(CameraCollector(pages.room))
    registry.register(VitalsCollector(pages.room))
    registry.register(pages.refusals)

    @router.get("/health", dependencies=[allow(Permission.HEALTH)])
    def health(request: Request, every: bool = False) -> Response:
        shown = health_view(pages, pages.language(request), every=every)
        stuck = pages.room.recordings.stuck()
        return pages.render(request, "health.html", models=pages.room.models(), stuck=stuck, **shown)

    @router.get("/metrics", dependencies=[allow(Permission.FIGURES)])
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @router.post("/preferences", dependencies=[allow(Permission.PUBLIC)])
    def preferences(
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
