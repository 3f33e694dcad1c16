"""Tile states, viewers, the live encoder, the snapshot."""

from __future__ import annotations

import asyncio
import itertools
from types import SimpleNamespace

import av
import numpy as np
import pytest

from blickschutz.control.service.outages import OutageWatch
from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.scene import Backdrop, Doubt
from blickschutz.redaction.service import Redactor, blank
from blickschutz.wall.io.files import RedactedVideoFile
from blickschutz.wall.io.jpeg import jpeg
from blickschutz.wall.io.live import LiveEncoder, codec_of
from blickschutz.wall.model import CameraFacts, EncoderSettings, StreamFragment, StreamInit, TileState
from blickschutz.wall.rules import rebased, tile_state
from blickschutz.wall.service import RING_S, LiveStream
from tests.fakes.clock import ManualClock

GOOD = {"stopped": False, "cell_alive": True, "connected": True, "fault": False, "proven": True, "last_picture_s": 0.1}


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, TileState.LIVE),
        ({"stopped": True, "cell_alive": False, "fault": True}, TileState.STOPPED),
        ({"cell_alive": False}, TileState.LOST),
        ({"connected": False}, TileState.LOST),
        ({"fault": True}, TileState.REDACTION_FAULT),
        ({"last_picture_s": 2.5}, TileState.STALE),
        ({"proven": False}, TileState.STARTING),
        ({"last_picture_s": None}, TileState.STARTING),
    ],
)
def test_a_tile_says_the_gravest_thing_that_is_true(change, state):
    assert tile_state(CameraFacts(**{**GOOD, **change})) is state


def test_only_good_facts_are_called_live():
    for values in itertools.product((True, False), repeat=5):
        facts = CameraFacts(*values, last_picture_s=0.1)
        good = facts.cell_alive and facts.connected and facts.proven and not facts.stopped and not facts.fault
        assert (tile_state(facts) is TileState.LIVE) is good


def fragment(number, key=False, generation=1):
    return StreamFragment(generation, key, float(number), float(number), bytes([number % 256]))


HEAD = StreamInit(1, "avc1.42C01E", b"head")


class TestLiveStream:
    def test_the_cell_encodes_only_between_the_first_viewer_and_the_last(self):
        told = []
        stream = LiveStream(told.append)
        first, second = stream.join(), stream.join()
        assert told == [True]
        stream.leave(first)
        assert told == [True]
        stream.leave(second)
        assert told == [True, False]

    def test_a_latecomer_starts_with_the_last_key_picture(self):
        async def scenario():
            stream = LiveStream(lambda on: None)
            stream.join()
            stream.feed(HEAD)
            for number in range(14):
                stream.feed(fragment(number, key=number % 10 == 0))
            late = stream.join()
            assert [await late.next() for _ in range(5)] == [HEAD, *(fragment(n, key=n == 10) for n in range(10, 14))]

        asyncio.run(scenario())

    def test_a_slow_viewer_is_dropped_to_the_newest_key_picture_and_holds_up_nobody(self):
        async def scenario():
            stream = LiveStream(lambda on: None)
            slow, quick = stream.join(), stream.join()
            stream.feed(HEAD)
            assert await quick.next() == HEAD
            for number in range(95):
                stream.feed(fragment(number, key=number % 10 == 0))
                assert (await quick.next()).at == number
            got = [await slow.next()]
            while got[-1] != fragment(94):
                got.append(await slow.next())
            assert got[0] == HEAD
            assert got[1].key
            assert [part.at for part in got[1:]] == list(range(int(got[1].at), 95))
            assert len(got) <= 31
            assert slow.skipped > 50
            assert quick.skipped == 0

        asyncio.run(scenario())

    def test_fragments_of_a_stream_that_ended_are_dropped(self):
        async def scenario():
            stream = LiveStream(lambda on: None)
            viewer = stream.join()
            stream.feed(HEAD)
            stream.feed(fragment(1, key=True, generation=7))
            stream.feed(fragment(2, key=True))
            assert await viewer.next() == HEAD
            assert (await viewer.next()).at == 2

        asyncio.run(scenario())


