"""The pages of a review room, on an address of its own. A seat's address is good in one session and one browser, while the room lives."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from importlib import resources
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Form, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, StreamingResponse
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from blickschutz.kernel.errors import BlickschutzError
from blickschutz.review.model import Ground, Verdict
from blickschutz.reviewroom.messages import Guest, RoomSettings
from blickschutz.reviewroom.own import browser_of, recognise, require_session
from blickschutz.reviewroom.playback import Playback
from blickschutz.reviewroom.release import Release
from blickschutz.reviewroom.room import Room, RoomError, Seat
from blickschutz.reviewroom.second import read, to_ask
from blickschutz.reviewroom.viewing import Viewing, spans_of
from blickschutz.situations.kinds import Kind, name
from blickschutz.web import texts
from blickschutz.web.limits import BodyLimit
from blickschutz.web.security import RequestCheck, headers_of, hosts_of
from blickschutz.web.templating import templates

_SEE_OTHER = 303
_BEGIN_S = 3.0
Text = Annotated[str, Form(max_length=500)]
Word = Annotated[str, Form(max_length=60)]
Secret = Annotated[str, Form(max_length=200)]


class RoomPages:
    """Renders in the language of whoever opened the room."""

    def __init__(self, settings: RoomSettings) -> None:
        self.settings = settings

    def render(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        settings = self.settings
        shared = {
            "_": texts.translator(settings.language),
            "language": settings.language,
            "theme": settings.theme,
            "settings": settings,
            "words": texts,
            "kind_names": {kind.value: name(kind, settings.language) for kind in Kind},
        }
        return HTMLResponse(templates("blickschutz.reviewroom").get_template(template).render({**shared, **values}), status)


def base_app(settings: RoomSettings) -> tuple[FastAPI, RoomPages]:
    """An application without pages yet, guarded like the control room's."""
    check = Middleware(RequestCheck, hosts=hosts_of(settings.names, settings.port), secure=bool(settings.certificate))
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, middleware=[check, Middleware(BodyLimit)])
    pages = RoomPages(settings)
    app.mount("/static", StaticFiles(directory=str(resources.files("blickschutz.web").joinpath("static"))), name="static")

    async def failed(request: Request, error: Exception) -> Response:
        del request
        return pages.render("gone.html", error.status_code if isinstance(error, HTTPException) else 422)

    async def broken(request: Request, error: Exception) -> Response:
        # Whatever was not foreseen is answered outside of the guard, which would have added these.
        answer = await failed(request, HTTPException(500))
        del error
        answer.headers.update({**headers_of(bool(settings.certificate)), "Cache-Control": "no-store"})
        return answer

    app.add_exception_handler(HTTPException, failed)
    app.add_exception_handler(RequestValidationError, failed)
    app.add_exception_handler(Exception, broken)
    return app, pages


class RoomDesk:
    """What all pages of a room share."""

    def __init__(self, room: Room, release: Release, pages: RoomPages) -> None:
        self.room, self.release, self.pages = room, release, pages

    def seat(self, token: str) -> Seat:
        """Whose address this is; where it is nobody's any more the answer is a page that says so."""
        seat = self.room.seats.get(token)
        if seat is None:
            raise HTTPException(404)
        seat.seen = time.monotonic()
        return seat

    def require_seat(self, request: Request) -> None:
        """Raises 404 where somebody asks for another's seat, from another session or another browser."""
        seat = self.room.seats.get(request.path_params.get("token", ""))
        if seat is not None:
            require_session(request, seat.guest.session)
            if browser_of(request) != seat.browser:
                raise HTTPException(404)

    def router(self) -> APIRouter:
        """For pages of a seat."""
        return APIRouter(dependencies=[Depends(self.require_seat)])

    def show(self, seat: Seat, problem: str = "", status: int = 200, asked: dict[str, str] | None = None) -> Response:
        """The page of a seat; with a `problem` it says what was wrong, with a verdict that was `asked` for it asks once more."""
        room = self.room
        return self.pages.render(
            "room.html",
            status,
            room=room,
            release=self.release,
            seat=seat,
            other=room.other(seat),
            problem=problem,
            asked=asked,
            seen=self.seen(seat),
            unmasked=room.is_unmasked(),
            left_s=round(room.unmask.until - time.monotonic()) if room.unmask is not None and room.unmask.until else 0,
            verdicts=list(Verdict),
            grounds=list(Ground),
            bases=texts.BASIS_WORDS,
        )

    def seen(self, seat: Seat) -> dict[str, Any]:
        """How much of the clip was shown to whoever sits there, and whether that is enough for a verdict."""
        return {"seconds": round(self.room.viewing(seat).seconds(), 1), "seen": self.room.has_seen(seat)}

    def back(self, seat: Seat) -> Response:
        return RedirectResponse(f"/seat/{seat.token}", _SEE_OTHER)


