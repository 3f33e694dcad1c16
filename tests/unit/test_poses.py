"""Second looks: who is believed to be somebody, which two are a pair, and who may be down; on drawn bodies."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest

from blickschutz.analysis.io.blazepose import NAME, convert, verify
from blickschutz.analysis.io.openvino_detector import OpenVinoDetector
from blickschutz.analysis.io.openvino_pose import OpenVinoPoser
from blickschutz.analysis.io.registry import ModelRegistry
from blickschutz.analysis.model import HIPS, SHOULDERS
from blickschutz.analysis.rules.encounters import EncounterWatch, near_pairs
from blickschutz.analysis.rules.fallen import Around, left_over
from blickschutz.analysis.rules.pose import Window, read_pose
from blickschutz.analysis.rules.postures import PostureWatch
from blickschutz.kernel.errors import ModelError
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import ENCOUNTER_FIGURES, POSTURE_FIGURES, Detection, Track
from tests.fakes.posers import FixedPoser, drawn_pose

FLAT = Box(150, 200, 330, 250)
LEFT, RIGHT = Box(200, 60, 260, 240), Box(280, 60, 340, 240)
SIZE = 480, 320


def lying_pose(box):
    """Somebody lies there, wherever they are looked for."""
    return drawn_pose(FLAT, lies=True)


PRESENCE = ENCOUNTER_FIGURES.index("presence_0")


def rows(*boxes, score=0.5):
    return np.array([(*box, score) for box in boxes], np.float32).reshape(-1, 5)


def pictures(shift=10):
    """Luma of two moments a tenth of a second apart: what is above moves to the right, what is below to the left."""
    before = np.random.default_rng(0).integers(0, 255, (SIZE[1] // 8, SIZE[0] // 8)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
    now = np.concatenate([np.roll(before[:150], shift, axis=1), np.roll(before[150:], -shift, axis=1)])
    return before, now, 0.1


def meet(says=drawn_pose, boxes=(LEFT, RIGHT), seconds=1.0, score=0.5, crowd=()):
    watch, poser, found = EncounterWatch(), FixedPoser(says), []
    for index in range(round(5 * seconds)):
        look = partial(poser.look, None)
        found.append(watch.encounters(rows(*boxes, score=score), crowd, pictures(), 60.0, look, 100 + index / 5))
    return found, poser, watch


class TestPairs:
    def test_two_people_are_an_encounter_with_all_its_figures(self):
        found, poser, _ = meet()
        (met,) = found[-1]
        assert met.bodies == 2
        assert len(met.figures) == len(ENCOUNTER_FIGURES)
        assert not any(map(math.isnan, met.figures))
        assert met.distance == pytest.approx(80 / 180, abs=0.02)
        assert len(poser.asked) == 2 * len(found)

    def test_nobody_there_is_confirmed_by_nobody(self):
        """Leaves, coats: boxes, motion, and no pose."""
        found, _, _ = meet(partial(drawn_pose, presence=0.02))
        assert [one.bodies for met in found for one in met] == [0] * len(found)

    def test_two_boxes_on_one_body_are_no_pair(self):
        body = Box(230, 60, 300, 240)
        found, _, _ = meet(lambda box: drawn_pose(body))
        assert found == [()] * len(found)

    def test_boxes_that_one_body_would_fill_are_not_even_looked_at(self):
        found, poser, _ = meet(boxes=(LEFT, LEFT.moved(8, 3)))
        assert found == [()] * len(found)
        assert poser.asked == []

    def test_without_a_poser_nothing_is_confirmed(self):
        watch = EncounterWatch()
        (met,) = watch.encounters(rows(LEFT, RIGHT), (), pictures(), 60.0, None, 100.0)
        assert met.bodies is None
        assert math.isnan(met.figures[PRESENCE])

    def test_who_hardly_moves_is_not_looked_at(self):
        watch, poser = EncounterWatch(), FixedPoser()
        before, _, elapsed = pictures()
        (met,) = watch.encounters(rows(LEFT, RIGHT), (), (before, before, elapsed), 60.0, partial(poser.look, None), 100.0)
        assert poser.asked == []
        assert met.bodies is None
        assert not watch.is_lively(100.0)

    def test_looks_are_bounded_in_the_long_run(self):
        _, poser, watch = meet(seconds=120)
        assert len(poser.asked) <= 40 + 0.4 * 120 + 1
        assert watch.looks == len(poser.asked)

    def test_small_far_and_unlike_people_are_no_pair(self):
        assert near_pairs(rows(LEFT, RIGHT), 200.0) == []
        assert near_pairs(rows(LEFT, LEFT.moved(240, 0)), 60.0) == []
        assert near_pairs(rows(LEFT, Box(270, 60, 300, 130)), 60.0) == []
        assert near_pairs(rows(LEFT, RIGHT, score=0.1), 60.0) == []

    def test_a_crowd_gives_a_few_pairs_only(self):
        crowd = [LEFT.moved(20 * i, 3 * i) for i in range(12)]
        assert len(near_pairs(rows(*crowd), 60.0)) == 4
        found, _, _ = meet(boxes=crowd)
        assert max(map(len, found)) <= 2


def track(number, box, at, born=90.0, seen=0.0):
    return Track(number, box, (0.0, 0.0), 0.6, seen, at - born, True)


def around(boxes, tracks=(), lying=(), left=()):
    """One moment; `left` stands out from the known place."""
    return Around(boxes, tracks, lying, SIZE, lambda: left)


class TestDown:
    def fallen(self, says=lying_pose, down=FLAT, seconds=3.0):
        """Somebody stands for 2 s and is down from then on."""
        watch, poser, found = PostureWatch(), FixedPoser(says), []
        for index in range(round(5 * (2 + seconds))):
            at = 100 + index / 5
            box = LEFT if at < 102 else down
            found += watch.postures(around(rows(box), [track(1, box, at)]), partial(poser.look, None), at)
        return found, poser

    def test_whoever_stands_is_not_looked_at(self):
        found, poser = self.fallen(down=LEFT)
        assert (found, poser.asked) == ([], [])

    def test_who_fell_is_looked_at_and_compared_with_how_they_stood(self):
        found, _ = self.fallen()
        last = dict(zip(POSTURE_FIGURES, found[-1].figures, strict=True))
        assert found[-1].lean > 0.9
        assert last["stood"] == 1
        assert last["height_share"] == pytest.approx(50 / 180, abs=0.05)

    def test_where_a_track_was_lost_somebody_is_looked_for(self):
        watch, poser = PostureWatch(), FixedPoser(lying_pose)
        for index in range(20):
            at = 100 + index / 5
            tracks = [track(1, LEFT, at)] if at < 102 else []
            weak = rows() if at < 102 else rows(Box(150, 190, 290, 245), score=0.15)
            watch.postures(around(weak, tracks), partial(poser.look, None), at)
        assert poser.asked
        assert all(math.dist(box.centre, LEFT.foot) < LEFT.height for box, _ in poser.asked)

    def test_who_walked_out_at_the_side_is_not_looked_for(self):
        watch, poser = PostureWatch(), FixedPoser()
        edge = LEFT.moved(-LEFT.left, 0)
        for index in range(20):
            at = 100 + index / 5
            watch.postures(around(rows(), [track(1, edge, at)] if at < 102 else []), partial(poser.look, None), at)
        assert poser.asked == []

    def test_what_lies_is_turned_until_somebody_is_seen_and_then_looked_at_that_way(self):
        turns = []

        def look(box, quarters):
            turns.append(quarters)
            return drawn_pose(FLAT, 1.0 if quarters == 3 else 0.01, lies=True)

        watch, found = PostureWatch(), []
        for index in range(15):
            found += watch.postures(around(rows(), lying=[Detection(FLAT, 0.5)]), look, 100 + index / 5)
        assert found[-1].presence == 1
        first = turns.index(3)
        assert set(turns[:first]) <= {0, 1}
        assert set(turns[first:]) == {3}
        assert [one.box for one in watch.bodies(103)] == [FLAT]
        assert watch.bodies(110) == ()

    def test_somebody_who_stands_there_hides_what_a_weak_box_made_of_them(self):
        watch, poser = PostureWatch(), FixedPoser(lying_pose)
        for index in range(10):
            at = 100 + index / 5
            weak = [Detection(Box(190, 130, 280, 180), 0.4)]
            watch.postures(around(rows(LEFT), [track(1, LEFT, at)], weak), partial(poser.look, None), at)
        assert poser.asked == []

    def test_who_is_cut_by_the_lower_edge_walks_out(self):
        watch, poser = PostureWatch(), FixedPoser(lying_pose)
        for index in range(20):
            at = 100 + index / 5
            box = Box(200, 60 + 12 * index, 260, min(SIZE[1], 240 + 12 * index))
            there = box.height > 58
            seen, tracks = (rows(box), [track(1, box, at)]) if there else (rows(), [])
            watch.postures(around(seen, tracks), partial(poser.look, None), at)
        assert poser.asked == []

    def test_who_falls_at_the_lower_edge_is_looked_at(self):
        watch, poser = PostureWatch(), FixedPoser(lying_pose)
        for index in range(15):
            at = 100 + index / 5
            box = Box(200, 130, 270, SIZE[1]) if at < 102 else Box(180, 250, 330, SIZE[1])
            watch.postures(around(rows(box), [track(1, box, at)]), partial(poser.look, None), at)
        assert poser.asked

    def test_a_track_seen_once_that_jumps_to_legs_at_the_lower_edge_is_no_fall(self):
        watch, poser = PostureWatch(), FixedPoser(lying_pose)
        for index in range(10):
            at = 100 + index / 5
            box = Box(200, 130, 270, 300) if index == 0 else Box(205, 260, 245, SIZE[1])
            watch.postures(around(rows(box), [track(1, box, at)]), partial(poser.look, None), at)
        assert poser.asked == []

    def lost(self, left, tracks=(), seconds=2.0):
        """Somebody stands for 2 s; then the detector sees `tracks` alone, and `left` stands out from the known place."""
        watch, poser = PostureWatch(), FixedPoser(lying_pose)
        for index in range(round(5 * (2 + seconds))):
            at = 100 + index / 5
            seen = [track(1, LEFT, at)] if at < 102 else [track(2, box, at) for box in tracks]
            watch.postures(around(rows(), seen, left=() if at < 102 else left), partial(poser.look, None), at)
        return poser

    def test_what_is_left_on_the_ground_of_who_was_lost_is_looked_at(self):
        assert {box for box, _ in self.lost([FLAT]).asked} == {FLAT}

    def test_neither_a_crumb_nor_a_crowd_nor_who_stands_there_is_left_of_somebody(self):
        for left in (Box(230, 220, 250, 240), Box(0, 10, 480, 320), LEFT):
            assert FLAT not in {box for box, _ in self.lost([left]).asked}
            assert left not in {box for box, _ in self.lost([left]).asked}

    def test_what_others_hide_is_not_left_of_somebody(self):
        assert FLAT not in {box for box, _ in self.lost([FLAT], tracks=[Box(190, 80, 290, 260)]).asked}

    def test_what_is_known_and_looks_different_is_left_over(self):
        proven, known = np.full((60, 80), 255, np.uint8), np.full((60, 80), 255, np.uint8)
        proven[30:40, 20:50], proven[:, 60:], known[:, 60:] = 0, 0, 0
        assert left_over(proven, known, (4.0, 4.0)) == [Box(80, 120, 200, 160)]

    def test_who_sinks_is_worth_fresh_looks_of_the_detector_but_not_for_ever(self):
        watch, needed = PostureWatch(), []
        for index in range(200):
            at = 100 + index / 5
            sinks = index % 5 == 4
            box = Box(LEFT.left, LEFT.top + 45, LEFT.right, LEFT.bottom) if sinks else LEFT
            watch.postures(around(rows(box), [track(1, box, at)]), partial(FixedPoser(lying_pose).look, None), at)
            needed.append(watch.is_needed(at))
        assert not any(needed[:4])
        assert all(needed[4:8])
        assert sum(needed) <= 15 + 0.25 * 40 + 5

    def test_who_came_near_is_worth_a_second_look_at_the_next_picture_but_nobody_far_away(self):
        for box, wanted in ((LEFT, [[LEFT], [], [], []]), (Box(200, 80, 230, 80 + 0.2 * SIZE[1]), [[]] * 4)):
            watch, newcomers = PostureWatch(), []
            for index in range(4):
                at = 100 + index / 5
                watch.postures(around(rows(box), [track(1, box, at)]), partial(FixedPoser(lying_pose).look, None), at)
                assert not watch.is_needed(at + 0.2)
                newcomers.append(list(watch.newcomers(at + 0.2)))
            assert newcomers == wanted

    def test_a_place_where_ever_new_people_come_costs_no_more_looks_than_the_bucket_holds(self):
        watch, glances = PostureWatch(), 0
        for index in range(200):
            at = 100 + index / 5
            watch.postures(around(rows(LEFT), [track(index, LEFT, at)]), partial(FixedPoser(lying_pose).look, None), at)
            glances += bool(watch.newcomers(at + 0.2))
        assert 15 <= glances <= 15 + 0.25 * 40 + 1

    def test_looks_in_vain_grow_rare(self):
        watch, poser = PostureWatch(), FixedPoser(partial(drawn_pose, presence=0.0))
        for index in range(50):
            watch.postures(around(rows(), lying=[Detection(FLAT, 0.5)]), partial(poser.look, None), 100 + index / 5)
        assert len(poser.asked) <= 3 * 10

    def test_looks_are_bounded_in_the_long_run(self):
        _, poser = self.fallen(seconds=120)
        assert len(poser.asked) <= 30 + 0.25 * 122 + 1


class TestPose:
    @pytest.mark.parametrize("quarters", [0, 1, 2, 3])
    def test_points_come_back_to_where_they_were(self, quarters):
        window = Window.around(Box(100, 50, 160, 200), quarters)
        picture = np.zeros((256, 256), np.float32)
        picture[40, 200] = 1
        y, x = np.argwhere(np.rot90(picture, quarters))[0]
        back = window.back(np.array([[x + 0.5, y + 0.5]], np.float32), 256)[0]
        scale = window.side / 256
        assert back == pytest.approx((window.left + 200.5 * scale, window.top + 40.5 * scale), abs=0.01)

    def test_the_outline_says_how_a_body_lies(self):
        window = Window(0, 0, 256)
        values = np.full((256, 256), -9.0, np.float32)
        values[120:140, 40:220] = 9
        pose = read_pose(np.zeros(195, np.float32), 1.0, values, window, 256)
        assert pose.outline is not None
        assert pose.outline.lean > 1.5
        assert pose.outline.box == pytest.approx((43, 121, 217, 139), abs=4)
        assert read_pose(np.zeros(195, np.float32), 1.0, values - 20, window, 256).outline is None


class TestNetwork:
    """The real network, as `blickschutz models install` brings it."""

    def frame(self):
        """A drawn body: no footage."""
        y = np.full((240, 320), 90, np.uint8)
        y[60:200, 145:175] = 200
        return RawFrame(y, np.full((120, 160), 128, np.uint8), np.full((120, 160), 128, np.uint8), 0, 0.0, 0.0)

    def test_it_answers_for_any_place_of_the_picture(self):
        poser = OpenVinoPoser.from_registry()
        for box in (Box(140, 50, 180, 210), Box(-60, -40, 40, 80), Box(300, 200, 420, 330), Box(0, 0, 2, 2)):
            pose = poser.look(self.frame(), box)
            assert 0 <= pose.presence <= 1
            assert np.isfinite(pose.points).all()
            assert math.isfinite(math.dist(pose.middle(SHOULDERS), pose.middle(HIPS)))

    def test_it_is_no_detector_and_the_detector_is_no_poser(self):
        with pytest.raises(ModelError, match="no detector"):
            OpenVinoDetector.from_registry(NAME)
        registry = ModelRegistry()
        with pytest.raises(ModelError, match="no network for poses"):
            OpenVinoPoser(*registry.load("centernet"))

    def test_what_is_installed_is_what_was_examined(self):
        _, data = ModelRegistry().load(NAME)
        verify(data)
        with pytest.raises(ModelError):
            verify(data[: len(data) // 2])

    def test_what_is_no_network_is_refused(self, tmp_path):
        with pytest.raises(ModelError, match="cannot be converted"):
            convert(b"nothing", tmp_path)
