"""Background, heads, tracker and analyser, on pictures whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blickschutz.analysis.io.openvino_detector import _fill
from blickschutz.analysis.model import AnalysisSettings
from blickschutz.analysis.rules.attention import Attention
from blickschutz.analysis.rules.background import BackgroundModel, BackgroundSettings, BackgroundState
from blickschutz.analysis.rules.changes import still_changes
from blickschutz.analysis.rules.heads import decode_centernet, decode_yolox, drop_contained, suppress_overlaps
from blickschutz.analysis.rules.packing import Placement, fitting, pack, unpack
from blickschutz.analysis.rules.proof import agreeing, levelled
from blickschutz.analysis.rules.regions import lively_regions
from blickschutz.analysis.rules.tracking import Tracker, TrackerSettings, TrackPoint, fill_gaps
from blickschutz.analysis.service import Analyser
from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Background, Doubt, Track
from tests.fakes.detectors import BlindDetector, FixedDetector, TruthDetector
from tests.fakes.posers import FixedPoser

NONE = np.zeros((20, 30), np.uint8)


def picture(value=100, **patches):
    result = np.full((20, 30, 3), value, np.uint8)
    result[..., 1:] = 128
    return result


def compare(model, shown):
    return agreeing(model.background(0.0), shown)


def level(model, shown):
    return levelled(model.background(0.0), shown)


def learned(seconds=3.0, settings=None):
    model = BackgroundModel(20, 30, settings)
    for index in range(round(seconds * 5) + 1):
        model.learn(picture(), compare(model, picture()), NONE, NONE, index / 5)
    return model, seconds


class TestBackground:
    def test_nothing_is_proven_at_the_start(self):
        model = BackgroundModel(20, 30)
        assert not compare(model, picture()).any()
        assert model.state is BackgroundState.LEARNING

    def test_what_stays_the_same_is_proven_after_a_while(self):
        model, _ = learned()
        assert compare(model, picture()).all()
        assert model.state is BackgroundState.STEADY

    def test_what_differs_is_not_proven(self):
        model, _ = learned()
        changed = picture()
        changed[5:12, 8:14] = (30, 128, 128)
        proven = compare(model, changed)
        assert not proven[6:11, 9:13].any()
        assert proven[15:, :].all()

    @pytest.mark.parametrize(("every", "wait"), [(0.2, 1.4), (0.5, 2.0), (1.0, 4.0)])
    def test_whoever_looks_seldom_must_see_a_pixel_unchanged_as_often(self, every, wait):
        model = BackgroundModel(20, 30)
        looks = round(wait / every)
        for index in range(looks):
            model.learn(picture(), compare(model, picture()), NONE, NONE, index * every)
        assert not compare(model, picture()).any()
        for index in range(looks, looks + 2):
            model.learn(picture(), compare(model, picture()), NONE, NONE, index * every)
        assert compare(model, picture()).all()

    def test_what_was_known_stays_as_it_was_while_the_model_learns_on(self):
        model, at = learned()
        before = model.background(at)
        picture_then, known_then = before.picture.copy(), before.known.copy()
        for index in range(200):
            model.learn(picture(140), compare(model, picture(140)), NONE, NONE, at + index / 5)
        assert (before.picture == picture_then).all()
        assert (before.known == known_then).all()
        assert not (model.background(at).picture == picture_then).all()
        half = BackgroundModel(20, 30)
        blocked = NONE.copy()
        blocked[:, 15:] = 255
        for index in range(10):
            half.learn(picture(), compare(half, picture()), blocked, NONE, index / 5)
        before = half.background(2.0)
        for index in range(10, 30):
            half.learn(picture(), compare(half, picture()), NONE, NONE, index / 5)
        assert half.background(6.0).known.all()
        assert not before.known[:, 15:].any()

    def test_a_change_tells_since_when_the_place_is_not_what_it_was_whoever_passes_since(self):
        model, at = learned()
        changed, passing = picture(), NONE.copy()
        changed[5:12, 8:14] = (30, 128, 128)
        passing[2:16, 5:18] = 255
        for index in range(100):
            at += 0.2
            thing = changed if index > 50 else picture()
            model.learn(thing, compare(model, thing), passing if 70 < index < 80 else NONE, NONE, at)
        agrees = compare(model, changed)
        (change,) = still_changes(model.still_since(agrees, NONE), model.stood(), at, 3.0, model.shown, changed, (4.0, 4.0))
        assert change.since_s == pytest.approx(4.0, abs=0.5)
        assert change.differs_s == pytest.approx(10.0, abs=1.2)
        assert change.known_s == pytest.approx(11.6, abs=1.6)

    def test_other_colour_alone_is_enough(self):
        model, _ = learned()
        changed = picture()
        changed[5:12, 8:14, 1] = 150
        assert not compare(model, changed)[6:11, 9:13].any()

    def test_a_gap_in_what_was_seen_proves_nothing(self):
        """Two looks five seconds apart that agree say nothing of what was there in between."""
        model = BackgroundModel(20, 30)
        for at in (0.0, 5.0, 10.0, 15.0):
            model.learn(picture(), compare(model, picture()), NONE, NONE, at)
        assert not compare(model, picture()).any()

    def test_a_blocked_pixel_is_never_learned(self):
        model = BackgroundModel(20, 30)
        blocked = NONE.copy()
        blocked[5:12, 8:14] = 255
        for index in range(5000):
            model.learn(picture(), compare(model, picture()), blocked, NONE, index / 5)
        proven = compare(model, picture())
        assert not proven[6:11, 9:13].any()
        assert proven[14:, :].all()

    def test_a_person_who_stands_still_stays_unproven_for_minutes(self):
        model, at = learned()
        person = picture()
        person[5:12, 8:14] = 30
        blocked = NONE.copy()
        blocked[4:13, 7:15] = 255
        model.learn(person, compare(model, person), blocked, NONE, at + 0.2)
        # From now on the detector loses the person, who does not move at all.
        for index in range(5 * 500):
            model.learn(person, compare(model, person), NONE, NONE, at + 0.4 + index / 5)
        assert not compare(model, person)[6:11, 9:13].any()

    def test_an_untouched_change_is_learned_after_its_time(self):
        model, at = learned()
        changed = picture()
        changed[5:12, 8:14] = 130
        for index in range(5 * 25):
            model.learn(changed, compare(model, changed), NONE, NONE, at + index / 5)
        assert compare(model, changed).all()

    def test_a_weak_detection_delays_learning(self):
        settings = BackgroundSettings()
        model = BackgroundModel(20, 30)
        doubtful = NONE.copy()
        doubtful[5:12, 8:14] = 255
        for index in range(round(5 * (settings.doubtful_learn_after_s - 1))):
            model.learn(picture(), compare(model, picture()), NONE, doubtful, index / 5)
        assert not compare(model, picture())[7:10, 10:12].any()
        for index in range(round(5 * (settings.doubtful_learn_after_s - 1)), round(5 * (settings.doubtful_learn_after_s + 4))):
            model.learn(picture(), compare(model, picture()), NONE, doubtful, index / 5)
        assert compare(model, picture()).all()

    def test_a_switched_light_is_a_change(self):
        model, at = learned()
        bright = picture(200)
        model.learn(bright, compare(model, bright), NONE, NONE, at + 0.2)
        assert model.state is BackgroundState.CHANGED
        assert not compare(model, bright).any()
        assert not compare(model, picture()).any()

    def test_after_a_change_it_learns_again_more_slowly(self):
        settings = BackgroundSettings()
        model, at = learned()
        bright = picture(200)
        for index in range(round(5 * settings.restart_learn_after_s) - 2):
            model.learn(bright, compare(model, bright), NONE, NONE, at + 0.2 + index / 5)
        assert not compare(model, bright).any()
        for index in range(15):
            model.learn(bright, compare(model, bright), NONE, NONE, at + settings.restart_learn_after_s + index / 5)
        assert compare(model, bright).all()

    def test_the_camera_s_gain_is_compensated(self):
        model, ground = BackgroundModel(20, 30), picture()
        ground[..., 0] = np.linspace(90, 130, 30)
        for index in range(16):
            model.learn(ground, compare(model, ground), NONE, NONE, index / 5)
        brighter = ground.copy()
        brighter[..., 0] = ground[..., 0] * 1.15
        assert not compare(model, brighter).any()
        assert compare(model, level(model, brighter)).all()

    def test_a_picture_without_any_pattern_says_nothing_of_the_camera_s_gain(self):
        model, _ = learned()
        assert not compare(model, level(model, picture(113))).any()

    def test_a_gain_beyond_the_limits_is_not_compensated(self):
        model, _ = learned()
        assert (level(model, picture(30)) == picture(30)).all()


class TestHeads:
    def test_centernet_peak_becomes_a_box(self):
        heat = np.zeros((1, 1, 12, 16), np.float32)
        heat[0, 0, 5, 7], heat[0, 0, 5, 8] = 0.9, 0.5
        distances = np.full((1, 4, 12, 16), 8, np.float32)
        assert decode_centernet(heat, distances, 0.3).tolist() == [[20, 12, 36, 28, pytest.approx(0.9)]]

    def test_yolox_cell_becomes_a_box(self):
        cells = (64 // 8) ** 2 + (64 // 16) ** 2 + (64 // 32) ** 2
        raw = np.zeros((1, cells, 85), np.float32)
        raw[0, 9, :6] = (0.5, 0.5, np.log(2), np.log(4), 1.0, 0.8)  # column 1, row 1 of stride 8
        assert decode_yolox(raw, 64, 64, 0.3).tolist() == [[pytest.approx(v) for v in (4, -4, 20, 28, 0.8)]]

    def test_the_better_of_two_overlapping_boxes_stays(self):
        boxes = np.array([[0, 0, 10, 10, 0.9], [1, 1, 11, 11, 0.8], [30, 30, 40, 40, 0.7]], np.float32)
        assert suppress_overlaps(boxes, 0.4)[:, 4].tolist() == [pytest.approx(0.9), pytest.approx(0.7)]


def row(x, score=0.8, y=10):
    return np.array([[x, y, x + 20, y + 50, score]], np.float32)


class TestTracker:
    def test_a_walker_keeps_one_number(self):
        tracker = Tracker()
        numbers = {t.number for i in range(20) for t in tracker.update(row(10 + 6 * i), i / 5)}
        assert len(numbers) == 1

    def test_two_who_cross_are_two(self):
        tracker = Tracker()
        for i in range(20):
            both = np.concatenate([row(10 + 8 * i), row(170 - 8 * i, y=25)])
            found = tracker.update(both, i / 5)
        assert len(found) == 2

    def test_one_glimpse_is_not_confirmed(self):
        tracker = Tracker()
        assert not tracker.update(row(10), 0.0)
        assert len(tracker.candidates) == 1

    def test_a_weak_detection_keeps_a_track_but_starts_none(self):
        tracker = Tracker()
        tracker.update(row(10, score=0.25), 0.0)
        assert not tracker.candidates
        for i in range(3):
            tracker.update(row(10), 0.2 + i / 5)
        assert tracker.update(row(12, score=0.25), 0.8)[0].seen_at == 0.8

    def test_a_lost_track_coasts_and_then_ends(self):
        tracker = Tracker(TrackerSettings(coast_s=1.0))
        for i in range(5):
            tracker.update(row(10 + 10 * i), i / 5)
        nobody = np.zeros((0, 5), np.float32)
        assert tracker.update(nobody, 1.4)[0].predicted(1.4)[0] > 60
        assert not tracker.update(nobody, 2.5)

    def test_a_track_outside_the_parts_goes_on_as_it_moved(self):
        tracker = Tracker()
        for index in range(5):
            tracker.update(np.array([[10 * index, 0, 10 * index + 20, 60, 0.9]], np.float32), index * 0.2)
        for index in range(5, 20):
            tracker.update(np.zeros((0, 5), np.float32), index * 0.2, [Box(300, 0, 400, 100)])
        assert len(tracker.candidates) == 1
        tracker.update(np.zeros((0, 5), np.float32), 4.0, [Box(0, 0, 400, 100)])
        assert not tracker.candidates

    def test_gaps_are_filled_in_between(self):
        points = [TrackPoint(0, 1, Box(0, 0, 10, 10), 0.9), TrackPoint(6, 1, Box(30, 0, 40, 10), 0.8)]
        filled = fill_gaps(points, [0, 2, 4, 6])
        assert [(p.frame, p.box.left) for p in filled] == [
            (0, 0),
            (2, pytest.approx(10)),
            (4, pytest.approx(20)),
            (6, 30),
        ]


class TestRegions:
    def test_things_far_apart_get_rectangles_of_their_own(self):
        lively = np.zeros((20, 40), np.uint8)
        lively[5:8, 2:4] = lively[10:12, 20:22] = lively[1:3, 36:38] = 255
        regions = lively_regions(lively, [], 400, 200, margin=10)
        assert set(regions) == {Box(10, 40, 50, 90), Box(190, 90, 230, 130), Box(350, 0, 390, 40)}
        assert lively_regions(np.zeros((4, 4), np.uint8), [], 40, 40, margin=1) == []

    def test_what_is_followed_counts_as_lively(self):
        nothing = np.zeros((20, 40), np.uint8)
        assert lively_regions(nothing, [Box(100, 50, 120, 90)], 400, 200, margin=10) == [Box(90, 40, 130, 100)]

    def test_what_does_not_fit_is_not_packed(self):
        assert pack([Box(0, 0, 60, 60), Box(70, 0, 128, 60), Box(0, 64, 128, 96)], (128, 96), (128, 64)) is None

    def test_a_part_larger_than_the_input_is_shrunk_and_comes_back_at_its_size(self):
        parts = pack([Box(0, 0, 120, 96)], (128, 96), (128, 64))
        assert [(p.width, p.height, p.shrink) for p in parts] == [(120, 96, 2)]
        found = np.array([[parts[0].x + 10, parts[0].y + 5, parts[0].x + 30, parts[0].y + 45, 0.9]], np.float32)
        assert unpack(found, parts).tolist() == [[20, 10, 60, 90, pytest.approx(0.9)]]

    def test_what_is_most_wanted_fits_first(self):
        regions = [Box(0, 0, 60, 60), Box(64, 0, 128, 60), Box(0, 64, 128, 96), Box(100, 64, 104, 70)]
        chosen = fitting(regions, (128, 96), (128, 72))
        assert chosen[0] == 0
        assert pack([regions[index] for index in chosen], (128, 96), (128, 72)) is not None
        assert 2 not in chosen

    def test_weak_boxes_inside_better_ones_add_nothing(self):
        boxes = np.array([[0, 0, 20, 40, 0.9], [2, 2, 10, 20, 0.2], [2, 2, 10, 20, 0.5], [15, 0, 40, 40, 0.2]], np.float32)
        assert drop_contained(boxes, sure=0.3)[:, 4].tolist() == [pytest.approx(v) for v in (0.9, 0.5, 0.2)]

    @given(st.lists(st.tuples(*(st.integers(0, 90) for _ in range(4))), min_size=1, max_size=3))
    def test_what_is_packed_comes_back_where_it_was(self, corners):
        regions = [Box(x, y, x + 2 + w, y + 2 + h) for x, y, w, h in corners]
        parts = pack(regions, (128, 96), (128, 64))
        if parts is None:
            return
        assert len(parts) == len(regions)
        for part in parts:
            inside = np.array([[part.x + 1, part.y + 1, part.x + 3, part.y + 3, 0.9]], np.float32)
            back = unpack(inside, parts)
            assert [part.left + part.shrink, part.top + part.shrink] in back[:, :2].tolist()
            assert part.x + part.width // part.shrink <= 128
            assert part.y + part.height // part.shrink <= 64
        for region in regions:
            covering = [p for p in parts if p.left <= region.left and p.left + p.width >= min(128, region.right)]
            assert any(p.top <= region.top and p.top + p.height >= min(96, region.bottom) for p in covering)

    def test_a_body_in_no_part_is_dropped_and_one_across_is_cut(self):
        parts = pack([Box(0, 0, 20, 20), Box(60, 0, 80, 20)], (128, 96), (128, 64))
        between = np.array([[16, 2, 32, 18, 0.9], [10, 2, 26, 18, 0.8]], np.float32)
        assert unpack(between, parts).tolist() == [[10, 2, 20, 18, pytest.approx(0.8)]]


def track(left, top, right, bottom, age=5.0, velocity=(0.0, 0.0), confirmed=True):
    return Track(1, Box(left, top, right, bottom), velocity, 0.8, 0.0, age, confirmed)


class TestAttention:
    REGION = Box(90, 40, 130, 110)

    def due(self, tracks, since):
        attention = Attention(24, 32, 320, 240)
        attention.looked([Box(0, 0, 320, 240)], 100.0)
        return attention.due([self.REGION], tracks, 100.0 + since, calm_s=0.4)

    def test_one_calm_walker_waits(self):
        assert self.due([track(100, 50, 120, 100)], 0.2) == []
        assert self.due([track(100, 50, 120, 100)], 0.4) == [self.REGION]

    @pytest.mark.parametrize(
        "tracks",
        [
            [],
            [track(100, 50, 120, 100), track(110, 50, 130, 100)],
            [track(100, 50, 120, 100, age=0.2)],
            [track(100, 50, 120, 100, confirmed=False)],
            [track(100, 50, 120, 100, velocity=(120.0, 0.0))],
        ],
        ids=["nobody known", "two together", "a newcomer", "unconfirmed", "fast"],
    )
    def test_everything_else_does_not(self, tracks):
        assert self.due(tracks, 0.2) == [self.REGION]

    def test_the_longest_unseen_comes_first(self):
        attention = Attention(24, 32, 320, 240)
        first, second = Box(0, 0, 40, 40), Box(200, 100, 260, 200)
        attention.looked([first], 10.0)
        attention.looked([second], 9.0)
        assert attention.due([first, second], [], 10.2, 0.4) == [second, first]
        assert attention.due([first, Box(100, 0, 140, 40)], [], 10.2, 0.4)[0].left == 100


class TestExposure:
    """The exposure is levelled where the camera changed it, and not where somebody stands before most of the picture."""

    WALL = np.clip(120 + np.random.default_rng(2).normal(0, 6, (60, 96)), 0, 255).astype(np.uint8)

    def shot(self, luma):
        result = np.full((60, 96, 3), 128, np.uint8)
        result[..., 0] = luma
        return result

    def proven(self, luma):
        known = Background(0.0, self.shot(self.WALL), np.full((60, 96), 255, np.uint8), (11, 7, 7))
        return agreeing(known, levelled(known, self.shot(luma))) != 0

    @pytest.mark.parametrize("gain", [0.8, 0.9, 1.15, 1.3])
    def test_a_camera_that_changes_its_gain_proves_what_it_proved(self, gain):
        assert self.proven(np.clip(self.WALL * gain, 0, 255).astype(np.uint8)).mean() > 0.98

    @pytest.mark.parametrize("share", [0.3, 0.55, 0.7, 0.9, 1.0])
    @pytest.mark.parametrize("coat", [85, 95, 150])
    def test_whoever_fills_most_of_a_plain_picture_is_not_taken_for_a_darker_wall(self, share, coat):
        luma, width = self.WALL.copy(), round(96 * share)
        luma[:, :width] = np.clip(coat + np.random.default_rng(3).normal(0, 3, (60, width)), 0, 255).astype(np.uint8)
        assert not self.proven(luma)[:, : width - 1].any()


class TestOldLooks:
    """What a look found, and what becomes of it until the next one."""

    def test_who_stands_out_from_the_background_is_marked_and_who_does_not_is_not(self):
        scene = DrawnScene(320, 240, seed=3, empty=30)
        analyser = Analyser(TruthDetector(scene))
        for index in range(0, 60, 2):
            _, found = analyser.analyse(scene.picture(index).frame(index))
        assert all(one.stands_out for one in (*found.detections, *found.tracks))
        empty = DrawnScene(320, 240, seed=3, walkers=0)
        detector = FixedDetector()
        analyser = Analyser(detector)
        for index in range(0, 40, 2):
            if index == 30:
                detector._boxes = np.array([(100, 60, 140, 180, 0.8)], np.float32)
            _, found = analyser.analyse(empty.picture(index).frame(index))
        assert found.detections
        assert not any(one.stands_out for one in (*found.detections, *found.tracks))

    def test_how_old_a_look_is_goes_with_the_scene(self):
        scene = DrawnScene(320, 240, seed=3, empty=30)
        analyser = Analyser(TruthDetector(scene))
        ages = []
        for index in range(0, 70, 2):
            _, found = analyser.analyse(scene.picture(index).frame(index), watched=False)
            ages.append(round(found.looked_s, 1))
        assert {0.0, 0.2, 0.4} <= set(ages[20:])
        assert max(ages[20:]) < 0.7

    def test_a_box_whose_track_has_moved_on_is_marked(self):
        scene = DrawnScene(320, 240, seed=3, empty=0)
        detector = FixedDetector((40, 60, 80, 180, 0.8))
        detector.parts = True
        analyser = Analyser(detector)
        for index in range(0, 6, 2):
            analyser.analyse(scene.picture(index).frame(index))
        kept = {one.box.left for one in analyser._scene(1.0, ()).detections}
        assert kept == {40.0}
        detector._boxes = np.array([(200, 60, 240, 180, 0.8)], np.float32)
        analyser._keep(detector._boxes, [Box(180, 40, 260, 200)], np.zeros((120, 160), np.uint8), scene.picture(6).frame(6))
        found = {one.box.left: one.moved_on for one in analyser._scene(1.0, ()).detections}
        assert found == {200.0: False, 40.0: True}


class TestGlances:
    """Whoever comes near is looked at once more, between the looks that are due, for the sake of falls alone."""

    def looked(self, *rows, later=()):
        """How often the detector was asked until each analysed picture, and what was found there; `later` from the second look on."""
        scene, detector = DrawnScene(320, 240, seed=3, walkers=0, noise=0.5), FixedDetector(*rows)
        analyser, asked, scenes = Analyser(detector, poser=FixedPoser()), [], []
        for index in range(0, 16, 2):
            scenes.append(analyser.analyse(scene.picture(index).frame(index), watched=False)[1])
            detector._boxes = np.array([*rows, *later], np.float32)
            asked.append(len(detector.regions))
        return asked, scenes, analyser

    def test_who_came_near_is_seen_again_at_the_next_picture_but_nobody_far_away(self):
        assert self.looked((100, 60, 140, 180, 0.8))[0] == [1, 2, 2, 3, 3, 3, 4, 4]
        assert self.looked((100, 60, 115, 110, 0.8))[0] == [1, 1, 1, 2, 2, 2, 3, 3]

    def test_nothing_but_postures_goes_by_a_glance(self):
        asked, scenes, analyser = self.looked((100, 60, 140, 180, 0.8), later=[(150, 60, 190, 180, 0.8)])
        assert asked == [1, 2, 3, 4, 4, 4, 5, 5]
        assert [round(scene.looked_s, 1) for scene in scenes[:4]] == [0, 0.2, 0.4, 0]
        assert [len(scene.detections) for scene in scenes[:4]] == [1, 1, 1, 2]
        assert [[track.confirmed for track in scene.tracks] for scene in scenes[:4]] == [[False], [False], [False], [True, False]]
        assert [[one.hits for one in tracker.candidates] for tracker in (analyser._tracker, analyser._glanced)] == [[3, 2], [5, 4]]


class TestAnalyser:
    def test_proves_background_and_finds_people(self):
        scene = DrawnScene(320, 240, seed=3, empty=30)
        analyser = Analyser(TruthDetector(scene))
        for index in range(0, 60, 2):
            backdrop, found = analyser.analyse(scene.picture(index).frame(index))
        truth = scene.picture(58)
        assert backdrop.doubt is None
        assert len(found.detections) == len(truth.people)
        small = backdrop.proven
        rows = np.arange(small.shape[0]) * 240 // small.shape[0]
        columns = np.arange(small.shape[1]) * 320 // small.shape[1]
        ground = truth.bodies[rows][:, columns] == 0
        assert small[ground].mean() > 0.8 * 255

    def test_is_in_doubt_at_first(self):
        scene = DrawnScene(320, 240, seed=3)
        backdrop, _ = Analyser(BlindDetector()).analyse(scene.picture(0).frame(0))
        assert backdrop.doubt is Doubt.STARTING

    def test_spares_the_detector_where_nothing_moves(self):
        scene = DrawnScene(320, 240, seed=3, walkers=0, noise=0.5)
        detector = BlindDetector()
        analyser = Analyser(detector)
        for index in range(0, 100, 2):
            analyser.analyse(scene.picture(index).frame(index))
        before = detector.calls
        for index in range(100, 200, 2):
            analyser.analyse(scene.picture(index).frame(index))
        assert detector.calls - before <= 11
        assert analyser.detections_spared > 0

    def test_looks_at_a_part_only_between_whole_pictures(self):
        scene = DrawnScene(320, 240, seed=3, walkers=0, noise=0.5)
        detector = FixedDetector((100, 80, 120, 140, 0.9))
        detector.parts = True
        analyser = Analyser(detector, AnalysisSettings())
        for index in range(0, 100, 2):
            analyser.analyse(scene.picture(index).frame(index))
        late = detector.regions[-10:]
        assert any(not regions for regions in late)
        parts = [regions for regions in late if regions]
        assert parts
        for regions in parts:
            assert any(region.left < 100 and region.right > 120 for region in regions)
            assert sum(region.area for region in regions) < 0.75 * 320 * 240

    def test_asks_less_often_while_nobody_watches(self):
        scene = DrawnScene(320, 240, seed=3)
        counts = []
        for watched in (True, False):
            detector = TruthDetector(scene)
            detector.parts = True
            analyser = Analyser(detector)
            for index in range(0, 100, 2):
                analyser.analyse(scene.picture(index).frame(index), watched=watched)
            counts.append(detector.calls)
        assert counts[1] < 0.55 * counts[0]

    def test_another_size_starts_anew(self):
        scene, other = DrawnScene(320, 240, seed=3, walkers=0), DrawnScene(160, 120, seed=3, walkers=0)
        analyser = Analyser(BlindDetector())
        for index in range(0, 40, 2):
            backdrop, _ = analyser.analyse(scene.picture(index).frame(index))
        assert backdrop.doubt is None
        backdrop, _ = analyser.analyse(other.picture(0).frame(41))
        assert backdrop.doubt is Doubt.STARTING

    def test_a_person_there_from_the_start_is_not_learned(self):
        """Somebody stands still from the very first picture; a weak detection is all there is."""
        scene = DrawnScene(320, 240, seed=3, walkers=0, noise=0.5)
        analyser = Analyser(FixedDetector((100, 80, 130, 160, 0.32)))
        for index in range(0, 600, 2):
            backdrop, _ = analyser.analyse(scene.picture(index).frame(index))
        rows, columns = backdrop.proven.shape
        inside = backdrop.proven[rows * 90 // 240 : rows * 150 // 240, columns * 103 // 320 : columns * 127 // 320]
        assert not inside.any()

    def test_a_camera_moved_while_its_stream_was_interrupted_is_noticed(self):
        scenery = DrawnScene(320, 240, seed=3, walkers=0, noise=0.5)
        analyser = Analyser(BlindDetector())
        for index in range(0, 100, 2):
            _, scene = analyser.analyse(scenery.picture(index).frame(index))
        assert scene.view.agreement > 0.9
        analyser.restart()
        for index in range(100, 160, 2):
            picture = scenery.picture(index)
            y = np.ascontiguousarray(np.roll(picture.y, (37, 53), (0, 1)))
            _, scene = analyser.analyse(RawFrame(y, picture.u, picture.v, index, index / 10, index / 10))
        assert scene.view.agreement < 0.35

    def test_who_lies_is_never_learned_as_background(self):
        class Turned(BlindDetector):
            def detect_turned(self, frame, least, region, quarters):
                return np.array([[100, 150, 180, 180, 0.6]], np.float32)

        scene = DrawnScene(320, 240, seed=3, walkers=0, noise=0.5)
        analyser = Analyser(Turned())
        for index in range(0, 300, 2):
            backdrop, found = analyser.analyse(scene.picture(index).frame(index))
            if index < 10:
                assert found.lying
        rows, columns = backdrop.proven.shape
        inside = backdrop.proven[rows * 155 // 240 : rows * 175 // 240, columns * 105 // 320 : columns * 175 // 320]
        assert not inside.any()


def test_the_detector_sees_nothing_of_the_last_look_beside_a_shrunk_part():
    picture = np.full((192, 224, 3), 7, np.uint8)
    frame = RawFrame(np.full((384, 448), 90, np.uint8), *(np.full((192, 224), 128, np.uint8) for _ in range(2)), 0, 0.0, 0.0)
    _fill(picture, frame, [Placement(0, 0, 224, 192, 0, 0, shrink=2)], 1.0, 1.0)
    assert (picture[:96, :112] != 7).all()
    assert (picture[96:] == 114).all()
    assert (picture[:, 112:] == 114).all()
