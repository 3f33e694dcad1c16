"""The wall, a camera's page, its snapshot."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Permission
from blickschutz.kernel.errors import DeviceError
from blickschutz.web.allowed import allow
from blickschutz.web.pages import Pages, TileView
from blickschutz.web.routes.wall_views import wall_values
from blickschutz.web.views import open_queue


def routes(pages: Pages) -> APIRouter:
    """Routes of the wall and the cameras."""
    router = pages.router()

    @router.get("/", dependencies=[allow(Permission.PUBLIC)])
    def start(request: Request) -> Response:
        return RedirectResponse(pages.start(pages.member(request)), 303)

    @router.get("/wall", dependencies=[allow(Permission.WALL)])
    def wall(request: Request, view: Annotated[str, Query(max_length=200)] = "") -> Response:
        queue = open_queue(pages, request)
        return pages.render(request, "wall.html", **wall_values(pages, request, view), **queue)

    @router.get("/cameras/{camera}", dependencies=[allow(Permission.WALL)])
    def camera(request: Request, camera: str) -> Response:
        tile = require(pages, camera)
        return pages.render(request, "camera.html", tile=tile, health=tile.control.health)

    @router.get("/cameras/{camera}/picture.jpg", dependencies=[allow(Permission.WALL)])
    async def picture(camera: str) -> Response:
        tile = require(pages, camera)
        try:
            return Response(await tile.control.snapshot(), media_type="image/jpeg")
        except DeviceError as error:
            return Response(str(error), 503, media_type="text/plain")

    return router


def find(pages: Pages, camera: str) -> TileView | None:
    """The camera with that id, if there is one."""
    return next((tile for tile in pages.tiles() if tile.camera.id == camera), None)


def require(pages: Pages, camera: str) -> TileView:
    """The camera with that id; where there is none the answer is the page for what is not found."""
    tile = find(pages, camera)
    if tile is None:
        raise HTTPException(404)
    return tile
