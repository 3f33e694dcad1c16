"""No sequence of boots, wrong clocks, pauses, damage and decisions destroys a clip before its true age, or keeps one for ever."""

from __future__ import annotations

import itertools
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blickschutz.retention.model import Basis, Proposal, Reason, StampedClip, Void
from blickschutz.retention.rules import decisions
from blickschutz.retention.rules import time as rules
from tests.fakes.time import DAY, HOUR, House

LIMIT = 72 * HOUR
# Synced writing costs nothing there.
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
# Corrections of a few seconds each are followed without asking.
SLACK_S = 15.0
FAULTS = {Reason.FILE_MISSING, Reason.FILE_DAMAGED, Reason.FILE_OLDER, Reason.EPOCH_UNKNOWN}

WALLS = [-4 * DAY, -2 * HOUR, -1800.0, -3.0, 3.0, 1800.0, 2 * HOUR, 2 * DAY, 5 * DAY, 90 * DAY]
SPANS = [5.0, 60.0, 600.0, HOUR, 10 * HOUR, DAY, 3 * DAY]
NOTHING = [None]
ACTS: dict[str, list] = {
    "go": SPANS,
    "record": NOTHING,
    "hold": [1.0, 5.0, 40.0],
    "step": WALLS,
    "set": [100.0, 86_400.0 * 365 * 30, 253_402_300_799.0],
    "right": NOTHING,
    "server": [True, True, False],
    "boot": SPANS,
    "boot-wrong": list(itertools.product(SPANS, WALLS)),
    "boot-1970": SPANS,
    "boot-fast": SPANS,
    "restart": NOTHING,
    "suspend": SPANS,
    "pause": SPANS,
    "damage": ["", "nan", "inf", "1e30", "x", '{"record":{},"signature":"00"}'],
    "lose": NOTHING,
    "copy": NOTHING,
    "put-back": NOTHING,
    "people": NOTHING,
    "same-person": list(Basis),
    "late-second": list(Basis),
}
OFTEN = [*ACTS, "go", "go", "record", "record", "server", "boot-fast", "people"]
acts = st.lists(st.one_of(*(st.tuples(st.just(name), st.sampled_from(values)) for name, values in ACTS.items())), max_size=30)


