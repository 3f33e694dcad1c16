"""The section `cameras` of the site file: where a camera is, what of its picture counts, and how it is reached."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from blickschutz.config.about import Setting
from blickschutz.config.parts import (
    Address,
    Fingerprint,
    Host,
    Identifier,
    Part,
    Point,
    Polygon,
    Share,
    WebAddress,
    require_distinct,
)
from blickschutz.config.texts import SiteError
from blickschutz.ingest.model import Transport
from blickschutz.ingest.rules.address import RTSP, read_address
from blickschutz.kernel.density import Density, Yardstick
from blickschutz.redaction.model import Colour
from blickschutz.situations.kinds import Kind
from blickschutz.situations.settings import RuleSettings


class Side(StrEnum):
    """Where a camera looks: onto the forecourt, or onto one of the other sides."""

    FORECOURT = "forecourt"
    SIDE = "side"


class Scale(Part):
    start: Annotated[Point, Setting("Erster Punkt, in Anteilen von Breite und Höhe.")]
    """First point, in shares of width and height."""
    end: Annotated[Point, Setting("Zweiter Punkt.")]
    """Second point, in shares of width and height."""
    metres: Annotated[float, Field(gt=0, le=500), Setting("Abstand der beiden Punkte am Boden in Metern.")]
    """Distance between the two points on the ground, in metres."""


class Calibration(Part):
    px_per_metre: Annotated[
        Annotated[float, Field(gt=0, le=5000)] | None, Setting("Bildpunkte der Quelle je Meter, dort wo das Bild am dichtesten ist.")
    ] = None
    """Pixels of the source picture per metre, where the picture is densest."""
    scale: Annotated[Scale | None, Setting("Zwei Punkte und ihr Abstand, anstelle von px_per_metre.")] = None
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
    id: Annotated[Identifier, Setting("Kurzname, je Kamera nur einmal.")]
    """Short name, unique in the camera."""
    name: Annotated[str, Field(min_length=1, max_length=80), Setting("Wie der Bereich auf den Seiten heißt.", shown=True)]
    """What the zone is called on the pages."""
    polygon: Annotated[Polygon, Setting("Ecken in Anteilen von Breite und Höhe.")]
    """Corners in shares of width and height (0 to 1), at least three."""
    surface: Annotated[bool, Setting("Ja: eine geschützte Fläche; es zählt ihre Veränderung, nicht ein Gegenstand davor.")] = False
    """True marks a protected surface: a change of it counts, not a thing that stands before it."""
    rules: Annotated[RuleSettings, Setting("Wann die Regeln für Ereignisse in diesem Bereich zutreffen.")] = RuleSettings()
    """When the rules for situations are true in this zone."""


class CrossingLine(Part):
    id: Annotated[Identifier, Setting("Kurzname, je Kamera nur einmal.")]
    """Short name, unique in the camera."""
    start: Annotated[Point, Setting("Ein Ende, in Anteilen von Breite und Höhe.")]
    """One end, in shares of width and height."""
    end: Annotated[Point, Setting("Das andere Ende.")]
    """The other end."""
    both_ways: Annotated[bool, Setting("Nein: Es zählt nur, wer von links über die Linie geht.")] = True
    """False: only crossings from the left of the line (seen from `start` to `end`) count."""

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if math.dist(self.start, self.end) < 0.01:
            raise SiteError("scale_points")
        return self


class PlanPlace(Part):
    x: Annotated[Share, Setting("Ort der Kamera auf dem Plan, von links.")]
    """Place of the camera on the site plan, from the left."""
    y: Annotated[Share, Setting("Ort der Kamera auf dem Plan, von oben.")]
    """Place of the camera on the site plan, from the top."""
    direction: Annotated[float, Field(ge=0, lt=360), Setting("Blickrichtung in Grad im Uhrzeigersinn, 0 ist oben auf dem Plan.")]
    """Where it looks, in degrees clockwise from the top of the plan."""
    angle: Annotated[float, Field(gt=0, le=180), Setting("Breite des Blickfelds in Grad.")] = 70.0
    """Width of its view, in degrees."""
    reach: Annotated[float, Field(gt=0, le=1), Setting("Sichtweite als Anteil der Breite des Plans.")] = 0.25
    """How far it sees, as a share of the plan's width."""


