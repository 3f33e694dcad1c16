"""The timeline of a connection, over random cameras: nothing runs backwards, nothing comes from the future, nothing old is kept."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blickschutz.ingest.rules.timeline import Timeline
from blickschutz.kernel.streams import TICKS
from blickschutz.recording.io.feed import Feed
from blickschutz.recording.io.ring import Fragment, Head

BEFORE_S = 10.0
RATES = [1.0, 5.0, 10.0, 25.0]


def happening(chance):
    """What may happen to the camera's clock or to the network from one picture on."""
    return chance.choice(
        [
            ("jump", chance.uniform(-100_000, 100_000)),
            ("small", chance.uniform(-1.5, 1.5)),
            ("wrap", -(2**32) / TICKS),
            ("gap", chance.choice([0.5, 3.0, 60.0, 12_000.0])),
            ("stall", chance.uniform(0.1, 5)),
            ("constant", chance.randint(1, 30)),
            ("missing", chance.randint(1, 30)),
            ("speed", chance.choice([0.2, 0.5, 0.9, 1.1, 2.0])),
            ("burst", chance.randint(2, 50)),
            ("nonsense", chance.uniform(-1e9, 1e9)),
        ]
    )


def camera_of(chance):
    """A camera at random."""
    count = chance.randint(2, 160)
    return {
        "rate": chance.choice(RATES),
        "start": chance.uniform(-50_000, 50_000),
        "reorder": chance.choice([0, 0, 1, 3]),
        "group": chance.randint(1, 60),
        "jitter": [chance.uniform(0, 0.3) for _ in range(8)],
        "happens": {chance.randint(1, 150): happening(chance) for _ in range(chance.randint(0, 6))},
        "count": count,
        "orders": {chance.randint(1, count): chance.choice([0.0, 0.0, 3.0, 30.0, 10_800.0]) for _ in range(chance.randint(0, 4))},
    }


def packets(camera):
    """(camera's time or None, arrival, seconds before its picture's turn, when it was really taken) of one camera."""
    raw, taken, arrived, speed, burst = camera["start"], 1000.0, 1000.0, 1.0, 1
    constant = missing = 0
    step = 1 / camera["rate"]
    for n in range(camera["count"]):
        kind, value = camera["happens"].get(n, ("", 0))
        taken, raw = taken + step, raw + step * speed
        arrived = max(arrived, taken)
        if kind in {"jump", "small", "wrap"}:
            raw += value
        elif kind == "gap":
            taken, raw, arrived = taken + value, raw + value, arrived + value
        elif kind == "stall":
            arrived += value
        elif kind == "constant":
            constant = value
        elif kind == "missing":
            missing = value
        elif kind == "speed":
            speed = value
        elif kind == "burst":
            burst = value
        if n % burst:
            arrived = max(arrived, taken + step * (burst - n % burst))
        arrived = max(arrived, taken + camera["jitter"][n % len(camera["jitter"])])
        shown = raw if kind != "nonsense" else value
        constant, missing = constant - 1, missing - 1
        if constant >= 0:
            raw -= step * speed
            shown = raw
        ahead = step * (camera["reorder"] if n % (camera["reorder"] + 1) == 0 else 0)
        yield None if missing >= 0 else shown + ahead, arrived, ahead, taken


@settings(max_examples=2000, deadline=None)
@given(st.integers(0, 2**64))
def test_no_clip_holds_older_material_than_the_seconds_before_and_one_group(seed):
    """The packets go through timeline and memory as in a cell; at any moment an order may come, also long after the last packet."""
    camera = camera_of(random.Random(seed))
    orders = camera["orders"]
    timeline, feed = Timeline(), Feed(BEFORE_S)
    feed.take([Head(1, b"head", "h264", 64, 48)])
    group: list[tuple[int, float]] = []
    came_at, used, dts = {}, set(), -1
    for n, (raw, arrived, ahead, _) in enumerate(packets(camera)):
        stamp = timeline.place(raw, arrived, ahead)
        assert stamp.dts > dts, "times of decoding grow"
        assert stamp.dts <= stamp.pts
        assert stamp.pts not in used, "each picture has a time of its own"
        # Reordered pictures and those that come in one moment are a little beside; nothing comes out of the future or the past.
        assert arrived - 4.0 - ahead <= stamp.at <= arrived + 0.05 + ahead
        used.add(stamp.pts)
        dts = stamp.dts
        if n % camera["group"] == 0 and group:
            feed.take([fragment(group)])
            group = []
        group.append((stamp.pts, stamp.at))
        came_at[stamp.pts] = arrived
        if n in orders:
            now = arrived + orders[n]
            pieces = feed.before(now)
            came = [[came_at[pts] for pts in piece.fragment.pts] for piece in pieces]
            longest = max((max(one) - min(one) + 1 / camera["rate"] for one in came), default=0.0)
            assert all(now - at <= BEFORE_S + longest for one in came for at in one)
            assert not pieces or pieces[0].fragment.key
            if orders[n] > 60.0:
                assert not pieces, "what is older than a minute is in no clip, whatever came since"
                return


def fragment(group):
    return Fragment(1, b"x", True, tuple(pts for pts, _ in group), max(at for _, at in group))


@pytest.mark.parametrize(("burst", "rate"), [(20, 10), (10, 10), (50, 25), (2, 1)])
def test_bursts_of_two_seconds_have_the_times_at_which_they_were_taken(burst, rate):
    timeline = Timeline()
    steps = []
    for n in range(20 * burst):
        due = 1000 + (n - n % burst + burst) / rate
        steps.append(timeline.place(77.0 + n / rate, due).at)
    later = steps[3 * burst :]
    assert [b - a for a, b in itertools.pairwise(later)] == pytest.approx([1 / rate] * (len(later) - 1), abs=1e-4)


def test_a_clock_that_jumps_is_laid_anew_and_the_pictures_go_on():
    timeline = Timeline()
    ats = [timeline.place(n / 10 + (10_800.0 if n >= 40 else 0.0), 1000 + n / 10).at for n in range(100)]
    assert [b - a for a, b in itertools.pairwise(ats)] == pytest.approx([0.1] * 99, abs=0.001)


def test_a_clock_of_another_speed_is_not_believed():
    timeline = Timeline()
    for n in range(600):
        stamp = timeline.place(n / 25, 1000 + n / 10)
    assert stamp.at == pytest.approx(1000 + 599 / 10, abs=0.001)
