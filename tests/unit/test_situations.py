"""Every rule on generated scenes with exact truth: when it is true, when it is not, and what must not matter."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blickschutz.kernel.density import Yardstick
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Cause, Change, Detection, View
from blickschutz.situations.io.forests import load_learned
from blickschutz.situations.kinds import NAMES, Kind, explanation, name
from blickschutz.situations.model import FLOOR, Line, graded
from blickschutz.situations.rules.causes import cause_of, flutters
from blickschutz.situations.rules.forest import Forest, Learned
from blickschutz.situations.rules.history import History, contains
from blickschutz.situations.rules.posture import WINDOW_FIGURES, posture_features, posture_score, posture_windows
from blickschutz.situations.service import SituationWatch
from blickschutz.situations.settings import START_THRESHOLDS, RuleSettings, SituationSettings, WatchedZone
from tests.conftest import often
from tests.scenes import BODY, GOOD_VIEW, HEIGHT, METRE, WIDTH, down, fall, fight, mirrored, person, scene, seen_down, standing, walk

ONLY_PRESENT = {Kind.PERSON_IN_ZONE}
LEARNED = load_learned()


def found(scenes, watch_settings=None, rules=None):
    """Kinds that begin, with the situation; without the mere presence of people."""
    watch = SituationWatch(watch_settings or SituationSettings((WatchedZone("all", rules=rules or RuleSettings()),)), LEARNED)
    told = [situation for item in scenes for situation in watch.take(item)]
    assert watch.broken == {}
    return [s for s in told if s.ended_at is None and s.kind not in ONLY_PRESENT]


def kinds(scenes, *args, **kwargs):
    return [situation.kind for situation in found(scenes, *args, **kwargs)]


def stand(x=5.0, y=3.0):
    return lambda at: (x, y)


def line(x0, speed, y=3.0):
    return lambda at: (x0 + speed * at, y)


class TestPresence:
    def test_somebody_in_a_zone(self):
        zone = WatchedZone("left", ((0, 0), (0.5, 0), (0.5, 1), (0, 1)))
        watch = SituationWatch(SituationSettings((zone,)))
        told = [s for item in walk([line(0.2, 1.0)], 9) for s in watch.take(item)]
        assert [s.kind for s in told] == [Kind.PERSON_IN_ZONE] * 2
        assert told[0].figures["persons"] == 1
        assert told[0].at == pytest.approx(101.0, abs=0.3)
        assert told[1].ended_at is not None

    def test_outside_the_zone_is_nothing(self):
        zone = WatchedZone("right", ((0.8, 0), (1, 0), (1, 1), (0.8, 1)))
        assert SituationWatch(SituationSettings((zone,))).take(scene(1.0, person(1, standing(100, 400), 1.0))) == []

    def test_a_zone_outside_the_picture_never_counts_and_breaks_nothing(self):
        zone = WatchedZone("far", ((1.0, 0.0), (1.0, 1.0), (1.0, 0.5)))
        assert kinds(walk([stand(3, 3)], 5), SituationSettings((zone,))) == []


class TestLoitering:
    RULES = RuleSettings(loitering_s=30.0, loitering_m=2.0)

    def test_who_stays_is_told_once(self):
        situations = found(walk([lambda at: (5 + 0.5 * math.sin(at), 3)], 60), rules=self.RULES)
        assert [s.kind for s in situations] == [Kind.LOITERING]
        assert situations[0].at - 100 == pytest.approx(30, abs=1.3)
        assert situations[0].figures["metres"] < 1

    def test_who_walks_through_is_not(self):
        assert kinds(walk([lambda at: (0.2 * at, 3)], 45), rules=self.RULES) == []

    def test_two_who_stay_one_after_the_other_are_not_one(self):
        ways = [lambda at: (5, 3) if at < 20 else None, lambda at: (5, 3) if at >= 20 else None]
        assert kinds(walk(ways, 42), rules=self.RULES) == []


class TestGathering:
    def group(self, count, spacing=0.6):
        return [stand(4 + spacing * (i % 4), 3 + 0.3 * (i // 4)) for i in range(count)]

    def test_seven_together(self):
        situations = found(walk(self.group(7), 30))
        assert [s.kind for s in situations] == [Kind.GATHERING]
        assert situations[0].figures["persons"] == 7

    def test_six_or_seven_far_apart_are_not(self):
        assert kinds(walk(self.group(6), 30)) == []
        assert kinds(walk(self.group(7, spacing=9.0), 30)) == []

    def test_passing_each_other_is_not(self):
        assert kinds(walk([line(-3 + i, 1.2) for i in range(7)], 8)) == []


class TestSpeed:
    def test_who_runs(self):
        situations = found(walk([line(0.2, 5.5)], 1.8))
        assert [s.kind for s in situations] == [Kind.FAST_MOVEMENT]
        assert situations[0].figures["metres_per_second"] == pytest.approx(5.5, rel=0.05)

    @pytest.mark.parametrize("speed", [0.0, 1.4, 3.0])
    def test_who_walks_is_not(self, speed):
        assert kinds(walk([line(0.2, speed)], 3)) == []

    def test_a_box_that_jumps_is_not(self):
        assert kinds(walk([lambda at: (2, 3) if at < 2 else (5.5, 3)], 4)) == []

    def test_who_walks_out_over_the_lower_edge_is_not(self):
        """The edge cuts the box lower and lower, while the body is as tall and as slow (1.6 m/s) as before."""
        scenes = []
        for index in range(25):
            x, foot = (start + speed * METRE * index / 5 for start, speed in ((200, 1.5), (500, 0.6)))
            height = BODY - max(0.0, foot - HEIGHT)
            if height > 20:
                scenes.append(scene(100 + index / 5, person(1, standing(x, min(HEIGHT, foot), height, BODY / 3), 100 + index / 5, 100)))
        assert scenes[-1].tracks[0].box.height < BODY / 4
        assert kinds(scenes) == []

    def test_metres_come_from_the_calibration(self):
        """The same pixels are slower where a metre has more of them."""
        watch_settings = SituationSettings(px_per_metre=3 * METRE)
        assert kinds(walk([line(0.2, 5.5)], 1.8), watch_settings) == []
        across = SituationSettings(px_per_metre=Yardstick((0.25, 0.5), (0.75, 0.5), WIDTH / 2 / (3 * METRE)))
        assert kinds(walk([line(0.2, 5.5)], 1.8), across) == []


class TestApproach:
    def closing(self, speed, other=0.0):
        return [lambda at: (min(0.5 + speed * at, 7.3), 3), lambda at: (8 - other * at, 3)]

    def test_one_closes_in_fast_on_another_who_stands(self):
        rules = RuleSettings(off=(Kind.FAST_MOVEMENT,))
        situations = found(walk(self.closing(4.5), 2.2), rules=rules)
        assert [s.kind for s in situations] == [Kind.APPROACH]
        assert situations[0].figures["from_metres"] >= 4

    def test_walking_up_to_somebody_is_not(self):
        assert kinds(walk(self.closing(1.4), 6)) == []

    def test_walking_up_to_somebody_who_comes_into_the_picture_is_not(self):
        """The edge cuts their box in half at first, which makes the same way twice as long in metres."""
        scenes = []
        for index in range(12):
            at, height = 100 + index / 5, BODY / 2 if index < 10 else BODY
            walker = standing(30 + 390 - 2.1 * METRE * max(0, index - 2) / 5, 400)
            scenes.append(scene(at, person(1, walker, at, 99), person(2, standing(30, 400, height, BODY / 3), at, 99)))
        assert kinds(scenes) == []

    def test_two_who_run_towards_each_other_are_not(self):
        rules = RuleSettings(off=(Kind.FAST_MOVEMENT,))
        ways = [lambda at: (min(0.5 + 3.6 * at, 4.2), 3), lambda at: (max(9 - 3.6 * at, 4.8), 3)]
        assert kinds(walk(ways, 2.2), rules=rules) == []


class TestAltercation:
    def test_hard_motion_of_two_people(self):
        situations = found(fight())
        assert [s.kind for s in situations] == [Kind.PHYSICAL_ALTERCATION]
        assert situations[0].confidence > START_THRESHOLDS[Kind.PHYSICAL_ALTERCATION]
        assert "Körperhöhen/s" in explanation(Kind.PHYSICAL_ALTERCATION, situations[0].figures, "de")

    @pytest.mark.parametrize("vigour", [-0.2, 0.0, 0.2])
    def test_talking_and_walking_together_are_not(self, vigour):
        assert kinds(fight(vigour)) == []

    @pytest.mark.parametrize("bodies", [None, 0, 1])
    def test_what_no_second_look_saw_as_two_people_is_not(self, bodies):
        """Leaves in the wind, furniture, two boxes on one coat, somebody alone."""
        assert kinds(fight(bodies=bodies)) == []

    def test_a_tampered_view_is_no_altercation(self):
        view = View(0.1, 1.0, 100.0, 40.0, Cause.COVERED, 0.0, 0.9)
        scenes = [replace(item, view=view) for item in fight(seconds=1.4)]
        assert kinds(scenes) == []

    def test_small_people_are_not_judged(self):
        scenes = [replace(item, height=6 * HEIGHT) for item in fight()]
        assert kinds(scenes) == []

    def test_without_the_learned_rule_it_says_that_it_is_not_available(self):
        watch = SituationWatch(learned=Learned({}, "no network for poses"))
        assert [s for item in fight() for s in watch.take(item) if s.kind is Kind.PHYSICAL_ALTERCATION] == []
        assert watch.broken["physical_altercation"] == "physical_altercation is not available: no network for poses"


class TestDown:
    def test_a_fall(self):
        situations = found(seen_down(fall()))
        assert [s.kind for s in situations] == [Kind.PERSON_DOWN]
        assert situations[0].at - 103.6 == pytest.approx(0.4, abs=0.8)
        assert situations[0].figures["height_share"] < 0.5

    def test_who_bows_is_not_down(self):
        assert kinds(seen_down(fall(gets_up=True), 0.0)) == []
        assert kinds(down(0.0)) == []

    def test_where_a_second_look_sees_nobody_there_is_nobody(self):
        assert kinds(down(presence=0.2)) == []

    def test_without_a_second_look_nobody_is_down(self):
        assert kinds(fall()) == []

    @pytest.mark.parametrize(("share", "held"), [(0.0, 0.8), (1.0, 1.0)])
    def test_what_no_look_saw_off_upright_is_held_down(self, share, held):
        """A forest of one leaf that is sure of everything."""
        nodes, numbers = np.zeros(1, np.intp), np.array([0.9], np.float32)
        forest = Forest(nodes, nodes, numbers, nodes, nodes, numbers, 1)
        assert posture_score(forest, self.figures(share)) == pytest.approx(0.9 * held)

    def test_only_a_body_off_upright_came_down(self):
        """Whoever walks in below is as low as somebody who fell, and upright."""
        sank, deep = (WINDOW_FIGURES.index(name) for name in ("sank", "deep"))
        bows, lies = self.figures(0.0), self.figures(1.0)
        assert bows[sank] == -1
        assert lies[sank] > 0.3
        assert bows[deep] < 0.3 < lies[deep]

    def figures(self, share):
        history = History(SituationSettings())
        for item in down(share, seconds=0.6):
            history.add(item)
        return posture_features(history, posture_windows(list(history.scenes))[0])

    def test_somebody_who_lies_on_is_one_situation(self):
        assert kinds(down(seconds=20)) == [Kind.PERSON_DOWN]


GOLDEN = Path(__file__).parent.parent / "golden/scores.json"
JUDGED = {
    **{f"two, vigour {vigour}": (fight(vigour), Kind.PHYSICAL_ALTERCATION) for vigour in (0.0, 0.5, 0.75, 1.0)},
    "one body, vigour 1": (fight(bodies=1), Kind.PHYSICAL_ALTERCATION),
    "nobody, vigour 1": (fight(bodies=0), Kind.PHYSICAL_ALTERCATION),
    **{f"down, share {share}": (down(share), Kind.PERSON_DOWN) for share in (0.0, 0.5, 1.0)},
    "a fall": (seen_down(fall()), Kind.PERSON_DOWN),
}


def peak(scenes, kind):
    watch = SituationWatch(learned=LEARNED)
    for item in scenes:
        watch.take(item)
    return max((episode.peak for episode in watch.end() if episode.kind is kind), default=0.0)


@pytest.mark.parametrize("name", JUDGED)
def test_generated_scenes_score_as_they_did(name):
    """What was learned anew changes them; `python -m tests.unit.test_situations` writes them then, to be looked at."""
    assert peak(*JUDGED[name]) == pytest.approx(json.loads(GOLDEN.read_text())[name], abs=0.002)


class TestContacts:
    def dealer(self, contacts, each_s=6.0):
        """One stands; others come one after the other, stay for a while and go."""

        def visitor(number):
            start = 4 + number * (each_s + 8)
            return lambda at: (5.6, 3) if start <= at < start + each_s else None

        return [stand(5, 3), *(visitor(number) for number in range(contacts))], 4 + contacts * (each_s + 8) + 4

    def test_four_short_contacts(self):
        situations = found(walk(*self.dealer(4)))
        assert [s.kind for s in situations] == [Kind.REPEATED_BRIEF_CONTACT]
        assert situations[0].figures["contacts"] == 4

    def test_three_or_passing_by_are_not(self):
        assert kinds(walk(*self.dealer(3))) == []
        passers = [line(-6.0 * n, 1.5) for n in range(8)]
        assert kinds(walk([stand(5, 3.2), *passers], 45)) == []


class TestPlace:
    def visit(self, near=True, leaves=True, walks=True):
        """Somebody walks up to a place for three seconds, and walks out of the picture (or is seen no more)."""
        to = 505 if near else 50
        ways = [to - (300 - 20 * i if walks else 0) for i in range(15)]
        scenes = [scene(100 + i / 5, person(1, standing(x, 420), 100 + i / 5, 100)) for i, x in enumerate(ways)]
        for i in range(25 if leaves else 0):
            scenes.append(scene(103 + i / 5, person(1, standing(to + (20 if near else -20) * (i + 1), 420), 103 + i / 5, 100)))
        return scenes

    def stays(self, *changes, since=12.0, after=103.0, began=103.0, **more):
        """Each is still from `after` on, and was last seen as it is known at `began`: whoever changed it stood before it until then."""
        return [
            scene(
                after + i / 5,
                changes=tuple(replace(one, since_s=one.since_s + i / 5, differs_s=after - began + i / 5) for one in changes),
                **more,
            )
            for i in range(round(since * 5) + 5)
        ]

    def put_down(self, appeared, since=12.0, near=True):
        """Somebody was at a place, went away, and it stays changed."""
        return [*self.visit(near), *self.stays(Change(Box(500, 380, 540, 420), 0.0, appeared), since=since, after=108.0)]

    def test_something_was_put_down(self):
        situations = found(self.put_down(0.6))
        assert [s.kind for s in situations] == [Kind.OBJECT_LEFT]
        assert situations[0].at - 108 == pytest.approx(10, abs=1.2)

    def test_something_is_gone(self):
        assert kinds(self.put_down(-0.6)) == [Kind.OBJECT_REMOVED]

    @pytest.mark.parametrize("way", [1, -1])
    def test_whoever_passes_before_an_old_change_makes_no_new_one(self, way):
        """It is still anew each time, but the place was last seen as it was long before anybody came."""
        change = Change(Box(500, 380, 540, 420), 0.0, 0.6 * way)
        assert len(kinds([*self.visit(), *self.stays(change, after=108.0)])) == 1
        assert kinds([*self.visit(), *self.stays(change, after=108.0, began=70.0)]) == []

    @pytest.mark.parametrize(("known_s", "told"), [(12.0, []), (60.0, [Kind.OBJECT_REMOVED])])
    def test_what_was_part_of_the_place_for_a_moment_only_is_no_thing_that_is_gone(self, known_s, told):
        """Somebody stood there at the start, or a cover was learned."""
        change = Change(Box(500, 380, 540, 420), 0.0, -0.6, known_s=known_s)
        assert kinds([*self.visit(), *self.stays(change, after=108.0)]) == told
        assert kinds([*self.visit(), *self.stays(replace(change, appeared=0.6), after=108.0)]) == [Kind.OBJECT_LEFT]

    @pytest.mark.parametrize(("left", "appeared", "told"), [(0, -0.6, []), (0, 0.6, [Kind.OBJECT_LEFT]), (40, -0.6, [Kind.OBJECT_REMOVED])])
    def test_what_is_gone_at_the_picture_s_edge_may_have_been_somebody(self, left, appeared, told):
        change = Change(Box(left, 380, left + 40, 420), 0.0, appeared)
        assert kinds([*self.visit(near=False), *self.stays(change, after=108.0)]) == told

    def test_a_shadow_a_short_stay_and_nobody_near_are_nothing(self):
        assert kinds(self.put_down(0.05)) == []
        assert kinds(self.put_down(0.6, since=7)) == []
        assert kinds(self.put_down(0.6, near=False)) == []

    @pytest.mark.parametrize("way", [1, -1])
    def test_a_reflection_that_comes_and_goes_is_no_thing(self, way):
        """It stands out as much as a thing does, only not at every look since it has been still."""
        steady = self.put_down(0.9 * way, since=14.0)
        flickers = [
            replace(one, changes=tuple(replace(change, appeared=way * (0.9 if index % 15 else 0.01)) for change in one.changes))
            for index, one in enumerate(steady)
        ]
        assert len(kinds(steady)) == 1
        assert kinds(flickers) == []

    @pytest.mark.parametrize("size", [(120, 60), (70, 70), (60, 140)])
    def test_who_fell_and_is_seen_no_more_is_no_thing(self, size):
        body = Change(Box(500, 420 - size[1], 500 + size[0], 420), 0.0, 0.6)
        assert kinds([*self.visit(leaves=False), *self.stays(body)]) == []
        # As large, but whoever was there went away: a suitcase.
        assert kinds([*self.visit(), *self.stays(body, after=108.0)]) == [Kind.OBJECT_LEFT]

    def test_a_body_that_is_known_in_pieces_is_none_either(self):
        pieces = [Change(Box(500 + 45 * k, 380, 540 + 45 * k, 415), 0.0, 0.6) for k in range(3)]
        assert kinds([*self.visit(leaves=False), *self.stays(*pieces)]) == []

    @pytest.mark.parametrize("seen", ["lying", "weakly"])
    def test_who_is_found_there_is_no_thing(self, seen):
        box = Box(500, 360, 620, 420)
        there = {"lying": (Detection(box, 0.3),)} if seen == "lying" else {"detections": (Detection(box, 0.15),)}
        scenes = [*self.visit(), *self.stays(Change(box, 0.0, 0.6), after=108.0, **there)]
        assert Kind.OBJECT_LEFT not in kinds(scenes)

    def test_somebody_else_took_over_the_track_and_left(self):
        """The tracker lost them while they bent down; another number walked away from there."""
        going = [scene(103.4 + i / 5, person(2, standing(515 + 20 * i, 420), 103.4 + i / 5, 103.4)) for i in range(25)]
        body = Change(Box(500, 350, 570, 420), 0.0, 0.6)
        assert kinds([*self.visit(leaves=False), *going, *self.stays(body, after=108.6)]) == [Kind.OBJECT_LEFT]

    def test_a_parked_car_a_moved_chair_a_crumb_and_leaves_are_no_things(self):
        car = Change(Box(300, 250, 700, 420), 0.0, 0.6)
        chair = [Change(Box(500, 340, 560, 420), 0.0, 0.6), Change(Box(620, 340, 680, 420), 0.0, -0.6)]
        crumb = Change(Box(500, 400, 512, 412), 0.0, 0.6)
        leaves = [Change(Box(100 * k, 380, 100 * k + 40, 420), 0.0, 0.6) for k in range(6)]
        for changes in ([car], chair, [crumb], leaves):
            assert kinds([*self.visit(), *self.stays(*changes, after=108.0)]) == []

    def test_what_stands_there_since_the_first_picture_and_never_walked_puts_nothing_down(self):
        coat = [scene(100 + i / 5, person(1, standing(505, 420), 100 + i / 5, 100)) for i in range(40)]
        assert kinds([*coat, *self.stays(Change(Box(500, 380, 540, 420), 0.0, 0.6), after=108.0)]) == []

    def test_who_stood_there_and_walked_off_is_nothing_that_was_taken(self):
        waiting = [scene(100 + i / 5, person(1, standing(505 + (20 * max(0, i - 50)), 420), 100 + i / 5, 100)) for i in range(75)]
        gone = Change(Box(480, 300, 530, 420), 0.0, -0.6)
        assert kinds([*waiting, *self.stays(gone, after=115.0)]) == []

    def test_a_protected_surface(self):
        wall = SituationSettings((WatchedZone("wall", surface=True),))
        situations = found(self.put_down(0.05), wall)
        assert [s.kind for s in situations] == [Kind.SURFACE_CHANGED]
        assert situations[0].figures["square_metres"] == pytest.approx((40 / METRE) ** 2, rel=0.1)

    @pytest.mark.parametrize("cause", list(Cause))
    def test_the_camera_is_tampered_with(self, cause):
        def view(i):
            seconds = max(0.0, (i - 10) / 5)
            return View(0.1, 0.5, 90.0, 30.0, cause, 0.9 if seconds > 0 else 0.0, 0.9 if seconds > 0 else 0.0, seconds)

        scenes = [scene(100 + i / 5, view=view(i)) for i in range(40)]
        situations = found(scenes)
        assert [s.kind for s in situations] == [Kind.CAMERA_TAMPERED]
        assert situations[0].at - 102 == pytest.approx(1.0, abs=0.3)
        assert situations[0].figures[cause.value] == 0.9
        for language in ("de", "en"):
            assert explanation(Kind.CAMERA_TAMPERED, situations[0].figures, language).count(":") == 1

    def test_somebody_close_before_the_lens_for_a_moment_is_nothing(self):
        hidden = View(0.1, 0.5, 90.0, 30.0, Cause.COVERED, 0.2, 0.9)
        assert kinds([scene(100 + i / 5, view=hidden if 10 <= i < 15 else GOOD_VIEW) for i in range(40)]) == []


class TestBlindness:
    """A camera that does not see its place says that, and nothing else."""

    HIDDEN = View(0.1, 0.5, 90.0, 30.0, Cause.COVERED, 0.9, 0.9, 5.0)

    @pytest.mark.parametrize(
        "scenes", [fight(), seen_down(fall()), walk([line(0.2, 5.6)], 1.8), walk([stand(4 + 0.5 * i, 3) for i in range(7)], 24)]
    )
    def test_nothing_else_is_told_while_the_view_is_hidden(self, scenes):
        assert kinds(scenes) not in ([], [Kind.CAMERA_TAMPERED])
        assert set(kinds([replace(item, view=self.HIDDEN) for item in scenes])) == {Kind.CAMERA_TAMPERED}

    def test_nobody_crosses_a_line_either(self):
        settings = SituationSettings(lines=(Line("gate", (0.5, 0.0), (0.5, 1.0)),))
        scenes = [replace(item, view=self.HIDDEN) for item in walk([line(3, 1.0)], 4)]
        assert set(kinds(scenes, settings)) == {Kind.CAMERA_TAMPERED}

    def test_what_was_seen_meanwhile_is_forgotten(self):
        """Somebody stood there for 185 s, 100 of them unseen: that is no loitering."""
        scenes = walk([stand(5, 3)], 185)
        hidden = [replace(item, view=self.HIDDEN) if 40 <= item.at - 100 <= 140 else item for item in scenes]
        assert Kind.LOITERING in kinds(scenes)
        assert set(kinds(hidden)) == {Kind.CAMERA_TAMPERED}

    def test_a_single_bad_picture_forgets_nothing(self):
        scenes = walk([stand(5, 3)], 185)
        hidden = [replace(item, view=self.HIDDEN) if index == 500 else item for index, item in enumerate(scenes)]
        assert Kind.LOITERING in kinds(hidden)

    def test_the_picture_comes_to_rest_before_anything_is_believed(self):
        running = fight(seconds=8.0)
        scenes = [replace(item, view=self.HIDDEN) if item.at < 102 else item for item in running]
        altercation = next(s for s in found(scenes) if s.kind is Kind.PHYSICAL_ALTERCATION)
        assert altercation.at >= 104

    def test_leaves_in_the_wind_are_no_people_and_no_things(self):
        bush = replace(GOOD_VIEW, restless=frozenset({3, 4, 11, 12, 19, 20, 27, 28, 35, 36, 43, 44}))
        settings = SituationSettings()
        history = History(settings)
        for item in walk([line(0.2, 1.0)], 5):
            history.add(replace(item, view=bush))
        upper = Box(400, 20, 600, 180)
        assert flutters(history, upper)
        assert not flutters(history, upper.moved(-390, 0))
        # Where somebody walked a moment ago it is not the leaves alone.
        x, y = history.present()[0].last.box.centre
        assert not flutters(history, Box(x - 40, y - 40, x + 40, y + 40))

    def test_which_cause_it_is(self):
        assert cause_of(scene(1.0)) is None
        assert cause_of(scene(1.0, view=None)) is None
        assert cause_of(scene(1.0, view=self.HIDDEN)) is Cause.COVERED
        assert cause_of(scene(1.0, view=replace(self.HIDDEN, cause=Cause.DARK))) is Cause.DARK


class TestLine:
    LINE = Line("gate", (0.5, 0.0), (0.5, 1.0))

    def test_crossing_counts_each_way(self):
        watch_settings = SituationSettings(lines=(self.LINE,))
        assert kinds(walk([line(3, 1.0)], 4), watch_settings) == [Kind.LINE_CROSSED]
        assert kinds(walk([line(7, -1.0)], 4), watch_settings) == [Kind.LINE_CROSSED]

    def test_one_way_only(self):
        one = SituationSettings(lines=(replace(self.LINE, both_ways=False),))
        assert sorted([kinds(walk([line(3, 1.0)], 4), one), kinds(walk([line(7, -1.0)], 4), one)]) == [[], [Kind.LINE_CROSSED]]

    def test_beyond_its_ends_is_nothing(self):
        short = SituationSettings(lines=(Line("gate", (0.5, 0.0), (0.5, 0.2)),))
        assert kinds(walk([line(3, 1.0)], 4), short) == []


SCENARIOS = {
    "run": (lambda rate, scale: walk([line(0.2, 5.6)], 1.8, rate, scale=scale), Kind.FAST_MOVEMENT),
    "loiter": (lambda rate, scale: walk([stand(5, 3)], 185, rate, scale=scale), Kind.LOITERING),
    "gather": (lambda rate, scale: walk([stand(4 + 0.5 * i, 3) for i in range(7)], 24, rate, scale=scale), Kind.GATHERING),
    "fall": (lambda rate, scale: seen_down(fall(rate)), Kind.PERSON_DOWN),
    "fight": (lambda rate, scale: fight(rate=rate), Kind.PHYSICAL_ALTERCATION),
}


class TestEpisodes:
    """Evidence is kept apart from the threshold that is laid on it."""

    def watched(self, scenes, **thresholds):
        watch = SituationWatch(SituationSettings(thresholds={Kind(kind): value for kind, value in thresholds.items()}), LEARNED)
        told = [situation for item in scenes for situation in watch.take(item) if situation.kind not in ONLY_PRESENT]
        return told, [episode for episode in watch.end() if episode.kind not in ONLY_PRESENT]

    def test_an_episode_has_its_peak_whatever_the_threshold(self):
        run = walk([line(0.2, 5.5)], 1.8)
        told, episodes = self.watched(run)
        silent, same = self.watched(run, fast_movement=0.9)
        assert [s.kind for s in told] == [Kind.FAST_MOVEMENT]
        assert silent == []
        assert [episode.peak for episode in episodes] == [episode.peak for episode in same] == [pytest.approx(5.5 / 10, abs=0.02)]
        assert [episode.alarmed for episode in (*episodes, *same)] == [True, False]

    def test_what_the_rule_half_asks_for_is_an_episode_and_no_alarm(self):
        told, (episode,) = self.watched(walk([line(0.2, 3.0)], 2.4))
        assert (told, episode.kind, episode.alarmed) == ([], Kind.FAST_MOVEMENT, False)
        assert episode.peak == pytest.approx(3 / 7.5, abs=0.02)

    def test_a_threshold_above_one_is_never_reached(self):
        told, (episode,) = self.watched(fight(), physical_altercation=1.01)
        assert told == []
        assert not episode.alarmed

    def test_a_threshold_can_be_laid_while_it_watches(self):
        watch = SituationWatch(learned=LEARNED)
        watch.set_thresholds({Kind.PHYSICAL_ALTERCATION: 1.01})
        assert [s for item in fight() for s in watch.take(item) if s.kind is Kind.PHYSICAL_ALTERCATION] == []

    def test_a_score_that_wavers_around_the_threshold_is_told_once(self):
        scenes = [item for vigour in (1.0, 0.8, 1.0, 0.7, 1.0) for item in fight(vigour)]
        scenes = [replace(item, at=100 + i / 5) for i, item in enumerate(scenes)]
        told, episodes = self.watched(scenes)
        assert [s.kind for s in told if s.ended_at is None] == [Kind.PHYSICAL_ALTERCATION]
        assert len(episodes) == 1

    def test_weak_evidence_that_never_ends_is_counted_each_minute(self):
        crowd = walk([stand(4 + 0.5 * i, 3) for i in range(5)], 200, 2.0)
        told, episodes = self.watched(crowd, loitering=1.01)
        assert told == []
        assert len([episode for episode in episodes if episode.kind is Kind.GATHERING]) == 4

    @settings(deadline=None)
    @given(st.lists(st.floats(0.01, 5.0), min_size=1, max_size=4), st.floats(0.1, 10.0))
    def test_a_score_is_one_half_where_the_bound_is_met(self, shares, bound):
        assert graded(*((share * bound, bound) for share in shares)) == pytest.approx(min(shares) / (1 + min(shares)))
        assert graded((bound, bound)) == 0.5
        assert graded((bound / 2, bound)) == pytest.approx(FLOOR)

    def test_a_bound_of_nothing_is_met_at_once(self):
        assert graded((0.0, 0.0)) == 1.0


@pytest.mark.parametrize("what", SCENARIOS)
def test_a_mirror_changes_nothing(what):
    scenes, kind = SCENARIOS[what][0](5.0, 1.0), SCENARIOS[what][1]
    assert kinds(scenes) == kinds(mirrored(scenes)) == [kind]


@pytest.mark.parametrize("what", SCENARIOS)
@pytest.mark.parametrize("rate", [4.0, 5.0, 8.0, 12.0])
def test_the_rate_of_analysis_changes_nothing(what, rate):
    assert kinds(SCENARIOS[what][0](rate, 1.0)) == [SCENARIOS[what][1]]


@pytest.mark.parametrize("what", ["run", "loiter", "gather"])
@settings(max_examples=8, deadline=None)
@given(scale=st.floats(0.4, 3.0))
def test_the_size_of_the_picture_changes_nothing(what, scale):
    assert kinds(SCENARIOS[what][0](5.0, scale)) == [SCENARIOS[what][1]]


def test_a_rule_that_fails_is_named_and_the_others_go_on(monkeypatch):
    from blickschutz.situations import service

    def broken(history, zone, asked):
        raise ZeroDivisionError("a rule went wrong")
        yield

    monkeypatch.setitem(service.RULES, "loitering", replace(service.RULES["loitering"], judge=broken))
    watch = SituationWatch(learned=LEARNED)
    told = [s for item in seen_down(fall()) for s in watch.take(item)]
    assert Kind.PERSON_DOWN in [s.kind for s in told]
    assert watch.broken == {"loitering": "ZeroDivisionError: a rule went wrong"}


def test_time_that_goes_backwards_starts_anew():
    watch = SituationWatch(learned=LEARNED)
    for item in walk([stand(5, 3)], 20, start=1000.0):
        watch.take(item)
    for item in walk([stand(5, 3)], 20, start=10.0):
        watch.take(item)
    assert watch.broken == {}


def test_hours_of_generated_traffic_raise_nothing():
    """An hour (two in the long run) of people who walk through at walking pace, some pausing, at five scenes a second."""
    random = np.random.default_rng(11)
    people: dict[int, tuple[float, float, float, float]] = {}
    watch, number, told = SituationWatch(learned=LEARNED), 0, []
    for index in range(often(1, 2) * 3600 * 5):
        at = index / 5
        if random.random() < 0.02 and len(people) < 5:
            number += 1
            people[number] = (
                at,
                float(random.uniform(2.2, 4.6)),
                float(random.choice((-1, 1)) * random.uniform(0.7, 1.8)),
                float(random.uniform(0, 6)),
            )
        tracks = []
        for key, (born, y, speed, pause) in list(people.items()):
            gone = max(0.0, at - born - (min(pause, max(0.0, at - born - 3.0)) if pause > 3 else 0.0))
            x = gone * abs(speed) if speed > 0 else WIDTH / METRE - gone * abs(speed)
            if not 0 <= x <= WIDTH / METRE:
                del people[key]
                continue
            jitter = random.normal(0, 1.5, 4)
            box = standing(x * METRE, y * METRE + 100)
            tracks.append(person(key, Box(*(a + float(b) for a, b in zip(box, jitter, strict=True))), at, born))
        told += [s for s in watch.take(scene(at, *tracks)) if s.kind not in ONLY_PRESENT]
    assert number > 200
    assert [s.kind for s in told] == []


def test_every_kind_has_a_neutral_name_in_both_languages():
    for kind in Kind:
        german, english = NAMES[kind]
        assert german
        assert english
        assert german != english
        for word in ("verdächtig", "aggressiv", "täter", "suspicious", "aggressive", "criminal"):
            assert word not in (german + english).lower()
        assert name(kind, "en") == english


def test_lengths_are_in_metres_where_the_camera_is_calibrated_else_in_body_heights():
    calibrated = found(walk([line(0.2, 5.6)], 1.8), SituationSettings(px_per_metre=METRE))[0]
    estimated = found(walk([line(0.2, 5.6)], 1.8))[0]
    assert explanation(calibrated.kind, calibrated.figures, "de") == "eine Person mit 5,6 m/s über 0,8 s"
    assert explanation(estimated.kind, estimated.figures, "de") == "eine Person mit 3,2 Körperhöhen/s über 0,8 s"
    assert explanation(estimated.kind, estimated.figures, "en") == "one person at 3.2 body heights/s over 0.8 s"


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_whole_picture_contains_every_place(x, y):
    assert contains(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)), x, y)


def test_a_person_is_as_tall_as_the_scenes_say():
    assert pytest.approx(1.75) == BODY / METRE


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps({name: round(peak(*judged), 4) for name, judged in JUDGED.items()}, indent=1) + "\n")
