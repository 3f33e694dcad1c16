"""People: accounts, roles, training, second factors; proposals that take a second person."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import AccountState, Change, Member, Permission, Refusal, Role
from blickschutz.access.rules import may, needs_factor
from blickschutz.web import texts
from blickschutz.web.allowed import allow
from blickschutz.web.numbers import Number
from blickschutz.web.pages import Pages
from blickschutz.web.routes.sign_in import Word
from blickschutz.web.sessions import member_of

_SEE_OTHER = 303
Name = Annotated[str, Form(max_length=200)]
Roles = Annotated[list[str] | None, Form()]
PROPOSE = [allow(Permission.PROPOSE)]


def routes(pages: Pages) -> APIRouter:
    """Accounts of everybody."""
    router = pages.router()
    access = pages.room.office.access
    people = access.people

    def _page(request: Request, problem: str = "", status: int = 200, **values: Any) -> Response:
        factors, member = access.factors.counts(), member_of(request)
        keyed = pages.room.recordings.enrolled()
        today = pages.room.regime.now().date()
        rows: list[dict[str, Any]] = [
            {
                "own": one,
                "roles": [role.value for role in Role if role in one.roles],
                "trained": texts.day(one.trained_until, pages.language(request)) if one.trained_until else "",
                "over": one.trained_until is not None and one.trained_until < today,
                "needs_training": one.may(Role.REVIEW, Role.SUPERVISION),
                "factors": factors.get(one.id, 0),
                "needs_factor": needs_factor(one),
                "key": one.id in keyed,
            }
            for one in access.members.values()
        ]
        shown = {
            "rows": [row for row in rows if row["own"].state is not AccountState.BLOCKED],
            "blocked": [row for row in rows if row["own"].state is AccountState.BLOCKED],
            "changes": [_change(pages, request, change, member) for change in access.accounts.changes()],
            "roles": [role.value for role in Role],
            "problem": problem,
            "given": {"id": "", "name": "", "roles": [], "trained_until": ""},
            "half": "",
            "half_for": "",
            "first": True,
        }
        return pages.render(request, "people.html", status=status, **{**shown, **values})

    def _person_page(request: Request, person: str, problem: str = "", status: int = 200) -> Response:
        member = access.members.get(person)
        if member is None:
            raise HTTPException(404)
        roles, entries = [role.value for role in Role], pages.room.office.log.find(subject=person, most=50)
        history = [
            (texts.clock(pages.moment(one.at), pages.language(request)), one.event.value, pages.person_name(one.by)) for one, _ in entries
        ]
        return pages.render(request, "person.html", status=status, person=member, roles=roles, problem=problem, history=history)

    @router.get("/people", dependencies=[allow(Permission.PEOPLE)])
    def everybody(request: Request) -> Response:
        return _page(request)

    @router.post("/people", dependencies=PROPOSE)
    def invite(request: Request, person: Word = "", name: Name = "", roles: Roles = None, trained_until: Word = "") -> Response:
        chosen, until, problem = _rights(roles, trained_until)
        outcome: Refusal | str
        outcome = problem or people.invite(member_of(request).id, person.strip(), name, chosen, until)
        if isinstance(outcome, Refusal):
            given = {"id": person[:40], "name": name[:80], "roles": [role.value for role in chosen], "trained_until": trained_until}
            return _page(request, outcome.value, 422, given=given)
        return _page(request, half=outcome, half_for=person.strip())

    @router.get("/people/{person}", dependencies=PROPOSE)
    def one(request: Request, person: str) -> Response:
        return _person_page(request, person)

    @router.post("/people/{person}/rights", dependencies=PROPOSE)
    def rights(request: Request, person: str, roles: Roles = None, trained_until: Word = "") -> Response:
        chosen, until, problem = _rights(roles, trained_until)
        outcome: Refusal | bool
        outcome = problem or people.change(member_of(request).id, person, chosen, until)
        if isinstance(outcome, Refusal):
            return _person_page(request, person, outcome.value, 422)
        return RedirectResponse("/people", _SEE_OTHER)

    @router.post("/people/{person}/recover", dependencies=PROPOSE)
    def recover(request: Request, person: str) -> Response:
        outcome = people.recover(member_of(request).id, person)
        if isinstance(outcome, Refusal):
            return _person_page(request, person, outcome.value, 422)
        return _page(request, half=outcome, half_for=person)

    @router.post("/people/{person}/block", dependencies=PROPOSE)
    def block(request: Request, person: str) -> Response:
        problem = people.block(member_of(request).id, person)
        if problem is not None:
            return _person_page(request, person, problem.value, 422)
        return RedirectResponse("/people", _SEE_OTHER)

    @router.post("/changes/{number}/confirm", dependencies=[allow(Permission.CONFIRM)])
    def confirm(request: Request, number: Number) -> Response:
        outcome = people.confirm(member_of(request), number)
        if isinstance(outcome, Refusal):
            return _page(request, outcome.value, 409)
        change, half = outcome
        if not half:
            return RedirectResponse("/people", _SEE_OTHER)
        return _page(request, half=half, half_for=change.person, first=False)

    @router.post("/changes/{number}/withdraw", dependencies=[allow(Permission.PEOPLE)])
    def withdraw(request: Request, number: Number) -> Response:
        problem = people.withdraw(member_of(request).id, number)
        if problem is not None:
            return _page(request, problem.value, 409)
        return RedirectResponse("/people", _SEE_OTHER)

    return router


def _rights(roles: list[str] | None, trained_until: str) -> tuple[frozenset[Role], date | None, Refusal | None]:
    chosen = frozenset(Role(one) for one in roles or () if one in set(Role))
    if not trained_until.strip():
        return chosen, None, None
    try:
        return chosen, date.fromisoformat(trained_until.strip()), None
    except ValueError:
        return chosen, None, Refusal.DATE


def _change(pages: Pages, request: Request, change: Change, member: Member) -> dict[str, Any]:
    """A proposal as templates see it."""
    confirmers = pages.room.office.access.people.confirmers(change)
    return {
        "own": change,
        "by": pages.person_name(change.by),
        "at": texts.moment(pages.moment(change.at), pages.language(request)),
        "roles": [role.value for role in Role if role in change.roles],
        "trained": texts.day(change.trained_until, pages.language(request)) if change.trained_until else "",
        "may_confirm": member in confirmers,
        "left": pages.room.office.access.people.is_left(change),
        "may_withdraw": may(member, Permission.CONFIRM) or change.by == member.id,
        "confirmers": [one.name for one in confirmers],
    }
