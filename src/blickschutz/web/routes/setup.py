"""Setting a camera up: areas, lines and calibration drawn on its redacted picture, its place on the plan. Each becomes a proposal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

import msgspec
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Permission
from blickschutz.audit.model import Event
from blickschutz.compliance.plan import CLASSES, EDITION, density
from blickschutz.config.model import Camera
from blickschutz.kernel.errors import DeviceError
from blickschutz.settings.model import Edit, Looked, Proposal, Refused
from blickschutz.web import texts
from blickschutz.web.allowed import allow
from blickschutz.web.drawings import Drawing, Line, Mark, NotDrawn, Place, Ruler, Shape, drawn, placed, read_drawing, read_places
from blickschutz.web.lanes import Lane
from blickschutz.web.pages import Pages, TileView
from blickschutz.web.routes.wall import require
from blickschutz.web.routing import in_lane
from blickschutz.web.sessions import member_of
from blickschutz.web.setup_words import SETUP_TEXTS
from blickschutz.web.versions import effects_in_words, refusal_in_words

_SEE_OTHER, _INCOMPLETE = 303, 422
_MOST_DRAWING = 60_000
_START = {"direction": 0.0, "angle": 70.0, "reach": 0.2}
_KEYS = ("x", "y", "direction", "angle", "reach")
_Outcome: TypeAlias = NotDrawn | Looked | Refused | None
Drawn = Annotated[str, Form(max_length=_MOST_DRAWING)]
Reason = Annotated[str, Form(max_length=500)]
Act = Annotated[str, Form(max_length=10)]


def routes(pages: Pages) -> APIRouter:
    """One camera's picture with what is drawn on it, and all cameras on the plan."""
    router = pages.router()
    desk = pages.room.settings
    _picture(router, pages)

    @router.get("/cameras/{camera}/setup", dependencies=[allow(Permission.SETUP)])
    def setup(request: Request, camera: str) -> Response:
        return _page(request, require(pages, camera))

    def _page(
        request: Request,
        tile: TileView,
        drawing: Drawing | None = None,
        outcome: NotDrawn | Looked | Refused | None = None,
        reason: str = "",
    ) -> Response:
        language = pages.language(request)
        _ = texts.translator(language)
        size = size_of(tile)
        shown = drawing or as_drawing(tile.camera, size)
        data = {
            "drawing": msgspec.to_builtins(shown),
            "texts": {name: _(text) for name, text in SETUP_TEXTS.items()},
            "classes": [(least, _(texts.DENSITY_WORDS[name])) for least, name in CLASSES],
            "dense": density(tile.camera, size),
        }
        return pages.render(
            request,
            "setup.html",
            status=_INCOMPLETE if isinstance(outcome, NotDrawn | Refused) else 200,
            tile=tile,
            setup_data=json.dumps(data),
            edition=EDITION,
            ruler=shown.ruler,
            reason=reason,
            changeable=desk.changeable,
            problem=outcome.value if isinstance(outcome, NotDrawn) else "",
            refused=refusal_in_words(outcome, language) if isinstance(outcome, Refused) else None,
            effects=effects_in_words(outcome.effects, pages.camera_name, language) if isinstance(outcome, Looked) else None,
            second=outcome.second if isinstance(outcome, Looked) else True,
        )

    @router.post("/cameras/{camera}/setup", dependencies=[allow(Permission.PROPOSE)])
    @in_lane(Lane.WRITE)
    def draw(request: Request, camera: str, drawing: Drawn = "", reason: Reason = "", act: Act = "") -> Response:
        tile = require(pages, camera)
        read = read_drawing(drawing)
        if isinstance(read, NotDrawn):
            return _page(request, tile, None, read, reason)
        edits = drawn(tile.camera, read)
        outcome = edits if isinstance(edits, NotDrawn) else _done(request, edits, reason, act)
        if isinstance(outcome, Proposal):
            return RedirectResponse(f"/settings/changes/{outcome.number}", _SEE_OTHER)
        return _page(request, tile, read, outcome, reason)

    def _done(request: Request, edits: Sequence[Edit], reason: str, act: str) -> Proposal | Looked | Refused:
        language = pages.language(request)
        if act == "look":
            return desk.look(edits, language)
        return desk.propose(member_of(request).id, edits, reason, language)

    @router.get("/plan/cameras", dependencies=[allow(Permission.SETUP)])
    def cameras(request: Request) -> Response:
        return _plan(request)

    def _plan(request: Request, places: Sequence[Place] = (), outcome: NotDrawn | Refused | None = None) -> Response:
        language = pages.language(request)
        picture = pages.room.floorplan.current()
        given = {one.camera: one for one in places}
        found = [_place(index, tile.camera, given.get(tile.camera.id)) for index, tile in enumerate(pages.tiles())]
        tall = picture.shape if picture is not None else 1.0
        _ = texts.translator(language)
        return pages.render(
            request,
            "placing.html",
            status=200 if outcome is None else _INCOMPLETE,
            places=found,
            placing_data=json.dumps({"places": found, "tall": tall, "texts": {name: _(text) for name, text in SETUP_TEXTS.items()}}),
            picture=picture,
            tall=1000.0 * tall,
            building=pages.site.site.building,
            changeable=desk.changeable,
            problem=outcome.value if isinstance(outcome, NotDrawn) else "",
            refused=refusal_in_words(outcome, language) if isinstance(outcome, Refused) else None,
        )

    @router.post("/plan/cameras", dependencies=[allow(Permission.PROPOSE)])
    @in_lane(Lane.WRITE)
    def place(request: Request, places: Drawn = "", reason: Reason = "") -> Response:
        read = read_places(places)
        if isinstance(read, NotDrawn):
            return _plan(request, (), read)
        outcome = desk.propose(member_of(request).id, placed(pages.site.cameras, read), reason, pages.language(request))
        if isinstance(outcome, Refused):
            return _plan(request, read, outcome)
        return RedirectResponse(f"/settings/changes/{outcome.number}", _SEE_OTHER)

    return router


