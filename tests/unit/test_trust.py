"""Pictures that rest on something missing or damaged are not given out, and those of the next group are: whatever is lost, wherever."""

from __future__ import annotations

import random
import struct
from collections import Counter
from fractions import Fraction
from functools import cache

import av
import numpy as np
import pytest
from benchmarks import damage

from blickschutz.guard.service import Guard
from blickschutz.ingest.io.decoders import Decoders, StreamDecoder
from blickschutz.ingest.io.trusted import TrustedDecoder
from blickschutz.ingest.rules.bitstream import Look, looking
from blickschutz.ingest.rules.gaps import Gaps
from blickschutz.ingest.rules.trust import Trust
from blickschutz.kernel.devices import Decoding
from tests.fakes.clock import ManualClock

WHOLE, BEGINS = Look(), Look(clean=True)
ENCODERS = ["H.264", "H.264, B-pictures, open groups", "H.265", "H.265, B-pictures, open groups"]
CODECS = {"libx264": "h264", "libx265": "hevc"}
SIDE = 96


@cache
def coded(name):
    encoder, options = damage.ENCODERS[name]
    made = damage.encoded(damage.footage(None, SIDE, SIDE, 76), encoder, dict(options))
    return tuple(made), damage.decode_all(made, CODECS[encoder]), CODECS[encoder]


def packet(payload, number, stamp=0, channel=0):
    head = struct.pack(">BBHII", 0x80, 96, number, stamp, 7)
    return b"$" + bytes([channel]) + struct.pack(">H", len(head + payload)) + head + payload


def body(seed, size=100):
    return b"\x41" + random.Random(seed).randbytes(size)


