"""The settings of a site. Every one has a description; the JSON Schema for editors is made from here."""

from __future__ import annotations

import ipaddress
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from blickschutz.access.model import Role
from blickschutz.access.rules import SEPARATED
from blickschutz.config.about import Setting
from blickschutz.config.cameras import Calibration, Camera, CrossingLine, Notify, Onvif, PlanPlace, PrivacyZone, Scale, Side, Zone
from blickschutz.config.channels import Alerts
from blickschutz.config.hosts import Hosts
from blickschutz.config.parts import (
    MOST_DAYS,
    MOST_HOURS_UNREVIEWED,
    Host,
    HostName,
    Identifier,
    Network,
    Part,
    Polygon,
    TimeOfDay,
    is_local,
    require_distinct,
)
from blickschutz.config.storage import Storage
from blickschutz.config.texts import SiteError
from blickschutz.ingest.rules.address import read_address
from blickschutz.kernel.devices import Decoding, Device
from blickschutz.redaction.model import Colour, Style
from blickschutz.regime.model import Action, Mode
from blickschutz.situations.kinds import Kind

# All sections, for whoever reads the settings; those of a camera stand in a module of their own.
__all__ = [
    "Analysis",
    "Audit",
    "Calibration",
    "Camera",
    "CrossingLine",
    "Notify",
    "Onvif",
    "Person",
    "PlanPlace",
    "PrivacyZone",
    "Recording",
    "Redaction",
    "Regime",
    "Regimes",
    "Retention",
    "Review",
    "Scale",
    "Server",
    "Side",
    "Site",
    "SiteFile",
    "Wall",
    "Weekday",
    "Zone",
]


class Site(Part):
    name: Annotated[str, Field(min_length=1, max_length=80), Setting("Name des Ortes, wie er im Kopf jeder Seite steht.")]
    """Name of the place, as it stands in the header of every page."""
    operator: Annotated[str, Field(min_length=1, max_length=120), Setting("Verantwortliche Behörde.")]
    """The authority that is responsible (Verantwortlicher)."""
    language: Annotated[Literal["de", "en"], Setting("Sprache der Seiten, bis jemand eine andere wählt.")] = "de"
    """Language of the pages until a person chooses another."""
    building: Annotated[
        Polygon | None, Setting("Umriss des Gebäudes auf dem Lageplan, in Anteilen von Breite und Höhe.", live=True, shown=True)
    ] = None
    """Outline of the building on the site plan, in shares of its width and height."""
    latitude: Annotated[
        Annotated[float, Field(ge=-90, le=90)] | None, Setting("Geografische Breite in Grad, für Sonnenauf- und -untergang.")
    ] = None
    """Latitude of the place in degrees, for sunrise and sunset."""
    longitude: Annotated[Annotated[float, Field(ge=-180, le=180)] | None, Setting("Geografische Länge in Grad.")] = None
    """Longitude of the place in degrees."""
    timezone: Annotated[str, Setting("Zeitzone aller Zeiten, die gezeigt werden.")] = "Europe/Berlin"
    """Time zone of all times that are shown (IANA name)."""
    id: Annotated[
        Identifier | None,
        Setting("Kennung der Anlage; sie bleibt, wenn sich Name oder Ort ändern. Ohne sie entscheidet, wo diese Datei liegt.", anchor=True),
    ] = None
    """Id of the installation: it stays when name or place of the site change; without it where this file lies decides."""
    data: Annotated[
        Annotated[str, Field(min_length=1, max_length=400)] | None,
        Setting("Ordner aller Daten der Anlage, von dieser Datei aus gesehen; ohne Angabe der übliche Ort des Systems.", anchor=True),
    ] = None
    """Folder of all data of the installation, as seen from this file; without it the platform's usual place."""
    # Else whoever proposes a change could have this machine look around in any network.
    camera_networks: Annotated[
        tuple[Network, ...],
        Field(max_length=16),
        Setting("Netze, in denen die Seiten Kameras suchen und ausprobieren, wie 10.20.0.0/24; sonst die der Kameras hier.", anchor=True),
    ] = ()
    """Networks in which pages may look for cameras and try one, as `10.20.0.0/24`; without any those around the cameras of this file."""
    demo: Annotated[bool, Setting("Ja: Diese Anlage wird vorgeführt und nicht betrieben; jede Seite sagt es.")] = False
    """True marks a site that is shown and not operated; every page says so."""


