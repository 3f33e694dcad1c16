"""A cell that outlives its control room: what it keeps, whom it lets in, how the next one goes on with it, and when it ends."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from blickschutz import __version__
from blickschutz.audit.model import Event
from blickschutz.cli.place import wait_for_cells
from blickschutz.control.io.doors import DoorFolder, near
from blickschutz.control.model import CameraFound, CellFound, CellResumed, SituationSeen
from blickschutz.control.ports import FoundCell
from blickschutz.control.service.supervisor import Supervisor
from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.guard.service import Guard
from blickschutz.ingest.model import Found, SourceKind, SourceSettings
from blickschutz.installation.model import FolderError
from blickschutz.kernel.clock import SystemClock
from blickschutz.pipeline import channel
from blickschutz.pipeline.cell import Cell
from blickschutz.pipeline.channel import CellEnd, read_from_cell, say_first
from blickschutz.pipeline.door import ALONE_S, Challenge, Claim, Door, decoder, digest_of, message, proof_of
from blickschutz.pipeline.messages import (
    CellSettings,
    ClipTold,
    EpisodeTold,
    FoundTold,
    Fragment,
    Heard,
    Quit,
    Record,
    Resumed,
    SituationTold,
    TakenOver,
    Watch,
)
from blickschutz.pipeline.news import Untold
from blickschutz.recording.io.clipfile import ClipReader
from blickschutz.recording.model import ClipEvent, ClipMode, ClipNews, ClipState, CloseReason, Order, RecordingSettings
from blickschutz.recording.rules import TICKS
from blickschutz.regime.model import RegimeName
from blickschutz.review.model import CaseState
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.situations.settings import SituationSettings
from blickschutz.vault import service
from blickschutz.wire.frames import LENGTH, pack, unpack
from blickschutz.wire.greeting import opening_decoder
from blickschutz.zones.profiles import doors_of
from tests.fakes.cells import EndedProcess
from tests.fakes.clock import ManualClock
from tests.fakes.detectors import BlindDetector
from tests.fakes.register import certified_sealing
from tests.house import CAMERA, House
from tests.videos import write_scene

SECRET = b"s" * 64
CELL = CellSettings(camera="gate", source=SourceSettings(SourceKind.FILE, "x"), recording=RecordingSettings(before_s=30))


def situation(number=1, ended=None):
    return Situation(number, Kind.PERSON_DOWN, "all", 50.0, 1.7e9, 0.8, {}, None, ended)


def clip(name="a" * 32, event=ClipEvent.OPENED, **more):
    return ClipTold(ClipNews(event=event, clip=name, mode=ClipMode.SEALED, cause="manual", orders=(1,), opened=1.0, **more))


def found(active=True, name="1f", at=5.0):
    """What a camera says it found itself."""
    return FoundTold(Found(name, Kind.CAMERA_TAMPERED, active, "Eingang"), at, 1_700_000_000.0 + at)


def episode():
    return EpisodeTold(Kind.FAST_MOVEMENT, "all", 1.0, 2.0, 0.5, 0.6)


class TestUntold:
    def test_what_was_confirmed_is_not_told_again(self):
        untold = Untold()
        numbers = [untold.add(news, alone=False).number for news in (SituationTold(situation()), episode(), clip())]
        assert numbers == [1, 2, 3]
        untold.heard(2)
        assert [type(news) for news in untold.again()] == [ClipTold]
        untold.heard(1)
        assert [news.number for news in untold.again()] == [3]

    def test_what_began_and_ended_unheard_is_told_as_over(self):
        untold = Untold()
        untold.add(SituationTold(situation(1)), alone=False)
        untold.add(SituationTold(situation(2)), alone=True)
        untold.add(SituationTold(situation(1, 60.0)), alone=True)
        untold.add(SituationTold(situation(2, 60.0)), alone=True)
        untold.add(SituationTold(situation(3)), alone=True)
        told = [(news.situation.number, news.over) for news in untold.again()]
        assert told == [(1, False), (2, True), (1, False), (2, False), (3, False)]
        # From here on somebody hears it: what is told now is no news of the time alone.
        untold.add(SituationTold(situation(3, 60.0)), alone=True)
        assert [news.over for news in untold.again() if news.situation.number == 3] == [False, False]

    def test_what_a_camera_found_is_kept_like_what_the_cell_found(self):
        untold = Untold()
        assert [untold.add(one, alone=True).number for one in (found(), found(name="2a"), found(active=False))] == [1, 2, 3]
        assert [(one.found.id, one.found.active, one.over) for one in untold.again()] == [
            ("1f", True, True),
            ("2a", True, False),
            ("1f", False, False),
        ]
        untold.heard(3)
        assert list(untold.again()) == []
        crowded = Untold(most=2)
        for one in (episode(), found(), clip("b" * 32), clip("c" * 32)):
            crowded.add(one, alone=True)
        assert [type(one) for one in crowded.again()] == [ClipTold, ClipTold]

    def test_episodes_go_first_then_situations_and_clips_never(self):
        untold = Untold(most=3)
        for news in (clip("a" * 32), SituationTold(situation()), episode(), clip("b" * 32), clip("c" * 32), clip("d" * 32)):
            untold.add(news, alone=True)
        assert [news.news.clip[0] for news in untold.again()] == ["a", "b", "c", "d"]
        assert untold.dropped == 2


class TestDigest:
    def test_thresholds_are_none_of_it_and_all_else_is(self):
        assert digest_of(CELL) == digest_of(with_situations(thresholds={Kind.PERSON_DOWN: 0.7}))
        assert digest_of(CELL) != digest_of(with_situations(release_s=4.0))

    def test_whole_numbers_are_what_the_cell_takes_them_for(self):
        told = unpack(pack(CELL)[4:], channel.msgspec.msgpack.Decoder(CellSettings))
        assert digest_of(told) == digest_of(CELL)


def with_situations(**changed):
    return channel.msgspec.structs.replace(CELL, situations=SituationSettings(**changed))


# From a process without threads: of one that has some, a fork may hold for ever what a thread held.
CLEAN = multiprocessing.get_context("forkserver")
CLEAN.set_forkserver_preload([__name__])


class LivingCell:
    """A process that is as a cell without a camera: it loses its control room at once, with something to tell."""

    def __init__(self, doors, run="1" * 32, cell=CELL, news=(), alone_s=20.0, deaf=False):
        self.run, (listener, settings) = run, doors.make(run)
        ready, told = CLEAN.Pipe(duplex=False)
        self._process = CLEAN.Process(target=self._live, args=(listener, settings, cell, news, alone_s, told, deaf))
        self._process.start()
        listener.close()
        told.close()
        assert ready.poll(60), "it does not begin"
        assert ready.recv() == "ready"
        ready.close()
        self.pid = self._process.pid

    @staticmethod
    def _live(listener, settings, cell, news, alone_s, told, deaf):
        channel.ALONE_S = alone_s
        door, ended = Door(listener, settings, cell), threading.Event()
        if deaf:
            told.send("ready")
            time.sleep(60)
        ours, theirs = socket.socketpair()

        def on_message(message):
            if isinstance(message, TakenOver):
                end.send(Resumed((7,), ("a" * 32,)))
            elif isinstance(message, Quit):
                ended.set()

        end = CellEnd(theirs, on_message, ended.set, Guard(SystemClock()), door)
        end.start()
        ours.close()
        while not end.alone:
            time.sleep(0.005)
        for one in news:
            end.send(one)
        told.send("ready")
        ended.wait(60)
        end.close()

    def has_ended(self, within_s=10.0):
        self._process.join(within_s)
        return self._process.exitcode is not None

    def bury(self):
        self._process.kill()
        self._process.join()
        self._process.close()


@pytest.fixture
def doors(tmp_path):
    # Deeper than the address of a local socket may be long.
    folder = tmp_path.joinpath(*["a folder with a long name"] * 5, "cells")
    folder.parent.mkdir(parents=True)
    return DoorFolder(folder, lambda: "rathaus", lambda run: SECRET + run.encode())


@pytest.fixture
def living(doors):
    made = []

    def make(**more):
        made.append(LivingCell(doors, **more))
        return made[-1]

    yield make
    for one in made:
        one.bury()


async def told_by(found, most=20):
    """What a cell tells up to `Resumed`."""
    heard = []
    async with asyncio.timeout(10):
        while len(heard) < most:
            heard.append(await read_from_cell(found.reader))
            if heard[-1] is None or isinstance(heard[-1], Resumed):
                return heard
    return heard


async def let_go(found):
    found.writer.close()
    await found.writer.wait_closed()


def say(found, *messages):
    for one in messages:
        found.writer.write(pack(one))


class TestDoors:
    def test_the_next_control_room_is_told_what_the_last_one_did_not_confirm(self, doors, living):
        news = (SituationTold(situation()), clip(), found(), episode(), Fragment(1, True, 0.0, 0.0, b"picture"))
        cell = living(news=news)

        async def first():
            (found,) = await doors.find()
            assert (found.camera, found.run, found.version, found.settings) == ("gate", cell.run, __version__, digest_of(CELL))
            assert found.process.pid == cell.pid
            say(found, TakenOver())
            told = await told_by(found)
            assert [(type(one), getattr(one, "number", None)) for one in told] == [
                (SituationTold, 1),
                (ClipTold, 2),
                (FoundTold, 3),
                (EpisodeTold, 4),
                (Resumed, None),
            ]
            say(found, Heard(2))
            # It answers nothing to that; a busy machine needs a moment.
            await asyncio.sleep(0.8)
            await let_go(found)

        async def second():
            (found,) = await doors.find()
            say(found, TakenOver())
            assert [getattr(one, "number", None) for one in await told_by(found)] == [3, 4, None]
            say(found, Quit())
            assert await told_by(found) == [None]
            await let_go(found)

        asyncio.run(first())
        asyncio.run(second())
        assert cell.has_ended()

    def test_nobody_comes_and_it_ends_after_its_time(self, living):
        began = time.monotonic()
        cell = living(alone_s=1.0)
        assert cell.has_ended()
        assert 0.9 <= time.monotonic() - began < 20

    def test_a_control_room_that_dies_while_it_starts_prolongs_nothing(self, doors, living):
        cell, began = living(alone_s=2.0), time.monotonic()

        async def start_and_die():
            (found,) = await doors.find()
            await asyncio.sleep(0.7)
            await let_go(found)

        for _ in range(2):
            asyncio.run(start_and_die())
        assert cell.has_ended()
        assert time.monotonic() - began < 20

    @pytest.mark.parametrize("lie", ["another secret", "another life", "nothing", "nonsense", "an old answer"])
    def test_who_cannot_prove_it_is_told_nothing_and_keeps_nobody_out(self, doors, living, lie):
        cell = living(news=(SituationTold(situation()),))
        with near(doors._path(cell.run)) as path, socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(path)
            stranger.settimeout(10)
            challenge = unpack(message(stranger, 4096), decoder)
            assert isinstance(challenge, Challenge)
            if lie == "nonsense":
                stranger.sendall(pack(Watch(True)))
            elif lie != "nothing":
                secret = b"x" if lie == "another secret" else SECRET + cell.run.encode()
                settings = doors._settings("2" * 32 if lie == "another life" else cell.run, secret)
                asked = b"o" * 32 if lie == "an old answer" else challenge.nonce
                proof = proof_of(settings, "control-room", asked, b"n" * 32)
                stranger.sendall(pack(Claim(b"n" * 32, proof)))
            assert stranger.recv(100) == b""

        async def real():
            (found,) = await doors.find()
            say(found, TakenOver())
            assert isinstance((await told_by(found))[0], SituationTold)
            say(found, Quit())
            assert await told_by(found) == [None]
            await let_go(found)

        asyncio.run(real())
        assert cell.has_ended()

    @pytest.mark.parametrize("how", ["another installation", "without its key", "deaf"])
    def test_what_cannot_prove_itself_in_a_cells_place_is_ended(self, doors, living, how, monkeypatch):
        cell = living(deaf=how == "deaf")
        monkeypatch.setattr("blickschutz.control.io.doors._PATIENCE_S", 0.5)
        if how == "another installation":
            doors._secret = lambda run: b"another" * 9
        elif how == "without its key":
            doors._secret = lambda run: None
        assert asyncio.run(doors.find()) == []
        assert cell.has_ended()
        assert list(doors._folder.iterdir()) == []

    def test_a_door_of_nobody_is_removed_and_without_a_key_there_is_none(self, doors):
        listener, settings = doors.make("3" * 32)
        assert doors._path("3" * 32).stat().st_mode & 0o777 == 0o700
        assert settings.secret == SECRET + b"3" * 32
        listener.close()
        assert asyncio.run(doors.find()) == []
        assert list(doors._folder.iterdir()) == []
        doors._secret = lambda run: None
        assert doors.make("4" * 32) is None
        doors._secret, doors._folder = lambda run: SECRET, doors._folder / "nowhere" / "at all"
        assert doors.make("4" * 32) is None
        assert asyncio.run(doors.find()) == []

    def test_what_does_not_end_when_it_is_told_is_killed(self, doors, living, monkeypatch):
        monkeypatch.setattr("blickschutz.control.io.doors._QUIT_S", 0.3)
        cell = living()

        async def end():
            (found,) = await doors.find()
            os.kill(cell.pid, 19)
            await doors.end(found)

        asyncio.run(end())
        assert cell.has_ended()
        assert list(doors._folder.iterdir()) == []


def test_the_socket_of_the_door_comes_with_the_first_message(doors):
    ours, theirs = socket.socketpair()
    listener, settings = doors.make("5" * 32)
    own = channel.greeting("installation", "gate", "5" * 32)
    ours.sendall(say_first(ours, own, channel.First(CELL, settings, listener)))
    first = channel.first_to_cell(theirs)
    assert (first.settings, first.door) == (CELL, settings)
    assert first.listener.getsockname() == listener.getsockname()
    assert greetings(ours) == [own], "the cell says whose it is, as it was told"
    ours.sendall(say_first(ours, own, channel.First(CELL)))
    assert channel.first_to_cell(theirs) == channel.First(CELL)
    theirs.close()
    assert say_first(ours, own, channel.First(CELL, settings, listener)), "nobody is there, which is no error of its own"
    for one in (ours, listener, first.listener):
        one.close()


def greetings(line):
    """What was said there until now, by whoever greets."""
    line.setblocking(False)
    found, data = [], line.recv(65536)
    line.setblocking(True)
    while data:
        (length,) = LENGTH.unpack(data[: LENGTH.size])
        found.append(opening_decoder.decode(data[LENGTH.size : LENGTH.size + length]))
        data = data[LENGTH.size + length :]
    return found


@pytest.fixture
def alone(doors, tmp_path, monkeypatch, request):
    """A cell on a drawn scene that records, and has just lost its control room; its clip's key is known."""
    key = service.new_key()
    monkeypatch.setattr("blickschutz.recording.io.job.new_key", lambda: key)
    monkeypatch.setattr(channel, "ALONE_S", request.param)
    write_scene(tmp_path / "scene.mp4", DrawnScene(96, 64, 2), 300)
    source = SourceSettings(SourceKind.FILE, str(tmp_path / "scene.mp4"))
    settings = CellSettings(camera="gate", source=source, recording=RecordingSettings(before_s=1, after_s=0.2, reserve_mb=0))
    listener, told = doors.make("6" * 32)
    ours, theirs = socket.socketpair()
    cell = Cell(theirs, SystemClock(), BlindDetector(), door=Door(listener, told, settings))
    running = threading.Thread(target=cell.run, args=(settings,), daemon=True)
    running.start()
    folder = tmp_path / "clips"
    sealing = certified_sealing(folder)
    ours.sendall(pack(Record(Order(number=1, mode=ClipMode.SEALED, cause="x", sealing=sealing, situation=5))))
    ours.settimeout(20)
    while not isinstance(news := channel.unpack_from_cell(message(ours, channel.MOST_BYTES)), ClipTold):
        pass
    ours.close()
    yield SimpleNamespace(cell=cell, running=running, path=folder / f"{news.news.clip}.clip", key=key, began=time.monotonic())
    running.join(10)
    listener.close()
    assert not running.is_alive()