class PrivacyZone(Part):
    id: Annotated[Identifier, Setting("Kurzname, je Kamera nur einmal.")]
    """Short name, unique in the camera."""
    reason: Annotated[str, Field(min_length=1, max_length=200), Setting("Warum hier nichts gezeigt wird.")]
    """Why nothing is shown here, for example windows of neighbours."""
    polygon: Annotated[Polygon, Setting("Ecken in Anteilen von Breite und Höhe.")]
    """Corners in shares of width and height (0 to 1), at least three."""


class Onvif(Part):
    address: Annotated[WebAddress | None, Setting("Adresse des ONVIF-Dienstes; Benutzer, Kennwort und Zertifikat sind die der Kamera.")] = (
        None
    )
    """The camera's ONVIF service: `http://host/onvif/device_service`, or `https`; account and certificate are the camera's."""
    events: Annotated[bool, Setting("Ja: Ereignisse, die die Kamera selbst findet, werden dort abgefragt.")] = True
    """True: situations that the camera finds itself are asked for there (PullPoint)."""
    motion: Annotated[
        Annotated[Kind, Field(strict=False)] | None,
        Setting("Als was ein einfacher Bewegungsalarm zählt. Ohne Angabe als nichts: Dass sich etwas bewegt, sagt nicht, was."),
    ] = None
    """What a plain alarm of motion counts as. Without it nothing: that something moved says not what."""


class Notify(Part):
    host: Annotated[Host, Setting("Adresse dieses Rechners im Netz der Kameras.")]
    """This machine's address in the cameras' network."""
    port: Annotated[int, Field(ge=1024, le=65535), Setting("Anschluss, der nur dieser Kamera gehört.")]
    """Port of its own for this camera."""
    secret_file: Annotated[
        str,
        Field(min_length=1, max_length=400),
        Setting("Datei mit dem Wort, mit dem jede Zeile beginnt, auch unter den Zugangsdaten von systemd."),
    ]
    """File that holds the word with which every line begins, relative to this file or in the credentials of systemd."""