class Server(Part):
    host: Annotated[
        Host,
        Setting("Adresse, unter der die Seiten erreichbar sind: nur dieser Rechner, wenn hier keine Adresse des eigenen Netzes steht."),
    ] = "127.0.0.1"
    """Address on which the pages are served: this machine only, unless an IP address of its own network stands here."""
    names: Annotated[
        tuple[HostName, ...],
        Setting("Namen und Adressen, die Arbeitsplätze für diesen Rechner benutzen; an den ersten sind Sicherheitsschlüssel gebunden."),
    ] = ()
    """Names and addresses by which workstations call this server, the first one first; security keys are bound to it."""
    port: Annotated[int, Field(ge=1024, le=65535), Setting("Port der Seiten.")] = 8710
    """Port on which the pages are served."""
    tls: Annotated[
        bool | None, Setting("Verschlüsselung mit einem Zertifikat dieser Anlage. Ohne Angabe: im Netz an, auf diesem Rechner selbst aus.")
    ] = None
    """Encryption with a certificate of this installation's own authority. Without it: on beyond this machine, off on it."""

    overview: Annotated[
        str,
        Field(max_length=120),
        Setting(
            "Stelle, die eine Übersicht mehrerer Standorte führt und Zahlen dieses Standorts lesen darf; "
            "ohne Angabe darf es niemand, auch mit Token nicht."
        ),
    ] = ""
    """Body that runs an overview of several sites and may read numbers of this one; without it nobody may, with a token neither."""

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
    # The start writes it into the log, and the broker's line reads it there.
    model: Annotated[Identifier, Setting("Name des eingetragenen Detektors.", live=False)] = "centernet"
    """Name of the registered detector (`blickschutz models list`)."""
    device: Annotated[
        Device,
        Field(strict=False),
        Setting("Worauf der Detektor rechnet: CPU, GPU, NPU oder AUTO (das erste, das da und schneller ist); sonst die CPU."),
    ] = Device.CPU
    """What the detector runs on: `CPU`, `GPU`, `NPU`, or `AUTO` for the first that is there and faster; the CPU where it is not there."""
    decoding: Annotated[
        Decoding,
        Field(strict=False),
        Setting("Was die Kamerabilder dekodiert: software, nvdec, qsv, vaapi oder auto (das erste, das da und sparsamer ist)."),
    ] = Decoding.SOFTWARE
    """What decodes the streams: `software`, `nvdec`, `qsv`, `vaapi`, or `auto` for the first that is there and cheaper; else software."""
    rate: Annotated[float, Field(ge=1, le=15), Setting("Ausgewertete Bilder je Sekunde und Kamera.")] = 5.0
    """Analysed pictures per second and camera."""

    @property
    def on_devices(self) -> bool:
        """Whether raw pictures may be in the memory of a graphics card or neural unit."""
        return self.device is not Device.CPU or self.decoding is not Decoding.SOFTWARE


class Redaction(Part):
    style: Annotated[Style, Setting("mosaic zeigt Personen einzeln, als Flächen oder Zellen; silhouette füllt alles mit einer Fläche.")] = (
        Field(default=Style.MOSAIC, strict=False)
    )
    """`mosaic` shows people one by one, flat or in cells (`colour`); `silhouette` fills everything with one level."""
    colour: Annotated[
        Colour, Setting("Was ein Mosaik von Personen lässt: neutral eine Fläche je Person, muted die halbe Farbe, full die ganze.")
    ] = Field(default=Colour.NEUTRAL, strict=False)
    """What a mosaic keeps of people: `neutral` one level for each, `muted` half of their colours, `full` a cell's mean as it is."""


