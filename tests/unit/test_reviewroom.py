"""What the review room shows: redacted with the proofs in the clip, one person spared, nothing without proof."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrage import x25519

from blickschutz.analysis.rules.proof import small_picture
from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.evidence.io.package import remove_left, work_folder
from blickschutz.ingest.io.files import FileSource
from blickschutz.ingest.model import SourceKind, SourceSettings
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Background, Scene, Track
from blickschutz.pipeline.render import Renderer, track_at
from blickschutz.recording.io.ring import Fragment, Head, PacketMuxer
from blickschutz.recording.model import Gop, Opening
from blickschutz.recording.rules import BackgroundWriter, known, sample
from blickschutz.redaction.rules.mask import Region, spare
from blickschutz.reviewroom.clear import clear_video
from blickschutz.reviewroom.pages import place
from blickschutz.reviewroom.release import Release
from tests.videos import write_scene

WIDTH, HEIGHT, COUNT = 320, 192, 30
ZONE = ((0.0, 0.0), (0.2, 0.0), (0.2, 0.2), (0.0, 0.2))


class Clip:
    """A drawn scene as a clip: fragments of its packets, the drawn truth as looks at every second picture, and the empty
    place as the background from the beginning on.
    """

    def __init__(self, folder):
        self.scene = DrawnScene(WIDTH, HEIGHT, 11, walkers=2)
        path = folder / "scene.mp4"
        write_scene(path, self.scene, COUNT)
        muxer, parts = PacketMuxer(), []
        for _ in FileSource(SourceSettings(SourceKind.FILE, str(path), realtime=False), SystemClock(), muxer.connection()).frames():
            parts += muxer.taken()
        muxer.ended()
        head, *fragments = [*parts, *muxer.taken()]
        assert isinstance(head, Head)
        zones = {"style": "silhouette", "privacy_zones": (ZONE,), "px_per_metre": None}
        self.opening = Opening(digest=b"", init=head.data, codec="h264", width=WIDTH, height=HEIGHT, **zones)
        self.gops = [self.gop(part) for part in fragments if isinstance(part, Fragment)]
        self.gops[0] = msgspec.structs.replace(self.gops[0], backgrounds=(BackgroundWriter().write(-1, self.empty()),))

    @staticmethod
    def empty():
        rows, columns = HEIGHT // 4, WIDTH // 4
        place = small_picture(DrawnScene(WIDTH, HEIGHT, 11, walkers=0).picture(0).frame(0), rows, columns)
        return Background(0.0, place, np.full((rows, columns), 255, np.uint8), (11, 7, 7))

    def gop(self, part):
        masks = tuple(self.look(pts) for pts in part.pts if (pts // 9000) % 2 == 0)
        return Gop(data=part.data, key=part.key, pts=part.pts, times=tuple((p, float(p)) for p in part.pts), masks=masks, marks=())

    def look(self, pts):
        people = self.scene.picture(pts // 9000).people
        tracks = tuple(Track(n, box, (0.0, 0.0), 0.9, 0.0, 1.0, True) for n, box in enumerate(people))
        return sample(known(pts, None, Scene(0.0, tracks, width=WIDTH, height=HEIGHT), self.empty()))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return Clip(tmp_path_factory.mktemp("clip"))


@pytest.mark.parametrize(
    ("held", "restricted", "basis", "problem"),
    [
        (True, False, "strafverfolgung", ""),
        (False, False, "betroffener", "not-held"),
        (False, True, "betroffener", ""),
        (False, True, "strafverfolgung", "not-held"),
        (True, True, "strafverfolgung", ""),
    ],
)
def test_for_an_open_request_only_the_persons_own_data_is_released(held, restricted, basis, problem):
    sent = []
    settings = SimpleNamespace(held=held, restricted=restricted)
    room = SimpleNamespace(settings=settings, outcome="", version=0, link=SimpleNamespace(send=sent.append))
    seat = SimpleNamespace(guest=SimpleNamespace(id="aufsicht", may_release=True))
    key = str(x25519.Identity.generate().to_public())
    assert Release(room).ask(seat, basis, "Erika Mustermann", "Anfrage 1", key, (1.0, 50.0, 50.0)) == problem
    assert room.version == (0 if problem else 1)


def test_a_package_is_opened_with_a_key_or_with_words_that_one_person_reads():
    room = SimpleNamespace(
        settings=SimpleNamespace(held=True, restricted=False), outcome="", version=0, link=SimpleNamespace(send=[].append)
    )
    seat, other = (SimpleNamespace(guest=SimpleNamespace(id=one, may_release=True)) for one in ("aufsicht", "kvd-1"))
    release = Release(room)
    assert release.ask(seat, "strafverfolgung", "Polizei", "KL-1", "") == "no-key"
    assert release.ask(seat, "strafverfolgung", "Polizei", "KL-1", "age1nonsense", with_words=True) == ""
    assert release.wish.key == ""
    release.words, release.words_for = "ABCDE-12345", "kvd-1"
    release.noted(seat)
    assert release.words == "ABCDE-12345", "not hers to put away"
    release.noted(other)
    assert (release.words, release.words_for) == ("", "")


def test_everybody_is_redacted_and_the_rest_is_shown(clip):
    frames = list(Renderer(clip.opening).frames(clip.gops))
    assert len(frames) == COUNT
    shown = frames[8:24]
    for frame in shown:
        bodies = clip.scene.picture(frame.index).bodies
        assert frame.doubt is None
        assert (frame.mask[bodies != 0] == 255).all(), frame.index
        assert (frame.mask == 0).mean() > 0.4


def test_without_looks_on_both_sides_nothing_is_shown(clip):
    bare = [msgspec.structs.replace(gop, masks=()) for gop in clip.gops]
    assert all(frame.doubt is not None for frame in Renderer(clip.opening).frames(bare))
    late = [msgspec.structs.replace(gop, masks=tuple(m for m in gop.masks if m.pts <= 9000 * 4)) for gop in clip.gops]
    frames = list(Renderer(clip.opening).frames(late))
    assert all(frame.doubt is not None for frame in frames[5:])


def test_raw_pictures_do_not_pile_up_while_looks_are_not_known_yet(clip, monkeypatch):
    """A look after the last pictures of a group comes with the next group: until then they wait undecoded."""
    looks = [look for gop in clip.gops for look in gop.masks]
    gops, rest = [], list(looks)
    for gop in clip.gops:
        # As a cell that is far behind gives them: what was known of each picture comes nine pictures late.
        known_by_then = [look for look in rest if look.pts <= gop.pts[-1] - 9 * 9000]
        rest = [look for look in rest if look not in known_by_then]
        gops.append(msgspec.structs.replace(gop, masks=tuple(known_by_then)))
    gops.append(msgspec.structs.replace(clip.gops[-1], data=b"", pts=(), times=(), masks=tuple(rest), backgrounds=()))
    whole = list(Renderer(clip.opening).frames(clip.gops))
    held, renderer = [], Renderer(clip.opening)
    push = renderer._replay.push

    def pushed(frame):
        yield from push(frame)
        held.append(len(renderer._replay._waiting))

    monkeypatch.setattr(renderer._replay, "push", pushed)
    frames = list(renderer.frames(gops))
    assert max(held) <= 2
    assert [(frame.index, frame.doubt) for frame in frames] == [(frame.index, frame.doubt) for frame in whole]
    assert all((one.mask == other.mask).all() for one, other in zip(frames, whole, strict=True))


def test_a_stream_that_tells_no_times_does_not_wait_for_ever(clip, monkeypatch):
    """Whatever waits undecoded is bounded too; what nothing is known of is blank."""
    monkeypatch.setattr("blickschutz.pipeline.render._MOST_WAITING", len(clip.gops[0].data))
    flat = [msgspec.structs.replace(gop, pts=(0,) * len(gop.pts), masks=()) for gop in clip.gops * 3]
    taken = []

    def gops():
        for number, gop in enumerate(flat):
            taken.append(number)
            yield gop

    frames = Renderer(clip.opening).frames(gops())
    assert next(frames).doubt is not None
    assert len(taken) <= 3
    assert len([1, *frames]) == 3 * COUNT


def test_without_a_sound_background_nothing_is_shown(clip):
    def with_backgrounds(*backgrounds):
        return [msgspec.structs.replace(clip.gops[0], backgrounds=backgrounds), *clip.gops[1:]]

    (whole,) = clip.gops[0].backgrounds
    for backgrounds in ((), (msgspec.structs.replace(whole, steps=b"x"),)):
        frames = list(Renderer(clip.opening).frames(with_backgrounds(*backgrounds)))
        assert len(frames) == COUNT
        assert all(frame.doubt is not None for frame in frames)


def test_one_person_gets_a_copy_in_which_all_others_are_redacted(clip):
    picture = clip.scene.picture(12)
    box = picture.people[0]
    x, y = (box.left + box.right) / 2 / WIDTH, (box.top + box.bottom) / 2 / HEIGHT
    number = track_at(clip.gops, 1.2, x, y)
    assert number == 0
    frames = {frame.index: frame for frame in Renderer(clip.opening, spared=number).frames(clip.gops)}
    assert {index for index, frame in frames.items() if frame.doubt is None} == set(range(0, COUNT, 2)), (
        "pictures that nobody looked at are left out: who knows who passes there"
    )
    for index in range(8, 24, 2):
        people = clip.scene.picture(index).people
        apart = people[0].right < people[1].left - 30 or people[1].right < people[0].left - 30
        if not apart:
            continue
        mask = frames[index].mask
        left, top, right, bottom = people[1].clipped(WIDTH, HEIGHT)
        assert (mask[top:bottom, left:right] == 255).all(), "the other is redacted"
        left, top, right, bottom = people[0].clipped(WIDTH, HEIGHT)
        assert (mask[top + 8 : bottom - 8, left + 4 : right - 4] == 0).mean() > 0.9, "the one is shown"


def test_a_place_where_nobody_is_names_nobody(clip):
    assert track_at(clip.gops, 1.2, 0.01, 0.01) is None
    assert track_at(clip.gops, 99.0, 0.5, 0.5) is None
    assert track_at([], 0.0, 0.5, 0.5) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), st.integers(0, 40), st.integers(4, 30), st.integers(4, 20)), max_size=6))
def test_nobody_elses_cell_is_ever_freed(boxes):
    regions = [Region(track or None, Box(x, y, x + w, y + h)) for track, x, y, w, h in boxes]
    mask = np.full((12, 16), 255, np.uint8)
    freed = spare(mask, regions, 1, 64, 48)
    for region in regions:
        left, top, right, bottom = Box(*region.box.clipped(64, 48)).scaled(0.25, 0.25).clipped(16, 12)
        if region.track != 1:
            assert (freed[top:bottom, left:right] == 255).all()


def test_clear_video_keeps_privacy_zones_filled(clip, tmp_path):
    import av

    (tmp_path / "clear.mp4").write_bytes(b"".join(clear_video(clip.opening, clip.gops)))
    with av.open(str(tmp_path / "clear.mp4")) as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert len(frames) == COUNT
    zone = frames[10][: HEIGHT // 5 - 4, : WIDTH // 5 - 4]
    assert zone.std() < 3
    assert frames[10][HEIGHT // 2 :].std() > 5


@pytest.mark.parametrize(
    ("given_place", "expected"),
    [(("1,5", "50", "25"), (1.5, 0.5, 0.25)), (("", "50", "25"), None), (("-1", "5", "5"), None), (("1", "101", "5"), None)],
)
def test_a_place_is_read_as_people_write_it(given_place, expected):
    assert place(*given_place) == expected


def test_an_open_package_of_a_process_that_is_gone_is_removed():
    with work_folder() as name:
        from pathlib import Path

        own = Path(name)
        (own / "original.mp4").write_bytes(b"secret")
        dead = own.with_name("blickschutz-evidence-999999999-x")
        dead.mkdir()
        (dead / "original.mp4").write_bytes(b"secret")
        assert remove_left() >= 1
        assert not dead.exists()
        assert own.exists(), "a process that lives keeps what is its own"
