"""Tails: what a threshold promises holds on cameras whose truth is known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blickschutz.budget.model import FACTS, NEVER, CameraBudget
from blickschutz.budget.rules.decide import shares
from blickschutz.budget.rules.tail import BINS, LOW, WIDTH, Tail, bin_of, dispersion, score_of
from blickschutz.situations.kinds import Kind
from blickschutz.situations.model import FLOOR
from tests.conftest import often

START = math.log(FLOOR / (1 - FLOOR))
DAYS = 7


def survival(excess, shape, scale):
    if abs(shape) < 1e-9:
        return math.exp(-excess / scale)
    return max(0.0, 1 + shape * excess / scale) ** (-1 / shape)


def drawn(random, count, shape, scale):
    uniform = random.random(count)
    return -scale * np.log(uniform) if abs(shape) < 1e-9 else scale * (uniform**-shape - 1) / shape


class Camera:
    """Its true tail: parts of (share, shape, scale), events a day, and how they are spread over the hours of the day."""

    def __init__(self, random, kind):
        scale = math.exp(random.normal(math.log(0.5), 0.4))
        self.rate = math.exp(random.uniform(math.log(0.3), math.log(300)))
        self.parts = [(1.0, 0.0, scale)]
        self.hours = np.ones(24) / 24
        if kind == "pareto":
            self.parts = [(1.0, random.uniform(-0.3, 0.4), scale)]
        elif kind == "mixture":
            rare = random.uniform(0.02, 0.3)
            self.parts = [(1 - rare, 0.0, scale), (rare, 0.0, scale * random.uniform(1.2, 2.5))]
        elif kind == "hours":
            self.hours = random.dirichlet(np.full(24, 0.3))
        elif kind == "few":
            self.rate = random.uniform(0.0, 0.6)

    def week(self, random):
        """Peaks by bin; on each day every hour has its own rate."""
        count = int(random.poisson(self.rate * np.tile(self.hours, DAYS)).sum())
        which = random.choice(len(self.parts), size=count, p=[part[0] for part in self.parts])
        excess = np.zeros(count)
        for number, (_, shape, scale) in enumerate(self.parts):
            excess[which == number] = drawn(random, int((which == number).sum()), shape, scale)
        bins = np.clip(np.floor((START + excess - LOW) / WIDTH), 0, BINS - 1).astype(int)
        return np.bincount(bins, minlength=BINS).astype(float)

    def realised(self, threshold):
        """How often a day the threshold is truly reached."""
        if threshold >= NEVER:
            return 0.0
        excess = max(0.0, math.log(threshold / (1 - threshold)) - START)
        return self.rate * sum(share * survival(excess, shape, scale) for share, shape, scale in self.parts)


@pytest.mark.parametrize("budget", [0.01, 0.1, 1.0])
def test_on_a_thousand_cameras_the_realised_rate_keeps_the_budget(budget):
    random = np.random.default_rng(20260115)
    kinds = ("exponential", "pareto", "mixture", "hours", "few")
    kept = {kind: [] for kind in kinds}
    for number in range(1000):
        camera = Camera(random, kinds[number % len(kinds)])
        threshold = Tail(camera.week(random), DAYS, floor=FLOOR).threshold(budget)
        kept[kinds[number % len(kinds)]].append(camera.realised(threshold) / budget)
    every = np.concatenate([np.array(ratios) for ratios in kept.values()])
    assert np.mean(every <= 1.5) >= 0.95
    assert all(np.mean(np.array(ratios) <= 1.5) >= 0.9 for ratios in kept.values()), {
        k: np.mean(np.array(r) <= 1.5) for k, r in kept.items()
    }
    # It keeps the budget without being deaf: where a week shows enough the rate is not a small part of what may be spent.
    assert budget < 1.0 or np.median(kept["exponential"]) > 0.3


def test_a_thousand_cameras_keep_their_common_budget_over_all_kinds():
    """Ten kinds each: their shares are bounds, and add up to more than the budget."""
    random = np.random.default_rng(20260116)
    told = dict.fromkeys([kind for kind in Kind if kind not in FACTS], frozenset({"day"}))
    budget, ratios = CameraBudget(0.1, told), []
    limits = shares(budget)
    for _ in range(often(250, 1000)):
        cost = 0.0
        for number, limit in enumerate(limits.values()):
            camera = Camera(random, ("exponential", "pareto", "mixture", "few")[number % 4])
            camera.rate = min(camera.rate, 100.0)
            cost += camera.realised(Tail(camera.week(random), DAYS, floor=FLOOR).threshold(limit))
        ratios.append(cost / budget.per_day)
    assert np.mean(np.array(ratios) <= 1.5) >= 0.95
    assert np.median(ratios) > 0.2


def test_what_other_cameras_show_tells_a_calm_one_the_shape_and_the_budget_holds():
    random = np.random.default_rng(20260117)
    kept, alone, helped = [], [], []
    for _ in range(often(200, 400)):
        common = math.exp(random.normal(math.log(0.4), 0.4))
        scales = common * np.exp(random.normal(0, 0.4, 11))
        like = np.zeros(BINS)
        for scale in scales[1:]:
            camera = Camera(random, "few")
            camera.rate, camera.parts = 5.0, [(1.0, 0.0, scale)]
            like += camera.week(random)
        calm = Camera(random, "few")
        calm.parts = [(1.0, 0.0, scales[0])]
        seen = calm.week(random)
        threshold = Tail(seen, DAYS, floor=FLOOR, like=like).threshold(0.02)
        kept.append(calm.realised(threshold) / 0.02)
        alone.append(Tail(seen, DAYS, floor=FLOOR).threshold(0.02))
        helped.append(threshold)
    assert np.mean(np.array(kept) <= 1.5) >= 0.95
    assert np.median(helped) < np.median(alone) - 0.03


def test_clusters_are_seen_and_count_for_less():
    random = np.random.default_rng(7)
    kept = []
    for _ in range(200):
        scale, budget = 0.4, 1.0
        by_day = random.poisson(random.gamma(0.5, 40, DAYS))  # feasts and empty days: variance far above the mean
        excess = drawn(random, int(by_day.sum()), 0.0, scale)
        bins = np.clip(np.floor((START + excess - LOW) / WIDTH), 0, BINS - 1).astype(int)
        known = dispersion(by_day.astype(float))
        threshold = Tail(np.bincount(bins, minlength=BINS).astype(float), DAYS, known, FLOOR).threshold(budget)
        kept.append(20 * survival(math.log(threshold / (1 - threshold)) - START, 0.0, scale) / budget)
    assert np.mean(np.array(kept) <= 1.5) >= 0.95


@settings(max_examples=200, deadline=None)
@given(
    counts=st.dictionaries(st.integers(bin_of(FLOOR), BINS - 1), st.integers(1, 500), max_size=12),
    days=st.floats(0.01, 400),
    budget=st.floats(1e-6, 1e6),
    more=st.floats(1.0, 50.0),
    known=st.floats(0.0, 40.0),
)
def test_whatever_was_counted_the_threshold_is_one_and_more_budget_never_raises_it(counts, days, budget, more, known):
    seen = np.zeros(BINS)
    for number, count in counts.items():
        seen[number] = count
    tail = Tail(seen, days, known, FLOOR)
    threshold = tail.threshold(budget)
    assert FLOOR - 1e-3 <= threshold < 1.0 or threshold == NEVER
    assert tail.threshold(budget * more) <= threshold
    rate = tail.rate(threshold)
    assert 0 <= rate.low <= rate.high
    if threshold < NEVER:
        assert rate.high <= budget * 1.05


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(FLOOR, 1.0), max_size=60), st.floats(0.5, 60))
def test_costs_fall_as_the_threshold_rises(peaks, days):
    tail = Tail(np.bincount([bin_of(peak) for peak in peaks], minlength=BINS).astype(float), days, floor=FLOOR)
    rates = [tail.rate(score_of(edge)).expected for edge in range(bin_of(FLOOR), BINS)]
    # Where counting ends and the tail begins the two may differ a little.
    assert all(after <= before * 1.25 + 1e-9 for before, after in itertools.pairwise(rates))


@given(st.integers(0, BINS - 1))
def test_a_threshold_is_the_edge_of_its_bin(edge):
    assert bin_of(score_of(edge)) == edge


def test_a_budget_of_nothing_never_tells_and_a_thousand_tells_all():
    seen = np.zeros(BINS)
    seen[bin_of(0.6)] = 40
    tail = Tail(seen, DAYS, floor=FLOOR)
    assert tail.threshold(0.0) == NEVER
    assert tail.threshold(float("nan")) == NEVER
    assert tail.threshold(1000.0) == pytest.approx(score_of(bin_of(FLOOR)))


def test_a_week_with_two_people_in_it_is_a_bound_and_not_zero():
    seen = np.zeros(BINS)
    seen[bin_of(0.4)] = 2
    tail = Tail(seen, DAYS, floor=FLOOR)
    at_half = tail.rate(0.5)
    assert 0 < at_half.expected < at_half.high
    assert at_half.high > 0.1
    strict, easy = tail.threshold(0.01), tail.threshold(0.5)
    assert 0.5 < strict < NEVER
    assert easy < strict
    nothing = Tail(np.zeros(BINS), DAYS, floor=FLOOR)
    assert nothing.rate(FLOOR).high > 0.3
    assert FLOOR < nothing.threshold(0.1) < NEVER
