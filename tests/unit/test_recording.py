"""Sealed clips on disk, orders, the ring, the recorder."""

from __future__ import annotations

import base64
import os
import random
import resource
import threading
import time
import zlib
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.guard.service import Guard
from blickschutz.ingest.io.decoding import packet_of
from blickschutz.ingest.io.files import FileSource
from blickschutz.ingest.model import SourceKind, SourceSettings
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import DeviceError
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Background, Detection, Doubt, Scene, Track
from blickschutz.kernel.streams import Packet, Stamp
from blickschutz.recording.io import feed as feeds
from blickschutz.recording.io import job, ring
from blickschutz.recording.io.clipfile import MAGIC, ClipError, ClipReader, ClipWriter, envelope_range, is_unsafe, read_head
from blickschutz.recording.io.feed import Feed, Piece
from blickschutz.recording.io.recorder import Recorder
from blickschutz.recording.io.ring import Fragment, Head, PacketMuxer
from blickschutz.recording.model import (
    BackgroundSample,
    ClipEvent,
    ClipHeader,
    ClipMode,
    ClipState,
    CloseReason,
    Gop,
    Mark,
    MaskSample,
    Opening,
    Order,
    RecordingSettings,
    Refusal,
    Sealing,
)
from blickschutz.recording.rules import BackgroundReader, BackgroundWriter, Orders, known, parameter_sets, proven, sample, scene_of
from blickschutz.vault import service
from blickschutz.vault.model import Reviewer
from tests.fakes.clock import ManualClock
from tests.fakes.register import Book, certified_sealing, keyed
from tests.videos import still, write_scene

GOLDEN = Path(__file__).parent.parent / "golden"
OPENING = Opening(digest=b"", init=b"init", codec="h264", width=64, height=48, style="mosaic", privacy_zones=(), px_per_metre=None)


def reviewers(count=2):
    return tuple(Reviewer(s.id, s.public) for s in (service.enrol(f"kvd-{n}", "eine lange Losung") for n in range(count)))


def gop(number, size=300):
    return Gop(data=bytes([number]) * size, key=True, pts=(number,), times=((number, 1.0),), masks=(), marks=())


def write_clip(path, gops=5, *, close=True, key=None, clip="c" * 32):
    key = key or service.new_key()
    header = ClipHeader(clip=clip, installation="ab", camera="vorplatz", mode=ClipMode.SEALED, cause="manual", opened=1.0)
    writer = ClipWriter(path, header, service.seal_key(key, clip, reviewers()), key, OPENING)
    for number in range(gops):
        writer.add(gop(number))
    if close:
        writer.close(CloseReason.OVER, 2.0)
    else:
        writer.abandon()
    return key


def read(path, key):
    """(state, number of whole groups of pictures)."""
    try:
        reader = ClipReader(path, key)
    except ClipError as error:
        return error.state, 0
    count = sum(1 for _ in reader)
    reader.close()
    return reader.state, count


