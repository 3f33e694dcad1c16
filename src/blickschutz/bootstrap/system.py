"""The whole system of one site: cells, supervisor, pages, in one event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import uvicorn
from fastapi import FastAPI

from blickschutz.bootstrap.cells import cell_settings
from blickschutz.bootstrap.supervisor import CellKeeper, Launch, Supervisor, forkserver_launch
from blickschutz.config.model import SiteFile
from blickschutz.config.texts import say
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import SettingsError
from blickschutz.web.app import make_app

_GRACE_S = 3


class Room:
    """The control room as the pages see it."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    @property
    def cameras(self) -> Mapping[str, CellKeeper]:
        return self._supervisor.keepers

    def stop_all(self, on: bool) -> None:
        self._supervisor.stop_all(on)


class System:
    """Everything that runs for a site. `serve` returns when it was told to end."""

    def __init__(self, site: SiteFile, base: Path, clock: Clock, launch: Launch = forkserver_launch) -> None:
        try:
            ZoneInfo(site.site.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise SettingsError(f"site.timezone: {say('timezone', site.site.language, value=site.site.timezone)}") from error
        self.site = site
        cells = {camera.id: cell_settings(site, camera, base) for camera in site.cameras}
        self.supervisor = Supervisor(cells, clock, launch)
        self.app = make_app(site, Room(self.supervisor), clock, self._lifespan)
        config = uvicorn.Config(
            self.app,
            host=site.server.host,
            port=site.server.port,
            log_level="warning",
            server_header=False,
            ws_ping_interval=20,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        self._server = uvicorn.Server(config)

    @asynccontextmanager
    async def _lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        del app
        await self.supervisor.start()
        yield
        await self.supervisor.end()

    def require_port(self) -> None:
        """Raise `SettingsError` when the port is taken, before anything is started."""
        family = socket.AF_INET6 if ":" in self.site.server.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.site.server.host, self.site.server.port))
            except OSError as error:
                raise SettingsError(
                    f"server.port: port {self.site.server.port} is taken by another program; end it or set another port"
                ) from error

    async def serve(self, for_s: float | None = None) -> None:
        """Run until a signal comes, or for `for_s` seconds."""
        self.require_port()
        if for_s is not None:
            asyncio.get_running_loop().call_later(for_s, self.end)
        await self._server.serve()

    def end(self) -> None:
        """Ask the system to end."""
        self._server.should_exit = True

    @property
    def address(self) -> str:
        host = f"[{self.site.server.host}]" if ":" in self.site.server.host else self.site.server.host
        return f"http://{host}:{self.site.server.port}/"
