"""The settings of a site. Every one has a description; the JSON Schema for editors is made from here."""

from __future__ import annotations

import ipaddress
import math
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from blickschutz.access.model import Role
from blickschutz.access.rules import SEPARATED
from blickschutz.config.channels import Alerts
from blickschutz.config.hosts import Hosts
from blickschutz.config.parts import (
    MOST_DAYS,
    MOST_HOURS_UNREVIEWED,
    Address,
    Fingerprint,
    Host,
    HostName,
    Identifier,
    Network,
    Part,
    Point,
    Polygon,
    Share,
    TimeOfDay,
    WebAddress,
    is_local,
)
from blickschutz.config.texts import SiteError
from blickschutz.ingest.model import Transport
from blickschutz.ingest.rules.address import RTSP, read_address
from blickschutz.kernel.density import Density, Yardstick
from blickschutz.kernel.devices import Decoding, Device
from blickschutz.redaction.model import Colour, Style
from blickschutz.regime.model import Action, Mode
from blickschutz.situations.kinds import Kind
from blickschutz.situations.settings import RuleSettings


class Side(StrEnum):
    """Where a camera looks: onto the forecourt, or onto one of the other sides."""

    FORECOURT = "forecourt"
    SIDE = "side"


class Site(Part):
    name: Annotated[str, Field(min_length=1, max_length=80)]
    """Name of the place, as it stands in the header of every page."""
    operator: Annotated[str, Field(min_length=1, max_length=120)]
    """The authority that is responsible (Verantwortlicher)."""
    language: Literal["de", "en"] = "de"
    """Language of the pages until a person chooses another."""
    building: Polygon | None = None
    """Outline of the building on the site plan, in shares of its width and height."""
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    """Latitude of the place in degrees, for sunrise and sunset."""
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    """Longitude of the place in degrees."""
    timezone: str = "Europe/Berlin"
    """Time zone of all times that are shown (IANA name)."""
    id: Identifier | None = None
    """Id of the installation: it stays when name or place of the site change; without it where this file lies decides."""
    data: Annotated[str, Field(min_length=1, max_length=400)] | None = None
    """Folder of all data of the installation, as seen from this file; without it the platform's usual place."""
    camera_networks: Annotated[tuple[Network, ...], Field(max_length=16)] = ()
    """Networks in which pages may look for cameras and try one, as `10.20.0.0/24`; without any those around the cameras of this file."""
    demo: bool = False
    """True marks a site that is shown and not operated; every page says so."""


class Server(Part):
    host: Host = "127.0.0.1"
    """Address on which the pages are served: this machine only, unless an IP address of its own network stands here."""
    names: tuple[HostName, ...] = ()
    """Names and addresses by which workstations call this server, the first one first; security keys are bound to it."""
    port: Annotated[int, Field(ge=1024, le=65535)] = 8710
    """Port on which the pages are served."""
    tls: bool | None = None
    """Encryption with a certificate of this installation's own authority. Without it: on beyond this machine, off on it."""

    @property
    def local(self) -> bool:
        """Whether only this machine reaches the pages."""
        return is_local(self.host)

    @property
    def secure(self) -> bool:
        return not self.local if self.tls is None else self.tls

    @property
    def known_names(self) -> tuple[str, ...]:
        """Every name and address by which this server may be called."""
        own = () if self.host == "localhost" or ipaddress.ip_address(self.host).is_unspecified else (self.host,)
        return tuple(dict.fromkeys((*self.names, *own, "localhost", "127.0.0.1", "::1")))

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if not self.local and self.tls is False:
            raise SiteError("tls", where=("tls",))
        if not self.local and ipaddress.ip_address(self.host).is_unspecified and not self.names:
            raise SiteError("names", value=self.host, where=("names",))
        return self


