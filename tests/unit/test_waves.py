"""Many cells begin one wave after the other, and a control room keeps more of them than a site had once."""

from __future__ import annotations

import asyncio
import threading

from blickschutz.bootstrap.cells import cell_settings
from blickschutz.config.loader import parse_site
from blickschutz.config.model import SiteFile
from blickschutz.control.service.keeper import CellKeeper
from blickschutz.control.service.supervisor import Supervisor
from blickschutz.guard.service import Guard
from blickschutz.ingest.model import SourceKind, SourceSettings
from blickschutz.kernel.clock import SystemClock
from blickschutz.pipeline.messages import CellSettings
from tests.conftest import ROOT
from tests.fakes.cells import EndedProcess
from tests.fakes.many_cells import FakeCell

SITE = ROOT / "examples/rathaus-kaiserslautern.toml"


class Alive(EndedProcess):
    """A process that lives as long as it is not ended."""

    exitcode = None

    def is_alive(self):
        return False


class Wave:
    """Launches fake cells in this very process, and counts how many of them have begun and have no picture yet."""

    def __init__(self, live_after_s: float) -> None:
        self._after, self._lock = live_after_s, threading.Lock()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.begun: list[str] = []

    def launch(self, connection, name):
        own = connection.dup()
        self.loop.call_soon_threadsafe(self._begin, own, name)
        return Alive()

    def _begin(self, own, name):
        self.begun.append(name)
        task = self.loop.create_task(FakeCell(own, self._after).run())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def settings(name: str) -> CellSettings:
    return CellSettings(camera=name, source=SourceSettings(SourceKind.FILE, "x.mp4"))


def test_no_more_begin_at_once_than_may():
    """The next one begins when one before has a picture, not when its process runs."""

    async def scenario():
        wave, starts, guard = Wave(0.4), asyncio.Semaphore(3), Guard(SystemClock())
        wave.loop = asyncio.get_running_loop()
        keepers = [CellKeeper(settings(f"c{n}"), SystemClock(), wave.launch, starts=starts) for n in range(12)]
        for keeper in keepers:
            keeper.start(guard)
        most = 0
        async with asyncio.timeout(60):
            while any(keeper.health is None or keeper.health.session != "live" for keeper in keepers):
                live = sum(keeper.health is not None and keeper.health.session == "live" for keeper in keepers)
                most = max(most, len(wave.begun) - live)
                await asyncio.sleep(0.01)
        assert sorted(wave.begun) == sorted(keeper.camera for keeper in keepers)
        await asyncio.gather(*(keeper.end() for keeper in keepers))
        await asyncio.gather(*wave.tasks)
        return most

    # One more may be on its way between the picture of one and what is known of it here.
    assert 2 <= asyncio.run(scenario()) <= 4


def test_one_that_never_comes_holds_nobody_up_for_ever(monkeypatch):
    monkeypatch.setattr("blickschutz.control.service.keeper.START_S", 1.0)

    async def scenario():
        wave, starts, guard = Wave(0.0), asyncio.Semaphore(1), Guard(SystemClock())
        wave.loop = asyncio.get_running_loop()

        def launch(connection, name):
            # The first one's process runs and says nothing at all.
            return Alive() if name == "silent" else wave.launch(connection, name)

        keepers = [CellKeeper(settings(name), SystemClock(), launch, starts=starts) for name in ("silent", "well")]
        for keeper in keepers:
            keeper.start(guard)
        async with asyncio.timeout(60):
            while keepers[1].health is None:
                await asyncio.sleep(0.01)
        await asyncio.gather(*(keeper.end() for keeper in keepers))
        await asyncio.gather(*wave.tasks)

    asyncio.run(scenario())


def many(count: int) -> SiteFile:
    site = parse_site(SITE.read_text(encoding="utf-8"), "site.toml", "de")
    more = tuple(
        site.cameras[0].model_copy(update={"id": f"kamera-{n}", "name": f"Kamera {n}", "address": f"rtsp://192.0.2.1/{n}"})
        for n in range(count)
    )
    return SiteFile.model_validate({name: getattr(site, name) for name in SiteFile.model_fields} | {"cameras": more})


def test_a_site_may_have_two_hundred_cameras(tmp_path):
    site = many(200)
    cells = {camera.id: cell_settings(site, camera, tmp_path) for camera in site.cameras}

    async def scenario():
        wave = Wave(0.0)
        wave.loop = asyncio.get_running_loop()
        supervisor = Supervisor(cells, SystemClock(), wave.launch)
        supervisor.start(Guard(SystemClock()))
        async with asyncio.timeout(120):
            while any(keeper.health is None for keeper in supervisor.keepers.values()):
                await asyncio.sleep(0.1)
        await supervisor.end()
        await asyncio.gather(*wave.tasks)
        return len(wave.begun)

    assert asyncio.run(scenario()) == 200
