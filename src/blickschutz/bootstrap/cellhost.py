"""A machine beside the cameras: builds the agent of a host from its join file."""

from __future__ import annotations

import asyncio
import hmac
import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog

from blickschutz.bootstrap.cells import with_account
from blickschutz.bootstrap.secrets import key_file, read_secret
from blickschutz.config.hosts import JoinedCamera, JoinFile, port_of
from blickschutz.config.loader import load_file
from blickschutz.control.io.doors import DoorFolder
from blickschutz.control.service.launchers import LauncherWatch
from blickschutz.control.service.launching import LAUNCHER, launch_cell, start_launcher
from blickschutz.evidence.io.package import own_folder
from blickschutz.guard.service import Guard
from blickschutz.hosts.io.agent import Agent, OwnNews
from blickschutz.hosts.io.broker import Address, Broker
from blickschutz.hosts.io.clips import HostClips
from blickschutz.hosts.io.copies import HostCopies
from blickschutz.hosts.io.ends import Own
from blickschutz.hosts.io.going_on import GoingOn
from blickschutz.hosts.io.hosted import HostedCell, Housing
from blickschutz.hosts.io.records import AllRecords, ClipRecords
from blickschutz.hosts.io.stored import NamedStore
from blickschutz.hosts.io.witness import HostWitness
from blickschutz.hosts.model import KeptClip, KeptCopy
from blickschutz.hosts.rules.clips import LONGEST, limits_of
from blickschutz.hosts.rules.lease import Capacity
from blickschutz.hosts.rules.settings import OwnCamera
from blickschutz.installation.io.lock import held
from blickschutz.kernel.clock import Clock, SystemClock
from blickschutz.kernel.errors import BlickschutzError, DeviceError, SettingsError
from blickschutz.pipeline.credentials import Credentials
from blickschutz.pipeline.logs import configure_logs
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.retention.io.sources import ClockSources, MachineSources
from blickschutz.retention.io.timefile import TimeFile
from blickschutz.retention.service import RetentionTime
from blickschutz.storage.files import write_private
from blickschutz.zones import profiles
from blickschutz.zones.hardening import confine, harden
from blickschutz.zones.launcher import Started
from blickschutz.zones.model import Wall

_log = structlog.get_logger(__name__)
PROGRAM: Final = "blickschutz.bootstrap.cellhost"
_SETTINGS_WRONG: Final = 4
_DOOR: Final = b"blickschutz-host-door-1 "
_TIME: Final = b"blickschutz-host-time-1 "
_SECRET_BYTES: Final = 32
_LOOK_S: Final = 1.0


def load_join(path: Path) -> JoinFile:
    """Raises `SettingsError` with one line for each problem."""
    return load_file(JoinFile, path)


class CellHost:
    """The agent of one host, its folder held by this process alone."""

    def __init__(self, join: JoinFile, base: Path, clock: Clock, launch: Callable[[socket.socket, str], Started] = launch_cell) -> None:
        self.join, self._base, self._clock = join, base, clock
        self.folder = base / join.data
        for folder in (
            self.folder,
            profiles.doors_of(self.folder),
            self.folder / "journals",
            self.folder / "clips",
            self.folder / "copies",
        ):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        secret = _door_secret(self.folder / "door.key")
        self._doors = DoorFolder(
            profiles.doors_of(self.folder), lambda: join.installation, lambda run: hmac.digest(secret, _DOOR + run.encode(), "sha256")
        )
        housing = Housing(join.installation, launch, self._doors, self.folder / "clips", join.root)
        # Read before the walls are up, and before anything is promised to anybody.
        own = {camera.id: own_camera(camera, base) for camera in join.cameras}
        self._cells = {name: HostedCell(name, one, housing, clock) for name, one in own.items()}
        key = key_file("key", join.key, base)
        self._address = Address(join.broker, join.broker_name, base / join.authority, base / join.certificate, key)
        self._secret, self._witness = secret, HostWitness(base / join.certificate, key)
        self._store = open_store(join, base)

    def _clips(self, news: OwnNews, lives: Callable[[str], str]) -> HostClips:
        """What keeps the clips of this host, and the time by which it does."""
        join, records, copied = self.join, ClipRecords(self.folder / "kept", KeptClip), ClipRecords(self.folder / "copied", KeptCopy)
        file = TimeFile(
            self.folder / "retention.clock", self._time_mark, lambda text, mark: hmac.compare_digest(self._time_mark(text), mark)
        )
        sources = MachineSources() if isinstance(self._clock, SystemClock) else ClockSources(self._clock)
        time = RetentionTime(sources, file, AllRecords(records, copied), records, limits_of(LONGEST))
        own = Own(join.installation, join.host, bytes.fromhex(join.signed_by), self._witness)
        copies = HostCopies(own, ClipShelf(self.folder / "copies"), copied, time, self._clock, news, store=self._store)
        return HostClips(own, ClipShelf(self.folder / "clips"), records, time, self._clock, news, lives, copies)

    def _time_mark(self, text: bytes) -> bytes:
        return hmac.digest(self._secret, _TIME + text, "sha256")

    def confine(self) -> frozenset[Wall]:
        """Start what cells are forked from, then hold this process to its profile for good. Returns the walls that are missing here."""
        tempfile.tempdir = os.environ["TMPDIR"] = str(own_folder())
        start_launcher()
        place = Path(tempfile.gettempdir())
        return confine(
            profiles.cell_host(
                data=self.folder, join=self._base, temporary=place, broker=port_of(self.join.broker), store=store_port(self.join)
            )
        )

    async def run(self) -> None:
        """Until a signal comes. Raises `DeviceError` where it can start no cell any more."""
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(one, ended.set)
        join, guard, launchers = self.join, Guard(self._clock), LauncherWatch(LAUNCHER)
        launchers.start(guard)

        async def look() -> None:
            if launchers.gone:
                ended.set()

        guard.task("launchers-left", look, every_s=_LOOK_S)
        capacity = Capacity(
            cores=join.cores, memory_mb=join.memory_mb, networks=join.networks, cameras=tuple(self._cells), spare=join.spare
        )
        agent = Agent(
            Broker(join.installation, join.host),
            self._address,
            capacity,
            self._cells,
            self.folder / "journals",
            guard,
            self._clock,
            self._clips,
            GoingOn(self.folder / "going-on", join.installation, join.host, self._cells),
        )
        await agent.take_in(await self._doors.find())
        await agent.run(ended)
        await asyncio.to_thread(guard.end)
        if launchers.gone:
            # Within its walls this process starts no program: whoever started it does so again, and others film meanwhile.
            raise DeviceError("nothing is left that could start cells; this process has ended, and is to be started anew")


