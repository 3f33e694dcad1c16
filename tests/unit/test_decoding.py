"""What decodes a stream: the device that is asked for where it gives the same pictures; else software, without a picture lost, and said.

No device is at hand here. What stands for one is a second decoder of the library, which fails, hangs, lies or refuses as a test says; the
way through thread, comparison and taking up again is the real one.
"""

from __future__ import annotations

import re
import struct
import threading
import time
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import av
import av.error
import msgspec
import numpy as np
import pytest

from blickschutz.bootstrap.cells import cell_settings
from blickschutz.bootstrap.system import other_decoders
from blickschutz.bootstrap.units import Setting, units
from blickschutz.compliance.documents.pack import pack
from blickschutz.config.loader import load_site
from blickschutz.control.service.blame import device_to_blame
from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.guard.service import Guard
from blickschutz.ingest.io import decoders as module
from blickschutz.ingest.io import hardware
from blickschutz.ingest.io.decoders import Decoders, StreamDecoder
from blickschutz.ingest.io.frames import raw_frame
from blickschutz.ingest.io.planes import planes_of
from blickschutz.ingest.io.sources import open_source
from blickschutz.ingest.model import SourceKind, SourceSettings
from blickschutz.ingest.rules.beside import ENOUGH, Comparison, difference, judged
from blickschutz.ingest.rules.gaps import Gaps
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.devices import Decoding, Device, InUse
from blickschutz.kernel.errors import SettingsError, StreamEndedError
from blickschutz.pipeline.messages import CellSettings, Health
from blickschutz.pipeline.profile import profile_of
from blickschutz.zones import hardening, profiles
from blickschutz.zones.model import Right, Wall
from tests.conftest import ROOT
from tests.fakes.clock import ManualClock
from tests.unit.test_documents import as_text
from tests.unit.test_policy import SITE, whole

GROUP = 15


@cache
def encoded(codec="libx264", count=90, width=160, height=120, group=GROUP) -> tuple[bytes, ...]:
    context = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt, context.time_base = width, height, "yuv420p", Fraction(1, 25)
    context.gop_size, context.thread_count = group, 1
    quiet = {"x265-params": f"log-level=none:keyint={group}:pools=none"} if codec == "libx265" else {}
    context.options = {"preset": "ultrafast", **quiet}
    scene = DrawnScene(width, height, 3, walkers=3)
    made = []
    for index in range(count):
        frame = av.VideoFrame.from_ndarray(scene.picture(index).i420(), format="yuv420p")
        frame.pts = index
        made += context.encode(frame)
    return tuple((bytes(one), one.pts, one.is_keyframe) for one in [*made, *context.encode(None)])


def packets(**options):
    made = []
    for data, pts, key in encoded(**options):
        packet = av.Packet(data)
        packet.pts, packet.is_keyframe = pts, key
        made.append(packet)
    return made


def software(codec="h264"):
    context = av.CodecContext.create(codec, "r")
    context.thread_count = 1
    return context


class Twisted:
    """Software in a device's place. From its `at`-th packet on: `then` is done, and `change` made of its pictures."""

    def __init__(self, at=10**6, then=lambda: None, change=lambda frames: frames, codec="h264"):
        self.decoder, self.at, self.then, self.change, self.count = software(codec), at, then, change, 0

    def decode(self, packet):
        self.count += 1
        if self.count >= self.at:
            self.then()
        frames = self.decoder.decode(packet)
        return self.change(frames) if self.count >= self.at else frames

    def flush_buffers(self):
        self.decoder.flush_buffers()


def decoders_with(twisted, wanted=Decoding.NVDEC, clock=None):
    """`twisted` as the device; of more than one each in turn."""
    several = iter(twisted if isinstance(twisted, list) else [twisted])

    def opener(device, mine):
        one = next(several)
        if isinstance(one, BaseException):
            raise one
        return one

    return Decoders(wanted, Guard(SystemClock()), clock or SystemClock(), opener)


def decoded(decoders, made=None, each=lambda index, decoder: None, codec="h264"):
    """The pictures of all packets; opening is waited for, since nothing here comes in real time."""
    decoder = StreamDecoder(software(codec), decoders)
    frames = []
    for index, packet in enumerate(made or packets()):
        each(index, decoder)
        try:
            frames += decoder.decode(packet)
        except av.error.InvalidDataError:
            frames.append(None)
        settle(decoder)
    decoder.close()
    return frames