class TestClipFile:
    def test_what_was_written_is_read(self, tmp_path):
        key = write_clip(tmp_path / "a.clip")
        reader = ClipReader(tmp_path / "a.clip", key, "ab")
        assert [g.data[:1] for g in reader] == [bytes([n]) for n in range(5)]
        assert reader.head.version == 2
        assert (reader.state, reader.closing.reason, reader.closing.gops) == (ClipState.WHOLE, CloseReason.OVER, 5)
        assert reader.opening.init == b"init"
        assert (tmp_path / "a.clip").stat().st_mode & 0o777 == 0o600
        reader.close()

    def test_a_clip_that_was_cut_off_opens_up_to_its_last_whole_group(self, tmp_path):
        key = write_clip(tmp_path / "a.clip")
        whole = (tmp_path / "a.clip").read_bytes()
        _, first = tmp_path / "b.clip", len(whole) - 600
        for size in range(first, len(whole)):
            (tmp_path / "b.clip").write_bytes(whole[:size])
            state, count = read(tmp_path / "b.clip", key)
            assert state is ClipState.CUT_OFF
            assert count in {3, 4, 5}

    def test_every_flipped_bit_is_found(self, tmp_path):
        key = write_clip(tmp_path / "a.clip")
        data = (tmp_path / "a.clip").read_bytes()
        chance, path = random.Random(3), tmp_path / "b.clip"
        for _ in range(1000):
            place = chance.randrange(len(data) * 8)
            altered = bytearray(data)
            altered[place // 8] ^= 1 << place % 8
            path.write_bytes(altered)
            state, _ = read(path, key)
            assert state is not ClipState.WHOLE, place

    @pytest.mark.parametrize(
        ("change", "state"),
        [
            (lambda chunks, other: [chunks[0], chunks[2], chunks[1], *chunks[3:]], ClipState.REORDERED),
            (lambda chunks, other: [chunks[0], *chunks[2:]], ClipState.REORDERED),
            (lambda chunks, other: [*chunks[:2], other[2], *chunks[3:]], ClipState.FOREIGN_CHUNK),
            (lambda chunks, other: [*chunks[:2], chunks[2][:-1] + bytes([chunks[2][-1] ^ 1]), *chunks[3:]], ClipState.CHUNK_ALTERED),
            (lambda chunks, other: chunks[:-1], ClipState.CUT_OFF),
            (lambda chunks, other: [*chunks, chunks[-1]], ClipState.TOO_LONG),
        ],
    )
    def test_what_was_done_to_the_chunks_is_named(self, tmp_path, change, state):
        key = write_clip(tmp_path / "a.clip")
        write_clip(tmp_path / "b.clip", clip="d" * 32)
        (head, chunks), (_, other) = cut(tmp_path / "a.clip"), cut(tmp_path / "b.clip")
        (tmp_path / "c.clip").write_bytes(head + b"".join(change(chunks, other)))
        assert read(tmp_path / "c.clip", key)[0] is state

    def test_the_version_is_part_of_what_was_sealed(self, tmp_path):
        """Nobody makes an old clip a new one by its number."""
        key = write_clip(tmp_path / "a.clip")
        data = (tmp_path / "a.clip").read_bytes()
        (tmp_path / "a.clip").write_bytes(MAGIC + b"\0\1" + data[10:])
        assert read_head(tmp_path / "a.clip").version == 1
        assert read(tmp_path / "a.clip", key)[0] is ClipState.HEAD_ALTERED

    @pytest.mark.parametrize(
        ("mode", "version", "unsafe"),
        [(ClipMode.ANONYMOUS, 1, True), (ClipMode.ANONYMOUS, 2, False), (ClipMode.SEALED, 1, False), (ClipMode.SEALED, 2, False)],
    )
    def test_only_what_was_redacted_for_good_by_the_old_rule_is_unsafe(self, tmp_path, mode, version, unsafe):
        write_clip(tmp_path / "a.clip")
        head = read_head(tmp_path / "a.clip")
        header = msgspec.structs.replace(head.header, mode=mode)
        assert is_unsafe(msgspec.structs.replace(head, header=header, version=version)) is unsafe

    def test_a_swapped_envelope_is_named(self, tmp_path):
        key = write_clip(tmp_path / "a.clip")
        write_clip(tmp_path / "b.clip", clip="d" * 32)
        write_clip(tmp_path / "c.clip")
        a, b, c = ((tmp_path / f"{name}.clip").read_bytes() for name in "abc")
        start, length = envelope_range(tmp_path / "a.clip")
        for other in (b, c):
            (tmp_path / "x.clip").write_bytes(a[:start] + other[start : start + length] + a[start + length :])
            assert read(tmp_path / "x.clip", key)[0] is ClipState.HEAD_ALTERED

    def test_other_files_and_other_keys_are_named(self, tmp_path):
        key = write_clip(tmp_path / "a.clip")
        assert read(tmp_path / "a.clip", service.new_key())[0] is ClipState.WRONG_KEY
        with pytest.raises(ClipError) as caught:
            ClipReader(tmp_path / "a.clip", key, "another")
        assert caught.value.state is ClipState.FOREIGN_INSTALLATION
        data = (tmp_path / "a.clip").read_bytes()
        for text, state in ((b"", ClipState.HEAD_CUT_OFF), (b"RIFF" * 9, ClipState.NO_CLIP), (data[:40], ClipState.HEAD_CUT_OFF)):
            (tmp_path / "b.clip").write_bytes(text)
            assert read(tmp_path / "b.clip", key)[0] is state
        (tmp_path / "b.clip").write_bytes(MAGIC + b"\0\0" + data[10:])
        assert read(tmp_path / "b.clip", key)[0] is ClipState.UNKNOWN_VERSION
        (tmp_path / "b.clip").write_bytes(MAGIC + b"\0\4" + data[10:])
        with pytest.raises(ClipError, match="version 4; a newer program wrote it") as caught:
            read_head(tmp_path / "b.clip")
        assert caught.value.state is ClipState.UNKNOWN_VERSION
        with pytest.raises(DeviceError):
            read_head(tmp_path / "none.clip")

    def test_a_full_disk_takes_no_half_chunk(self, tmp_path):
        """A real limit of the system in the middle of a chunk: the write is cut short, and taken back."""
        key = service.new_key()
        header = ClipHeader(clip="c", installation="ab", camera="v", mode=ClipMode.SEALED, cause="manual", opened=1.0)
        writer = ClipWriter(tmp_path / "a.clip", header, service.seal_key(key, "c", reviewers()), key, OPENING)
        writer.add(gop(1))
        writer.flush()
        size = (tmp_path / "a.clip").stat().st_size
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 700, limits[1]))
        try:
            writer.add(gop(2, 5000))
            with pytest.raises(DeviceError, match="File too large"):
                writer.flush()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert (tmp_path / "a.clip").stat().st_size == size
        with pytest.raises(DeviceError, match="cut off"):
            writer.close(CloseReason.DISK, 2.0)
        assert read(tmp_path / "a.clip", key) == (ClipState.CUT_OFF, 1)

    def test_the_golden_clip_still_opens(self):
        """Version 1 as it was first written: whatever this software becomes, it reads this file."""
        facts = msgspec.json.decode((GOLDEN / "clip-v1.json").read_bytes())
        sealed = [msgspec.convert(one, service.SealedPrivateKey) for one in facts["reviewers"]]
        head = read_head(GOLDEN / "clip-v1.clip")
        assert head.version == 1
        shares = [service.open_share(head.envelope, s.id, service.unlock(s, facts["passphrase"])) for s in sealed]
        key = service.join_shares(head.envelope, *shares)
        reader = ClipReader(GOLDEN / "clip-v1.clip", key, facts["installation"])
        gops = list(reader)
        assert reader.state is ClipState.WHOLE
        assert [base64.b64encode(g.data).decode() for g in gops] == facts["data"]
        assert gops[0].masks[0].doubt == "starting"
        assert gops[0].marks[0].kind == "person_down"
        reader.close()


def cut(path):
    """Head and chunks of a clip file."""
    data, start = path.read_bytes(), read_head(path).start
    head, chunks = data[:start], []
    while start < len(data):
        length = 16 + int.from_bytes(data[start : start + 4], "big")
        chunks.append(data[start : start + length])
        start += length
    return head, chunks


class TestOrders:
    def test_overlapping_orders_are_one_and_end_after_the_last(self):
        orders = Orders(RecordingSettings(after_s=5))
        orders.begin(1, 0.0)
        orders.begin(2, 3.0)
        orders.end(1, 4.0)
        assert orders.wanted(20.0)
        orders.end(2, 20.0)
        orders.end(7, 21.0)
        assert orders.wanted(24.9)
        assert not orders.wanted(25.0)

    def test_an_order_for_some_seconds_ends_by_itself(self):
        orders = Orders(RecordingSettings(after_s=5))
        orders.begin(1, 0.0, 30.0)
        assert orders.wanted(29.9)
        assert not orders.wanted(30.0)
        orders.begin(2, 40.0)
        orders.clear()
        assert not orders.wanted(40.0)


def background(seed=1, rows=27, columns=48, doubt=None):
    random = np.random.default_rng(seed)
    known = np.where(random.random((rows, columns)) > 0.2, 255, 0).astype(np.uint8)
    return Background(0.0, random.integers(0, 256, (rows, columns, 3), np.uint8), known, (11, 7, 7), doubt)


