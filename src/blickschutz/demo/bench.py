"""What cells cost: real cells under the real supervisor, first unwatched, then with a reader of every stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from blickschutz.control.service.keeper import CellKeeper
from blickschutz.control.service.supervisor import Supervisor
from blickschutz.guard.service import Guard
from blickschutz.ingest.model import SourceKind, SourceSettings
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import MediaError
from blickschutz.pipeline.messages import CellSettings, Health
from blickschutz.wall.model import EncoderSettings, StreamFragment, TileState
from blickschutz.wall.service import Viewer

_START_S = 60.0
_SETTLE_S = 4.0
_MEMORY_S = 11.0
_STAGGER_S = 1.3


async def measure_cells(source: Path, cameras: int, seconds: float, width: int, progress: Callable[[int], object]) -> dict[str, float]:
    """Figures as in `blickschutz bench cell`. CPU is that of the cells' processes; latency is capture to reader."""
    settings = {
        f"camera-{n}": CellSettings(
            camera=f"camera-{n}",
            source=SourceSettings(SourceKind.FILE, str(source), start_s=_STAGGER_S * n),
            encoder=EncoderSettings(width=width),
        )
        for n in range(cameras)
    }
    supervisor, guard = Supervisor(settings, SystemClock()), Guard(SystemClock())
    supervisor.start(Guard(SystemClock()))
    keepers = list(supervisor.keepers.values())
    try:
        await _until_live(keepers)
        await asyncio.sleep(_SETTLE_S)
        unwatched = await _phase(keepers, seconds, progress)
        latencies: list[float] = []
        for keeper in keepers:
            guard.once_task("reader", partial(_read, keeper.stream.join(), latencies))
        await asyncio.sleep(_SETTLE_S)
        latencies.clear()
        watched = await _phase(keepers, max(seconds, _MEMORY_S), progress)
        await guard.finish()
        healths = [keeper.health for keeper in keepers if keeper.health is not None]
    finally:
        await supervisor.end()
    return {
        "cameras": cameras,
        "cpu_ms_per_frame": round(unwatched["cpu_ms"], 3),
        "cpu_ms_per_frame_watched": round(watched["cpu_ms"], 3),
        "fps": round(watched["fps"], 2),
        "dropped_share": round(watched["dropped"], 5),
        "rss_mb": round(max(h.rss_mb for h in healths), 1),
        "pss_mb": round(max(h.pss_mb for h in healths), 1),
        "latency_ms_p50": round(1000 * float(np.percentile(latencies, 50)), 1) if latencies else -1.0,
        "latency_ms_p95": round(1000 * float(np.percentile(latencies, 95)), 1) if latencies else -1.0,
        "read_fps": round(len(latencies) / watched["seconds"] / cameras, 2),
    }


async def _until_live(keepers: list[CellKeeper]) -> None:
    end = time.monotonic() + _START_S
    while any(keeper.state is not TileState.LIVE for keeper in keepers):
        if time.monotonic() > end:
            problems = {keeper.camera: keeper.problem or keeper.state.value for keeper in keepers if keeper.state is not TileState.LIVE}
            raise MediaError(f"these cameras did not become live within {_START_S:g} s: {problems}")
        await asyncio.sleep(0.2)


async def _read(viewer: Viewer, latencies: list[float]) -> None:
    while True:
        part = await viewer.next()
        if isinstance(part, StreamFragment):
            latencies.append(time.monotonic() - part.at)


async def _phase(keepers: list[CellKeeper], seconds: float, progress: Callable[[int], object]) -> dict[str, float]:
    """Differences over `seconds`: CPU per frame in ms, frames per second and camera, dropped share."""
    before, start = [_health(keeper) for keeper in keepers], time.monotonic()
    for _ in range(round(seconds)):
        await asyncio.sleep(1)
        progress(1)
    after, spent = [_health(keeper) for keeper in keepers], time.monotonic() - start
    frames = sum(b.frames - a.frames for a, b in zip(before, after, strict=True))
    dropped = sum(b.dropped - a.dropped for a, b in zip(before, after, strict=True))
    cpu = sum(b.cpu_s - a.cpu_s for a, b in zip(before, after, strict=True))
    return {
        "cpu_ms": 1000 * cpu / max(1, frames),
        "fps": frames / spent / len(keepers),
        "dropped": dropped / max(1, frames + dropped),
        "seconds": spent,
    }


def _health(keeper: CellKeeper) -> Health:
    if keeper.health is None:
        raise MediaError(f"the cell {keeper.camera} ended while it was measured: {keeper.problem}")
    return keeper.health
