"""Many alerts at once: rows of one cause, storms, and that nothing of either is lost."""

from __future__ import annotations

import random
import re

from blickschutz.alerts.crowd import GROUP_S, MOST_IN_ROW, STORM_FROM, STORM_S, STORM_UNTIL, rows_of, storm_of
from blickschutz.alerts.model import AlertState, By, Mark, Priorities, Priority, Storm
from blickschutz.alerts.rules import OPEN, WAITING, weight
from blickschutz.situations.kinds import Kind
from tests.unit.test_alert_pages import CAMERAS, cards_of, house

__all__ = ["house"]

USUAL = Priorities()


def mark(number, raised, camera="gate", kind=Kind.LOITERING, state=AlertState.RAISED, zone="z"):
    return Mark(number, camera, kind, zone, state, raised)


def numbers(rows):
    return [[one.id for one in row] for row in rows]


class TestRows:
    def test_one_camera_and_kind_within_two_minutes_is_one_row(self):
        marks = [
            mark(1, 0),
            mark(2, 60),
            mark(3, GROUP_S),
            mark(4, GROUP_S + 1),
            mark(5, 61, "hall"),
            mark(6, 62, kind=Kind.OBJECT_REMOVED),
        ]
        assert numbers(rows_of(marks, USUAL)) == [[1, 2, 3], [4], [5], [6]]

    def test_a_row_names_ten_and_the_next_begins(self):
        assert numbers(rows_of([mark(n, n / 10) for n in range(25)], USUAL)) == [list(range(10)), list(range(10, 20)), list(range(20, 25))]

    def test_two_priorities_or_states_never_share_one(self):
        named = Priorities({(Kind.LOITERING, "safe"): Priority.HIGH})
        marks = [mark(1, 0, zone="safe"), mark(2, 0), mark(3, 0, state=AlertState.ESCALATED), mark(4, 0, state=AlertState.ACTING)]
        assert numbers(rows_of([*marks, mark(5, 0, state=AlertState.ACKNOWLEDGED)], named)) == [[1], [2, 3], [4], [5]]

    def test_each_alert_stands_in_exactly_one_row_and_rows_keep_the_order_of_need(self):
        rng = random.Random(19)
        for _ in range(200):
            found = [
                mark(n, rng.uniform(0, 900), rng.choice("ab"), rng.choice(list(Kind)), rng.choice(sorted(OPEN)))
                for n in range(rng.randrange(80))
            ]
            marks = sorted(found, key=lambda one: (weight(one.state, USUAL.of(one.kind, one.zone)), one.id))
            rows = rows_of(marks, USUAL)
            assert sorted(one.id for row in rows for one in row) == sorted(one.id for one in marks)
            leads = [marks.index(row[0]) for row in rows]
            assert leads == sorted(leads)
            for row in rows:
                assert len({(one.camera, one.kind, one.state in WAITING) for one in row}) == 1
                assert len(row) <= MOST_IN_ROW
                assert all(abs(one.raised - row[0].raised) <= GROUP_S for one in row)


class TestStorm:
    def test_it_begins_with_more_than_ten_in_ten_minutes(self):
        ten = [("gate", 1000.0 + n) for n in range(STORM_FROM)]
        assert storm_of(ten, 1100.0) is None
        assert storm_of([*ten, ("hall", 1050.0)], 1100.0) == Storm(11, (("gate", 10), ("hall", 1)))

    def test_it_goes_on_until_fewer_than_five_came_in_ten_minutes(self):
        # One a minute after the first eleven: ten in ten minutes are no new storm, but the one that is there goes on.
        raised = [("gate", 60.0 + n) for n in range(11)] + [("gate", 60.0 * n) for n in range(2, 30)]
        assert storm_of(raised, 30 * 60.0) == Storm(9, (("gate", 9),))
        assert storm_of(raised[11:], 30 * 60.0) is None
        left = [at for _, at in raised][-STORM_UNTIL]
        assert storm_of(raised, left + STORM_S - 1) is not None
        assert storm_of(raised, left + STORM_S) is None

    def test_the_three_that_flood_are_named_the_worst_first(self):
        raised = [(camera, 10.0) for camera, count in zip("abcd", (1, 5, 3, 4), strict=True) for _ in range(count)]
        assert storm_of(raised, 20.0) == Storm(13, (("b", 5), ("d", 4), ("c", 3)))

    def test_a_clock_that_went_back_does_not_hide_it(self):
        assert storm_of([("gate", 5000.0)] * 11, 1000.0) == Storm(11, (("gate", 11),))