class TestWhatWasKnown:
    def test_who_was_seen_comes_back_in_the_pixels_of_any_size(self):
        tracks = (Track(7, Box(10, 20, 30, 60), (1.0, 2.0), 0.9, 0.25, 3.0, True, True),)
        found, lying = (Detection(Box(5, 5, 9, 9), 0.5, False),), (Detection(Box(1, 2, 3, 4), 0.4, True),)
        scene = Scene(1.0, tracks, found, width=200, height=100, lying=lying, looked_s=0.4)
        back = scene_of(sample(known(900, None, scene, background())), 400, 200)
        first = back.tracks[0]
        assert (first.number, first.box, first.velocity, first.seen_s, first.stands_out) == (7, Box(20, 40, 60, 120), (2, 4), 0.25, True)
        assert (back.detections[0].box, back.detections[0].stands_out) == (Box(10, 10, 18, 18), False)
        assert (back.lying[0].score, back.lying[0].stands_out, back.looked_s) == (0.4, True, 0.4)

    def test_a_record_of_format_1_is_read_as_it_was_written(self):
        old = ("a", "", 2, 2, b"x", [[7, 0.25, [0.1, 0.2, 0.3, 0.6]]], [[0.5, False, [0, 0, 1, 1]]])
        kept = msgspec.msgpack.decode(msgspec.msgpack.encode((900, *old[1:])), type=MaskSample)
        back = scene_of(kept, 100, 100)
        assert (back.tracks[0].box, back.tracks[0].velocity) == (Box(10, 20, 30, 60), (0, 0))
        assert not back.detections[0].stands_out, "what is not known to stand out keeps its box"

    def test_a_background_comes_back_but_for_steps_of_one(self):
        writer, reader = BackgroundWriter(), BackgroundReader()
        first = background(1)
        near = replace(first, picture=np.clip(first.picture.astype(int) + 1, 0, 255).astype(np.uint8))
        for number, one in enumerate((first, background(2), near, background(3))):
            kept = writer.write(number * 90_000, one)
            back = reader.read(msgspec.msgpack.decode(msgspec.msgpack.encode(kept), type=BackgroundSample))
            assert np.abs(back.picture.astype(int) - one.picture).max() <= 1
            assert (back.known == one.known).all()
            assert (back.at, back.tolerance, back.doubt) == (number, (11, 7, 7), None)

    def test_a_background_in_doubt_is_not_kept(self):
        assert known(0, None, Scene(0.0), background(doubt=Doubt.STARTING)).background is None
        assert known(0, None, Scene(0.0), background()).background is not None

    def test_the_same_background_is_written_once(self):
        writer, one = BackgroundWriter(), background()
        assert writer.write(0, one) is not None
        assert writer.write(90_000, one) is None

    @pytest.mark.parametrize(
        "change",
        [{"steps": b"rubbish"}, {"known": b""}, {"rows": 28}, {"columns": 1}, {"rows": -27}, {"rows": 10**6}, {"tolerance": (255, 7, 7)}],
    )
    def test_after_a_damaged_background_nothing_is_read(self, change):
        writer, reader = BackgroundWriter(), BackgroundReader()
        whole = writer.write(0, background(1))
        with pytest.raises(ValueError, match="damaged"):
            reader.read(msgspec.structs.replace(whole, **change))
        with pytest.raises(ValueError, match="damaged"):
            reader.read(writer.write(1, background(2)))

    def test_a_bomb_of_zeros_is_not_unpacked(self):
        bomb = zlib.compress(bytes(64 * 1024 * 1024), 9)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(ValueError, match="damaged"):
            BackgroundReader().read(BackgroundSample(0, 27, 48, (11, 7, 7), bomb, bomb))
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024

    def test_a_proof_of_format_1_comes_back_bit_by_bit(self):
        array = np.where(np.random.default_rng(1).random((27, 48)) > 0.4, 255, 0).astype(np.uint8)
        assert (proven(MaskSample(900, "", 27, 48, zlib.compress(np.packbits(array != 0).tobytes()))) == array).all()
        with pytest.raises(ValueError, match="length"):
            proven(MaskSample(900, "", 27, 48, zlib.compress(b"x")))


class TestFeed:
    def look(self, feed, pts, one, doubt=None):
        feed.analysed(known(pts, doubt, Scene(0.0, width=4, height=4), one))

    def piece(self, feed, pts):
        return feed.take([Fragment(1, b"x", True, (pts,), pts / 90_000)])[0]

    def test_one_background_a_second_is_kept_and_each_piece_has_the_one_in_force(self):
        feed = Feed(60.0)
        feed.take([Head(1, b"init", "h264", 4, 4)])
        ones = [background(seed) for seed in range(12)]
        for number, one in enumerate(ones):
            self.look(feed, number * 18_000, one)
        first = self.piece(feed, 0)
        kept = [look.background for look in first.analysed]
        assert [one is not None for one in kept] == [True, False, False, False, False] * 2 + [True, False]
        second = self.piece(feed, 12 * 18_000)
        assert second.background == (10 * 18_000, ones[10])
        assert len(first.gop(BackgroundWriter()).backgrounds) == 3
        assert len(second.gop(BackgroundWriter()).backgrounds) == 1
        writer = BackgroundWriter()
        first.gop(writer)
        assert second.gop(writer).backgrounds == (), "a clip has each background once"

    def test_after_a_doubt_the_first_background_is_kept_at_once_and_none_of_before(self):
        feed = Feed(60.0)
        feed.take([Head(1, b"init", "h264", 4, 4)])
        self.look(feed, 0, background(1))
        self.look(feed, 18_000, background(2, doubt=Doubt.CHANGED), Doubt.CHANGED)
        self.piece(feed, 18_000)
        assert self.piece(feed, 20_000).background is None
        self.look(feed, 36_000, after := background(3))
        assert self.piece(feed, 36_000).analysed[0].background is after

    def test_a_clip_that_ends_takes_nothing_from_what_is_collected_beside(self):
        feed = Feed(60.0)
        feed.take([Head(1, b"init", "h264", 4, 4)])
        self.look(feed, 0, background(1))
        feed.frame(0, 1.0)
        assert len(feed.rest().analysed) == 1
        piece = self.piece(feed, 0)
        assert (len(piece.analysed), list(piece.times)) == (1, [(0, 1.0)])

    def test_a_camera_that_sends_more_than_memory_is_for_has_fewer_seconds_before(self, monkeypatch):
        """MJPEG in 4K, or somebody who means harm: whole groups go, what is left can be opened."""
        monkeypatch.setattr(feeds, "MOST_BYTES", 10_000)
        feed = Feed(60.0)
        feed.take([Head(1, b"init", "mjpeg", 4, 4)])
        for n in range(200):
            feed.take([Fragment(1, b"x" * 999, n % 3 == 0, (n * 9000,), n / 10)])
            assert sum(len(piece.fragment.data) for piece in feed.pieces) <= 10_000
        assert feed.pieces[0].fragment.key
        assert feed.pieces[-1].fragment.at == 19.9
        assert feed.shortened > 60
        feed.take([Fragment(1, b"x" * 30_000, True, (200 * 9000,), 20.0)])
        assert len(feed.pieces) == 1, "what is needed to open what follows stays"

    def test_an_interruption_forgets_the_background(self):
        feed = Feed(60.0)
        feed.take([Head(1, b"init", "h264", 4, 4)])
        self.look(feed, 0, background(1))
        feed.clear()
        feed.take([Head(2, b"init", "h264", 4, 4)])
        assert feed.take([Fragment(2, b"x", True, (0,), 0.0)])[0].background is None


@pytest.fixture(scope="module")
def scene_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("scene") / "scene.mp4"
    write_scene(path, DrawnScene(160, 96, 2), 60)
    return path