class Analysis(Part):
    model: Identifier = "centernet"
    """Name of the registered detector (`blickschutz models list`)."""
    device: Annotated[Device, Field(strict=False)] = Device.CPU
    """What the detector runs on: `CPU`, `GPU`, `NPU`, or `AUTO` for the first that is there and faster; the CPU where it is not there."""
    decoding: Annotated[Decoding, Field(strict=False)] = Decoding.SOFTWARE
    """What decodes the streams: `software`, `nvdec`, `qsv`, `vaapi`, or `auto` for the first that is there and cheaper; else software."""
    rate: Annotated[float, Field(ge=1, le=15)] = 5.0
    """Analysed pictures per second and camera."""

    @property
    def on_devices(self) -> bool:
        """Whether raw pictures may be in the memory of a graphics card or neural unit."""
        return self.device is not Device.CPU or self.decoding is not Decoding.SOFTWARE


class Redaction(Part):
    style: Style = Field(default=Style.MOSAIC, strict=False)
    """`mosaic` shows people one by one, flat or in cells (`colour`); `silhouette` fills everything with one level."""
    colour: Colour = Field(default=Colour.NEUTRAL, strict=False)
    """What a mosaic keeps of people: `neutral` one level for each, `muted` half of their colours, `full` a cell's mean as it is."""


class Wall(Part):
    width: Annotated[int, Field(ge=320, le=1920, multiple_of=2)] = 960
    """Most width of a live picture, in pixels."""


class Weekday(StrEnum):
    """Days of the week as the site file writes them."""

    MO = "mo"
    TU = "tu"
    WE = "we"
    TH = "th"
    FR = "fr"
    SA = "sa"
    SU = "su"


class Regime(Part):
    starts: TimeOfDay
    """Time of day at which it starts, as HH:MM."""
    on_situation: Annotated[Action, Field(strict=False)]
    """What follows a situation: `notify` the staff, `record`, `both`, or only `count`."""
    mode: Annotated[Mode, Field(strict=False)]
    """`anonymous`: nothing unredacted leaves a cell. `sealed`: clips that two people open together."""
    kinds: dict[Annotated[Kind, Field(strict=False)], Annotated[Action, Field(strict=False)]] = Field(default_factory=dict)
    """What follows a situation of one kind, where it differs from `on_situation`."""


class Regimes(Part):
    day: Regime
    """By day: somebody is on duty."""
    night: Regime
    """By night: nobody is."""
    weekdays: Annotated[tuple[Annotated[Weekday, Field(strict=False)], ...], Field(min_length=1)] = tuple(Weekday)
    """Days with service; on the others night lasts all day."""
    holidays: Literal["", "BB", "BE", "BW", "BY", "HB", "HE", "HH", "MV", "NI", "NW", "RP", "SH", "SL", "SN", "ST", "TH"] = "RP"
    """State whose public holidays have no service; empty for none."""
    by_sun: bool = False
    """True: the day of service lasts from sunrise to sunset instead (needs `site.latitude` and `site.longitude`)."""

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.day.starts == self.night.starts:
            raise SiteError("same_start", value=self.day.starts)
        return self


class Recording(Part):
    before_s: Annotated[float, Field(ge=0, le=60)] = 10
    """Seconds before an order that are kept in memory and go into the clip."""
    after_s: Annotated[float, Field(ge=1, le=120)] = 10
    """Seconds after the last situation is over."""
    most_s: Annotated[float, Field(ge=10, le=1800)] = 300
    """Most seconds of one clip."""
    manual_s: Annotated[float, Field(ge=10, le=1800)] = 120
    """Seconds of a recording that somebody orders by hand."""
    reserve_mb: Annotated[int, Field(ge=50, le=1_000_000)] = 2000
    """Megabytes of the disk that stay free; with less nothing is recorded, and it is said."""


class Review(Part):
    unmask_s: Annotated[int, Field(ge=10, le=600)] = 120
    """Seconds after which unmasked playback ends by itself."""
    unmask_quota: Annotated[int, Field(ge=1, le=1000)] = 10
    """Unmaskings in 30 days above which the data protection officer is told."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Port of the review room; 0 takes any that is free."""
    root: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    """Root of the register of reviewers, as the page "Mein Sichtungskennwort" shows it; only with it is anything sealed."""


