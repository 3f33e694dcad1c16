"""The same situations by a pair of sockets and by the broker, side by side: how much later the control room has them.

    python -m benchmarks.delays [--events 200] [--seed 1]

A situation is written to two cells' channels at the same time (which one first is drawn): to one that the control room reads itself, and to
one of a host, an agent in a process of its own with its journal on the disk, a real broker with TLS between. Noted is when the control
room's link gives each; from there on the way to the alert is the same. Prints one JSON object, in milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.peers.nats import SITE, NatsServer

from blickschutz.guard.service import Guard
from blickschutz.hosts.io.broker import Address, Broker
from blickschutz.hosts.io.bundles import Bundles, Presence
from blickschutz.hosts.io.host_end import HostEnd
from blickschutz.hosts.io.journal import FileJournal
from blickschutz.hosts.io.lines import SocketLink
from blickschutz.hosts.io.room_link import RoomLink
from blickschutz.hosts.io.sessions import PRESENT_S, Sessions
from blickschutz.hosts.model import Place
from blickschutz.kernel.clock import SystemClock
from blickschutz.pipeline.channel import greeting
from blickschutz.pipeline.messages import Heard, SituationTold
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.wire.frames import pack

_HOST, _CAMERA, _RUN = "north", "gate", "5" * 32
_PLACE = Place(SITE, _HOST, _CAMERA)
_PATIENCE_S = 30.0


async def host(folder: Path, address: Address, line: socket.socket) -> None:
    """The agent's part of one cell, until it is ended."""
    broker, clock = Broker(SITE, _HOST), SystemClock()
    await broker.connect(address)
    reader, writer = await asyncio.open_connection(sock=line, limit=2**20)
    ours, journal = greeting(SITE, _CAMERA, _RUN), FileJournal(folder / "gate.journal")
    bundles = Bundles(broker)
    end = HostEnd(broker, _PLACE, SocketLink(reader, writer, ours), journal, ours, Guard(clock), clock, lambda: 1, bundles)
    end.begin()
    await end.start()
    await Presence(broker, {_CAMERA: end}).start()
    Guard(clock).task("bundles", bundles.keep)
    print("ready", flush=True)
    await asyncio.Event().wait()


def _spawned(folder: Path, server: NatsServer, line: socket.socket) -> subprocess.Popen[str]:
    address = server.address(_HOST)
    words = [address.url, address.name, str(address.authority), str(address.certificate), str(address.key)]
    command = [sys.executable, "-m", "benchmarks.delays", "--host", str(folder), str(line.fileno()), *words]
    return subprocess.Popen(command, pass_fds=(line.fileno(),), stdout=subprocess.PIPE, text=True)


class Trial:
    """Both ways, and when each gave what."""

    def __init__(self, own: SocketLink, link: RoomLink, cells: tuple[socket.socket, socket.socket]) -> None:
        self._links, self._cells = {"socket": own, "broker": link}, dict(zip(("socket", "broker"), cells, strict=True))
        self.heard: dict[str, dict[int, float]] = {"socket": {}, "broker": {}}
        self._came = asyncio.Condition()

    async def listen(self, way: str) -> None:
        link = self._links[way]
        while (message := await link.receive()) is not None:
            if isinstance(message, SituationTold):
                self.heard[way][message.situation.number] = time.monotonic() - message.situation.at
                link.send(Heard(message.number))
                async with self._came:
                    self._came.notify_all()

    async def tell(self, number: int, first: str) -> None:
        """One situation to both; returns once both gave it."""
        for way in sorted(self._cells, key=lambda one: one != first):
            at = time.monotonic()
            told = SituationTold(Situation(number, Kind.PERSON_DOWN, "z", at, time.time(), 0.9), number=number)
            self._cells[way].sendall(pack(told))
        async with asyncio.timeout(_PATIENCE_S), self._came:
            await self._came.wait_for(lambda: all(number in heard for heard in self.heard.values()))


async def measured(folder: Path, server: NatsServer, events: int, chance: random.Random) -> dict[str, object]:
    room, guard = Broker(SITE, "control-room"), Guard(SystemClock())
    await room.connect(server.address())
    sessions = Sessions(room)
    await sessions.listen()
    guard.task("present", sessions.present, every_s=PRESENT_S)
    await room.make_streams()
    await room.make_order_consumer(_HOST)
    (near, own), (far, hosts) = socket.socketpair(), socket.socketpair()
    agent = await asyncio.to_thread(_spawned, folder, server, hosts)
    try:
        assert agent.stdout is not None  # it is a pipe
        await asyncio.to_thread(agent.stdout.readline)
        link = RoomLink(room, sessions, _PLACE, guard)
        await link.open(greeting(SITE, _CAMERA))
        trial = Trial(SocketLink(*await asyncio.open_connection(sock=own), greeting(SITE, _CAMERA, _RUN)), link, (near, far))
        listening = [asyncio.create_task(trial.listen(way)) for way in trial.heard]
        for number in range(1, events + 1):
            await asyncio.sleep(chance.uniform(0.05, 0.6))
            await trial.tell(number, chance.choice(sorted(trial.heard)))
        for one in listening:
            one.cancel()
        await link.close()
        return figures(trial.heard)
    finally:
        agent.kill()
        agent.wait(10)
        await room.close()


def figures(heard: dict[str, dict[int, float]]) -> dict[str, object]:
    found: dict[str, object] = {"events": len(heard["broker"])}
    later = {number: at - heard["socket"][number] for number, at in heard["broker"].items()}
    for name, delays in (*heard.items(), ("later_by_broker", later)):
        sorted_ms = sorted(1000 * one for one in delays.values())
        found[name] = {
            "p50": round(statistics.median(sorted_ms), 1),
            "p95": round(sorted_ms[min(len(sorted_ms) - 1, int(0.95 * len(sorted_ms)))], 1),
            "most": round(sorted_ms[-1], 1),
        }
    return found


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--host", nargs=7, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.host:
        folder, line, url, name, *files = options.host
        address = Address(url, name, *(Path(one) for one in files))
        asyncio.run(host(Path(folder), address, socket.socket(fileno=int(line))))
        return
    with tempfile.TemporaryDirectory(prefix="delays-") as base, contextlib.ExitStack() as open_:
        server = NatsServer(Path(base))
        server.start()
        open_.callback(server.stop)
        found = asyncio.run(measured(Path(base), server, options.events, random.Random(options.seed)))
    print(json.dumps({**found, "load": round(os.getloadavg()[0], 1)}))


if __name__ == "__main__":
    main()
