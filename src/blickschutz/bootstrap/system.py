"""The whole system of one site: cells, supervisor, pages, in one event loop."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
import uvicorn
from fastapi import FastAPI

from blickschutz.alerts.service import AlertDesk
from blickschutz.analysis.io.registry import ModelRegistry
from blickschutz.bootstrap.control import Control, Source, make_control
from blickschutz.bootstrap.hosts import keepers_of
from blickschutz.bootstrap.leading import Leading
from blickschutz.bootstrap.manager import Service, ServiceManager
from blickschutz.config.model import SiteFile
from blickschutz.config.texts import say
from blickschutz.control.ports import Rooms
from blickschutz.control.service.fetching import ClipFetch
from blickschutz.control.service.floorplan import FloorPlanDesk
from blickschutz.control.service.keeper import CellKeeper
from blickschutz.control.service.lag import LoopLag
from blickschutz.control.service.launchers import LauncherWatch
from blickschutz.control.service.launching import LAUNCHER, Launch, launch_cell
from blickschutz.control.service.policy import PolicyWatch
from blickschutz.control.service.recordings import RecordingDesk
from blickschutz.control.service.shared import Shared
from blickschutz.control.service.vitals import HealthWatch, Sources, channels_of
from blickschutz.control.vitals import Vitals
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import FaultError, SettingsError
from blickschutz.reviewroom.host import ReviewRooms
from blickschutz.settings.model import Refused, Why
from blickschutz.web.app import make_app
from blickschutz.web.connections import LimitedHttp, RefusableWebSocket
from blickschutz.web.door import Door
from blickschutz.web.encryption import Encryption
from blickschutz.web.ports import (
    AuthorityView,
    ClockDesk,
    FloorPlans,
    Office,
    Policy,
    Recordings,
    RegimeControl,
    SensitivityControl,
    StopControl,
)
from blickschutz.zones.model import Wall

__all__ = ["Room", "Source", "System", "other_sizes", "require_port", "require_zone"]

_log = structlog.get_logger(__name__)
_GRACE_S = 3
_LOOK_S = 2.0
# Bytes. Whoever watches has nothing to say.
_MOST_SAID = 4096
_MB = 1024 * 1024
# With each message that it takes in the event loop lets other threads have the interpreter; one that renders a page keeps it for so long.
_SWITCH_S = 0.0005
# Objects that were made since the last look at young ones, looks at young ones between two at half old ones, and of those between two at
# all of them, which then never comes by itself: with a thousand cameras it stands still for 0.4 s.
_LOOKS = (1_000, 10, 1_000_000)
_WHOLE_LOOK_S = 600.0
# Some 30 MB are read and hashed each time.
MODELS_S = 30.0


def _is_the_process() -> bool:
    """Whether what is set for the whole process is ours to set; else this is a thread of somebody else's."""
    return threading.current_thread() is threading.main_thread()


def _models() -> Mapping[str, tuple[str, bool]]:
    registry = ModelRegistry()
    return {card.name: (card.sha256, registry.verify(card) == "ok") for card in registry.cards()}


class Room:
    """The control room as the pages see it."""

    def __init__(
        self,
        control: Control,
        recordings: Recordings,
        rooms: Rooms,
        source: Source,
        tls: Encryption,
        policy: Policy,
        health: Callable[[], Vitals],
        clock: Clock,
    ) -> None:
        self._control, self._tls, self.vitals = control, tls, health
        self._models = Shared(_models, clock, MODELS_S, 2 * MODELS_S)
        self.site_path, self.settings, self.trials = source.path, control.desk, control.trials
        self.recordings, self.rooms, self.policy = recordings, rooms, policy
        self.office: Office = control.records.office
        self.stops: StopControl = control.records.stops
        self.clock: ClockDesk = control.records.clock
        self.floorplan: FloorPlans = FloorPlanDesk(
            control.records.archive.data, control.records.office.log, control.records.office.access.voices
        )
        self.authority: AuthorityView | None = tls.authority
        self.alerts: AlertDesk = control.alerting.desk
        self.regime: RegimeControl = control.regime
        self.sensitivity: SensitivityControl = control.sensitivity

    @property
    def site(self) -> SiteFile:
        return self._control.settings.site

    def models(self) -> Mapping[str, tuple[str, bool]]:
        return self._models()

    def later(self, work: Callable[[], object]) -> None:
        self._control.records.worker.do(work)

    def certificate_until(self) -> datetime | None:
        return self._tls.until

    @property
    def cameras(self) -> Mapping[str, CellKeeper]:
        return self._control.supervisor.keepers

    @property
    def preparing(self) -> bool:
        return self._control.supervisor.preparing