class TestQueue:
    def test_a_row_shows_its_count_and_the_moment_of_each(self, house):
        for number in range(1, 5):
            house.take(number)
            house.clock.sleep(1)
        page = house.get("/alerts/queue")
        assert cards_of(page) == [1]
        assert 'data-others="2 3 4"' in page
        assert "Quittieren (4)" in page
        assert len(re.findall(r"<time datetime", page)) == 4

    def test_what_was_shown_is_acknowledged_together_and_what_came_since_waits(self, house):
        for number in range(1, 4):
            house.take(number)
        assert 'name="also" value="2 3"' in house.get("/alerts/queue")
        house.take(4)
        assert house.post("/alerts/1/acknowledge", back="wall", also="2 3").status_code == 303
        assert [house.store.get(number).state.value for number in range(1, 5)] == ["acknowledged"] * 3 + ["raised"]
        assert [subject for _, subject, _ in house.entries()] == ["alert-1", "alert-2", "alert-3"]
        assert cards_of(house.get("/alerts/queue")) == [4, 1]
        assert house.post("/alerts/1/undo", back="wall", also="2 3").status_code == 303
        assert {house.store.get(number).state.value for number in range(1, 5)} == {"raised"}

    def test_nothing_of_another_camera_or_kind_goes_with_it(self, house):
        house.take(1)
        house.take(2, CAMERAS[1])
        house.take(3, kind=Kind.PERSON_DOWN)
        assert house.post("/alerts/1/acknowledge", also="2 3 999 x -4 " + "9" * 30).status_code == 303
        assert [house.store.get(number).state.value for number in (1, 2, 3)] == ["acknowledged", "raised", "raised"]

    def test_those_that_a_colleague_took_are_left_to_them(self, house):
        for number in range(1, 4):
            house.take(number)
        house.post("/alerts/2/acknowledge")
        assert house.post("/alerts/1/acknowledge", also="2 3").status_code == 303
        assert [len(house.store.history(number)) for number in (1, 2, 3)] == [2, 2, 2]
        assert house.post("/alerts/1/acknowledge", also="2 3").status_code == 409

    def test_a_storm_is_said_and_the_most_urgent_and_oldest_stand_in_front(self, house):
        cameras = CAMERAS[1:]
        for number in range(300):
            house.take(number + 1, cameras[number % 10], list(Kind)[number % 7])
            house.clock.sleep(1)
        fall = house.take(999, CAMERAS[0], Kind.PERSON_DOWN)
        page = house.get("/alerts/queue")
        assert "Meldungssturm" in page
        assert "In zehn Minuten kamen: 301" in page
        assert "Es warten: 301" in page
        order = [row[0].id for row in house.desk.rows()]
        assert cards_of(page) == order[:12]
        shown = len(cards_of(page)) + sum(len(others.split()) for others in re.findall(r'data-others="([^"]*)"', page))
        assert f"Weitere offene Meldungen: {301 - shown}<" in page
        ranks = [weight(row[0].state, USUAL.of(row[0].kind, row[0].zone)) for row in house.desk.rows()]
        assert ranks == sorted(ranks)
        assert ranks[order.index(fall)] == 0

    def test_every_alert_of_a_storm_comes_to_the_front_and_is_acknowledged(self, house):
        for number in range(200):
            house.take(number + 1, CAMERAS[number % 4], list(Kind)[number % 5])
            house.clock.sleep(0.5)
        seen, rounds = [], 0
        while waiting := [row for row in house.desk.rows() if row[0].state in WAITING][:12]:
            for row in waiting:
                seen += [one.id for one in row if house.desk.acknowledge(one.id, By("Ada", "ada"))]
            rounds += 1
        assert sorted(seen) == list(range(1, 201))
        assert rounds == 2

    def test_it_is_quiet_again_when_few_come(self, house):
        for number in range(1, 20):
            house.take(number)
        assert "Meldungssturm" in house.get("/alerts/queue")
        house.clock.sleep(STORM_S)
        assert "Meldungssturm" not in house.get("/alerts/queue")