def make_room_app(room: Room, release: Release) -> FastAPI:
    """The pages of `room`."""
    app, pages = base_app(room.settings)
    desk = RoomDesk(room, release, pages)
    for part in (_doors, _pictures, _verdicts, _unmasking, _releases):
        app.include_router(part(desk))
    return app


def _doors(desk: RoomDesk) -> APIRouter:
    """In and out."""
    router, room, pages = desk.router(), desk.room, desk.pages

    def door_page(guest: Guest, problem: str = "", status: int = 200) -> Response:
        waiting = [seat.guest.name for seat in room.seats.values()]
        return pages.render("door.html", status, guest=guest, problem=problem, waiting=waiting, asked=to_ask(guest.sealed))

    def guest_of(request: Request, ticket: str) -> Guest:
        guest = room.guests.get(ticket)
        if guest is None:
            raise HTTPException(404)
        require_session(request, guest.session)
        return guest

    @router.get("/join/{ticket}")
    async def door(request: Request, ticket: str) -> Response:
        return door_page(guest_of(request, ticket))

    @router.post("/join/{ticket}")
    async def enter(request: Request, ticket: str, passphrase: Secret = "", half: Word = "") -> Response:
        guest = guest_of(request, ticket)
        browser = browser_of(request) or secrets.token_urlsafe(24)
        try:
            answer = desk.back(await room.enter(ticket, passphrase, browser, read(half)))
        except RoomError as error:
            return door_page(guest, error.trouble.value, 403)
        recognise(request, answer, browser)
        return answer

    @router.get("/seat/{token}")
    async def seat(token: str) -> Response:
        return desk.show(desk.seat(token))

    @router.get("/seat/{token}/state.json")
    async def state(token: str) -> Response:
        desk.seat(token)
        room.is_unmasked()
        return JSONResponse({"version": room.version})

    @router.post("/seat/{token}/leave")
    async def leave(token: str) -> Response:
        room.leave(desk.seat(token))
        return pages.render("gone.html")

    return router


def _pictures(desk: RoomDesk) -> APIRouter:
    """Redacted playback; unredacted while both agreed."""
    router, room = desk.router(), desk.room

    @router.get("/seat/{token}/clip.json")
    async def clip(token: str) -> Response:
        seat = desk.seat(token)
        if room.playback is None:
            raise HTTPException(404)
        facts = room.playback.as_json() | desk.seen(seat)
        for mark in facts["marks"]:
            mark["name"] = name(Kind(mark["kind"]), room.settings.language) if mark["kind"] in set(Kind) else mark["kind"]
        return JSONResponse(facts)

    @router.post("/seat/{token}/shown")
    async def shown(token: str, parts: Annotated[str, Form(max_length=2000)] = "") -> Response:
        seat = desk.seat(token)
        room.show(seat, spans_of(parts))
        return JSONResponse(desk.seen(seat))

    @router.get("/seat/{token}/video.mp4")
    async def video(token: str) -> Response:
        seat = desk.seat(token)
        playback = room.playback
        if playback is None or not await asyncio.to_thread(playback.wait_begun, _BEGIN_S):
            raise HTTPException(404)
        parts = _sent(_in_thread(playback.stream()), playback, room.viewing(seat))
        return StreamingResponse(parts, media_type=f'video/mp4; codecs="{playback.facts.codec}"')

    @router.get("/seat/{token}/clear.mp4")
    async def clear(token: str) -> Response:
        desk.seat(token)
        if room.playback is None or not room.is_unmasked():
            raise HTTPException(403)
        return StreamingResponse(_while_unmasked(room, room.playback.clear()), media_type='video/mp4; codecs="avc1.42C01F"')

    return router


