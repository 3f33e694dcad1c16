"""The control room's own walls: what it may do on its machine, from the site file."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from multiprocessing.util import Finalize
from pathlib import Path
from urllib.parse import urlsplit

from blickschutz.analysis.io.registry import default_folder
from blickschutz.bootstrap.secrets import CREDENTIALS, key_files, secret_files
from blickschutz.config.hosts import port_of
from blickschutz.config.model import SiteFile
from blickschutz.control.service.launching import start_launcher
from blickschutz.evidence.io.package import own_folder, place
from blickschutz.zones import profiles
from blickschutz.zones.hardening import confine, lacking
from blickschutz.zones.model import Profile, Wall

# Folders of the library `multiprocessing` itself end at -100.
_LAST = -200
_PORTS = {"http": 80, "https": 443}
# Ports of the services behind an address of apprise that names none: web, mail, broker.
_USUAL = (25, 80, 443, 465, 587, 1883, 8883)


def confine_control(site: SiteFile, base: Path, data: Path, source: str, *, shared: bool = False, changed: bool = False) -> frozenset[Wall]:
    """Start what cells and rooms are forked from, then hold this process to its profile for good.

    Files that last for moments (of SQLite, of large forms) go into a folder of its own in memory; with `shared` they stay where other
    programs look for them. With `changed` the site file is written to, too. Returns the walls that this machine does not have.
    Raises `FaultError`.
    """
    if not shared:
        tempfile.tempdir = os.environ["TMPDIR"] = str(own_folder())
        # After the launcher's socket in it. A control room that is killed leaves it; the next start sees that its process is gone.
        Finalize(None, shutil.rmtree, (tempfile.tempdir, True), exitpriority=_LAST)
    # What is not there when a process is confined is not granted.
    profiles.doors_of(data).mkdir(mode=0o700, exist_ok=True)
    start_launcher()
    missing = confine(control_profile(site, base, data, source, changed=changed))
    # Of its cells, too: their pictures may be in a driver's memory.
    return missing | (lacking(devices=site.analysis.on_devices) & {Wall.NO_SWAP})


def control_profile(site: SiteFile, base: Path, data: Path, source: str, *, changed: bool = False) -> Profile:
    """What the control room of a site may do. `source` is the site file's path, empty where there is none; with `changed` pages
    may change it, where its folder is this user's to write in."""
    folder = Path(source).parent
    return profiles.control_room(
        changes=[folder] if changed and source and os.access(folder, os.W_OK) else [],
        data=data,
        site=[*([Path(source).parent] if source else []), *_named(site, base)],
        models=default_folder(),
        memory=place(),
        temporary=Path(tempfile.gettempdir()),
        connect=frozenset(_ports(site)),
        bind=site.server.port,
    )


def _named(site: SiteFile, base: Path) -> Iterator[Path]:
    """The files that the site file names: secrets, and by what servers are verified. They are read after the walls are up."""
    alerts = site.alerts
    channels = [one for one in (alerts.mail, alerts.mqtt, *alerts.webhooks) if one is not None]
    names = [name for one in channels for name in (one.authority, one.certificate)]
    names += [site.storage.authority or ""]
    names += [name for _, name in (*secret_files(site), *key_files(site))]
    names += [alerts.mqtt.client_certificate] if alerts.mqtt is not None else []
    yield from (base / name for name in names if name)
    server = site.storage.server
    if server is not None and server.local:
        yield Path(server.host)
    if os.environ.get(CREDENTIALS):
        yield Path(os.environ[CREDENTIALS])


def _ports(site: SiteFile) -> Iterator[int]:
    """The ports of all channels that the site file names."""
    if site.alerts.mail is not None:
        yield site.alerts.mail.port
    if site.alerts.mqtt is not None:
        yield site.alerts.mqtt.known_port
    for hook in site.alerts.webhooks:
        address = urlsplit(hook.address)
        yield address.port or _PORTS[address.scheme]
    if site.hosts is not None:
        yield port_of(site.hosts.broker)
    server = site.storage.server
    if server is not None and not server.local:
        yield server.port
    for other in site.alerts.apprise:
        yield from _port_of(other.address) or _USUAL


def _port_of(address: str) -> tuple[int, ...]:
    """The port that an address names; it may have any form that apprise knows."""
    try:
        port = urlsplit(address).port
    except ValueError:
        return ()
    return (port,) if port else ()