def settle(decoder):
    for _ in range(2000):
        if decoder.settled:
            return
        threading.Event().wait(0.005)
    raise AssertionError("the device neither opened nor failed")


def same(frames, made=None, codec="h264"):
    """Whether that is what software alone gives, picture by picture."""
    alone = software(codec)
    expected = [frame for packet in (made or packets()) for frame in alone.decode(packet)]
    return [frame.pts for frame in frames] == [frame.pts for frame in expected] and all(
        np.array_equal(one.to_ndarray(), other.to_ndarray()) for one, other in zip(frames, expected, strict=True)
    )


@pytest.fixture
def at_no_cost(monkeypatch):
    """A device's thread takes no time of the processor, so that it is the cheaper one."""
    monkeypatch.setattr(hardware, "time", SimpleNamespace(thread_time=lambda: 0.0, monotonic=time.monotonic))


def fails():
    raise OSError(5, "the device is gone")


class TestStreams:
    def test_software_is_what_nobody_has_to_ask_for(self):
        decoders = Decoders(Decoding.SOFTWARE, Guard(SystemClock()), SystemClock(), lambda device, mine: pytest.fail("it was opened"))
        assert same(decoded(decoders))
        assert decoders.in_use == InUse("software", "software")

    @pytest.mark.parametrize(("codec", "maker"), [("h264", "libx264"), ("hevc", "libx265")])
    def test_a_device_that_gives_the_same_is_believed_after_enough_pictures(self, codec, maker):
        device = Twisted(codec=codec)
        decoders = decoders_with(device)
        used = []
        made = packets(codec=maker)
        assert same(decoded(decoders, made, lambda index, decoder: used.append(decoders.in_use.used), codec), made, codec)
        assert used[0] == used[ENOUGH - 1] == "software"
        assert used[-1] == decoders.in_use.used == "nvdec"
        assert re.fullmatch(r"nvdec takes [\d.]+ ms of the processor a picture, software [\d.]+ ms", decoders.in_use.why)
        assert device.count >= 90 - GROUP, "from the first keyframe at which it was open"

    @pytest.mark.parametrize("at", [3, 40, 46, 61])
    def test_one_that_fails_costs_no_picture_and_is_not_tried_again(self, at):
        decoders = decoders_with([Twisted(at, fails)])
        assert same(decoded(decoders))
        assert decoders.in_use == InUse("nvdec", "software", "nvdec failed: the device is gone", trouble=True)
        assert same(decoded(decoders)), "the next connection, too"
        assert decoders.in_use.used == "software"

    def test_one_that_hangs_holds_nobody_for_long(self, monkeypatch):
        monkeypatch.setattr(hardware, "PATIENCE_S", 0.3)
        let_go = threading.Event()
        decoders = decoders_with(Twisted(40, lambda: let_go.wait(60)))
        try:
            assert same(decoded(decoders))
        finally:
            let_go.set()
        assert decoders.in_use == InUse("nvdec", "software", "nvdec failed: no answer within 0.3 s", trouble=True)

    def test_one_that_hangs_while_it_opens(self, monkeypatch):
        monkeypatch.setattr(hardware, "OPENING_S", 0.2)
        let_go = threading.Event()
        decoders = Decoders(Decoding.NVDEC, Guard(SystemClock()), SystemClock(), lambda device, mine: let_go.wait(60))
        try:
            assert same(decoded(decoders))
        finally:
            let_go.set()
        assert decoders.in_use.why == "nvdec does not open: it did not open within 0.2 s"

    @pytest.mark.parametrize("at", [1, 60])
    def test_other_pictures_are_never_believed(self, at):
        """Before it is used none of them is given out; later those since the last look may have been."""

        def brighter(frames):
            return [changed(frame, lambda y: y + 3) for frame in frames]

        clock = ManualClock(0.0)
        decoders = decoders_with(Twisted(at, change=brighter), clock=clock)
        frames = decoded(decoders, each=lambda index, decoder: clock.sleep(5.0))
        assert [frame.pts for frame in frames] == list(range(90))
        assert decoders.in_use == InUse("nvdec", "software", "nvdec: it gives pictures that differ by up to 3 levels of 255", trouble=True)
        if at == 1:
            assert same(frames)
        else:
            assert same_up_to(frames, at - 1)

    def test_one_that_leaves_pictures_out_is_not_believed(self):
        decoders = decoders_with(Twisted(1, change=lambda frames: [one for one in frames if one.pts % 7]))
        assert same(decoded(decoders, packets(count=300)), packets(count=300))
        assert decoders.in_use.why == "nvdec: it leaves out pictures"

    def test_one_that_gives_nothing_is_not_believed(self):
        decoders = decoders_with(Twisted(1, change=lambda frames: []))
        assert same(decoded(decoders))
        assert decoders.in_use.why == "nvdec: it leaves out pictures"

    def test_one_that_refuses_what_software_decodes(self):
        def refuse():
            raise av.error.InvalidDataError(1094995529, "Invalid data found when processing input")

        decoders = decoders_with(Twisted(1, refuse))
        made = packets(count=150)
        assert same(decoded(decoders, made), made)
        assert decoders.in_use == InUse("nvdec", "software", "nvdec refuses what software decodes", trouble=True)

    def test_a_group_that_is_too_long_to_begin_again_is_asked_for_anew(self, monkeypatch):
        monkeypatch.setattr(module, "_MOST_PACKETS", 4)
        decoders = decoders_with(Twisted(70, fails))
        with pytest.raises(StreamEndedError, match="in the middle of a group"):
            decoded(decoders)
        assert same(decoded(decoders)), "the camera gives a keyframe to begin with"

    def test_what_a_stream_is_without_a_keyframe(self):
        decoders = decoders_with(Twisted())
        made = packets()
        for one in made:
            one.is_keyframe = False
        assert same(decoded(decoders, made))
        assert decoders.in_use == InUse("nvdec", "software", "nvdec waits for a keyframe", tried=True)


