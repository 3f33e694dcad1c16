"""The demonstration over several machines: a broker, a database server, three hosts with eleven cameras, one host that dies.

Whoever is root gets each host and the database server in a network namespace of its own, else all are processes of one network.
Without PostgreSQL the databases are files, and that is said.

python -m blickschutz.demo.cluster [--seconds N] [--port N] [--kill-after N]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from blickschutz.bootstrap.databases import server_of
from blickschutz.bootstrap.hosts import HostOffice
from blickschutz.bootstrap.leading import Candidate, Leading
from blickschutz.bootstrap.records import make_records
from blickschutz.bootstrap.system import System
from blickschutz.config.hosts import HostedCamera, Hosts
from blickschutz.config.model import SiteFile
from blickschutz.demo import database, footage, wires
from blickschutz.demo.database import DatabaseServer
from blickschutz.demo.site import codes_file, demo_site, keep_codes, seed
from blickschutz.demo.wires import Wires
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import OperatorError
from blickschutz.pipeline.logs import configure_logs
from blickschutz.regime.model import RegimeName
from blickschutz.wall.model import TileState

HOSTS: Final = ("nord", "sued", "keller")
STORE: Final = "daten"
_PATIENCE_S: Final = 180.0


class Machines:
    """The broker and the hosts, each in a group of its own, so that one can be killed as a whole."""

    def __init__(self, site: SiteFile, data: Path, folder: Path, wires: Wires | None, hosts: Sequence[str] = HOSTS) -> None:
        self._site, self._data, self._folder, self._wires, self._hosts = site, data, folder, wires, hosts
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Let the hosts in, and start all. Raises `OperatorError` without a broker."""
        program = shutil.which("nats-server") or "/usr/sbin/nats-server"
        if not Path(program).exists():
            raise OperatorError("nats-server is not installed (apt install nats-server)")
        records = make_records(self._site, self._data, SystemClock(), {}, server=server_of(self._site, Path.cwd()))
        try:
            office = HostOffice(self._site, self._data, records.archive.key.installation, SystemClock())
            access = records.office.access
            first, second = (access.members[person] for person in ("technik", "aufsicht"))
            for name in self._hosts:
                office.enrol(name, first, second, self._folder / name, records.office.log, access.voices)
                self._complete(self._folder / name / "join.toml")
            config = office.write_broker()
        finally:
            records.keeping.close()
        self._run("broker", [program, "-c", str(config)])
        for name in self._hosts:
            self.run_host(name)

    def run_host(self, name: str) -> None:
        command = [sys.executable, "-m", "blickschutz.cli.main", "cells", "--join", str(self._folder / name / "join.toml")]
        self._run(name, self._inside(name, command))

    def _inside(self, name: str, command: list[str]) -> list[str]:
        """The command, to be run on that machine."""
        return command if self._wires is None else self._wires.inside(name, command)

    def kill(self, name: str) -> None:
        """As if somebody had pulled its plug."""
        process = self._processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def end(self) -> None:
        for process in reversed(self._processes.values()):
            process.terminate()
        for process in self._processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def _complete(self, join: Path) -> None:
        """What whoever sets a host up fills in: here the video files that stand for its cameras."""
        text = join.read_text(encoding="utf-8")
        for camera in self._site.cameras:
            blank = f'id = "{camera.id}"\naddress = "file:FILL-IN"'
            text = text.replace(blank, f'id = "{camera.id}"\naddress = "{camera.address}"')
        join.write_text(text, encoding="utf-8")

    def _run(self, name: str, command: list[str]) -> None:
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def cluster_site(port: int, where: str = "127.0.0.1") -> SiteFile:
    """The demonstration's site, all of whose cameras lie with hosts; the broker is reached at that address."""
    site = demo_site(night=False, port=port)
    hosted = tuple(HostedCamera(id=camera.id) for camera in site.cameras)
    return site.model_copy(update={"hosts": Hosts(broker=f"tls://{where}:{_free_port()}", listen=where, cameras=hosted)})