class Wall(Part):
    width: Annotated[
        int, Field(ge=320, le=1920, multiple_of=2), Setting("Höchste Breite eines Live-Bildes in Bildpunkten.", shown=True)
    ] = 960
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
    starts: Annotated[TimeOfDay, Setting("Uhrzeit des Beginns.")]
    """Time of day at which it starts, as HH:MM."""
    on_situation: Annotated[
        Action, Field(strict=False), Setting("Was auf ein Ereignis folgt: melden, aufzeichnen, beides, oder nur zählen.")
    ]
    """What follows a situation: `notify` the staff, `record`, `both`, or only `count`."""
    mode: Annotated[
        Mode,
        Field(strict=False),
        Setting("anonymous: Nichts Unverpixeltes verlässt eine Zelle. sealed: Clips, die zwei Personen gemeinsam öffnen."),
    ]
    """`anonymous`: nothing unredacted leaves a cell. `sealed`: clips that two people open together."""
    kinds: Annotated[
        dict[Annotated[Kind, Field(strict=False)], Annotated[Action, Field(strict=False)]],
        Setting("Was auf ein Ereignis einer Art folgt, wenn es von on_situation abweicht."),
    ] = Field(default_factory=dict)
    """What follows a situation of one kind, where it differs from `on_situation`."""


class Regimes(Part):
    day: Annotated[Regime, Setting("Am Tag: Jemand hat Dienst.")]
    """By day: somebody is on duty."""
    night: Annotated[Regime, Setting("In der Nacht: Niemand hat Dienst.")]
    """By night: nobody is."""
    weekdays: Annotated[
        tuple[Annotated[Weekday, Field(strict=False)], ...],
        Field(min_length=1),
        Setting("Tage mit Dienst; an den anderen ist den ganzen Tag Nacht."),
    ] = tuple(Weekday)
    """Days with service; on the others night lasts all day."""
    holidays: Annotated[
        Literal["", "BB", "BE", "BW", "BY", "HB", "HE", "HH", "MV", "NI", "NW", "RP", "SH", "SL", "SN", "ST", "TH"],
        Setting("Land, dessen gesetzliche Feiertage keinen Dienst haben; leer für keines."),
    ] = "RP"
    """State whose public holidays have no service; empty for none."""
    by_sun: Annotated[bool, Setting("Ja: Der Dienst dauert stattdessen von Sonnenaufgang bis Sonnenuntergang.")] = False
    """True: the day of service lasts from sunrise to sunset instead (needs `site.latitude` and `site.longitude`)."""

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.day.starts == self.night.starts:
            raise SiteError("same_start", value=self.day.starts)
        return self


class Recording(Part):
    before_s: Annotated[
        float, Field(ge=0, le=60), Setting("Sekunden vor einer Anordnung, die im Arbeitsspeicher liegen und in den Clip kommen.")
    ] = 10
    """Seconds before an order that are kept in memory and go into the clip."""
    after_s: Annotated[float, Field(ge=1, le=120), Setting("Sekunden nach dem Ende des letzten Ereignisses.")] = 10
    """Seconds after the last situation is over."""
    most_s: Annotated[float, Field(ge=10, le=1800), Setting("Höchstlänge eines Clips in Sekunden.")] = 300
    """Most seconds of one clip."""
    manual_s: Annotated[float, Field(ge=10, le=1800), Setting("Sekunden einer Aufzeichnung, die jemand von Hand anordnet.")] = 120
    """Seconds of a recording that somebody orders by hand."""
    reserve_mb: Annotated[
        int, Field(ge=50, le=1_000_000), Setting("Megabyte, die frei bleiben; mit weniger wird nichts aufgezeichnet, und es wird gesagt.")
    ] = 2000
    """Megabytes of the disk that stay free; with less nothing is recorded, and it is said."""


class Review(Part):
    unmask_s: Annotated[int, Field(ge=10, le=600), Setting("Sekunden, nach denen eine Entpixelung von selbst endet.")] = 120
    """Seconds after which unmasked playback ends by itself."""
    unmask_quota: Annotated[
        int,
        Field(ge=1, le=1000),
        Setting("Entpixelungen in 30 Tagen, ab denen die behördliche Datenschutzbeauftragte benachrichtigt wird."),
    ] = 10
    """Unmaskings in 30 days above which the data protection officer is told."""
    port: Annotated[int, Field(ge=0, le=65535), Setting("Port des Sichtungsraums; 0 nimmt einen freien.")] = 0
    """Port of the review room; 0 takes any that is free."""
    root: Annotated[
        str,
        Field(pattern=r"^([0-9a-f]{64})?$"),
        Setting(
            "Wurzel des Verzeichnisses derer, die sichten, wie sie die Seite „Mein Sichtungskennwort“ zeigt; nur mit ihr wird versiegelt.",
            anchor=True,
        ),
    ] = ""
    """Root of the register of reviewers, as the page "Mein Sichtungskennwort" shows it; only with it is anything sealed."""


