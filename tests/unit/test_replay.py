"""Recorded pictures are redacted by themselves: nobody passes between two looks, and nothing is shown on another's proof."""

from __future__ import annotations

import zlib

import msgspec
import numpy as np
import pytest

from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Background, Detection, Doubt, Scene, Track
from blickschutz.pipeline.replay import LONGEST_S, Replay
from blickschutz.pipeline.showing import Showing
from blickschutz.recording.model import MaskSample
from blickschutz.recording.rules import TICKS, BackgroundWriter, known, sample

WIDTH, HEIGHT, ROWS, COLUMNS = 320, 192, 48, 80
FPS = 25
EVERY = TICKS // FPS
GROUND = np.random.default_rng(3).integers(90, 160, (HEIGHT // 4, WIDTH // 4), np.uint8).repeat(4, 0).repeat(4, 1)


def picture(number, runner=None, ground=GROUND):
    y = ground.copy()
    if runner is not None:
        left, top, right, bottom = runner.clipped(WIDTH, HEIGHT)
        y[top:bottom, left:right] = 20
    flat = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    pts = number * EVERY
    return RawFrame(y, flat, flat.copy(), number, pts / TICKS, 0.0, pts)


def place(ground=GROUND):
    small = np.full((ROWS, COLUMNS, 3), 128, np.uint8)
    small[..., 0] = ground[::4, ::4]
    return Background(0.0, small, np.full((ROWS, COLUMNS), 255, np.uint8), (11, 7, 7))


def look(number, doubt=None, tracks=()):
    return sample(known(number * EVERY, doubt, Scene(0.0, tracks, width=WIDTH, height=HEIGHT), place()))


def run_at(number):
    """Somebody who crosses the picture within four pictures, between two looks."""
    return Box(-60 + 80 * number, 40, -60 + 80 * number + 40, 150)


def replayed(pictures, looks, backgrounds=None):
    replay = Replay(Showing())
    replay.know(looks, backgrounds if backgrounds is not None else [BackgroundWriter().write(-1, place())])
    return [shown for one in pictures for shown in replay.push(one)] + list(replay.rest())


@pytest.mark.parametrize("every", [5, 12, 25])
def test_nobody_runs_through_between_two_looks(every):
    """The attack: both looks prove the whole place empty, and the person is in the pictures between alone."""
    pictures = [picture(number, run_at(number) if 0 < number < 5 else None) for number in range(26)]
    shown = replayed(pictures, [look(number) for number in range(0, 26, every)])
    assert len(shown) == 26
    for one in shown[1:5]:
        left, top, right, bottom = run_at(one.index).clipped(WIDTH, HEIGHT)
        assert one.doubt is None
        assert one.mask[top:bottom, left:right].all()
        assert (one.mask == 0).mean() > 0.5, "and what is proven is shown"
    # The attacked way showed what both looks prove, in every picture between them: all of it.


def test_people_of_both_looks_are_covered_too():
    box = Box(100, 40, 140, 150)
    tracks = (Track(1, box, (0.0, 0.0), 0.9, 0.0, 1.0, True),)
    shown = replayed([picture(number) for number in range(6)], [look(0, tracks=tracks), look(5)])
    assert shown[2].mask[40:150, 100:140].all()


def test_nobody_passes_unredacted_before_somebody_who_gets_their_own_copy():
    """Between two looks a runner is within the box of the one who is shown: such a picture is left out."""
    own = Box(120, 30, 200, 160)
    tracks = (Track(1, own, (0.0, 0.0), 0.9, 0.0, 1.0, True),)
    pictures = [picture(number, Box(130, 40, 170, 150) if number in (2, 3) else None) for number in range(11)]
    old = msgspec.structs.replace(look(7, tracks=tracks), looked_s=0.28)
    replay = Replay(Showing(), spared=1)
    replay.know([look(0, tracks=tracks), look(5, tracks=tracks), old, look(10, tracks=tracks)], [BackgroundWriter().write(-1, place())])
    shown = [one for each in pictures for one in replay.push(each)] + list(replay.rest())
    assert [one.index for one in shown if one.doubt is None] == [0, 5, 10]
    assert not shown[-1].mask[60:140, 140:180].any()


def test_the_picture_before_and_the_one_after_tell_of_whoever_comes_and_goes():
    """A sleeve at the edge, as dark as the wall behind it, is covered because the neighbouring picture has the arm."""
    arm = Box(0, 60, 24, 140)
    pictures = [picture(number, arm if number in (3, 6) else None) for number in range(11)]
    shown = replayed(pictures, [look(0), look(5), look(10)])
    assert [bool(one.mask[70:130, :16].all()) for one in shown] == [number in {2, 3, 4, 5, 6, 7} for number in range(11)]


def test_two_pictures_of_the_same_time_are_proven_each_by_itself():
    """A camera whose clock stands: nothing but the picture itself says which proof is its own."""
    pictures = [at_pts(picture(number, run_at(2) if number == 1 else None), 5 * EVERY) for number in range(3)]
    shown = replayed(pictures, [look(5)])
    left, top, right, bottom = run_at(2).clipped(WIDTH, HEIGHT)
    assert [bool(one.mask[top:bottom, left:right].all()) for one in shown] == [False, True, False]


def test_an_own_copy_has_pictures_in_which_the_detector_saw_its_person_itself():
    """A look at another part of the picture, or one that found nobody, says nothing of who stands before them."""
    own = Box(120, 30, 200, 160)
    seen, guessed = (Track(1, own, (0.0, 0.0), 0.9, age, 0.0, True) for age in (0.0, 0.2))
    replay = Replay(Showing(), spared=1)
    replay.know([look(0, tracks=(seen,)), look(5, tracks=(guessed,)), look(10)], [BackgroundWriter().write(-1, place())])
    shown = [one for number in range(11) for one in replay.push(picture(number))] + list(replay.rest())
    assert [one.index for one in shown if one.doubt is None] == [0]


def test_a_child_before_the_one_who_is_shown_is_covered():
    """A detection within the person's own box is another person, unless it is of the same size."""
    own, child = Box(120, 30, 200, 160), Box(140, 100, 170, 160)
    tracks = (Track(1, own, (0.0, 0.0), 0.9, 0.0, 1.0, True),)
    scene = Scene(0.0, tracks, (Detection(child, 0.35), Detection(own.grown(0.02), 0.9)), width=WIDTH, height=HEIGHT)
    seen = sample(known(0, None, scene, place()))
    replay = Replay(Showing(), spared=1)
    replay.know([seen], [BackgroundWriter().write(-1, place())])
    (shown,) = [*replay.push(picture(0, own)), *replay.rest()]
    left, top, right, bottom = child.clipped(WIDTH, HEIGHT)
    assert shown.mask[top:bottom, left:right].all()
    assert not shown.mask[40:84, 125:190].any()


@pytest.mark.parametrize(
    "change",
    [{"velocities": ((0.0, 0.0),) * 3}, {"tracks": ((1, 0.0, (float("nan"), 0.0, 1.0, 1.0)),)}],
)
def test_a_record_that_makes_no_sense_blanks_and_the_clip_goes_on(change):
    damaged = msgspec.structs.replace(look(2), **change)
    shown = replayed([picture(number) for number in range(8)], [look(0), damaged, look(4), look(7)])
    assert [one.index for one in shown] == list(range(8))
    assert shown[2].doubt is Doubt.FAULT
    assert [one.doubt for one in (shown[0], *shown[5:])] == [None] * 4


def test_looks_that_lie_far_apart_show_nothing_between():
    count = round(LONGEST_S * FPS) + 3
    shown = replayed([picture(number) for number in range(count)], [look(0), look(count - 1)])
    assert [one.doubt for one in shown[1:-1]] == [Doubt.NO_ANALYSIS] * (count - 2)
    assert shown[0].doubt is None


def test_a_doubt_blanks_around_it_and_what_was_known_before_proves_nothing_after():
    pictures = [picture(number) for number in range(21)]
    looks = [look(0), look(5), look(10, Doubt.CHANGED), look(15), look(20)]
    shown = replayed(pictures, looks)
    assert [one.index for one in shown if one.doubt is None] == [0, 1, 2, 3, 4, 5]
    writer = BackgroundWriter()
    again = [writer.write(-1, place()), writer.write(15 * EVERY, place())]
    shown = replayed(pictures, looks, again)
    assert [one.index for one in shown if one.doubt is None] == [0, 1, 2, 3, 4, 5, 16, 17, 18, 19, 20]


def test_no_picture_is_proven_by_a_background_learned_from_itself():
    shown = replayed([picture(number) for number in range(6)], [look(0), look(5)], [BackgroundWriter().write(2 * EVERY, place())])
    assert [one.index for one in shown if one.doubt is None] == [3, 4, 5]


def test_a_picture_whose_own_look_gave_a_background_has_the_one_before():
    writer = BackgroundWriter()
    backgrounds = [writer.write(-1, place()), writer.write(3 * EVERY, place())]
    shown = replayed([picture(number) for number in range(6)], [look(0), look(3), look(5)], backgrounds)
    assert all(one.doubt is None for one in shown)


def test_a_place_that_is_not_known_is_covered():
    unknown = place()
    unknown.known[:, 40:] = 0
    shown = replayed([picture(number) for number in range(6)], [look(0), look(5)], [BackgroundWriter().write(-1, unknown)])
    assert all(one.mask[:, WIDTH // 2 :].all() for one in shown)
    assert not shown[2].mask[:, : WIDTH // 2 - 16].any()


class TestFormat1:
    """Clips that older versions recorded hold a proof of every look's own picture and no background."""

    def proof(self, number, proven):
        bits = zlib.compress(np.packbits(proven != 0).tobytes())
        return MaskSample(number * EVERY, "", ROWS, COLUMNS, bits)

    def test_pictures_without_a_proof_of_their_own_are_left_out(self):
        whole = np.full((ROWS, COLUMNS), 255, np.uint8)
        pictures = [picture(number, run_at(number) if 0 < number < 5 else None) for number in range(11)]
        shown = replayed(pictures, [self.proof(number, whole) for number in (0, 5, 10)], [])
        assert [one.index for one in shown] == [0, 5, 10]
        assert all(one.doubt is None for one in shown)

    def test_what_its_own_proof_does_not_hold_is_covered(self):
        half = np.full((ROWS, COLUMNS), 255, np.uint8)
        half[:, :40] = 0
        shown = replayed([picture(0)], [self.proof(0, half)], [])
        assert shown[0].mask[:, : WIDTH // 2].all()

    def test_a_gap_and_a_damaged_proof_are_blank(self):
        whole = np.full((ROWS, COLUMNS), 255, np.uint8)
        shown = replayed([picture(number) for number in range(60)], [self.proof(0, whole), self.proof(59, whole)], [])
        assert len(shown) == 60
        assert [one.index for one in shown if one.doubt is None] == [0, 59]
        damaged = msgspec.structs.replace(self.proof(0, whole), bits=b"x")
        assert replayed([picture(0)], [damaged], [])[0].doubt is Doubt.NO_ANALYSIS


def test_pictures_do_not_pile_up_where_no_look_comes():
    replay, most = Replay(Showing()), 0
    replay.know([look(0)], [BackgroundWriter().write(-1, place())])
    for number in range(300):
        list(replay.push(picture(number)))
        most = max(most, len(replay._waiting))
    assert most <= 65


@pytest.mark.parametrize("pts", [0, -1])
def test_a_stream_without_times_shows_nothing_it_cannot_place(pts):
    pictures = [at_pts(picture(number, run_at(2)), pts) for number in range(10)]
    shown = replayed(pictures, [look(0), look(5)])
    left, top, right, bottom = run_at(2).clipped(WIDTH, HEIGHT)
    assert all(one.mask[top:bottom, left:right].all() for one in shown)


def at_pts(frame, pts):
    return RawFrame(frame.y, frame.u, frame.v, frame.index, pts / TICKS, frame.taken, pts)