class Retention(Part):
    unreviewed_hours: Annotated[int, Field(ge=1, le=MOST_HOURS_UNREVIEWED)] = 72
    """Hours after which a clip that nobody reviewed is destroyed."""
    hard_limit_days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 60
    """Days after which a clip is destroyed unless it is held (two months by § 21(5) LDSG RLP)."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.unreviewed_hours > self.hard_limit_days * 24:
            raise SiteError("retention_order", hours=self.unreviewed_hours, days=self.hard_limit_days)
        return self


class Audit(Part):
    witness: Annotated[str, Field(pattern=r"^/.{1,99}$")] | None = None
    """Unix socket of the log's witness, absolute; without it nothing outside vouches for the log."""
    witness_key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """Public key of the witness, as it says at its start; without it the first that answers is believed from then on."""
    keep_months: Annotated[int, Field(ge=12, le=36)] = 24
    """Calendar months after which an entry of the log is erased, but for its hash; `protokollfrist` says the same and why."""


class Person(Part):
    id: Identifier
    """Short name, unique in the site."""
    name: Annotated[str, Field(min_length=1, max_length=80)]
    """Name of the person."""
    roles: Annotated[tuple[Annotated[Role, Field(strict=False)], ...], Field(min_length=1)]
    """Roles of the person; an administrator sees neither live picture nor recordings, and so has no other role (VA-04)."""
    trained_until: date | None = None
    """Last day on which the person's training counts; without it they do not review."""

    @model_validator(mode="after")
    def _separated(self) -> Self:
        for first, second in SEPARATED:
            if first in self.roles and second in self.roles:
                raise SiteError("separated", first=first.value, second=second.value)
        return self


class Scale(Part):
    start: Point
    """First point, in shares of width and height."""
    end: Point
    """Second point, in shares of width and height."""
    metres: Annotated[float, Field(gt=0, le=500)]
    """Distance between the two points on the ground, in metres."""


class Calibration(Part):
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

    @property
    def density(self) -> Density | None:
        """As the kernel reckons with it, once the size of the source is known."""
        return self.px_per_metre if self.scale is None else Yardstick(self.scale.start, self.scale.end, self.scale.metres)


class Zone(Part):
    id: Identifier
    """Short name, unique in the camera."""
    name: Annotated[str, Field(min_length=1, max_length=80)]
    """What the zone is called on the pages."""
    polygon: Polygon
    """Corners in shares of width and height (0 to 1), at least three."""
    surface: bool = False
    """True marks a protected surface: a change of it counts, not a thing that stands before it."""
    rules: RuleSettings = RuleSettings()
    """When the rules for situations are true in this zone."""


class CrossingLine(Part):
    id: Identifier
    """Short name, unique in the camera."""
    start: Point
    """One end, in shares of width and height."""
    end: Point
    """The other end."""
    both_ways: bool = True
    """False: only crossings from the left of the line (seen from `start` to `end`) count."""

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if math.dist(self.start, self.end) < 0.01:
            raise SiteError("scale_points")
        return self


class PlanPlace(Part):
    x: Share
    """Place of the camera on the site plan, from the left."""
    y: Share
    """Place of the camera on the site plan, from the top."""
    direction: Annotated[float, Field(ge=0, lt=360)]
    """Where it looks, in degrees clockwise from the top of the plan."""
    angle: Annotated[float, Field(gt=0, le=180)] = 70.0
    """Width of its view, in degrees."""
    reach: Annotated[float, Field(gt=0, le=1)] = 0.25
    """How far it sees, as a share of the plan's width."""


class PrivacyZone(Part):
    id: Identifier
    """Short name, unique in the camera."""
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    """Why nothing is shown here, for example windows of neighbours."""
    polygon: Polygon
    """Corners in shares of width and height (0 to 1), at least three."""


