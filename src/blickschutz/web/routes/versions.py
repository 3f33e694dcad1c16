"""Changes of settings: proposed, looked at, confirmed by a second person, taken back."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Member, Permission
from blickschutz.access.rules import may
from blickschutz.kernel.errors import DeviceError, SettingsError
from blickschutz.settings.model import HandEdit, Proposal, Refused, State, Why
from blickschutz.settings.service import BY_HAND
from blickschutz.web import texts
from blickschutz.web.allowed import allow
from blickschutz.web.lanes import Lane
from blickschutz.web.numbers import Number
from blickschutz.web.pages import Pages
from blickschutz.web.routing import in_lane
from blickschutz.web.sessions import member_of
from blickschutz.web.versions import edit_of, effects_in_words, refusal_in_words, shown

_SEE_OTHER = 303
_MOST = 100
Key = Annotated[str, Form(max_length=300)]
Value = Annotated[str, Form(max_length=20_000)]
Reason = Annotated[str, Form(max_length=500)]


def routes(pages: Pages) -> APIRouter:
    """What waits, what was, and one of them."""
    router = pages.router()
    desk = pages.room.settings

    def _row(request: Request, one: Proposal) -> dict[str, Any]:
        language = pages.language(request)
        names = {camera.id: camera.name for camera in pages.site.cameras}
        return {
            "own": one,
            "by": _by(one.by, language),
            "decided_by": _by(one.decided_by, language),
            "at": texts.moment(pages.moment(one.at), language),
            "decided": texts.moment(pages.moment(one.decided_at), language) if one.decided_at else "",
            "differences": shown(one.differences, names, language),
        }

    def _by(person: str, language: str) -> str:
        return texts.translator(language)("Anlagendatei") if person == BY_HAND else pages.person_name(person)

    def _unread() -> tuple[int, str]:
        """How many settings of the file are not in force, and what is wrong with it."""
        try:
            return len(desk.unread()), ""
        except (DeviceError, SettingsError) as error:
            return 0, str(error)

    def _page(request: Request, refused: Refused | None = None, status: int = 200, **given: str) -> Response:
        found = desk.proposals(_MOST)
        unread, broken = _unread()
        return pages.render(
            request,
            "versions.html",
            status=status,
            waiting=[_row(request, one) for one in reversed(found) if one.state is State.WAITING],
            history=[_row(request, one) for one in found if one.state is not State.WAITING],
            pending=desk.pending(),
            changeable=desk.changeable,
            unread=unread,
            broken=broken,
            given={"key": "", "value": "", "reason": "", **given},
            refused=refusal_in_words(refused, pages.language(request)) if refused is not None else None,
        )

    def _one(request: Request, number: int, refused: Refused | None = None, status: int = 200) -> Response:
        found = desk.proposal(number)
        if found is None:
            raise HTTPException(404)
        looked = desk.look_again(found, pages.language(request)) if found.state is State.WAITING else None
        if isinstance(looked, Refused):
            refused, looked = refused or looked, None
        member = member_of(request)
        return pages.render(
            request,
            "version.html",
            status=status,
            change=_row(request, found),
            effects=effects_in_words(looked.effects, pages.camera_name, pages.language(request)) if looked is not None else None,
            refused=refusal_in_words(refused, pages.language(request)) if refused is not None else None,
            may_confirm=found.state is State.WAITING and found.by != member.id and may(member, Permission.CONFIRM),
            may_withdraw=found.state is State.WAITING and _may_withdraw(member, found),
            may_undo=found.state is State.APPLIED and may(member, Permission.PROPOSE),
        )

    def _after(request: Request, outcome: Proposal | Refused, number: int) -> Response:
        if isinstance(outcome, Refused):
            return _one(request, number, outcome, 409)
        return RedirectResponse(f"/settings/changes/{outcome.number}", _SEE_OTHER)

    @router.get("/settings/changes", dependencies=[allow(Permission.VERSIONS)])
    def every(request: Request) -> Response:
        return _page(request)

    @router.post("/settings/changes", dependencies=[allow(Permission.PROPOSE)])
    @in_lane(Lane.WRITE)
    def propose(request: Request, key: Key = "", value: Value = "", reason: Reason = "") -> Response:
        edit = edit_of(key, value)
        given = {"key": key, "value": value, "reason": reason}
        if edit is None:
            return _page(request, Refused(Why.VALUE), 422, **given)
        outcome = desk.propose(member_of(request).id, [edit], reason, pages.language(request))
        if isinstance(outcome, Refused):
            return _page(request, outcome, 422, **given)
        return RedirectResponse(f"/settings/changes/{outcome.number}", _SEE_OTHER)

    @router.get("/settings/changes/file", dependencies=[allow(Permission.VERSIONS)])
    def file(request: Request) -> Response:
        return _by_hand(request)

    def _by_hand(request: Request, refused: Refused | None = None, status: int = 200) -> Response:
        language, found = pages.language(request), desk.hand_edit(pages.language(request))
        names = {camera.id: camera.name for camera in pages.site.cameras}
        if isinstance(found, Refused) and found.why is not Why.NOTHING:
            refused = refused or found
        edit = found if isinstance(found, HandEdit) else None
        return pages.render(
            request,
            "version_by_hand.html",
            status=status,
            change={"own": {"number": ""}, "differences": shown(edit.differences, names, language)} if edit is not None else None,
            effects=effects_in_words(edit.effects, pages.camera_name, language) if edit is not None else None,
            seen=edit.seen if edit is not None else "",
            refused=refusal_in_words(refused, language) if refused is not None else None,
        )

    @router.post("/settings/changes/file", dependencies=[allow(Permission.PROPOSE)])
    @in_lane(Lane.WRITE)
    def take(request: Request, seen: Annotated[str, Form(max_length=64)] = "") -> Response:
        # Without what was on the page nothing is taken: an empty one would be whatever the file says now.
        outcome = desk.reload(pages.language(request), member_of(request).id, seen or "-")
        if isinstance(outcome, Refused):
            return _by_hand(request, outcome, 409)
        return RedirectResponse(f"/settings/changes/{outcome.number}", _SEE_OTHER)

    @router.get("/settings/changes/{number}", dependencies=[allow(Permission.VERSIONS)])
    def one(request: Request, number: Number) -> Response:
        return _one(request, number)

    @router.post("/settings/changes/{number}/confirm", dependencies=[allow(Permission.CONFIRM)])
    @in_lane(Lane.WRITE)
    def confirm(request: Request, number: Number) -> Response:
        return _after(request, desk.confirm(number, member_of(request).id, pages.language(request)), number)

    @router.post("/settings/changes/{number}/withdraw", dependencies=[allow(Permission.VERSIONS)])
    @in_lane(Lane.WRITE)
    def withdraw(request: Request, number: Number) -> Response:
        found = desk.proposal(number)
        if found is None or not _may_withdraw(member_of(request), found):
            raise HTTPException(404)
        refused = desk.withdraw(number, member_of(request).id)
        return _one(request, number, refused, 409) if refused is not None else RedirectResponse("/settings/changes", _SEE_OTHER)

    @router.post("/settings/changes/{number}/undo", dependencies=[allow(Permission.PROPOSE)])
    @in_lane(Lane.WRITE)
    def undo(request: Request, number: Number) -> Response:
        return _after(request, desk.undo(number, member_of(request).id, pages.language(request)), number)

    return router


def _may_withdraw(member: Member, proposal: Proposal) -> bool:
    return proposal.by == member.id or may(member, Permission.CONFIRM)