def other_sizes(site: SiteFile, keepers: Mapping[str, CellKeeper]) -> dict[str, str]:
    """By camera the size of its picture, where the site file says another. Of two streams it says the large one's, and a cell sees the
    small one.
    """
    sizes = {camera.id: (camera.picture, keepers[camera.id].health) for camera in site.cameras if camera.substream is None}
    return {
        name: f"{health.width} x {health.height}"
        for name, (said, health) in sizes.items()
        if said is not None and health is not None and health.width and (health.width, health.height) != said
    }


def other_devices(keepers: Mapping[str, CellKeeper]) -> dict[str, str]:
    """By camera, why its detector does not compute where the settings want it, or is slower there."""
    states = {name: keeper.health.detector for name, keeper in keepers.items() if keeper.health is not None}
    return {name: state.why for name, state in states.items() if state is not None and state.trouble}


def other_decoders(keepers: Mapping[str, CellKeeper]) -> dict[str, str]:
    """By camera, why its stream is not decoded where the settings want it, or costs more there."""
    states = {name: keeper.health.decoder for name, keeper in keepers.items() if keeper.health is not None}
    return {name: state.why for name, state in states.items() if state is not None and state.trouble}


def require_zone(site: SiteFile) -> None:
    """Raise `SettingsError` where the time zone does not exist."""
    try:
        ZoneInfo(site.site.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(f"site.timezone: {say('timezone', site.site.language, value=site.site.timezone)}") from error


def require_port(site: SiteFile) -> None:
    """Raise `SettingsError` when the port is taken, before anything is started."""
    family = socket.AF_INET6 if ":" in site.server.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((site.server.host, site.server.port))
        except OSError as error:
            raise SettingsError(f"server.port: port {site.server.port} is taken by another program; end it or set another port") from error


def doors_of(site: SiteFile) -> list[socket.socket]:
    """Where the pages are asked for: a socket for each address that the host's name has. Raises `FaultError`."""
    doors: list[socket.socket] = []
    try:
        for family, *_, address in socket.getaddrinfo(site.server.host, site.server.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
            door = Door(family)
            doors.append(door)
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family is socket.AF_INET6:
                # As asyncio has it: the other family has a socket of its own.
                door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            door.bind(address)
    except OSError as error:
        for one in doors:
            one.close()
        raise FaultError(f"nobody can be heard at {site.server.host}, port {site.server.port}: {error.strerror}") from error
    return doors


class System:
    """Everything that runs for a site, with its data in the folder `data`. `serve` returns when it was told to end.

    `walls_missing` are the promises that this machine does not let its processes keep: the log and the page of health name them.
    A system that is `preparing` has its pages and no camera. Of a site on a server `leading` is the lead that this process took.
    """

    def __init__(
        self,
        site: SiteFile,
        base: Path,
        clock: Clock,
        launch: Launch = launch_cell,
        *,
        data: Path,
        source: Source | None = None,
        walls_missing: Iterable[Wall] = (),
        manager: ServiceManager | None = None,
        preparing: bool = False,
        leading: Leading | None = None,
    ) -> None:
        require_zone(site)
        known = source or Source()
        # From here on somebody else would take over in a few seconds, and opening a large database takes longer.
        self._lead = leading.start(clock) if leading is not None else None
        self.control = make_control(site, base, data, clock, launch, preparing=preparing, file=known, leading=leading)
        records = self.records = self.control.records
        records.keeping.preparing = preparing
        self._walls_missing = records.keeping.walls_missing = tuple(sorted(walls_missing))
        self.supervisor = self.control.supervisor
        self.tls = Encryption(site.site.name, site.server, data / "tls", clock, records.office.log)
        fetch = ClipFetch(data / "fetched", self.control.hosts, records.archive.shelf.free, site.recording.reserve_mb * _MB)
        fetch.clear()
        self.rooms = ReviewRooms(site, records.office, records.archive, clock, self.tls.files, fetch=fetch)
        recordings = RecordingDesk(records.inspected, self.control.routing, records.worker, fetch, keepers_of(site))
        policy = PolicyWatch(site, Path(known.path) if known.path else None, records.inspected, clock)
        self.lag, self.launchers = LoopLag(clock), LauncherWatch(LAUNCHER)
        self.control.settings.changed.listen(policy.settle)
        self.control.settings.changed.listen(self.rooms.settle)
        health = HealthWatch(records.inspected, self._sources(), clock)
        room = Room(self.control, recordings, self.rooms, known, self.tls, policy, health.look, clock)
        self.app = make_app(site, room, clock, self._lifespan, self.control.guard)
        config = uvicorn.Config(
            self.app,
            host=site.server.host,
            port=site.server.port,
            log_level="warning",
            server_header=False,
            # Nobody stands in front of this server: what a request says about its own origin is not believed.
            proxy_headers=False,
            http=LimitedHttp,
            ws=RefusableWebSocket,
            ws_max_size=_MOST_SAID,
            ws_ping_interval=20,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        self.tls.apply(config)
        self._server = uvicorn.Server(config)
        self._failed = ""
        if leading is not None:
            leading.leader.lost = self._end_lost
            if leading.leader.is_lost:
                self._end_lost()
        cells = self.supervisor.keepers
        self._service = Service(
            manager or ServiceManager(), cells, lambda: self._server.started, lambda: self.launchers.gone, self._end_failed
        )

    @property
    def site(self) -> SiteFile:
        """The settings in force."""
        return self.control.settings.site

    def _sources(self) -> Sources:
        """What the page of health asks besides the records."""
        control, records, tls = self.control, self.records, self.tls
        return Sources(
            databases=records.databases,
            reserve=self.site.recording.reserve_mb * _MB,
            channels=lambda: channels_of(control.alerting.desk.queues()),
            problem=lambda: records.worker.problem,
            cameras=lambda: {name: keeper.state for name, keeper in self.supervisor.keepers.items()},
            other_sizes=lambda: other_sizes(self.site, self.supervisor.keepers),
            other_devices=lambda: other_devices(self.supervisor.keepers),
            other_decoders=lambda: other_decoders(self.supervisor.keepers),
            unrecordable=lambda: {name: why for name, keeper in self.supervisor.keepers.items() if (why := keeper.unrecordable)},
            work=lambda: {"control": (*control.guard.states(), *(self._lead.states() if self._lead is not None else ()))},
            loop=self.lag.state,
            # Until the clock is settled deadlines go by what has passed, and wait for nobody.
            budget=control.sensitivity.states,
            walls_missing=self._walls_missing,
            launcher_gone=lambda: self.launchers.gone,
            replication=lambda: records.copies.state,
            keeps_copies=bool(keepers_of(self.site)),
            certificate_until=lambda: tls.until.timestamp() if tls.until is not None else None,
        )

    @asynccontextmanager
    async def _lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        del app
        await self.control.room.start()
        guard, hosts = self.control.guard, self.control.hosts
        if hosts is not None:
            hosts.start(guard)
        guard.task("event-loop", self.lag.run)
        self.launchers.start(guard)
        self.rooms.start(guard)
        guard.task("rooms", self.rooms.close_ended, every_s=_LOOK_S)
        guard.thread("certificate", self.tls.renew, every_s=_LOOK_S)
        guard.task("service-manager", self._service.run)
        if _is_the_process():
            # What is there by now stays to the end.
            gc.collect()
            gc.freeze()
            gc.set_threshold(*_LOOKS)
            guard.thread("memory", gc.collect, every_s=_WHOLE_LOOK_S)
        yield
        self._service.ending()
        await self.rooms.end()
        await self.control.room.end()
        if hosts is not None:
            await hosts.end()

    async def serve(self, for_s: float | None = None) -> None:
        """Run until a signal comes, or for `for_s` seconds. Raises `FaultError` where it did not start, or had to end."""
        require_port(self.site)
        if _is_the_process():
            sys.setswitchinterval(_SWITCH_S)
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.read_again)
        if for_s is not None:
            asyncio.get_running_loop().call_later(for_s, self.end)
        try:
            await self._server.serve(doors_of(self.site))
        except SystemExit as error:  # of the server, with codes that mean something else to whoever started this process
            raise FaultError("the control room could not be started; what stands above says why") from error
        if self._failed:
            raise FaultError(self._failed)

    def read_again(self) -> None:
        """Look at the site file again and put in force what somebody wrote into it; what is wrong with it is logged and noted."""
        self.control.guard.once_thread("settings-file", self._read_again)

    def _read_again(self) -> None:
        outcome = self.control.desk.reload(self.site.site.language)
        if isinstance(outcome, Refused) and outcome.why is not Why.NOTHING:
            _log.error("settings_refused", why=outcome.why.value, lines=list(outcome.lines), rules=[one.rule for one in outcome.against])

    def _end_failed(self) -> None:
        self._failed = "no cell can be started any more; the system has to be started anew"
        self.end()

    def _end_lost(self) -> None:
        self._failed = "another control room leads now; this one decides nothing any more, and ended"
        self.end()

    def end(self) -> None:
        """Ask the system to end."""
        self._server.should_exit = True

    @property
    def address(self) -> str:
        server = self.site.server
        host = server.host if server.local else server.known_names[0]
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if server.secure else 'http'}://{shown}:{server.port}/"
