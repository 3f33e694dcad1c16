"""Machines beside the cameras for tests: an installation with a broker and enrolled hosts, and cameras that count who looks at them."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec
import psutil

from blickschutz.access.model import AccountState
from blickschutz.bootstrap.hosts import HostOffice
from blickschutz.bootstrap.records import Records, make_records
from blickschutz.config.hosts import HostedCamera, Hosts
from blickschutz.config.loader import load_site
from blickschutz.config.model import SiteFile
from blickschutz.hosts.io.journal import FileJournal
from blickschutz.kernel.clock import SystemClock
from blickschutz.pipeline.messages import SituationTold
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.wire.greeting import clock_name
from tests.conftest import ROOT
from tests.fakes.web_camera import WebCamera, moving, part, said
from tests.peers.nats import RunningBroker, free_port
from tests.videos import still

INSTALLATION = "town-hall"
USER, PASSWORD = "wache", "geheim-4711"
PEOPLE = ("technik", "aufsicht")


class _Pictures(WebCamera):
    """Says whose connection it is that is answered."""

    def __init__(self, reply) -> None:
        self.own = threading.local()
        super().__init__(reply)

    def talk(self, connection):
        self.own.connection = connection
        super().talk(connection)


class Watched(Protocol):
    """A camera of a cluster: what stands in its place has an address, too."""

    @property
    def address(self) -> str: ...


class CountingCamera:
    """Pictures by HTTP for whoever signs in.

    Who has closed counts no more, though it was not noticed yet: the kernel knows. One that connects anew while its connection before is
    not closed yet is one.
    """

    def __init__(self, number: int) -> None:
        self._lock = threading.Lock()
        self._watching: list[socket.socket] = []
        # Ports at the other end: which were open at once, and whose each was.
        self._together: list[frozenset[int]] = []
        self._owner: dict[int, int] = {}
        self._looking: list[threading.Thread] = []
        self.times = 0
        self.pictures = [still(320, 240, index + 40 * number) for index in range(8)]
        self._web = _Pictures(self._reply)
        self.path = f"/stream-{number}-of-a-secret-path"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._web.port}{self.path}"

    @property
    def most(self) -> int:
        """How many processes looked at once, ever. Whose a connection is is looked up beside it; one that is closed before is nobody's."""
        for one in self._looking:
            one.join(20)
        return max((len({self._owner[port] for port in ports if port in self._owner}) for ports in self._together), default=0)

    @property
    def whose(self) -> set[int]:
        """The processes that look now."""
        for one in self._looking:
            one.join(20)
        with self._lock:
            self._count()
            return {self._owner[port] for one in self._watching if (port := one.getpeername()[1]) in self._owner}

    def _look_whose(self, port: int) -> None:
        for one in psutil.net_connections("tcp4"):
            if one.raddr and one.laddr.port == port and one.pid:
                self._owner[port] = one.pid

    @property
    def now(self) -> int:
        with self._lock:
            return self._count()

    def _count(self) -> int:
        self._watching = [one for one in self._watching if not _closed(one)]
        return len(self._watching)

    def _reply(self, request):
        if "authorization: basic" not in request.lower():
            yield said(status="401 Unauthorized", fields='WWW-Authenticate: Basic realm="camera"\r\n')
            return
        connection = self._web.own.connection
        with self._lock:
            self._watching.append(connection)
            self.times += 1
            self._count()
            self._together.append(frozenset(one.getpeername()[1] for one in self._watching))
        looking = threading.Thread(target=self._look_whose, args=(connection.getpeername()[1],), daemon=True)
        self._looking.append(looking)
        looking.start()
        try:
            yield moving()
            index = 0
            while True:
                yield part(self.pictures[index % len(self.pictures)])
                yield 0.1
                index += 1
        finally:
            with self._lock:
                if connection in self._watching:
                    self._watching.remove(connection)

    def end(self):
        self._web.end()


def _closed(connection: socket.socket) -> bool:
    """Whether the other end has closed it."""
    if connection.fileno() < 0:
        return True
    asked = select.poll()
    asked.register(connection, select.POLLRDHUP)
    return bool(asked.poll(0))


