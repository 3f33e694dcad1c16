"""The time for deadlines: each way in which a clock can be wrong, and what two people can do about it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from blickschutz.kernel.errors import DeviceError
from blickschutz.retention.io.sources import ClockSources, MachineSources, kernel_is_synchronised, tracking_is_synchronised
from blickschutz.retention.model import Basis, Proposal, Reading, Reason, Stamp, StampedClip, Void, What
from blickschutz.retention.rules import judge
from tests.fakes.clock import ManualClock
from tests.fakes.time import DAY, HOUR, NOON, House


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def two_confirm(house, basis, first="ada", second="bert"):
    proposal = house.time.propose(first, basis)
    assert isinstance(proposal, Proposal), proposal
    return house.time.confirm(second, proposal.number)


class TestWithinABoot:
    def test_what_is_due_is_destroyed_and_nothing_before(self, house):
        clip = house.record()
        assert house.go(72 * HOUR - 10) == []
        assert house.go(20) == [clip]

    @pytest.mark.parametrize(
        ("wall", "reason"),
        [
            (-4 * DAY, Reason.JUMP_BACK),
            (5 * DAY, Reason.JUMP_AHEAD),
            (90 * DAY, Reason.JUMP_AHEAD),
            (365 * DAY, Reason.JUMP_AHEAD),
            (100.0 - NOON, Reason.JUMP_BACK),
            (253_402_300_799.0 - NOON, Reason.JUMP_AHEAD),
            (float("nan"), Reason.JUMP_BACK),
            (float("inf"), Reason.JUMP_AHEAD),
        ],
    )
    def test_a_jump_suspends_counts_on_and_ends_when_it_is_undone(self, house, wall, reason):
        old = house.record()
        house.go(60)
        house.machine.error = wall
        assert house.time.suspended == "", "until somebody looks"
        house.go(5)
        assert house.reason == reason == house.time.suspended
        new = house.record()
        assert house.go(73 * HOUR) == [], "nothing ends while suspended"
        assert house.age(old) == pytest.approx(73 * HOUR + 65)
        house.machine.error = 0.0
        assert set(house.go(5)) == {old, new}
        assert house.time.suspended == ""
        assert [one.what for one in house.changes] == [What.SUSPENDED, What.RESUMED]

    def test_corrections_are_followed_without_asking_by_dates_and_not_by_ages(self, house):
        clip = house.record()
        for _ in range(100):
            house.machine.error += 4.0
            house.go(60)
        assert house.reason == ""
        assert house.age(clip) == pytest.approx(6000)
        assert house.time.wall_of(house.time.now()) == pytest.approx(house.machine.true + 400)

    def test_a_restart_of_the_process_changes_nothing(self, house):
        clip = house.record()
        house.machine.go(10 * HOUR)
        house.start()
        assert house.age(clip) == pytest.approx(10 * HOUR)
        house.machine.set_wall(NOON + 90 * DAY)
        house.start()
        assert house.reason == Reason.JUMP_AHEAD
        house.start()
        assert house.reason == Reason.JUMP_AHEAD
        assert len(house.changes) == 1, "told once"

    def test_a_time_server_that_speaks_for_the_first_time_moves_dates_and_no_ages(self, house):
        clip = house.record()
        house.machine.error = -1200.0
        house.go(5)
        assert house.reason == Reason.JUMP_BACK
        house.machine.synchronised = True
        house.go(5)
        assert house.reason == ""
        assert house.age(clip) == pytest.approx(10)

    def test_a_quartz_that_drifted_without_its_time_server_is_no_jump(self, house):
        house.machine.synchronised = True
        house.go(5)
        house.machine.synchronised = False
        house.go(10 * DAY)
        house.machine.error, house.machine.synchronised = 43.0, True
        house.go(5)
        assert house.reason == ""

    def test_a_time_server_that_contradicts_an_earlier_one_suspends(self, house):
        house.machine.synchronised = True
        house.go(5)
        house.machine.error = 2 * DAY
        house.go(5)
        assert house.reason == Reason.JUMP_AHEAD


class TestBetweenBoots:
    def test_a_dead_battery_destroys_nothing_and_ends_by_itself(self, house):
        old = house.record()
        house.go(600)
        house.machine.boot(600)
        house.machine.set_wall(100.0)
        house.start()
        assert house.reason == Reason.IMPOSSIBLE
        new = house.record()
        house.go(300)
        house.machine.error = 0.0
        assert house.go(5) == []
        assert house.reason == ""
        assert house.age(new) == pytest.approx(305)
        assert house.age(old) == pytest.approx(600 + 5 + 305, abs=1)
        assert [one.what for one in house.changes] == [What.SUSPENDED, What.UNCOUNTED, What.RESUMED]

    def test_a_boot_ninety_days_ahead_poisons_nothing(self, house):
        waiting, held = house.record(), house.record()
        house.hold(held, 30)
        house.machine.boot(60)
        house.machine.set_wall(NOON + 90 * DAY)
        house.start()
        assert house.reason == Reason.START_AHEAD
        assert house.go(HOUR) == []
        house.machine.boot(60)
        house.machine.error = 0.0
        house.start()
        assert house.reason == ""
        new = house.record()
        assert house.go(5) == []
        assert house.go(72 * HOUR) == [waiting, new]
        assert house.go(26 * DAY) == []
        assert house.go(2 * DAY) == [held]

    @pytest.mark.parametrize("days", [-4, -1 / 24])
    def test_a_boot_before_the_last_known_time_suspends(self, house, days):
        house.record()
        house.machine.boot(60)
        house.machine.set_wall(NOON + days * DAY)
        house.start()
        assert house.reason == Reason.START_BACK

    def test_time_off_counts_once_a_time_server_says_so(self, house):
        house.machine.synchronised = True
        clip = house.record()
        house.go(HOUR)
        house.machine.boot(50 * HOUR)
        house.start()
        assert house.reason == Reason.START_AHEAD, "50 hours without a time server"
        house.machine.synchronised = True
        house.go(1)
        assert house.reason == ""
        assert house.age(clip) == pytest.approx(51 * HOUR, abs=10)
        assert house.changes[-2].what is What.COUNTED
        assert house.changes[-2].seconds == pytest.approx(50 * HOUR, abs=10)
        assert house.go(21 * HOUR) == [clip]

    def test_a_short_time_off_without_a_time_server_goes_on_and_is_counted_later_exactly(self, house):
        house.machine.synchronised = True
        clip = house.record()
        house.go(60)
        house.machine.boot(600)
        house.start()
        assert house.reason == ""
        assert house.time.view().claim == pytest.approx(600)
        assert house.age(clip) == pytest.approx(65)
        house.machine.synchronised = True
        house.go(1)
        assert house.age(clip) == pytest.approx(666)

    def test_uncounted_time_adds_up_to_an_hour_and_then_suspends(self, house):
        clip = house.record()
        for _ in range(5):
            house.machine.boot(650)
            house.start()
            assert house.reason == ""
        house.machine.boot(650)
        house.start()
        assert house.reason == Reason.START_AHEAD
        assert house.age(clip) == pytest.approx(30)

    def test_a_gap_that_no_clip_lies_before_is_forgotten(self, house):
        house.record()
        for _ in range(20):
            house.machine.boot(650)
            house.start()
            assert house.reason == ""
            house.go(73 * HOUR)
            house.go(1)
        assert house.records.rows == {}
        assert len(json.loads(house.path.read_bytes())["record"]["epochs"]) == 1

    def test_more_than_three_days_off_ask_two_people_even_with_a_time_server(self, house):
        house.machine.synchronised = True
        clip = house.record()
        house.machine.boot(7 * DAY)
        house.machine.synchronised = True
        house.start()
        assert house.reason == Reason.START_AHEAD
        choices = {one.basis: one for one in house.time.view().choices}
        assert choices[Basis.WALL].due == (clip,)
        assert choices[Basis.COUNT].due == ()
        assert choices[Basis.WALL].seconds == pytest.approx(7 * DAY)
        two_confirm(house, Basis.WALL)
        assert house.tick() == [clip]

    def test_a_time_server_behind_the_count_suspends_and_retention_time_never_goes_back(self, house):
        house.machine.synchronised = True
        clip = house.record()
        house.machine.boot(60)
        house.machine.error, house.machine.synchronised = -2 * HOUR, True
        house.start()
        assert house.reason == Reason.START_BACK
        house.machine.error = -63.0
        house.go(1)
        assert house.reason == ""
        assert house.age(clip) == pytest.approx(6)

    def test_the_first_time_server_counts_nothing_and_is_asked_about_beyond_an_hour(self, house):
        clip = house.record()
        house.machine.boot(2 * HOUR)
        house.machine.synchronised = True
        house.start()
        assert house.reason == Reason.START_AHEAD, "how wrong the clock was before nobody knows"
        two_confirm(house, Basis.COUNT)
        assert house.age(clip) == pytest.approx(5)

    def test_the_first_time_server_by_more_than_three_days_is_a_jump(self, house):
        house.record()
        house.machine.error, house.machine.synchronised = 4 * DAY, True
        house.go(5)
        assert house.reason == Reason.JUMP_AHEAD

    def test_a_jump_while_a_boot_is_not_settled_is_no_time_off(self, house):
        clip = house.record()
        house.machine.boot(600)
        house.start()
        house.machine.set_wall(house.machine.true + 1800)
        for _ in range(3):
            house.go(5)
            assert house.reason == Reason.JUMP_AHEAD
        house.machine.error = 0.0
        house.go(5)
        assert house.reason == ""
        assert house.age(clip) == pytest.approx(25)

    def test_a_clip_is_never_younger_than_its_stamp(self, house):
        """An older file of the same state was put back, so the last known time in it is too early."""
        before = house.path.read_bytes()
        house.go(2 * HOUR)
        clip = house.record()
        house.path.write_bytes(before)
        house.machine.boot(60)
        house.start()
        assert house.age(clip) == pytest.approx(5)

    def test_a_count_that_goes_back_in_the_same_boot_begins_another_epoch(self, house):
        clip = house.record()
        house.go(500)
        house.machine.counter = 3.0
        house.start()
        assert house.reason == ""
        assert house.age(clip) == pytest.approx(500)

    def test_the_first_start_ever_in_1970_waits_for_a_clock_that_can_be(self, tmp_path):
        house = House(tmp_path)
        house.path.unlink()
        house.machine.set_wall(100.0)
        house.start()
        assert house.reason == Reason.IMPOSSIBLE
        clip = house.record()
        house.go(60)
        house.machine.error = 0.0
        house.go(5)
        assert house.reason == ""
        assert house.age(clip) == pytest.approx(65)
        assert house.time.now() == pytest.approx(house.machine.true)


class TestTwoPeople:
    @pytest.fixture
    def suspended(self, house):
        house.clips = [house.record(), house.record()]
        house.go(60)
        house.machine.set_wall(house.machine.true + 5 * DAY)
        house.go(5)
        return house

    def test_one_click_does_nothing(self, suspended):
        proposal = suspended.time.propose("ada", Basis.WALL)
        assert set(proposal.choice.due) == set(suspended.clips)
        assert suspended.time.confirm("ada", proposal.number) is Void.SAME_PERSON
        assert suspended.go(5) == []
        assert suspended.time.view().proposal == proposal

    def test_that_the_count_is_right_destroys_nothing(self, suspended):
        decision = two_confirm(suspended, Basis.COUNT)
        assert decision.people == ("ada", "bert")
        assert suspended.records.decisions == [decision]
        assert suspended.go(5) == []
        assert suspended.reason == ""
        assert suspended.time.wall_of(suspended.time.now()) == pytest.approx(suspended.machine.true + 5 * DAY)
        assert suspended.age(suspended.clips[0]) == pytest.approx(70)

    def test_that_the_wall_clock_is_right_counts_the_jump_for_what_is_older_only(self, house):
        old = house.record()
        house.machine.pause(3 * DAY)
        house.go(1)
        new = house.record()
        two_confirm(house, Basis.WALL)
        assert house.tick() == [old]
        assert house.age(new) == pytest.approx(0, abs=1)

    def test_a_list_that_changed_voids_the_proposal(self, suspended):
        proposal = suspended.time.propose("ada", Basis.WALL)
        suspended.hold(suspended.clips[0], 30)
        assert suspended.time.confirm("bert", proposal.number) is Void.CHANGED
        assert suspended.time.confirm("bert", proposal.number) is Void.GONE
        assert suspended.go(5) == []

    def test_a_clock_that_moved_voids_the_proposal(self, suspended):
        proposal = suspended.time.propose("ada", Basis.COUNT)
        suspended.machine.error += 60.0
        suspended.machine.go(1)
        assert suspended.time.confirm("bert", proposal.number) is Void.CHANGED

    def test_a_proposal_lasts_an_hour_and_a_new_one_replaces_it(self, suspended):
        first = suspended.time.propose("ada", Basis.COUNT)
        second = suspended.time.propose("cleo", Basis.COUNT)
        assert suspended.time.confirm("bert", first.number) is Void.GONE
        suspended.machine.go(HOUR + 1)
        assert suspended.time.confirm("bert", second.number) is Void.CHANGED

    def test_a_clip_without_a_stamp_is_judged_by_its_date_where_the_file_is_sound(self, suspended):
        suspended.records.rows["bare"] = StampedClip("bare", 0, NOON - HOUR, None)
        decision = two_confirm(suspended, Basis.COUNT)
        assert set(decision.stamps) == {"bare"}
        assert suspended.age("bare") == pytest.approx(HOUR + 65)

    def test_a_proposal_does_not_outlive_the_suspension(self, suspended):
        proposal = suspended.time.propose("ada", Basis.COUNT)
        suspended.machine.error = 0.0
        suspended.go(5)
        assert suspended.time.confirm("bert", proposal.number) is Void.CHANGED
        assert suspended.time.propose("ada", Basis.COUNT) is Void.NOT_SUSPENDED

    def test_a_clock_behind_the_count_cannot_be_followed(self, house):
        house.record()
        house.machine.set_wall(NOON - 4 * DAY)
        house.go(5)
        assert house.time.propose("ada", Basis.WALL) is Void.NOT_POSSIBLE
        two_confirm(house, Basis.COUNT)
        assert house.reason == ""

    def test_the_log_comes_before_the_act(self, suspended):
        suspended.records.broken = True
        proposal = suspended.time.propose("ada", Basis.WALL)
        with pytest.raises(RuntimeError):
            suspended.time.confirm("bert", proposal.number)
        assert suspended.go(5) == []
        suspended.records.broken = False
        suspended.start()
        assert suspended.reason == Reason.JUMP_AHEAD

    def test_a_crash_after_the_entry_finishes_the_decision(self, suspended, monkeypatch):
        proposal = suspended.time.propose("ada", Basis.COUNT)
        monkeypatch.setattr(suspended.time, "_save", lambda record: False)
        suspended.time.confirm("bert", proposal.number)
        suspended.start()
        assert suspended.reason == ""
        assert suspended.age(suspended.clips[0]) == pytest.approx(65)

    def test_a_crash_before_the_entry_decides_nothing(self, suspended, monkeypatch):
        monkeypatch.setattr(suspended.records, "confirmed", lambda decision: 1 / 0)
        proposal = suspended.time.propose("ada", Basis.WALL)
        with pytest.raises(ZeroDivisionError):
            suspended.time.confirm("bert", proposal.number)
        assert json.loads(suspended.path.read_bytes())["record"]["decided"] is not None
        suspended.start()
        assert suspended.reason == Reason.JUMP_AHEAD


class TestTheFile:
    @pytest.mark.parametrize("text", ["", "nan", "inf", "-inf", "1e30", "1e400", "x", "{}", "0", "null", '{"record": {}, "signature": ""}'])
    def test_damage_suspends_and_is_kept_beside(self, house, text):
        clip = house.record()
        house.path.write_text(text)
        house.machine.go(4 * DAY)
        house.start()
        assert house.reason == Reason.FILE_DAMAGED
        assert house.path.with_name("retention.clock.damaged").read_text() == text
        assert house.go(HOUR) == []
        view = house.time.view()
        assert view.unjudged == (clip,)
        assert {one.basis: one.due for one in view.choices} == {Basis.WALL: (clip,), Basis.COUNT: ()}
        two_confirm(house, Basis.WALL)
        assert house.tick() == [clip]

    def test_what_lost_its_count_can_count_as_recorded_now(self, house):
        clip = house.record()
        house.go(4 * HOUR)
        house.path.write_text("")
        house.start()
        two_confirm(house, Basis.COUNT)
        assert house.go(72 * HOUR - 5) == []
        assert house.go(10) == [clip]

    def test_while_it_is_at_fault_nobody_gives_a_clip_a_stamp_but_two_people(self, house):
        house.records.rows["bare"] = StampedClip("bare", 0, NOON - 71 * HOUR, None)
        house.path.write_text("")
        house.start()
        assert house.time.adoptions() == {}
        decision = two_confirm(house, Basis.COUNT)
        assert set(decision.stamps) == {"bare"}
        assert house.age("bare") == pytest.approx(0)

    def test_a_number_that_was_altered_is_damage(self, house):
        house.record()
        text = house.path.read_text()
        assert '"claim":0.0' in text
        house.path.write_text(text.replace('"claim":0.0', '"claim":1.0'))
        house.start()
        assert house.reason == Reason.FILE_DAMAGED

    @pytest.mark.parametrize(
        ("name", "number"),
        [("offset", 1e30), ("claim", 1e13), ("claim", float("inf")), ("offset", float("nan")), ("format", 3), ("open_from", "x")],
    )
    def test_what_cannot_be_is_damage_even_if_it_is_signed(self, house, name, number):
        house.record()
        record = json.loads(house.path.read_bytes())["record"]
        text = json.dumps({**record, name: number}, separators=(",", ":"))
        signature = house.key.sign(text.encode()).hex()
        house.path.write_text(f'{{"record":{text},"signature":"{signature}"}}')
        house.start()
        assert house.reason == Reason.FILE_DAMAGED

    def test_no_file_with_clips_there_is_a_fault_and_without_any_a_beginning(self, house):
        house.path.unlink()
        house.start()
        assert house.reason == ""
        house.record()
        house.path.unlink()
        house.start()
        assert house.reason == Reason.FILE_MISSING
        house.machine.error, house.machine.synchronised = 0.0, True
        house.go(DAY)
        assert house.reason == Reason.FILE_MISSING, "a fault ends by two people only"

    def test_no_file_though_the_installation_ran_before_is_a_fault_without_any_clip_too(self, house):
        """With a clock years ahead the first look would else erase the whole log."""
        house.records.ran = True
        house.path.unlink()
        house.machine.error = 4 * 365 * DAY
        house.start()
        assert house.reason == Reason.FILE_MISSING
        assert house.time.check().suspended

    def test_another_key_is_damage(self, house, tmp_path):
        house.record()
        (tmp_path / "key").write_bytes(b"k" * 32)
        house.key = type(house.key)(tmp_path / "key")
        house.start()
        assert house.reason == Reason.FILE_DAMAGED

    def test_an_older_file_put_back_suspends(self, house):
        house.record()
        before = house.path.read_bytes()
        house.machine.set_wall(NOON + 5 * DAY)
        house.go(5)
        two_confirm(house, Basis.COUNT)
        house.path.write_bytes(before)
        house.start()
        assert house.reason == Reason.FILE_OLDER
        house.start()
        assert house.reason == Reason.FILE_OLDER
        assert [one.reason for one in house.changes][-1:] == [Reason.FILE_OLDER], "told once"
        assert house.records.highest == house.changes[-1].serial

    def test_a_clip_of_another_count_suspends_and_is_judged_by_nobody(self, house):
        house.records.rows["other"] = StampedClip("other", 7, NOON - 90 * DAY, Stamp("elsewhere-1", 0.0))
        assert house.go(5) == []
        house.start()
        assert house.reason == Reason.EPOCH_UNKNOWN
        assert house.go(90 * DAY) == []

    def test_without_a_count_to_believe_receipts_are_dated_by_the_machine(self, house):
        house.record()
        house.path.write_text(f"{house.machine.true - 30 * DAY:.3f}\n")
        house.start()
        assert house.reason == Reason.EPOCH_UNKNOWN
        house.machine.go(100)
        assert house.time.dated() == pytest.approx(house.machine.true, abs=1)
        house.machine.set_wall(100.0)
        house.go(5)
        assert house.time.dated() == pytest.approx(house.time.wall_of(house.time.now())), "1970 cannot be"

    def test_while_a_jump_is_open_receipts_are_dated_by_the_count(self, house):
        house.go(60)
        house.machine.set_wall(NOON + 90 * DAY)
        house.go(5)
        assert house.time.dated() == pytest.approx(NOON + 65, abs=1)

    def test_a_wall_clock_behind_the_count_makes_nothing_younger(self, house):
        clip = house.record()
        house.go(HOUR)
        house.records.rows["other"] = StampedClip("other", 7, NOON - 90 * DAY, Stamp("elsewhere-1", 0.0))
        house.machine.set_wall(NOON)
        house.start()
        assert {one.basis: one.seconds for one in house.time.view().choices} == {Basis.WALL: 0.0, Basis.COUNT: 0.0}
        two_confirm(house, Basis.WALL)
        assert house.age(clip) == pytest.approx(HOUR)
        assert house.tick() == ["other"]

    def test_a_hold_whose_end_is_not_known_is_judged_by_nobody(self, house):
        clip = house.record()
        house.records.rows[clip] = replace(house.records.rows[clip], hold_date=NOON + 90 * DAY)
        assert house.go(30 * DAY) == []
        assert house.time.view().unjudged == (clip,)

    def test_a_disk_that_takes_nothing_binds_at_once_and_loosens_later(self, house, monkeypatch):
        house.machine.synchronised = True
        clip = house.record()
        house.machine.boot(50 * HOUR)
        house.machine.synchronised = True

        def fail(self, record):
            raise DeviceError("no space left")

        monkeypatch.setattr("blickschutz.retention.io.timefile.TimeFile.write", fail)
        house.start()
        assert house.age(clip) == pytest.approx(5), "not counted while nobody could read it after a crash"
        assert house.time.view().unsaved
        house.machine.set_wall(NOON - DAY)
        house.go(1)
        assert house.reason == Reason.START_BACK
        monkeypatch.undo()
        house.machine.error, house.machine.synchronised = 0.0, True
        house.go(1)
        assert house.age(clip) == pytest.approx(50 * HOUR, abs=20)
        assert house.time.view().unsaved == ""

    def test_it_is_written_once_a_minute_and_not_at_every_look(self, house, monkeypatch):
        written = []
        real = type(house.time._file).write
        monkeypatch.setattr("blickschutz.retention.io.timefile.TimeFile.write", lambda self, one: (written.append(1), real(self, one)))
        for _ in range(120):
            house.machine.error += 0.001
            house.go(5)
        assert 9 <= len(written) <= 11


class TestEarlierReleases:
    def old(self, house, mark, clips, off=5.0):
        house.path.write_text(f"{mark:.3f}\n")
        house.records.rows = {f"c{n}": StampedClip(f"c{n}", n, opened, None) for n, opened in enumerate(clips)}
        house.machine.go(off)
        house.start()

    def test_the_one_number_is_taken_over_and_clips_are_judged_by_their_dates(self, house):
        self.old(house, NOON, [NOON - 71 * HOUR, NOON - 1 * HOUR])
        assert house.reason == ""
        assert house.go(HOUR) == ["c0"]
        assert house.go(69 * HOUR) == []
        assert house.go(2 * HOUR) == ["c1"]

    def test_a_number_that_is_no_time_of_ours_suspends(self, house):
        self.old(house, NOON - 90 * DAY, [NOON - DAY])
        assert house.reason == Reason.START_AHEAD
        two_confirm(house, Basis.WALL)
        assert house.go(HOUR) == []
        assert house.age("c0") == pytest.approx(HOUR, abs=60), "its date lies after the number, so it counts from now"

    def test_dates_of_wrong_clocks_end_nothing_early_and_keep_nothing_for_ever(self, house):
        self.old(house, NOON, [NOON - DAY, 100.0, NOON - 40 * DAY, NOON + 90 * DAY])
        ages = {name: house.age(name) / HOUR for name in house.records.rows}
        assert ages["c1"] == pytest.approx(24, abs=0.1), "recorded in 1970, after the one before"
        assert ages["c2"] == pytest.approx(24, abs=0.1)
        assert ages["c3"] == pytest.approx(0, abs=0.1)
        house.go(72 * HOUR + 10)
        assert house.records.rows == {}

    def test_a_gap_that_such_a_clip_lies_before_is_not_forgotten(self, house):
        self.old(house, NOON, [NOON - DAY], off=600.0)
        house.records.rows["c0"] = replace(house.records.rows["c0"], restricted=True)
        house.go(100 * HOUR)
        house.go(1)
        assert house.time.view().claim == pytest.approx(600)
        house.records.rows.clear()
        house.go(2 * HOUR)
        assert house.time.view().claim == 0.0

    def test_a_clip_from_1970_alone_counts_from_now(self, house):
        self.old(house, NOON, [100.0])
        assert house.age("c0") == pytest.approx(0, abs=10)

    def test_a_hold_without_a_count_gets_its_end_from_its_date(self, house):
        house.records.rows = {}
        house.path.write_text(f"{NOON:.3f}\n")
        house.records.rows["c"] = StampedClip("c", 1, NOON - 9 * DAY, None, hold_date=NOON + DAY)
        house.start()
        assert house.go(DAY - 60) == []
        assert house.go(120) == ["c"]


class TestHolds:
    def test_a_date_chosen_while_the_wall_clock_is_wrong_is_meant_as_it_is(self, house):
        clip = house.record()
        house.machine.set_wall(100.0)
        house.go(5)
        house.hold(clip, 10)
        house.machine.error = 0.0
        house.go(5)
        assert house.go(9.9 * DAY) == []
        assert house.go(0.2 * DAY) == [clip]

    def test_a_restricted_clip_is_kept_and_shown_in_no_list(self, house):
        clip = house.record()
        house.records.rows[clip] = replace(house.records.rows[clip], restricted=True)
        house.machine.set_wall(NOON + 90 * DAY)
        house.go(5)
        assert all(one.due == () for one in house.time.view().choices)


class TestPorts:
    def test_nothing_is_judged_before_the_first_look_nor_while_suspended(self, house):
        kept = [one for one in [house.time.kept(house.records.rows[house.record()])] if one]
        assert judge(kept, house.limits, Reading(NOON + 90 * DAY, suspended=True)) == ([], [])
        assert judge(kept, house.limits, Reading(NOON + 90 * DAY, suspended=False)) == (kept, [])
        near = Reading(kept[0].opened_retention + 61 * HOUR, suspended=False)
        assert judge(kept, house.limits, near) == ([], kept)
        house.machine.go(1)
        new = type(house.time)(house.machine, house.time._file, house.records, house.records, house.limits)
        assert new.reading().suspended
        assert not new.check().suspended
        assert not new.reading().suspended

    def test_every_listener_hears_every_change_whatever_others_do(self, house):
        heard = []
        house.time.changed.listen(lambda change: 1 / 0)
        house.time.changed.listen(heard.append)
        house.machine.error = -90.0
        house.machine.go(1)
        with pytest.raises(ExceptionGroup):
            house.time.check()
        assert [one.what for one in heard] == [What.SUSPENDED]
        assert house.time.check().suspended

    def test_this_machine_has_a_boot_clock_and_a_wall_clock(self):
        sources = MachineSources()
        first, second = sources.sample(), sources.sample()
        assert first.boot == second.boot
        assert len(first.boot) == 32
        assert first.boottime <= second.boottime <= sources.boottime()
        assert first.wall == pytest.approx(time.time(), abs=5)
        assert isinstance(kernel_is_synchronised(), bool)

    @pytest.mark.parametrize(("state", "expected"), [(0, True), (1, True), (4, True), (5, False), (-1, False)])
    def test_what_the_kernel_says_is_read(self, monkeypatch, state, expected):
        """`adjtimex` returns 0 to 4 for a synchronised clock (with or without a leap second to come), 5 for any other, -1 for an error."""
        monkeypatch.setattr("blickschutz.retention.io.sources._libc", lambda: SimpleNamespace(adjtimex=lambda buffer: state))
        assert kernel_is_synchronised() is expected

    def test_a_clock_that_is_handed_in_is_a_source(self):
        clock = ManualClock()
        sources = ClockSources(clock, "here")
        assert (sources.sample().boot, sources.sample().wall) == ("here", clock.now())
        assert sources.boottime() == clock.monotonic()

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("C0A80101,192.168.1.1,3,1795676000.1,0.00001,0.00002,0.00003,-12.3,0.0,0.1,0.01,0.001,64.2,Normal\n", True),
            ("00000000,,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised\n", False),
            ("7F7F0101,,10,1.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised\n", False),
            ("00000000,,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Normal\n", False),
            ("00000000,,16,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Normal\n", False),
            ("506 Cannot talk to daemon\n", False),
            ("", False),
        ],
    )
    def test_what_chrony_says_is_read(self, text, expected):
        assert tracking_is_synchronised(text) is expected