class Life:
    """A house with people who say what is true, and a judge who knows the true time."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder, LIMIT)
        self.holds: dict[str, float] = {}
        self.copy: bytes | None = None

    def do(self, act, value):
        house, machine = self.house, self.house.machine
        match act:
            case "go" | "suspend":
                machine.go(value)
            case "record":
                house.record()
            case "hold":
                self.hold(value)
            case "step":
                machine.set_wall(machine.true + machine.error + value)
            case "set":
                machine.set_wall(value)
            case "right":
                machine.error = 0.0
            case "server":
                machine.error, machine.synchronised = (0.0, True) if value else (machine.error, False)
            case "boot":
                machine.boot(value)
            case "boot-wrong":
                machine.boot(value[0])
                machine.set_wall(machine.true + machine.error + value[1])
            case "boot-1970":
                machine.boot(value)
                machine.set_wall(100.0)
            case "boot-fast":
                machine.boot(value)
                machine.error, machine.synchronised = 0.0, True
            case "pause":
                machine.pause(value)
            case "damage":
                house.path.write_text(value)
            case "lose":
                house.path.unlink()
            case "copy":
                self.copy = house.path.read_bytes()
            case "put-back":
                house.path.write_bytes(self.copy or b"")
            case "people":
                self.people()
            case "same-person" | "late-second":
                self.wrong_people(act, value)
        if act in {"restart", "damage", "lose", "put-back"} or act.startswith("boot"):
            self.judged(house.start)
        else:
            self.judged(house.tick)

    def judged(self, act):
        """`act` may destroy; whatever it destroyed was due by the true time, and nothing was while suspended."""
        house, before = self.house, dict(self.house.records.rows)
        act()
        gone = set(before) - set(house.records.rows)
        assert not (gone and house.reason), "nothing ends while suspended"
        for name in gone:
            if name in self.holds:
                assert house.machine.true >= self.holds[name] - SLACK_S, "a held clip ended before its date"
            else:
                assert house.machine.true - house.opened[name] >= LIMIT - SLACK_S, "a clip ended before its true age"
        for name, row in house.records.rows.items():
            if house.time.kept(row) is not None:
                assert house.age(name) <= house.machine.true - house.opened[name] + SLACK_S, "a clip is held to be older than it is"

    def hold(self, days):
        """Two people hold the newest clip that nobody holds; they look whether the date that is shown is the right one."""
        house = self.house
        shown = house.time.now() + house.time.wall_of(0.0)
        free = [name for name in house.records.rows if name not in self.holds]
        if free and shown <= house.machine.true + 1.0 and house.reason not in FAULTS:
            self.holds[free[-1]] = house.hold(free[-1], days)

    def people(self):
        """Two people decide what is true: the wall clock only where it is right, and makes nothing older than it is."""
        house, machine = self.house, self.house.machine
        if not house.reason or (house.reason in FAULTS and machine.error != 0.0):
            return
        shown = house.time.view()
        offered = {one.basis for one in shown.choices}
        if not offered:
            assert not rules.is_usable(machine.true + machine.error, house.time._trust)
            return
        basis = Basis.WALL if Basis.WALL in offered and self.is_true(shown) else Basis.COUNT
        proposal = house.time.propose("ada", basis)
        assert isinstance(proposal, Proposal)
        listed = set(proposal.choice.due)
        result = house.time.confirm("bert", proposal.number)
        assert not isinstance(result, Void), result
        assert house.reason == ""
        before = set(house.records.rows)
        self.judged(house.tick)
        assert before - set(house.records.rows) <= listed, "something ended that nobody was shown"

    def is_true(self, shown):
        """Whether following the wall clock would make nothing older than it is."""
        house, machine = self.house, self.house.machine
        if machine.error != 0.0:
            return False
        seconds = next((one.seconds for one in shown.choices if one.basis is Basis.WALL), 0.0)
        record, sample, trust = house.time._record, machine.sample(), house.time._trust
        after = decisions.decided(record, sample, Basis.WALL, seconds)
        given = decisions.stamps(record, house.records.stamped(), sample, Basis.WALL, seconds, trust)
        now = rules.retention(after, sample.boottime)
        for name, row in house.records.rows.items():
            new = given.get(name)
            moved = row if new is None else StampedClip(name, row.number, row.opened, new.stamp, row.hold_date, new.held_until)
            known = rules.kept(after, moved)
            assert known is not None
            if now - known.opened_retention > machine.true - house.opened[name] + 1.0:
                return False
        return True

    def wrong_people(self, act, basis):
        """One person twice, or a second who comes after the list has changed: nothing follows."""
        house, before = self.house, self.house.reason
        proposal = house.time.propose("ada", basis)
        if isinstance(proposal, Void):
            return
        if act == "same-person":
            assert house.time.confirm("ada", proposal.number) is Void.SAME_PERSON
        else:
            house.machine.go(2 * HOUR)
            assert house.time.confirm("bert", proposal.number) in {Void.CHANGED, Void.GONE}
        assert house.reason == before

    def end(self):
        """The clock is right and stays so: everything ends, and when it has to."""
        house, machine = self.house, self.house.machine
        machine.error, machine.synchronised = 0.0, True
        self.judged(house.tick)
        self.judged(house.tick)
        if house.reason:
            self.people()
        assert house.reason == "", "a right clock or two people end a suspension"
        assert house.time.wall_of(house.time.now()) - machine.true < SLACK_S
        free = set(house.records.rows) - set(self.holds)
        machine.go(LIMIT + 1.0)
        self.judged(house.tick)
        assert not free & set(house.records.rows), "what is due ends within the limit after the clock is right"
        for _ in range(40):
            machine.go(10 * DAY)
            self.judged(house.tick)
        assert house.records.rows == {}, "everything ends"


def live(sequence):
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        life = Life(Path(folder))
        for act, value in sequence:
            life.do(act, value)
        life.end()
        return len(life.house.destroyed)


@settings(max_examples=150, deadline=None)
@given(acts)
def test_nothing_ends_early_and_everything_ends(sequence):
    live(sequence)


@pytest.mark.parametrize("seed", range(8))
def test_long_lives(seed):
    """As above, fifty acts each, in lives in which more is recorded and destroyed."""
    rng, ended = random.Random(seed), 0
    for _ in range(60):
        ended += live([(act, rng.choice(ACTS[act])) for act in rng.choices(OFTEN, k=50)])
    assert ended > 200


@given(st.lists(st.tuples(st.sampled_from(["go", "step", "set", "right", "restart", "suspend"]), st.floats(-1e12, 1e12)), max_size=20))
def test_within_a_boot_ages_follow_the_boot_clock_alone(sequence):
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        house = House(Path(folder), 1e9)
        clip = house.record()
        begun = house.machine.counter
        for act, value in sequence:
            if act in {"go", "suspend"}:
                house.machine.go(abs(value) % DAY)
            elif act == "right":
                house.machine.error = 0.0
            elif act == "restart":
                house.start()
            else:
                house.machine.set_wall(value)
            house.tick()
            assert abs(house.age(clip) - (house.machine.counter - begun)) < 1e-3


@given(st.data())
def test_no_number_that_is_none_enters_the_file(data):
    """Whatever the clocks say, what is written can be read again."""
    wild = st.one_of(st.floats(), st.sampled_from([float("nan"), float("inf"), -float("inf"), 1e30, -1e300, 0.0]))
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        house = House(Path(folder))
        house.record()
        for wall, is_booted in data.draw(st.lists(st.tuples(wild, st.booleans()), max_size=6)):
            if is_booted:
                house.machine.boot(10.0)
            house.machine.error = wall
            house.start()
            house.go(61)
            assert house.reason not in FAULTS
            if not abs(wall) <= DAY:
                assert house.reason