class TestMuxer:
    def test_packets_become_fragments_that_hold_the_same_packets(self, scene_file):
        import io

        import av

        muxer = PacketMuxer()
        source = FileSource(SourceSettings(SourceKind.FILE, str(scene_file), realtime=False), SystemClock(), muxer.connection())
        frames = [frame.pts for frame in source.frames()]
        muxer.ended()
        head, *fragments = muxer.taken()
        assert isinstance(head, Head)
        assert (head.codec, head.width, head.height) == ("h264", 160, 96)
        assert [pts for part in fragments for pts in part.pts] == frames
        assert fragments[0].key

        def packets(container):
            return [bytes(packet) for packet in container.demux(video=0) if packet.size]

        with av.open(str(scene_file)) as original, av.open(io.BytesIO(head.data + b"".join(f.data for f in fragments))) as copy:
            assert packets(copy) == packets(original)

    def test_a_stream_that_does_not_fit_is_named_and_gives_nothing(self, tmp_path):
        write_scene(tmp_path / "a.mkv", DrawnScene(64, 48, 2), 8, codec="vp8")
        muxer = PacketMuxer()
        source = FileSource(SourceSettings(SourceKind.FILE, str(tmp_path / "a.mkv"), realtime=False), SystemClock(), muxer.connection())
        assert len(list(source.frames())) == 8
        assert muxer.problem
        assert not any(isinstance(part, Fragment) for part in muxer.taken())

    def test_what_failed_begins_again_with_the_next_keyframe(self, tmp_path, monkeypatch):
        # MPEG-4 with a keyframe every twelve pictures.
        write_scene(scene_file := tmp_path / "groups.mp4", DrawnScene(96, 64, 2), 60, codec="mpeg4")
        muxer, mux = PacketMuxer(), PacketMuxer._mux
        fails = {25, 26}
        source = FileSource(SourceSettings(SourceKind.FILE, str(scene_file), realtime=False), SystemClock(), muxer.connection())
        problems, count = [], 0

        def sometimes(self, packet, stamp):
            nonlocal count
            count += 1
            if count in fails:
                raise ValueError("the library does not take it")
            mux(self, packet, stamp)

        monkeypatch.setattr(PacketMuxer, "_mux", sometimes)
        for _ in source.frames():
            problems.append(muxer.problem)
        parts = muxer.finish(muxer.ended())
        assert "the library does not take it" in problems
        assert problems[-1] == "", "it records again, and does not say otherwise"
        heads = [n for n, part in enumerate(parts) if isinstance(part, Head)]
        assert len(heads) >= 2
        assert all(parts[n + 1].key for n in heads)
        assert parts[-1].pts[-1] == 59 * 9000
        before, after = parts[heads[-1] - 1].pts[-1], parts[heads[-1] + 1].pts[0]
        assert 0 < before < 24 * 9000 < after == 48 * 9000

    def test_a_camera_that_does_not_announce_its_parameter_sets_is_recorded(self, scene_file):
        """What the head of a clip needs stands in the keyframe."""
        import io

        import av
        from av.bitstream import BitStreamFilterContext

        sets = parameter_sets(b"", "h264"), parameter_sets(b"\0\0\0\1\x09\x10\0\0\1\x67ab\0\0\0\1\x68c\0\0\1\x65data", "h264")
        assert sets == (b"", b"\0\0\0\1\x67ab\0\0\0\1\x68c")
        assert parameter_sets(b"\0\0\1\x40\1v\0\0\1\x42\1s\0\0\1\x44\1p\0\0\1\x26\1i", "hevc").count(b"\0\0\0\1") == 3
        assert parameter_sets(b"\0\0\1\x67ab", "mjpeg") == b""
        target = io.BytesIO()
        with av.open(str(scene_file)) as source, av.open(target, "w", format="h264") as bare:
            stream = source.streams.video[0]
            filtered = BitStreamFilterContext("h264_mp4toannexb", stream)
            out = bare.add_stream_from_template(stream)
            for packet in source.demux(stream):
                for one in filtered.filter(packet if packet.size else None):
                    one.stream = out
                    bare.mux(one)
        muxer, connection = PacketMuxer(), None
        connection = muxer.connection()
        with av.open(io.BytesIO(target.getvalue()), format="h264") as camera:
            stream = camera.streams.video[0]
            connection.opened()
            for n, packet in enumerate(camera.demux(stream)):
                if packet.size:
                    packet.decode()
                    connection.take(packet_of(packet, stream), Stamp(n * 9000, n * 9000, n / 10))
        head, *fragments = muxer.finish(muxer.ended())
        assert (head.width, head.height) == (160, 96)
        with av.open(io.BytesIO(head.data + b"".join(part.data for part in fragments))) as copy:
            assert len(list(copy.decode(video=0))) == 60

    def test_pictures_that_are_each_a_keyframe_go_by_two_seconds_and_a_new_size_begins_a_new_file(self):
        import io

        import av

        muxer = PacketMuxer()
        connection = muxer.connection()
        connection.opened()
        for n in range(60):
            width, height = (96, 64) if n < 45 else (64, 48)
            data = still(width, height, n)
            connection.take(Packet(data, True, "mjpeg", width, height), Stamp(n * 9000, n * 9000, n / 10))
        parts = muxer.finish(muxer.ended())
        heads = [n for n, part in enumerate(parts) if isinstance(part, Head)]
        assert [(parts[n].codec, parts[n].width, parts[n].height) for n in heads] == [("mjpeg", 96, 64), ("mjpeg", 64, 48)]
        assert sum(isinstance(part, Fragment) for part in parts) <= 5
        assert all(part.key for part in parts if isinstance(part, Fragment))
        for head, until, count in ((0, heads[1], 45), (heads[1], len(parts), 15)):
            with av.open(io.BytesIO(b"".join(part.data for part in parts[head:until]))) as copy:
                assert [frame.width for frame in copy.decode(video=0)] == [parts[head].width] * count

    def test_packets_that_nobody_takes_are_bounded_and_what_is_left_can_be_played(self, scene_file, monkeypatch):
        settings = SourceSettings(SourceKind.FILE, str(scene_file), realtime=False)
        muxer = PacketMuxer()
        list(FileSource(settings, SystemClock(), muxer.connection()).frames())
        most = sum(len(part.data) for part in muxer.finish(muxer.ended())) + 5_000
        monkeypatch.setattr(ring, "_MOST_WAITING", most)
        muxer = PacketMuxer()
        for _ in range(4):
            list(FileSource(settings, SystemClock(), muxer.connection()).frames())
            generation = muxer.ended()
        parts = muxer.finish(generation)
        heads = [part.generation for part in parts if isinstance(part, Head)]
        assert heads == [1, 2, 3, 4]
        assert muxer.dropped > 0
        assert sum(len(part.data) for part in parts) <= most
        newest = [part for part in parts if part.generation == 4]
        assert newest[1].key
        assert newest[-1].pts[-1] == 59 * 9000

    def test_each_chunk_is_on_disk_before_it_is_said_to_be(self, tmp_path, monkeypatch):
        """A clip of which the power failure takes the last seconds is none: every chunk is synced after it was written."""
        steps = []
        sync = os.fdatasync

        def synced(number):
            steps.append(os.fstat(number).st_size)
            sync(number)

        monkeypatch.setattr("blickschutz.recording.io.clipfile.os.fdatasync", synced)
        people = reviewers()
        key, name = service.new_key(), "0" * 32
        header = ClipHeader(clip=name, installation="ab", camera="c", mode=ClipMode.SEALED, cause="x", opened=1.0)
        path = tmp_path / f"{name}.clip"
        writer = ClipWriter(path, header, service.seal_key(key, name, people), key, OPENING)
        sizes = [path.stat().st_size]
        for number in range(3):
            writer.add(Gop(data=bytes(1000), key=True, pts=(number,), times=(), masks=(), marks=()))
            writer.flush()
            sizes.append(path.stat().st_size)
        writer.close(CloseReason.OVER, 2.0)
        assert steps == [*sizes, path.stat().st_size]
        assert writer.size == path.stat().st_size

    def test_an_error_of_the_disk_that_is_no_error_of_the_system_ends_the_clip_whole_up_to_there(self, tmp_path, monkeypatch):
        key, name = service.new_key(), "0" * 32
        header = ClipHeader(clip=name, installation="ab", camera="c", mode=ClipMode.SEALED, cause="x", opened=1.0)
        path = tmp_path / f"{name}.clip"
        writer = ClipWriter(path, header, service.seal_key(key, name, reviewers()), key, OPENING)
        gop = Gop(data=bytes(1000), key=True, pts=(0,), times=(), masks=(), marks=())
        writer.add(gop)
        writer.flush()
        size = path.stat().st_size

        def fails(number):
            raise MemoryError

        monkeypatch.setattr("blickschutz.recording.io.clipfile.os.fdatasync", fails)
        writer.add(gop)
        with pytest.raises(MemoryError):
            writer.flush()
        with pytest.raises(DeviceError, match="cut off"):
            writer.close(CloseReason.FAULT, 2.0)
        assert path.stat().st_size == size
        reader = ClipReader(path, key)
        assert len(list(reader)) == 1
        assert reader.state is ClipState.CUT_OFF
        reader.close()