def read_clip(one):
    reader = ClipReader(one.path, one.key)
    pictures = [pts / TICKS for gop in reader for pts in gop.pts]
    reader.close()
    return reader, max(pictures) - min(pictures)


@pytest.mark.parametrize("alone", [1.5], indirect=True)
def test_nobody_comes_and_the_recording_is_closed_in_order_with_its_true_length(alone):
    alone.running.join(15)
    lasted = time.monotonic() - alone.began
    reader, length = read_clip(alone)
    assert (reader.state, reader.closing.reason) == (ClipState.WHOLE, CloseReason.STOPPED)
    assert 1.0 < length < lasted + 1.5


@pytest.mark.parametrize("alone", [30.0], indirect=True)
def test_a_situation_that_ends_meanwhile_ends_its_recording(alone):
    while not alone.cell._channel.alone:
        time.sleep(0.01)
    ended = [situation(5, 60.0)]
    alone.cell._situations.take = lambda scene: [ended.pop()] if ended else []
    end = time.monotonic() + 15
    while alone.cell._recorder.in_hand != ((), ()):
        assert time.monotonic() < end
        time.sleep(0.02)
    alone.cell._end()
    alone.running.join(10)
    reader, _ = read_clip(alone)
    assert (reader.state, reader.closing.reason) == (ClipState.WHOLE, CloseReason.OVER)
    told = alone.cell._channel._news.again()
    assert [type(one) for one in told if not isinstance(one, EpisodeTold)] == [ClipTold, SituationTold, ClipTold]


