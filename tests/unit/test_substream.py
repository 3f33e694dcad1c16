"""A camera with two streams: the small one is looked at and shown, the large one recorded. docs/design/substream.md."""

from __future__ import annotations

from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from blickschutz.analysis.model import AnalysisSettings
from blickschutz.analysis.rules.sameview import is_same_view, show_the_same
from blickschutz.analysis.service import Analyser
from blickschutz.bootstrap.cells import cell_settings
from blickschutz.config.loader import parse_site
from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.guard.service import Guard
from blickschutz.ingest.io.files import FileSource
from blickschutz.ingest.model import SourceKind, SourceSettings
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.density import px_per_metre
from blickschutz.kernel.errors import ProtocolError, SettingsError
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Background, Doubt, Scene, Track
from blickschutz.pipeline.credentials import joined, parted
from blickschutz.pipeline.messages import CellSettings, Configure
from blickschutz.pipeline.offline import FixedStart
from blickschutz.pipeline.path import RedactionPath
from blickschutz.pipeline.profile import profile_of
from blickschutz.pipeline.record import MOST_SKEW_S, make_recorder, opening_of
from blickschutz.pipeline.render import Renderer
from blickschutz.pipeline.replay import Replay
from blickschutz.pipeline.showing import Showing
from blickschutz.recording.io.feed import Feed
from blickschutz.recording.io.ring import Fragment, Head, PacketMuxer
from blickschutz.recording.model import ClipMode
from blickschutz.recording.rules import TICKS, BackgroundWriter, known, sample
from tests.conftest import ROOT
from tests.videos import write_pictures