def redacted(index, width=128, height=96):
    picture = DrawnScene(width, height, seed=2).picture(index)
    proven = np.full((height // 4, width // 4), 255, np.uint8)
    return Redactor().redact(picture.frame(index), Backdrop(0.0, proven), [])


@pytest.mark.parametrize("size", [(128, 96), (127, 95), (33, 21)])
def test_the_live_stream_can_be_decoded_and_says_when_it_was_taken(tmp_path, size):
    encoder = LiveEncoder(3, *size, rate=10.0, settings=EncoderSettings())
    parts = [part for index in range(30) for part in encoder.encode(redacted(index, *size))]
    encoder.close()
    head, fragments = parts[0], parts[1:]
    assert isinstance(head, StreamInit)
    assert head.codec.startswith("avc1.42")
    assert [part.at for part in fragments] == pytest.approx([index / 10 for index in range(29)])
    assert [part.key for part in fragments[:21]] == [True] + 19 * [False] + [True]
    path = tmp_path / "live.mp4"
    path.write_bytes(head.data + b"".join(part.data for part in fragments))
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    assert len(frames) == 29
    assert (frames[0].width, frames[0].height) == tuple(side + side % 2 for side in size)


def test_a_late_viewer_can_begin_at_any_key_picture(tmp_path):
    encoder = LiveEncoder(1, 128, 96, rate=10.0, settings=EncoderSettings())
    parts = [part for index in range(45) for part in encoder.encode(redacted(index))]
    path = tmp_path / "late.mp4"
    path.write_bytes(parts[0].data + b"".join(part.data for part in parts[21:]))
    with av.open(str(path)) as container:
        assert len(list(container.decode(video=0))) == 24


def test_the_codec_s_name_is_read_from_the_stream():
    assert codec_of(b"\0\0\0\1\x67\x42\xc0\x1f\xda") == "avc1.42C01F"


def test_a_snapshot_is_a_jpeg_without_metadata():
    data = jpeg(redacted(3))
    assert data[:2] == b"\xff\xd8"
    assert b"Exif" not in data


def test_no_sink_takes_a_raw_frame(tmp_path):
    raw = DrawnScene(64, 48, seed=2).picture(0).frame(0)
    assert isinstance(raw, RawFrame)
    with pytest.raises(AttributeError):
        RedactedVideoFile(tmp_path / "x.mp4", tmp_path / "m.mkv", 64, 48, 10).write(raw)


def test_a_file_of_masks_is_exact(tmp_path):
    masks = tmp_path / "masks.mkv"
    with RedactedVideoFile(tmp_path / "out.mp4", masks, 33, 21, 10) as file:
        file.write(blank(33, 21, 0, 0.0, 0.0, Doubt.STARTING))
        shown = redacted(1, 33, 21)
        file.write(shown)
    with av.open(str(masks)) as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert frames[0].shape == (21, 33)
    assert (frames[0] == 255).all()
    assert (frames[1] == shown.mask).all()


class TestRecent:
    """The redacted seconds that an alert keeps: from a key picture on, in memory, while somebody watches."""

    def stream(self, count):
        stream = LiveStream(lambda on: None)
        viewer = stream.join()
        stream.feed(StreamInit(1, "avc1", b"head"))
        for index in range(count):
            stream.feed(StreamFragment(1, index % 20 == 0, index / 10, 0.0, bytes([index % 256])))
        return stream, viewer

    def test_it_begins_at_the_key_picture_before(self):
        stream, _ = self.stream(100)
        head, parts = stream.recent(5.3)
        assert head.data == b"head"
        assert parts[0].key
        assert parts[0].at == 4.0
        assert parts[-1].at == pytest.approx(9.9)

    def test_what_is_older_is_gone(self):
        stream, _ = self.stream(1000)
        _, parts = stream.recent(0.0)
        assert parts[0].key
        assert 99.9 - parts[0].at <= RING_S

    def test_nobody_watches_nothing_is_kept(self):
        stream, viewer = self.stream(100)
        stream.leave(viewer)
        assert stream.recent(0.0) is None

    def test_decode_times_start_at_nought(self, tmp_path):
        encoder = LiveEncoder(1, 128, 96, 10, EncoderSettings())
        parts = [part for index in range(60) for part in encoder.encode(redacted(index))]
        head = next(part for part in parts if isinstance(part, StreamInit))
        pictures = [part for part in parts if isinstance(part, StreamFragment)]
        late = next(index for index, part in enumerate(pictures) if part.key and index > 15)
        path = tmp_path / "clip.mp4"
        path.write_bytes(head.data + rebased([part.data for part in pictures[late:]]))
        with av.open(str(path)) as container:
            times = [frame.time for frame in container.decode(video=0)]
        assert times[0] == 0
        assert np.diff(times) == pytest.approx(np.full(len(times) - 1, 0.1), abs=0.01)
        assert len(times) == len(pictures) - late


class TestOutages:
    """A camera without a picture is written down when it lasted, and again when it is over."""

    def test_only_what_lasts_is_an_outage_and_a_fault_after_another_is_two(self):
        clock, written = ManualClock(), []
        camera = SimpleNamespace(state=TileState.LIVE)
        log = SimpleNamespace(write=lambda event, by, subject, facts: written.append((event.value, subject, facts)))
        watch = OutageWatch({"brunnen": camera}, log, clock, lambda work: work())

        def after(seconds, state):
            camera.state = state
            watch.look()
            clock.time += seconds
            watch.look()

        after(9.0, TileState.LOST)
        after(5.0, TileState.LIVE)
        assert written == []
        after(12.0, TileState.LOST)
        after(30.0, TileState.REDACTION_FAULT)
        after(1.0, TileState.STOPPED)
        assert written == [
            ("outage-began", "brunnen", {"kind": "lost"}),
            ("outage-ended", "brunnen", {"kind": "lost", "seconds": 12.0}),
            ("outage-began", "brunnen", {"kind": "redaction-fault"}),
            ("outage-ended", "brunnen", {"kind": "redaction-fault", "seconds": 30.0}),
        ]
