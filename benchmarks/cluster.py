"""Hosts that die at random moments, over a real broker with real cells: how long until their cameras are live elsewhere.

    python -m benchmarks.cluster [--kills N] [--cameras N] [--seed N]

Two hosts as processes, cameras that count who looks at them, a control room. Each kill takes the whole of one host (agent, launcher,
cells) or, every third time, its agent alone, whose cells have to let go by themselves. While it is down, situations are put into
its journal; it is started again. Counted: seconds to live elsewhere, and of those how many until its cameras were given to another
host, until that looked at the last of them, and until that showed a redacted picture; cameras that two looked at, situations lost, doubled,
out of order; the agent's memory and processor time beyond its cells. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from tests.live.system import RunningSystem
from tests.peers.cluster import Cluster, CountingCamera, keep

from blickschutz.control.model import SituationSeen
from blickschutz.kernel.clock import aging
from blickschutz.wall.model import TileState

_PATIENCE_S = 90.0
_NEWS = 5


class Trial:
    """The cluster, and what was counted."""

    def __init__(self, base: Path, cameras: int, seed: int) -> None:
        self._rng = random.Random(seed)
        self.cameras = tuple(CountingCamera(number) for number in range(cameras))
        self.cluster = Cluster(base, self.cameras)
        self.cluster.broker.start()
        for host in self.cluster.hosts.values():
            host.start()
        self._running = RunningSystem(self.cluster.site, base)
        self.keepers = self._running.system.supervisor.keepers
        self.heard: list[tuple[str, int]] = []
        for keeper in self.keepers.values():
            keeper.situations.listen(self._hear)
        self.kept: dict[str, int] = {}
        self.seconds: list[float] = []
        self.parts: dict[str, list[float]] = {"given": [], "looked_at": [], "shown": []}

    def _hear(self, told: SituationSeen) -> None:
        self.heard.append((told.run, told.situation.number))

    def settle(self) -> None:
        """Both hosts are there, and each camera is live."""
        room = self._running.system.control.hosts
        assert room is not None
        _until(lambda: len(room.giver.alive(aging())) == len(self.cluster.hosts), "hosts")
        _until(self._live, "cameras")

    def _live(self, but: str = "") -> bool:
        return all(one.state is TileState.LIVE and one.host != but for one in self.keepers.values())

    def kill(self, number: int) -> None:
        self.settle()
        time.sleep(self._rng.uniform(0.0, 3.0))
        camera = self._rng.choice(sorted(self.keepers))
        name = self.keepers[camera].host
        victim, began = self.cluster.hosts[name], time.monotonic()
        had = {number for number, keeper in enumerate(self.keepers.values()) if keeper.host == name}
        times = {number: self.cameras[number].times for number in had}
        victim.kill() if number % 3 == 2 else victim.die()
        _until(lambda: all(one.host not in {"", name} for one in self.keepers.values()), "cameras given to another host")
        given = time.monotonic()
        _until(lambda: all(self.cameras[number].times > count for number, count in times.items()), "cameras looked at")
        looked_at = time.monotonic()
        _until(lambda: self._live(but=name), "cameras elsewhere")
        self.seconds.append(time.monotonic() - began)
        for part, seconds in zip(self.parts, (given - began, looked_at - given, time.monotonic() - looked_at), strict=True):
            self.parts[part].append(seconds)
        run = f"{number:032x}"
        keep(victim, camera, run, range(1, _NEWS + 1))
        self.kept[run] = _NEWS
        victim.start()

    def cost(self, seconds: float = 20.0) -> dict[str, float]:
        """Of one agent, without its cells."""
        self.settle()
        agent = psutil.Process(next(iter(self.cluster.hosts.values())).pid)
        before = sum(agent.cpu_times()[:2])
        time.sleep(seconds)
        memory = agent.memory_full_info()
        spent = sum(agent.cpu_times()[:2]) - before
        return {"agent_rss_mb": memory.rss / 1e6, "agent_pss_mb": memory.pss / 1e6, "agent_core_share": spent / seconds}

    def news(self) -> dict[str, int]:
        """What became of all that was kept."""
        wanted = sum(self.kept.values())
        _until(lambda: len({one for one in self.heard if one[0] in self.kept}) == wanted, "news", fails=False)
        ours = [one for one in self.heard if one[0] in self.kept]
        order = sum([number for of, number in ours if of == run] != sorted(number for of, number in ours if of == run) for run in self.kept)
        return {"told": wanted, "lost": wanted - len(set(ours)), "doubled": len(ours) - len(set(ours)), "out_of_order": order}

    def end(self) -> None:
        self._running.end()
        for host in self.cluster.hosts.values():
            host.stop()
        self.cluster.broker.stop()
        for camera in self.cameras:
            camera.end()


def _until(holds: Callable[[], bool], what: str, *, fails: bool = True) -> None:
    end = time.monotonic() + _PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            if fails:
                raise TimeoutError(f"{what} not within {_PATIENCE_S:g} s")
            return
        time.sleep(0.02)


def _spread(found: list[float]) -> dict[str, float]:
    seconds = sorted(round(one, 2) for one in found)
    return {"p50": statistics.median(seconds), "p95": seconds[min(len(seconds) - 1, int(0.95 * len(seconds)))], "most": seconds[-1]}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--cameras", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="cluster-") as folder:
        trial = Trial(Path(folder), options.cameras, options.seed)
        try:
            for number in range(options.kills):
                trial.kill(number)
                print(f"{number + 1}/{options.kills}: {trial.seconds[-1]:.1f} s", flush=True)
            report = {
                "kills": len(trial.seconds),
                "live_elsewhere_s": _spread(trial.seconds),
                "of_it_s": {part: _spread(found) for part, found in trial.parts.items()},
                "cameras_looked_at_by_two": sum(camera.most > 1 for camera in trial.cameras),
                **trial.news(),
                **trial.cost(),
                "load": os.getloadavg()[0],
            }
        finally:
            trial.end()
    print(json.dumps(report))


if __name__ == "__main__":
    main()
