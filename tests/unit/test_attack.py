"""The attacker of the benchmarks on crops that are made up: finds what is there, and nothing where nothing is."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.attack import footage
from benchmarks.attack.features import FEATURES, SIGNLESS, distances
from benchmarks.attack.matching import averages, other_times, rank, same_moment

from blickschutz.kernel.geometry import Box

PEOPLE, FRAMES, RATE = 6, 40, 2.0


def crops_of(looks, noise=2.0, seed=1):
    """Everybody in every second frame, each in their look (3, 24, 8), with the noise of a sensor."""
    random = np.random.default_rng(seed)
    return {
        (frame, number): (looks[number] + random.normal(0, noise, (3, 24, 8))).astype(np.float32)
        for frame in range(0, FRAMES, 2)
        for number in range(PEOPLE)
    }


def clothes(seed=3):
    return np.random.default_rng(seed).uniform(30, 220, (PEOPLE, 3, 24, 8))


def all_three(queries, gallery):
    return [rank([one]) for one in (same_moment(queries, gallery, RATE), other_times(queries, gallery), averages(queries, gallery))]


def test_clothes_are_recognised_at_any_time():
    taken = crops_of(clothes())
    for found in all_three(taken, taken):
        assert found.colours == found.best == 1
        assert found.chance == pytest.approx(1 / PEOPLE)


def test_people_who_look_the_same_are_guessed():
    """Flat crops without a difference: every answer is shared out among all."""
    flat = {key: np.full((3, 24, 8), 144, np.float32) for key in crops_of(clothes())}
    for found in all_three(flat, flat):
        assert found.best == pytest.approx(found.chance)
        assert found.luck == pytest.approx(found.chance)


@pytest.mark.later
def test_noise_alone_stays_within_luck():
    taken = crops_of(np.full((PEOPLE, 3, 24, 8), 120.0))
    moment, other, _ = all_three(taken, taken)
    for found in (moment, other):
        assert found.best < 2 * found.chance
        assert found.luck > found.chance


def test_a_known_look_is_found_under_light_and_dark_exchanged():
    """Somebody who only inverts the luma hides nothing from who compares without sign."""
    looks = clothes()
    looks[:, 1:] = 128
    hidden = looks.copy()
    hidden[:, 0] = 255 - looks[:, 0]
    found = rank([same_moment(crops_of(hidden), crops_of(looks, seed=2), RATE)])
    assert found.best == 1
    assert found.colours < 0.5


@pytest.mark.parametrize("name", FEATURES)
def test_every_comparison_finds_somebody_again(name):
    taken = crops_of(clothes(), noise=0.5)
    crops = np.stack(list(taken.values()))
    vectors = FEATURES[name](crops)
    first, later = vectors[:PEOPLE], vectors[-PEOPLE:]
    right = distances(name, first, later).argmin(axis=1) == np.arange(PEOPLE)
    assert right.mean() > 0.5
    if name == SIGNLESS:
        assert (distances(name, -first, later) == distances(name, first, later)).all()


def test_regions_of_a_mask_become_tracks():
    walker = [Box(10 + 2 * n, 10, 30 + 2 * n, 60) for n in range(5)]
    boxes = [[one] for one in walker]
    boxes[3].append(Box(100, 10, 120, 60))
    found = footage._followed(iter(boxes))
    assert [set(people) for people in found.values()] == [{0}, {0}, {0}, {0, 1}, {0}]


def test_a_crop_is_the_mean_under_the_box():
    class Half:
        width = height = 96
        y = np.where(np.arange(96)[:, None] < 48, 40, 200).astype(np.uint8) * np.ones((1, 96), np.uint8)
        u = v = np.full((48, 48), 128, np.uint8)

    taken = footage.crop(Half(), Box(0, 0, 96, 96))
    assert taken.shape == (3, 24, 8)
    assert (taken[0, :12] == 40).all()
    assert (taken[0, 12:] == 200).all()
    assert (taken[1:] == 128).all()
