"""The settings of a site. Every one has a description; the JSON Schema for editors is made from here."""

from __future__ import annotations

import math
import re
from enum import StrEnum
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from blickschutz.config.texts import SiteError
from blickschutz.redaction.model import Style

Share = Annotated[float, Field(ge=0, le=1)]
Point = tuple[Share, Share]
MOST_HOURS_UNREVIEWED = 72
MOST_DAYS = 61


def _identifier(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", value):
        raise SiteError("identifier", value=value, proposal=re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")[:40] or "kamera-1")
    return value


def _time_of_day(value: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise SiteError("time", value=value)
    return value


def _polygon(points: tuple[Point, ...]) -> tuple[Point, ...]:
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, (*points[1:], points[0]), strict=True)) / 2
    if abs(area) < 1e-6:
        raise SiteError("flat")
    return points


def _address(value: str) -> str:
    if value.startswith("file:"):
        if len(value) <= len("file:"):
            raise SiteError("address", value=value)
        return value
    parts = urlsplit(value)
    if parts.scheme not in {"rtsp", "rtsps"} or not parts.hostname:
        raise SiteError("address", value=value)
    return value


Identifier = Annotated[str, AfterValidator(_identifier)]
TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]
Polygon = Annotated[tuple[Point, ...], Field(min_length=3, max_length=64), AfterValidator(_polygon)]
Address = Annotated[str, AfterValidator(_address)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Side(StrEnum):
    """Where a camera looks: onto the forecourt, or onto one of the other sides."""

    FORECOURT = "forecourt"
    SIDE = "side"


class Site(_Part):
    name: Annotated[str, Field(min_length=1, max_length=80)]
    """Name of the place, as it stands in the header of every page."""
    operator: Annotated[str, Field(min_length=1, max_length=120)]
    """The authority that is responsible (Verantwortlicher)."""
    language: Literal["de", "en"] = "de"
    """Language of the pages until a person chooses another."""
    timezone: str = "Europe/Berlin"
    """Time zone of all times that are shown (IANA name)."""
    demo: bool = False
    """True marks a site that is shown and not operated; every page says so."""


class Server(_Part):
    host: Literal["127.0.0.1", "::1", "localhost"] = "127.0.0.1"
    """Address on which the pages are served. Only this machine, until there is TLS."""
    port: Annotated[int, Field(ge=1024, le=65535)] = 8710
    """Port on which the pages are served."""


class Analysis(_Part):
    model: Identifier = "centernet"
    """Name of the registered detector (`blickschutz models list`)."""
    rate: Annotated[float, Field(ge=1, le=15)] = 5.0
    """Analysed pictures per second and camera."""


class Redaction(_Part):
    style: Style = Field(default=Style.MOSAIC, strict=False)
    """`mosaic` keeps a coarse impression of people; `silhouette` keeps no pixel of the source."""


class Wall(_Part):
    width: Annotated[int, Field(ge=320, le=1920, multiple_of=2)] = 960
    """Most width of a live picture, in pixels."""


class Regime(_Part):
    starts: TimeOfDay
    """Time of day at which it starts, as HH:MM."""
    on_situation: Literal["notify", "record", "both", "count"]
    """What follows a situation: a notice to the staff, a recording, both, or only a count."""
    mode: Literal["anonymous", "sealed"]
    """`anonymous`: nothing unredacted leaves a cell. `sealed`: clips that two people open together."""


class Regimes(_Part):
    day: Regime
    """By day."""
    night: Regime
    """By night."""

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.day.starts == self.night.starts:
            raise SiteError("same_start", value=self.day.starts)
        return self


class Retention(_Part):
    unreviewed_hours: Annotated[int, Field(ge=1, le=MOST_HOURS_UNREVIEWED)] = 72
    """Hours after which a clip that nobody reviewed is destroyed."""
    hard_limit_days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 60
    """Days after which a clip is destroyed unless it is held (two months by § 21(5) LDSG RLP)."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.unreviewed_hours > self.hard_limit_days * 24:
            raise SiteError("retention_order", hours=self.unreviewed_hours, days=self.hard_limit_days)
        return self


class Role(StrEnum):
    """What a person may do (see the handbook)."""

    CONTROL_ROOM = "leitstelle"
    REVIEW = "sichtung"
    SUPERVISION = "aufsicht"
    ADMINISTRATION = "administration"
    DATA_PROTECTION = "datenschutz"


_SEPARATED = (
    (Role.ADMINISTRATION, Role.REVIEW),
    (Role.ADMINISTRATION, Role.CONTROL_ROOM),
    (Role.ADMINISTRATION, Role.SUPERVISION),
    (Role.ADMINISTRATION, Role.DATA_PROTECTION),
    (Role.DATA_PROTECTION, Role.REVIEW),
)


class Person(_Part):
    id: Identifier
    """Short name, unique in the site."""
    name: Annotated[str, Field(min_length=1, max_length=80)]
    """Name of the person."""
    roles: Annotated[tuple[Annotated[Role, Field(strict=False)], ...], Field(min_length=1)]
    """Roles of the person; an administrator sees no pictures and so has no other role (VA-04)."""

    @model_validator(mode="after")
    def _separated(self) -> Self:
        for first, second in _SEPARATED:
            if first in self.roles and second in self.roles:
                raise SiteError("separated", first=first.value, second=second.value)
        return self


class Scale(_Part):
    start: Point
    """First point, in shares of width and height."""
    end: Point
    """Second point, in shares of width and height."""
    metres: Annotated[float, Field(gt=0, le=500)]
    """Distance between the two points on the ground, in metres."""


class Calibration(_Part):
    px_per_metre: Annotated[float, Field(gt=0, le=5000)] | None = None
    """Pixels of the source picture per metre, where the picture is densest."""
    scale: Scale | None = None
    """Two points and their distance, instead of `px_per_metre`."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.px_per_metre is None) == (self.scale is None):
            raise SiteError("calibration")
        if self.scale is not None and math.dist(self.scale.start, self.scale.end) < 0.01:
            raise SiteError("scale_points")
        return self


class Zone(_Part):
    id: Identifier
    """Short name, unique in the camera."""
    name: Annotated[str, Field(min_length=1, max_length=80)]
    """What the zone is called on the pages."""
    polygon: Polygon
    """Corners in shares of width and height (0 to 1), at least three."""


class PrivacyZone(_Part):
    id: Identifier
    """Short name, unique in the camera."""
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    """Why nothing is shown here, for example windows of neighbours."""
    polygon: Polygon
    """Corners in shares of width and height (0 to 1), at least three."""


class Camera(_Part):
    id: Identifier
    """Short name, unique in the site; part of addresses and logs."""
    name: Annotated[str, Field(min_length=1, max_length=60)]
    """Name of the camera on the wall."""
    side: Annotated[Side, Field(strict=False)]
    """`forecourt` or `side`."""
    address: Address
    """Stream of the camera: `rtsp://host/path`, or `file:path` for a file that is played in a loop."""
    start_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    """For a file: second at which it starts."""
    calibration: Calibration | None = None
    """How many pixels a metre has."""
    zones: tuple[Zone, ...] = ()
    """Areas in which situations are looked for."""
    privacy_zones: tuple[PrivacyZone, ...] = ()
    """Areas that are always filled."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        _require_distinct("zone", "zones", [zone.id for zone in self.zones])
        _require_distinct("zone", "privacy_zones", [zone.id for zone in self.privacy_zones])
        return self


class SiteFile(_Part):
    format: Literal[1]
    """Version of this format."""
    site: Site
    """The place and who is responsible for it."""
    server: Server = Server()
    """Where the pages are served."""
    analysis: Analysis = Analysis()
    """How pictures are analysed."""
    redaction: Redaction = Redaction()
    """How people are redacted."""
    wall: Wall = Wall()
    """The live wall."""
    regimes: Regimes
    """Day and night."""
    retention: Retention = Retention()
    """How long clips are kept."""
    people: tuple[Person, ...] = ()
    """People and their roles."""
    cameras: Annotated[tuple[Camera, ...], Field(min_length=1, max_length=64)]
    """The cameras, in the order in which they stand on the wall."""

    @model_validator(mode="after")
    def _unique(self) -> Self:
        _require_distinct("camera", "cameras", [camera.id for camera in self.cameras])
        _require_distinct("name", "cameras", [camera.name for camera in self.cameras], key="name")
        _require_distinct("person", "people", [person.id for person in self.people])
        return self


def _require_distinct(what: str, table: str, values: list[str], key: str = "id") -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise SiteError("twice", what=what, value=value, where=(table, index, key))
