"""What all pages share: templates, language, theme, the site's header."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.requests import HTTPConnection

from blickschutz import __version__
from blickschutz.access.model import Member, Permission
from blickschutz.access.rules import may
from blickschutz.access.service.keys import SecurityKeys
from blickschutz.audit.model import Event
from blickschutz.config.model import Camera, SiteFile
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import Clock
from blickschutz.rights.rules import NEAR_DAYS, due, is_near
from blickschutz.web import texts
from blickschutz.web.allowed import follow
from blickschutz.web.kept import KeptForms
from blickschutz.web.lanes import Lane, Lanes
from blickschutz.web.metrics import Refusals
from blickschutz.web.ports import CameraControl, ControlRoom
from blickschutz.web.routing import route_class
from blickschutz.web.sessions import member_of
from blickschutz.web.streams import OpenStreams
from blickschutz.web.templating import templates
from blickschutz.web.tiles import SaidTile

KEYS = "1234567890ß"
# Where people begin, by what they may do: the first that fits.
_STARTS = (
    (Permission.WALL, "/wall"),
    (Permission.CASES, "/cases"),
    (Permission.LOG, "/log"),
    (Permission.HEALTH, "/health"),
)


@dataclass(frozen=True)
class TileView:
    """A camera as templates see it, for one page: a page asks for the state of each a dozen times, and says the same each time."""

    camera: Camera
    control: CameraControl
    key: str

    @cached_property
    def state(self) -> str:
        """As it was when it was first asked for."""
        return self.control.state.value

    @cached_property
    def said(self) -> SaidTile:
        health = self.control.health
        return SaidTile(
            self.camera.id,
            self.camera.name,
            self.key,
            self.state,
            f"{health.width / health.height:.4f}" if health is not None and health.height else "",
            health is not None and bool(health.recording),
            bool(self.control.unrecordable),
        )


class Pages:
    """Renders pages for a request, in the person's language and theme."""

    def __init__(self, site: SiteFile, room: ControlRoom, clock: Clock, guard: Guard | None = None) -> None:
        self.guard = guard or Guard(clock)
        self.room, self.clock = room, clock
        self.kept, self.lanes, self.refusals = KeptForms(clock), Lanes(), Refusals()
        self.streams = OpenStreams()
        scheme, host = "https" if site.server.secure else "http", site.server.known_names[0]
        name = host if site.server.names else "localhost"
        self.keys = SecurityKeys(room.office.access, site.site.name, name, f"{scheme}://{name}:{site.server.port}")
        self.zone = ZoneInfo(site.site.timezone)
        # What `plain` renders in the event loop is read from disk now.
        for name in ("base.html", "not_now.html"):
            templates("blickschutz.web").get_template(name)

    @property
    def site(self) -> SiteFile:
        """The settings in force; two looks of one request may see two of them."""
        return self.room.site

    def router(self) -> APIRouter:
        """For routes: plain functions run in a thread of their lane, coroutines in the event loop."""
        return APIRouter(route_class=route_class(self.lanes))

    def tiles(self) -> list[TileView]:
        """All cameras in the order of the wall: the forecourt first."""
        ordered = sorted(self.site.cameras, key=lambda camera: camera.side.value != "forecourt")
        # A camera that is being taken away has its cell for a moment longer than its place, or the other way round.
        there = [(camera, control) for camera in ordered if (control := self.room.cameras.get(camera.id)) is not None]
        keys = KEYS + " " * max(0, len(there) - len(KEYS))
        return [TileView(camera, control, key.strip()) for (camera, control), key in zip(there, keys, strict=False)]

    def all_stopped(self) -> bool:
        return all(control.stopped for control in self.room.cameras.values())

    def camera_name(self, camera: str) -> str:
        """The name of the camera with that id; the id itself where the camera is gone."""
        return next((known.name for known in self.site.cameras if known.id == camera), camera)

    def person_name(self, person: str) -> str:
        """The name of the person with that short name; the short name itself where there is no such account."""
        member = self.room.office.access.members.get(person)
        return member.name if member is not None else person

    @staticmethod
    def start(member: Member | None) -> str:
        """The page on which somebody begins."""
        return next((path for permission, path in _STARTS if may(member, permission)), "/account") if member else "/sign-in"

    def _waiting(self, member: Member | None) -> int:
        """How many proposals about accounts wait for this person."""
        if member is None or not may(member, Permission.CONFIRM):
            return 0
        access = self.room.office.access
        return sum(member in access.people.confirmers(change) for change in access.accounts.changes())

    def _waiting_signatures(self, member: Member | None) -> int:
        return self.room.policy.desk.waiting(member) if member is not None and may(member, Permission.FACTS) else 0

    def _due_requests(self, member: Member | None) -> int:
        """How many requests and duties want this person soon: an answer to confirm, or a deadline that is near or over."""
        if member is None or not may(member, Permission.REQUESTS):
            return 0
        store, today = self.room.office.rights.store, self.room.regime.now().date()
        wanted = sum((one.answer is not None and member.id not in one.answer.by) or is_near(one, today) for one in store.open())
        return wanted + sum((due(one) or date.max) <= today + timedelta(days=NEAR_DAYS) for one in store.duties(settled=False))

    def language(self, request: HTTPConnection) -> str:
        chosen = request.cookies.get("language", "")
        return chosen if chosen in texts.LANGUAGES else self.site.site.language

    def member(self, request: HTTPConnection) -> Member | None:
        """Who is signed in; None on pages for everybody."""
        member = getattr(request.state, "member", None)
        return member if isinstance(member, Member) else None

    def log(self, request: HTTPConnection, what: Event, subject: str = "", **facts: str | int | float) -> None:
        """Write into the log what whoever sits here did."""
        by = member_of(request).id
        self.follow(lambda: self.room.office.log.write(what, by, subject, dict(facts)))

    def follow(self, write: Callable[[], object]) -> None:
        """Write an entry of what has happened already."""
        follow(self.room, write)

    def person(self, request: HTTPConnection) -> str:
        """The name of who sits at this desk."""
        return member_of(request).name

    @staticmethod
    def origin(request: Request) -> str:
        """How the person's browser calls this server, without the port: rooms have ports of their own."""
        name = request.url.hostname or "127.0.0.1"
        return f"{request.url.scheme}://[{name}]" if ":" in name else f"{request.url.scheme}://{name}"

    def moment(self, at: float) -> datetime:
        """POSIX seconds as a moment in the site's time zone."""
        return datetime.fromtimestamp(at, self.zone)

    def day_start(self, date: str) -> datetime:
        """Midnight of the day `date` (YYYY-MM-DD) in the site's time zone; of today where it is no date."""
        try:
            day = datetime.strptime(date, "%Y-%m-%d")
        except ValueError:
            day = datetime.fromtimestamp(self.clock.now(), self.zone)
        return datetime(day.year, day.month, day.day, tzinfo=self.zone)

    def theme(self, request: Request) -> str:
        """What the person chose; else dark for who watches the wall, light for who reads and decides, on all of their pages."""
        chosen = request.cookies.get("theme", "")
        return chosen if chosen in {"dark", "light"} else "dark" if may(self.member(request), Permission.WALL) else "light"

    def render(self, request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """The page `template` with the values that every page has, and `values`. Asks several stores: never in the event loop."""
        member = self.member(request)
        asked = {
            "waiting_changes": self._waiting(member),
            "due_requests": self._due_requests(member),
            "waiting_signatures": self._waiting_signatures(member),
            "recording_problem": self.room.recordings.recording_problem() if member is not None else "",
            "stuck_told": member is not None and any(one.told for one in self.room.recordings.stuck()),
            "open_count": self.room.alerts.store.open_count() if may(member, Permission.ALERTS) else 0,
        }
        return self._rendered(request, template, status, {**asked, **values})

    async def shown(self, lane: Lane, request: Request, template: str, **values: Any) -> HTMLResponse:
        """The same for a coroutine, which may not wait."""
        return await self.lanes.run(lane, lambda: self.render(request, template, **values))

    def plain(self, request: Request, template: str, status: int, **values: Any) -> HTMLResponse:
        """A page that asks no store, for when these do not answer."""
        nothing = {
            "waiting_changes": 0,
            "due_requests": 0,
            "waiting_signatures": 0,
            "recording_problem": "",
            "stuck_told": False,
            "open_count": 0,
        }
        return self._rendered(request, template, status, {**nothing, **values})

    def _rendered(self, request: Request, template: str, status: int, values: dict[str, Any]) -> HTMLResponse:
        language, member = self.language(request), self.member(request)
        now, regime = datetime.fromtimestamp(self.clock.now(), self.zone), self.room.regime.current()
        shared = {
            "_": texts.translator(language),
            "language": language,
            "languages": texts.LANGUAGES,
            "theme": self.theme(request),
            "safe_mode": self.room.recordings.safety.on,
            "preparing": self.room.preparing,
            "deadlines_suspended": self.room.clock.suspended if member is not None else "",
            "site": self.site,
            "regime": regime,
            "member": member,
            "may": lambda permission: permission != Permission.PUBLIC and may(member, Permission(permission)),
            "start": self.start(member),
            "regime_until": texts.moment(regime.until, language),
            "now": now,
            "now_text": texts.moment(now, language),
            "path": request.url.path,
            "version": __version__,
            "words": texts,
            "camera_name": self.camera_name,
            "person_name": self.person_name,
            "number": lambda value, digits=1: texts.number(value, language, digits),
            "all_stopped": self.all_stopped(),
        }
        body = templates("blickschutz.web").get_template(template).render({**shared, **values})
        return HTMLResponse(body, status)
