"""Pictures analysed a second with 1, 2 and 4 hosts, each with a share of a core: `.venv/bin/python -m benchmarks.scale_out`.

    [--hosts 1,2,4] [--core 0.15] [--cameras 2] [--seconds 30] [--rounds 3]

All of it is real: broker, control room, agents, cells with the detector, each host in a network namespace of its own. Only the cores are
simulated: the kernel gives each host the stated share of one (CPU quota of a control group), since four hosts of a whole core need more
cores than a small machine has. Each host films the same video files, more of them than its share can analyse, so that it always has work;
the quota is set once all are live. Compared are pictures analysed by all hosts together, as the control room hears it. Needs root, control
groups, `nats-server` and the demonstration's footage (`blickschutz demo --prepare`). The median of the rounds, as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.live.system import free_port

from blickschutz.bootstrap.system import System
from blickschutz.config.hosts import HostedCamera
from blickschutz.config.model import SiteFile
from blickschutz.control.service.launching import LAUNCHER
from blickschutz.demo import footage, wires
from blickschutz.demo.cluster import Machines, cluster_site
from blickschutz.demo.wires import Wires
from blickschutz.kernel.clock import SystemClock
from blickschutz.wall.model import TileState

MUST = 0.9
# Below this hosts had less to do than their share, or somebody else had the cores: nothing is said then.
BUSY = 0.9
_PERIOD_US, _PATIENCE_S, _SETTLE_S, _LOOK_S = 100_000, 240.0, 8.0, 0.2
_TOP = Path("/sys/fs/cgroup")


class Share:
    """A control group whose processes get no more than a share of one core, once that is stated; with either form of control groups."""

    def __init__(self, name: str) -> None:
        self._old = (_TOP / "cpu/cpu.cfs_quota_us").exists() or (_TOP / "cpu/tasks").exists()
        self.folder = (_TOP / "cpu" if self._old else _TOP) / f"blickschutz-{os.getpid()}-{name}"
        self.folder.mkdir()

    def limit(self, core: float) -> None:
        quota = round(core * _PERIOD_US)
        if self._old:
            (self.folder / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (self.folder / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (self.folder / "cpu.max").write_text(f"{quota} {_PERIOD_US}")

    def held_back(self) -> int:
        """How often they had to wait for their share, so far."""
        words = (self.folder / "cpu.stat").read_text().split()
        return int(words[words.index("nr_throttled") + 1])

    def end(self) -> None:
        """Once nobody is in it any more."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                self.folder.rmdir()
                return
            time.sleep(0.1)


class Limited(Machines):
    """Each host in its control group."""

    def __init__(self, *about: Any, shares: dict[str, Share], **more: Any) -> None:
        super().__init__(*about, **more)
        self._shares = shares

    def _inside(self, name: str, command: list[str]) -> list[str]:
        join = f'echo $$ > {self._shares[name].folder}/cgroup.procs; exec "$@"'
        return ["bash", "-c", join, name, *super()._inside(name, command)]


def site_of(hosts: list[str], cameras: int) -> SiteFile:
    """So many cameras on each host, and on no other; all hosts film the same."""
    site = cluster_site(free_port(), wires.ROOM)
    count, assigned = cameras * len(hosts), []
    if count > len(site.cameras):
        sys.exit(f"{count} cameras, and the demonstration has {len(site.cameras)}")
    for number, camera in enumerate(site.cameras[:count]):
        view = number % cameras
        shown = {"address": f"file:{footage.folder() / f'view-{view + 1:02d}-day.mp4'}", "start_s": footage.VIEWS[view].start_s}
        assigned.append(camera.model_copy(update=shown))
    assert site.hosts is not None
    hosted = tuple(HostedCamera(id=one.id, only=hosts[number // cameras], cores=0.01) for number, one in enumerate(assigned))
    return site.model_copy(update={"cameras": tuple(assigned), "hosts": site.hosts.model_copy(update={"cameras": hosted})})


async def measured(system: System, shares: dict[str, Share], core: float, seconds: float) -> dict[str, float]:
    serving, keepers = asyncio.create_task(system.serve()), list(system.supervisor.keepers.values())

    def analysed() -> list[int]:
        return [one.health.analysed for one in keepers if one.health is not None]

    try:
        end = time.monotonic() + _PATIENCE_S
        while not all(one.state is TileState.LIVE for one in keepers):
            if serving.done() or time.monotonic() > end:
                sys.exit(f"not all cameras became live: {[(one.camera, one.problem) for one in keepers]}")
            await asyncio.sleep(_LOOK_S)
        for share in shares.values():
            share.limit(core)
        await asyncio.sleep(_SETTLE_S)
        before, waits, at = analysed(), [one.held_back() for one in shares.values()], time.monotonic()
        await asyncio.sleep(seconds)
        took, after = time.monotonic() - at, analysed()
        # All of them in each tenth of a second where a host could use more than it got: else it is idle, and nothing is compared.
        busy = [(one.held_back() - was) * _PERIOD_US / 1e6 / took for one, was in zip(shares.values(), waits, strict=True)]
        return {"a_second": (sum(after) - sum(before)) / took, "least_busy": min(busy)}
    finally:
        system.end()
        await serving


def step(count: int, core: float, cameras: int, seconds: float) -> dict[str, float]:
    hosts = [f"host-{number}" for number in range(count)]
    with tempfile.TemporaryDirectory(prefix="scale-out-") as place, contextlib.ExitStack() as ends:
        folder, site = Path(place), site_of(hosts, cameras)
        lines = Wires(hosts)
        ends.callback(lines.end)
        shares = {}
        for name in hosts:
            shares[name] = Share(name)
            ends.callback(shares[name].end)
        machines = Limited(site, folder / "state", folder, lines, hosts, shares=shares)
        ends.callback(machines.end)
        machines.start()
        system = System(site, Path.cwd(), SystemClock(), data=folder / "state")
        ends.callback(LAUNCHER.end)
        return asyncio.run(measured(system, shares, core, seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", default="1,2,4")
    parser.add_argument("--core", type=float, default=0.15, help="share of a core for each host")
    parser.add_argument("--cameras", type=int, default=2, help="on each host")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if not wires.possible() or not footage.is_ready():
        sys.exit("needs root, `ip` and the demonstration's footage (blickschutz demo --prepare)")
    logging.disable(logging.WARNING)
    counts = [int(one) for one in options.hosts.split(",")]
    found: dict[int, list[dict[str, float]]] = {count: [] for count in counts}
    for _ in range(options.rounds):
        for count in counts:
            one = step(count, options.core, options.cameras, options.seconds)
            print(json.dumps({"hosts": count, **{name: round(value, 3) for name, value in one.items()}}), flush=True)
            found[count].append(one)
    median = {count: statistics.median(one["a_second"] for one in rounds) for count, rounds in found.items()}
    linear = {count: round(median[count] / (median[counts[0]] * count / counts[0]), 3) for count in counts}
    told = {"core": options.core, "cameras_a_host": options.cameras, "a_second": {n: round(v, 2) for n, v in median.items()}}
    counts_for = min(one["least_busy"] for rounds in found.values() for one in rounds) >= BUSY
    holds = min(linear.values()) >= MUST if counts_for else None
    print(json.dumps({**told, "of_linear": linear, "holds": holds, "load": os.getloadavg()[0]}))


if __name__ == "__main__":
    main()
