"""The camera session: its table, its waits, files good and bad."""

from __future__ import annotations

import itertools
import json
import struct
import threading
import time
from fractions import Fraction

import av
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from blickschutz.cli.main import cli
from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.guard.service import Guard
from blickschutz.ingest.io.files import FileSource
from blickschutz.ingest.io.sources import open_source
from blickschutz.ingest.model import BackoffSettings, Cause, SessionEvent, SessionState, SourceKind, SourceSettings
from blickschutz.ingest.rules.session import TRANSITIONS, as_mermaid, next_state, wait_before_try
from blickschutz.ingest.service import CameraSession
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import (
    CameraStalledError,
    CameraUnreachableError,
    FaultError,
    MediaError,
    StreamEndedError,
)
from blickschutz.pipeline.offline import FileReader
from tests.conftest import ROOT
from tests.fakes.clock import ManualClock
from tests.fakes.detectors import BlindDetector
from tests.videos import write_scene


class TestTable:
    def test_every_state_can_be_stopped_and_left(self):
        for state in SessionState:
            assert any(start is state for start, _ in TRANSITIONS)
            if state is not SessionState.STOPPED:
                assert next_state(state, SessionEvent.STOP) is SessionState.STOPPED

    def test_an_impossible_event_is_a_fault(self):
        with pytest.raises(FaultError, match="cannot take"):
            next_state(SessionState.STOPPED, SessionEvent.STALLED)

    def test_the_diagram_in_the_documentation_is_drawn_from_the_table(self):
        assert as_mermaid() in (ROOT / "docs/design/cells.md").read_text(encoding="utf-8")

    @given(st.integers(1, 10_000), st.floats(0, 1))
    def test_waits_grow_to_a_limit_and_spread(self, attempt, chance):
        settings = BackoffSettings()
        wait = wait_before_try(attempt, settings, chance)
        assert 0 < wait <= settings.most * (1 + settings.jitter)
        assert wait_before_try(attempt + 1, settings, chance) >= wait - 1e-9


class Scripted:
    """A source that gives frames and then fails as it is told."""

    def __init__(self, frames, error):
        self._frames, self._error, self.closed = frames, error, False

    def frames(self):
        scene = DrawnScene(32, 32, seed=1)
        for index in range(self._frames):
            yield scene.picture(index).frame(index)
        if self._error is not None:
            raise self._error

    def close(self):
        self.closed = True


def session_over(script, stop_after):
    """Run a session over `script` (an error on opening, or a source) and return its states and waits."""
    states, waits, frames, made = [], [], [], []
    items = iter(script)

    def open_():
        states.append(session.report.state)
        item = next(items)
        if isinstance(item, Exception):
            raise item
        made.append(item)
        return item

    def wait(event: threading.Event, seconds: float) -> None:
        states.append(session.report.state)
        waits.append(seconds)
        if len(waits) >= stop_after:
            event.set()

    session = CameraSession("c", open_, frames.append, lambda: None, BackoffSettings(jitter=0), lambda: 0.5, Guard(SystemClock()), wait)
    session.run()
    return session, states, waits, frames, made


class TestSession:
    def test_an_unreachable_camera_is_tried_more_and_more_slowly(self):
        errors = [CameraUnreachableError("refused")] * 6
        session, _, waits, _, _ = session_over(errors, 6)
        assert waits == [1, 2, 4, 8, 16, 30]
        assert session.report.state is SessionState.STOPPED
        assert session.report.problem == "refused"

    @pytest.mark.parametrize("error", [CameraStalledError("no packet"), StreamEndedError("gone"), MediaError("bad"), None])
    def test_whatever_ends_a_stream_is_survived(self, error):
        session, states, _, frames, made = session_over([Scripted(3, error), Scripted(2, error)], 2)
        assert len(frames) == 5
        assert states.count(SessionState.WAITING) == 2
        assert all(source.closed for source in made)
        assert session.report.reconnects == 2

    def test_a_stream_that_ran_well_is_tried_again_at_once(self):
        script = [CameraUnreachableError("x"), CameraUnreachableError("x"), Scripted(60, StreamEndedError("y"))]
        assert session_over(script, 3)[2] == [1, 2, 1]


def test_an_error_that_nobody_foresaw_is_survived_said_and_counted():
    """What a library raises for a picture that it did not expect must not leave a tile that says "live"."""
    guard, states = Guard(SystemClock()), []
    sources = iter([Scripted(3, ValueError("secret")), Scripted(60, ZeroDivisionError()), Scripted(1, None)])
    lost, frames = [], []

    def open_():
        states.append((session.report.state, session.report.problem))
        return next(sources)

    session = CameraSession("c", open_, frames.append, lambda: lost.append(1), BackoffSettings(first=0.02, most=0.05), lambda: 0.5, guard)
    session.start()
    end = time.monotonic() + 10
    while len(states) < 5:
        assert time.monotonic() < end, states
        time.sleep(0.01)
    assert len(frames) == 64
    assert len(lost) >= 3
    assert states[1][0] is SessionState.CONNECTING
    assert states[1][1].startswith("ValueError at test_ingest.py:")
    assert "secret" not in states[1][1]
    assert states[2][1].startswith("ZeroDivisionError at test_ingest.py:")
    (state,) = guard.states()
    # A source that is used up raises StopIteration: that is none of ours either, and it goes on.
    assert (state.name, state.running, state.restarts) == ("session", True, 0)
    assert state.failures >= 4
    assert session.report.cause is Cause.UNREADABLE
    session.stop()
    assert session.report.state is SessionState.STOPPED
    assert guard.states() == ()