class FakeDoors:
    """Finds what it was given; the other end of each is in the hands of the test."""

    def __init__(self):
        self.lines, self.opened, self.gone, self.ended, self.cells = {}, [], [], [], []

    async def give(self, camera, **more):
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        known = {"run": f"run-{camera}", "version": __version__, "settings": digest_of(CELL), **more}
        self.cells.append(FoundCell(camera, process=EndedProcess(), reader=reader, writer=writer, **known))
        theirs.settimeout(10)
        self.lines[camera] = theirs
        self.opened += [theirs, writer]

    def make(self, run):
        del run

    def remove(self, run):
        self.gone.append(run)

    async def find(self):
        return self.cells

    async def end(self, cell):
        self.ended.append(cell.camera)


def supervised(scenario, given=(("gate", {}),), **more):
    """Run `scenario(supervisor, doors, launched)` over cells that were found."""

    async def whole():
        doors, launched, guard = FakeDoors(), [], Guard(SystemClock())
        for camera, facts in given:
            await doors.give(camera, **facts)

        def launch(connection, name):
            connection.close()
            launched.append(name)
            return EndedProcess()

        supervisor = Supervisor({"gate": CELL}, SystemClock(), launch, doors=doors, **more)
        found = await supervisor.find()
        told = SimpleNamespace(lived_on=[], resumed=[], ready=[], lost=[], news=[], situations=[])
        for name, heard in vars(told).items():
            getattr(supervisor.keepers["gate"], name).listen(heard.append)
        supervisor.start(guard)
        try:
            await scenario(supervisor, doors, launched, told, found)
        finally:
            for line in doors.opened[::2]:
                line.close()
            await supervisor.end()
            await guard.finish()
            for one in doors.opened:
                one.close()
            await asyncio.sleep(0.01)

    asyncio.run(whole())


