"""What a machine has and lacks for a site, and how that is mended: what `blickschutz doctor` says besides what `check` knows."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cryptography import x509

from blickschutz.analysis.io import TELEMETRY, engine
from blickschutz.analysis.io.registry import POSES, ModelRegistry
from blickschutz.bootstrap.cells import small_settings, source_settings
from blickschutz.config.model import Camera, SiteFile
from blickschutz.control.service.checks import Finding
from blickschutz.guard.service import Guard
from blickschutz.ingest.io.connection import connected, shut
from blickschutz.ingest.model import SourceKind, SourceSettings
from blickschutz.ingest.rules.address import read_address
from blickschutz.kernel.clock import Clock, SystemClock
from blickschutz.kernel.errors import BlickschutzError, ModelError
from blickschutz.retention.io.sources import chrony_is_synchronised, kernel_is_synchronised
from blickschutz.zones.hardening import lacking
from blickschutz.zones.model import Wall

# Measured (docs/benchmarks.md): at most 180 MB and 12 ms a picture for a cell, ten pictures a second; the control room below 600 MB.
_CELL_MB, _ROOM_MB, _CAMERAS_A_CORE = 180, 600, 8
_MB, _DAY_S = 1024 * 1024, 86_400.0
_CONNECT_S, _ALL_S, _SOON_DAYS = 4.0, 15.0, 14
_LEAST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found. `cameras` has the problem of each that cannot be reached, `models` the state of each, `until` when certificates
    end (POSIX; None for one that cannot be read), `open` the files that others can read or change."""

    cores: int
    memory_mb: int
    free_mb: int | None
    walls: frozenset[Wall]
    namespaces: bool
    synchronised: bool
    engine: bool
    telemetry: bool
    models: Mapping[str, str]
    cameras: Mapping[str, str]
    until: Mapping[str, float | None]
    open: Sequence[str]


def look(site: SiteFile, path: Path, data: Path) -> Seen:
    """Ask machine, files and cameras; nothing is changed. `data` is the data folder, which need not be there yet."""
    base = path.resolve().parent
    return Seen(
        cores=len(os.sched_getaffinity(0)),
        memory_mb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MB,
        free_mb=_free_mb(data),
        walls=lacking(devices=site.analysis.on_devices),
        namespaces=Path("/proc/self/ns/user").exists(),
        synchronised=kernel_is_synchronised() or chrony_is_synchronised(),
        engine=engine.is_there(),
        telemetry=_is_installed(TELEMETRY),
        models=_models(site.analysis.model, POSES),
        cameras=unreachable(_streams(own_cameras(site), base), SystemClock()),
        until=_until(site, base, data),
        open=[str(one) for one in (path, data) if _is_open(one)],
    )


def own_cameras(site: SiteFile) -> list[Camera]:
    """Those that this machine connects to itself; the others are reached from their hosts alone."""
    hosted = {one.id for one in site.hosts.cameras} if site.hosts is not None else set()
    return [camera for camera in site.cameras if camera.id not in hosted]


def _streams(cameras: Iterable[Camera], base: Path) -> dict[str, Callable[[], SourceSettings]]:
    """How each stream of each camera is opened, by what it is called."""
    streams: dict[str, Callable[[], SourceSettings]] = {camera.id: partial(source_settings, camera, base) for camera in cameras}
    for camera in cameras:
        if camera.substream is not None:
            streams[f"{camera.id} (substream)"] = partial(_small, camera, base)
    return streams


def _small(camera: Camera, base: Path) -> SourceSettings:
    found = small_settings(camera, base)
    assert found is not None  # asked of cameras that have one
    return found


