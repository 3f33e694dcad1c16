"""The pages of the overview: sign-in, the sites, one's own account, the log. They need no script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from blickschutz.access.model import Member, Permission, Todo
from blickschutz.access.rules import may
from blickschutz.access.service import Access
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import BlickschutzError
from blickschutz.overview.model import Known
from blickschutz.web import texts
from blickschutz.web.lanes import Lane, Lanes
from blickschutz.web.limits import BodyLimit
from blickschutz.web.security import RequestCheck, headers_of
from blickschutz.web.sessions import session_of
from blickschutz.web.templating import templates

HALF = "half"
SEE_OTHER = 303


class TodoError(HTTPException):
    """Somebody must do something for their account first."""

    def __init__(self) -> None:
        super().__init__(401)


@dataclass(frozen=True, slots=True)
class House:
    """What the pages show and ask. `names` and `addresses` are of the sites, by id; `known` is what was read last."""

    name: str
    language: str
    zone: ZoneInfo
    access: Access
    log: AuditLog
    names: Mapping[str, str]
    addresses: Mapping[str, str]
    known: Callable[[], Mapping[str, Known]]
    clock: Clock


class Pages:
    """Renders pages, and says who asks."""

    def __init__(self, house: House) -> None:
        self.house, self.lanes = house, Lanes()
        self._templates = templates("blickschutz.overview")

    def language(self, request: Request) -> str:
        chosen = request.cookies.get("language", "")
        return chosen if chosen in texts.LANGUAGES else self.house.language

    def moment(self, at: datetime) -> datetime:
        return at.astimezone(self.house.zone)

    def render(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        language, theme = self.language(request), request.cookies.get("theme", "")
        member = getattr(request.state, "member", None)
        shared = {
            "_": texts.translator(language),
            "language": language,
            "languages": texts.LANGUAGES,
            "theme": theme if theme in {"dark", "light"} else "light",
            "member": member,
            "may": lambda word: member is not None and may(member, Permission(word)),
            "name": self.house.name,
            "path": request.url.path,
            "words": texts,
            "number": lambda value, digits=1: texts.number(value, language, digits),
        }
        return HTMLResponse(self._templates.get_template(template).render({**shared, **values}), status)


class Allow:
    """A dependency of every route: who asks, and whether they may. Everybody here needs a second factor."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> None:
        pages: Pages = request.app.state.pages
        request.state.member = None
        if not request.cookies and self.permission is Permission.PUBLIC:
            return
        member, todo = await pages.lanes.run(Lane.PUBLIC if not request.cookies else Lane.READ, lambda: who(pages.house.access, request))
        request.state.member = member
        if self.permission is Permission.PUBLIC:
            return
        if member is None:
            raise HTTPException(401)
        if todo is not None and self.permission is not Permission.OWN:
            raise TodoError
        if not may(member, self.permission):
            path = request.url.path[:80]
            await pages.lanes.run(Lane.WRITE, lambda: pages.house.log.write(Event.ACCESS_REFUSED, member.id, path, {"reason": "role"}))
            raise HTTPException(403)


def who(access: Access, request: Request) -> tuple[Member | None, Todo | None]:
    """Who is signed in and what they must do first."""
    member, todo = access.who(session_of(request))
    if member is not None and todo is None and not access.factors.count(member.id):
        todo = Todo.FACTOR
    return member, todo


Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def make_overview(house: House, hosts: list[str], *, secure: bool, lifespan: Lifespan | None = None) -> FastAPI:
    """The application. `hosts` may stand in a request's Host header."""
    from blickschutz.overview import routes  # it is built of what stands above

    middleware = [Middleware(RequestCheck, hosts=hosts, secure=secure), Middleware(BodyLimit)]
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan, middleware=middleware)
    pages = app.state.pages = Pages(house)
    for part in (routes.sites, routes.doors, routes.own):
        app.router.routes.extend(part(pages).routes)
    app.mount("/static", StaticFiles(directory=str(resources.files("blickschutz.web").joinpath("static"))), name="static")
    _answer_errors(app, pages, secure=secure)
    return app


def _answer_errors(app: FastAPI, pages: Pages, *, secure: bool) -> None:
    def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 422
        if isinstance(error, TodoError):
            return RedirectResponse("/account", SEE_OTHER)
        if status == 401:
            return RedirectResponse("/sign-in", SEE_OTHER)
        return pages.render(request, "said.html", status, code=status)

    def not_now(request: Request, error: Exception) -> Response:
        del error  # whoever wrote or read it has logged it
        return pages.render(request, "said.html", 503, code=503)

    def broken(request: Request, error: Exception) -> Response:
        """It is logged by the server, which asks this outside of what gives every answer its headers."""
        answer = not_now(request, error)
        answer.headers.update({**headers_of(secure), "Cache-Control": "no-store"})
        return answer

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, refused)
    app.add_exception_handler(BlickschutzError, not_now)
    app.add_exception_handler(Exception, broken)