def test_a_fault_in_the_loop_itself_is_the_guards_and_the_session_begins_again():
    guard, frames, calls = Guard(SystemClock()), [], []

    def lost():
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("who is told of the loss fails")

    sources = iter([Scripted(2, StreamEndedError("gone")), Hanging()])
    session = CameraSession("c", lambda: next(sources), frames.append, lost, BackoffSettings(first=0.02, most=0.05), lambda: 0.5, guard)
    session.start()
    end = time.monotonic() + 10
    while guard.states()[0].restarts != 1 or session.report.state is not SessionState.CONNECTING:
        assert time.monotonic() < end, guard.states()
        time.sleep(0.01)
    session.stop(0.0)


class Hanging:
    """A source whose read hangs until it is let go; then it gives one frame more."""

    def __init__(self):
        self.reading, self.let_go, self.closed = threading.Event(), threading.Event(), threading.Event()

    def frames(self):
        self.reading.set()
        self.let_go.wait(10)
        yield "late"

    def close(self):
        self.closed.set()


def test_a_session_begins_again_while_the_old_connection_still_hangs():
    """Stopped and resumed within one blocked read: the new connection does not wait, the old one says nothing more."""
    old, new, frames = Hanging(), Hanging(), []
    sources = iter([old, new])
    session = CameraSession(
        "camera", lambda: next(sources), frames.append, lambda: None, BackoffSettings(), lambda: 0.5, Guard(SystemClock())
    )
    session.start()
    assert old.reading.wait(5)
    session.stop(0.05)
    session.start()
    assert new.reading.wait(5)
    old.let_go.set()
    assert old.closed.wait(5)
    assert frames == []
    assert session.report.state is SessionState.CONNECTING
    new.let_go.set()
    assert new.closed.wait(5)
    assert frames == ["late"]
    session.stop()


def read_once(path):
    return list(FileSource(SourceSettings(SourceKind.FILE, str(path), realtime=False), ManualClock()).frames())


