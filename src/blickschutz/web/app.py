"""The application: routes, guard, static files, and pages for what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib import resources
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from blickschutz.config.model import SiteFile
from blickschutz.kernel.clock import Clock
from blickschutz.web.pages import Pages
from blickschutz.web.ports import ControlRoom
from blickschutz.web.routes import alerts, cases, control, decisions, live, log, place, sign_in, system, wall
from blickschutz.web.security import Guard

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def make_app(site: SiteFile, room: ControlRoom, clock: Clock, lifespan: Lifespan | None = None) -> FastAPI:
    """The pages of `site` over the running `room`. `lifespan` starts and ends what the pages show."""
    port = site.server.port
    hosts = [f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")]
    app = FastAPI(
        title="Blickschutz",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        middleware=[Middleware(Guard, hosts=hosts)],
    )
    pages = Pages(site, room, clock)
    for part in (wall, live, alerts, decisions, control, place, system, sign_in, cases, log):
        app.include_router(part.routes(pages))
    static = resources.files("blickschutz.web").joinpath("static")
    app.mount("/static", StaticFiles(directory=str(static)), name="static")

    async def failed(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 422
        if status == 401:
            return RedirectResponse(f"/sign-in?back={quote(request.url.path)}", 303)
        if status == 403:
            return pages.render(request, "no_permission.html", status=403)
        return pages.render(request, "missing.html" if status == 404 else "refused.html", status=status)

    app.add_exception_handler(HTTPException, failed)
    app.add_exception_handler(RequestValidationError, failed)
    return app