class TestStreams:
    """Real streams of x264 and x265, drawn."""

    @pytest.mark.parametrize("name", ENCODERS)
    def test_what_a_network_loses_is_never_seen(self, name):
        made, clean, codec = coded(name)
        found, chance = Counter(), random.Random(name)
        for kind in damage.NETWORK:
            found += damage.try_once(made, clean, codec, kind, chance)
        assert found["damaged now"] == 0
        assert found["later"] > 0
        assert found["withheld later"] == 0, "and what comes after the next keyframe is"

    @pytest.mark.parametrize("name", ENCODERS[:2])
    def test_a_picture_of_h264_that_was_left_out_or_broken_off_is_noticed_without_any_number(self, name):
        made, clean, codec = coded(name)
        found, chance = Counter(), random.Random(name)
        for kind in ("picture left out", "broken off", "broken off"):
            found += damage.try_once(made, clean, codec, kind, chance)
        assert (found["damaged now"], found["withheld later"]) == (0, 0)

    def test_a_picture_of_h265_that_others_rest_on_is_noticed(self):
        made, clean, codec = coded("H.265")
        found = damage.try_once(made, clean, codec, "picture left out", random.Random(2))
        assert (found["damaged now"], found["withheld later"]) == (0, 0)

    @pytest.mark.parametrize("name", ENCODERS)
    def test_nothing_is_withheld_of_a_whole_stream(self, name):
        made, clean, codec = coded(name)
        decoder = damage.decoder_of(codec)
        given = damage.given_out(made, decoder)
        assert sorted(given) == sorted(clean)
        assert list(given) == sorted(given), "in their order"
        assert all(np.array_equal(damage.planes_of(given[pts])[0], clean[pts]) for pts in clean)
        assert (decoder.withheld, decoder.doubtful_s) == (0, 0.0)

    def test_without_reordering_no_picture_waits(self):
        made, _, codec = coded("H.264")
        decoder = damage.decoder_of(codec)
        for one in made[:30]:
            assert [frame.pts for frame in decoder.decode(as_packet(one))] == [one.pts]

    def test_a_gap_that_is_known_before_its_packets_come_ends_with_the_keyframe_behind_it(self):
        """However many pictures wait: here up to two groups and a half, of which one begins before what is missing."""
        made, _, codec = coded("H.264")
        lost = {(26, 0)}
        for ahead in (0, 1, 4, 60):
            network = damage.Network(made, False, lost, ahead)
            given = damage.given_out(network, damage.decoder_of(codec, network.gaps))
            # Not even the keyframe before it, whole as it is: had it ended the doubt, so might one before what no decoder notices.
            assert not set(range(25, 50)) & set(given)
            assert set(range(50, 76)) <= set(given)
            assert set(range(25 - ahead)) <= set(given)

    def test_a_stream_that_refreshes_itself_is_whole_again_where_it_says_so(self):
        frames = damage.footage(None, SIDE, SIDE, 90)
        made = damage.encoded(frames, "libx264", {"preset": "veryfast", "x264-params": "intra-refresh=1:keyint=10:bframes=0"})
        clean = damage.decode_all(made, "h264")
        sight = looking("h264", b"")
        assert sum(sight.take(one.data, one.key).clean for one in made) == 1, "it has one keyframe alone"
        network = damage.Network(made, False, {(30, 0)}, 0)
        given = damage.given_out(network, damage.decoder_of("h264", network.gaps))
        assert not [pts for pts, frame in given.items() if damage.is_damaged(frame, clean[pts])]
        assert 30 not in given
        assert set(range(60, 90)) <= set(given)

    def test_one_that_never_says_so_is_not_believed_any_more_and_for_how_long_is_known(self):
        made, _, _ = coded("H.264")
        clock, context = ManualClock(0.0), av.CodecContext.create("h264", "r")
        decoders = Decoders(Decoding.SOFTWARE, Guard(clock), clock)
        decoder = TrustedDecoder(StreamDecoder(context, decoders), b"", clock, gaps := Gaps())
        for one in made[:10]:
            decoder.decode(as_packet(one))
        gaps.take_all(packet(body(1), 1) + packet(body(2), 3))
        assert (gaps.count, decoder.doubtful_s) == (1, 0.0)
        for one in made[10:20]:
            assert decoder.decode(as_packet(one)) == []
            clock.sleep(1.0)
        assert (decoder.withheld, decoder.doubtful_s) == (10, 10.0)
        assert decoders.withheld == 10

    @pytest.mark.parametrize("name", ["H.264", "H.265"])
    def test_what_is_withheld_is_counted_over_all_connections_of_a_cell(self, name):
        """Also what the decoder passes over in silence: of H.265 that is all that rests on a picture that is missing."""
        made, _, codec = coded(name)
        clock = ManualClock(0.0)
        decoders = Decoders(Decoding.SOFTWARE, Guard(clock), clock)
        whole, broken = list(made[:40]), [*made[:10], *made[12:40]]
        missing = []
        for pictures in (whole, broken, broken):
            decoder = TrustedDecoder(StreamDecoder(av.CodecContext.create(codec, "r"), decoders), b"", clock)
            missing.append(len(pictures) - len(damage.given_out(pictures, decoder)))
            assert decoders.withheld == sum(missing)
        assert missing[0] == 0 < missing[1] == missing[2]


def as_packet(one):
    made = av.Packet(one.data)
    made.pts, made.is_keyframe, made.time_base = one.pts, one.key, Fraction(1, 25)
    return made