class TestFiles:
    def test_frames_are_stamped_with_the_file_s_time(self, walk_clip):
        frames = read_once(walk_clip)
        assert len(frames) == 80
        assert np.diff([frame.at for frame in frames]) == pytest.approx(np.full(79, 0.1), abs=1e-6)
        assert frames[0].taken == pytest.approx(frames[0].at + 1.7e9)

    def test_in_real_time_it_plays_at_its_own_speed_and_loops(self, walk_clip):
        clock = ManualClock()
        source = FileSource(SourceSettings(SourceKind.FILE, str(walk_clip)), clock)
        frames = list(itertools.islice(source.frames(), 170))
        source.close()
        assert clock.time - 1000 == pytest.approx(16.9, abs=0.3)
        assert np.diff([frame.at for frame in frames]).min() > 0.05
        assert [frame.index for frame in frames] == list(range(170))

    def test_it_can_start_later(self, walk_clip):
        source = FileSource(SourceSettings(SourceKind.FILE, str(walk_clip), start_s=3.0, realtime=False), ManualClock())
        assert len(list(source.frames())) == 50

    @pytest.mark.parametrize("size", [(33, 25), (127, 95), (64, 48)])
    def test_odd_sizes(self, tmp_path, size):
        width, height = size
        random = np.random.default_rng(1)
        path = tmp_path / "odd.mkv"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("ffv1", rate=10)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for _ in range(4):
                rgb = random.integers(0, 255, (height, width, 3), np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
            container.mux(stream.encode(None))
        frames = read_once(path)
        assert [(frame.width, frame.height) for frame in frames] == [size] * 4

    def test_a_missing_file(self, tmp_path):
        with pytest.raises(MediaError, match="cannot be opened"):
            open_source(SourceSettings(SourceKind.FILE, str(tmp_path / "none.mp4")), SystemClock())

    def test_garbage_is_no_video(self, tmp_path):
        path = tmp_path / "garbage.mp4"
        path.write_bytes(np.random.default_rng(1).bytes(50_000))
        with pytest.raises(MediaError):
            read_once(path)

    def test_a_clip_without_a_picture(self, tmp_path, walk_clip):
        path = tmp_path / "empty.mkv"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            container.start_encoding()
        with pytest.raises(MediaError, match=r"no picture|cannot be"):
            read_once(path)

    def test_a_truncated_file_gives_what_is_there(self, tmp_path):
        whole = tmp_path / "whole.ts"
        write_scene(whole, DrawnScene(160, 120, seed=1), 40)
        cut = tmp_path / "cut.ts"
        cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
        assert 5 < len(read_once(cut)) < 40

    def test_damaged_packets_are_skipped(self, tmp_path):
        whole = tmp_path / "whole.ts"
        write_scene(whole, DrawnScene(160, 120, seed=1), 40)
        data = bytearray(whole.read_bytes())
        for place in range(len(data) // 3, len(data) // 3 + 900):
            data[place] ^= 0x5A
        damaged = tmp_path / "damaged.ts"
        damaged.write_bytes(data)
        assert 0 < len(read_once(damaged)) <= 40

    def test_a_sound_file_has_no_video(self, tmp_path):
        path = tmp_path / "sound.wav"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
            frame.sample_rate = 8000
            container.mux(stream.encode(frame))
        with pytest.raises(MediaError, match="no video"):
            read_once(path)

    @pytest.mark.parametrize("pix_fmt", ["yuv444p", "yuv422p", "gray", "yuv420p10le"])
    def test_other_pixel_formats(self, tmp_path, pix_fmt):
        path = tmp_path / "other.mkv"
        picture = DrawnScene(64, 48, seed=1).picture(0).i420()
        with av.open(str(path), "w") as container:
            stream = container.add_stream("ffv1", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, pix_fmt
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p").reformat(format=pix_fmt)))
            container.mux(stream.encode(None))
        frame = read_once(path)[0]
        assert frame.u.shape == (24, 32)
        assert np.abs(frame.y.astype(int) - picture[:48]).max() <= 3


def lay(path, target, aspect=None, turned=False):
    """A copy of an MP4 that says of itself that it lies on its side (matrix of `tkhd`, ISO/IEC 14496-12, 8.3.2), or has other pixels."""
    with av.open(str(path)) as source, av.open(str(target), "w") as copy:
        stream = source.streams.video[0]
        out = copy.add_stream_from_template(stream)
        if aspect is not None:
            out.codec_context.sample_aspect_ratio = aspect
        for packet in source.demux(stream):
            if packet.size:
                packet.stream = out
                copy.mux(packet)
    if turned:
        data = bytearray(target.read_bytes())
        matrix = data.find(b"tkhd") + 4 + 40
        # 90 degrees clockwise, as phones write it.
        data[matrix : matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
        target.write_bytes(data)


class TestUpright:
    """`mask`, `analyse` and `tracks` look at a file's pictures as they are to be shown; a cell looks at those of its packets."""

    @pytest.fixture
    def lying(self, tmp_path):
        write_scene(tmp_path / "plain.mp4", DrawnScene(160, 96, seed=2), 4)
        lay(tmp_path / "plain.mp4", tmp_path / "lying.mp4", turned=True)
        return tmp_path / "plain.mp4", tmp_path / "lying.mp4"

    def test_a_turned_file(self, lying):
        plain, turned = (FileReader(path, SystemClock()) for path in lying)
        assert (plain.width, plain.height, turned.width, turned.height) == (160, 96, 96, 160)
        for before, after in zip(plain, turned, strict=True):
            assert np.array_equal(after.y, np.rot90(before.y, -1)), "clockwise"
            assert np.array_equal(after.u, np.rot90(before.u, -1))
            assert (before.at, before.pts) == (after.at, after.pts)

    def test_the_packets_of_a_cell_are_not_turned(self, lying):
        frames = read_once(lying[1])
        assert {(frame.width, frame.height) for frame in frames} == {(160, 96)}

    def test_pixels_that_are_not_square(self, tmp_path):
        write_scene(tmp_path / "plain.mp4", DrawnScene(160, 96, seed=2), 4)
        lay(tmp_path / "plain.mp4", tmp_path / "wide.mp4", aspect=Fraction(16, 11))
        reader = FileReader(tmp_path / "wide.mp4", SystemClock())
        assert (reader.width, reader.height) == (232, 96)
        assert {(frame.width, frame.height) for frame in reader} == {(232, 96)}

    def test_one_bad_file_does_not_end_a_batch(self, tmp_path, monkeypatch):
        write_scene(tmp_path / "good.mp4", DrawnScene(160, 96, seed=2), 12)
        (tmp_path / "bad.mp4").write_bytes(b"no video")
        monkeypatch.setattr("blickschutz.analysis.io.openvino_detector.OpenVinoDetector.from_registry", lambda name: BlindDetector())
        out = tmp_path / "out.jsonl"
        clips = [str(tmp_path / name) for name in ("bad.mp4", "none.mp4", "good.mp4")]
        result = CliRunner().invoke(cli, ["analyse", *clips, "--root", str(tmp_path), "--jsonl", str(out)])
        lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        assert result.exit_code == 1
        assert [line["clip"] for line in lines if "error" in line] == clips[:2]
        assert any(line["clip"] == "good.mp4" and line.get("analysed_s") for line in lines)
        assert "0 episodes in 1 clips" in result.output
        assert all(f"Not analysed: {clip}" in result.output for clip in clips[:2])
