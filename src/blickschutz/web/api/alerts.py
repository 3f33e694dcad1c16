"""Alerts and what is decided about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response

from blickschutz.access.model import Permission
from blickschutz.alerts import model as alerts
from blickschutz.alerts.rules import OPEN
from blickschutz.situations.kinds import Kind
from blickschutz.web.allowed import allow_token
from blickschutz.web.api import models as m
from blickschutz.web.api.problems import ApiProblem
from blickschutz.web.pages import Pages
from blickschutz.web.views import by_whom, enter

_MOST = 100


def routes(pages: Pages) -> APIRouter:
    """What the desk of alerts does, for programs."""
    router, desk = pages.router(), pages.room.alerts

    def _get(number: int) -> alerts.Alert:
        found = desk.store.get(number)
        if found is None:
            raise HTTPException(404)
        return found

    def _shown(alert: alerts.Alert, *, history: bool = False) -> m.Alert:
        entries = desk.store.history(alert.id) if history else None
        return m.Alert(
            id=alert.id,
            camera=alert.camera,
            kind=alert.kind.value,
            zone=alert.zone,
            state=alert.state.value,
            confidence=alert.confidence,
            taken=pages.moment(alert.taken),
            raised=pages.moment(alert.raised),
            outcome=alert.outcome.value if alert.outcome is not None else None,
            note=alert.note,
            figures=dict(alert.figures),
            has_clip=alert.has_clip,
            history=[
                m.Decision(at=pages.moment(one.at), event=str(getattr(one.event, "value", one.event)), by=one.by, text=one.text)
                for one in entries
            ]
            if entries is not None
            else None,
        )

    @router.get("/alerts", dependencies=[allow_token(Permission.ALERTS)])
    def find(
        state: Literal["open", "closed", ""] = "",
        camera: Annotated[str, Query(max_length=40)] = "",
        kind: Kind | None = None,
        before: Annotated[int, Query(ge=0, le=2**53)] = 0,
    ) -> m.Alerts:
        """Alerts, the newest first, a hundred at a time."""
        states = sorted(OPEN) if state == "open" else [alerts.AlertState.CLOSED] if state == "closed" else ()
        found = desk.store.find(states=states, camera=camera, kind=kind, before=before, most=_MOST)
        return m.Alerts(alerts=[_shown(one) for one in found], next_before=found[-1].id if len(found) == _MOST else None)

    @router.get("/alerts/{number}", dependencies=[allow_token(Permission.ALERTS)])
    def get(number: m.Number) -> m.Alert:
        """One alert with its history."""
        return _shown(_get(number), history=True)

    @router.get(
        "/alerts/{number}/clip.mp4",
        dependencies=[allow_token(Permission.ALERTS)],
        response_class=Response,
        responses={200: {"content": {"video/mp4": {"schema": m.BYTES}}}},
    )
    def clip(number: m.Number) -> Response:
        """The redacted seconds before and after."""
        data = desk.store.clip(_get(number).id)
        if data is None:
            raise HTTPException(404)
        return Response(data, media_type="video/mp4")

    def _decide(number: int, decide: Callable[[], bool]) -> m.Alert:
        _get(number)
        if not decide():
            raise ApiProblem(409, "late", "Somebody else was faster, or the alert is in a state in which this cannot be done.")
        enter(pages)
        return _shown(_get(number), history=True)

    @router.post("/alerts/{number}/acknowledge", dependencies=[allow_token(Permission.DECIDE)])
    def acknowledge(request: Request, number: m.Number) -> m.Alert:
        """Say that somebody looks at it."""
        return _decide(number, lambda: desk.acknowledge(number, by_whom(request)))

    @router.post("/alerts/{number}/act", dependencies=[allow_token(Permission.DECIDE)])
    def act(request: Request, number: m.Number, note: m.Note) -> m.Alert:
        """Note what was done."""
        return _decide(number, lambda: desk.act(number, by_whom(request), note.text))

    @router.post("/alerts/{number}/close", dependencies=[allow_token(Permission.DECIDE)])
    def close(request: Request, number: m.Number, wish: m.Close) -> m.Alert:
        """Close it with an outcome."""
        return _decide(number, lambda: desk.close(number, by_whom(request), alerts.Outcome(wish.outcome), wish.text))

    return router