class TestGaps:
    def test_a_gap_lies_where_the_packets_behind_it_are(self):
        gaps = Gaps()
        gaps.take_all(packet(body(1), 1, 10) + packet(body(2), 2, 10) + packet(body(4), 4, 20) + packet(body(5), 5, 30))
        assert (gaps.count, gaps.waiting) == (1, True)
        assert gaps.found(body(1)) is gaps.found(body(2)) is None
        assert gaps.found(b"...." + body(4)) is False
        assert not gaps.waiting

    @pytest.mark.parametrize(
        "head", [b"\x67ab", b"\x09\xf0", b"\x78\0\x20\x67", b"\x40\x01\x0c", b"\x42\x01", b"\x46\x01", b"\x60\x01\0\x20\x40"]
    )
    def test_a_picture_that_begins_behind_the_gap_lacks_nothing(self, head):
        gaps = Gaps()
        gaps.take_all(packet(body(1), 1, 10) + packet(head + bytes(20), 3, 20) + packet(body(4), 4, 20))
        assert gaps.found(body(4)) is True

    def test_nor_does_the_one_after_it(self):
        gaps = Gaps()
        gaps.take_all(packet(body(1), 1, 10) + packet(b"\x41short", 3, 20) + packet(body(4), 4, 30))
        assert gaps.found(body(4)) is True

    def test_the_newest_gap_of_a_picture_counts(self):
        gaps = Gaps()
        gaps.take_all(packet(body(1), 1, 10) + packet(b"\x67" + body(3), 3, 20) + packet(body(5), 5, 20))
        assert gaps.found(body(3) + body(5)) is False

    def test_what_is_forgotten_is_not_found(self):
        gaps = Gaps()
        gaps.take_all(packet(body(1), 1) + packet(body(3), 3) + packet(body(5), 5))
        gaps.forget(1)
        assert gaps.waiting
        gaps.forget(2)
        assert not gaps.waiting

    def test_a_camera_that_counts_wrongly_tells_nothing(self):
        gaps = Gaps()
        for _ in range(49):
            gaps.take(packet(body(1), 0), 0)
        assert gaps.tells
        gaps.take(packet(body(1), 0), 0)
        assert not gaps.tells
        lossy = Gaps()
        for number in range(200):
            if number % 4:
                lossy.take(packet(body(1), number), 0)
        assert (lossy.count, lossy.tells) == (49, True), "a quarter is lost"


class TestTrust:
    """Pictures by their times; what comes out is handed in as the decoder gives it."""

    def run(self, *steps):
        trust, given = Trust(), []
        for step in steps:
            match step:
                case "missing":
                    trust.missing()
                case "failed":
                    trust.failed()
                case (pts, Look() as look):
                    trust.coded(pts, look)
                case list():
                    given += trust.shown([(pts, damaged, pts) for pts, damaged in step])
        return given + trust.rest()

    def test_what_is_missing_counts_until_the_next_beginning(self):
        in_order = [(0, BEGINS), [(0, False)], "missing", (1, WHOLE), [(1, False)], (2, WHOLE), [(2, False)], (3, BEGINS), [(3, False)]]
        assert self.run(*in_order) == [0, 3]

    def test_one_that_the_decoder_calls_damaged_takes_with_it_what_rests_on_it(self):
        """Also what is shown before it: B-pictures come out first, and wait for what they rest on."""
        steps = [(0, BEGINS), (3, WHOLE), (1, WHOLE), [(0, False)], (2, WHOLE), [(1, False)], (6, WHOLE), [(2, False)]]
        assert self.run(*steps, (4, WHOLE), [(3, True)], (5, WHOLE), [(4, False)]) == [0]
        assert self.run(*steps, (4, WHOLE), [(3, False)], (5, WHOLE), [(4, False)]) == [0, 1, 2, 3, 4]

    def test_leading_pictures_of_an_open_group_rest_on_the_one_before(self):
        steps = [(0, BEGINS), (1, WHOLE), [(0, False)], (4, BEGINS), [(1, True)], (2, WHOLE), [(2, False)], (5, WHOLE), [(4, False)]]
        assert self.run(*steps, [(5, False)]) == [0, 4, 5]
        late = [(0, BEGINS), [(0, False)], "missing", (1, WHOLE), (4, BEGINS), [(1, False)], (2, WHOLE), [(2, False), (4, False)]]
        assert self.run(*late) == [0, 4]

    def test_a_refused_packet_is_a_doubt(self):
        assert self.run((0, BEGINS), [(0, False)], (1, WHOLE), "failed", (2, WHOLE), [(2, False)], (3, BEGINS), [(3, False)]) == [0, 3]

    def test_what_never_comes_is_counted_where_something_is_missing(self):
        """Elsewhere two coded pictures may be the fields of one."""
        for each_comes, counted in ((False, 1), (True, 2)):
            trust = Trust(each_comes=each_comes)
            for pts, missing in ((0, False), (1, False), (2, False), (3, True), (4, False)):
                if missing:
                    trust.missing()
                trust.coded(pts, BEGINS if pts in {0, 4} else WHOLE)
            assert trust.shown([(0, False, 0), (2, False, 2), (4, False, 4)]) == [0, 2, 4]
            assert trust.withheld == counted

    def test_nobody_waits_for_it_to_be_counted(self):
        trust = Trust()
        trust.coded(0, BEGINS)
        trust.missing()
        for pts in range(1, 101):
            trust.coded(pts, WHOLE)
        assert trust.withheld == 100 - 63 - 1
        assert trust.rest() == []
        assert trust.withheld == 100

    def test_a_stream_recovers_after_as_many_steps_as_it_says(self):
        recovers, held = Look(recovers_in=2), Look(step=False)
        steps = [(0, BEGINS), [(0, False)], "missing", (1, WHOLE), [(1, False)], (2, recovers), [(2, False)], (3, held), [(3, False)]]
        assert self.run(*steps, (4, WHOLE), [(4, False)], (5, WHOLE), [(5, False)], (6, WHOLE), [(6, False)]) == [0, 5, 6]
        assert self.run(*steps, "missing", (4, WHOLE), [(4, False)], (5, WHOLE), [(5, False)]) == [0], "a new gap begins anew"

    def test_pictures_without_times_go_by_the_doubts_of_now(self):
        assert self.run((None, BEGINS), [(None, False)], "missing", (None, WHOLE), [(None, False)]) == [None]

    def test_nothing_waits_for_long(self):
        trust = Trust()
        trust.coded(0, BEGINS)
        trust.coded(1000, WHOLE)
        given = []
        for pts in range(1, 30):
            trust.coded(pts, WHOLE)
            given += trust.shown([(pts, False, pts)])
        assert given == list(range(1, 14))


