"""One contract, two ways to carry it: the same cell's end over a pair of sockets, and over a real broker. docs/design/cell-contract.md."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading

import msgspec
import pytest
from nats.aio.client import Client

from blickschutz.guard.service import Guard
from blickschutz.hosts.io.broker import Broker
from blickschutz.hosts.io.bundles import Bundles, Presence
from blickschutz.hosts.io.host_end import HostEnd, HostOrders
from blickschutz.hosts.io.journal import FileJournal
from blickschutz.hosts.io.lines import SocketLink
from blickschutz.hosts.io.room_link import RoomLink
from blickschutz.hosts.io.sessions import PRESENT_S, Sessions
from blickschutz.hosts.model import HostNews, Place
from blickschutz.hosts.rules import delivery, subjects
from blickschutz.hosts.rules.intake import Intake
from blickschutz.ingest.model import SessionState, SourceKind, SourceSettings
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import DeviceError
from blickschutz.pipeline.channel import CellEnd, greeting
from blickschutz.pipeline.credentials import joined, parted
from blickschutz.pipeline.door import Challenge, Claim, Door, Introduction, decoder, message, nonce, proof_of
from blickschutz.pipeline.messages import (
    AskClock,
    CellSettings,
    ClipTold,
    ClockTold,
    Configure,
    DoorSettings,
    EndOrder,
    EpisodeTold,
    Fragment,
    FromCell,
    Head,
    Health,
    Heard,
    Moment,
    Record,
    Resumed,
    SetThresholds,
    SituationTold,
    Snapshot,
    Stop,
    TakenOver,
    TakeSnapshot,
    ToCell,
    Watch,
)
from blickschutz.pipeline.times import CellTimes
from blickschutz.recording.model import ClipEvent, ClipMode, ClipNews, Order, Sealing
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.wire.frames import pack, unpack
from blickschutz.wire.greeting import Greeting, RefusalCause, RefusedError
from tests.peers.authority import ThrowAway
from tests.peers.nats import SITE, NatsServer

CAMERA = CellSettings(camera="gate", source=SourceSettings(SourceKind.FILE, "x"))
PLACE = Place(SITE, "north", "gate")
RUN = "5" * 32
HEALTH = Health(session=SessionState.LIVE, stopped=False, doubt=None, frames=7)


def situation(number=1, over=False):
    return SituationTold(Situation(number, Kind.PERSON_DOWN, "z", 5.0, 1.7e9, 0.9), over)


def episode(peak=0.5):
    return EpisodeTold(Kind.LOITERING, "z", 1.7e9, 3.0, peak, 0.5)


def clip(name="c-1"):
    return ClipTold(ClipNews(event=ClipEvent.OPENED, clip=name, mode=ClipMode.SEALED, cause="x", orders=(1,), opened=1.7e9))


def order(number):
    return Record(Order(number=number, mode=ClipMode.SEALED, cause="x", sealing=Sealing(SITE, "/clips", ())))


class CellSide:
    """A real cell's end of the channel with its door, without a camera behind it."""

    def __init__(self, folder) -> None:
        self.line, theirs = socket.socketpair()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.door, self.path = DoorSettings(SITE, RUN, b"secret of this life"), str(folder / "d.sock")
        listener.bind(self.path)
        self.heard, self.came, self.guard = [], threading.Condition(), Guard(SystemClock())
        self.end = CellEnd(theirs, self._hear, lambda: None, self.guard, Door(listener, self.door, CAMERA))
        self._listener = listener
        self.end.start()

    def _hear(self, told) -> None:
        with self.came:
            self.heard.append(told)
            self.came.notify_all()

    def hears(self, true, seconds=8.0):
        """Wait until what was heard is as it should be."""
        with self.came:
            assert self.came.wait_for(lambda: true([one for one in self.heard if one != Watch(False)]), seconds), self.heard

    def again(self):
        """Another control room finds the cell by its door."""
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(5)
        line.connect(self.path)
        challenge, own = unpack(message(line, 4096), decoder), nonce()
        assert isinstance(challenge, Challenge)
        line.sendall(pack(Claim(own, proof_of(self.door, "control-room", challenge.nonce, own))))
        assert isinstance(unpack(message(line, 4096), decoder), Introduction)
        return line

    def close(self):
        self.line.close()
        self.end.close(0.5)
        self._listener.close()
        assert self.guard.end(5.0) == ()


