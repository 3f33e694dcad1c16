"""The programming interface as an application of its own, with its description (OpenAPI 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from blickschutz import __version__
from blickschutz.access.model import Permission
from blickschutz.access.rules import PERSONAL, permitted
from blickschutz.kernel.errors import BlickschutzError
from blickschutz.web.allowed import allow_token, rows
from blickschutz.web.api import alerts, cameras, overview, records
from blickschutz.web.api.models import Me, Problem
from blickschutz.web.api.naming import EXAMPLES, OPERATIONS, TAGS
from blickschutz.web.api.problems import ApiProblem
from blickschutz.web.errors import RETRY_S, Trouble, trouble_of
from blickschutz.web.pages import Pages
from blickschutz.web.routing import route_class
from blickschutz.web.security import headers_of
from blickschutz.web.sessions import member_of

_ABOUT = (
    "Tokens are made on the page of one's own account. A token acts as its person, within its scopes, and ends with them. "
    "Reviews are not here: they take two people in a room."
)
_PROBLEMS = {
    401: ("sign-in", "The token is missing, unknown or over."),
    403: ("forbidden", "The token or its person may not do that. This was written into the log."),
    404: ("not-found", "There is no such thing."),
    405: ("method", "That method is not allowed here."),
    409: ("conflict", "Somebody else was faster, or it cannot be done now."),
    503: ("not-now", "It does not go now; `Retry-After` says when to ask again."),
    422: ("form", "The request is incomplete or has a form that is not meant here."),
}

_TROUBLES = {
    Trouble.BUSY: "Somebody else is writing; nothing was changed. Ask again in a moment.",
    Trouble.FULL: "The disk is full; nothing was changed.",
    Trouble.STORE: "A disk, a database or a device does not do what it should; the page of health says more.",
    Trouble.FAULT: "This is a fault of Blickschutz. It was written down.",
}
_PROBLEM_TYPE = "application/problem+json"


def make_api(pages: Pages) -> FastAPI:
    """Mounted beside the pages; nothing in it looks at a session."""
    api = FastAPI(title="Blickschutz", docs_url=None, redoc_url=None, openapi_url=None)
    api.state.room, api.state.lanes = pages.room, pages.lanes
    api.router.route_class = route_class(pages.lanes)
    api.router.routes.extend(route for part in (cameras, alerts, records, overview) for route in part.routes(pages).routes)

    @api.get("/me", dependencies=[allow_token(Permission.OWN)])
    def me(request: Request) -> Me:
        """Whose token this is, and what it may do now."""
        member = member_of(request)
        token = request.headers["authorization"].partition(" ")[2].strip()
        found = pages.room.office.access.bearer(token)
        scopes = found[1] if found is not None else permitted(member) - PERSONAL
        return Me(person=member.id, roles=sorted(role.value for role in member.roles), scopes=sorted(one.value for one in scopes))

    @api.get("/openapi.json", dependencies=[allow_token(Permission.OWN)], include_in_schema=False)
    def description() -> Response:
        return JSONResponse(describe(api))

    async def failed(request: Request, error: Exception) -> Response:
        del request
        status = error.status_code if isinstance(error, HTTPException) else 422
        word, text = _PROBLEMS.get(status, ("refused", "That was refused."))
        if isinstance(error, RequestValidationError):
            found = [{"where": one["loc"], "text": one["msg"]} for one in error.errors()]
            return _problem(422, word, text, fields=jsonable_encoder(found))
        headers = error.headers if isinstance(error, HTTPException) else None
        if isinstance(error, ApiProblem):
            word, text = error.problem, str(error.detail)
        return _problem(status, word, text, headers)

    def not_now(request: Request, error: Exception) -> Response:
        del request
        trouble = trouble_of(error)
        pages.refusals.count(trouble.value)
        if trouble is Trouble.FAULT:
            return _problem(500, trouble.value, _TROUBLES[trouble])
        return _problem(503, trouble.value, _TROUBLES[trouble], {"Retry-After": str(RETRY_S[trouble])})

    def broken(request: Request, error: Exception) -> Response:
        answer = not_now(request, error)
        answer.headers.update({**headers_of(pages.site.server.secure), "Cache-Control": "no-store"})
        return answer

    api.add_exception_handler(HTTPException, failed)
    api.add_exception_handler(RequestValidationError, failed)
    api.add_exception_handler(BlickschutzError, not_now)
    api.add_exception_handler(Exception, broken)
    return api


def _problem(status: int, word: str, text: str, headers: Mapping[str, str] | None = None, **more: object) -> JSONResponse:
    """RFC 9457, with a word that programs compare."""
    about = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "problem": word, "text": text}
    return JSONResponse({**about, **more}, status, headers=headers, media_type=_PROBLEM_TYPE)


def describe(api: FastAPI) -> dict[str, object]:
    """The description, with the permission that each function takes, its id and group, and examples."""
    found = get_openapi(title="Blickschutz", version=__version__, openapi_version="3.1.0", description=_ABOUT, routes=api.routes)
    found["servers"] = [{"url": "/api/v1"}]
    found["security"] = [{"token": []}]
    parts = found.setdefault("components", {})
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    parts.setdefault("schemas", {}).update({**schema.pop("$defs"), "Problem": schema})
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    problem = {"content": {_PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    named = [row for route in api.routes if hasattr(route, "path") for row in rows(route)]
    scopes = {(path, method.lower()): permission.value for method, path, permission in named if permission is not None}
    for path, methods in found["paths"].items():
        for method, about in methods.items():
            about["x-permission"] = scopes[path, method]
            about["description"] += f"\n\nPermission: `{scopes[path, method]}`."
            about["operationId"], tag = OPERATIONS[method, path]
            about["tags"] = [tag]
            for status in (401, 403, 404, 409, 422, 503):
                about["responses"][str(status)] = {"description": _PROBLEMS[status][1], **problem}
    found["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    for name, example in EXAMPLES.items():
        parts["schemas"][name]["examples"] = [example]
    return dict(found)