class Retention(Part):
    unreviewed_hours: Annotated[
        int,
        Field(ge=1, le=MOST_HOURS_UNREVIEWED),
        Setting("Stunden, nach denen ein Clip vernichtet wird, den niemand gesichtet hat.", law="EDPB 3/2019"),
    ] = 72
    """Hours after which a clip that nobody reviewed is destroyed."""
    hard_limit_days: Annotated[
        int,
        Field(ge=1, le=MOST_DAYS),
        Setting("Tage, nach denen ein Clip ohne Löschsperre vernichtet wird (zwei Monate, § 21 Abs. 5 LDSG).", law="§ 21 Abs. 5 LDSG RLP"),
    ] = 60
    """Days after which a clip is destroyed unless it is held (two months by § 21(5) LDSG RLP)."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.unreviewed_hours > self.hard_limit_days * 24:
            raise SiteError("retention_order", hours=self.unreviewed_hours, days=self.hard_limit_days)
        return self


class Audit(Part):
    witness: Annotated[
        Annotated[str, Field(pattern=r"^/.{1,99}$")] | None,
        Setting("Unix-Socket des Zeugen, der für das Protokoll bürgt (absoluter Pfad); ohne ihn bürgt niemand außerhalb.", anchor=True),
    ] = None
    """Unix socket of the log's witness, absolute; without it nothing outside vouches for the log."""
    witness_key: Annotated[
        Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None,
        Setting("Öffentlicher Schlüssel des Zeugen, wie er ihn beim Start nennt; ohne Angabe gilt, wer zuerst antwortet.", anchor=True),
    ] = None
    """Public key of the witness, as it says at its start; without it the first that answers is believed from then on."""
    keep_months: Annotated[
        int, Field(ge=12, le=36), Setting("Kalendermonate, nach denen ein Eintrag des Protokolls bis auf eine Prüfsumme gelöscht wird.")
    ] = 24
    """Calendar months after which an entry of the log is erased, but for its hash; `protokollfrist` says the same and why."""


class Person(Part):
    id: Annotated[Identifier, Setting("Kurzname, in der Anlage nur einmal.")]
    """Short name, unique in the site."""
    name: Annotated[str, Field(min_length=1, max_length=80), Setting("Name der Person.")]
    """Name of the person."""
    roles: Annotated[
        tuple[Annotated[Role, Field(strict=False)], ...],
        Field(min_length=1),
        Setting(
            "Rollen der Person beim ersten Start; wer verwaltet, sieht keine Aufnahmen und hat keine andere Rolle (VA-04).", law="SDM M51"
        ),
    ]
    """Roles of the person; an administrator sees neither live picture nor recordings, and so has no other role (VA-04)."""
    trained_until: Annotated[date | None, Setting("Letzter Tag, an dem die Schulung gilt; ohne sie keine Sichtung.")] = None
    """Last day on which the person's training counts; without it they do not review."""

    @model_validator(mode="after")
    def _separated(self) -> Self:
        for first, second in SEPARATED:
            if first in self.roles and second in self.roles:
                raise SiteError("separated", first=first.value, second=second.value)
        return self


