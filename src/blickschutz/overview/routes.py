"""The routes of the overview."""

from __future__ import annotations

from typing import Annotated, Any

import segno
from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from blickschutz.access.model import AccountState, Caller, Permission, Refusal, SignIn, Turned
from blickschutz.access.service.doors import Knock
from blickschutz.access.service.totp import address, written
from blickschutz.overview.pages import HALF, SEE_OTHER, Allow, Pages, who
from blickschutz.overview.view import Rows, counts
from blickschutz.overview.words import RANK_WORDS
from blickschutz.web import texts
from blickschutz.web.lanes import Lane
from blickschutz.web.sessions import SECURE_SESSION, SESSION, member_of, place, session_of, set_cookie

Word = Annotated[str, Form(max_length=60)]
Secret = Annotated[str, Form(max_length=400)]
_EVERY_S, _AGAIN_S, _YEAR_S = 30, 5, 365 * 86_400
_MOST_ENTRIES = 100


def allow(permission: Permission) -> Any:
    return Depends(Allow(permission))


def sites(pages: Pages) -> APIRouter:
    """The sites, and this overview's own log."""
    router, house = APIRouter(), pages.house

    @router.get("/", dependencies=[allow(Permission.OVERVIEW)])
    def overview(request: Request, still: str = "") -> Response:
        known, language = dict(house.known()), pages.language(request)
        rows = Rows(language, house.clock.monotonic(), pages.moment).all(house.names, house.addresses, known)
        summed = [(RANK_WORDS[level], count) for level, count in counts(known).items() if count]
        answer = pages.render(request, "overview.html", rows=rows, summed=summed, still=bool(still))
        if not still:
            answer.headers["Refresh"] = str(_EVERY_S)
        return answer

    def when(at: float, language: str) -> str:
        return texts.clock(texts.zoned(at, house.zone.key), language)

    @router.get("/log", dependencies=[allow(Permission.LOG)])
    def log(request: Request, before: Annotated[int, Query(ge=0, le=2**53)] = 0) -> Response:
        found = house.log.find(before=before, most=_MOST_ENTRIES)
        language = pages.language(request)
        entries = [
            (one, texts.EVENT_WORDS[one.event.value], texts.clock(texts.zoned(one.at, house.zone.key), language)) for one, _ in found
        ]
        more = found[-1][0].number if len(found) == _MOST_ENTRIES else 0
        return pages.render(request, "log.html", entries=entries, more=more)

    @router.post("/preferences", dependencies=[allow(Permission.PUBLIC)])
    def preferences(request: Request, language: Word = "", theme: Word = "") -> Response:
        answer, secure = RedirectResponse("/", SEE_OTHER), request.url.scheme == "https"
        for name, value, known in (("language", language, texts.LANGUAGES), ("theme", theme, {"dark", "light"})):
            if value in known:
                answer.set_cookie(name, value, max_age=_YEAR_S, httponly=True, samesite="strict", secure=secure)
        return answer

    return router


