"""The keeper of a camera on another host: from host to host, news once, times of a clock that is not ours. No broker."""

from __future__ import annotations

import asyncio
import time
from datetime import time as time_of_day

import pytest

from blickschutz.control.model import NewsTold
from blickschutz.control.service.host_keeper import HostKeeper
from blickschutz.control.service.keeper import HEARTBEAT_S
from blickschutz.control.service.standing import Standing
from blickschutz.guard.service import Guard
from blickschutz.hosts.model import Placed, Told
from blickschutz.ingest.model import SessionState, SourceKind, SourceSettings
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import DeviceError
from blickschutz.pipeline.channel import greeting
from blickschutz.pipeline.messages import (
    AskClock,
    CellSettings,
    ClockTold,
    Configure,
    Health,
    SetStanding,
    SetThresholds,
    SituationTold,
    Stop,
    Watch,
)
from blickschutz.pipeline.times import CellTimes
from blickschutz.recording.model import Keep
from blickschutz.regime.model import Action, Mode, Policy, RegimeHours, RegimeName, Service
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.wall.model import TileState
from blickschutz.wire.greeting import Greeting, clock_name

CAMERA = CellSettings(camera="gate", source=SourceSettings(SourceKind.RTSP, "rtsp://wache:geheim@10.0.0.1/live"))
# How far the other machine's monotonic and wall clocks are ahead of ours.
AHEAD, WALL_AHEAD = 5000.0, 3600.0


class FakeLink:
    """One session; a cell that answers questions for its clock after `deaf` of them."""

    def __init__(self, hosts, host, clock, intake, deaf=0):
        self.hosts, self.host, self.intake = hosts, host, intake
        self.theirs = Greeting(first=1, last=1, clock=clock)
        self.problem, self.is_open, self.said, self.confirmed = "", True, [], []
        self._heard, self._names, self._deaf = asyncio.Queue(), {}, deaf

    def send(self, message):
        self.said.append(message)
        if isinstance(message, AskClock):
            self._deaf -= 1
            if self._deaf < 0:
                now = time.monotonic() + (AHEAD if self.theirs.clock != clock_name() else 0.0)
                self._heard.put_nowait(ClockTold(message.number, now, now, time.time() + WALL_AHEAD))

    def health(self):
        self._heard.put_nowait(Health(session=SessionState.LIVE, stopped=False, doubt=None))

    def tell(self, run, number, news, clock=None):
        for one in self.intake.take(Told(run, number, number - 1, 0, b"")):
            link_number = len(self._names) + 1
            self._names[link_number] = (one.run, one.number, self.theirs.clock if clock is None else clock)
            self._heard.put_nowait(SituationTold(news, number=link_number))

    async def receive(self):
        return await self._heard.get()

    def name_of(self, number):
        return self._names[number]

    def confirm(self, run, number):
        self.confirmed.append((run, number))

    def end(self):
        self.is_open, self.problem = False, "cut"
        self._heard.put_nowait(None)

    def give_up(self, problem):
        self.is_open, self.problem = False, problem
        self._heard.put_nowait(None)

    async def close(self):
        self.is_open = False
        self._heard.put_nowait(None)


class FakeHosts:
    def __init__(self, clock="", deaf=0):
        self.problem, self.where, self.left, self.links = "", None, [], []
        self._clock, self._deaf, self._change = clock or clock_name(), deaf, asyncio.Event()
        self.away = set()

    def placed(self, camera):
        return self.where

    def untold(self, camera):
        return self.left

    def times(self, host, theirs):
        return CellTimes(greeting(), theirs)

    async def something_left(self, camera):
        while not self.left:
            await asyncio.sleep(0.01)

    async def changed(self):
        await self._change.wait()

    def put(self, host, token=1):
        self.where = Placed(host, token)
        change, self._change = self._change, asyncio.Event()
        change.set()

    async def open(self, camera, placed, intake):
        if placed.host in self.away:
            raise DeviceError(f"the host {placed.host} does not answer")
        self.links.append(FakeLink(self, placed.host, self._clock, intake, self._deaf))
        return self.links[-1]


def situation(number, at, taken=None):
    return Situation(number, Kind.PERSON_DOWN, "z", at, time.time() if taken is None else taken, 0.9)


async def until(holds, within_s=20.0):
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.01)


@pytest.fixture
def plays():
    def play(scenario, hosts):
        async def whole():
            keeper, guard, seen = HostKeeper(CAMERA, SystemClock(), hosts), Guard(SystemClock()), []
            keeper.situations.listen(seen.append)
            keeper.start(guard)
            try:
                await scenario(keeper, seen)
            finally:
                await keeper.end()
                await guard.finish()

        asyncio.run(whole())

    return play