def unreachable(cameras: Mapping[str, Callable[[], SourceSettings]], clock: Clock) -> dict[str, str]:
    """The problem of each camera that cannot be connected to, all asked at once; no picture is asked for.

    `cameras` gives the settings of each when it is called, which may raise.
    """
    guard, problems = Guard(clock), dict.fromkeys(cameras, f"no answer within {_ALL_S:g} s")

    def ask(camera: str) -> None:
        try:
            problems[camera] = _problem(cameras[camera]())
        except BlickschutzError as error:
            problems[camera] = str(error)

    works = [guard.once_thread("doctor", partial(ask, camera)) for camera in cameras]
    end = clock.monotonic() + _ALL_S
    for work in works:
        work.wait(max(0.0, end - clock.monotonic()))
    return {camera: problem for camera, problem in problems.items() if problem}


def _problem(settings: SourceSettings) -> str:
    if settings.kind is SourceKind.FILE:
        return "" if Path(settings.address).is_file() else f"there is no file {settings.address}"
    address = read_address(settings.address)
    if address is None:
        return "its address cannot be read"
    shut(connected(address, replace(settings, connect_s=_CONNECT_S)))
    return ""


def _free_mb(folder: Path) -> int | None:
    there = next((one for one in (folder, *folder.parents) if one.exists()), None)
    try:
        return os.statvfs(there).f_bavail * os.statvfs(there).f_frsize // _MB if there is not None else None
    except OSError:
        return None


def _is_installed(module: str) -> bool:
    """Whether its files are there; that it cannot be imported (`analysis.io`) is another matter."""
    return any((Path(folder) / module).is_dir() for folder in sys.path if folder)


def _models(*names: str) -> dict[str, str]:
    registry, found = ModelRegistry(), dict[str, str]()
    for name in names:
        try:
            found[name] = registry.verify(registry.card(name))
        except ModelError:
            found[name] = "missing"
    return found


def _until(site: SiteFile, base: Path, data: Path) -> dict[str, float | None]:
    mqtt, tls = site.alerts.mqtt, data / "tls"
    files = [base / mqtt.client_certificate] if mqtt is not None and mqtt.client_certificate else []
    channels = [one for one in (mqtt, site.alerts.mail, *site.alerts.webhooks) if one is not None]
    files += [base / name for one in channels for name in (one.authority, one.certificate) if name]
    files += [base / camera.authority for camera in site.cameras if camera.authority is not None]
    files += [one for one in (tls / "authority.crt", tls / "server.crt") if site.server.secure and one.exists()]
    return {str(file): _end_of(file) for file in dict.fromkeys(files)}


def _end_of(file: Path) -> float | None:
    """When the first certificate of several ends."""
    try:
        return min(one.not_valid_after_utc.timestamp() for one in x509.load_pem_x509_certificates(file.read_bytes()))
    except (OSError, ValueError):
        return None