class Feeding:
    """A recorder that is fed with fragments of one second, by a clock that the test moves."""

    def __init__(self, folder, count=2, **settings):
        self.clock, self.news, self.folder, self.guard = ManualClock(), [], folder, Guard(SystemClock())
        self.recorder = Recorder(
            "vorplatz",
            RecordingSettings(**{"reserve_mb": 0, **settings}),
            self.clock,
            lambda head, mode: OPENING,
            self.news.append,
            self.guard,
        )
        self.sealing = certified_sealing(folder, count)
        self.second = 0
        self.recorder.take(ClipMode.SEALED, [Head(1, b"init", "h264", 64, 48)])

    def seconds(self, count, key=True):
        for _ in range(count):
            self.clock.sleep(1.0)
            self.second += 1
            part = Fragment(1, b"%d" % self.second, key, (self.second * 90_000,), self.clock.monotonic())
            self.recorder.frame(ClipMode.SEALED, self.second * 90_000, float(self.second))
            self.recorder.take(ClipMode.SEALED, [part])
            self.recorder.tick()

    def order(self, number=1, mode=ClipMode.SEALED, **more):
        self.recorder.order(Order(number=number, mode=mode, cause="person_down", sealing=self.sealing, **more))

    def heard(self, event, count=1):
        end = time.monotonic() + 5
        while len(found := [n for n in self.news if n.event is event]) < count:
            assert time.monotonic() < end, self.news
            time.sleep(0.01)
        return found


