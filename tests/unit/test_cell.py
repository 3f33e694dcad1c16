"""The parts of a camera cell without its process: what comes together, what comes late, what fails."""

from __future__ import annotations

import itertools
import random
import socket
import threading
import time
from pathlib import Path

import msgspec
import pytest

from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.guard.service import Guard
from blickschutz.ingest.model import SessionState, SourceKind, SourceSettings
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import MediaError
from blickschutz.kernel.streams import Packet, Stamp
from blickschutz.pipeline import channel, redacted
from blickschutz.pipeline.cell import Cell
from blickschutz.pipeline.lease import LeaseWatch
from blickschutz.pipeline.messages import CellSettings, ClipTold, FilmUntil, Health, Record, Stop, Watch
from blickschutz.pipeline.moment import Moments
from blickschutz.pipeline.redacted import RedactedRecording
from blickschutz.recording.io.feed import Collected, Piece
from blickschutz.recording.io.recorder import Recorder
from blickschutz.recording.io.ring import Fragment, Head
from blickschutz.recording.model import ClipEvent, ClipMode, CloseReason, Opening, Order, RecordingSettings, Refusal
from blickschutz.vault import service
from blickschutz.wire.frames import LENGTH
from tests.fakes.clock import ManualClock
from tests.fakes.detectors import BlindDetector
from tests.fakes.register import certified_sealing
from tests.videos import write_scene

OPENING = Opening(digest=b"", init=b"init", codec="h264", width=64, height=48, style="mosaic", privacy_zones=(), px_per_metre=None)


def until(true, seconds=45.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.01)


class OneCell:
    """A cell whose main thread is the test's, and whose camera the test plays."""

    def __init__(self, source: Path) -> None:
        self.ours, self._theirs = socket.socketpair()
        settings = SourceSettings(SourceKind.FILE, str(source), realtime=False)
        self.cell = Cell(self._theirs, SystemClock(), BlindDetector())
        self.cell._prepare(CellSettings(camera="a", source=settings, recording=RecordingSettings(before_s=30, reserve_mb=0)))
        self.cell._channel.start()

    def plays(self, most=6):
        """A connection: the whole source comes as packets, and its first pictures."""
        for frame in self.cell._open().frames():
            if frame.index < most:
                self.cell._offer(frame)

    def works_off(self):
        self.cell._beat_at = time.monotonic()
        while self.cell._frames or self.cell._inbox:
            self.cell._turn()

    def heard(self):
        """Messages that came until now, decoded as plain values."""
        self.ours.settimeout(0.3)
        data = b""
        try:
            while part := self.ours.recv(1 << 20):
                data += part
        except TimeoutError:
            pass
        found = []
        while data:
            (length,) = LENGTH.unpack(data[: LENGTH.size])
            found.append(channel.unpack_from_cell(data[LENGTH.size : LENGTH.size + length]))
            data = data[LENGTH.size + length :]
        return found

    def end(self):
        self.cell._recorder.close()
        self.cell._channel.close()
        self.ours.close()
        assert self.cell._guard.end(5.0) == ()


@pytest.fixture
def one(tmp_path):
    write_scene(tmp_path / "scene.mp4", DrawnScene(96, 64, 2), 40)
    one = OneCell(tmp_path / "scene.mp4")
    yield one
    one.end()


def test_a_camera_that_is_back_before_the_queue_is_worked_off_is_recorded(one, tmp_path, monkeypatch):
    """The head of the new stream came while pictures of the old one were still waiting."""
    key = service.new_key()
    monkeypatch.setattr("blickschutz.recording.io.job.new_key", lambda: key)
    one.cell._take_message(Record(Order(number=1, mode=ClipMode.SEALED, cause="x", sealing=certified_sealing(tmp_path / "clips"))))
    one.plays()
    one.works_off()
    one.plays()
    one.cell._lost()
    one.plays()
    one.works_off()
    recorder = one.cell._recorder
    assert recorder._feeds[ClipMode.SEALED].head.generation == one.cell._muxer.ended()
    assert recorder.recording is ClipMode.SEALED
    one.cell._interrupted(one.cell._muxer.ended())
    recorder.close()
    until(lambda: all(job.done for job in recorder._unfinished))
    news = [message.news for message in one.heard() if isinstance(message, ClipTold)]
    closed = [one.seconds for one in news if one.event is ClipEvent.CLOSED]
    # Three connections, three clips, each with the last group of its stream: 40 pictures at 10 a second.
    assert closed == [pytest.approx(3.9, abs=0.01)] * 3


