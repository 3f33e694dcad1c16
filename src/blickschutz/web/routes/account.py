"""One's own account: password, second factors, tokens, passphrase."""

from __future__ import annotations

from typing import Annotated, Any

import segno
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from blickschutz.access.model import FactorKind, Permission, Refusal
from blickschutz.access.rules import PERSONAL, needs_factor, permitted
from blickschutz.access.service.totp import address, written
from blickschutz.kernel.errors import BlickschutzError
from blickschutz.web import texts
from blickschutz.web.allowed import allow
from blickschutz.web.lanes import Lane
from blickschutz.web.numbers import Number
from blickschutz.web.pages import Pages
from blickschutz.web.routes.sign_in import Secret, Word, parsed
from blickschutz.web.sessions import member_of, session_of

_SEE_OTHER = 303
_MOST_ANSWER = 20_000
OWN = [allow(Permission.OWN)]


def routes(pages: Pages) -> APIRouter:
    """Everybody's own."""
    router = pages.router()
    access, keys = pages.room.office.access, pages.keys
    # A token for an overview that this site takes no part in would open nothing.
    closed = frozenset() if pages.site.server.overview else frozenset({Permission.OVERVIEW})

    def _page(request: Request, problem: str = "", where: str = "", status: int = 200, **values: Any) -> Response:
        member, session = member_of(request), session_of(request)
        factors = access.factors.of(member.id)
        secret = access.own.new_totp(session)
        code = segno.make(address(secret, member.id, pages.site.site.name), error="m")
        _, todo = access.who(session, touch=False)
        shown = {
            "todo": todo.value if todo is not None else "",
            "factors": [(one, _day(pages, request, one.added), _day(pages, request, one.used)) for one in factors],
            "has_totp": any(one.kind is FactorKind.TOTP for one in factors),
            "needs_factor": needs_factor(member),
            "asks_password": access.own.asks_password(member, session),
            "secret": written(secret),
            "picture": code.svg_inline(scale=5, border=3, dark="#000000", light="#ffffff", omitsize=True),
            "tokens": [(one, _day(pages, request, one.until), _day(pages, request, one.used)) for one in access.tokens.of(member.id)],
            "scopes": sorted(one.value for one in permitted(member) - PERSONAL - closed),
            "key_host": keys.host,
            "problem": problem,
            "where": where,
            "drift": 0,
            "token": "",
        }
        return pages.render(request, "account.html", status=status, **{**shown, **values})

    def _answer(request: Request, problem: Refusal | None, where: str) -> Response:
        if problem is None:
            return RedirectResponse(f"/account?done={where}#{where}", _SEE_OTHER)
        status = 429 if problem is Refusal.LOCKED else 422
        return _page(request, problem.value, where, status)

    @router.get("/account", dependencies=OWN)
    def account(request: Request, done: str = "") -> Response:
        said = done if done in texts.ACCOUNT_DONE else ""
        return _page(request, done=said)

    @router.post("/account/password", dependencies=OWN)
    def password(request: Request, old: Secret = "", new: Secret = "", again: Secret = "") -> Response:
        member, session = member_of(request), session_of(request)
        problem = Refusal.DIFFERENT if new != again else access.own.change_password(member, session, old, new)
        return _answer(request, problem, "password")

    @router.post("/account/totp", dependencies=OWN)
    def totp(request: Request, name: Word = "", code: Word = "", password: Secret = "") -> Response:
        outcome = access.own.add_totp(member_of(request), session_of(request), name, code, password)
        if isinstance(outcome, int):
            return _page(request, "drift", "totp", 422, drift=outcome)
        return _answer(request, outcome, "totp")

    @router.post("/account/key/begin", dependencies=OWN)
    def key_begin(request: Request, password: Secret = "") -> Response:
        problem = access.own.check_for_factor(member_of(request), session_of(request), password)
        if problem is not None:
            said = texts.translator(pages.language(request))(texts.ACCOUNT_PROBLEMS[problem.value])
            return JSONResponse({"problem": said}, 422)
        return JSONResponse(keys.make(member_of(request), session_of(request)))

    @router.post("/account/key", dependencies=OWN)
    def key(request: Request, name: Word = "", answer: Annotated[str, Form(max_length=_MOST_ANSWER)] = "") -> Response:
        made = keys.made(member_of(request), session_of(request), name, parsed(answer))
        return _answer(request, None if made else Refusal.FACTOR, "key")

    @router.post("/account/factors/{number}/remove", dependencies=OWN)
    def remove_factor(request: Request, number: Number, password: Secret = "") -> Response:
        problem = access.own.remove_factor(member_of(request), number, password)
        return _answer(request, problem, "factors")

    @router.post("/account/tokens", dependencies=OWN)
    def new_token(
        request: Request, name: Word = "", scopes: Annotated[list[str] | None, Form()] = None, days: Word = "", password: Secret = ""
    ) -> Response:
        chosen = frozenset(Permission(one) for one in scopes or () if one in set(Permission))
        number = int(days) if days.isascii() and days.isdigit() and len(days) < 6 else 0
        made = access.own.new_token(member_of(request), name, chosen, number, password)
        if isinstance(made, Refusal):
            return _answer(request, made, "tokens")
        # Shown in the answer itself and never again; nothing of it is in an address or a redirect.
        return _page(request, where="tokens", token=made[0])

    @router.post("/account/tokens/{number}/remove", dependencies=OWN)
    def remove_token(request: Request, number: Number) -> Response:
        return _answer(request, access.own.remove_token(member_of(request), number), "tokens")

    @router.post("/account/sessions/end", dependencies=OWN)
    def end_others(request: Request) -> Response:
        access.sessions.end_all(member_of(request).id, session_of(request))
        return _answer(request, None, "sessions")

    @router.post("/passphrase", dependencies=[allow(Permission.REVIEW)])
    async def passphrase(request: Request) -> Response:
        member, look = member_of(request), (pages.language(request), pages.theme(request))
        try:
            opened, problem = await pages.room.rooms.key_desk(member, *look, pages.origin(request), session_of(request))
        except (BlickschutzError, OSError, TimeoutError):
            return await pages.shown(Lane.READ, request, "door.html", status=503, case=None, address="", problem="room-failed")
        return await pages.shown(Lane.READ, request, "door.html", case=None, address=opened, problem=problem)

    return router


def _day(pages: Pages, request: Request, at: float | None) -> str:
    return texts.moment(pages.moment(at), pages.language(request)) if at is not None else ""
