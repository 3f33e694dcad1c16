"""Views of the wall that somebody keeps with their account, and the window for a second screen."""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Permission
from blickschutz.wall.model import NotKept, View, WallSettings
from blickschutz.wall.rules import nearest, read_settings, settings_text, with_patrol, with_view, without_view
from blickschutz.web.allowed import allow
from blickschutz.web.pages import Pages, TileView
from blickschutz.web.sessions import member_of
from blickschutz.web.tiles import wall_tile

_SEE_OTHER = 303
_WALL = [allow(Permission.WALL)]
Name = Annotated[str, Form(max_length=200)]


def routes(pages: Pages) -> APIRouter:
    """Everybody's own views."""
    router = pages.router()
    preferences = pages.room.office.access.preferences

    @router.get("/wall/views", dependencies=_WALL)
    def views(request: Request, name: Annotated[str, Query(max_length=200)] = "") -> Response:
        return _page(request, own(pages, request).view(name))

    def _page(request: Request, view: View | None = None, problem: str = "", status: int = 200) -> Response:
        settings = own(pages, request)
        return pages.render(request, "wall_views.html", status=status, tiles=pages.tiles(), settings=settings, view=view, problem=problem)

    @router.post("/wall/views", dependencies=_WALL)
    def keep(
        request: Request,
        name: Name = "",
        cameras: Annotated[list[str] | None, Form(max_length=64)] = None,
        large: Name = "",
        patrol: Annotated[str, Form(max_length=5)] = "",
    ) -> Response:
        view = View(name=name, cameras=tuple(cameras or ()), large=large, patrol=patrol == "yes")
        found = with_view(own(pages, request), view, pages.room.cameras.keys())
        if isinstance(found, NotKept):
            return _page(request, view, found.value, 422)
        preferences.put_wall(member_of(request).id, settings_text(found))
        return RedirectResponse(f"/wall?view={quote(name.strip())}", _SEE_OTHER)

    @router.post("/wall/views/remove", dependencies=_WALL)
    def remove(request: Request, name: Name = "") -> Response:
        preferences.put_wall(member_of(request).id, settings_text(without_view(own(pages, request), name)))
        return RedirectResponse("/wall/views", _SEE_OTHER)

    @router.post("/wall/alarming", dependencies=_WALL)
    def alarming(request: Request, enlarge: Annotated[str, Form(max_length=5)] = "") -> Response:
        changed = msgspec.structs.replace(own(pages, request), enlarge=enlarge == "yes")
        preferences.put_wall(member_of(request).id, settings_text(changed))
        return RedirectResponse("/wall/views", _SEE_OTHER)

    @router.post("/wall/patrol", dependencies=_WALL)
    def patrol(request: Request, seconds: Annotated[str, Form(max_length=20)] = "") -> Response:
        found = with_patrol(own(pages, request), seconds)
        if isinstance(found, NotKept):
            return _page(request, None, found.value, 422)
        preferences.put_wall(member_of(request).id, settings_text(found))
        return RedirectResponse("/wall/views", _SEE_OTHER)

    @router.get("/wall/window", dependencies=_WALL)
    def window(request: Request, view: Annotated[str, Query(max_length=200)] = "") -> Response:
        return pages.render(request, "wall_window.html", **wall_values(pages, request, view))

    return router


def own(pages: Pages, request: Request) -> WallSettings:
    """How whoever asks wants the wall."""
    return read_settings(pages.room.office.access.preferences.wall(member_of(request).id))


def wall_values(pages: Pages, request: Request, chosen: str) -> dict[str, Any]:
    """What a wall is made of: all tiles, the views, which one is chosen, and which cameras stand beside which."""
    settings, tiles = own(pages, request), pages.tiles()
    there = {tile.camera.id for tile in tiles}
    named = {one.name: {"cameras": [c for c in one.cameras if c in there], "large": one.large} for one in settings.views}
    chosen = chosen if chosen in named else ""
    patrol = {"views": [one.name for one in settings.views if one.patrol], "seconds": settings.patrol_s}
    return {
        "tiles": tiles,
        "counts": Counter(tile.state for tile in tiles),
        "wall_tile": wall_tile,
        "wall_settings": settings,
        "chosen": chosen,
        "patrols": settings.patrols,
        "wall_data": json.dumps({"views": named, "chosen": chosen, "enlarge": settings.enlarge, "patrol": patrol}),
        "beside": _beside(tiles),
    }


def _beside(tiles: list[TileView]) -> dict[str, str]:
    placed = ((tile.camera.id, tile.camera.plan) for tile in tiles)
    places = tuple((camera, (plan.x, plan.y)) for camera, plan in placed if plan is not None)
    return _joined(tuple(tile.camera.id for tile in tiles), places)


@lru_cache(maxsize=4)
def _joined(order: tuple[str, ...], places: tuple[tuple[str, tuple[float, float]], ...]) -> dict[str, str]:
    """Cameras are moved once in years, and the wall is asked for all day."""
    return {camera: " ".join(others) for camera, others in nearest(dict(places), order).items()}
