"""Sign in and out; one's own passphrase."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Role, SignIn
from blickschutz.kernel.errors import BlickschutzError
from blickschutz.web.pages import SESSION, Pages

_SEE_OTHER = 303


def local(path: str) -> str:
    """`path` where it is one on this server, else the wall; "//host" would be another server."""
    return path if path.startswith("/") and not path.startswith("//") and "\\" not in path else "/"


def routes(pages: Pages) -> APIRouter:
    """Who somebody is."""
    router = APIRouter()
    access = pages.room.recordings.access

    @router.get("/sign-in")
    async def ask(request: Request, back: str = "/") -> Response:
        return pages.render(request, "sign_in.html", problem="", back=local(back), given="")

    @router.post("/sign-in")
    async def sign_in(
        request: Request,
        person: Annotated[str, Form(max_length=40)] = "",
        password: Annotated[str, Form(max_length=200)] = "",
        back: Annotated[str, Form(max_length=200)] = "/",
    ) -> Response:
        outcome, token = await asyncio.to_thread(access.sign_in, person.strip(), password)
        if outcome is not SignIn.OK:
            status = 429 if outcome is SignIn.LOCKED else 403
            return pages.render(request, "sign_in.html", status=status, problem=outcome.value, back=local(back), given=person)
        answer = RedirectResponse(local(back), _SEE_OTHER)
        answer.set_cookie(SESSION, token, httponly=True, samesite="strict")
        return answer

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        await asyncio.to_thread(access.sign_out, request.cookies.get(SESSION, ""))
        answer = RedirectResponse("/", _SEE_OTHER)
        answer.delete_cookie(SESSION)
        return answer

    @router.post("/passphrase")
    async def passphrase(request: Request) -> Response:
        member = pages.require(request, Role.REVIEW, Role.SUPERVISION)
        try:
            address = await pages.room.recordings.rooms.key_desk(member, pages.language(request), pages.theme(request, "light"))
        except (BlickschutzError, OSError, TimeoutError):
            return pages.render(request, "door.html", status=503, case=None, address="", problem="room-failed")
        return pages.render(request, "door.html", case=None, address=address, problem="")

    return router