class TestLinks:
    def test_each_link_is_told_what_is_wanted_and_nothing_secret(self, plays):
        hosts = FakeHosts()

        async def scenario(keeper, seen):
            keeper.stop(True)
            keeper.set_thresholds({Kind.LOITERING: 0.7})
            hosts.put("north")
            await until(lambda: hosts.links)
            first = hosts.links[0]
            await until(lambda: len(first.said) >= 4)
            kinds = [type(one) for one in first.said]
            assert kinds[:4] == [Configure, SetThresholds, Stop, Watch]
            assert first.said[0].settings.source.address == "rtsp://10.0.0.1"
            assert (first.said[2].on, first.said[3].on) == (True, False)
            keeper.stop(False)
            hosts.put("south", 2)
            first.health()
            await until(lambda: len(hosts.links) == 2)
            assert hosts.links[1].host == "south"
            await until(lambda: len(hosts.links[1].said) >= 4)
            assert hosts.links[1].said[2] == Stop(False)
            assert not first.is_open

        plays(scenario, hosts)

    def test_a_camera_that_another_host_has_now_is_followed_though_the_dead_one_says_nothing(self, plays):
        hosts = FakeHosts()

        async def scenario(keeper, seen):
            hosts.put("north")
            await until(lambda: hosts.links)
            hosts.links[0].health()
            await until(lambda: keeper.state is TileState.STARTING)
            began = time.monotonic()
            hosts.where = None
            hosts.put("south", 2)
            await until(lambda: len(hosts.links) == 2)
            assert time.monotonic() - began < HEARTBEAT_S - 2, "nobody waited for a heartbeat of the dead one"
            assert not hosts.links[0].is_open

        plays(scenario, hosts)

    def test_what_is_away_is_named(self, plays):
        hosts = FakeHosts()
        hosts.away.add("north")

        async def scenario(keeper, seen):
            hosts.put("north")
            await until(lambda: keeper.cause)
            assert (keeper.cause, keeper.state) == ("host-away", TileState.LOST)
            assert "north does not answer" in keeper.problem
            hosts.where = None
            await until(lambda: keeper.cause == "host-none")
            hosts.problem = "the broker is gone"
            assert keeper.cause == "broker-away"
            hosts.problem = ""
            hosts.put("south")
            await until(lambda: hosts.links)
            hosts.links[0].health()
            await until(lambda: keeper.cause == "")
            assert keeper.host == "south"

        plays(scenario, hosts)


class TestNews:
    def test_what_an_earlier_link_took_in_is_not_told_again_and_confirmed_by_the_next(self, plays):
        hosts = FakeHosts()

        async def scenario(keeper, seen):
            hosts.put("north")
            await until(lambda: hosts.links)
            first, told = hosts.links[0], []
            keeper.news.listen(told.append)
            first.health()
            for number in (1, 2, 3):
                first.tell("run-a", number, situation(number, time.monotonic()))
            await until(lambda: len(seen) == 3)
            assert told == [NewsTold("gate", "run-a", number) for number in (1, 2, 3)]
            keeper.heard(told[0])
            assert first.confirmed == [("run-a", 1)]
            first.end()
            await until(lambda: len(hosts.links) == 2)
            second = hosts.links[1]
            for number in (2, 3, 4):
                second.tell("run-a", number, situation(number, time.monotonic()))
            await until(lambda: len(seen) == 4)
            assert [one.situation.number for one in seen] == [1, 2, 3, 4]
            keeper.heard(told[2])
            assert second.confirmed == [("run-a", 3)], "in rows since, by way of the link that there is"

        plays(scenario, hosts)

    def test_what_a_link_took_in_and_nobody_received_comes_by_the_next_one(self, plays):
        """Its camera went to another host in that moment: the link before took it in, so no later one does."""
        hosts = FakeHosts()

        async def scenario(keeper, seen):
            hosts.put("north")
            await until(lambda: hosts.links)
            first = hosts.links[0]
            hosts.put("south", 2)
            for number in (1, 2, 3):
                first.tell("run-a", number, situation(number, time.monotonic()))
            await until(lambda: len(hosts.links) == 2)
            assert len(seen) < 3, "the last of them lie in a link that is over"
            hosts.left = [Placed("north", 0)]
            await until(lambda: len(hosts.links) == 3)
            for number in (1, 2, 3, 4):
                hosts.links[2].tell("run-a", number, situation(number, time.monotonic()))
            await until(lambda: len(seen) == 4)
            assert [one.situation.number for one in seen] == [1, 2, 3, 4]

        plays(scenario, hosts)

    def test_what_a_listener_could_not_take_is_told_again_before_what_is_behind_it(self, plays):
        """A database that is away for a moment."""
        hosts = FakeHosts()

        async def scenario(keeper, seen):
            told, fails = [], [True]
            keeper.news.listen(told.append)

            def busy(_):
                if fails.pop() if fails else False:
                    raise OSError("the disk is full")

            keeper.situations.listen(busy)
            hosts.put("north")
            await until(lambda: hosts.links)
            for number in (1, 2):
                hosts.links[0].tell("run-a", number, situation(number, time.monotonic()))
            await until(lambda: len(told) == 2 or (len(hosts.links) > 1 and hosts.links[-1].health() is None and len(told) == 2))
            assert [one.number for one in told] == [1, 2], "nothing is confirmed over one that is not in rows"

        plays(scenario, hosts)

    def test_what_a_former_host_has_to_tell_is_asked_for(self, plays):
        hosts = FakeHosts()

        async def scenario(keeper, seen):
            hosts.left = [Placed("south", 0)]
            hosts.put("north")
            await until(lambda: any(link.host == "south" for link in hosts.links))
            south = next(link for link in hosts.links if link.host == "south")
            south.tell("run-s", 1, situation(1, time.monotonic()))
            await until(lambda: seen)
            assert seen[0].run == "run-s"
            keeper.heard(NewsTold("gate", "run-s", 1))
            assert ("run-s", 1) in south.confirmed
            assert Configure not in {type(one) for one in south.said}, "it is not told to film"
            hosts.left = []
            await until(lambda: not south.is_open)
            assert keeper.host == "north"

        plays(scenario, hosts)


