"""The stop control (AI Act, Art. 14): for one camera and for all, each with a page that says what will happen."""

from __future__ import annotations

from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Permission
from blickschutz.access.rules import PERMISSIONS, may
from blickschutz.web import texts
from blickschutz.web.allowed import allow
from blickschutz.web.pages import Pages, TileView
from blickschutz.web.routes.wall import require
from blickschutz.web.sessions import member_of

_log = structlog.get_logger(__name__)
_SEE_OTHER = 303

Reason = Annotated[str, Form(max_length=200)]


def routes(pages: Pages) -> APIRouter:
    """Stop and resume."""
    router = pages.router()

    @router.get("/stop", dependencies=[allow(Permission.STOP)])
    def ask_all(request: Request) -> Response:
        return _page(request, None, resume=pages.all_stopped())

    @router.get("/resume", dependencies=[allow(Permission.RESUME)])
    def ask_resume_all(request: Request) -> Response:
        return _page(request, None, resume=True)

    @router.get("/cameras/{camera}/stop", dependencies=[allow(Permission.STOP)])
    def ask(request: Request, camera: str) -> Response:
        tile = require(pages, camera)
        return _page(request, tile, resume=tile.control.stopped)

    @router.post("/stop", dependencies=[allow(Permission.STOP)])
    def stop_all(request: Request, reason: Reason = "") -> Response:
        return _decide(request, None, True, reason)

    @router.post("/resume", dependencies=[allow(Permission.RESUME)])
    def resume_all(request: Request, reason: Reason = "") -> Response:
        return _decide(request, None, False, reason)

    @router.post("/cameras/{camera}/stop", dependencies=[allow(Permission.STOP)])
    def stop(request: Request, camera: str, reason: Reason = "") -> Response:
        return _decide(request, require(pages, camera), True, reason)

    @router.post("/cameras/{camera}/resume", dependencies=[allow(Permission.RESUME)])
    def resume(request: Request, camera: str, reason: Reason = "") -> Response:
        return _decide(request, require(pages, camera), False, reason)

    def _page(request: Request, tile: TileView | None, *, resume: bool, problem: str = "") -> Response:
        """Asks for the act; whoever may only stop is told that it is done, and who may start again."""
        translate = texts.translator(pages.language(request))
        resumers = sorted(translate(texts.ROLE_WORDS[role.value]) for role in PERMISSIONS[Permission.RESUME])
        done = resume and not may(pages.member(request), Permission.RESUME)
        status = {"": 200, "preparing": 409}.get(problem, 422)
        values = {"resume": resume, "done": done, "problem": problem, "reason": "", "resumers": resumers}
        return pages.render(request, "stop.html", status=status, tile=tile, **values)

    def _decide(request: Request, tile: TileView | None, on: bool, reason: str) -> Response:
        """Stop or resume one camera, or all of them where `tile` is None."""
        if not reason.strip():
            return _page(request, tile, resume=not on, problem="reason")
        if pages.room.preparing and not on:
            return _page(request, tile, resume=True, problem="preparing")
        camera = tile.camera.id if tile else "all"
        _log.warning("stop_control", camera=camera, stopped=on, reason=reason.strip())
        stops = pages.room.stops
        (stops.stop if on else stops.resume)(camera, member_of(request).id, reason.strip())
        # Back to the pictures, or, for whoever sees none, to what is true now.
        sees = may(member_of(request), Permission.WALL)
        back = (f"/cameras/{camera}" if sees else f"/cameras/{camera}/stop") if tile else ("/wall" if sees else "/stop")
        return RedirectResponse(back, _SEE_OTHER)

    return router
