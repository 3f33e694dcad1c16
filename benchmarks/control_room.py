"""What many cameras cost the control room itself: a whole one, with cells that only greet and beat.

    python -m benchmarks.control_room [--cells 200] [--seconds 60]

The cells are none (`tests/fakes/many_cells.py`, in a process of their own): what is measured is the control room's process alone,
its databases, watches and pages included, with nobody signed in. Printed: how long all took to begin, the share of a core (must be
at most 8 %), and how late the event loop was (99 of 100, and at most; must be at most 10 ms).
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import tempfile
import time
from pathlib import Path

from tests.fakes.many_cells import ManyCells
from tests.live.system import free_port

from blickschutz.bootstrap.system import System
from blickschutz.config.loader import load_site
from blickschutz.config.model import SiteFile
from blickschutz.control.service.launching import LAUNCHER
from blickschutz.kernel.clock import SystemClock

SITE = Path(__file__).resolve().parent.parent / "examples/rathaus-kaiserslautern.toml"
_MUST_SHARE, _MUST_LAG_MS = 0.08, 10.0
_SETTLE_S, _LOOK_S, _PATIENCE_S = 15.0, 0.2, 300.0


def site_of(count: int) -> SiteFile:
    """The example with so many cameras."""
    site = load_site(SITE)
    cameras = tuple(
        site.cameras[n % len(site.cameras)].model_copy(
            update={"id": f"kamera-{n}", "name": f"Kamera {n}", "address": f"rtsp://192.0.2.{n % 250 + 1}/{n}"}
        )
        for n in range(count)
    )
    return site.model_copy(update={"cameras": cameras, "server": site.server.model_copy(update={"port": free_port()})})


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measured(system: System, seconds: float) -> None:
    serving, began = asyncio.create_task(system.serve()), time.monotonic()
    keepers = system.supervisor.keepers.values()
    try:
        for _ in range(round(_PATIENCE_S / _LOOK_S)):
            if all(keeper.health is not None for keeper in keepers) or serving.done():
                break
            await asyncio.sleep(_LOOK_S)
        there = sum(keeper.health is not None for keeper in keepers)
        print(f"{there} of {len(keepers)} cells after {time.monotonic() - began:.1f} s")
        await asyncio.sleep(_SETTLE_S)
        used, at = cpu_s(), time.monotonic()
        await asyncio.sleep(seconds)
        share, lag = (cpu_s() - used) / (time.monotonic() - at), system.lag.state()
        print(f"share of a core {100 * share:.1f} % (must be at most {100 * _MUST_SHARE:.0f} %)")
        print(
            f"event loop late by {1000 * lag.p99_s:.1f} ms (99 of 100), {1000 * lag.max_s:.1f} ms at most; must be at most {_MUST_LAG_MS:g}"
        )
    finally:
        system.end()
        await serving


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir(mode=0o700)
        cells = ManyCells()
        try:
            asyncio.run(measured(System(site_of(options.cells), SITE.parent, SystemClock(), cells.launch, data=data), options.seconds))
        finally:
            cells.end()
            LAUNCHER.end()


if __name__ == "__main__":
    main()
