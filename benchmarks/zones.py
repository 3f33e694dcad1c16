"""What confinement costs a cell: `.venv/bin/python -m benchmarks.zones [--rounds N]`.

Real cells under the real supervisor at their camera's pace, watched, in turn with and without `confine` and memory that is held (where this
user may hold it), each in a process of its own;
CPU of the cell for each frame, and the time from its start to its first frame. The median of the rounds, as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.videos import write_scene

from blickschutz.control.service.supervisor import Supervisor
from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.guard.service import Guard
from blickschutz.ingest.model import SourceKind, SourceSettings
from blickschutz.kernel.clock import SystemClock
from blickschutz.pipeline import cell
from blickschutz.pipeline.messages import CellSettings
from blickschutz.zones import hardening

_SETTLE_S, _MEASURE_S, _LIVE_S = 3.0, 12.0, 60.0


def _open_cell(connection: socket.socket) -> None:
    cell.confine = lambda profile: frozenset()
    hardening._hold = lambda: None
    cell.run_cell(connection)


def _launch(connection: socket.socket, name: str, *, confined: bool) -> BaseProcess:
    target = cell.run_cell if confined else _open_cell
    process = multiprocessing.get_context("forkserver").Process(target=target, args=(connection,), name=name, daemon=True)
    process.start()
    return process


async def _measure(film: Path, *, confined: bool) -> dict[str, float]:
    settings = CellSettings(camera="a", source=SourceSettings(SourceKind.FILE, str(film)), clips=str(film.parent / "clips"))
    multiprocessing.get_context("forkserver").set_forkserver_preload(["blickschutz.pipeline.preload"])
    forkserver.ensure_running()
    await asyncio.sleep(_SETTLE_S)  # it has loaded its libraries
    supervisor = Supervisor({"a": settings}, SystemClock(), lambda connection, name: _launch(connection, name, confined=confined))
    began = time.monotonic()
    supervisor.start(Guard(SystemClock()))
    keeper = supervisor.keepers["a"]
    try:
        async with asyncio.timeout(_LIVE_S):
            while keeper.health is None or keeper.health.picture_at is None:  # noqa: ASYNC110 - the cell is another process
                await asyncio.sleep(0.01)
        started = keeper.health.picture_at - began
        viewer = keeper.stream.join()
        await asyncio.sleep(_SETTLE_S)
        before = keeper.health
        await asyncio.sleep(_MEASURE_S)
        after = keeper.health
        keeper.stream.leave(viewer)
    finally:
        await supervisor.end()
    return {"cpu_ms": 1000 * (after.cpu_s - before.cpu_s) / (after.frames - before.frames), "start_s": started}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", choices=("confined", "open"))
    parser.add_argument("--film", type=Path)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(asyncio.run(_measure(given.film, confined=given.one == "confined"))))
        return
    found: dict[str, list[dict[str, float]]] = {"open": [], "confined": []}
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        write_scene(film, DrawnScene(768, 576, seed=3, empty=30), 120)
        for number in range(given.rounds):
            # Whoever goes second in a round meets warm caches: they take turns.
            for kind in sorted(found, reverse=bool(number % 2)):
                line = [sys.executable, "-m", "benchmarks.zones", "--one", kind, "--film", str(film)]
                done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=180)
                found[kind].append(json.loads(done.stdout.splitlines()[-1]))
    report = {kind: {name: round(statistics.median(one[name] for one in rows), 3) for name in rows[0]} for kind, rows in found.items()}
    print(json.dumps({**report, "rounds": found}))


if __name__ == "__main__":
    main()