class TestBitstream:
    @pytest.mark.parametrize("codec", ["h264", "hevc", "mpeg4"])
    @pytest.mark.parametrize("seed", range(40))
    def test_rubbish_raises_nothing(self, codec, seed):
        chance = random.Random(seed)
        for extradata in (b"", b"\1" + chance.randbytes(60), b"\0\0\1\x67" + chance.randbytes(chance.randrange(40))):
            sight = looking(codec, extradata)
            for _ in range(10):
                sight.take(b"\0\0\1" + bytes([chance.choice((0x06, 0x67, 0x68, 0x41, 0x65, 0x4E, 0x26))]) + chance.randbytes(30), False)
                sight.take(chance.randbytes(chance.randrange(40)), True)

    def test_other_codecs_are_what_the_container_says(self):
        sight = looking("mjpeg", b"")
        assert [sight.take(b"", marked).clean for marked in (True, False)] == [True, False]

    @pytest.mark.parametrize(("encoder", "codec"), [("libx264", "h264"), ("libx265", "hevc")])
    def test_a_file_with_lengths_instead_of_start_codes(self, encoder, codec, tmp_path):
        name = {"h264": "H.264", "hevc": "H.265"}[codec]
        path = tmp_path / "clip.mp4"
        options = dict(damage.ENCODERS[name][1])
        with av.open(str(path), "w") as writer:
            stream = writer.add_stream(encoder, rate=25, options=options)
            stream.width = stream.height = SIDE
            stream.pix_fmt = "yuv420p"
            for frame in damage.footage(None, SIDE, SIDE, 52):
                writer.mux(stream.encode(frame))
            writer.mux(stream.encode(None))
        with av.open(str(path)) as reader:
            video = reader.streams.video[0]
            sight = looking(video.codec_context.name, bytes(video.codec_context.extradata))
            looks = [sight.take(bytes(one), one.is_keyframe) for one in reader.demux(video) if one.size]
        assert [index for index, one in enumerate(looks) if one.clean] == [0, 25, 50]
        assert not any(one.lost for one in looks)
        if codec == "h264":
            assert len({one.step for one in looks}) == 1, "its parameter sets were read"
