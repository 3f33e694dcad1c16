"""Settings of the cells, from the site file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from blickschutz.analysis.model import AnalysisSettings
from blickschutz.bootstrap.secrets import read_secret
from blickschutz.config.model import Camera, SiteFile
from blickschutz.ingest.model import NoticeSettings, NotifySettings, SourceKind, SourceSettings
from blickschutz.ingest.rules.address import PICTURES, read_address
from blickschutz.kernel.density import Density, Yardstick
from blickschutz.pipeline.messages import CellSettings
from blickschutz.recording.model import RecordingSettings
from blickschutz.redaction.model import RedactionSettings
from blickschutz.situations.model import Line
from blickschutz.situations.settings import SituationSettings, WatchedZone
from blickschutz.wall.model import EncoderSettings

_TRIAL_CONNECT_S = 5.0


def cell_settings(site: SiteFile, camera: Camera, base: Path, clips: Path | None = None) -> CellSettings:
    """What the cell of `camera` is told. A relative file address is relative to `base`, the site file's folder; it makes files in
    `clips` alone.
    """
    watched = situation_settings(camera)
    return CellSettings(
        camera=camera.id,
        source=small_settings(camera, base) or source_settings(camera, base),
        recorded=source_settings(camera, base) if camera.substream is not None else None,
        notices=notice_settings(camera, base),
        notify=notify_settings(camera, base),
        model=site.analysis.model,
        device=site.analysis.device,
        decoding=site.analysis.decoding,
        clips=str(clips) if clips is not None else "",
        analysis=AnalysisSettings(rate=site.analysis.rate, encounter_height=min(zone.rules.altercation_height for zone in watched.zones)),
        redaction=RedactionSettings(
            style=site.redaction.style,
            privacy_zones=tuple(zone.polygon for zone in camera.privacy_zones),
            px_per_metre=density_of(camera),
            colour=site.redaction.colour if camera.colour is None else camera.colour,
        ),
        encoder=EncoderSettings(width=site.wall.width),
        situations=watched,
        recording=RecordingSettings(
            site.recording.before_s, site.recording.after_s, site.recording.most_s, site.recording.reserve_mb, site.review.root
        ),
    )


def trial_settings(site: SiteFile, address: str, user: str, password: str) -> CellSettings:
    """What a trial of an address is told, of a camera that is none of the site's yet: looked at as its cell would, recorded nowhere."""
    found = read_address(address)
    kind = SourceKind.PICTURES if found is not None and found.scheme in PICTURES else SourceKind.RTSP
    return CellSettings(
        camera="trial",
        source=SourceSettings(kind, with_account(address, user, password), connect_s=_TRIAL_CONNECT_S),
        model=site.analysis.model,
        device=site.analysis.device,
        analysis=AnalysisSettings(rate=site.analysis.rate),
        redaction=RedactionSettings(style=site.redaction.style, colour=site.redaction.colour),
        encoder=EncoderSettings(width=site.wall.width),
    )


def situation_settings(camera: Camera) -> SituationSettings:
    """What is looked for in a camera's picture; one zone over the whole of it where the site file names none."""
    zones = tuple(WatchedZone(zone.id, zone.polygon, zone.surface, zone.rules) for zone in camera.zones)
    lines = tuple(Line(line.id, line.start, line.end, line.both_ways) for line in camera.lines)
    return SituationSettings(zones or (WatchedZone("all"),), lines, density_of(camera), thresholds=camera.thresholds)


def notice_settings(camera: Camera, base: Path) -> NoticeSettings | None:
    """Where the camera tells what it finds itself; None where nobody listens."""
    return onvif_settings(camera, base) if camera.onvif is not None and camera.onvif.events else None


def onvif_settings(camera: Camera, base: Path) -> NoticeSettings | None:
    """How the camera's ONVIF service is spoken to; None where it is not known. Raises `SettingsError`."""
    onvif = camera.onvif
    if onvif is None or onvif.address is None:
        return None
    return NoticeSettings(signed_in(camera, onvif.address, base), onvif.motion, _authority(camera, base), camera.fingerprint or "")


def notify_settings(camera: Camera, base: Path) -> NotifySettings | None:
    """Where the camera sends its lines; None where nobody listens. Raises `SettingsError`."""
    notify, found = camera.notify, read_address(camera.address)
    if notify is None or found is None:
        return None
    secret = read_secret(f"cameras.{camera.id}.notify.secret_file", notify.secret_file, base)
    return NotifySettings(notify.host, notify.port, found.host, secret, camera.onvif.motion if camera.onvif is not None else None)


def signed_in(camera: Camera, address: str, base: Path) -> str:
    """An address of the camera with its account. Raises `SettingsError`."""
    return with_account(address, camera.user, read_secret(f"cameras.{camera.id}.password_file", camera.password_file, base))


def _authority(camera: Camera, base: Path) -> str:
    return str((base / camera.authority).resolve()) if camera.authority is not None else ""


def small_settings(camera: Camera, base: Path) -> SourceSettings | None:
    """The camera's small stream; None where it has one stream alone. Raises `SettingsError`."""
    if camera.substream is None:
        return None
    return replace(source_settings(camera, base), address=signed_in(camera, camera.substream, base))


def source_settings(camera: Camera, base: Path) -> SourceSettings:
    """The camera's stream, the large one where it has two. Raises `SettingsError`."""
    if camera.address.startswith("file:"):
        path = (base / camera.address.removeprefix("file:")).resolve()
        return SourceSettings(SourceKind.FILE, str(path), start_s=camera.start_s)
    address = signed_in(camera, camera.address, base)
    found = read_address(address)
    kind = SourceKind.PICTURES if found is not None and found.scheme in PICTURES else SourceKind.RTSP
    fingerprint = camera.fingerprint or ""
    return SourceSettings(
        kind,
        address,
        camera.stall_s,
        authority=_authority(camera, base),
        fingerprint=fingerprint,
        every_s=camera.every_s,
        transport=camera.transport,
    )


def with_account(address: str, user: str, password: str) -> str:
    """An address as a camera is opened by it; it is shown and logged without what is added here."""
    found = read_address(address)
    if found is None or not (user or password):
        return address
    return f"{found.scheme}://{quote(user or found.user, safe='')}:{quote(password, safe='')}@{found.place}{found.path}"


def density_of(camera: Camera) -> Density | None:
    """The camera's calibration. The cell reckons with it: only there the size of the source is known.

    Of a camera with two streams pixels are counted in the large one, and another is looked at: then it goes with the picture's width.
    """
    density = camera.calibration.density if camera.calibration is not None else None
    if camera.substream is not None and camera.picture is not None and isinstance(density, float):
        return Yardstick((0.0, 0.0), (1.0, 0.0), camera.picture[0] / density)
    return density
