"""A control room in a process of its own, confined as the real one, for tests that kill it: `python -m tests.live.control_room BASE PORT`.

It takes words on its standard input and answers each with a line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from blickschutz.bootstrap.system import Source, System
from blickschutz.bootstrap.zones import confine_control
from blickschutz.config.loader import load_site
from blickschutz.config.model import SiteFile
from blickschutz.kernel.clock import SystemClock
from blickschutz.pipeline.logs import configure_logs
from blickschutz.recording.model import ClipMode
from blickschutz.review.model import CaseState
from blickschutz.zones.hardening import harden

ROOT = Path(__file__).resolve().parents[2]
CAMERA = "vorplatz-nord"


def site_of(base: Path, port: int) -> SiteFile:
    """One camera of the example on a drawn scene in `base`; the root of its register lies beside, once there is one."""
    site = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
    plain = {"address": "file:scene.mp4", "calibration": None, "zones": (), "privacy_zones": ()}
    root = base / "root"
    recording = {"reserve_mb": 50, "after_s": 1, "before_s": 3}
    return site.model_copy(
        update={
            "cameras": (site.cameras[0].model_copy(update={**plain, "id": CAMERA}),),
            "server": site.server.model_copy(update={"port": port}),
            "recording": site.recording.model_copy(update=recording),
            "review": site.review.model_copy(update={"root": root.read_text() if root.exists() else ""}),
        }
    )


class Answers:
    """What it is asked, and what it says."""

    def __init__(self, system: System) -> None:
        self._system = system

    async def said(self, word: str) -> object:
        if word == "order":
            return await asyncio.to_thread(self._order)
        if word == "over":
            return await asyncio.to_thread(self._system.records.orders.end_order, CAMERA, 1)
        if word == "stop":
            return await asyncio.to_thread(self._system.records.stops.stop, CAMERA, "leitstelle-1", "Versammlung")
        if word == "end":
            self._system.end()
            return None
        return await asyncio.to_thread(self._state)

    def _order(self) -> object:
        orders = self._system.records.orders
        number = orders.order(CAMERA, ClipMode.SEALED, "manual", "leitstelle-1", reason="Lärm")
        return {"number": number, "problem": orders.problem}

    def _state(self) -> object:
        keeper, records = self._system.supervisor.keepers[CAMERA], self._system.records
        health, process = keeper.health, keeper.process
        cases = records.office.cases.store.find(states=list(CaseState), most=100)
        return {
            "pid": process.pid if process is not None else None,
            "lives": health is not None and health.picture_at is not None,
            "recording": health.recording if health is not None else "",
            "stopped": keeper.stopped,
            "restarts": keeper.restarts,
            "cases": [{"clip": one.clip, "state": one.state, "seconds": one.seconds, "reason": one.close_reason} for one in cases],
            "open": [order.number for order in records.orders.store.open()],
            "told": [entry.event for entry, _ in reversed(records.office.log.find(most=100))],
        }


async def run(system: System) -> None:
    asked, loop = asyncio.Queue[str](), asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), lambda: asked.put_nowait(sys.stdin.readline().strip()))
    serving = asyncio.ensure_future(system.serve())
    answers = Answers(system)
    while not serving.done():
        word = asyncio.ensure_future(asked.get())
        await asyncio.wait({serving, word}, return_when=asyncio.FIRST_COMPLETED)
        if word.done():
            print(json.dumps(await answers.said(word.result())), flush=True)
            if word.result() == "end":
                break
    await serving


def main() -> None:
    base, port = Path(sys.argv[1]), int(sys.argv[2])
    site, data = site_of(base, port), base / "state"
    configure_logs()
    missing = harden() | confine_control(site, base, data, "", shared=True)
    asyncio.run(run(System(site, base, SystemClock(), data=data, source=Source(), walls_missing=missing)))


if __name__ == "__main__":
    main()