def heard_at(line):
    return unpack(message(line, channel.MOST_BYTES), channel._to_cell)


async def until(holds):
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


class TestKeeping:
    def test_a_cell_that_is_as_ordered_goes_on_under_its_name(self):
        async def scenario(supervisor, doors, launched, told, found):
            assert found == [CellFound("gate", "run-gate")]
            line, keeper = doors.lines["gate"], supervisor.keepers["gate"]
            assert isinstance(await asyncio.to_thread(heard_at, line), TakenOver)
            assert (await asyncio.to_thread(heard_at, line)).thresholds == {}
            line.sendall(pack(SituationTold(situation(), number=4)) + pack(Resumed((7,), ("a" * 32,))))
            await until(lambda: told.resumed)
            assert told.lived_on == [CellFound("gate", "run-gate")]
            assert told.situations == [SituationSeen("gate", "run-gate", situation())]
            assert told.resumed == [CellResumed("gate", frozenset({7}), frozenset({"a" * 32}))]
            keeper.heard(told.news[0])
            assert await asyncio.to_thread(heard_at, line) == Heard(4)
            assert (launched, told.ready, told.lost, keeper.restarts) == ([], [], [], 0)
            line.close()
            await until(lambda: launched)
            assert told.lost[0] == "gate"
            assert doors.gone[0] == "run-gate"

        supervised(scenario)

    @pytest.mark.parametrize("why", ["version", "settings"])
    def test_another_version_or_other_settings_end_it_in_order_and_start_it_anew(self, why):
        async def scenario(supervisor, doors, launched, told, found):
            line = doors.lines["gate"]
            assert isinstance(await asyncio.to_thread(heard_at, line), Quit)
            assert launched == [], "one cell for a camera"
            line.sendall(pack(clip(event=ClipEvent.CLOSED)))
            line.close()
            await until(lambda: launched)
            assert told.lost[0] == "gate"
            assert "run-gate" in doors.gone

        supervised(scenario, [("gate", {why: "another"})])

    def test_one_whose_camera_was_stopped_meanwhile_is_ended(self):
        async def scenario():
            doors = FakeDoors()
            await doors.give("gate")
            supervisor, guard = Supervisor({"gate": CELL}, SystemClock(), lambda *_: EndedProcess(), doors=doors), Guard(SystemClock())
            await supervisor.find()
            supervisor.keepers["gate"].stop(True)
            supervisor.start(guard)
            assert isinstance(await asyncio.to_thread(heard_at, doors.lines["gate"]), Quit)
            doors.lines["gate"].close()
            await supervisor.end()
            await guard.finish()
            await asyncio.sleep(0.01)

        asyncio.run(scenario())

    def test_a_camera_that_is_none_any_more_and_a_second_cell_are_ended_before_anything_else(self):
        async def scenario(supervisor, doors, launched, told, found):
            assert doors.ended == ["door", "gate"]
            assert [one.run for one in found] == ["run-gate"]

        supervised(scenario, [("door", {}), ("gate", {}), ("gate", {"run": "second"})])

    def test_a_site_that_is_only_prepared_keeps_none(self):
        async def scenario(supervisor, doors, launched, told, found):
            assert doors.ended == ["gate"]
            assert (found, launched) == ([], [])

        supervised(scenario, preparing=True)


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.close()