async def line_of(sock):
    reader, writer = await asyncio.open_connection(sock=sock, limit=2**20)
    return SocketLink(reader, writer, greeting(SITE, "gate", RUN))


class Sockets:
    """The embedded default."""

    def __init__(self, cell, folder, server) -> None:
        self._cell, self._line = cell, cell.line

    async def open(self, **more):
        self._link = await line_of(self._line)
        return self._link

    async def lose(self, link):
        await link.close()
        await asyncio.to_thread(self._cell.hears, lambda heard: self._cell.end.alone)
        self._line = await asyncio.to_thread(self._cell.again)

    async def close(self):
        await self._link.close()


class ByBroker:
    """A host's agent beside the cell, a broker, and the control room's end."""

    def __init__(self, cell, folder, server, host="north", token=1) -> None:
        self.server, self.guard, self.host = server, Guard(SystemClock()), host
        self.journal = FileJournal(folder / "gate.journal")
        self.ours = greeting(SITE, "gate", RUN)
        self._cell, self.token = cell, token
        self.room, self.agent = Broker(SITE, "control-room"), Broker(SITE, host)
        self.sessions = Sessions(self.room)
        self.place = Place(SITE, host, "gate")
        self._host = None

    async def begin(self):
        await self.room.connect(self.server.address())
        await self.sessions.listen()
        self.guard.task("present", self.sessions.present, every_s=PRESENT_S)
        await self.agent.connect(self.server.address(self.host))
        await self.room.make_streams()
        await self.room.make_order_consumer(self.host)
        self.line = await line_of(self._cell.line)
        bundles, told = Bundles(self.agent), (self.guard, SystemClock(), lambda: self.token)
        self._host = HostEnd(self.agent, self.place, self.line, self.journal, self.ours, *told, bundles)
        self._host.begin()
        await self._host.start()
        self.orders = HostOrders(self.agent, self.host, {"gate": self._host})
        self.guard.task("host-orders", self.orders.run)
        self.guard.task("host-bundles", bundles.keep)
        await Presence(self.agent, {"gate": self._host}).start()

    async def open(self, ours=None, **more):
        if self._host is None:
            await self.begin()
        link = RoomLink(self.room, self.sessions, self.place, self.guard, **more)
        await link.open(ours or greeting(SITE, "gate"))
        return link

    async def lose(self, link):
        await link.close()

    async def close(self):
        if self._host is not None:
            await self._host.close()
            await self.line.close()
        await self.guard.finish()
        await self.agent.close()
        await self.room.close()
        self.journal.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = NatsServer(tmp_path_factory.mktemp("nats"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def fresh(tmp_path):
    """A broker of the test's own, which it may kill."""
    (tmp_path / "nats").mkdir()
    server = NatsServer(tmp_path / "nats")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def played(tmp_path, request):
    """`played(scenario)` runs it with (way, cell) over the way that the test was given."""

    def play(scenario, way, server):
        cell = CellSide(tmp_path)

        async def whole():
            carried = way(cell, tmp_path, server)
            try:
                async with asyncio.timeout(60):
                    await scenario(carried, cell)
            finally:
                await carried.close()

        try:
            asyncio.run(whole())
        finally:
            cell.close()

    return play


@pytest.fixture(params=["sockets", pytest.param("broker", marks=pytest.mark.peers)])
def plays(request, played):
    """The same contract over both ways."""
    way, server = (Sockets, None) if request.param == "sockets" else (ByBroker, request.getfixturevalue("server"))
    if server is not None:
        empty(server)
    return lambda scenario: played(scenario, way, server)


def empty(server):
    """Nothing of the test before is left."""

    async def purge():
        room = Broker(SITE, "control-room")
        await room.connect(server.address())
        await room.make_streams()
        for stream in ("NEWS_town-hall", "ORDERS_town-hall"):
            with contextlib.suppress(Exception):
                await room.stream.delete_stream(stream)
        with contextlib.suppress(Exception):
            await room.stream.delete_stream("KV_LEASES_town-hall")
        await room.close()

    asyncio.run(purge())


async def receives(link, wanted, most=50):
    """The next messages of these kinds, in order."""
    found = []
    async with asyncio.timeout(15):
        while len(found) < len(wanted) and most:
            one = await link.receive()
            assert one is not None, getattr(link, "problem", "the link is over")
            if type(one) in {type(two) for two in wanted}:
                found.append(one)
                most -= 1
    return found


def plain(one):
    """Without the number of the link."""
    return msgspec.structs.replace(one, number=0) if isinstance(one, SituationTold | EpisodeTold | ClipTold) else one


class TestContract:
    """What whoever keeps a cell relies on, whatever carries it."""

    def test_every_message_of_a_cell_arrives_as_it_was_said(self, plays):
        said = [
            HEALTH,
            Head(1, "avc1", b"init"),
            Fragment(1, True, 5.0, 6.0, bytes(300_000)),
            situation(),
            episode(),
            clip(),
            Snapshot(3, b"jpeg"),
            Moment(4, bytes(1_500_000)),
            Resumed((1,), ("c-1",)),
        ]

        async def scenario(way, cell):
            link = await way.open()
            for one in said:
                cell.end.send(one)
            *others, resumed = said
            found = await receives(link, others)
            assert sorted(map(repr, map(plain, found))) == sorted(map(repr, others))
            # What a cell has in hand is said once what it told before is in rows: else what it did would be ordered again.
            link.send(Heard(3))
            assert await receives(link, [resumed]) == [resumed]
            await link.close()

        plays(scenario)

    def test_what_a_cell_is_told_comes_in_order(self, plays):
        told = [Watch(True), SetThresholds({Kind.LOITERING: 0.7}), Stop(True), Stop(False), TakeSnapshot(1), TakenOver()]

        async def scenario(way, cell):
            link = await way.open()
            for one in told:
                link.send(one)
            await asyncio.to_thread(cell.hears, lambda heard: heard == told)
            await link.close()

        plays(scenario)

    def test_orders_come_once_and_in_order(self, plays):
        async def scenario(way, cell):
            link = await way.open()
            told = [one for number in range(1, 11) for one in (order(number), EndOrder(number))]
            for one in told:
                link.send(one)
            await asyncio.to_thread(cell.hears, lambda heard: len(heard) >= len(told))
            assert [one for one in cell.heard if one != Watch(False)] == told
            await link.close()

        plays(scenario)

    def test_news_are_told_again_until_they_are_confirmed(self, plays):
        async def scenario(way, cell):
            link = await way.open()
            for number in range(1, 6):
                cell.end.send(situation(number))
            first = await receives(link, [situation()] * 5)
            assert [one.situation.number for one in first] == [1, 2, 3, 4, 5]
            link.send(Heard(first[2].number))
            await asyncio.sleep(0.3)
            await way.lose(link)
            link = await way.open()
            link.send(TakenOver())
            cell.end.send(situation(6))
            again = await receives(link, [situation()] * 3)
            assert [one.situation.number for one in again] == [4, 5, 6], "what was confirmed is not told again"
            assert len({one.number for one in again}) == 3
            link.send(Heard(again[-1].number))
            await asyncio.sleep(0.3)
            await way.lose(link)
            link = await way.open()
            link.send(TakenOver())
            cell.end.send(situation(7))
            assert [one.situation.number for one in await receives(link, [situation()])] == [7]
            await link.close()

        plays(scenario)

    def test_the_clock_is_measured(self, plays):
        async def scenario(way, cell):
            link = await way.open()
            clock = SystemClock()
            times = CellTimes(Greeting(first=1, last=1, clock="here"), Greeting(first=1, last=1, clock="there"))
            while (question := times.question(clock.monotonic())) is not None:
                link.send(question)
                (told,) = await receives(link, [ClockTold(0, 0.0, 0.0, 0.0)])
                times.answered(told, clock.monotonic())
            now = clock.monotonic()
            read = times._measured.ours(now, now)  # both ends are on this machine: the truth is known
            assert abs(read.at - now) <= read.error < 0.5
            link.send(AskClock(99))
            await receives(link, [ClockTold(0, 0.0, 0.0, 0.0)])
            await link.close()

        plays(scenario)

    def test_a_viewer_that_cannot_keep_up_holds_no_cell_up_and_loses_no_news(self, plays):
        async def scenario(way, cell):
            link = await way.open()
            for number in range(200):
                cell.end.send(Fragment(1, False, 0.0, 0.0, bytes(200_000)))
                if number % 50 == 0:
                    cell.end.send(situation(number + 1))
            found = await receives(link, [situation()] * 4)
            assert [one.situation.number for one in found] == [1, 51, 101, 151]
            await link.close()

        plays(scenario)


def test_the_table_of_delivery_names_every_message():
    assert set(delivery.TABLE) == {*ToCell.__args__, *FromCell.__args__, *HostNews.__args__}


@pytest.mark.peers
class TestBroker:
    def test_another_contract_or_installation_is_refused_in_words(self, played, server):
        empty(server)

        async def scenario(way, cell):
            await (await way.open()).close()
            for ours, cause in (
                (Greeting(first=7, last=9, program="9.0", installation=SITE), RefusalCause.NEWER),
                (Greeting(first=0, last=0, program="0.1", installation=SITE), RefusalCause.OLDER),
                (greeting("another", "gate"), RefusalCause.INSTALLATION),
            ):
                with pytest.raises(RefusedError, match=r"refused by the other side: .+") as error:
                    await way.open(ours=ours)
                assert error.value.refusal.cause == cause

        played(scenario, ByBroker, server)

    def test_a_control_room_of_the_contract_before_is_spoken_with(self, played, server):
        empty(server)

        async def scenario(way, cell):
            link = await way.open(ours=Greeting(first=2, last=2, program="0.2", installation=SITE))
            assert link.contract == 2
            cell.end.send(HEALTH)
            cell.end.send(situation(1))
            assert list(map(plain, await receives(link, [HEALTH, situation()]))) == [HEALTH, situation(1)]
            await asyncio.sleep(7.0)  # longer than a host waits for a word of whoever watches
            cell.end.send(Head(1, "avc1", b"init"))
            assert await receives(link, [Head(1, "avc1", b"")]) == [Head(1, "avc1", b"init")]
            await link.close()

        played(scenario, ByBroker, server)

    def test_what_is_told_under_an_old_lease_is_a_fact_that_is_over(self, played, server):
        empty(server)

        async def scenario(way, cell):
            link = await way.open(token=7)
            way.token = 6
            for one in (situation(1), episode(), clip()):
                cell.end.send(one)
            found = await receives(link, [situation(), episode(), clip()])
            assert list(map(plain, found)) == [situation(1, over=True), episode(), clip()]
            way.token = 7
            cell.end.send(situation(2))
            assert list(map(plain, await receives(link, [situation()]))) == [situation(2)]
            assert link.late == 3
            await link.close()

        played(scenario, ByBroker, server)

    def test_a_host_that_is_away_is_named(self, server):
        async def scenario():
            room = Broker(SITE, "control-room")
            await room.connect(server.address())
            with pytest.raises(DeviceError, match="host south does not answer"):
                await RoomLink(room, Sessions(room), Place(SITE, "south", "gate"), Guard(SystemClock())).open(greeting(SITE, "gate"))
            await room.close()

        asyncio.run(scenario())

    def test_a_host_may_do_nothing_in_anothers_name(self, server):
        """Publish, listen, read another's orders, answers or leases, make or empty a store: each is refused by the broker."""
        empty(server)
        own, other = subjects.up(PLACE), Place(SITE, "south", "gate")

        async def scenario():
            room, host = Broker(SITE, "control-room"), Broker(SITE, "north")
            await room.connect(server.address())
            await room.make_streams()
            await room.make_order_consumer("south")
            await host.connect(server.address("north"))
            for subject in (own, *(way(other) for way in (subjects.up, subjects.news, subjects.down, subjects.orders, subjects.opens))):
                assert await refused(host, publish=subject) == (subject != own), subject
            for subject in (
                ">",
                "blick.>",
                "_INBOX.>",
                "_INBOX_control-room.>",
                "$JS.>",
                "$SYS.>",
                subjects.up(PLACE),
                subjects.down(other),
            ):
                assert await refused(host, subscribe=subject), subject
            assert not await refused(host, subscribe=subjects.down(PLACE))
            for subject in (
                "$JS.API.STREAM.CREATE.OWN",
                "$JS.API.STREAM.DELETE.NEWS_town-hall",
                "$JS.API.STREAM.PURGE.NEWS_town-hall",
                "$JS.API.STREAM.MSG.GET.NEWS_town-hall",
                "$JS.API.CONSUMER.CREATE.NEWS_town-hall",
                "$JS.API.CONSUMER.MSG.NEXT.ORDERS_town-hall.south",
                "$JS.API.DIRECT.GET.KV_LEASES_town-hall.$KV.LEASES_town-hall.south",
                "$KV.LEASES_town-hall.south",
            ):
                assert await refused(host, publish=subject), subject
            await host.close()
            await room.close()

        asyncio.run(scenario())

    @pytest.mark.parametrize("who", ["stranger", "expired", "another", "unknown"])
    def test_who_cannot_prove_who_it_is_is_not_let_in(self, server, tmp_path, who):
        stranger = ThrowAway(tmp_path)
        address = {
            "stranger": lambda: server.address("north", authority=stranger),
            "expired": lambda: server.address("north", days=-1.0),
            "another": lambda: server.address("north", site="another-site"),
            "unknown": lambda: server.address("east"),
        }[who]()

        async def scenario():
            broker = Broker(SITE, "north")
            with pytest.raises(DeviceError, match=r"the broker at tls://127.+: .*\w"):
                await broker.connect(address)
            assert not broker.client.is_connected

        asyncio.run(scenario())

    def test_who_has_no_certificate_at_all_is_not_let_in(self, server):
        context = ssl.create_default_context(cafile=str(server.authority.file))
        with socket.create_connection(("127.0.0.1", server.port)) as line:
            assert b'"tls_required":true' in line.recv(4096)
            with context.wrap_socket(line, server_hostname="broker.internal") as wrapped, pytest.raises(ssl.SSLError, match="certificate"):
                wrapped.recv(1)


async def refused(broker, publish="", subscribe=""):
    """Whether the broker refuses what is done; it says so, and goes on."""
    said = []
    broker.client._error_cb = lambda error: keep(said, error)
    if publish:
        await broker.client.publish(publish, b"x")
    else:

        async def hear(message):
            said.append(message)

        await broker.client.subscribe(subscribe, cb=hear)
    await broker.client.flush()
    await asyncio.sleep(0.02)
    return any("permissions violation" in str(one).lower() for one in said)


async def keep(said, one):
    said.append(one)


class Rows:
    """What a control room keeps: news in the order in which they came, and up to which number of each run they are there."""

    def __init__(self):
        self.news, self.heard = [], {}

    async def keep_up(self, way, until, restless=0.0):
        """One link after the other, whatever becomes of each; every `restless` seconds one is given up in the middle."""
        while not until(self):
            link = None
            try:
                with contextlib.suppress(DeviceError):
                    await way.room.make_streams()
                    await way.room.make_order_consumer(way.host)
                link = await way.open(intake=Intake(dict(self.heard)))
                async with asyncio.timeout(restless or None):
                    while not until(self) and (one := await link.receive()) is not None:
                        if isinstance(one, SituationTold):
                            self.news.append(one.situation.number)
                            self.heard[RUN] = one.situation.number
                            link.send(Heard(one.number))
            except (DeviceError, TimeoutError):
                await asyncio.sleep(0.1)
            finally:
                if link is not None and hasattr(link, "_work"):
                    await link.close()


async def kills(server):
    for _ in range(2):
        await asyncio.sleep(0.4)
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(0.4)
        await asyncio.to_thread(server.start)


async def cuts(server):
    await asyncio.sleep(0.4)
    server.hold(True)
    await asyncio.sleep(5.0)
    server.hold(False)


async def empties(server):
    await asyncio.sleep(0.5)
    await asyncio.to_thread(server.empty)
    await asyncio.to_thread(server.start)


async def doubles(server):
    """Every message once more, by somebody who may: after the window of the broker the name is not known any more."""
    room = Broker(SITE, "control-room")
    await room.connect(server.address())

    async def again(message):
        with contextlib.suppress(Exception):
            await room.client.publish(subjects.news(PLACE), message.data, headers={"Nats-Msg-Id": str(id(message))})

    with contextlib.suppress(Exception):
        await room.client.subscribe(subjects.news(PLACE), cb=again)
    await asyncio.sleep(3.0)
    await room.close()


@pytest.mark.peers
@pytest.mark.parametrize(
    "happens", [kills, empties, pytest.param(cuts, marks=pytest.mark.long), pytest.param(doubles, marks=pytest.mark.long)]
)
def test_nothing_is_lost_doubled_or_out_of_order(played, fresh, happens):
    many = 200

    async def scenario(way, cell):
        await way.begin()
        rows = Rows()

        async def tell():
            for number in range(1, many + 1):
                cell.end.send(situation(number))
                await asyncio.sleep(0.01)

        async with asyncio.timeout(40):
            await asyncio.gather(
                tell(), happens(fresh), rows.keep_up(way, lambda rows: len(rows.news) >= many, 0.7 if happens is doubles else 0.0)
            )
        assert rows.news == list(range(1, many + 1))
        await asyncio.sleep(0.3)
        left = len(way.journal)
        if left:  # the word of it was lost with a link: the next one says it
            link = await way.open(intake=Intake(dict(rows.heard)))
            await asyncio.sleep(2.0)
            await link.close()
        assert len(way.journal) == 0, "and what was confirmed is forgotten"

    played(scenario, ByBroker, fresh)


@pytest.mark.peers
def test_no_secret_is_in_what_the_broker_hears_or_stores(played, fresh, monkeypatch):
    """Searched in every byte that was published by either side, and in every file of the broker's store."""
    said = []
    publish = Client._send_publish

    async def tapped(self, subject, reply, payload, size, headers):
        said.append(subject.encode() + bytes(payload) + repr(headers).encode())
        await publish(self, subject, reply, payload, size, headers)

    monkeypatch.setattr(Client, "_send_publish", tapped)
    password = b"geheim-4711"
    whole = msgspec.structs.replace(CAMERA, source=SourceSettings(SourceKind.RTSP, f"rtsp://wache:{password.decode()}@10.0.0.1/live"))
    plain, secret = parted(whole)

    async def scenario(way, cell):
        link = await way.open()
        told = [Configure(plain), order(1), TakenOver(), SetThresholds({Kind.LOITERING: 0.5})]
        for one in told:
            link.send(one)
        for one in (situation(), episode(), clip(), HEALTH, Head(1, "avc1", b"init"), Fragment(1, True, 0.0, 0.0, b"redacted")):
            cell.end.send(one)
        await receives(link, [situation(), clip(), Fragment(1, True, 0.0, 0.0, b"")])
        await asyncio.to_thread(cell.hears, lambda heard: len(heard) == len(told))
        assert joined(next(one for one in cell.heard if isinstance(one, Configure)).settings, secret) == whole, "the host has the rest"
        stored = [path.read_bytes() for path in fresh.store.rglob("*") if path.is_file()]
        keys = [path.read_bytes().splitlines()[1] for path in fresh.folder.glob("*.key")]
        assert keys
        everything = b"".join((*said, *stored))
        assert b"redacted" in everything, "it is searched in what was said"
        assert b"person_down" in b"".join(stored), "and in what was stored"
        for needle in (password, b"wache", cell.door.secret, *keys):
            assert needle not in everything
        await link.close()

    played(scenario, ByBroker, fresh)