async def show(system: System, machines: Machines, kill_after_s: float) -> None:
    """Say where the cameras are; after a while one host is killed, and what becomes of its cameras is said."""
    keepers = system.supervisor.keepers

    def live() -> Counter[str]:
        return Counter(getattr(one, "host", "") for one in keepers.values() if one.state is TileState.LIVE)

    regime = system.control.regime
    # By night an incident is recorded, and nobody is called: here somebody is to see that it is told again.
    await asyncio.to_thread(regime.set_override, RegimeName.DAY, regime.now() + timedelta(hours=1), "demo", "demo")
    await _until(lambda: live().total() == len(keepers))
    _say("all live", live())
    await asyncio.sleep(kill_after_s)
    # The one at which something happens: so it is seen that its alerts come back, too.
    watched = system.site.cameras[footage.INCIDENT_VIEW - 1].id
    victim = getattr(keepers[watched], "host", "")
    before = await asyncio.to_thread(system.records.alerts.newest)
    await asyncio.to_thread(machines.kill, victim)
    began = time.monotonic()
    print(f"{victim} was killed; its cameras go to the others.", flush=True)
    await _until(lambda: live().total() == len(keepers) and victim not in live())
    _say(f"all live again after {time.monotonic() - began:.1f} s", live())
    machines.run_host(victim)
    await _until(lambda: any(alert.id > before for alert in system.records.alerts.find(camera=watched, most=1)))
    print(f"its alerts come back: one of {watched} after {time.monotonic() - began:.0f} s", flush=True)


def _say(what: str, live: Counter[str]) -> None:
    print(f"{what}: {', '.join(f'{count} on {host}' for host, count in sorted(live.items()))}", flush=True)


async def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            raise OperatorError(f"not within {_PATIENCE_S:g} s; the logs of the hosts say more")
        await asyncio.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _run(system: System, machines: Machines, seconds: float | None, kill_after_s: float) -> None:
    guard = Guard(SystemClock())
    guard.once_task("demo-shows", lambda: show(system, machines, kill_after_s))
    await system.serve(seconds)
    await guard.finish()


def _with_database(site: SiteFile, lines: Wires | None, ends: contextlib.ExitStack) -> SiteFile:
    """The site with its databases on a server of their own, where one is installed."""
    if database.programs() is None:
        print("Databases: files. A server needs PostgreSQL (apt install postgresql; pip install 'blickschutz[postgresql]').", flush=True)
        return site
    # Apart from all else: it belongs to another user.
    folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="blickschutz-database-")))
    if lines is None:
        server = DatabaseServer(folder, SystemClock())
    else:
        server = DatabaseServer(folder, SystemClock(), lines.address(STORE), lambda command: lines.inside(STORE, command))
    ends.callback(server.end)
    site = server.start(site)
    where = f"{STORE}, in a network namespace of its own, over TLS" if lines is not None else "by its Unix socket"
    print(f"Databases: PostgreSQL ({where}).", flush=True)
    return site


def _lead(site: SiteFile, data: Path, ends: contextlib.ExitStack) -> Leading | None:
    """Where the databases are on a server one control room leads, as in earnest."""
    if site.storage.server is None:
        return None
    leading = Candidate(site, Path.cwd(), data).take_at_once()
    ends.callback(leading.end)
    return leading


def main() -> None:
    parser = argparse.ArgumentParser(description="Eleven cameras on three hosts, one of which dies.")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--port", type=int, default=8711)
    parser.add_argument("--kill-after", type=float, default=20.0)
    options = parser.parse_args()
    prepare = [sys.executable, "-m", "blickschutz.cli.main", "demo", "--prepare"]
    if not footage.is_ready() and subprocess.run(prepare, check=False).returncode:
        raise SystemExit("the footage could not be made; what is wrong stands above")
    configure_logs()
    with tempfile.TemporaryDirectory(prefix="blickschutz-cluster-") as place, contextlib.ExitStack() as ends:
        apart = wires.possible()
        folder, site = Path(place), cluster_site(options.port, wires.ROOM if apart else "127.0.0.1")
        how = "each in a network namespace of its own" if apart else "processes of one network"
        print(f"Hosts: {', '.join(HOSTS)}, {how}.", flush=True)
        lines = wires.Wires((*HOSTS, STORE)) if apart else None
        if lines is not None:
            ends.callback(lines.end)
        site = _with_database(site, lines, ends)
        machines = Machines(site, folder / "state", folder, lines)
        ends.callback(machines.end)
        machines.start()
        system = System(site, Path.cwd(), SystemClock(), data=folder / "state", leading=_lead(site, folder / "state", ends))
        made = seed(system.records)
        keep_codes(made, options.port)
        ends.callback(codes_file(options.port).unlink, missing_ok=True)
        print("Sign-in (person, password):")
        for one in made:
            print(f"  {one.person:14} {one.password}")
        print(f"Open {system.address} in a browser. Ctrl-C ends.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_run(system, machines, options.seconds, options.kill_after))
    print("Ended.")


if __name__ == "__main__":
    main()
