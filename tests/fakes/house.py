"""As much of a running system as the pages of the alerts ask for, over a real alert desk and a real log."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from fastapi import FastAPI

from blickschutz.access.model import Member, Role
from blickschutz.alerts.service import AlertDesk
from blickschutz.audit.io.log import AuditLog
from blickschutz.config.model import SiteFile
from blickschutz.kernel.clock import Clock
from blickschutz.regime.model import CurrentRegime, RegimeName
from blickschutz.wall.model import TileState
from blickschutz.web.pages import Pages
from blickschutz.web.routes import alerts, bar, decisions, wall

DESK = Member("leitstelle-1", "Dienst Leitstelle", frozenset({Role.CONTROL_ROOM}))


class Day:
    """Always by day."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def current(self) -> CurrentRegime:
        return CurrentRegime(RegimeName.DAY, self.now() + timedelta(hours=1))


class Sound:
    """Nothing was lost."""

    on, losses, seen_by, what = False, (), "", ""


class Records:
    """Records, unless a test says why not."""

    def __init__(self) -> None:
        self.refusal = ""
        self.orders: list[tuple[str, str, str, int | None]] = []

        self.safety = Sound()

    def recording_problem(self) -> str:
        return ""

    def stuck(self) -> tuple[()]:
        return ()

    def record(self, camera: str, by: str, reason: str, alert: int | None) -> str:
        if not self.refusal:
            self.orders.append((camera, by, reason, alert))
        return self.refusal


class Door:
    """Everybody is the member that a test names."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.members = {member.id: member}
        self.preferences = SimpleNamespace(wall=lambda person: "")

    def who(self, token: str, *, touch: bool = True) -> tuple[Member, None]:
        del token, touch
        return self.member, None


class AlertPages:
    """The pages of wall, alerts and decisions as an ASGI application; `records` and `door` are for a test to change."""

    def __init__(self, site: SiteFile, desk: AlertDesk, log: AuditLog, clock: Clock) -> None:
        self.records, self.door = Records(), Door(DESK)
        cameras = {
            camera.id: SimpleNamespace(state=TileState.LIVE, stopped=False, cause="", problem="", health=None, unrecordable="")
            for camera in site.cameras
        }
        office = SimpleNamespace(access=self.door, log=log)
        self._thread = ThreadPoolExecutor(1)
        policy = SimpleNamespace(desk=SimpleNamespace(waiting=lambda member: 0))
        room = SimpleNamespace(policy=policy, alerts=desk, office=office, recordings=self.records, regime=Day(clock), cameras=cameras)
        room.preparing, room.site = False, site
        room.later = self._thread.submit
        room.clock = SimpleNamespace(suspended="")
        pages = Pages(site, room, clock)  # type: ignore[arg-type] # a room with what these pages ask for
        self.app = FastAPI()
        self.app.state.room, self.app.state.lanes = room, pages.lanes
        for part in (wall, alerts, bar, decisions):
            self.app.include_router(part.routes(pages))

    def settle(self) -> None:
        """Wait until all is done that was left for later."""
        self._thread.submit(int).result(30)

    def close(self) -> None:
        self._thread.shutdown()