def doors(pages: Pages) -> APIRouter:
    """Signing in: password, then a code; the first time with a one-time code."""
    router, access = APIRouter(), pages.house.access

    def signed_in(request: Request, token: str) -> Response:
        answer = RedirectResponse("/", SEE_OTHER)
        set_cookie(request, answer, SESSION, token)
        answer.delete_cookie(HALF)
        return answer

    def crowded(request: Request) -> Response:
        access.turned.count(Turned.LOCKED, place(request))
        text = texts.translator(pages.language(request))(texts.SIGN_IN_PROBLEMS[SignIn.LOCKED.value])
        return PlainTextResponse(text, 429, headers={"Retry-After": str(_AGAIN_S)})

    @router.get("/sign-in", dependencies=[allow(Permission.PUBLIC)])
    def ask(request: Request) -> Response:
        return pages.render(request, "sign_in.html", problem="", given="")

    @router.post("/sign-in", dependencies=[allow(Permission.PUBLIC)])
    async def sign_in(request: Request, person: Word = "", password: Secret = "") -> Response:
        person, caller = person.strip(), Caller(place(request))
        knock = access.doors.knock(person, caller)
        if knock is None:
            return crowded(request)
        async with access.doors.held(knock):
            return await pages.lanes.run(Lane.SIGN_IN, lambda: checked(request, person, password, knock, caller))

    def checked(request: Request, person: str, password: str, knock: Knock, caller: Caller) -> Response:
        outcome, token = access.sign_in(person, password, knock, caller)
        if outcome is SignIn.OK:
            return signed_in(request, token)
        if outcome is SignIn.FACTOR:
            answer = RedirectResponse("/sign-in/factor", SEE_OTHER)
            set_cookie(request, answer, HALF, token)
            return answer
        return pages.render(request, "sign_in.html", 403, problem=outcome.value, given=person[:40])

    def factor_page(request: Request, problem: str = "", status: int = 200) -> Response:
        if access.sessions.half(request.cookies.get(HALF, "")) is None:
            return RedirectResponse("/sign-in", SEE_OTHER)
        return pages.render(request, "factor.html", status, problem=problem)

    @router.get("/sign-in/factor", dependencies=[allow(Permission.PUBLIC)])
    def factor(request: Request) -> Response:
        return factor_page(request)

    @router.post("/sign-in/factor", dependencies=[allow(Permission.PUBLIC)])
    def code(request: Request, code: Word = "") -> Response:
        outcome, session, _ = access.code(request.cookies.get(HALF, ""), code, Caller(place(request)))
        if outcome is SignIn.OK:
            return signed_in(request, session)
        return factor_page(request, "locked" if outcome is SignIn.LOCKED else "code", 429 if outcome is SignIn.LOCKED else 403)

    @router.get("/welcome", dependencies=[allow(Permission.PUBLIC)])
    def welcome(request: Request) -> Response:
        return pages.render(request, "welcome.html", problem="", given="")

    @router.post("/welcome", dependencies=[allow(Permission.PUBLIC)])
    async def begin(request: Request, person: Word = "", code: Word = "", new: Secret = "", again: Secret = "") -> Response:
        person, caller = person.strip(), Caller(place(request))
        knock = access.doors.knock(person, caller)
        if knock is None:
            return crowded(request)
        async with access.doors.held(knock):
            problem = await pages.lanes.run(Lane.SIGN_IN, lambda: begun(person, code, (new, again), knock, caller))
            if problem is not None:
                return pages.render(request, "welcome.html", 422, problem=problem.value, given=person[:40])
            return signed_in(request, await pages.lanes.run(Lane.SIGN_IN, lambda: access.begin(person)))

    def begun(person: str, code: str, new: tuple[str, str], knock: Knock, caller: Caller) -> Refusal | None:
        member, fits = access.members.get(person), access.people.redeem(person, code)
        if member is None or member.state is AccountState.BLOCKED or not fits:
            access.turned.tell(Turned.CODE, caller.place, person if member is not None else "")
            return Refusal.CODE
        access.doors.forget(knock)
        return Refusal.DIFFERENT if new[0] != new[1] else access.own.begin(person, new[0])

    @router.post("/sign-out", dependencies=[allow(Permission.OWN)])
    def sign_out(request: Request) -> Response:
        access.sign_out(session_of(request))
        answer = RedirectResponse("/sign-in", SEE_OTHER)
        answer.delete_cookie(SESSION)
        answer.delete_cookie(SECURE_SESSION, secure=True)
        answer.headers["Clear-Site-Data"] = '"cache"'
        return answer

    return router


def own(pages: Pages) -> APIRouter:
    """One's own account: password and authenticator."""
    router, access = APIRouter(), pages.house.access

    def page(request: Request, problem: str = "", where: str = "", status: int = 200) -> Response:
        member, session = member_of(request), session_of(request)
        secret = access.own.new_totp(session)
        code = segno.make(address(secret, member.id, pages.house.name), error="m")
        _, todo = who(access, request)
        return pages.render(
            request,
            "account.html",
            status,
            todo=todo.value if todo is not None else "",
            factors=[one.name for one in access.factors.of(member.id)],
            asks_password=access.own.asks_password(member, session),
            secret=written(secret),
            picture=code.svg_inline(scale=5, border=3, dark="#000000", light="#ffffff", omitsize=True),
            problem=problem,
            where=where,
        )

    def answered(request: Request, problem: Refusal | int | None, where: str) -> Response:
        if problem is None:
            return RedirectResponse("/account" if where == "password" else "/", SEE_OTHER)
        word = "code" if isinstance(problem, int) else problem.value
        return page(request, word, where, 429 if problem is Refusal.LOCKED else 422)

    @router.get("/account", dependencies=[allow(Permission.OWN)])
    def account(request: Request) -> Response:
        return page(request)

    @router.post("/account/password", dependencies=[allow(Permission.OWN)])
    def password(request: Request, old: Secret = "", new: Secret = "", again: Secret = "") -> Response:
        wrong = Refusal.DIFFERENT if new != again else None
        problem = wrong or access.own.change_password(member_of(request), session_of(request), old, new)
        return answered(request, problem, "password")

    @router.post("/account/totp", dependencies=[allow(Permission.OWN)])
    def totp(request: Request, name: Word = "", code: Word = "", password: Secret = "") -> Response:
        return answered(request, access.own.add_totp(member_of(request), session_of(request), name, code, password), "totp")

    return router
