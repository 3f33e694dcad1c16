"""Sign in with password and second factor, the first sign-in with a code, sign out, finishing what was kept."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse

from blickschutz.access.model import AccountState, Caller, Permission, Refusal, SignIn, Turned
from blickschutz.access.service import Access
from blickschutz.access.service.devices import KNOWN_S
from blickschutz.access.service.doors import Knock
from blickschutz.web import texts
from blickschutz.web.allowed import allow, caller_of
from blickschutz.web.lanes import Lane
from blickschutz.web.pages import Pages
from blickschutz.web.sessions import SECURE_SESSION, SESSION, member_of, secured, session_of, set_cookie

_SEE_OTHER = 303
_AGAIN_S = 5
_MOST_ANSWER = 20_000
HALF = "half"
KEPT = "kept"
Word = Annotated[str, Form(max_length=60)]
Secret = Annotated[str, Form(max_length=400)]
Path = Annotated[str, Form(max_length=200)]


def local(path: str) -> str:
    """`path` where it is one on this server, else the start; "//host" would be another server."""
    return path if path.startswith("/") and not path.startswith("//") and "\\" not in path else "/"


def lane_for(caller: Caller) -> Lane:
    """Whoever comes with a device that the account knows does not stand in line with strangers."""
    return Lane.WRITE if caller.device else Lane.SIGN_IN


def signed_in(request: Request, access: Access, token: str, back: str) -> Response:
    """The answer to whoever has a session now. Their account knows this device from now on."""
    answer = RedirectResponse(local(back), _SEE_OTHER)
    set_cookie(request, answer, SESSION, token)
    answer.delete_cookie(HALF)
    session = access.sessions.find(token)
    if session is not None:
        known = access.devices.make(session.person, caller_of(request, access, session.person).device)
        name, secure = secured(request, access.devices.cookie(session.person)), request.url.scheme == "https"
        answer.set_cookie(name, known, max_age=int(KNOWN_S), httponly=True, samesite="strict", secure=secure)
    return answer


def routes(pages: Pages) -> APIRouter:
    """Who somebody is."""
    router = pages.router()
    for part in (_password, _factor, _welcome, _leave, _kept):
        part(router, pages)
    return router


def _password(router: APIRouter, pages: Pages) -> None:
    access = pages.room.office.access
    doors = access.doors

    @router.get("/sign-in", dependencies=[allow(Permission.PUBLIC)])
    def ask(request: Request, back: str = "/") -> Response:
        kept = bool(request.cookies.get(KEPT))
        return pages.render(request, "sign_in.html", problem="", back=local(back), given="", kept=kept)

    @router.post("/sign-in", dependencies=[allow(Permission.PUBLIC)])
    async def sign_in(request: Request, person: Word = "", password: Secret = "", back: Path = "/") -> Response:
        person = person.strip()
        caller = caller_of(request, access, person)
        knock = doors.knock(person, caller)
        if knock is None:
            return _crowded(pages, request, caller)
        async with doors.held(knock):
            return await pages.lanes.run(lane_for(caller), lambda: checked(request, person, password, back, knock, caller))

    def checked(request: Request, person: str, password: str, back: str, knock: Knock, caller: Caller) -> Response:
        outcome, token = access.sign_in(person, password, knock, caller)
        if outcome is SignIn.OK:
            return signed_in(request, access, token, back)
        if outcome is SignIn.FACTOR:
            answer = RedirectResponse("/sign-in/factor", _SEE_OTHER)
            set_cookie(request, answer, HALF, f"{token} {local(back)}")
            return answer
        kept = bool(request.cookies.get(KEPT))
        return pages.render(request, "sign_in.html", status=403, problem=outcome.value, back=local(back), given=person[:40], kept=kept)


def _crowded(pages: Pages, request: Request, caller: Caller) -> Response:
    """So many tries are held for the same name, or from the same place, that this one is not. One sentence: it must cost little."""
    pages.room.office.access.turned.count(Turned.LOCKED, caller.place)
    text = texts.translator(pages.language(request))(texts.SIGN_IN_PROBLEMS[SignIn.LOCKED.value])
    return PlainTextResponse(text, 429, headers={"Retry-After": str(_AGAIN_S), "Connection": "close"})


def _half(request: Request) -> tuple[str, str]:
    """The secret of the half and where to go afterwards."""
    token, _, back = request.cookies.get(HALF, "").partition(" ")
    return token.strip('"'), local(back.strip('"') or "/")


def _factor(router: APIRouter, pages: Pages) -> None:
    access, keys = pages.room.office.access, pages.keys

    def _caller(request: Request, token: str) -> Caller:
        half = access.sessions.half(token)
        return caller_of(request, access, half.person if half is not None else "")

    def _factor_page(request: Request, problem: str = "", drift: int = 0, status: int = 200) -> Response:
        token, _ = _half(request)
        half = access.sessions.half(token)
        if half is None:
            return RedirectResponse("/sign-in", _SEE_OTHER)
        kinds = {factor.kind.value for factor in access.factors.of(half.person)}
        return pages.render(request, "factor.html", status=status, problem=problem, drift=drift, kinds=kinds, key_host=keys.host)

    @router.get("/sign-in/factor", dependencies=[allow(Permission.PUBLIC)])
    def factor(request: Request) -> Response:
        return _factor_page(request)

    @router.post("/sign-in/factor", dependencies=[allow(Permission.PUBLIC)])
    def code(request: Request, code: Word = "") -> Response:
        token, back = _half(request)
        outcome, session, drift = access.code(token, code, _caller(request, token))
        if outcome is SignIn.OK:
            return signed_in(request, access, session, back)
        problem = "locked" if outcome is SignIn.LOCKED else "drift" if drift else "code"
        status = 429 if outcome is SignIn.LOCKED else 403
        return _factor_page(request, problem, drift or 0, status)

    @router.post("/sign-in/key/begin", dependencies=[allow(Permission.PUBLIC)])
    def key_begin(request: Request) -> Response:
        token, _ = _half(request)
        half = access.sessions.half(token)
        asked = keys.ask(token, half) if half is not None else None
        return JSONResponse(asked or {}, 200 if asked else 403)

    @router.post("/sign-in/key", dependencies=[allow(Permission.PUBLIC)])
    def key(request: Request, answer: Annotated[str, Form(max_length=_MOST_ANSWER)] = "") -> Response:
        token, back = _half(request)
        session = keys.answered(token, parsed(answer), _caller(request, token))
        if session:
            return signed_in(request, access, session, back)
        return _factor_page(request, "key", 0, 403)


def _welcome(router: APIRouter, pages: Pages) -> None:
    access = pages.room.office.access
    doors = access.doors

    @router.get("/welcome", dependencies=[allow(Permission.PUBLIC)])
    def welcome(request: Request, person: str = "") -> Response:
        return pages.render(request, "welcome.html", problem="", given=person[:40])

    @router.post("/welcome", dependencies=[allow(Permission.PUBLIC)])
    async def begin(request: Request, person: Word = "", code: Word = "", new: Secret = "", again: Secret = "") -> Response:
        person = person.strip()
        caller = caller_of(request, access, person)
        knock = doors.knock(person, caller)
        if knock is None:
            return _crowded(pages, request, caller)
        async with doors.held(knock):
            return await pages.lanes.run(lane_for(caller), lambda: checked(request, (person, code, new, again), knock, caller))

    def checked(request: Request, given: tuple[str, str, str, str], knock: Knock, caller: Caller) -> Response:
        person = given[0]
        outcome = _begin(*given, knock, caller)
        if outcome is not None:
            return pages.render(request, "welcome.html", status=422, problem=outcome.value, given=person[:40])
        return signed_in(request, access, access.begin(person), "/")

    def _begin(person: str, code: str, new: str, again: str, knock: Knock, caller: Caller) -> Refusal | None:
        member = access.members.get(person)
        # Whatever comes of it, the same is looked up.
        fits = access.people.redeem(person, code)
        if member is None or member.state is AccountState.BLOCKED or not fits:
            access.turned.tell(Turned.CODE, caller.place, person if member is not None else "")
            return Refusal.CODE
        doors.forget(knock)
        return Refusal.DIFFERENT if new != again else access.own.begin(person, new)


def _leave(router: APIRouter, pages: Pages) -> None:
    access = pages.room.office.access

    @router.post("/sign-out", dependencies=[allow(Permission.OWN)])
    def sign_out(request: Request) -> Response:
        access.sign_out(session_of(request), pages.follow)
        answer = RedirectResponse("/sign-in", _SEE_OTHER)
        for name in (SESSION, SECURE_SESSION, KEPT):
            answer.delete_cookie(name, secure=name == SECURE_SESSION)
        # What this browser still holds of pages and pictures goes too (ASVS 5, 14.3.1).
        answer.headers["Clear-Site-Data"] = '"cache"'
        return answer

    @router.get("/session", dependencies=[allow(Permission.OWN)])
    def session() -> Response:
        return Response(status_code=204)


def _kept(router: APIRouter, pages: Pages) -> None:
    @router.get("/kept", dependencies=[allow(Permission.OWN)])
    def kept(request: Request) -> Response:
        token = request.cookies.get(KEPT, "")
        form = pages.kept.find(token, member_of(request).id)
        if form is None:
            answer: Response = RedirectResponse("/", _SEE_OTHER)
            answer.delete_cookie(KEPT)
            return answer
        return pages.render(request, "kept.html", form=form)

    @router.post("/kept/drop", dependencies=[allow(Permission.OWN)])
    def drop(request: Request) -> Response:
        pages.kept.drop(request.cookies.get(KEPT, ""))
        answer = RedirectResponse("/", _SEE_OTHER)
        answer.delete_cookie(KEPT)
        return answer


def parsed(answer: str) -> object:
    """What a browser says for a security key. Raises 422 where it is no JSON object."""
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise HTTPException(422) from error
    if not isinstance(found, dict):
        raise HTTPException(422)
    return found