def open_store(join: JoinFile, base: Path) -> NamedStore | None:
    """The object store of a join file; None where it names none. Raises `SettingsError`."""
    store = join.store
    if store is None:
        return None
    try:
        from blickschutz.hosts.io.s3 import Bucket, S3Store
    except ModuleNotFoundError as error:
        raise SettingsError("store: its client is not installed; install blickschutz with the extra 's3'") from error
    access, secret = (read_secret(f"store.{name}", getattr(store, name), base) for name in ("access_file", "secret_file"))
    authority = base / store.authority if store.authority is not None else None
    bucket = Bucket(store.endpoint, store.bucket, store.region, access, secret, authority)
    return NamedStore(store.name, S3Store(bucket, f"{join.installation}/{join.host}/"))


def store_port(join: JoinFile) -> int | None:
    """The port of the object store; None without one."""
    if join.store is None:
        return None
    parts = urlsplit(join.store.endpoint)
    return parts.port or (443 if parts.scheme == "https" else 80)


def own_camera(camera: JoinedCamera, base: Path) -> OwnCamera:
    """With what a camera is opened here. Raises `SettingsError`."""
    setting = f"cameras.{camera.id}"
    password = read_secret(f"{setting}.password_file", camera.password_file, base)

    def whole(address: str) -> str:
        if address.startswith("file:"):
            return f"file:{(base / address.removeprefix('file:')).resolve()}"
        return with_account(address, camera.user, password)

    secret = Credentials(
        source=whole(camera.address if camera.substream is None else camera.substream),
        recorded=whole(camera.address) if camera.substream is not None else "",
        notices=with_account(camera.onvif, camera.user, password) if camera.onvif is not None else "",
        notify=read_secret(f"{setting}.notify_file", camera.notify_file, base),
    )
    return OwnCamera(secret, str((base / camera.authority).resolve()) if camera.authority is not None else "")


def _door_secret(path: Path) -> bytes:
    """By which cells know their own agent. Raises `DeviceError`."""
    try:
        if path.exists():
            found = path.read_bytes()
            if len(found) == _SECRET_BYTES:
                return found
        made = secrets.token_bytes(_SECRET_BYTES)
        write_private(path, made)
    except OSError as error:
        raise DeviceError(f"{path} cannot be read or made: {error.strerror}") from error
    return made


def main() -> None:
    """`python -m blickschutz.bootstrap.cellhost JOIN`: what `blickschutz cells` becomes."""
    path = Path(sys.argv[1]).resolve()
    configure_logs()
    try:
        join = load_join(path)
        folder = path.parent / join.data
        with held(folder, f"another process runs the cells of {folder}"):
            missing = harden()
            host = CellHost(join, path.parent, SystemClock())
            missing |= host.confine()
            if missing:
                print(f"This machine does not have these walls: {', '.join(sorted(missing))}", file=sys.stderr)
            where = f"{join.installation} on {join.host}, {len(join.cameras)} cameras, broker {join.broker}"
            print(f"Cells of {where}. Ctrl-C ends.", flush=True)
            asyncio.run(host.run())
    except BlickschutzError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(_SETTINGS_WRONG if isinstance(error, SettingsError) else 1)
    print("Ended.")


if __name__ == "__main__":
    main()