@pytest.mark.parametrize("seed", range(5))
def test_however_far_the_cell_is_behind_each_stream_is_worked_off_whole_and_alone(one, seed, monkeypatch):
    """Connections come and go at random while the cell's thread sleeps at random; nothing of a stream gets into another's clip."""
    chance, taken = random.Random(seed), []
    recorder = one.cell._recorder
    take, interrupted = recorder.take, recorder.interrupted

    def took(mode, parts):
        taken.extend(part.generation for part in parts)
        take(mode, parts)

    def cut(reason=CloseReason.INTERRUPTED):
        taken.append("cut")
        interrupted(reason)

    monkeypatch.setattr(recorder, "take", took)
    monkeypatch.setattr(recorder, "interrupted", cut)
    for _ in range(12):
        chance.choice([lambda: one.plays(chance.randint(1, 4)), one.cell._lost, one.works_off])()
    one.cell._lost()
    one.works_off()
    seen = [n for n in taken if n != "cut"]
    assert seen == sorted(seen)
    assert set(seen) == set(range(1, one.cell._muxer.ended() + 1))
    for before, after in itertools.pairwise(taken):
        assert after == "cut" or before == "cut" or before == after, "a stream ends before the next is taken"


def test_a_stopped_camera_gives_nothing_more_and_the_next_connection_begins_anew(one):
    one.cell._session.start = lambda: None
    old = one.cell._open().frames()
    hanging = one.cell._open()
    for _ in range(5):
        one.cell._offer(next(old))
    one.cell._take_message(Stop(True))
    one.works_off()
    one.cell._take_message(Stop(False))
    one.works_off()
    new = one.cell._open().frames()
    pictures = [next(new).pts]
    for source in (old, hanging.frames()):
        # What hung in a read or while it connected wakes up: nobody listens to it.
        next(source)
    pictures += [frame.pts for frame in new]
    head, *fragments = one.cell._muxer.finish(one.cell._muxer.ended())
    assert isinstance(head, Head)
    assert [pts for part in fragments for pts in part.pts] == pictures


@pytest.mark.parametrize(("until_s", "stopped"), [(-1.0, False), (60.0, True)], ids=["its lease is over", "stopped"])
def test_a_cell_that_may_not_film_when_it_begins_does_not_open_its_camera(one, monkeypatch, until_s, stopped):
    """It may have been started so slowly that its lease ended meanwhile, or for a camera that somebody stopped."""
    cell, begun, turns = one.cell, [], []
    monkeypatch.setattr(cell, "_prepare", lambda settings: None)
    monkeypatch.setattr(cell._channel, "start", lambda: None)
    monkeypatch.setattr(cell._channel, "close", lambda: None)
    monkeypatch.setattr(cell, "_begin", lambda: begun.append(len(turns)))

    def turn():
        turns.append(cell._stopped)
        if len(turns) == 1:
            for message in (FilmUntil(cell._age() + 60.0), Stop(False)):
                cell._handle(message)
        cell._ended = len(turns) == 2

    monkeypatch.setattr(cell, "_turn", turn)
    cell.run(cell._settings, cell._age() + until_s, stopped=stopped)
    assert turns[0], "it begins as one that is stopped"
    assert begun == [1], "and opens it once it may"


