"""One answer for many: asked once, for all who come within seconds; nobody gets one that is too old, nobody waits without need."""

from __future__ import annotations

import threading

import pytest

from blickschutz.control.service.shared import Shared
from tests.fakes.clock import ManualClock

FRESH_S, MOST_S, PATIENCE_S = 5.0, 20.0, 30


class Asked:
    """Counts; waits where it is told to."""

    def __init__(self):
        self.times, self.problem = 0, None
        self.open, self.begun = threading.Event(), threading.Event()
        self.open.set()

    def __call__(self):
        self.begun.set()
        assert self.open.wait(PATIENCE_S)
        self.times += 1
        if self.problem is not None:
            raise self.problem
        return self.times


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def asked():
    return Asked()


@pytest.fixture
def shared(clock, asked):
    return Shared(asked, clock, FRESH_S, MOST_S)


def test_a_hundred_who_come_within_seconds_are_one_question(shared, clock, asked):
    assert {shared() for _ in range(100)} == {1}
    clock.sleep(FRESH_S - 0.1)
    assert shared() == 1
    clock.sleep(0.2)
    assert {shared() for _ in range(100)} == {2}


def test_what_it_raises_is_raised_and_asked_again(shared, clock, asked):
    asked.problem = ValueError("away")
    for times in (1, 2):
        with pytest.raises(ValueError, match="away"):
            shared()
        assert asked.times == times
    asked.problem = None
    assert shared() == 3
    clock.sleep(FRESH_S)
    asked.problem = ValueError("away")
    with pytest.raises(ValueError, match="away"):
        shared()


def test_who_comes_while_it_is_asked_gets_the_one_before_unless_that_is_too_old(shared, clock, asked):
    assert shared() == 1
    clock.sleep(FRESH_S)
    asked.open.clear()
    asked.begun.clear()
    answers = []
    first = threading.Thread(target=lambda: answers.append(shared()))
    first.start()
    assert asked.begun.wait(PATIENCE_S)
    assert shared() == 1, "nobody waits for what takes its time"
    clock.sleep(MOST_S)
    waits = threading.Thread(target=lambda: answers.append(shared()))
    waits.start()
    asked.open.set()
    for thread in (first, waits):
        thread.join(PATIENCE_S)
    assert answers[0] == 2
    assert answers[1] in {2, 3}, "an answer of before is too old by then"