class Host:
    """`blickschutz cells` in a process of its own, as on its own machine."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Where it does not run already."""
        if self._process is not None and self._process.poll() is None:
            return
        command = [sys.executable, "-m", "blickschutz.cli.main", "cells", "--join", str(self.folder / "join.toml")]
        with (self.folder / "log").open("ab") as log:
            # A group of its own: that of the whole machine.
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def kill(self) -> None:
        """The agent alone: its cells live on, and let go by themselves when the lease is over."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)
        self._process = None

    def die(self) -> None:
        """The whole machine: agent, launcher, cells."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        self._process = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def wait(self, seconds: float) -> int:
        """Until it has ended by itself; what it ended with."""
        assert self._process is not None
        return self._process.wait(seconds)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)
            self._process = None

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")


def keep(host: Host, camera: str, run: str, numbers: Iterable[int]) -> None:
    """Put situations into the journal of a host that does not run, as a life of its cell had told them."""
    journal = FileJournal(host.folder / "data/journals" / f"{camera}.journal")
    for number in numbers:
        situation = Situation(number, Kind.PERSON_DOWN, f"z{number}", time.monotonic() - 1.0, time.time() - 1.0, 0.9)
        data = msgspec.msgpack.encode(SituationTold(situation, number=number))
        journal.add(run, number, 0, data, 1, clock_name())
    journal.close()


def let_in(office: HostOffice, records: Records, name: str, out: Path) -> None:
    """By two people, who are ready to work from then on."""
    access = records.office.access
    for person in PEOPLE:
        if access.members[person].state is not AccountState.ACTIVE:
            access.accounts.activate(person)
    office.enrol(name, *(access.members[person] for person in PEOPLE), out, records.office.log, access.voices)


def complete(out: Path, cameras: Iterable[str]) -> None:
    """What people fill in on the host's machine: the account of each camera."""
    join = (out / "join.toml").read_text(encoding="utf-8")
    for camera in cameras:
        known = f'id = "{camera}"\n'
        join = join.replace(known, f'{known}user = "{USER}"\npassword_file = "{camera}.password"\n')
        secret = out / f"{camera}.password"
        secret.write_text(PASSWORD)
        secret.chmod(0o600)
    (out / "join.toml").write_text(join, encoding="utf-8")


class Cluster:
    """In `base`: a site with cameras that lie with hosts, the broker, and a folder for each host as it was carried to its machine."""

    def __init__(self, base: Path, cameras: tuple[Watched, ...], hosts: tuple[str, ...] = ("north", "south")) -> None:
        self.base, self.cameras, self.clock = base, cameras, SystemClock()
        self.port = free_port()
        self.site = self._site()
        self.hosts = {name: self.enrol(name) for name in hosts}
        listen = self.site.hosts.listen if self.site.hosts is not None else "127.0.0.1"
        self.broker = RunningBroker(base / "state/hosts/broker/nats.conf", self.port, listen)

    def _site(self) -> SiteFile:
        """What the control room knows: where the cameras are, and none of their secrets."""
        site = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
        plain = {"calibration": None, "zones": (), "privacy_zones": ()}
        shown = tuple(
            camera.model_copy(update={**plain, "address": one.address}) for camera, one in zip(site.cameras, self.cameras, strict=False)
        )
        hosts = Hosts(broker=f"tls://127.0.0.1:{self.port}", cameras=tuple(HostedCamera(id=camera.id) for camera in shown))
        return site.model_copy(
            update={
                "cameras": shown,
                "server": site.server.model_copy(update={"port": free_port()}),
                "site": site.site.model_copy(update={"id": INSTALLATION}),
                "hosts": hosts,
            }
        )

    def office(self, records) -> HostOffice:
        return HostOffice(self.site, self.base / "state", records.archive.key.installation, self.clock)

    def revoke(self, name: str) -> None:
        records = make_records(self.site, self.base / "state", self.clock, {})
        try:
            self.office(records).revoke(name, records.office.access.members[PEOPLE[0]], records.office.log)
        finally:
            records.keeping.close()

    def enrol(self, name: str) -> Host:
        records = make_records(self.site, self.base / "state", self.clock, {})
        out = self.base / f"{name}-machine"
        shutil.rmtree(out, ignore_errors=True)
        try:
            let_in(self.office(records), records, name, out)
        finally:
            records.keeping.close()
        complete(out, [camera.id for camera in self.site.cameras])
        return Host(out, name)


@contextlib.contextmanager
def begun(made: Cluster) -> Iterator[Cluster]:
    """With its broker; hosts are started by whoever needs them, and all are stopped at the end."""
    made.broker.start()
    yield made
    for host in made.hosts.values():
        host.stop()
    made.broker.stop()