def test_a_cell_lets_go_when_its_lease_is_over_though_nobody_says_so(one, monkeypatch):
    age, states = [100.0], []
    one.cell._age = lambda: age[0]
    one.cell._session.start = lambda: states.append("films")
    monkeypatch.setattr(one.cell._session, "stop", lambda wait: states.append("let go"))

    def turns(*messages):
        for message in messages:
            one.cell._take_message(message)
        one.cell._beat_at = time.monotonic()
        one.cell._take_message(Watch(False))
        one.cell._turn()
        return one.cell._stopped

    assert not turns(), "who is told of no lease films without end"
    assert not turns(FilmUntil(106.0))
    assert one.cell._until_beat() <= 1.0
    age[0] = 105.9
    assert not turns()
    assert one.cell._until_beat() <= 0.11, "it wakes up in time, not with the next heartbeat"
    age[0] = 106.0
    assert turns()
    assert turns(), "and stays stopped"
    assert not turns(FilmUntil(112.0)), "until it has another one"
    assert turns(Stop(True), FilmUntil(113.0)), "which the stop control does not care about"
    age[0] = 120.0
    assert turns(Stop(False)), "nor the other way round"
    assert not turns(FilmUntil(126.0))
    assert states == ["let go", "films"] * 2


def test_a_burst_waits_whole_and_a_cell_that_is_behind_drops(one, monkeypatch):
    picture = DrawnScene(96, 64, 2).picture(0)
    for n in range(20):
        one.cell._offer(picture.frame(n))
    assert (len(one.cell._frames), one.cell._dropped) == (20, 0)
    now = one.cell._clock.monotonic()
    monkeypatch.setattr(one.cell, "_clock", ManualClock(now + 1.5))
    for n in range(5):
        one.cell._offer(picture.frame(20 + n))
    assert (len(one.cell._frames), one.cell._dropped) == (20, 5)
    one.cell._frames.clear()
    monkeypatch.setattr("blickschutz.pipeline.cell._MOST_BURST_BYTES", 15 * 96 * 64 * 3 // 2)
    for n in range(20):
        one.cell._offer(picture.frame(n))
    assert len(one.cell._frames) == 15, "memory is bounded"


def test_who_redacts_the_packets_begins_anew_with_a_new_head(one, tmp_path, monkeypatch):
    """In the middle of a connection the file of the packets could not go on; a clip in mode `anonymous` is made from what follows."""
    cell = one.cell
    cell._recorder.order(Order(number=1, mode=ClipMode.ANONYMOUS, cause="x", sealing=certified_sealing(tmp_path / "clips")))
    one.plays()
    one.works_off()
    first = cell._redacted._run
    assert first is not None
    generation = cell._muxer.ended()
    parts = [Head(generation, b"another", "h264", 96, 64), Fragment(generation, b"x", True, (9000,), time.monotonic())]
    monkeypatch.setattr(cell._muxer, "taken", lambda: [parts.pop(0)] if parts else [])
    waiting = len(first.collected.pieces)
    for n in range(3):
        cell._offer(DrawnScene(96, 64, 2).picture(n).frame(n, time.monotonic()))
    one.works_off()
    assert first.ended.is_set()
    assert len(first.collected.pieces) <= waiting, "nothing of the new file came to the old head"
    assert cell._redacted._run is not first
    assert cell._redacted._run.collected.head.data == b"another"
    cell._redacted.end()


def test_what_cannot_be_recorded_is_said(one, tmp_path):
    """Pictures without a keyframe: live goes on, nothing can be recorded, an order does not look like a recording."""
    cell = one.cell
    clock = cell._recorder._clock = ManualClock(time.monotonic())
    connection = cell._muxer.connection()
    connection.opened()
    packet = Packet(b"0123456789", False, "h264", 96, 64)
    cell._session.report.state = SessionState.LIVE
    cell._recorder.order(Order(number=1, mode=ClipMode.SEALED, cause="x", sealing=certified_sealing(tmp_path / "clips")))
    for n in range(100):
        connection.take(packet, Stamp(n * 9000, n * 9000, clock.time + n / 10))
    assert cell._unrecordable(clock.time + 5) == ""
    assert cell._unrecordable(clock.time + 10) == "no keyframe came"
    assert (cell._recorder.writing, cell._recorder.recording) == (None, ClipMode.SEALED)
    cell._session.report.state = SessionState.WAITING
    assert cell._unrecordable(clock.time + 10) == "", "a camera that is lost is lost, and says that"


def test_that_a_picture_can_be_shown_now_is_told_before_the_next_heartbeat(one):
    one.cell._beat_at, one.cell._path.counters.doubt = one.cell._clock.monotonic() - 0.5, None
    one.cell._beat()
    one.cell._beat()
    (health,) = [message for message in one.heard() if isinstance(message, Health)]
    assert health.doubt is None, "told at once, and once"


def test_the_heartbeat_tells_of_all_threads(one):
    one.cell._guard.once_thread("moment", lambda: 1 // 0)
    until(lambda: any(state.failures for state in one.cell._guard.states()))
    one.cell._beat_at = float("-inf")
    one.cell._beat()
    (health,) = [message for message in one.heard() if isinstance(message, Health)]
    states = {state.name: state for state in health.work}
    assert states["reader"].running
    assert states["writer"].running
    assert states["moment"].failures == 1
    assert states["moment"].error.startswith("ZeroDivisionError at test_cell.py:")


class Recording:
    """A recorder in mode `anonymous` that is fed with packets of a camera, by a clock that the test moves."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.news, self.guard = ManualClock(), [], Guard(SystemClock())
        self.recorder = Recorder("a", RecordingSettings(reserve_mb=0), self.clock, lambda head, mode: OPENING, self.news.append, self.guard)
        self.redacted = RedactedRecording(CellSettings(camera="a", source=SourceSettings(SourceKind.FILE, "x")), self.guard)
        self.order = Order(number=7, mode=ClipMode.ANONYMOUS, cause="x", sealing=certified_sealing(folder))
        self.recorder.take(ClipMode.SEALED, [Head(1, b"no video", "h264", 64, 48)])

    def second(self):
        self.clock.sleep(1.0)
        now = self.clock.monotonic()
        self.recorder.take(ClipMode.SEALED, [Fragment(1, b"no video either", True, (int(now * 90_000),), now)])
        self.recorder.tick()
        self.redacted.turn(self.recorder, now)


def test_a_redaction_that_fails_does_not_look_like_a_recording(tmp_path):
    """Each try ends with an error: it is said, tried again more slowly, then given up and told."""
    recording = Recording(tmp_path)
    recording.recorder.order(recording.order)
    recording.second()
    until(lambda: recording.redacted._run.problem)
    recording.second()
    assert "no readable video" in recording.redacted.problem
    began = recording.clock.monotonic()
    end = time.monotonic() + 20
    while recording.recorder.recording is not None:
        assert time.monotonic() < end
        recording.second()
        time.sleep(0.02)
    (news,) = recording.news
    assert (news.event, news.refusal, news.orders) == (ClipEvent.REFUSED, Refusal.FAULT, (7,))
    assert "no readable video" in news.reason
    assert recording.clock.monotonic() - began >= 3.0
    (state,) = recording.guard.states()
    assert (state.name, state.failures) == ("redacted", 3)
    recording.second()
    assert recording.redacted.problem == ""


def test_a_redaction_that_fails_in_the_middle_closes_the_clip_and_says_why(tmp_path, monkeypatch):
    recording = Recording(tmp_path)

    def redact(self, run):
        run.parts.extend([Head(1, b"h", "h264", 64, 48), Fragment(1, b"x", True, (90_000,), recording.clock.monotonic())])
        raise KeyError("a name")

    monkeypatch.setattr(redacted.RedactedRecording, "_redact", redact)
    recording.recorder.order(recording.order)
    recording.second()
    until(lambda: recording.redacted._run.problem)
    recording.second()
    until(lambda: len(recording.news) == 2)
    opened, closed = recording.news
    assert opened.event is ClipEvent.OPENED
    assert (closed.event, closed.closing) == (ClipEvent.CLOSED, CloseReason.FAULT)
    assert closed.reason.startswith("fault: KeyError at test_cell.py:")
    assert recording.redacted.problem.startswith("KeyError")
    assert recording.recorder.recording is ClipMode.ANONYMOUS, "it waits for another try"


def test_the_heartbeat_does_not_say_that_it_records_while_it_cannot(one, tmp_path, monkeypatch):
    monkeypatch.setattr(redacted.RedactedRecording, "_redact", lambda self, run: 1 // 0)
    one.cell._take_message(Record(Order(number=1, mode=ClipMode.ANONYMOUS, cause="x", sealing=certified_sealing(tmp_path))))
    one.plays()
    one.works_off()
    until(lambda: one.cell._redacted.turn(one.cell._recorder, time.monotonic()) or one.cell._redacted.problem)
    one.cell._beat_at = float("-inf")
    one.cell._beat()
    (health,) = [message for message in one.heard() if isinstance(message, Health)]
    assert health.recording == ""
    assert health.unrecordable.startswith("ZeroDivisionError at test_cell.py:")


def test_moments_that_fail_are_told_as_nothing_and_the_next_is_rendered(monkeypatch):
    told, guard = [], Guard(SystemClock())
    moments = Moments(CellSettings(camera="a", source=SourceSettings(SourceKind.FILE, "x")), lambda *one: told.append(one), guard)
    videos = iter([MediaError("no video"), ValueError("x"), b"video"])

    def video(collected):
        found = next(videos)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(moments, "_video", video)
    piece = Piece(Fragment(1, b"", True, (0,), 0.0))
    for number in (1, 2, 3):
        moments.add(number, Collected(0.0, 0.0, Head(1, b"", "h264", 64, 48), [piece]))
        until(lambda n=number: moments.tick(1e9) or any(one[0] == n for one in told))
    assert told == [(1, b""), (2, b""), (3, b"video")]
    until(lambda: not guard.states()[0].running)
    assert guard.states()[0].failures == 2


def test_health_of_a_cell_travels_with_its_work(one):
    one.cell._beat_at = float("-inf")
    one.cell._beat()
    (health,) = [message for message in one.heard() if isinstance(message, Health)]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(health), type=Health) == health


class TestLeaseWatch:
    """Real threads, an age that the test sets."""

    def watch(self, let_go):
        age, died = [100.0], threading.Event()
        guard = Guard(SystemClock())
        watch = LeaseWatch(guard, lambda: age[0], lambda: let_go[0], died.set)
        return age, died, guard, watch

    def test_a_process_that_has_not_let_go_in_time_ends(self):
        age, died, guard, watch = self.watch([False])
        watch.told(99.0)
        age[0] = 100.6
        assert died.wait(10), "though its own thread is busy, and a read hangs"
        guard.end()

    def test_a_lease_that_is_taken_back_leaves_time_to_let_go_once(self):
        age, died, guard, watch = self.watch([False])
        watch.told(150.0)
        watch.told(float("-inf"))
        assert not died.wait(0.3), "it was over the moment it was said"
        age[0] = 100.4
        watch.told(float("-inf"))
        assert not died.wait(0.3)
        age[0] = 100.6
        watch.told(float("-inf"))
        assert died.wait(10)
        guard.end()

    def test_one_that_has_lives_on_and_a_lease_that_lasts_ends_nothing(self):
        let_go = [True]
        age, died, guard, watch = self.watch(let_go)
        watch.told(99.0)
        assert not died.wait(0.3)
        let_go[0] = False
        watch.told(150.0)
        assert not died.wait(0.3)
        age[0] = 151.0
        watch.told(150.1)
        age[0] = 152.0
        assert died.wait(10), "the next lease counts as the first one did"
        guard.end()


def test_a_session_has_let_go_once_its_thread_has_ended(one, tmp_path):
    session = one.cell._session
    assert session.has_let_go
    session.start()
    assert not session.has_let_go
    session.stop()
    until(lambda: session.has_let_go)
