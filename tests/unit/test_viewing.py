"""What counts as shown: seconds that played, as many as the clock allows, all of the clip or each marked part."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blickschutz.recording.model import Mark
from blickschutz.reviewroom.viewing import FASTEST, MOST_AT_ONCE_S, SLACK_S, Viewing, gaps, marked, merged, spans_of

LENGTH = 20.0


def watch(viewing, until, step=0.5, begin=0.0):
    """Play from `begin` to `until` at normal speed."""
    at, now = begin, viewing.at
    while at < until:
        now += step
        viewing.add([(at, at + step)], LENGTH, now)
        at += step


def test_the_whole_clip_is_enough_and_less_is_not():
    viewing = Viewing(0.0, 0.0, sent=True)
    watch(viewing, LENGTH - 1)
    assert not viewing.is_enough(LENGTH, [])
    watch(viewing, LENGTH, begin=LENGTH - 1)
    assert viewing.is_enough(LENGTH, [])
    assert viewing.seconds() == LENGTH


def test_what_never_went_to_somebody_was_not_shown():
    viewing = Viewing(0.0, 0.0)
    watch(viewing, LENGTH)
    assert not viewing.is_enough(LENGTH, [])


def test_each_marked_part_is_enough_and_one_of_two_is_not():
    viewing = Viewing(0.0, 0.0, sent=True)
    parts = [(2.0, 6.0), (12.0, 15.0)]
    watch(viewing, 6.0, begin=2.0)
    assert not viewing.is_enough(LENGTH, parts)
    watch(viewing, 15.0, begin=12.0)
    assert viewing.is_enough(LENGTH, parts)


def test_nobody_is_shown_more_than_the_clock_allows():
    viewing = Viewing(0.0, 0.0, sent=True)
    viewing.add([(0.0, LENGTH)], LENGTH, 1.0)
    assert viewing.seconds() == 0
    viewing.add([(0.0, LENGTH)], LENGTH, LENGTH / FASTEST)
    assert viewing.seconds() == LENGTH


def test_waiting_saves_up_no_hour():
    viewing = Viewing(0.0, 0.0, sent=True)
    viewing.add([(0.0, 3000.0)], 3600.0, 7200.0)
    assert viewing.seconds() == 0
    assert viewing.credit <= MOST_AT_ONCE_S


spans = st.lists(st.tuples(st.floats(-5, 30), st.floats(-5, 30)), max_size=6)


@given(st.lists(st.tuples(st.floats(0, 3), spans), max_size=20))
def test_whatever_a_player_says_it_is_never_more_than_the_time_that_passed(told):
    viewing, now = Viewing(0.0, 0.0, sent=True), 0.0
    for passed, said in told:
        now += passed
        viewing.add(said, LENGTH, now)
        assert viewing.seconds() <= FASTEST * now + SLACK_S + 1e-6
        assert all(0 <= first < last <= LENGTH for first, last in viewing.shown)
        assert merged(viewing.shown) == viewing.shown


def test_marks_with_the_seconds_around_them():
    def mark(at, began, kind="loitering"):
        return Mark(1000.0 + at, kind, "z", began, {})

    assert marked([mark(5, True), mark(8, False)], 1000.0, LENGTH) == [(2.0, 10.0)]
    assert marked([mark(5, True)], 1000.0, LENGTH) == [(2.0, LENGTH)]
    assert marked([mark(4, False)], 1000.0, LENGTH) == [(0.0, 6.0)]
    two = [mark(3, True), mark(4, True, "gathering"), mark(5, False), mark(15, False, "gathering")]
    assert marked(two, 1000.0, LENGTH) == [(0.0, 17.0)]
    assert marked([], 1000.0, LENGTH) == []


def test_gaps():
    assert gaps((0.0, 10.0), [(0.0, 4.0), (4.3, 10.0)]) == []
    assert gaps((0.0, 10.0), [(2.0, 4.0)]) == [(0.0, 2.0), (4.0, 10.0)]
    assert gaps((0.0, 10.0), []) == [(0.0, 10.0)]


@pytest.mark.parametrize("text", ["", "x", "1", "-", "nan-2", "1-inf", "-1-2", "1e9-2e9"])
def test_what_is_no_span_is_left_out(text):
    assert spans_of(f"{text},1-2") == [(1.0, 2.0)]