class Camera(Part):
    id: Annotated[Identifier, Setting("Kurzname, in der Anlage nur einmal; Teil von Adressen und Protokoll.")]
    """Short name, unique in the site; part of addresses and logs."""
    name: Annotated[str, Field(min_length=1, max_length=60), Setting("Name der Kamera auf der Wand.", shown=True)]
    """Name of the camera on the wall."""
    side: Annotated[Side, Field(strict=False), Setting("Vorplatz oder eine der anderen Seiten.")]
    """`forecourt` or `side`."""
    address: Annotated[Address, Setting("Strom der Kamera: rtsp, oder http für Bilder (MJPEG oder Standbild).")]
    """Stream of the camera: `rtsp://host/path`; `http://host/path` for pictures (MJPEG, or a still one); `file:path`, played in a loop."""
    substream: Annotated[
        Address | None,
        Setting("Zweiter, kleiner Strom desselben Bildes (RTSP): Er wird ausgewertet und gezeigt, aufgezeichnet wird der große."),
    ] = None
    """A second, small stream of the same picture, by RTSP: it is analysed and shown, and `address` is recorded as it comes."""
    user: Annotated[str, Setting("Benutzer an der Kamera; leer für keinen.")] = ""
    """User at the camera; empty for none."""
    password_file: Annotated[
        str, Field(max_length=400), Setting("Datei mit dem Kennwort, auch unter den Zugangsdaten von systemd; nie das Kennwort selbst.")
    ] = ""
    """File that holds the password, relative to the site file or in the credentials of systemd; never the password itself."""
    start_s: Annotated[float, Field(ge=0, le=3600), Setting("Für eine Datei: Sekunde, bei der sie beginnt.")] = 0.0
    """For a file: second at which it starts."""
    stall_s: Annotated[
        float,
        Field(ge=1, le=60),
        Setting("Sekunden ohne Daten, nach denen die Kamera als verloren gilt; mehr für eine, die selten sendet."),
    ] = 5.0
    """Seconds without a packet after which the camera counts as lost and is connected anew; more for one that rarely sends."""
    transport: Annotated[
        Transport,
        Field(strict=False),
        Setting("Wie die Bilder bei RTSP kommen: tcp in derselben Verbindung, udp, multicast (an eine Gruppe), http (im Tunnel)."),
    ] = Transport.TCP
    """How RTSP's media come: `tcp` in its own connection, `udp` as datagrams, `multicast` to a group, `http` in a tunnel within HTTP."""
    every_s: Annotated[
        float,
        Field(ge=0.1, le=10),
        Setting("Für Standbilder über HTTP: Sekunden von einem zum nächsten. Ab 2 sagt die Kachel dazwischen „Bild steht“."),
    ] = 1.0
    """For still pictures by HTTP: seconds from one to the next. From 2 on the tile says between them that the picture stands."""
    fingerprint: Annotated[
        Fingerprint | None, Setting("Für rtsps und https: SHA-256 des eigenen Zertifikats der Kamera, wenn nur dieses gelten soll.")
    ] = None
    """For `rtsps` and `https`: SHA-256 of the camera's own certificate, where it is that one and no other."""
    authority: Annotated[
        Annotated[str, Field(min_length=1, max_length=400)] | None,
        Setting("Für rtsps und https: Datei (PEM) der Stelle, die der Kamera ihr Zertifikat gibt; sonst die des Systems."),
    ] = None
    """For `rtsps`, `https`: file (PEM) of the authority of the camera's certificate, as seen from this file; else the system's count."""
    notify: Annotated[Notify | None, Setting("Wohin diese Kamera eigene Zeilen sendet (IP Notify von MOBOTIX, über TCP oder HTTP).")] = None
    """Where this camera sends lines of its own (IP Notify of MOBOTIX, over TCP or HTTP)."""
    onvif: Annotated[Onvif | None, Setting("Der ONVIF-Dienst der Kamera, wenn auf ihn gehört werden soll.")] = None
    """The camera's ONVIF service, where it is to be listened to."""
    colour: Annotated[
        Annotated[Colour, Field(strict=False)] | None,
        Setting("Was ein Mosaik im Bild dieser Kamera von Personen lässt, wenn es von redaction.colour abweicht."),
    ] = None
    """What a mosaic keeps of people in this camera's picture, where it differs from `redaction.colour`."""
    picture: Annotated[
        tuple[Annotated[int, Field(ge=64, le=16384)], Annotated[int, Field(ge=64, le=16384)]] | None,
        Setting("Breite und Höhe des Kamerabildes in Bildpunkten; damit rechnen die Dokumente die Dichte aus calibration.scale."),
    ] = None
    """Width and height of the camera's picture in pixels; documents reckon the density of a `calibration.scale` with it."""
    calibration: Annotated[
        Calibration | None,
        Setting("Wie viele Bildpunkte ein Meter hat. Ohne sie ist das Mosaik für jemanden gemacht, der so groß ist wie das Bild."),
    ] = None
    """How many pixels a metre has. Without it the mosaic is made for somebody as tall as the picture."""
    zones: Annotated[tuple[Zone, ...], Setting("Bereiche, in denen nach Ereignissen gesucht wird.")] = ()
    """Areas in which situations are looked for."""
    lines: Annotated[tuple[CrossingLine, ...], Setting("Linien, deren Überschreiten ein Ereignis ist.")] = ()
    """Lines whose crossing is a situation."""
    thresholds: Annotated[
        dict[Annotated[Kind, Field(strict=False)], Annotated[float, Field(ge=0, le=1)]],
        Setting("Mindestwert (0 bis 1), ab dem eine Art von Ereignis gemeldet wird, statt des eigenen der Kamera."),
    ] = Field(default_factory=dict)
    """Least score (0 to 1) from which on a kind is told, instead of the camera's own; 0.5 is what a zone's rules ask for."""
    plan: Annotated[PlanPlace | None, Setting("Wo die Kamera auf dem Lageplan steht.")] = None
    """Where the camera stands on the site plan."""
    privacy_zones: Annotated[tuple[PrivacyZone, ...], Setting("Flächen, die immer verdeckt sind.")] = ()
    """Areas that are always filled."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """All that is connected to for it."""
        streams = (self.address, self.substream) if self.substream is not None else (self.address,)
        return (*streams, *((self.onvif.address,) if self.onvif is not None and self.onvif.address is not None else ()))

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        require_distinct("zone", "zones", [zone.id for zone in self.zones])
        require_distinct("line", "lines", [line.id for line in self.lines])
        require_distinct("zone", "privacy_zones", [zone.id for zone in self.privacy_zones])
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
