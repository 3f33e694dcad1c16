"""The application: routes, guard, static files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from importlib import resources

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from blickschutz.access.model import Permission, Turned
from blickschutz.access.rules import place_of
from blickschutz.config.model import SiteFile
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import FaultError
from blickschutz.web.allowed import rows
from blickschutz.web.api.app import make_api
from blickschutz.web.errors import answer_errors
from blickschutz.web.limits import BodyLimit
from blickschutz.web.pages import Pages
from blickschutz.web.ports import ControlRoom
from blickschutz.web.routes import (
    account,
    alert_times,
    alerts,
    bar,
    camera_list,
    cases,
    clock,
    control,
    decisions,
    facts,
    floorplan,
    house,
    keeping,
    live,
    log,
    people,
    place,
    policy,
    requests,
    sensitivity,
    setup,
    shift,
    sign_in,
    system,
    trials,
    versions,
    wall,
    wall_views,
)
from blickschutz.web.security import RequestCheck, hosts_of

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
API = "/api/v1"
_PARTS = (
    wall,
    wall_views,
    live,
    alert_times,
    alerts,
    bar,
    decisions,
    shift,
    control,
    place,
    floorplan,
    system,
    sign_in,
    account,
    people,
    house,
    setup,
    camera_list,
    trials,
    versions,
    policy,
    facts,
    requests,
    cases,
    keeping,
    clock,
    sensitivity,
    log,
)


def make_app(site: SiteFile, room: ControlRoom, clock: Clock, lifespan: Lifespan | None = None, guard: Guard | None = None) -> FastAPI:
    """The pages of `site` over the running `room`. `lifespan` starts and ends what the pages show; `guard` is the process's."""
    turned = room.office.access.turned

    def foreign(address: str) -> None:
        turned.count(Turned.FOREIGN, place_of(address))

    hosts = hosts_of(site.server.known_names, site.server.port)
    check = Middleware(RequestCheck, hosts=hosts, secure=site.server.secure, on_refused=foreign)
    app = FastAPI(
        title="Blickschutz",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        middleware=[check, Middleware(BodyLimit, uploads=[facts.UPLOADS, floorplan.UPLOADS])],
    )
    pages = Pages(site, room, clock, guard)
    app.state.room, app.state.lanes = room, pages.lanes
    # As they are: an included router makes each of its routes a second time when it is first asked, in the event loop.
    app.router.routes.extend(route for part in _PARTS for route in part.routes(pages).routes)
    app.mount(API, make_api(pages))
    static = resources.files("blickschutz.web").joinpath("static")
    app.mount("/static", StaticFiles(directory=str(static)), name="static")
    without = [f"{method} {path}" for method, path, permission in table(app) if permission is None]
    if without:
        raise FaultError(f"these routes name no permission: {', '.join(without)}")
    answer_errors(app, pages)
    return app


def table(app: FastAPI) -> Iterator[tuple[str, str, Permission | None]]:
    """Every route: method (or WS), path, and the permission it names. Files that everybody may have are PUBLIC."""
    for route in app.routes:
        path = getattr(route, "path", "")
        if isinstance(route, Mount) and isinstance(route.app, StaticFiles):
            yield "GET", f"{path}/*", Permission.PUBLIC
        elif isinstance(route, Mount) and isinstance(route.app, FastAPI):
            yield from ((method, f"{path}{inner}", permission) for method, inner, permission in table(route.app))
        elif path:
            yield from rows(route)
