"""The site plan, and the regime by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Permission
from blickschutz.compliance.plan import EDITION, density, density_class, unannounced
from blickschutz.config.model import PlanPlace
from blickschutz.regime.model import MOST_OVERRIDE_HOURS, RegimeName
from blickschutz.web.allowed import allow
from blickschutz.web.pages import Pages, TileView
from blickschutz.web.sessions import member_of

_SEE_OTHER = 303
_MOST_ENTRIES = 20
_LABELS = (0.5, 0.85)


def routes(pages: Pages) -> APIRouter:
    """Plan and regime."""
    router = pages.router()

    @router.get("/plan", dependencies=[allow(Permission.PLAN)])
    def plan(request: Request) -> Response:
        waiting = pages.room.alerts.store.open_cameras()
        known = [(tile, tile.camera.plan) for tile in pages.tiles() if tile.camera.plan is not None]
        picture = pages.room.floorplan.current()
        tall = 100.0 * picture.shape if picture is not None else 100.0
        places = [(tile, place, cone(place, tall), label_at(place, index, tall)) for index, (tile, place) in enumerate(known)]
        facts = pages.room.policy.facts()
        fields = [place for _, place in known]
        return pages.render(
            request,
            "plan.html",
            places=places,
            picture=picture,
            tall=tall,
            north=picture.north if picture is not None else facts.north,
            rule=scale(picture.metres) if picture is not None else None,
            waiting=waiting,
            building=pages.site.site.building,
            ways=facts.ways,
            signs=facts.signs,
            unannounced=unannounced(facts.ways, facts.signs, fields),
            densities=[(tile, dense, density_class(dense) if dense is not None else "") for tile, dense in _densities(pages)],
            edition=EDITION,
        )

    @router.get("/regime", dependencies=[allow(Permission.REGIME)])
    def regime(request: Request) -> Response:
        return _page(request)

    @router.post("/regime", dependencies=[allow(Permission.REGIME)])
    def override(
        request: Request,
        name: Annotated[str, Form(max_length=10)] = "",
        hours: Annotated[str, Form(max_length=10)] = "",
        reason: Annotated[str, Form(max_length=200)] = "",
    ) -> Response:
        until = _until(pages.room.regime.now(), hours)
        problem = "name" if name not in set(RegimeName) else "hours" if until is None else "" if reason.strip() else "reason"
        if problem or until is None:
            return _page(request, problem, 422)
        pages.room.regime.set_override(RegimeName(name), until, reason.strip(), member_of(request).id)
        return RedirectResponse("/regime", _SEE_OTHER)

    @router.post("/regime/end", dependencies=[allow(Permission.REGIME)])
    def end(request: Request) -> Response:
        pages.room.regime.end_override(member_of(request).id)
        return RedirectResponse("/regime", _SEE_OTHER)

    def _page(request: Request, problem: str = "", status: int = 200) -> Response:
        room = pages.room.regime
        entries = [replace(entry, by=pages.person_name(entry.by)) for entry in room.entries(_MOST_ENTRIES)]
        return pages.render(
            request, "regime.html", status=status, problem=problem, override=room.override, most=MOST_OVERRIDE_HOURS, entries=entries
        )

    return router


def _densities(pages: Pages) -> list[tuple[TileView, float | None]]:
    """The density of each camera's picture, of the size in which it really comes where that is known."""
    found = []
    for tile in pages.tiles():
        health = tile.control.health
        found.append((tile, density(tile.camera, (health.width, health.height) if health is not None and health.width else None)))
    return found


def _until(now: datetime, hours: str) -> datetime | None:
    """The end of an override, None where the number of hours is none or out of range."""
    try:
        value = float(hours.replace(",", "."))
    except ValueError:
        return None
    return now + timedelta(hours=value) if 0 < value <= MOST_OVERRIDE_HOURS else None


def scale(metres: float) -> tuple[float, float]:
    """A round length in metres for the scale, at most a quarter of the plan's width, and how long it is drawn (the plan is 100 wide)."""
    most = metres / 4
    power = 10.0 ** math.floor(math.log10(most))
    length = max(step * power for step in (1, 2, 5) if step * power <= most)
    return length, 100 * length / metres


def label_at(place: PlanPlace, index: int, tall: float = 100.0) -> tuple[float, float]:
    """Where a camera's name stands: in its field of view, near and far in turn, so that neighbours do not write over each other."""
    angle, reach = math.radians(place.direction - 90), _LABELS[index % len(_LABELS)] * place.reach
    return 100 * (place.x + reach * math.cos(angle)), tall * place.y + 100 * reach * math.sin(angle)


def cone(place: PlanPlace, tall: float = 100.0) -> str:
    """The view of a camera as an SVG path; the plan is 100 wide and `tall` high."""
    x, y, reach = 100 * place.x, tall * place.y, 100 * place.reach
    edges = [math.radians(place.direction + side * place.angle / 2 - 90) for side in (-1, 1)]
    (x1, y1), (x2, y2) = ((x + reach * math.cos(edge), y + reach * math.sin(edge)) for edge in edges)
    return f"M{x:.2f} {y:.2f} L{x1:.2f} {y1:.2f} A{reach:.2f} {reach:.2f} 0 {int(place.angle > 180)} 1 {x2:.2f} {y2:.2f} Z"