def changed(frame, change):
    planes = [np.array(one) for one in planes_of(frame)]
    planes[0] = change(planes[0].astype(np.int16)).clip(0, 255).astype(np.uint8)
    out = av.VideoFrame.from_ndarray(np.concatenate([one.ravel() for one in planes]).reshape(-1, frame.width), format="yuv420p")
    out.pts = frame.pts
    return out


def shown(frame):
    """The same picture, without what the decoder says against it."""
    return changed(frame, lambda y: y)


def same_up_to(frames, count):
    alone = software()
    expected = [frame for packet in packets() for frame in alone.decode(packet)]
    return all(np.array_equal(one.to_ndarray(), other.to_ndarray()) for one, other in zip(frames[:count], expected, strict=False))


class TestDamage:
    """A device makes up what is missing and does not say so: a stretch in which something is missing is software's."""

    def test_after_a_gap_software_decodes_until_two_keyframes_have_come(self):
        decoders, used = decoders_with(device := Twisted()), {}

        def each(index, decoder):
            if index == 50:
                decoder.doubt()
            used[index] = decoders.in_use.used

        assert same(decoded(decoders, packets(count=150), each), packets(count=150))
        assert used[49] == "nvdec"
        # The gap at 50 is seen before its packets are; keyframes at 60 and 75, enough pictures from there on.
        assert {used[index] for index in range(51, 76 + ENOUGH - 2)} == {"software"}
        assert used[149] == "nvdec"
        assert device.count > 90

    def test_a_damaged_packet_is_what_it_is_without_a_device(self):
        made = packets(count=120)
        for index in (50, 51):
            made[index] = self.spoilt(made[index])
        alone = software()
        expected = []
        for packet in made:
            try:
                expected += [(frame.pts, frame.is_corrupt) for frame in alone.decode(packet)]
            except av.error.InvalidDataError:
                expected.append(None)
        assert any(one is None or one[1] for one in expected), "nothing was damaged"
        found = decoded(decoders_with(Twisted()), made)
        assert [one and (one.pts, one.is_corrupt) for one in found] == expected

    def test_damage_that_nothing_told_of_ends_the_device_when_it_is_seen(self):
        """Software beside it calls a picture damaged, the device does not, and no packet is missing: on this stream nobody else would."""
        made = packets(count=150)
        spoilt = {index: self.spoilt(made[index]) for index in range(100, 104)}
        made = [spoilt.get(index, one) for index, one in enumerate(made)]
        clock = ManualClock(0.0)

        class Silent(Twisted):
            def decode(self, packet):
                # What a card gives where software says that it made something up.
                return [shown(one) if one.is_corrupt else one for one in super().decode(packet)]

        decoders = decoders_with(Silent(), clock=clock)
        found = decoded(decoders, made, lambda index, decoder: clock.sleep(1.0))
        assert decoders.in_use == InUse(
            "nvdec", "software", "nvdec does not say which pictures are damaged, and the stream has some", trouble=True
        )
        assert any(frame is None or frame.is_corrupt for frame in found[95:110])

    @staticmethod
    def spoilt(packet):
        data = bytearray(bytes(packet))
        data[len(data) // 3 : len(data) // 3 + 60] = bytes(60)
        out = av.Packet(bytes(data))
        out.pts, out.is_keyframe = packet.pts, packet.is_keyframe
        return out

    def test_packets_that_are_missing_are_counted_by_their_numbers(self):
        def packet(number, channel=0, kind=96):
            return b"$" + bytes([channel]) + struct.pack(">H", 20) + struct.pack(">BBHII", 0x80, kind, number, 0, 1) + bytes(8)

        gaps = Gaps()
        gaps.take_all(packet(65534) + packet(65535) + packet(0) + packet(7, channel=2) + packet(1, kind=0xE0))
        assert gaps.count == 0
        gaps.take_all(packet(3) + packet(200, channel=1, kind=200) + packet(9, channel=1, kind=201) + packet(8, channel=2))
        assert gaps.count == 1, "two are missing at one place; reports have no numbers of theirs"
        gaps.take_all(packet(2))
        assert gaps.count == 2, "one that was overtaken may have been given up"
        gaps.take_all(b"$\0\0\4abcd")
        assert gaps.count == 2


class TestChoice:
    def test_what_is_not_in_this_build_or_on_this_machine_is_named(self):
        """The real library."""
        if Path("/dev/nvidiactl").exists() or Path("/dev/dri").exists():
            pytest.skip("this machine has a graphics card")
        decoders = Decoders(Decoding.AUTO, Guard(SystemClock()), SystemClock())
        assert same(decoded(decoders))
        assert (decoders.in_use.used, decoders.in_use.trouble) == ("software", False)
        for device in ("nvdec", "qsv", "vaapi"):
            assert f"{device} does not open: " in decoders.in_use.why
        asked = Decoders(Decoding.NVDEC, Guard(SystemClock()), SystemClock())
        assert same(decoded(asked))
        assert (asked.in_use.used, asked.in_use.trouble) == ("software", True), "somebody asked for it"

    def test_auto_takes_the_next_where_one_fails(self, at_no_cost):
        decoders = decoders_with([OSError(1, "no driver"), Twisted()], Decoding.AUTO)
        assert same(decoded(decoders))
        assert decoders.in_use.used == "qsv"

    def test_auto_whose_device_fails_in_use_says_so_and_takes_the_next(self, at_no_cost):
        told = []
        decoders = decoders_with([Twisted(60, fails), OSError("no"), Twisted()], Decoding.AUTO)
        made = packets(count=200)
        assert same(decoded(decoders, made, lambda index, decoder: told.append(decoders.in_use)), made)
        lost = next(one for one in told if "the device is gone" in one.why)
        assert (lost.used, lost.trouble) == ("software", True)
        assert decoders.in_use.used == "vaapi"

    def test_auto_that_has_none_left_after_one_failed_is_trouble(self, at_no_cost):
        decoders = decoders_with([Twisted(60, fails), OSError("no"), OSError("no")], Decoding.AUTO)
        made = packets(count=200)
        assert same(decoded(decoders, made), made)
        assert (decoders.in_use.used, decoders.in_use.trouble, decoders.in_use.tried) == ("software", True, False)
        assert decoders.in_use.why == "nvdec failed: the device is gone; qsv does not open: no; vaapi does not open: no"

    @pytest.mark.parametrize(("wanted", "used", "trouble"), [(Decoding.NVDEC, "nvdec", True), (Decoding.AUTO, "software", False)])
    def test_one_that_costs_more_is_for_whoever_asked_for_it_and_they_are_told(self, wanted, used, trouble):
        comparison = Comparison()
        for index in range(40):
            plane = {index: (np.zeros((4, 4), np.uint8), np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8))}
            comparison.take(plane, plane, 0.004, 0.006)
        assert comparison.enough
        state = judged(comparison, wanted, Decoding.NVDEC)
        assert (state.used, state.trouble) == (used, trouble)
        assert state.why == "nvdec takes 6.0 ms of the processor a picture, software 4.0 ms"

    def test_single_pictures_are_softwares(self):
        decoders = decoders_with(Twisted())
        with pytest.raises(Exception, match="nobody"):
            open_source(SourceSettings(SourceKind.PICTURES, "http://127.0.0.1:9/nobody", connect_s=0.5), SystemClock(), decoders=decoders)
        assert decoders.in_use == InUse("nvdec", "software", "single pictures (JPEG) are decoded in software")