class TestRecorder:
    def test_the_seconds_before_and_after_are_in_the_clip(self, tmp_path, monkeypatch):
        key = service.new_key()
        monkeypatch.setattr("blickschutz.recording.io.job.new_key", lambda: key)
        feeding = Feeding(tmp_path, before_s=4, after_s=3)
        feeding.seconds(20)
        feeding.order()
        feeding.seconds(2)
        feeding.recorder.end(1)
        feeding.seconds(10)
        (closed,) = feeding.heard(ClipEvent.CLOSED)
        reader = ClipReader(tmp_path / f"{closed.clip}.clip", key)
        data = [int(g.data) for g in reader if g.data]
        assert reader.state is ClipState.WHOLE
        assert data[0] in {16, 17}
        assert data == list(range(data[0], 26))
        assert (closed.reason, closed.seconds) == ("over", len(data) - 1)
        assert feeding.recorder.recording is None
        reader.close()

    def test_a_minute_is_the_most_in_memory_and_a_clip_begins_with_a_key_picture(self, tmp_path, monkeypatch):
        key = service.new_key()
        monkeypatch.setattr("blickschutz.recording.io.job.new_key", lambda: key)
        feeding = Feeding(tmp_path, before_s=10)
        feeding.seconds(1)
        feeding.seconds(90, key=False)
        feed = feeding.recorder._feeds[ClipMode.SEALED]
        assert 59 <= len(feed.pieces) <= 61
        feeding.order()
        feeding.seconds(3, key=False)
        assert feeding.news == []
        feeding.seconds(2)
        feeding.recorder.close()
        (closed,) = feeding.heard(ClipEvent.CLOSED)
        reader = ClipReader(tmp_path / f"{closed.clip}.clip", key)
        assert [int(g.data) for g in reader if g.data] == [95, 96]
        reader.close()

    def test_hours_after_the_last_packet_nothing_of_it_enters_a_clip(self, tmp_path):
        feeding = Feeding(tmp_path)
        feeding.seconds(12)
        feeding.clock.time += 3 * 3600
        feeding.order(1)
        assert feeding.recorder.recording is ClipMode.SEALED
        assert feeding.recorder.writing is None, "it waits, and does not say that it records"
        assert feeding.recorder.gives_nothing(feeding.clock.time)
        feeding.seconds(1)
        assert feeding.recorder.writing is ClipMode.SEALED
        feeding.recorder.interrupted()
        assert feeding.heard(ClipEvent.CLOSED)[0].seconds < 2
        feeding.order(2)
        feeding.recorder.take(ClipMode.SEALED, [Head(2, b"init", "h264", 64, 48)])
        feeding.seconds(1)
        feeding.clock.time += 30
        assert feeding.recorder.writing is None, "into a clip of which nothing comes nothing is written"

    def test_a_clip_into_which_nothing_comes_for_a_minute_ends_and_its_order_waits(self, tmp_path):
        feeding = Feeding(tmp_path)
        feeding.seconds(2)
        feeding.order(1)
        feeding.clock.time += 59
        feeding.recorder.tick()
        assert len([n for n in feeding.news if n.event is ClipEvent.CLOSED]) == 0
        feeding.clock.time += 2
        feeding.recorder.tick()
        assert feeding.heard(ClipEvent.CLOSED)[0].closing is CloseReason.INTERRUPTED
        assert (feeding.recorder.recording, feeding.recorder.writing) == (ClipMode.SEALED, None)
        feeding.seconds(1)
        assert feeding.recorder.writing is ClipMode.SEALED
        feeding.recorder.close()

    def test_overlapping_orders_join_into_one_clip(self, tmp_path):
        feeding = Feeding(tmp_path, after_s=3)
        feeding.order(1)
        feeding.seconds(2)
        feeding.order(2)
        feeding.recorder.end(1)
        feeding.seconds(8)
        assert len(feeding.heard(ClipEvent.OPENED)) == 1
        feeding.recorder.end(2)
        feeding.seconds(8)
        assert feeding.heard(ClipEvent.CLOSED)[0].orders == (1, 2)
        assert len(list(tmp_path.glob("*.clip"))) == 1

    def test_all_orders_that_wait_for_a_stream_are_in_its_clip(self, tmp_path):
        feeding = Feeding(tmp_path, after_s=3)
        feeding.recorder.interrupted()
        feeding.order(1)
        feeding.order(2)
        feeding.recorder.take(ClipMode.SEALED, [Head(1, b"init", "h264", 64, 48)])
        feeding.seconds(2)
        (opened,) = feeding.heard(ClipEvent.OPENED)
        assert opened.orders == (1, 2)
        feeding.recorder.close()

    def test_an_order_that_never_had_a_stream_is_refused_as_soon_as_it_is_over(self, tmp_path):
        feeding = Feeding(tmp_path, after_s=3)
        feeding.recorder.interrupted()
        feeding.order(1, for_s=5)
        feeding.order(2)
        feeding.recorder.end(2)
        feeding.clock.sleep(4)
        feeding.recorder.tick()
        assert feeding.news == []
        feeding.clock.sleep(5)
        feeding.recorder.tick()
        assert [(news.refusal, news.orders) for news in feeding.news] == [(Refusal.FAULT, (1, 2))]
        feeding.recorder.tick()
        assert len(feeding.news) == 1
        assert feeding.recorder.recording is None

    def test_an_order_that_waits_is_refused_where_the_camera_is_stopped(self, tmp_path):
        feeding = Feeding(tmp_path)
        feeding.recorder.interrupted()
        feeding.order(1)
        feeding.recorder.interrupted(CloseReason.STOPPED)
        assert [news.orders for news in feeding.news] == [(1,)]

    def test_the_rest_of_a_cut_clip_is_no_refusal(self, tmp_path):
        feeding = Feeding(tmp_path, after_s=3)
        feeding.order(1, for_s=5)
        feeding.seconds(2)
        feeding.recorder.interrupted()
        feeding.clock.sleep(9)
        feeding.recorder.tick()
        feeding.heard(ClipEvent.CLOSED)
        assert [news.event for news in feeding.news] == [ClipEvent.OPENED, ClipEvent.CLOSED]

    def test_an_order_of_the_other_mode_takes_the_place_of_what_waits_and_says_so(self, tmp_path):
        feeding = Feeding(tmp_path)
        feeding.recorder.interrupted()
        feeding.order(1)
        feeding.order(2, ClipMode.ANONYMOUS)
        assert [news.orders for news in feeding.news] == [(1,)]
        assert feeding.recorder.recording is ClipMode.ANONYMOUS

    def test_a_clip_that_has_told_its_end_takes_no_order_and_another_follows(self, tmp_path, monkeypatch):
        feeding = Feeding(tmp_path)
        feeding.seconds(1)
        with monkeypatch.context() as broken:
            broken.setattr("blickschutz.recording.io.job.seal_key", lambda *some: (_ for _ in ()).throw(OSError("no room")))
            feeding.order(1)
            feeding.heard(ClipEvent.REFUSED)
        # It ends between the recorder's look at it and the order.
        monkeypatch.setattr(feeding.recorder, "tick", lambda: None)
        feeding.order(2)
        feeding.recorder.take(ClipMode.SEALED, [Fragment(1, b"1", True, (90_000,), feeding.clock.monotonic())])
        (opened,) = feeding.heard(ClipEvent.OPENED)
        assert opened.orders == (2,)
        feeding.recorder.close()

    def test_a_clip_has_a_longest_length_and_then_the_order_is_used_up(self, tmp_path):
        feeding = Feeding(tmp_path, most_s=5)
        feeding.order()
        feeding.seconds(20)
        assert feeding.heard(ClipEvent.CLOSED)[0].reason == "longest"
        assert len(list(tmp_path.glob("*.clip"))) == 1

    def test_an_interrupted_stream_ends_the_clip_and_the_order_goes_on(self, tmp_path):
        feeding = Feeding(tmp_path)
        feeding.order()
        feeding.seconds(2)
        feeding.recorder.interrupted()
        assert feeding.heard(ClipEvent.CLOSED)[0].reason == "interrupted"
        assert feeding.recorder.recording is ClipMode.SEALED
        feeding.recorder.take(ClipMode.SEALED, [Head(1, b"init", "h264", 64, 48)])
        feeding.seconds(2)
        feeding.heard(ClipEvent.OPENED, 2)
        feeding.recorder.interrupted(CloseReason.STOPPED)
        assert feeding.heard(ClipEvent.CLOSED, 2)[1].reason == "stopped"
        assert feeding.recorder.recording is None

    def test_an_order_of_the_other_mode_begins_a_clip_of_its_own(self, tmp_path):
        feeding = Feeding(tmp_path)
        feeding.order(1)
        feeding.seconds(2)
        feeding.order(2, ClipMode.ANONYMOUS)
        feeding.recorder.take(ClipMode.ANONYMOUS, [Head(1, b"init", "h264", 64, 48)])
        feeding.recorder.take(ClipMode.ANONYMOUS, [Fragment(1, b"x", True, (0,), 0.0)])
        feeding.heard(ClipEvent.OPENED, 2)
        feeding.recorder.close()
        assert {n.mode for n in feeding.heard(ClipEvent.CLOSED, 2)} == {ClipMode.SEALED, ClipMode.ANONYMOUS}

    def test_with_one_reviewer_nothing_is_recorded_and_it_is_said(self, tmp_path):
        feeding = Feeding(tmp_path, count=1)
        feeding.order()
        feeding.seconds(2)
        assert "at least two different people" in feeding.heard(ClipEvent.REFUSED)[0].reason
        assert list(tmp_path.glob("*")) == []
        feeding.seconds(2)
        assert feeding.recorder.recording is None

    def refused(self, feeding, sealing):
        before = len([one for one in feeding.news if one.event is ClipEvent.REFUSED])
        feeding.sealing = sealing
        feeding.order(number=before + 2)
        feeding.seconds(1)
        told = feeding.heard(ClipEvent.REFUSED, before + 1)[-1]
        assert told.refusal is Refusal.REGISTER
        assert list(feeding.folder.glob("*.clip")) == []
        feeding.seconds(1)
        return told.reason

    def test_the_cell_seals_for_nobody_that_others_did_not_vouch_for(self, tmp_path):
        feeding = Feeding(tmp_path)
        honest, other = certified_sealing(tmp_path), certified_sealing(tmp_path)
        swapped = Reviewer("kvd-1", other.reviewers[1].public)
        assert "kvd-1" in self.refused(feeding, msgspec.structs.replace(honest, reviewers=(honest.reviewers[0], swapped)))
        added = (*honest.reviewers, Reviewer("kvd-9", other.reviewers[0].public))
        assert "kvd-9" in self.refused(feeding, msgspec.structs.replace(honest, reviewers=added))
        assert "unpinned" in self.refused(feeding, msgspec.structs.replace(honest, root=""))
        assert "empty" in self.refused(feeding, msgspec.structs.replace(honest, register=()))
        assert "another root" in self.refused(feeding, msgspec.structs.replace(other, root=honest.root))
        assert "another root" in self.refused(feeding, msgspec.structs.replace(honest, installation="cd"))

    def test_the_cell_keeps_its_root_and_a_register_only_grows(self, tmp_path):
        people = [keyed(f"kvd-{number}") for number in range(3)]
        book = Book(people[:2])
        honest = Sealing("ab", str(tmp_path / "sealed"), (people[0].reviewer, people[2].reviewer), (), book.root)
        for one in people[:2]:
            book.confirm(one, people[2])
        feeding = Feeding(tmp_path)
        feeding.sealing = msgspec.structs.replace(honest, register=tuple(book.lines))
        feeding.order()
        feeding.seconds(2)
        feeding.recorder.close()
        assert len(list((tmp_path / "sealed").glob("*.clip"))) == 1
        book.revoke("kvd-2")
        latest = msgspec.structs.replace(honest, register=tuple(book.lines), folder=str(tmp_path))
        assert "kvd-2" in self.refused(feeding, latest)
        founders = tuple(one.reviewer for one in people[:2])
        cut = msgspec.structs.replace(latest, register=tuple(book.lines[:2]), reviewers=founders)
        assert "missing" in self.refused(feeding, cut)
        assert "another one than before" in self.refused(feeding, certified_sealing(tmp_path))
        pinned = Feeding(tmp_path, root="ab" * 32)
        assert "another one than before" in self.refused(pinned, certified_sealing(tmp_path))

    def test_without_room_on_the_disk_nothing_is_begun_and_what_runs_is_closed_whole(self, tmp_path, monkeypatch):
        import shutil

        feeding = Feeding(tmp_path, reserve_mb=10)
        feeding.order()
        feeding.seconds(3)
        feeding.heard(ClipEvent.OPENED)
        usage = shutil.disk_usage(tmp_path)
        monkeypatch.setattr("blickschutz.recording.io.job.shutil.disk_usage", lambda path: usage._replace(free=5 * 1024 * 1024))
        feeding.seconds(3)
        assert "10 MB must stay free" in feeding.heard(ClipEvent.CLOSED)[0].reason
        feeding.order(2)
        feeding.seconds(3)
        assert "10 MB must stay free" in feeding.heard(ClipEvent.REFUSED)[0].reason
        assert len(list(tmp_path.glob("*.clip"))) == 1

    def test_a_disk_that_cannot_be_written_is_told(self, tmp_path):
        feeding = Feeding(Path("/proc/blickschutz"))
        feeding.order()
        feeding.seconds(2)
        assert "/proc/blickschutz" in feeding.heard(ClipEvent.REFUSED)[0].reason
        feeding.seconds(1)
        assert feeding.recorder.recording is None

    def test_marks_and_proofs_are_in_the_clip(self, tmp_path, monkeypatch):
        key = service.new_key()
        monkeypatch.setattr("blickschutz.recording.io.job.new_key", lambda: key)
        feeding = Feeding(tmp_path)
        feeding.recorder.analysed(5, Doubt.STARTING, Scene(0.0, width=4, height=4), background(1, doubt=Doubt.STARTING))
        feeding.recorder.analysed(9, None, Scene(0.0, width=4, height=4), background(2))
        feeding.recorder.mark(Mark(1.0, "person_down", "all", True, {"seconds": 2.0}))
        feeding.seconds(1)
        feeding.order()
        feeding.recorder.close()
        (closed,) = feeding.heard(ClipEvent.CLOSED)
        reader = ClipReader(tmp_path / f"{closed.clip}.clip", key)
        first = next(iter(reader))
        assert first.masks == (MaskSample(5, "starting"), MaskSample(9, ""))
        assert [one.pts for one in first.backgrounds] == [9]
        assert first.marks[0].kind == "person_down"
        reader.close()


