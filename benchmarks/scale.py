"""What many cameras on many hosts cost one control room: a real one and a real broker, hosts with real agents whose cells are none.

    python -m benchmarks.scale [--steps 50,200,500,1000,2000] [--seconds 30] [--per-host 20]

Agents, leases, journals, links and TLS are real, in processes of this machine on loopback (no namespaces); their cells beat as real
ones do and have no picture (`tests/fakes/many_hosts.py`). The control room is whole: databases, watches, pages. For each step: cameras
that are live and after how long, share of a core, event loop late by (99 of 100), pages' time (95 of 100, asked by a process of its
own by somebody who is signed in), messages and bytes a second at the broker, memory. A step that does not come to be ends the run.
Prints one line for each step and one JSON object at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import logging
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from tests.desk import admit
from tests.fakes.cells import no_process
from tests.live.system import free_port
from tests.peers.nats import RunningBroker

from blickschutz.access.model import AccountState
from blickschutz.bootstrap.hosts import HostOffice
from blickschutz.bootstrap.records import make_records
from blickschutz.bootstrap.system import System
from blickschutz.config.hosts import HostedCamera, Hosts
from blickschutz.config.loader import load_site
from blickschutz.config.model import SiteFile
from blickschutz.control.service.lag import LoopLag
from blickschutz.control.service.launching import LAUNCHER
from blickschutz.kernel.clock import SystemClock
from blickschutz.wall.model import TileState

SITE = Path(__file__).resolve().parent.parent / "examples/rathaus-kaiserslautern.toml"
PERSON = "leitstelle-1"
MUST_LAG_MS, MUST_PAGE_MS = 20.0, 150.0
_HOSTS_A_PROCESS, _PATIENCE_S, _SETTLE_S, _LOOK_S = 25, 240.0, 10.0, 0.2
_PAGES = ("/wall", "/health", "/alerts")


def site_of(count: int, broker: int) -> SiteFile:
    """The example with so many cameras, all of them on hosts."""
    site = load_site(SITE)
    plain = {"calibration": None, "zones": (), "privacy_zones": (), "notify": None, "substream": None}
    cameras = tuple(
        site.cameras[n % len(site.cameras)].model_copy(
            update={**plain, "id": f"kamera-{n}", "name": f"Kamera {n}", "address": f"rtsp://192.0.2.{n % 250 + 1}/{n}"}
        )
        for n in range(count)
    )
    hosts = Hosts.model_construct(
        broker=f"tls://127.0.0.1:{broker}", listen="127.0.0.1", cameras=tuple(HostedCamera(id=one.id) for one in cameras)
    )
    return site.model_copy(update={"cameras": cameras, "hosts": hosts, "server": site.server.model_copy(update={"port": free_port()})})


def enrolled(site: SiteFile, base: Path, per_host: int) -> list[Path]:
    """A folder for each host, as it would be carried to its machine, with the names of its cameras."""
    clock, folders = SystemClock(), []
    records = make_records(site, base / "state", clock, {})
    try:
        access = records.office.access
        people = [access.members["technik"], access.members["aufsicht"]]
        for one in people:
            if one.state is not AccountState.ACTIVE:
                access.accounts.activate(one.id)
        people = [access.members[one.id] for one in people]
        office = HostOffice(site, base / "state", records.archive.key.installation, clock)
        for number, start in enumerate(range(0, len(site.cameras), per_host)):
            folder = base / f"host-{number}"
            office.enrol(f"host-{number}", people[0], people[1], folder, records.office.log, access.voices)
            (folder / "cameras").write_text("\n".join(one.id for one in site.cameras[start : start + per_host]))
            folders.append(folder)
    finally:
        records.keeping.close()
    return folders


def started(folders: list[Path], broker: int) -> list[subprocess.Popen[bytes]]:
    parts = [folders[start : start + _HOSTS_A_PROCESS] for start in range(0, len(folders), _HOSTS_A_PROCESS)]
    url = f"tls://127.0.0.1:{broker}"
    # They stand for other machines, which take none of this one's time.
    command = ["nice", "-n", "10", sys.executable, "-m", "tests.fakes.many_hosts", url]
    return [subprocess.Popen([*command, *map(str, part)]) for part in parts]


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measured(system: System, seconds: float) -> dict[str, Any]:
    """One step, from the start of the control room to its end."""
    serving, began = asyncio.create_task(system.serve()), time.monotonic()
    keepers, room = system.supervisor.keepers.values(), system.control.hosts
    assert room is not None
    try:
        for _ in range(round(_PATIENCE_S / _LOOK_S)):
            if all(one.state is TileState.LIVE for one in keepers) or serving.done():
                break
            await asyncio.sleep(_LOOK_S)
        live, after = sum(one.state is TileState.LIVE for one in keepers), time.monotonic() - began
        await asyncio.sleep(_SETTLE_S)
        # Of its own: what is late while two thousand links open says nothing of the hours after it.
        late = LoopLag(SystemClock())
        measuring = asyncio.create_task(late.run())
        cookie = await asyncio.to_thread(admit, system.records.office.access, PERSON)
        asked = [sys.executable, "-m", "benchmarks.scale", "--ask", str(system.site.server.port), cookie, str(seconds)]
        asking = await asyncio.create_subprocess_exec(*asked, stdout=subprocess.PIPE)
        stats, used, at = dict(room._broker.client.stats), cpu_s(), time.monotonic()
        out, _ = await asking.communicate()
        took, now = time.monotonic() - at, room._broker.client.stats
        measuring.cancel()
        lag = late.state()
        return {
            "live": live,
            "live_after_s": round(after, 1),
            "still_live": sum(one.state is TileState.LIVE for one in keepers),
            "core_share": round((cpu_s() - used) / took, 3),
            "lag_p99_ms": round(1000 * lag.p99_s, 1),
            "lag_max_ms": round(1000 * lag.max_s, 1),
            "pages": json.loads(out),
            "messages_in_a_s": round((now["in_msgs"] - stats["in_msgs"]) / took, 1),
            "messages_out_a_s": round((now["out_msgs"] - stats["out_msgs"]) / took, 1),
            "kilobytes_in_a_s": round((now["in_bytes"] - stats["in_bytes"]) / took / 1000, 1),
            "kilobytes_out_a_s": round((now["out_bytes"] - stats["out_bytes"]) / took / 1000, 1),
            "rss_mb": round(psutil.Process().memory_info().rss / 1e6),
        }
    finally:
        system.end()
        await serving


def ask(port: int, cookie: str, seconds: float) -> dict[str, float]:
    """Pages one after the other, two a second, as somebody has them; milliseconds, 95 of 100."""
    took: dict[str, list[float]] = {path: [] for path in _PAGES}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for path in _PAGES:
            connection, began = http.client.HTTPConnection("127.0.0.1", port, timeout=30), time.monotonic()
            connection.request("GET", path, headers={"Cookie": f"session={cookie}"})
            answer = connection.getresponse()
            answer.read()
            took[path].append(1000 * (time.monotonic() - began))
            connection.close()
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status}")
            time.sleep(0.5)
    return {path: round(sorted(found)[min(len(found) - 1, int(0.95 * len(found)))], 1) for path, found in took.items()}


def step(cameras: int, per_host: int, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="scale-") as place:
        base, port = Path(place), free_port()
        (base / "state").mkdir(mode=0o700)
        site = site_of(cameras, port)
        folders = enrolled(site, base, per_host)
        broker, hosts = RunningBroker(base / "state/hosts/broker/nats.conf", port), []
        broker.start()
        try:
            hosts = started(folders, port)
            system = System(site, base, SystemClock(), no_process, data=base / "state")
            return {"cameras": cameras, "hosts": len(folders), **asyncio.run(measured(system, seconds)), "load": os.getloadavg()[0]}
        finally:
            for one in hosts:
                one.terminate()
            for one in hosts:
                one.wait(60)
            broker.stop()
            LAUNCHER.end()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", default="50,200,500,1000,2000")
    parser.add_argument("--per-host", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--ask", nargs=3, metavar=("PORT", "COOKIE", "SECONDS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        print(json.dumps(ask(int(options.ask[0]), options.ask[1], float(options.ask[2]))))
        return
    logging.disable(logging.WARNING)
    found = []
    for cameras in map(int, options.steps.split(",")):
        one = step(cameras, options.per_host, options.seconds)
        print(json.dumps(one), flush=True)
        found.append(one)
        if one["live"] < cameras:
            break
    held = [one for one in found if one["lag_p99_ms"] <= MUST_LAG_MS and max(one["pages"].values()) <= MUST_PAGE_MS]
    print(json.dumps({"steps": found, "holds_up_to": max((one["cameras"] for one in held), default=0)}))


if __name__ == "__main__":
    main()