class Onvif(Part):
    address: WebAddress | None = None
    """The camera's ONVIF service: `http://host/onvif/device_service`, or `https`; account and certificate are the camera's."""
    events: bool = True
    """True: situations that the camera finds itself are asked for there (PullPoint)."""
    motion: Annotated[Kind, Field(strict=False)] | None = None
    """What a plain alarm of motion counts as. Without it nothing: that something moved says not what."""


class Notify(Part):
    host: Host
    """This machine's address in the cameras' network."""
    port: Annotated[int, Field(ge=1024, le=65535)]
    """Port of its own for this camera."""
    secret_file: Annotated[str, Field(min_length=1, max_length=400)]
    """File that holds the word with which every line begins, relative to this file or in the credentials of systemd."""


class Camera(Part):
    id: Identifier
    """Short name, unique in the site; part of addresses and logs."""
    name: Annotated[str, Field(min_length=1, max_length=60)]
    """Name of the camera on the wall."""
    side: Annotated[Side, Field(strict=False)]
    """`forecourt` or `side`."""
    address: Address
    """Stream of the camera: `rtsp://host/path`; `http://host/path` for pictures (MJPEG, or a still one); `file:path`, played in a loop."""
    substream: Address | None = None
    """A second, small stream of the same picture, by RTSP: it is analysed and shown, and `address` is recorded as it comes."""
    user: str = ""
    """User at the camera; empty for none."""
    password_file: Annotated[str, Field(max_length=400)] = ""
    """File that holds the password, relative to the site file or in the credentials of systemd; never the password itself."""
    start_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    """For a file: second at which it starts."""
    stall_s: Annotated[float, Field(ge=1, le=60)] = 5.0
    """Seconds without a packet after which the camera counts as lost and is connected anew; more for one that rarely sends."""
    transport: Annotated[Transport, Field(strict=False)] = Transport.TCP
    """How RTSP's media come: `tcp` in its own connection, `udp` as datagrams, `multicast` to a group, `http` in a tunnel within HTTP."""
    every_s: Annotated[float, Field(ge=0.1, le=10)] = 1.0
    """For still pictures by HTTP: seconds from one to the next. From 2 on the tile says between them that the picture stands."""
    fingerprint: Fingerprint | None = None
    """For `rtsps` and `https`: SHA-256 of the camera's own certificate, where it is that one and no other."""
    authority: Annotated[str, Field(min_length=1, max_length=400)] | None = None
    """For `rtsps`, `https`: file (PEM) of the authority of the camera's certificate, as seen from this file; else the system's count."""
    notify: Notify | None = None
    """Where this camera sends lines of its own (IP Notify of MOBOTIX, over TCP or HTTP)."""
    onvif: Onvif | None = None
    """The camera's ONVIF service, where it is to be listened to."""
    colour: Annotated[Colour, Field(strict=False)] | None = None
    """What a mosaic keeps of people in this camera's picture, where it differs from `redaction.colour`."""
    picture: tuple[Annotated[int, Field(ge=64, le=16384)], Annotated[int, Field(ge=64, le=16384)]] | None = None
    """Width and height of the camera's picture in pixels; documents reckon the density of a `calibration.scale` with it."""
    calibration: Calibration | None = None
    """How many pixels a metre has. Without it the mosaic is made for somebody as tall as the picture."""
    zones: tuple[Zone, ...] = ()
    """Areas in which situations are looked for."""
    lines: tuple[CrossingLine, ...] = ()
    """Lines whose crossing is a situation."""
    thresholds: dict[Annotated[Kind, Field(strict=False)], Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    """Least score (0 to 1) from which on a kind is told, instead of the camera's own; 0.5 is what a zone's rules ask for."""
    plan: PlanPlace | None = None
    """Where the camera stands on the site plan."""
    privacy_zones: tuple[PrivacyZone, ...] = ()
    """Areas that are always filled."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """All that is connected to for it."""
        streams = (self.address, self.substream) if self.substream is not None else (self.address,)
        return (*streams, *((self.onvif.address,) if self.onvif is not None and self.onvif.address is not None else ()))

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        _require_distinct("zone", "zones", [zone.id for zone in self.zones])
        _require_distinct("line", "lines", [line.id for line in self.lines])
        _require_distinct("zone", "privacy_zones", [zone.id for zone in self.privacy_zones])
        if self.notify is not None and self.address.startswith("file:"):
            # Lines count from the camera's own host alone, and a file has none.
            raise SiteError("notify_file", where=("notify",))
        if self.substream is not None:
            self._require_two_streams(self.substream)
        return self

    def _require_two_streams(self, substream: str) -> None:
        streams = [read_address(one) for one in (self.address, substream)]
        if any(one is None or one.scheme not in RTSP for one in streams):
            raise SiteError("substream_scheme", where=("substream",))
        if streams[0] == streams[1]:
            raise SiteError("substream_same", where=("substream",))
        if self.calibration is not None and self.calibration.px_per_metre is not None and self.picture is None:
            raise SiteError("substream_picture", where=("calibration", "px_per_metre"))


class SiteFile(Part):
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
    alerts: Alerts = Alerts()
    """Who is told of a situation, and how."""
    recording: Recording = Recording()
    """What is recorded, and how long."""
    review: Review = Review()
    """How clips are reviewed."""
    retention: Retention = Retention()
    """How long clips are kept."""
    audit: Audit = Audit()
    """Who outside vouches for the log."""
    hosts: Hosts | None = None
    """Cameras whose cells run on other machines, beside the cameras."""
    people: tuple[Person, ...] = ()
    """People who get an account when the site starts, and their roles; from then on the page of people is what counts."""
    cameras: Annotated[tuple[Camera, ...], Field(min_length=1)]
    """The cameras, in the order in which they stand on the wall."""

    @model_validator(mode="after")
    def _unique(self) -> Self:
        if self.regimes.by_sun and (self.site.latitude is None or self.site.longitude is None):
            raise SiteError("sun", where=("regimes", "by_sun"))
        budgets = [one.id for one in self.alerts.budget.cameras]
        _require_distinct("camera", "alerts", budgets, within=("budget", "cameras"))
        known = {camera.id for camera in self.cameras}
        for index, camera in enumerate(budgets):
            if camera not in known:
                raise SiteError("no_camera", value=camera, where=("alerts", "budget", "cameras", index, "id"))
        hosted = [one.id for one in self.hosts.cameras] if self.hosts is not None else []
        _require_distinct("camera", "hosts", hosted, within=("cameras",))
        for index, camera in enumerate(hosted):
            if camera not in known:
                raise SiteError("no_camera", value=camera, where=("hosts", "cameras", index, "id"))
        zones = {zone.id for camera in self.cameras for zone in camera.zones}
        for index, one in enumerate(self.alerts.priorities):
            if one.zone is not None and one.zone not in zones:
                raise SiteError("no_zone", value=one.zone, where=("alerts", "priorities", index, "zone"))
        channels = [hook.id for hook in self.alerts.webhooks] + [other.id for other in self.alerts.apprise]
        _require_distinct("channel", "alerts", channels)
        ports = [f"{one.notify.host}:{one.notify.port}" if one.notify is not None else f"#{n}" for n, one in enumerate(self.cameras)]
        _require_distinct("port", "cameras", ports, key="notify")
        _require_distinct("camera", "cameras", [camera.id for camera in self.cameras])
        _require_distinct("name", "cameras", [camera.name for camera in self.cameras], key="name")
        _require_distinct("person", "people", [person.id for person in self.people])
        return self


def _require_distinct(what: str, table: str, values: list[str], key: str = "id", within: tuple[str, ...] = ()) -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise SiteError("twice", what=what, value=value, where=(table, *within, index, key))
