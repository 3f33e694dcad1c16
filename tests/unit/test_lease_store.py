"""Leases over a real broker: hosts renew, one dies, the broker dies or is emptied; a clock that runs ten times as fast keeps it short."""

from __future__ import annotations

import asyncio
import time

import pytest

from blickschutz.guard.model import Backoff
from blickschutz.guard.service import Guard
from blickschutz.hosts.io.broker import Broker
from blickschutz.hosts.io.leases import GiverRounds, HostRounds, LeaseStore
from blickschutz.hosts.rules.lease import Capacity, Giver, Holder, Lease
from blickschutz.hosts.rules.placement import Need
from blickschutz.kernel.clock import SystemClock, aging
from blickschutz.kernel.errors import DeviceError
from tests.peers.nats import SITE, NatsServer

pytestmark = pytest.mark.peers
FASTER = 10.0
SOON = Backoff(first_s=0.05, most_s=0.2)
CAMERAS = {f"c{number}": Need(cores=0.5) for number in range(4)}


def clock():
    return aging() * FASTER


@pytest.fixture
def server(tmp_path):
    server = NatsServer(tmp_path)
    server.start()
    yield server
    server.stop()


class Agent:
    """A host with its rounds; `dies` is the end of its process, and its cells film on until their deadline."""

    def __init__(self, server, name, life):
        self.server, self.name, self.guard = server, name, Guard(SystemClock())
        self.broker, self.filmed, self.until, self.task = Broker(SITE, name), {}, 0.0, None
        holder = Holder(f"{name}-{life}", Capacity(cores=4.0, memory_mb=4000.0))
        self.rounds = HostRounds(self.broker, holder, self.films, clock)

    def films(self, cameras, until):
        self.filmed, self.until = dict(cameras), until

    @property
    def filming(self):
        return self.filmed if clock() < self.until else {}

    async def live(self):
        await self.broker.connect(self.server.address(self.name))
        self.task = self.guard.task("lease", self.rounds.round, every_s=0.15, backoff=SOON)

    async def dies(self):
        self.task.end()
        await self.task.finished(1.0)
        await self.broker.close()


class Watched:
    """Looks all the time whether two film the same."""

    def __init__(self, agents):
        self.agents, self.twice = agents, []

    def all(self):
        found = [camera for agent in self.agents for camera in agent.filming]
        self.twice += [camera for camera in found if found.count(camera) > 1]
        return set(found)

    async def until(self, true, seconds=40.0):
        async with asyncio.timeout(seconds):
            while not true(self.all()):
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("trouble", ["none", "killed", "emptied"])
def test_cameras_of_a_dead_host_are_filmed_elsewhere_and_never_twice(server, trouble):
    async def scenario():
        room, remembered = Broker(SITE, "control-room"), []
        await room.connect(server.address())
        rounds = GiverRounds(
            room, Giver(clock()), lambda: ("north", "south"), lambda: CAMERAS, lambda newest, alone: remembered.append(newest), clock
        )
        guard = Guard(SystemClock())
        guard.task("placement", rounds.round, every_s=0.05, backoff=SOON)
        north, south = Agent(server, "north", 1), Agent(server, "south", 1)
        watched = Watched([north, south])
        await north.live()
        await south.live()
        await watched.until(lambda filmed: filmed == set(CAMERAS))
        before = dict(north.filmed)
        assert before
        assert south.filmed, "both carry some"
        if trouble != "none":
            await asyncio.to_thread(server.kill if trouble == "killed" else server.empty)
            await asyncio.sleep(0.2)
            await asyncio.to_thread(server.start)
        await north.dies()
        after = {}

        def elsewhere(filmed):
            after.update(south.filming)
            return set(south.filming) == set(CAMERAS)

        await watched.until(elsewhere)
        moved = {camera: token for camera, token in after.items() if camera in before}
        assert moved.keys() == before.keys()
        assert all(token > before[camera] for camera, token in moved.items())
        second = Agent(server, "north", 2)
        watched.agents.append(second)
        await second.live()
        await asyncio.sleep(0.5)
        watched.all()
        assert watched.twice == []
        assert max(remembered) >= max(after.values()), "each token was kept before it was given"
        await guard.finish()
        for agent in (south, second):
            await agent.dies()
        await room.close()

    asyncio.run(scenario())


def test_what_is_nobodys_any_more_and_what_a_host_has_that_was_shut_out_is_taken_back(server):
    """The broker lets it in still: it is asked, lets go, and only then another one films."""

    async def scenario():
        room, needs, may = Broker(SITE, "control-room"), dict(CAMERAS), {"north", "south"}
        await room.connect(server.address())
        rounds = GiverRounds(
            room, Giver(clock()), lambda: ("north", "south"), lambda: needs, lambda newest, alone: None, clock, may=lambda: may
        )
        guard = Guard(SystemClock())
        guard.task("placement", rounds.round, every_s=0.05, backoff=SOON)
        north, south = Agent(server, "north", 1), Agent(server, "south", 1)
        watched = Watched([north, south])
        await north.live()
        await south.live()
        await watched.until(lambda filmed: filmed == set(CAMERAS))
        del needs["c0"]
        await watched.until(lambda filmed: filmed == set(needs))
        may.discard("north")
        await watched.until(lambda filmed: set(south.filming) == set(needs) and not north.filming)
        assert watched.twice == []
        await guard.finish()
        for agent in (north, south):
            await agent.dies()
        await room.close()

    asyncio.run(scenario())


def test_a_record_is_written_on_the_revision_that_was_seen_or_not_at_all(server):
    async def scenario():
        room, host = Broker(SITE, "control-room"), Broker(SITE, "north")
        await room.connect(server.address())
        await host.connect(server.address("north"))
        store, own = LeaseStore(room), LeaseStore(host)
        await store.make()
        assert await own.read("north") == (None, 0)
        lease = Lease(run="a", grants={"gate": 3})
        first = await own.write("north", lease, 0)
        assert await store.read("north") == (lease, first)
        assert await store.write("north", lease, 0) is None
        second = await store.write("north", lease, first)
        assert second > first
        assert await own.write("north", lease, first) is None
        with pytest.raises(DeviceError, match="south"):
            await own.read("south")
        with pytest.raises(DeviceError, match="south"):
            await own.write("south", lease, 0)
        assert await store.read("south") == (None, 0)
        await host.close()
        await room.close()

    asyncio.run(scenario())


def test_the_clock_of_leases_is_the_one_that_ages_asleep():
    assert abs(aging() - time.clock_gettime(time.CLOCK_BOOTTIME)) < 1.0