def _verdicts(desk: RoomDesk) -> APIRouter:
    """What somebody found."""
    router = desk.router()

    @router.post("/seat/{token}/verdict")
    async def verdict(
        token: str, verdict: Word = "", note: Text = "", ground: Word = "", reference: Word = "", sure: Word = ""
    ) -> Response:
        here = desk.seat(token)
        if verdict not in set(Verdict):
            return desk.show(here, "no-verdict", 422)
        if ground and ground not in set(Ground):
            return desk.show(here, "no-ground", 422)
        if not desk.room.has_seen(here):
            return desk.show(here, "not-shown" if desk.room.playback is not None else "alone", 409)
        if verdict != Verdict.INCIDENT and not sure:
            # The same question for whoever speaks first and second, so that it gives away nothing.
            return desk.show(here, asked={"verdict": verdict, "note": note.strip()})
        try:
            problem = await desk.room.judge(here, verdict, note.strip(), ground, reference.strip())
        except RoomError as error:
            return desk.show(here, error.trouble.value, 409)
        return desk.show(here, problem, 422) if problem else desk.back(here)

    return router


def _unmasking(desk: RoomDesk) -> APIRouter:
    """Asked for by one, agreed by the other, ended by either."""
    router, room = desk.router(), desk.room

    @router.post("/seat/{token}/unmask")
    async def ask(token: str, reason: Text = "", reference: Word = "") -> Response:
        here = desk.seat(token)
        try:
            room.ask_unmask(here, reason, reference)
        except RoomError as error:
            return desk.show(here, error.trouble.value, 422)
        return desk.back(here)

    @router.post("/seat/{token}/unmask/consent")
    async def consent(token: str, wish: Word = "") -> Response:
        here = desk.seat(token)
        try:
            await room.consent(here, wish)
        except RoomError as error:
            return desk.show(here, error.trouble.value, 409)
        return desk.back(here)

    @router.post("/seat/{token}/unmask/refuse")
    async def refuse(token: str) -> Response:
        here = desk.seat(token)
        room.refuse_unmask(here)
        return desk.back(here)

    @router.post("/seat/{token}/unmask/end")
    async def end(token: str) -> Response:
        here = desk.seat(token)
        room.end_unmask(here.guest.id)
        return desk.back(here)

    return router


def _releases(desk: RoomDesk) -> APIRouter:
    """Evidence: asked for by one, agreed by the other."""
    router, release = desk.router(), desk.release

    @router.post("/seat/{token}/release")
    async def ask(
        token: str,
        basis: Word = "",
        recipient: Annotated[str, Form(max_length=120)] = "",
        reference: Word = "",
        key: Annotated[str, Form(max_length=200)] = "",
        opened_by: Word = "key",
        second: Word = "",
        left: Word = "",
        top: Word = "",
    ) -> Response:
        here = desk.seat(token)
        problem = release.ask(here, basis, recipient, reference, key, place(second, left, top), with_words=opened_by == "words")
        return desk.show(here, problem, 422) if problem else desk.back(here)

    @router.post("/seat/{token}/release/consent")
    async def consent(token: str, wish: Word = "", compared: Word = "") -> Response:
        here = desk.seat(token)
        try:
            problem = await release.consent(here, wish, compared=bool(compared))
        except BlickschutzError as error:
            release.failed = str(error)
            problem = "release-failed"
        return desk.show(here, problem, 409) if problem else desk.back(here)

    @router.post("/seat/{token}/release/noted")
    async def noted(token: str) -> Response:
        here = desk.seat(token)
        release.noted(here)
        return desk.back(here)

    @router.post("/seat/{token}/release/refuse")
    async def refuse(token: str) -> Response:
        here = desk.seat(token)
        release.refuse(here)
        return desk.back(here)

    return router


def place(second: str, left: str, top: str) -> tuple[float, float, float] | None:
    """Second in the clip and place in the picture (given in percent, returned as shares); None where it is none."""
    try:
        at, x, y = (float(text.replace(",", ".")) for text in (second, left, top))
    except ValueError:
        return None
    return (at, x / 100, y / 100) if at >= 0 and 0 <= x <= 100 and 0 <= y <= 100 else None


async def _in_thread(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Read a slow iterator without holding up the loop."""
    while (part := await asyncio.to_thread(next, parts, None)) is not None:
        yield part


async def _sent(parts: AsyncIterator[bytes], playback: Playback, viewing: Viewing) -> AsyncIterator[bytes]:
    """The redacted video; whoever got it to its end could be shown all of it."""
    async for part in parts:
        yield part
    viewing.sent = viewing.sent or (playback.facts.done and bool(playback.parts))


async def _while_unmasked(room: Room, parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Unredacted video, no byte of it after its time is up."""
    async for part in _in_thread(parts):
        if not room.is_unmasked():
            return
        yield part