def _picture(router: APIRouter, pages: Pages) -> None:
    @router.get("/cameras/{camera}/setup/picture.jpg", dependencies=[allow(Permission.SETUP)])
    async def picture(request: Request, camera: str) -> Response:
        """One redacted picture, as the cell gives it to the wall. Whoever administers sees no other, and the log says that they looked."""
        tile, who = require(pages, camera), member_of(request).id
        try:
            data = await tile.control.snapshot()
        except DeviceError as error:
            return Response(str(error), 503, media_type="text/plain")
        await pages.lanes.run(Lane.WRITE, lambda: pages.room.office.log.write(Event.SETUP_LOOKED, who, camera, {}))
        return Response(data, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


def size_of(tile: TileView) -> tuple[int, int] | None:
    """Width and height of the source, as it really comes where that is known, else as the site file says."""
    health = tile.control.health
    return (health.width, health.height) if health is not None and health.width and health.height else tile.camera.picture


def as_drawing(camera: Camera, size: tuple[int, int] | None) -> Drawing:
    """What is in force, as it is drawn. Two points that it was measured by are there again, should somebody measure anew."""
    scale = camera.calibration.scale if camera.calibration is not None else None
    points = (scale.start, scale.end) if scale is not None else ((0.35, 0.75), (0.65, 0.75))
    people = [Mark((0.3, 0.55), (0.3, 0.4)), Mark((0.5, 0.75), (0.5, 0.5)), Mark((0.7, 0.95), (0.7, 0.6))]
    return Drawing(
        size=size,
        zones=[Shape(one.name, list(one.polygon), one.id) for one in camera.zones],
        privacy=[Shape(one.reason, list(one.polygon), one.id) for one in camera.privacy_zones],
        lines=[Line((one.start, one.end), one.both_ways, one.id) for one in camera.lines],
        ruler=Ruler("keep", points, scale.metres if scale is not None else 1.0, people),
    )


def _place(index: int, camera: Camera, given: Place | None) -> dict[str, Any]:
    """Where a camera stands, as somebody drew it just now, as it is in force, or beside the plan's edge for one that stands nowhere yet."""
    names = {"camera": camera.id, "name": camera.name}
    if given is not None:
        return {
            **names,
            "x": given.x,
            "y": given.y,
            "direction": given.direction,
            "angle": given.angle,
            "reach": given.reach,
            "there": True,
        }
    if camera.plan is None:
        return {**names, "x": 0.1 + 0.07 * (index % 12), "y": 0.05, **_START, "there": False}
    return {**names, **{key: getattr(camera.plan, key) for key in _KEYS}, "there": True}
