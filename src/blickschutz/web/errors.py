"""Pages for what goes wrong: who may not, what is not there, what cannot be stored now. Never a trace of the program."""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse
from starlette.exceptions import HTTPException

from blickschutz.access.rules import PERMISSIONS
from blickschutz.kernel.errors import BlickschutzError, FaultError, StoreBusyError, StoreFullError
from blickschutz.web.allowed import RefusedError, TodoError
from blickschutz.web.kept import SECRETS
from blickschutz.web.lanes import CrowdedError, Lane
from blickschutz.web.limits import is_upload
from blickschutz.web.pages import Pages
from blickschutz.web.routes.sign_in import KEPT
from blickschutz.web.security import headers_of
from blickschutz.web.sessions import session_of, set_cookie

_log = structlog.get_logger(__name__)


class Trouble(StrEnum):
    """Why something did not go: a key of `texts.TROUBLE_WORDS`."""

    BUSY = "busy"
    FULL = "full"
    STORE = "store"
    FAULT = "fault"


# After how many seconds it makes sense to ask again.
RETRY_S = {Trouble.BUSY: 2, Trouble.FULL: 60, Trouble.STORE: 30, Trouble.FAULT: 30}


def trouble_of(error: Exception) -> Trouble:
    """What an error means for whoever asked."""
    if isinstance(error, (StoreBusyError, CrowdedError)):
        return Trouble.BUSY
    if isinstance(error, StoreFullError):
        return Trouble.FULL
    return Trouble.STORE if isinstance(error, BlickschutzError) else Trouble.FAULT


def answer_errors(app: FastAPI, pages: Pages) -> None:
    """Give `app` a page for every error."""

    async def failed(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 422
        if status == 401:
            return await _to_sign_in(pages, request, error)
        if request.scope["type"] != "http":
            return PlainTextResponse("", status)
        template = {403: "no_permission.html", 404: "missing.html"}.get(status, "refused.html")
        admitted = sorted(role.value for role in PERMISSIONS[error.permission]) if isinstance(error, RefusedError) else []
        lane = Lane.READ if pages.member(request) is not None else Lane.PUBLIC
        return await pages.shown(lane, request, template, status=status, admitted=admitted)

    async def not_now(request: Request, error: Exception) -> Response:
        trouble = trouble_of(error)
        pages.refusals.count(trouble.value)
        if isinstance(error, FaultError):
            _log.error("page_not_possible", path=request.url.path, problem=str(error))
        status = HTTPStatus.INTERNAL_SERVER_ERROR if trouble is Trouble.FAULT else HTTPStatus.SERVICE_UNAVAILABLE
        fields = await _fields(request) if trouble is not Trouble.FAULT and _is_page(request) else []
        # A script stays on its page; it needs to hear only that it did not go.
        if not _is_page(request):
            answer: Response = PlainTextResponse(trouble.value, status)
        else:
            keeps = not SECRETS.intersection(name for name, _ in fields)
            form = {"fields": fields if keeps else [], "keeps": keeps, "posted": request.method == "POST"}
            answer = pages.plain(request, "not_now.html", status, trouble=trouble.value, again=_page_of(request), **form)
        if trouble is not Trouble.FAULT:
            answer.headers["Retry-After"] = str(RETRY_S[trouble])
        return answer

    async def broken(request: Request, error: Exception) -> Response:
        # Whatever was not foreseen is answered outside of the guard, which would have added these.
        answer = await not_now(request, error)
        answer.headers.update({**headers_of(pages.site.server.secure), "Cache-Control": "no-store"})
        return answer

    app.add_exception_handler(HTTPException, failed)
    app.add_exception_handler(RequestValidationError, failed)
    app.add_exception_handler(BlickschutzError, not_now)
    app.add_exception_handler(Exception, broken)


def _is_page(request: Request) -> bool:
    """Whether somebody's browser shows what is answered; else a script or a live stream hears it."""
    return request.scope["type"] == "http" and request.headers.get("sec-fetch-mode", "navigate") == "navigate"


def _page_of(request: Request) -> str:
    """Where the same can be tried again: the page itself, or that on which the form was."""
    if request.method != "POST":
        return request.url.path + (f"?{request.url.query}" if request.url.query else "")
    before = urlsplit(request.headers.get("referer", ""))
    return before.path if before.path and before.netloc == request.url.netloc else "/"


async def _fields(request: Request) -> list[tuple[str, str]]:
    """What a form said; it was read already, or is read now."""
    # Whatever brings files is not read here: it may be large, and who sends it may be nobody.
    if request.method != "POST" or is_upload(request.headers):
        return []
    return [(name, value) for name, value in (await request.form()).multi_items() if isinstance(value, str)]


async def _to_sign_in(pages: Pages, request: Request, error: Exception) -> Response:
    """To the page on which somebody signs in, or sets up what is missing; what a form said is kept until then."""
    if isinstance(error, TodoError):
        return RedirectResponse(f"/account?todo={error.todo.value}", 303)
    # A script asks without leaving its page: it must hear that the session is over, not get another page in place of data.
    if not _is_page(request) or "authorization" in request.headers:
        return PlainTextResponse("", 401)
    if request.method != "POST" or is_upload(request.headers):
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?back={quote(asked[:200])}", 303)
    answer = RedirectResponse("/sign-in?back=/kept", 303)
    kept = pages.kept.keep(request.url.path, await _fields(request), pages.room.office.access.sessions.whose(session_of(request)))
    if kept:
        set_cookie(request, answer, KEPT, kept)
    return answer