class TestPlanes:
    @pytest.mark.parametrize("name", ["nv12", "yuv420p", "yuvj420p"])
    @pytest.mark.parametrize("size", [(64, 48), (62, 46)])
    def test_what_cards_give_is_the_same_picture_to_the_bit(self, name, size):
        """Full range, too: no level is moved."""
        random = np.random.default_rng(2)
        width, height = size
        y, u, v = (random.integers(0, 256, shape, np.uint8) for shape in ((height, width), *[(height // 2, width // 2)] * 2))
        if name == "nv12":
            chroma = np.stack([u, v], axis=-1).reshape(height // 2, width)
            frame = av.VideoFrame.from_ndarray(np.concatenate([y, chroma]), format="nv12")
            frame.color_range = 2
        else:
            frame = av.VideoFrame.from_ndarray(np.concatenate([y.ravel(), u.ravel(), v.ravel()]).reshape(-1, width), format=name)
        for found, expected in zip(planes_of(frame), (y, u, v), strict=True):
            np.testing.assert_array_equal(found, expected)
        raw = raw_frame(frame, 0, 0.0, 0.0)
        assert difference((raw.y, raw.u, raw.v), (y, u, v)) == (0.0, 0.0)

    def test_a_difference_is_the_worst_of_all_planes(self):
        one = tuple(np.full((4, 4), level, np.uint8) for level in (10, 128, 128))
        other = tuple(np.full((4, 4), level, np.uint8) for level in (10, 126, 129))
        assert difference(one, other) == (2.0, 2.0)
        assert difference(one, tuple(plane[:2] for plane in other)) == (float("inf"), float("inf"))


class TestWalls:
    SETTINGS = msgspec.convert({"camera": "a", "source": {"kind": "rtsp", "address": "rtsp://192.0.2.1/1"}}, CellSettings)

    @pytest.fixture
    def cards(self, tmp_path, monkeypatch):
        """A machine with two cards, each with what is not for decoding, too."""
        cards = ("nvidia0", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset", "dri/card0", "dri/renderD128")
        for name in (*cards, "accel/accel0", "sda"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        monkeypatch.setattr(profiles, "_DEV", str(tmp_path))
        return tmp_path

    def found(self, cards, **options):
        profile = profile_of(msgspec.structs.replace(self.SETTINGS, **options))
        told = {str(one.path.relative_to(cards)) for one in profile.files if Right.DEVICE in one.rights}
        others = {one.path for one in profile.files if one.path.is_relative_to(cards)} - {cards / name for name in told}
        assert others <= {cards / "dri", cards / "accel"}
        return told

    @pytest.mark.parametrize(
        ("decoding", "nodes"),
        [
            (Decoding.SOFTWARE, set()),
            (Decoding.NVDEC, {"nvidia0", "nvidiactl", "nvidia-uvm"}),
            (Decoding.VAAPI, {"dri/renderD128"}),
            (Decoding.QSV, {"dri/renderD128"}),
            (Decoding.AUTO, {"nvidia0", "nvidiactl", "nvidia-uvm", "dri/renderD128"}),
        ],
    )
    def test_a_cell_has_the_devices_that_it_needs_and_no_other(self, cards, decoding, nodes):
        assert self.found(cards, decoding=decoding) == nodes

    def test_none_where_the_last_one_was_lost_or_nothing_is_decoded_there(self, cards):
        assert not self.found(cards, decoding=Decoding.AUTO, device_lost="it took the cell with it")
        pictures = SourceSettings(SourceKind.PICTURES, "http://192.0.2.1/1")
        assert not self.found(cards, decoding=Decoding.AUTO, source=pictures)

    def test_the_detectors_device_is_its_own(self, cards):
        assert self.found(cards, device="GPU") == {"dri/renderD128", "accel/accel0"}


class TestPapers:
    def site(self, **analysis):
        return replace(whole(), site=SITE.model_copy(update={"analysis": SITE.analysis.model_copy(update=analysis)}))

    def printed(self, **analysis):
        return as_text(next(one for one in pack(self.site(**analysis)) if one.key == "dsfa"))

    def test_the_assessment_says_where_raw_pictures_are_and_only_then(self):
        plain = self.printed()
        assert "Speicher dieses Geräts" not in plain
        said = self.printed(decoding=Decoding.NVDEC)
        assert "auf der Grafikkarte dekodiert (nvdec)" in said
        assert "Rohe Bilder liegen deshalb auch im Speicher dieses Geräts und seines Treibers" in said
        computed = self.printed(device=Device.GPU)
        assert "Der Detektor rechnet auf einem eigenen Gerät (GPU)" in computed
        assert "Rohe Bilder liegen deshalb auch im Speicher dieses Geräts" in computed

    @pytest.mark.parametrize("devices", [False, True])
    def test_memory_that_is_held_is_no_wall_around_a_drivers(self, devices, monkeypatch, tmp_path):
        (tmp_path / "swaps").write_text("Filename\n/dev/sda2 partition 1 0 -2\n")
        monkeypatch.setattr(hardening, "_SWAPS", tmp_path / "swaps")
        monkeypatch.setattr(hardening, "held", lambda: True)
        assert (Wall.NO_SWAP in hardening.lacking(devices=devices)) is devices

    def test_units_give_the_service_the_kinds_of_devices_that_the_site_asks_for(self, tmp_path):
        def lines(**analysis):
            site = SITE.model_copy(update={"analysis": SITE.analysis.model_copy(update=analysis)})
            setting = Setting(site, tmp_path / "site.toml", tmp_path, "/opt/blickschutz", tmp_path)
            text = units(setting)["blickschutz.service"].splitlines()
            assert "DevicePolicy=closed" in text
            return {one for one in text if one.startswith(("PrivateDevices", "DeviceAllow", "SupplementaryGroups"))}

        render = {"SupplementaryGroups=render", "DeviceAllow=char-drm rw"}
        assert lines() == {"PrivateDevices=yes"}
        assert lines(decoding=Decoding.NVDEC) == {"DeviceAllow=char-nvidia* rw"}
        assert lines(decoding=Decoding.VAAPI) == render
        assert lines(device=Device.NPU) == {*render, "DeviceAllow=char-accel rw"}


class TestSettings:
    EXAMPLE = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8")

    def site(self, tmp_path, line):
        path = tmp_path / "site.toml"
        text = re.sub(r"^\[analysis\]$", f"[analysis]\n{line}", self.EXAMPLE, flags=re.M)
        path.write_text(text if "[analysis]" in text else f"{self.EXAMPLE}\n[analysis]\n{line}\n", encoding="utf-8")
        return load_site(path)

    @pytest.mark.parametrize("word", list(Decoding))
    def test_each_word_reaches_the_cell(self, tmp_path, word):
        site = self.site(tmp_path, f'decoding = "{word}"')
        assert cell_settings(site, site.cameras[0], ROOT / "examples").decoding is word

    def test_software_is_the_default(self, tmp_path):
        site = self.site(tmp_path, "")
        assert cell_settings(site, site.cameras[0], ROOT / "examples").decoding is Decoding.SOFTWARE

    @pytest.mark.parametrize("word", ["cuda", "NVDEC", "gpu", ""])
    def test_other_words_are_refused(self, tmp_path, word):
        with pytest.raises(SettingsError, match="decoding"):
            self.site(tmp_path, f'decoding = "{word}"')


class TestLives:
    def test_a_cell_that_ended_beside_a_device_does_not_try_it_again(self):
        used = InUse("nvdec", "nvdec", "nvdec takes 1 ms")
        tried = InUse("nvdec", "software", "nvdec is being tried", tried=True)
        for decoder in (used, tried, None):
            said = device_to_blame(Decoding.NVDEC, decoder, "the cell ended with exit code -11")
            assert said == "nvdec was in use or being tried when the last life of the cell ended (the cell ended with exit code -11)"
        given_up = InUse("nvdec", "software", "nvdec failed: gone", trouble=True)
        assert not device_to_blame(Decoding.NVDEC, given_up, "killed")
        assert not device_to_blame(Decoding.SOFTWARE, None, "killed")

    def test_what_it_is_told_then_is_software_and_why(self):
        decoders = Decoders(
            Decoding.NVDEC, Guard(SystemClock()), SystemClock(), lambda device, mine: pytest.fail("opened"), "it died of it"
        )
        assert same(decoded(decoders))
        assert decoders.in_use == InUse("nvdec", "software", "it died of it", trouble=True)

    def test_what_needs_somebody_is_told(self):
        def keeper(decoder):
            return SimpleNamespace(health=Health(session="live", stopped=False, doubt=None, decoder=decoder))

        keepers = {
            "a": keeper(InUse("nvdec", "software", "gone", trouble=True)),
            "b": keeper(InUse("auto", "software", "none here")),
            "c": keeper(None),
            "d": SimpleNamespace(health=None),
        }
        assert other_decoders(keepers) == {"a": "gone"}