def restarted(house):
    """The control room is lost and starts again; the cell lives on."""
    house.close()
    house.start()
    house.records.keeping.begin(frozenset({CAMERA}))


class TestRecords:
    def test_a_clip_that_a_living_cell_writes_is_not_closed_and_one_that_it_does_not_is(self, house):
        house.enrol()
        house.clip("a" * 32, close=False)
        house.clip("b" * 32, close=False)
        restarted(house)
        store = house.records.office.cases.store
        assert {store.by_clip(name * 32).state for name in "ab"} == {CaseState.RECORDING}
        house.records.intake.resumed(CellResumed(CAMERA, frozenset(), frozenset({"a" * 32})))
        house.work()
        assert store.by_clip("a" * 32).state is CaseState.RECORDING
        assert (store.by_clip("b" * 32).state, store.by_clip("b" * 32).close_reason) == (CaseState.WAITING, "cut")

    def test_a_file_of_a_living_cell_waits_for_its_news(self, house):
        house.enrol()
        house.clip("a" * 32, close=False, row=False)
        begun = house.records.archive.shelf.folder / f"{'b' * 32}.clip"
        begun.write_bytes(b"")
        restarted(house)
        assert begun.exists()
        assert house.records.office.cases.store.by_clip("a" * 32) is None
        house.again()
        assert not begun.exists()
        assert house.records.office.cases.store.by_clip("a" * 32).state is CaseState.QUARANTINED

    def test_an_order_that_it_has_is_not_given_twice_and_one_that_it_has_not_is_given(self, house):
        house.enrol()
        has, ended, lacks = house.order(), house.order(), house.order()
        house.records.orders.store.over(ended)
        restarted(house)
        house.cell.orders.clear()
        house.cell.ended.clear()
        house.records.intake.resumed(CellResumed(CAMERA, frozenset({has, ended}), frozenset()))
        house.work()
        assert [order.number for order in house.cell.orders] == [lacks]
        assert house.cell.ended == [ended]

    def test_the_end_of_a_situation_ends_the_order_that_the_last_control_room_gave(self, house):
        house.enrol()
        house.regime.set_override(RegimeName.NIGHT, house.regime.now().replace(year=2100), "a", "test")
        house.routing.seen(SituationSeen(CAMERA, "run", house.situation()))
        house.work()
        (order,) = house.cell.orders
        assert order.situation == 3
        restarted(house)
        house.regime.set_override(RegimeName.NIGHT, house.regime.now().replace(year=2100), "a", "test")
        house.routing.lived_on(CellFound(CAMERA, "run"))
        # Told again: it was not confirmed.
        house.routing.seen(SituationSeen(CAMERA, "run", house.situation()))
        house.routing.seen(SituationSeen(CAMERA, "run", house.situation(house.clock.monotonic())))
        house.work()
        assert [one.number for one in house.cell.orders] == [order.number]
        assert house.cell.ended == [order.number]
        assert len(house.events(Event.RECORDING_ORDERED)) == 1

    def test_what_was_over_before_anybody_heard_of_it_is_an_alert_and_no_recording(self, house):
        house.enrol()
        house.regime.set_override(RegimeName.NIGHT, house.regime.now().replace(year=2100), "a", "test")
        house.routing.seen(SituationSeen(CAMERA, "run", house.situation(), over=True))
        house.routing.seen(SituationSeen(CAMERA, "run", house.situation(house.clock.monotonic())))
        house.work()
        assert house.cell.orders == []
        (alert,) = house.desk.open_alerts()
        assert alert.ended is not None
        # And told once more it is still one.
        house.routing.seen(SituationSeen(CAMERA, "run", house.situation(), over=True))
        house.work()
        assert len(house.desk.open_alerts()) == 1

    def test_what_a_camera_found_alone_is_one_alert_with_its_time_however_often_it_is_told(self, house):
        at, taken = house.clock.monotonic() - 60.0, house.clock.now() - 60.0
        tampered = CameraFound(CAMERA, Found("1f", Kind.CAMERA_TAMPERED, True, "Eingang"), at, taken, over=True)
        over = replace(tampered, found=replace(tampered.found, active=False), at=at + 20.0, taken=taken + 20.0, over=False)
        for _ in range(2):
            house.routing.found(tampered)
            house.routing.found(over)
            house.work()
        (alert,) = house.desk.open_alerts()
        assert (alert.taken, alert.kind, alert.ended is not None) == (taken, Kind.CAMERA_TAMPERED, True)
        # The same name at another time is another one.
        house.routing.found(replace(tampered, at=at + 30.0, taken=taken + 30.0, over=False))
        house.work()
        assert len(house.desk.open_alerts()) == 2

    def test_alerts_of_a_cell_that_lives_on_are_not_over(self, house):
        goes, ends = (house.desk.take(CAMERA, house.situation(), notify=True, run=run).id for run in ("living", "dead"))
        house.desk.begin(["living"])
        assert (house.desk.store.get(goes).ended, house.desk.store.get(ends).ended is None) == (None, False)


