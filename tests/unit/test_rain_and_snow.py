"""Rain and snow: specks all over the picture do not count, whoever is or was there does."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from blickschutz.analysis.rules.background import BackgroundModel
from blickschutz.analysis.rules.proof import agreeing
from blickschutz.analysis.rules.weather import bodies, specks

ROWS, COLUMNS = 108, 144
NONE = np.zeros((ROWS, COLUMNS), np.uint8)


def mask(*rectangles):
    result = NONE.copy()
    for top, left, rows, columns in rectangles:
        result[top : top + rows, left : left + columns] = 255
    return result


@pytest.mark.parametrize(
    ("rows", "columns", "small"), [(1, 1, True), (3, 3, True), (6, 2, True), (5, 3, False), (2, 7, False), (4, 4, False)]
)
def test_a_speck_is_smaller_than_anybody(rows, columns, small):
    one = mask((40, 60, rows, columns))
    assert (specks(one) == (one if small else NONE)).all()


def test_what_lies_beside_something_larger_may_be_a_part_of_it():
    body = (40, 60, 14, 5)
    assert (specks(mask(body, (36, 61, 2, 2))) == NONE).all()
    assert (specks(mask(body, (10, 61, 2, 2))) == mask((10, 61, 2, 2))).all()


def test_somebody_is_wider_than_they_are():
    large = bodies(mask((40, 60, 14, 5), (10, 10, 3, 3)))
    assert large[36:58, 56:69].all()
    assert not large[:30, :30].any()


def place():
    random = np.random.default_rng(3)
    luma = cv2.resize(random.uniform(40, 140, (14, 18)).astype(np.float32), (COLUMNS, ROWS), interpolation=cv2.INTER_CUBIC)
    return np.dstack([np.clip(luma, 0, 255).astype(np.uint8), NONE + 128, NONE + 128])


def snowed_on(seconds, flakes, person=None, since=0.0):
    """A background learned under so many flakes, five looks a second; the last picture of it."""
    random, model = np.random.default_rng(4), BackgroundModel(ROWS, COLUMNS)
    for index in range(seconds * 5):
        at, picture = index / 5, place()
        for _ in range(flakes):
            y, x = random.integers(0, ROWS - 3), random.integers(0, COLUMNS - 3)
            picture[y : y + random.integers(2, 4), x : x + random.integers(2, 4), 0] = 240
        if person is not None and at >= since:
            picture[person] = (20, 128, 128)
        agrees = agreeing(model.background(at), picture)
        moving = model.moving(picture, at)
        blocked = np.maximum(moving, model.recently_moved(at, 0.5))
        model.learn(picture, agrees, blocked, NONE, at)
    return model, picture


def test_snow_is_learned_through_and_proven():
    model, picture = snowed_on(15, 60)
    background = model.background(15.0)
    assert background.falls is not None
    assert (agreeing(background, picture) != 0).mean() > 0.97


def test_whoever_stands_in_the_snow_is_not_proven():
    person = slice(40, 60), slice(60, 66)
    model, picture = snowed_on(15, 60, person, since=10.0)
    background = model.background(15.0)
    assert not agreeing(background, picture)[41:59, 61:65].any()
    # Nor is a sleeve of theirs that shows for a moment beside them.
    picture = place()
    picture[45:48, 68:71] = (20, 128, 128)
    assert not agreeing(background, picture)[46, 69].any()


def test_in_fair_weather_every_difference_counts():
    model, _ = snowed_on(8, 0)
    background, picture = model.background(8.0), place()
    assert background.falls is None
    picture[45:48, 68:71] = (220, 128, 128)
    assert not agreeing(background, picture)[46, 69].any()


def test_one_flapping_ribbon_is_no_weather():
    model = BackgroundModel(ROWS, COLUMNS)
    for index in range(60):
        picture = place()
        picture[30 : 30 + 2 * (index % 2), 70:73, 0] = 240
        model.moving(picture, index / 5)
    assert not model.weather.falls
