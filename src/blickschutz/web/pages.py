"""What all pages share: templates, language, theme, the site's header."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from fastapi import HTTPException, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import HTTPConnection

from blickschutz import __version__
from blickschutz.access.model import Member, Role
from blickschutz.audit.model import Event
from blickschutz.config.model import Camera, SiteFile
from blickschutz.kernel.clock import Clock
from blickschutz.web import texts
from blickschutz.web.ports import CameraControl, ControlRoom

KEYS = "1234567890ß"
SESSION = "session"


@dataclass(frozen=True, slots=True)
class TileView:
    """A camera as templates see it."""

    camera: Camera
    control: CameraControl
    key: str

    @property
    def state(self) -> str:
        return self.control.state.value


class Pages:
    """Renders pages for a request, in the person's language and theme."""

    def __init__(self, site: SiteFile, room: ControlRoom, clock: Clock) -> None:
        self.site, self.room, self._clock = site, room, clock
        self._zone = ZoneInfo(site.site.timezone)
        self._environment = Environment(
            loader=PackageLoader("blickschutz.web"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def tiles(self) -> list[TileView]:
        """All cameras in the order of the wall: the forecourt first."""
        ordered = sorted(self.site.cameras, key=lambda camera: camera.side.value != "forecourt")
        keys = KEYS + " " * max(0, len(ordered) - len(KEYS))
        return [TileView(camera, self.room.cameras[camera.id], key.strip()) for camera, key in zip(ordered, keys, strict=False)]

    def camera_name(self, camera: str) -> str:
        """The name of the camera with that id; the id itself where the camera is gone."""
        return next((known.name for known in self.site.cameras if known.id == camera), camera)

    def language(self, request: HTTPConnection) -> str:
        chosen = request.cookies.get("language", "")
        return chosen if chosen in texts.LANGUAGES else self.site.site.language

    def member(self, request: HTTPConnection) -> Member | None:
        """Who is signed in."""
        return self.room.recordings.access.who(request.cookies.get(SESSION, ""))

    def require(self, request: HTTPConnection, *roles: Role) -> Member:
        """Who is signed in and has one of `roles`. Else the answer is the page to sign in, or a refusal that is logged."""
        member = self.member(request)
        if member is None:
            raise HTTPException(401)
        if not member.may(*roles):
            log = self.room.recordings.log
            log.write(Event.ACCESS_REFUSED, member.id, str(request.url.path)[:80], {"reason": "role"})
            raise HTTPException(403)
        return member

    def log(self, request: HTTPConnection, what: Event, subject: str = "", **facts: str | int | float) -> None:
        """Write into the log what whoever sits here did."""
        member = self.member(request)
        self.room.recordings.log.write(what, member.id if member is not None else self.person(request), subject, dict(facts))

    def person(self, request: HTTPConnection) -> str:
        """Who sits at this desk: who is signed in, else whoever was chosen from the people of the site file."""
        member = self.member(request)
        if member is not None:
            return member.name
        names = [person.name for person in self.site.people if Role.CONTROL_ROOM in person.roles]
        chosen = unquote(request.cookies.get("person", ""))
        return chosen if chosen in names else (names[0] if names else "Leitstelle")

    def moment(self, at: float) -> datetime:
        """POSIX seconds as a moment in the site's time zone."""
        return datetime.fromtimestamp(at, self._zone)

    def day_start(self, date: str) -> datetime:
        """Midnight of the day `date` (YYYY-MM-DD) in the site's time zone; of today where it is no date."""
        try:
            day = datetime.strptime(date, "%Y-%m-%d")
        except ValueError:
            day = datetime.fromtimestamp(self._clock.now(), self._zone)
        return datetime(day.year, day.month, day.day, tzinfo=self._zone)

    def theme(self, request: Request, default: str) -> str:
        chosen = request.cookies.get("theme", "")
        return chosen if chosen in {"dark", "light"} else default

    def render(self, request: Request, template: str, *, status: int = 200, theme: str = "light", **values: Any) -> HTMLResponse:
        """The page `template` with the values that every page has, and `values`."""
        language = self.language(request)
        translate = texts.translator(language)
        now = datetime.fromtimestamp(self._clock.now(), self._zone)
        regime = self.room.regime.current()
        shared = {
            "_": translate,
            "language": language,
            "languages": texts.LANGUAGES,
            "theme": self.theme(request, theme),
            "site": self.site,
            "regime": regime,
            "member": self.member(request),
            "recording_problem": self.room.recordings.recording_problem(),
            "open_count": len(self.room.alerts.open_alerts()),
            "person": self.person(request),
            "people": [person.name for person in self.site.people if Role.CONTROL_ROOM in person.roles] or ["Leitstelle"],
            "regime_until": texts.moment(regime.until, language),
            "now": now,
            "now_text": texts.moment(now, language),
            "path": request.url.path,
            "version": __version__,
            "words": texts,
            "camera_name": self.camera_name,
            "number": lambda value, digits=1: texts.number(value, language, digits),
            "all_stopped": all(control.stopped for control in self.room.cameras.values()),
        }
        body = self._environment.get_template(template).render({**shared, **values})
        return HTMLResponse(body, status)
