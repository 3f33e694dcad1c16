"""Killed at random moments; `make bench` does the same two hundred times and with real cells."""

from __future__ import annotations

import random

from tests.conftest import often
from tests.faults.crashes import kill_control, kill_writer


def test_a_writer_that_is_killed_loses_at_most_what_it_was_just_writing(tmp_path):
    chance = random.Random(1)
    for _ in range(often(2, 40)):
        kill_writer(tmp_path, chance)


def test_a_control_room_that_is_killed_leaves_everything_wholly_there_or_wholly_gone(tmp_path):
    chance = random.Random(2)
    for _ in range(often(2, 40)):
        kill_control(tmp_path, chance)