WIDTH, HEIGHT, ROWS, COLUMNS = 320, 192, 48, 80
EVERY = TICKS // 10
SKEW_S = 0.5
GROUND = np.random.default_rng(3).integers(90, 160, (HEIGHT // 16, WIDTH // 16), np.uint8).repeat(16, 0).repeat(16, 1)


def picture(number, ground=GROUND):
    flat = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    pts = number * EVERY
    return RawFrame(ground, flat, flat, number, pts / TICKS, 0.0, pts)


def place(ground=GROUND):
    small = np.full((ROWS, COLUMNS, 3), 128, np.uint8)
    small[..., 0] = cv2.resize(ground, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
    return Background(0.0, small, np.full((ROWS, COLUMNS), 255, np.uint8), (11, 7, 7))


def look(number, doubt=None, tracks=()):
    return sample(known(number * EVERY, doubt, Scene(0.0, tracks, width=WIDTH, height=HEIGHT), place()))


def track(box, number=1):
    return Track(number, box, (0.0, 0.0), 0.9, 0.0, 1.0, True)


def replayed(pictures, looks, since=-100, skew_s=SKEW_S, spared=None):
    replay = Replay(Showing(), spared, skew_s)
    replay.know(looks, [BackgroundWriter().write(since, place())], 10_000 * EVERY)
    return [shown for one in pictures for shown in replay.push(one)] + list(replay.rest())


def looks_of(numbers):
    return [look(number) for number in numbers]


class TestReplay:
    # A background from half a second before the first of these.
    BEFORE = -round(SKEW_S * TICKS) - 1

    def test_what_is_proven_is_shown(self):
        shown = replayed([picture(number) for number in range(8, 14)], looks_of(range(0, 40, 2)), self.BEFORE)
        assert [one.doubt for one in shown] == [None] * 6
        assert all((one.mask == 0).all() for one in shown)

    def test_who_was_seen_within_the_skew_is_covered_where_they_were(self):
        """They look like the place, so their boxes alone tell of them; whose box belongs to the picture nobody knows."""
        boxes = {number: Box(20.0 * number, 40, 20.0 * number + 30, 150) for number in (2, 4, 6, 8)}
        looks = [look(number, tracks=(track(boxes[number]),) if number in boxes else ()) for number in range(-10, 40, 2)]
        (shown,) = replayed([picture(5)], looks, -20 * EVERY)
        assert shown.doubt is None
        for left, top, right, bottom in (box.clipped(WIDTH, HEIGHT) for number, box in boxes.items() if abs(number - 5) <= 5):
            assert shown.mask[top:bottom, left:right].all()
        alone = replayed([picture(5)], looks, -20 * EVERY, skew_s=0.0)[0]
        assert not alone.mask[40:150, 160:180].all(), "with one stream the times are the picture's own"

    def test_a_doubt_within_the_skew_blanks(self):
        looks = [look(number, Doubt.CHANGED if number == 14 else None) for number in range(-10, 40, 2)]
        shown = replayed([picture(number) for number in range(4, 22)], looks, self.BEFORE)
        # Up to the sixth the look behind what may be its moment is the one before the doubt.
        assert [one.doubt is None for one in shown] == [number <= 6 for number in range(4, 22)]

    def test_a_background_proves_what_comes_a_skew_later(self):
        shown = replayed([picture(number) for number in range(8, 20)], looks_of(range(0, 40, 2)), 5 * EVERY)
        assert [one.doubt is None for one in shown] == [number > 10 for number in range(8, 20)]

    def test_a_time_without_looks_blanks(self):
        looks = looks_of([*range(0, 10, 2), *range(30, 60, 2)])
        shown = replayed([picture(number) for number in range(6, 40)], looks, self.BEFORE)
        assert [one.doubt is None for one in shown] == [number >= 35 for number in range(6, 40)]

    def test_another_view_is_blank(self):
        cut = cv2.resize(GROUND[24:168, 40:280], (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        for other in (cut, np.roll(GROUND, 8, 1), GROUND[:, ::-1].copy(), np.full_like(GROUND, 120)):
            shown = replayed([picture(number, other) for number in range(8, 11)], looks_of(range(0, 40, 2)), self.BEFORE)
            assert all(one.doubt is not None and one.mask.all() for one in shown)

    def test_somebody_close_does_not_make_it_another_view_for_ten_seconds(self):
        close = GROUND.copy()
        close[:, 60:] = 30
        pictures = [picture(8), *(picture(number, close) for number in range(9, 140))]
        shown = replayed(pictures, looks_of(range(0, 200, 2)), self.BEFORE)
        assert [one.doubt is None for one in shown] == [number <= 108 for number in range(8, 140)]
        assert all(one.mask[:, 80:].all() for one in shown[1:])
        assert (shown[1].mask[:, :40] == 0).all()

    def test_nobody_gets_a_copy_of_their_own_from_it(self):
        """The detector was never asked about these very pictures: who else may pass before somebody is not known."""
        tracks = (track(Box(100, 40, 160, 150)),)
        looks = [look(number, tracks=tracks) for number in range(0, 40, 2)]
        assert replayed([picture(number) for number in range(8, 14)], looks, self.BEFORE, spared=1) == []


class TestSameView:
    @pytest.mark.parametrize("seed", range(6))
    def test_sizes_codecs_and_brightness_are_the_same_view_and_cuts_are_not(self, seed):
        large = DrawnScene(1280, 720, seed, walkers=4).picture(30)
        y = large.y
        soft = cv2.GaussianBlur(cv2.resize(y, (640, 360), interpolation=cv2.INTER_AREA), (3, 3), 0)
        dim = np.clip(soft * 0.8 + 10, 0, 255).astype(np.uint8)
        assert show_the_same(_frame(dim), _frame(y))
        for left, top, right, bottom in ((160, 0, 1120, 720), (0, 90, 1280, 630), (100, 56, 1180, 664), (40, 0, 1280, 697)):
            cut = cv2.resize(y[top:bottom, left:right], (640, 360), interpolation=cv2.INTER_AREA)
            assert not show_the_same(_frame(cut), _frame(y)), (left, top, right, bottom)

    def test_where_there_is_nothing_to_see_nothing_is_said_to_be_the_same(self):
        even = np.full((108, 192), 90, np.uint8)
        assert not is_same_view(even, np.full_like(even, 255), even)
        rough = np.random.default_rng(1).integers(0, 255, (108, 192), np.uint8)
        assert is_same_view(rough, np.full_like(rough, 255), rough)
        assert not is_same_view(rough, np.zeros_like(rough), rough), "nothing is known of the place"


def _frame(y):
    rows, columns = y.shape[0] // 2, y.shape[1] // 2
    flat = np.full((rows, columns), 128, np.uint8)
    return RawFrame(y, flat, flat, 0, 0.0, 0.0)


class Truth:
    """Knows who is in the drawn scene, at half its size."""

    def __init__(self, scene):
        self._scene = scene

    def detect(self, frame, least, regions=()):
        boxes = [(*(side / 2 for side in box), 0.8) for box in self._scene.picture(frame.index).people]
        return np.array(boxes, np.float32).reshape(-1, 5)

    def detect_turned(self, frame, least, region, quarters):
        return np.zeros((0, 5), np.float32)

    def fitting(self, width, height, regions):
        return []


@pytest.fixture(scope="module")
def streams(tmp_path_factory):
    """The same drawn minute twice, each through a codec of its own: large as the camera records it, small as it is looked at."""
    folder, scene = tmp_path_factory.mktemp("streams"), DrawnScene(640, 360, 5, walkers=3, empty=40)
    large = [scene.picture(index) for index in range(110)]
    write_pictures(folder / "large.mp4", [one.i420() for one in large])
    halves = [
        np.concatenate([cv2.resize(p, (p.shape[1] // 2, p.shape[0] // 2), interpolation=cv2.INTER_AREA).ravel() for p in (o.y, o.u, o.v)])
        for o in large
    ]
    write_pictures(folder / "small.mp4", [half.reshape(-1, 320) for half in halves])
    return scene, folder / "large.mp4", folder / "small.mp4"


def playback(streams, late_s=0.0, large=None):
    """What a review room shows of the large stream, on what was found in the small one, which came `late_s` after it."""
    scene, recorded, seen = streams
    clock, muxer, feed = FixedStart(SystemClock()), PacketMuxer(), Feed(60.0)
    packets = FileSource(SourceSettings(SourceKind.FILE, str(large or recorded), realtime=False), clock, muxer.connection())
    parts: list[Head | Fragment] = []
    for _ in packets.frames():
        parts += muxer.taken()
    muxer.ended()
    parts += muxer.taken()
    way = RedactionPath(Analyser(Truth(scene), AnalysisSettings()), Showing(), 5.0)
    pieces = []
    for frame in FileSource(SourceSettings(SourceKind.FILE, str(seen), realtime=False), clock).frames():
        way.push(frame, wanted=False)
        found = way.take_analysed()
        if found is not None:
            pts = found.pts + round(late_s * TICKS)
            feed.analysed(known(max(0, pts), found.backdrop.doubt, found.scene, found.background))
    pieces = feed.take(parts)
    head = feed.head
    assert head is not None
    backgrounds = BackgroundWriter()
    source = SourceSettings(SourceKind.FILE, "x")
    opening = opening_of(CellSettings(camera="a", source=source, recorded=source), head, ClipMode.SEALED, skew_s=MOST_SKEW_S)
    return list(Renderer(opening, most_width=640).frames(piece.gop(backgrounds) for piece in pieces))


@pytest.mark.parametrize("late_s", [0.4, *(pytest.param(one, marks=pytest.mark.long) for one in (0.0, -0.4))])
def test_people_are_covered_in_the_large_stream_and_the_place_is_seen(streams, late_s):
    shown = playback(streams, late_s)
    scene = streams[0]
    clear = [one for one in shown if one.doubt is None]
    assert len(clear) >= 60
    bodies = uncovered = 0
    for one in clear:
        body = scene.picture(one.index).bodies != 0
        bodies += int(body.sum())
        uncovered += int((body & (one.mask == 0)).sum())
    assert bodies > 50_000, "people walk there"
    assert uncovered <= 0.001 * bodies
    assert np.mean([(one.mask == 0).mean() for one in clear]) > 0.5


def test_a_large_stream_that_shows_another_part_stays_blank(streams, tmp_path):
    scene = streams[0]
    cut = [
        np.concatenate([cv2.resize(p[:, p.shape[1] // 8 :], (p.shape[1], p.shape[0])).ravel() for p in (one.y, one.u, one.v)])
        for one in (scene.picture(index) for index in range(80))
    ]
    write_pictures(tmp_path / "cut.mp4", [one.reshape(-1, 640) for one in cut])
    shown = playback(streams, large=tmp_path / "cut.mp4")
    assert len(shown) == 80
    assert all(one.doubt is not None and one.mask.all() for one in shown)


class Ticking:
    """Stands still."""

    def monotonic(self):
        return 100.0

    def now(self):
        return 1_700_000_100.0

    def sleep(self, seconds):
        """Nobody waits here."""


class TestRecorder:
    SOURCE = SourceSettings(SourceKind.RTSP, "rtsp://cam/1")

    @pytest.fixture
    def recorder(self):
        settings = CellSettings(camera="a", source=self.SOURCE, recorded=self.SOURCE)
        return make_recorder(settings, Ticking(), lambda news: None, Guard(SystemClock()))

    def fed(self, recorder):
        """Two seconds of each stream: pictures of the large one are 40 bytes, of the small one 4."""
        recorder.take(ClipMode.SEALED, [Head(3, b"large", "h264", 3840, 2160)])
        recorder.seen.take([Head(1, b"small", "h264", 640, 360)])
        scene = Scene(99.0, width=640, height=360)
        recorder.analysed(50, None, scene, place(), (3, 90))
        recorder.analysed(60, None, scene, place(), (2, 91))
        recorder.analysed(70, None, scene, place(), None)
        recorder.take(ClipMode.SEALED, [Fragment(3, b"l" * 40, True, (0, 9000), 99.5)])
        recorder.seen.take([Fragment(1, b"s" * 4, True, (0, 9000), 99.5)])

    def test_what_was_seen_lies_beside_both_streams_at_its_own_time_in_each(self, recorder):
        self.fed(recorder)
        small = recorder.collect(95.0, 100.0)
        assert small.head.width == 640
        assert [one.pts for one in small.pieces[0].analysed] == [50, 60, 70]
        (large,) = recorder._feeds[ClipMode.SEALED].before(100.0)
        # What lies in no stream, or in one before, is none of the clip's.
        assert [one.pts for one in large.analysed] == [90]

    def test_the_loss_of_one_stream_takes_nothing_of_the_other(self, recorder):
        self.fed(recorder)
        recorder.lost(recorded=False)
        assert recorder.collect(95.0, 100.0) is None
        assert recorder._feeds[ClipMode.SEALED].before(100.0)
        self.fed(recorder)
        recorder.lost(recorded=True)
        assert recorder.collect(95.0, 100.0) is not None
        assert not recorder._feeds[ClipMode.SEALED].before(100.0)

    def test_a_clip_says_by_how_much_times_may_be_off(self, recorder):
        head = Head(1, b"", "h264", 640, 360)
        assert recorder._describe(head, ClipMode.SEALED).skew_s == MOST_SKEW_S
        assert recorder._describe(head, ClipMode.ANONYMOUS).skew_s == 0.0
        one = make_recorder(CellSettings(camera="a", source=self.SOURCE), Ticking(), lambda news: None, Guard(SystemClock()))
        assert one._describe(head, ClipMode.SEALED).skew_s == 0.0


TEXT = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8")
ONE = 'address = "rtsp://192.0.2.11/stream1"'


def password(folder):
    (folder / "key").write_text("geheim")
    (folder / "key").chmod(0o600)


class TestSettings:
    def site(self, more):
        assert ONE in TEXT
        return parse_site(TEXT.replace(ONE, f"{ONE}\n{more}", 1), "site.toml", "de")

    def test_a_cell_looks_at_the_small_stream_and_records_the_large_one(self, tmp_path):
        password(tmp_path)
        more = 'substream = "rtsp://192.0.2.11:8554/stream2"\nuser = "u"\npassword_file = "key"\npicture = [3840, 2160]'
        site = self.site(more)
        settings = cell_settings(site, site.cameras[0], Path(tmp_path))
        assert settings.source.address == "rtsp://u:geheim@192.0.2.11:8554/stream2"
        assert settings.recorded.address == "rtsp://u:geheim@192.0.2.11/stream1"
        assert profile_of(settings, 5001, 5002).connect == {554, 8554, 5001, 5002}
        dense = site.cameras[0].calibration.px_per_metre
        assert px_per_metre(settings.redaction.px_per_metre, 3840, 2160) == pytest.approx(dense)
        assert px_per_metre(settings.redaction.px_per_metre, 640, 360) == pytest.approx(dense / 6)

    def test_no_message_carries_an_account_of_either(self, tmp_path):
        password(tmp_path)
        site = self.site('substream = "rtsp://192.0.2.11/2"\nuser = "u"\npassword_file = "key"\npicture = [3840, 2160]')
        settings = cell_settings(site, site.cameras[0], Path(tmp_path))
        plain, secret = parted(settings)
        assert b"geheim" not in msgspec.msgpack.encode(Configure(plain))
        assert joined(plain, secret) == settings
        with pytest.raises(ProtocolError):
            Configure(msgspec.structs.replace(plain, recorded=settings.recorded))

    @pytest.mark.parametrize(
        ("more", "mend"),
        [
            ('substream = "http://192.0.2.11/small"\npicture = [3840, 2160]', "rtsp://"),
            ('substream = "rtsp://192.0.2.11:554/stream1"\npicture = [3840, 2160]', "derselbe Strom"),
            ('substream = "rtsp://192.0.2.11/stream2"', "'picture'"),
            ('substream = "rtsp://u:p@192.0.2.11/stream2"\npicture = [3840, 2160]', "password_file"),
        ],
    )
    def test_what_cannot_be_is_refused_with_its_mend(self, more, mend):
        with pytest.raises(SettingsError, match=r"substream|px_per_metre") as caught:
            self.site(more)
        assert mend in str(caught.value)