class TestCommands:
    """What needs the installation to itself waits for cells that outlived their control room."""

    @pytest.fixture
    def door(self, tmp_path):
        folder = doors_of(tmp_path)
        folder.mkdir()
        (folder / "of-before.sock").touch()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener, near(folder / "alive.sock") as address:
            listener.bind(address)
            listener.listen(300)
            yield listener

    def test_they_wait_until_the_last_one_has_closed(self, tmp_path, door, capsys):
        class Clock(ManualClock):
            def sleep(self, seconds):
                super().sleep(seconds)
                if len(self.slept) == 3:
                    door.close()

        clock = Clock()
        wait_for_cells(tmp_path, "de", clock)
        assert len(clock.slept) == 3
        assert capsys.readouterr().err.count("1 Kameras nehmen noch auf") == 1

    def test_one_that_stays_is_named_with_what_to_do(self, tmp_path, door):
        clock = ManualClock()
        with pytest.raises(FolderError, match="blickschutz run"):
            wait_for_cells(tmp_path, "en", clock)
        assert ALONE_S < sum(clock.slept) < ALONE_S + 30

    def test_without_any_nobody_waits(self, tmp_path):
        clock = ManualClock()
        wait_for_cells(tmp_path, "en", clock)
        assert clock.slept == []
