"""The time for deadlines: what is wrong with it, what each choice would end, one proposes, another confirms."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Permission
from blickschutz.kernel.errors import DeviceError, StoreDamagedError
from blickschutz.retention.model import FAULTS, JUMPS, Basis, Choice, Reason, TimeView, Trust, Void
from blickschutz.web import texts
from blickschutz.web.allowed import allow
from blickschutz.web.pages import Pages
from blickschutz.web.sessions import member_of

_SEE_OTHER, _INCOMPLETE, _OTHERWISE_NOW, _FAILED = 303, 422, 409, 503
_MOST = 2**53


def routes(pages: Pages) -> APIRouter:
    """All of it takes threads: a look at the time asks its sources and the disk."""
    router = pages.router()

    @router.get("/clock", dependencies=[allow(Permission.CLOCK)])
    def clock(request: Request) -> Response:
        return _page(pages, request, pages.room.clock.view())

    @router.post("/clock/propose", dependencies=[allow(Permission.CLOCK)])
    def propose(
        request: Request,
        basis: Annotated[str, Form(max_length=20)] = "",
        seen: Annotated[str, Form(max_length=64)] = "",
        seconds: Annotated[float, Form()] = 0.0,
        read: Annotated[str, Form(max_length=5)] = "",
    ) -> Response:
        view = pages.room.clock.view()
        problem = _refused(view, basis, seen, seconds) or ("unread" if _due(view, basis) and not read else "")
        if problem:
            return _page(pages, request, view, problem)
        made = pages.room.clock.propose(member_of(request).id, Basis(basis))
        if isinstance(made, Void):
            return _page(pages, request, pages.room.clock.view(), made.value)
        return RedirectResponse("/clock", _SEE_OTHER)

    @router.post("/clock/confirm", dependencies=[allow(Permission.CLOCK)])
    def confirm(
        request: Request, number: Annotated[int, Form(ge=0, le=_MOST)] = 0, read: Annotated[str, Form(max_length=5)] = ""
    ) -> Response:
        view = pages.room.clock.view()
        proposal = view.proposal
        if proposal is not None and proposal.number == number and proposal.choice.due and not read:
            return _page(pages, request, view, "unread")
        try:
            made = pages.room.clock.confirm(member_of(request).id, number)
        except DeviceError:
            return _page(pages, request, pages.room.clock.view(), "unsaved")
        if isinstance(made, Void):
            return _page(pages, request, pages.room.clock.view(), made.value)
        return RedirectResponse("/clock", _SEE_OTHER)

    return router


def _due(view: TimeView, basis: str) -> tuple[str, ...]:
    return next((one.due for one in view.choices if one.basis == basis), ())


def _refused(view: TimeView, basis: str, seen: str, seconds: float) -> str:
    """Why a choice cannot be proposed as somebody saw it; empty where it can."""
    if view.reason is None:
        return Void.NOT_SUSPENDED
    if basis not in set(Basis):
        return "basis"
    choice = next((one for one in view.choices if one.basis == basis), None)
    if choice is None:
        return Void.NOT_POSSIBLE
    is_same = seen == mark(view.reason, choice) and abs(choice.seconds - seconds) <= Trust().step_s
    return "" if is_same else Void.CHANGED


def mark(reason: Reason, choice: Choice) -> str:
    """What a form carries to say which list was on the page."""
    return hashlib.sha256("\n".join([reason, choice.basis, *choice.due]).encode()).hexdigest()[:32]


def _page(pages: Pages, request: Request, view: TimeView, problem: str = "") -> Response:
    language, member = pages.language(request), member_of(request)
    translate = texts.translator(language)
    rows = _rows(pages, language, view)
    reason, proposal = view.reason, view.proposal

    def choice_of(reason: Reason, choice: Choice) -> dict[str, Any]:
        return {
            "basis": choice.basis.value,
            "title": texts.CHOICE_WORDS[choice.basis.value],
            "meaning": texts.CHOICE_MEANINGS[_kind(reason), choice.basis.value],
            "older": span(choice.seconds, translate) if choice.seconds >= 1 else "",
            "seconds": choice.seconds,
            "seen": mark(reason, choice),
            "due": [rows[clip] for clip in sorted(choice.due, key=lambda clip: rows[clip]["order"])],
        }

    what, checks = texts.SUSPENDED_WORDS[reason.value] if reason is not None else ("", ())
    return pages.render(
        request,
        "clock.html",
        status=_status(problem),
        problem=problem,
        what=what,
        checks=checks,
        is_fault=reason in FAULTS,
        since=_moment(pages, view.since, language) if view.since is not None else "",
        wall=_moment(pages, view.wall, language),
        counted=_moment(pages, view.counted, language),
        ahead=view.wall - view.counted,
        apart=span(abs(view.wall - view.counted), translate),
        synchronised=view.synchronised,
        claim=span(view.claim, translate) if view.claim >= 1 else "",
        unsaved=view.unsaved,
        choices=[choice_of(reason, choice) for choice in view.choices] if reason is not None else [],
        proposal=choice_of(proposal.reason, proposal.choice) if proposal is not None else None,
        proposal_number=proposal.number if proposal is not None else 0,
        proposed_by=pages.person_name(proposal.by) if proposal is not None else "",
        own=proposal is not None and proposal.by == member.id,
        unjudged=sorted((rows[clip] for clip in view.unjudged), key=lambda row: row["order"]),
    )


def _status(problem: str) -> int:
    if problem in {"", "unsaved"}:
        return _FAILED if problem else 200
    return _INCOMPLETE if problem in {"basis", "unread"} else _OTHERWISE_NOW


def _kind(reason: Reason) -> str:
    return "damage" if reason in FAULTS else "jump" if reason in JUMPS else "start"


def _rows(pages: Pages, language: str, view: TimeView) -> dict[str, dict[str, Any]]:
    """Every clip that the page names, by its id, as the template shows it."""
    clips = {*view.unjudged, *_all_due(view)}
    return {clip: _row(pages, language, clip) for clip in clips}


def _all_due(view: TimeView) -> Iterable[str]:
    proposed = (view.proposal.choice,) if view.proposal is not None else ()
    return (clip for choice in (*view.choices, *proposed) for clip in choice.due)


def _row(pages: Pages, language: str, clip: str) -> dict[str, Any]:
    try:
        case = pages.room.office.cases.store.by_clip(clip)
    except StoreDamagedError:
        case = None
    if case is None:
        # That the clip would end must be seen all the same.
        return {"clip": clip, "number": 0, "camera": "", "opened": "", "state": "", "order": math.inf}
    opened = _moment(pages, case.opened, language)
    state = texts.CASE_WORDS[case.state.value]
    return {"clip": clip, "number": case.id, "camera": pages.camera_name(case.camera), "opened": opened, "state": state, "order": case.id}


def _moment(pages: Pages, at: float, language: str) -> str:
    """POSIX seconds to the second; a wrong clock can say what is no date."""
    try:
        return texts.clock(pages.moment(at), language)
    except (ValueError, OverflowError, OSError):
        return texts.translator(language)(texts.CLOCK_AWRY)


def span(seconds: float, translate: texts.Translate) -> str:
    """How long something is, in two units, as people say it."""
    if not math.isfinite(seconds):
        return "∞"
    whole = round(seconds)
    if whole < 60:
        return translate(texts.SPANS["s"]).format(n=whole)
    if whole < 3600:
        return translate(texts.SPANS["min"]).format(n=whole // 60)
    if whole < 48 * 3600:
        return translate(texts.SPANS["h"]).format(n=whole // 3600, m=whole % 3600 // 60)
    return translate(texts.SPANS["days"]).format(n=whole // 86_400, m=whole % 86_400 // 3600)
