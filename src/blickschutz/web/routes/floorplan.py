"""The picture under the site plan: handed in by the administration, put in force by a second person."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.requests import ClientDisconnect

from blickschutz.access.model import Permission
from blickschutz.compliance.floorplan import MOST_PICTURE, NotTaken
from blickschutz.web.allowed import allow
from blickschutz.web.lanes import Lane
from blickschutz.web.numbers import Number
from blickschutz.web.pages import Pages
from blickschutz.web.routing import in_lane
from blickschutz.web.sessions import member_of
from blickschutz.web.uploads import FormError, receive

UPLOADS = "/plan/picture"
_SEE_OTHER = 303


def routes(pages: Pages) -> APIRouter:
    """Proposal, confirmation, picture."""
    router = pages.router()
    desk, lanes = pages.room.floorplan, pages.lanes

    @router.get("/plan/picture", dependencies=[allow(Permission.PLAN)])
    def form(request: Request) -> Response:
        return _page(request)

    def _page(request: Request, problem: str = "", status: int = 200) -> Response:
        return pages.render(request, "floorplan.html", status=status, current=desk.current(), proposed=desk.proposed(), problem=problem)

    @router.post(UPLOADS, dependencies=[allow(Permission.PROPOSE)])
    async def propose(request: Request) -> Response:
        """Streams: who it is was asked before a byte of the body was read."""
        data = bytearray()

        async def take(part: bytes) -> None:
            data.extend(part)

        try:
            received = await receive(request.headers.get("content-type", ""), request.stream(), take, MOST_PICTURE, "picture")
        except (FormError, ClientDisconnect):
            return await lanes.run(Lane.READ, lambda: _page(request, NotTaken.UNREADABLE.value, 422))
        if received.too_large:
            return await lanes.run(Lane.READ, lambda: _page(request, NotTaken.LARGE.value, 422))
        metres, north = (_number(received.fields.get(name, "")) for name in ("metres", "north"))
        return await lanes.run(Lane.COMPUTE, lambda: _proposed(request, bytes(data), metres, north))

    def _proposed(request: Request, data: bytes, metres: float, north: float) -> Response:
        problem = desk.propose(data, metres, north, member_of(request).id)
        return _page(request, problem.value, 422) if problem is not None else RedirectResponse("/plan/picture", _SEE_OTHER)

    @router.post("/plan/picture/confirm", dependencies=[allow(Permission.CONFIRM)])
    @in_lane(Lane.WRITE)
    def confirm(request: Request, number: Annotated[int, Form(ge=1)] = 1) -> Response:
        problem = desk.confirm(number, member_of(request).id)
        return _page(request, problem.value, 409) if problem is not None else RedirectResponse("/plan", _SEE_OTHER)

    @router.get("/plan/picture/{number}.png", dependencies=[allow(Permission.PLAN)])
    def picture(number: Number) -> Response:
        known = {one.number: one.sha256 for one in (desk.current(), desk.proposed()) if one is not None}
        data = desk.picture(known[number]) if number in known else None
        if data is None:
            raise HTTPException(404)
        return Response(data, media_type="image/png", headers={"Cache-Control": "private, max-age=31536000, immutable"})

    return router


def _number(text: str) -> float:
    """A number as people write it; -1 where it is none."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return -1.0
