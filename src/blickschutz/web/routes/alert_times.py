"""When and where alerts come: hours by weekdays, and how many for each camera on the plan. Metadata alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from blickschutz.access.model import Permission
from blickschutz.situations.kinds import Kind
from blickschutz.web.allowed import allow
from blickschutz.web.pages import Pages

DAYS = 28
LEVELS = 5
_HOUR_S = 3600
_MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Cell:
    """How many, and how much that is beside the most: 0 for none, else 1 to `LEVELS`."""

    count: int
    level: int


def routes(pages: Pages) -> APIRouter:
    """One page."""
    router = pages.router()
    desk = pages.room.alerts

    @router.get("/alerts/times", dependencies=[allow(Permission.ALERTS)])
    def times(request: Request, date: str = "", until: str = "", camera: str = "", kind: str = "") -> Response:
        last = pages.day_start(until)
        first = pages.day_start(date) if date else last - timedelta(days=DAYS - 1)
        first, last = sorted((first, last))
        first = max(first, last - timedelta(days=_MOST_DAYS - 1))
        tiles = pages.tiles()
        asked_camera = camera if any(tile.camera.id == camera for tile in tiles) else ""
        asked_kind = Kind(kind) if kind in set(Kind) else None
        end = last + timedelta(days=1)
        found = desk.store.spread(first.timestamp(), end.timestamp(), camera=asked_camera, kind=asked_kind)
        per_camera: dict[str, int] = {}
        for _, name, number in found:
            per_camera[name] = per_camera.get(name, 0) + number
        shades = levels([per_camera.get(tile.camera.id, 0) for tile in tiles])
        picture = pages.room.floorplan.current()
        places = [(tile, tile.camera.plan, cell) for tile, cell in zip(tiles, shades, strict=True) if tile.camera.plan is not None]
        return pages.render(
            request,
            "alert_times.html",
            week=week(found, pages.zone),
            places=places,
            cameras=sorted(zip(tiles, shades, strict=True), key=lambda one: -one[1].count),
            picture=picture,
            building=pages.site.site.building,
            tall=100.0 * picture.shape if picture is not None else 100.0,
            total=sum(per_camera.values()),
            days=(last - first).days + 1,
            chosen={"date": f"{first:%Y-%m-%d}", "until": f"{last:%Y-%m-%d}", "camera": asked_camera, "kind": kind if asked_kind else ""},
            tiles=tiles,
            kinds=list(Kind),
        )

    return router


def week(found: Iterable[tuple[int, str, int]], zone: ZoneInfo) -> list[list[Cell]]:
    """Seven days from Monday of 24 hours each, in the site's time. `found`: hours since 1970, camera, how many."""
    counts = [[0] * 24 for _ in range(7)]
    for hour, _, number in found:
        at = datetime.fromtimestamp(hour * _HOUR_S, zone)
        counts[at.weekday()][at.hour] += number
    shaded = iter(levels([number for day in counts for number in day]))
    return [[next(shaded) for _ in day] for day in counts]


def levels(counts: Sequence[int]) -> list[Cell]:
    """Each number with its shade: a fifth of the largest number a step."""
    most = max(counts, default=0)
    return [Cell(number, 0 if number == 0 else max(1, -(-number * LEVELS // most))) for number in counts]