class BadPiece(Piece):
    """Its proof cannot be packed."""

    def gop(self, backgrounds):
        raise ValueError("a proof that cannot be packed")


class TestFaults:
    """What was not foreseen, and a disk that is too slow: told with a typed reason, and never for ever 'recording'."""

    def test_an_error_that_was_not_foreseen_closes_the_clip_and_another_is_begun(self, tmp_path, monkeypatch):
        key = service.new_key()
        monkeypatch.setattr("blickschutz.recording.io.job.new_key", lambda: key)
        feeding = Feeding(tmp_path, before_s=4)
        feeding.seconds(3)
        feeding.order()
        feeding.seconds(2)
        bad = Fragment(1, b"bad", True, (1,), feeding.clock.monotonic())
        feeding.recorder._job.add(BadPiece(bad))
        (closed,) = feeding.heard(ClipEvent.CLOSED)
        assert closed.closing is CloseReason.FAULT
        assert closed.reason.startswith("fault: ValueError at test_recording.py:")
        assert "packed" not in closed.reason
        reader = ClipReader(tmp_path / f"{closed.clip}.clip", key)
        assert len(list(reader)) == 5
        assert (reader.state, reader.closing.reason) == (ClipState.WHOLE, CloseReason.FAULT)
        reader.close()
        feeding.seconds(2)
        feeding.heard(ClipEvent.OPENED, 2)
        assert feeding.recorder.recording is ClipMode.SEALED
        assert (feeding.guard.states()[0].name, feeding.guard.states()[0].failures) == ("clip", 1)
        feeding.recorder.close()

    def test_an_order_is_given_up_after_three_clips_that_failed(self, tmp_path, monkeypatch):
        monkeypatch.setattr("blickschutz.recording.io.job.ClipWriter.add", lambda self, gop: 1 // 0)
        feeding = Feeding(tmp_path)
        feeding.order()
        for count in (1, 2, 3):
            feeding.seconds(1)
            feeding.heard(ClipEvent.CLOSED, count)
            feeding.recorder.tick()
        feeding.seconds(5)
        assert feeding.recorder.recording is None
        assert [news.closing for news in feeding.news if news.event is ClipEvent.CLOSED] == [CloseReason.FAULT] * 3
        assert all(news.orders == (1,) for news in feeding.news)

    def test_an_error_before_the_clip_is_there_is_told_as_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr("blickschutz.recording.io.job.seal_key", lambda *some: 1 // 0)
        feeding = Feeding(tmp_path)
        feeding.order()
        feeding.seconds(1)
        (refused,) = feeding.heard(ClipEvent.REFUSED)
        assert refused.refusal is Refusal.FAULT
        assert refused.orders == (1,)

    def test_refusals_have_typed_reasons(self, tmp_path):
        feeding = Feeding(tmp_path, count=1)
        feeding.order()
        feeding.seconds(1)
        assert feeding.heard(ClipEvent.REFUSED)[0].refusal is Refusal.REVIEWERS
        feeding = Feeding(tmp_path, reserve_mb=10**9)
        feeding.order()
        feeding.seconds(1)
        assert feeding.heard(ClipEvent.REFUSED)[0].refusal is Refusal.DISK

    @pytest.mark.parametrize("rate", [1, 25, 60])
    def test_cameras_that_send_only_keyframes_are_recorded(self, tmp_path, monkeypatch, rate):
        """Far more groups of pictures lie in memory at the order than the disk takes at once."""
        key = service.new_key()
        monkeypatch.setattr("blickschutz.recording.io.job.new_key", lambda: key)
        feeding = Feeding(tmp_path, before_s=20)
        number = 0

        def send(seconds):
            nonlocal number
            for _ in range(seconds * rate):
                number += 1
                feeding.clock.sleep(1 / rate)
                part = Fragment(1, b"%d" % number, True, (number * 90_000 // rate,), feeding.clock.monotonic())
                feeding.recorder.take(ClipMode.SEALED, [part])
                feeding.recorder.tick()

        send(25)
        feeding.order()
        send(2)
        feeding.recorder.close()
        (closed,) = feeding.heard(ClipEvent.CLOSED)
        assert (closed.closing, closed.reason) == (CloseReason.STOPPED, "stopped")
        reader = ClipReader(tmp_path / f"{closed.clip}.clip", key)
        data = [int(g.data) for g in reader if g.data]
        assert data == list(range(data[0], 27 * rate + 1))
        assert len(data) >= 22 * rate
        reader.close()

    def test_a_disk_that_is_too_slow_for_the_camera_is_told_as_that_and_what_waited_is_kept(self, tmp_path, monkeypatch):
        key, go, sync = service.new_key(), threading.Event(), os.fdatasync
        monkeypatch.setattr("blickschutz.recording.io.job.new_key", lambda: key)
        monkeypatch.setattr(job, "MOST_WAITING", 60)
        feeding = Feeding(tmp_path, before_s=5, most_s=1000)
        feeding.seconds(20)
        feeding.order()
        feeding.heard(ClipEvent.OPENED)
        until(lambda: feeding.recorder._job._backlog.is_empty)

        def hangs(number):
            go.wait(10)
            sync(number)

        monkeypatch.setattr("blickschutz.recording.io.clipfile.os.fdatasync", hangs)
        feeding.seconds(80)
        assert feeding.recorder.recording is ClipMode.SEALED, "other clips were tried, up to the most"
        assert len(feeding.recorder._unfinished) <= 3
        go.set()
        closed = feeding.heard(ClipEvent.CLOSED)[0]
        assert (closed.closing, closed.reason) == (CloseReason.BEHIND, "behind")
        reader = ClipReader(tmp_path / f"{closed.clip}.clip", key)
        data = [int(g.data) for g in reader if g.data]
        assert data == list(range(data[0], data[0] + len(data)))
        assert len(data) > 25
        assert reader.state is ClipState.WHOLE
        reader.close()

    def test_a_disk_that_stands_still_holds_three_clips_and_then_orders_are_refused(self, tmp_path, monkeypatch):
        go, sync = threading.Event(), os.fdatasync
        monkeypatch.setattr("blickschutz.recording.io.clipfile.os.fdatasync", lambda number: go.wait(10) and sync(number))
        feeding = Feeding(tmp_path, most_s=3)
        for number in range(1, 5):
            feeding.order(number)
            feeding.seconds(5)
        (refused,) = feeding.heard(ClipEvent.REFUSED)
        assert (refused.refusal, refused.orders) == (Refusal.BEHIND, (4,))
        go.set()
        assert all(news.closing is CloseReason.LONGEST for news in feeding.heard(ClipEvent.CLOSED, 3))
        feeding.order(5)
        feeding.seconds(1)
        feeding.heard(ClipEvent.OPENED, 4)
        feeding.recorder.close()

    def test_the_last_of_one_stream_and_the_head_of_the_next_come_together(self, tmp_path, monkeypatch):
        key = service.new_key()
        monkeypatch.setattr("blickschutz.recording.io.job.new_key", lambda: key)
        feeding = Feeding(tmp_path)
        feeding.order()
        feeding.seconds(2)
        now = feeding.clock.monotonic()
        old, head = Fragment(1, b"3", True, (270_000,), now), Head(2, b"init", "h264", 64, 48)
        feeding.recorder.take(ClipMode.SEALED, [old, head, Fragment(2, b"100", True, (0,), now)])
        (closed,) = feeding.heard(ClipEvent.CLOSED)
        reader = ClipReader(tmp_path / f"{closed.clip}.clip", key)
        assert [int(g.data) for g in reader if g.data] == [1, 2, 3]
        reader.close()
        assert closed.closing is CloseReason.INTERRUPTED
        feeding.heard(ClipEvent.OPENED, 2)
        feeding.recorder.close()


def until(true, seconds=45.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.005)
