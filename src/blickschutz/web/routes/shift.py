"""The shift book: what the desk notes and hands over. Its entries are entries of the log; what is open is listed by itself."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Permission
from blickschutz.alerts.rules import WAITING
from blickschutz.audit.model import Entry, Event
from blickschutz.wall.model import TileState
from blickschutz.web.allowed import allow
from blickschutz.web.numbers import Before
from blickschutz.web.pages import Pages
from blickschutz.web.sessions import member_of
from blickschutz.web.views import queue_row, views

_SEE_OTHER = 303
_PAGE = 50
# So many open alerts stand on the page and are named in the entry of a handover; both say how many there are.
_NAMED = 50


def routes(pages: Pages) -> APIRouter:
    """The book of the desk."""
    router = pages.router()
    log, desk = pages.room.office.log, pages.room.alerts

    def _page(request: Request, before: int = 0, *, problem: bool = False) -> Response:
        found = [entry for entry, _ in log.find(event=Event.SHIFT_NOTED, before=before, most=_PAGE + 1)]
        rows = desk.rows()
        marks = [mark for row in rows for mark in row][:_NAMED]
        known = {alert.id: alert for alert in desk.store.some([mark.id for mark in marks])}
        shown = [[known[mark.id] for mark in row if mark.id in known] for row in rows]
        return pages.render(
            request,
            "shift.html",
            status=422 if problem else 200,
            entries=[_said(pages, entry) for entry in found[:_PAGE]],
            older=found[_PAGE - 1].number if len(found) > _PAGE else 0,
            open_rows=[queue_row(views(pages, request, row)) for row in shown if row],
            more=sum(map(len, rows)) - len(known),
            waiting=sum(mark.state in WAITING for row in rows for mark in row),
            dark=[tile for tile in pages.tiles() if tile.state != TileState.LIVE],
            override=pages.room.regime.override,
            problem=problem,
        )

    @router.get("/shift", dependencies=[allow(Permission.ALERTS)])
    def shift(request: Request, before: Before = 0) -> Response:
        return _page(request, before)

    @router.post("/shift", dependencies=[allow(Permission.DECIDE)])
    def note(
        request: Request, text: Annotated[str, Form(max_length=500)] = "", successor: Annotated[str, Form(max_length=80)] = ""
    ) -> Response:
        """Enter a note, or a handover with what is open at that moment. It is in the log before the answer."""
        member, words, successor = member_of(request), text.strip(), successor.strip()
        if not words and not successor:
            return _page(request, problem=True)
        facts: dict[str, Any] = {"text": words}
        if successor:
            marks = [mark for row in desk.rows() for mark in row]
            facts |= {
                "successor": successor,
                "open_alerts": [str(mark.id) for mark in marks[:_NAMED]],
                "open_count": len(marks),
                "dark_cameras": [tile.camera.id for tile in pages.tiles() if tile.state != TileState.LIVE],
            }
        log.write(Event.SHIFT_NOTED, member.id, "", facts)
        return RedirectResponse("/shift", _SEE_OTHER)

    return router


def _said(pages: Pages, entry: Entry) -> dict[str, Any]:
    """An entry of the book as the page shows it."""
    facts = entry.facts
    return {
        "at": pages.moment(entry.at),
        "who": pages.person_name(entry.by),
        "text": str(facts.get("text", "")),
        "successor": str(facts.get("successor", "")),
        "alerts": [int(one) for one in _listed(facts.get("open_alerts")) if one.isdigit()],
        "count": facts.get("open_count", 0),
        "dark": [pages.camera_name(one) for one in _listed(facts.get("dark_cameras"))],
    }


def _listed(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
