"""Cameras, health, regime, settings."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, HTTPException, Request, Response

from blickschutz.access.model import Permission
from blickschutz.kernel.errors import DeviceError
from blickschutz.regime.model import RegimeName
from blickschutz.web.allowed import allow_token
from blickschutz.web.api import models as m
from blickschutz.web.api.health import health_of
from blickschutz.web.api.problems import ApiProblem
from blickschutz.web.pages import Pages, TileView
from blickschutz.web.sessions import member_of
from blickschutz.web.settings import sections


def routes(pages: Pages) -> APIRouter:
    """What the machine is and does."""
    router, room = pages.router(), pages.room

    def _tile(camera: str) -> TileView:
        tile = next((tile for tile in pages.tiles() if tile.camera.id == camera), None)
        if tile is None:
            raise HTTPException(404)
        return tile

    def _camera(tile: TileView) -> m.Camera:
        control = tile.control
        return m.Camera(
            id=tile.camera.id,
            name=tile.camera.name,
            side=tile.camera.side.value,
            state=tile.state,
            cause=control.cause,
            stopped=control.stopped,
        )

    @router.get("/cameras", dependencies=[allow_token(Permission.HEALTH)])
    def cameras() -> list[m.Camera]:
        """All cameras in the order of the wall."""
        return [_camera(tile) for tile in pages.tiles()]

    @router.get(
        "/cameras/{camera}/picture.jpg",
        dependencies=[allow_token(Permission.WALL)],
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {"schema": m.BYTES}}}, 503: {"description": "There is no picture now."}},
    )
    async def picture(camera: str) -> Response:
        """A redacted picture."""
        tile = _tile(camera)
        try:
            return Response(await tile.control.snapshot(), media_type="image/jpeg")
        except DeviceError as error:
            raise HTTPException(503) from error

    @router.post("/cameras/{camera}/stop", dependencies=[allow_token(Permission.STOP)])
    def stop(request: Request, camera: str, wish: m.Because) -> m.Camera:
        """Stop a camera: nothing of it is processed, shown or recorded from now on."""
        return _set(request, camera, True, wish.reason)

    @router.post("/cameras/{camera}/resume", dependencies=[allow_token(Permission.RESUME)])
    def resume(request: Request, camera: str, wish: m.Because) -> m.Camera:
        """Start a camera again."""
        return _set(request, camera, False, wish.reason)

    def _set(request: Request, camera: str, on: bool, reason: str) -> m.Camera:
        tile = _tile(camera)
        if room.preparing and not on:
            raise ApiProblem(409, "preparing", "the site is only prepared; no camera runs")
        (room.stops.stop if on else room.stops.resume)(camera, member_of(request).id, reason)
        return _camera(tile)

    @router.get("/health", dependencies=[allow_token(Permission.HEALTH)])
    def health() -> m.Health:
        """Figures of cameras, disk, clock, log, certificate and models; never a picture."""
        known = room.models()
        return health_of(
            pages,
            cameras=[_figures(tile) for tile in pages.tiles()],
            recording_problem=room.recordings.recording_problem(),
            deadlines_suspended=bool(suspended := room.clock.suspended),
            suspended_reason=suspended,
            certificate_until=room.certificate_until(),
            models={name: hashed for name, (hashed, _) in known.items()},
        )

    @router.get("/regime", dependencies=[allow_token(Permission.REGIME)])
    def regime() -> m.Regime:
        """Day or night, until when, and why."""
        return _regime()

    @router.put("/regime", dependencies=[allow_token(Permission.REGIME)])
    def set_regime(request: Request, wish: m.SetRegime) -> m.Regime:
        """Set day or night by hand."""
        until = room.regime.now() + timedelta(hours=wish.hours)
        room.regime.set_override(RegimeName(wish.name), until, wish.reason, member_of(request).id)
        return _regime()

    @router.delete("/regime", dependencies=[allow_token(Permission.REGIME)])
    def end_regime(request: Request) -> m.Regime:
        """Back to the plan."""
        room.regime.end_override(member_of(request).id)
        return _regime()

    def _regime() -> m.Regime:
        now = room.regime.current()
        return m.Regime(name=now.name.value, until=now.until, reason=now.reason.value, by_hand=room.regime.override is not None)

    @router.get("/settings", dependencies=[allow_token(Permission.SETTINGS)])
    def settings() -> list[m.Setting]:
        """The settings in force, with the line of the site file; entries of lists carry their name in the key."""
        found = []
        for section in sections(pages.site, room.settings.text, "en"):
            rows = [(section.key, row) for row in section.rows]
            rows += [(f"{section.key}[{title}]", row) for title, part in section.parts for row in part]
            found += [m.Setting(key=f"{prefix}.{row.key}", value=row.value, meaning=row.meaning, line=row.line) for prefix, row in rows]
        return found

    return router


def _figures(tile: TileView) -> m.Figures:
    health = tile.control.health
    return m.Figures(
        camera=tile.camera.id,
        state=tile.state,
        fps=health.fps if health is not None else None,
        frames=health.frames if health is not None else None,
        dropped=health.dropped if health is not None else None,
        withheld=health.withheld if health is not None else None,
        faults=health.faults if health is not None else None,
        reconnects=health.reconnects if health is not None else None,
        restarts=max(0, tile.control.restarts),
        pss_mb=health.pss_mb if health is not None else None,
    )