class SiteFile(Part):
    format: Annotated[Literal[1], Setting("Fassung dieses Formats.")]
    """Version of this format."""
    site: Annotated[Site, Setting("Der Ort und wer verantwortlich ist.")]
    """The place and who is responsible for it."""
    server: Annotated[Server, Setting("Wo die Seiten erreichbar sind.")] = Server()
    """Where the pages are served."""
    analysis: Annotated[Analysis, Setting("Wie Bilder ausgewertet werden.", live=True)] = Analysis()
    """How pictures are analysed."""
    redaction: Annotated[Redaction, Setting("Wie Personen verpixelt werden.", live=True)] = Redaction()
    """How people are redacted."""
    wall: Annotated[Wall, Setting("Die Live-Wand.", live=True)] = Wall()
    """The live wall."""
    regimes: Annotated[Regimes, Setting("Tag und Nacht.")]
    """Day and night."""
    alerts: Annotated[Alerts, Setting("Wem ein Ereignis gemeldet wird und wie.")] = Alerts()
    """Who is told of a situation, and how."""
    recording: Annotated[Recording, Setting("Was aufgezeichnet wird und wie lange.")] = Recording()
    """What is recorded, and how long."""
    review: Annotated[Review, Setting("Wie Clips gesichtet werden.")] = Review()
    """How clips are reviewed."""
    retention: Annotated[Retention, Setting("Wie lange Clips bleiben.")] = Retention()
    """How long clips are kept."""
    audit: Annotated[Audit, Setting("Wer außerhalb für das Protokoll bürgt.")] = Audit()
    """Who outside vouches for the log."""
    storage: Annotated[Storage, Setting("Wo die Datenbanken liegen, wenn nicht als Dateien im Datenordner.")] = Storage()
    """Where the databases are, if they are no files in the data folder."""
    hosts: Annotated[Hosts | None, Setting("Kameras, die andere Rechner bei den Kameras auswerten.")] = None
    """Cameras whose cells run on other machines, beside the cameras."""
    people: Annotated[tuple[Person, ...], Setting("Personen, die beim Start ein Konto bekommen; danach gilt die Seite Personen.")] = ()
    """People who get an account when the site starts, and their roles; from then on the page of people is what counts."""
    cameras: Annotated[tuple[Camera, ...], Field(min_length=1), Setting("Die Kameras in der Reihenfolge der Wand.", live=True)]
    """The cameras, in the order in which they stand on the wall."""

    @model_validator(mode="after")
    def _unique(self) -> Self:
        if self.regimes.by_sun and (self.site.latitude is None or self.site.longitude is None):
            raise SiteError("sun", where=("regimes", "by_sun"))
        budgets = [one.id for one in self.alerts.budget.cameras]
        require_distinct("camera", "alerts", budgets, within=("budget", "cameras"))
        known = {camera.id for camera in self.cameras}
        for index, camera in enumerate(budgets):
            if camera not in known:
                raise SiteError("no_camera", value=camera, where=("alerts", "budget", "cameras", index, "id"))
        hosted = [one.id for one in self.hosts.cameras] if self.hosts is not None else []
        require_distinct("camera", "hosts", hosted, within=("cameras",))
        for index, camera in enumerate(hosted):
            if camera not in known:
                raise SiteError("no_camera", value=camera, where=("hosts", "cameras", index, "id"))
        zones = {zone.id for camera in self.cameras for zone in camera.zones}
        for index, one in enumerate(self.alerts.priorities):
            if one.zone is not None and one.zone not in zones:
                raise SiteError("no_zone", value=one.zone, where=("alerts", "priorities", index, "zone"))
        channels = [hook.id for hook in self.alerts.webhooks] + [other.id for other in self.alerts.apprise]
        require_distinct("channel", "alerts", channels)
        ports = [f"{one.notify.host}:{one.notify.port}" if one.notify is not None else f"#{n}" for n, one in enumerate(self.cameras)]
        require_distinct("port", "cameras", ports, key="notify")
        require_distinct("camera", "cameras", [camera.id for camera in self.cameras])
        require_distinct("name", "cameras", [camera.name for camera in self.cameras], key="name")
        self._require_own_places()
        require_distinct("person", "people", [person.id for person in self.people])
        return self

    def _require_own_places(self) -> None:
        """One camera that is entered twice is one too many viewers for it, and each of its events is told twice."""
        known: dict[tuple[str, int, str], str] = {}
        for index, camera in enumerate(self.cameras):
            found = read_address(camera.address)
            if found is not None and (other := known.setdefault((found.host, found.port, found.path or "/"), camera.id)) != camera.id:
                raise SiteError("same_address", other=other, where=("cameras", index, "address"))
