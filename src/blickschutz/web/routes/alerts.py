"""Alerts: the queue, the desk, an alert's page, decisions, and the stream of changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response

from blickschutz.access.model import Permission
from blickschutz.alerts.model import Alert, AlertState, Outcome
from blickschutz.alerts.rules import OPEN
from blickschutz.config.lives import alert_lives
from blickschutz.situations.kinds import Kind
from blickschutz.web.allowed import allow
from blickschutz.web.numbers import Before, Number, numbers
from blickschutz.web.pages import Pages
from blickschutz.web.routes.bar import stream_of
from blickschutz.web.views import by_whom, open_queue, place_from, place_of, views

_DAY_S = 24 * 3600.0
_TALLY_DAYS = 30
_PAGE = 100
# As many open alerts of one camera and kind are offered to be closed together.
TOGETHER = 50


Also = Annotated[str, Query(max_length=1000)]


def routes(pages: Pages) -> APIRouter:
    """All about alerts."""
    router = pages.router()
    desk = pages.room.alerts

    @router.get("/alerts", dependencies=[allow(Permission.ALERTS)])
    def day(
        request: Request,
        camera: str = "",
        kind: str = "",
        state: str = "",
        date: str = "",
        until: str = "",
        outcome: str = "",
        text: Annotated[str, Query(max_length=100)] = "",
        before: Before = 0,
        after: Annotated[str, Query(max_length=40)] = "",
    ) -> Response:
        """Alerts of a day, or from one to another, the newest first; or, without a day, all that are open, in the order of need."""
        words, asked_outcome = text.strip(), Outcome(outcome) if outcome in set(Outcome) else None
        whole = state == "open" and not (date or until or words or asked_outcome)
        start, last_day = sorted((pages.day_start(date or until), pages.day_start(until or date)))
        asked_camera = camera if any(tile.camera.id == camera for tile in pages.tiles()) else ""
        asked_kind = Kind(kind) if kind in set(Kind) else None
        if whole:
            found = desk.open_alerts(place_from(after), _PAGE + 1, camera=asked_camera, kind=asked_kind)
        else:
            end = last_day + timedelta(days=1)
            found = desk.store.find(
                states=sorted(OPEN) if state == "open" else [AlertState.CLOSED] if state == "closed" else (),
                since=start.timestamp(),
                until=end.timestamp(),
                before=max(0, before),
                most=_PAGE + 1,
                camera=asked_camera,
                kind=asked_kind,
                outcome=asked_outcome,
                text=words,
            )
        tally = desk.tallies.of(_TALLY_DAYS * _DAY_S)
        values: dict[str, Any] = {"tally": tally, "tally_days": _TALLY_DAYS, "tiles": pages.tiles(), "kinds": list(Kind)}
        shown = views(pages, request, found[:_PAGE])
        last = found[_PAGE - 1] if len(found) > _PAGE else None
        further: dict[str, Any] = {} if last is None else {"after": place_of(last, desk.priorities)} if whole else {"before": last.id}
        days = ("", "") if whole else (f"{start:%Y-%m-%d}", f"{last_day:%Y-%m-%d}")
        chosen = {"camera": camera, "kind": kind, "state": state, "date": days[0], "until": days[1], "outcome": outcome, "text": words}
        values |= {"outcomes": list(Outcome), "notes_days": round(alert_lives(pages.site).history / _DAY_S)}
        return pages.render(request, "alerts.html", chosen=chosen, alerts=shown, whole=whole, further=further, **values)

    @router.get("/alerts/queue", dependencies=[allow(Permission.ALERTS)])
    def queue(request: Request) -> Response:
        return pages.render(request, "queue.html", **open_queue(pages, request))

    @router.get("/alerts/stream", dependencies=[allow(Permission.ALERTS)])
    async def stream(request: Request) -> Response:
        return stream_of(pages, request, Permission.ALERTS)

    @router.get("/alerts/{number}", dependencies=[allow(Permission.ALERTS)])
    def alert(request: Request, number: Number, also: Also = "") -> Response:
        found = require(pages, number)
        person = pages.person(request)
        # Whoever looks need not wait for whoever writes.
        pages.room.later(lambda: desk.seen(number, person))
        return page(pages, request, found, also=also)

    @router.get("/alerts/{number}/panel", dependencies=[allow(Permission.ALERTS)])
    def panel(request: Request, number: Number, also: Also = "") -> Response:
        """The same beside the wall, which goes on."""
        found = require(pages, number)
        person = pages.person(request)
        pages.room.later(lambda: desk.seen(number, person))
        return page(pages, request, found, template="alert_panel.html", also=also)

    @router.get("/alerts/{number}/clip.mp4", dependencies=[allow(Permission.ALERTS)])
    def clip(number: Number) -> Response:
        data = desk.store.clip((require(pages, number)).id)
        if data is None:
            raise HTTPException(404)
        return Response(data, media_type="video/mp4")

    return router


def require(pages: Pages, number: int) -> Alert:
    """The alert with that number; where there is none the answer is the page for what is not found."""
    alert = pages.room.alerts.store.get(number)
    if alert is None:
        raise HTTPException(404)
    return alert


def page(pages: Pages, request: Request, found: Alert, problem: str = "", template: str = "alert.html", also: str = "") -> Response:
    """The page of an alert; with a `problem` it says what was wrong with a decision. `also` were closed with it."""
    others = [tile for tile in pages.tiles() if tile.camera.id != found.camera]
    desk = pages.room.alerts
    history = desk.store.history(found.id)
    # As many as are offered at once, the oldest first.
    alike = desk.open_alerts(most=TOGETHER, camera=found.camera, kind=found.kind) if found.state in OPEN else []
    row = desk.alike(found.id) if len(alike) > 1 else []
    lives, age = alert_lives(pages.site), pages.room.regime.now().timestamp() - found.raised
    return pages.render(
        request,
        template,
        status=409 if problem in {"late", "over"} else 422 if problem else 200,
        alert=views(pages, request, [found])[0],
        history=history,
        over={"clip": age >= lives.clips, "history": age >= lives.history},
        others=others,
        together=views(pages, request, sorted((one for one in alike if one.id != found.id), key=lambda one: one.id)),
        row=row,
        undo=desk.may_undo(found.id, by_whom(request)),
        also=" ".join(map(str, numbers(also))),
        outcomes=list(Outcome),
        problem=problem,
    )
