"""Hosts beside cameras, all in one process, whose cells are none: agents, leases, journals and links are real, pictures are not.

As a program it takes a broker's address and folders of enrolled hosts: `python -m tests.fakes.many_hosts URL FOLDER...`.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import time
import uuid
from pathlib import Path

from blickschutz.bootstrap.cellhost import load_join
from blickschutz.guard.model import WorkKind, WorkState
from blickschutz.guard.service import Guard
from blickschutz.hosts.io import agent, host_end
from blickschutz.hosts.io.agent import Agent
from blickschutz.hosts.io.broker import Address, Broker
from blickschutz.hosts.rules.lease import Capacity
from blickschutz.ingest.model import SessionState
from blickschutz.kernel.clock import SystemClock
from blickschutz.pipeline import channel
from blickschutz.pipeline.messages import AskClock, ClockTold, Configure, Health, Stop

BEAT_S = 1.0
# As many as a real cell names with each heartbeat: most of its size.
_THREADS = ("reader", "writer", "session", "muxer", "lease", "ring", "recorder", "moments", "redacted", "decoders")


class FakeHostedCell:
    """To an agent what `HostedCell` is: it beats once a second while the host has a lease and the control room has configured it."""

    def __init__(self, camera: str) -> None:
        self.camera, self.token, self.run, self.problem, self.over = camera, 0, "", "", lambda: None
        self._settings, self._stopped, self._frames = False, False, 0
        self._told: asyncio.Queue = asyncio.Queue()

    @property
    def life(self) -> str:
        return self.run

    def lease(self, token: int, until: float) -> None:
        del until
        if token != self.token:
            self.token, self.run = token, uuid.uuid4().hex if token else ""

    def kill(self) -> None: ...

    async def gone(self) -> None: ...

    def send(self, message) -> None:
        if isinstance(message, Configure):
            self._settings = True
        elif isinstance(message, Stop):
            self._stopped = message.on
        elif isinstance(message, AskClock):
            now = time.monotonic()
            self._told.put_nowait(ClockTold(message.number, now, now, time.time()))

    def told_under(self) -> int:
        return self.token

    async def receive(self):
        return await self._told.get()

    async def keep(self) -> None:
        await asyncio.sleep(random.random() * BEAT_S)
        while True:
            if self.token and self._settings:
                self._frames += 10
                self._told.put_nowait(self._health())
            await asyncio.sleep(BEAT_S)

    def _health(self) -> Health:
        state = SessionState.STOPPED if self._stopped else SessionState.LIVE
        work = tuple(WorkState(name, WorkKind.THREAD, True, 0, 0) for name in _THREADS)
        facts = {"width": 1280, "height": 720, "fps": 10.0, "frames": self._frames, "pss_mb": 90.0, "cpu_s": self._frames / 50}
        return Health(session=state, stopped=self._stopped, doubt=None, picture_at=time.monotonic(), work=work, **facts)


def _on_another_machine() -> None:
    """Their clock has another name than the control room's: it is asked about, as between two machines."""
    for module in (channel, agent, host_end):
        module.clock_name = lambda: "another machine"


async def _run(url: str, folders: list[Path]) -> None:
    _on_another_machine()
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, ended.set)
    clock, runs = SystemClock(), []
    for folder in folders:
        join = load_join(folder / "join.toml")
        (folder / "journals").mkdir(exist_ok=True)
        cells = {line: FakeHostedCell(line) for line in (folder / "cameras").read_text().split()}
        address = Address(url, join.broker_name, folder / join.authority, folder / join.certificate, folder / join.key)
        capacity = Capacity(cores=64.0, memory_mb=64_000.0, cameras=tuple(cells))
        made = Agent(Broker(join.installation, join.host), address, capacity, cells, folder / "journals", Guard(clock), clock)
        runs.append(loop.create_task(made.run(ended)))
        await asyncio.sleep(0.02)  # not all at once at the broker
    await asyncio.gather(*runs)


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], [Path(one) for one in sys.argv[2:]]))