def _is_open(path: Path) -> bool:
    """Whether others may change it, or look into a folder of data."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return False
    return bool(mode & (0o077 if path.is_dir() else 0o022))


def findings(site: SiteFile, seen: Seen, now: float) -> list[Finding]:
    """What is wrong and how it is mended, in English and German; `now` is POSIX seconds."""
    count, walls = len(site.cameras), sorted(seen.walls)
    memory, cores = _ROOM_MB + _CELL_MB * count, -(-count // _CAMERAS_A_CORE)
    reserve, aside = site.recording.reserve_mb, ", ".join(seen.open)
    lacking_models = {name: state for name, state in seen.models.items() if state != "ok"}
    models = ", ".join(f"{name}: {state}" for name, state in lacking_models.items())
    thin = ", ".join(one for one in walls if one != Wall.NO_SWAP)
    unread = ", ".join(name for name, until in seen.until.items() if until is None)
    ending = [f"{name}: {_day(until)}" for name, until in seen.until.items() if until is not None and until - now < _SOON_DAYS * _DAY_S]
    certificates = "; ".join([*ending, *([unread] if unread else [])])
    python = ".".join(map(str, sys.version_info[:3]))
    return [
        _one(
            "machine",
            seen.memory_mb < memory or seen.cores < cores,
            f"{count} cameras need {memory} MB of memory and {cores} cores; there are {seen.memory_mb} MB and {seen.cores}: "
            "take a larger machine or fewer cameras",
            f"{count} Kameras brauchen {memory} MB Arbeitsspeicher und {cores} Kerne; es sind {seen.memory_mb} MB und {seen.cores}: "
            "nehmen Sie einen größeren Rechner oder weniger Kameras",
        ),
        _one(
            "python",
            sys.version_info < _LEAST_PYTHON,
            f"Python {python} is too old; install 3.11 or newer",
            f"Python {python} ist zu alt; installieren Sie 3.11 oder neuer",
        ),
        _one(
            "engine",
            not seen.engine or lacking_models,
            f"{models or 'the inference engine is missing'}; run `blickschutz models install`",
            f"{models or 'die Rechenbibliothek fehlt'}; rufen Sie „blickschutz models install“ auf",
        ),
        _one(
            "telemetry",
            seen.telemetry,
            "an analytics client is installed, which nothing here can import; remove it: pip uninstall openvino-telemetry",
            "ein Auswertungsprogramm des Herstellers ist installiert, das hier nichts laden kann; entfernen Sie es: "
            "pip uninstall openvino-telemetry",
        ),
        _one(
            "kernel",
            thin,
            f"the kernel lacks {thin}: take Linux 6.12 or newer with Landlock and seccomp",
            f"dem Kernel fehlt {thin}: nehmen Sie Linux 6.12 oder neuer mit Landlock und seccomp",
        ),
        _one(
            "namespaces",
            not seen.namespaces,
            "the kernel has no user namespaces, which the units ask systemd for (PrivateUsers=)",
            "der Kernel hat keine Benutzernamensräume, die die Units von systemd verlangen (PrivateUsers=)",
        ),
        _one(
            "swap",
            Wall.NO_SWAP in seen.walls,
            "memory with raw pictures could be written to swap: switch it off (swapoff -a), or start by the units (LimitMEMLOCK=infinity)",
            "Speicher mit Rohbildern könnte ausgelagert werden: Auslagerung abschalten (swapoff -a), oder mit den Units starten "
            "(LimitMEMLOCK=infinity)",
        ),
        _one(
            "clock",
            not seen.synchronised,
            "no time server stands behind the clock: set up chrony or systemd-timesyncd, else deadlines wait after a jump of the clock",
            "hinter der Uhr steht kein Zeitserver: richten Sie chrony oder systemd-timesyncd ein, sonst warten Fristen nach einem "
            "Sprung der Uhr",
        ),
        _one(
            "space",
            seen.free_mb is None or seen.free_mb < reserve,
            f"{seen.free_mb} MB are free where data will lie, {reserve} MB must be (recording.reserve_mb)",
            f"{seen.free_mb} MB sind frei, wo die Daten liegen werden, {reserve} MB müssen es sein (recording.reserve_mb)",
        ),
        _one(
            "rights",
            aside,
            f"others can change or look into: {aside}; write `chmod go-w` for the site file, `chmod 700` for the data folder",
            f"andere können ändern oder hineinsehen: {aside}; schreiben Sie „chmod go-w“ für die Anlagendatei, „chmod 700“ für den "
            "Datenordner",
        ),
        *(_one(f"camera {one}", why, f"not reachable: {why}", f"nicht erreichbar: {why}") for one, why in seen.cameras.items()),
        *([] if seen.cameras else [_one("cameras", False, "", "")]),
        _one(
            "certificates",
            certificates,
            f"these end within {_SOON_DAYS} days, or cannot be read: {certificates}",
            f"enden in {_SOON_DAYS} Tagen oder sind nicht lesbar: {certificates}",
        ),
    ]


def _one(name: str, wrong: object, mend: str, german: str) -> Finding:
    return Finding(name, "broken", "docs/commands.md", mend, german) if wrong else Finding(name, "holds", "docs/commands.md")


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