def standing(timezone):
    service = Service(RegimeHours(time_of_day(7), time_of_day(19)), dict.fromkeys(RegimeName, Policy(Action.RECORD, Mode.SEALED)))
    keep = Keep(regular_s=1.0, hard_s=1.0, zone=timezone)
    return SetStanding(service=service, timezone=timezone, holidays="", place=None, override=None, sealing=None, keep=keep)


class TestStanding:
    """What a host is to do while it is cut off."""

    def test_it_is_told_when_a_link_opens_and_when_it_is_another_one(self, plays):
        hosts, first, second = FakeHosts(), standing("UTC"), standing("Europe/Berlin")

        async def scenario(keeper, seen):
            asked = [first]
            keeper.standing = lambda: asked[0]
            hosts.put("north")
            told = Standing(lambda: asked[0], {CAMERA.camera: keeper}, SystemClock())
            await until(lambda: hosts.links and first in hosts.links[0].said)
            link = hosts.links[0]
            told.look()
            keeper.stand(standing("UTC"))
            asked[0] = second
            told.look()
            assert second not in link.said, "it is asked every half minute"
            told._next = 0.0
            told.look()
            await until(lambda: second in link.said)
            assert [one for one in link.said if isinstance(one, SetStanding)] == [first, second]
            link.end()
            await until(lambda: len(hosts.links) == 2 and second in hosts.links[1].said)

        plays(scenario, hosts)


class TestClocks:
    def test_news_of_another_clock_wait_until_that_is_measured(self, plays):
        hosts = FakeHosts(clock="another machine", deaf=3)

        async def scenario(keeper, seen):
            hosts.put("north")
            await until(lambda: hosts.links)
            link, began = hosts.links[0], time.monotonic()
            link.tell("run-a", 1, situation(1, began + AHEAD))
            link.health()
            await until(lambda: sum(isinstance(one, AskClock) for one in link.said) >= 1)
            assert seen == [], "nothing is known of its clock yet"

            async def beat():
                while not seen:
                    link.health()
                    await asyncio.sleep(0.05)

            await asyncio.wait_for(beat(), 20)
            assert seen[0].situation.at == pytest.approx(began, abs=0.5)
            assert seen[0].situation.taken == pytest.approx(time.time() - (time.monotonic() - began), abs=0.5)

        plays(scenario, hosts)

    def test_news_from_before_that_machine_was_started_anew_are_dated_by_its_wall_clock(self, plays):
        hosts = FakeHosts()

        async def scenario(keeper, seen):
            hosts.put("north")
            await until(lambda: hosts.links)
            link, now = hosts.links[0], time.time()
            link.tell("run-a", 1, situation(1, 1e9, taken=now - 60), clock="the boot before")
            link.tell("run-a", 2, situation(2, 1e9, taken=now + 9000), clock="the boot before")
            link.health()
            await until(lambda: len(seen) == 2)
            assert [one.over for one in seen] == [True, True]
            assert seen[0].situation.at == pytest.approx(time.monotonic() - 60, abs=2.0)
            assert seen[1].situation.at == pytest.approx(time.monotonic(), abs=2.0), "never later than now"

        plays(scenario, hosts)
