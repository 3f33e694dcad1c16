"""Orders, cases, recovery, shredding, deadlines: the joined parts on a real database and real files, without cameras."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from blickschutz.access.model import Member, Role
from blickschutz.access.rules import Unfit, unfit
from blickschutz.audit.model import Event
from blickschutz.bootstrap.records import make_records
from blickschutz.cli.main import cli
from blickschutz.cli.users import open_records
from blickschutz.control.model import SituationSeen
from blickschutz.control.service.checks import check_site
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import DeviceError, StoreBusyError
from blickschutz.recording.model import ClipEvent, ClipMode, ClipNews, CloseReason
from blickschutz.recording.model import Refusal as Refused
from blickschutz.regime.model import RegimeName
from blickschutz.retention.model import Receipt, Void
from blickschutz.retention.rules import receipt_text
from blickschutz.review.model import CaseState, Ground, Refusal, Verdict
from blickschutz.situations.kinds import Kind
from blickschutz.vault.io.files import is_signed
from blickschutz.vault.service import new_key
from blickschutz.zones.model import Wall
from tests.conftest import ROOT
from tests.fakes.clock import ManualClock
from tests.faults.children import make_writer
from tests.house import CAMERA, SITE, House

pytestmark = pytest.mark.both_databases

HOUR = 3600.0


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.close()


def locked(*facts):
    raise DeviceError("the database is locked")


def refuse(*facts):
    raise OSError(30, "Read-only file system")


class TestOrders:
    def test_without_two_reviewers_nothing_is_ordered_and_it_is_told_once(self, house):
        house.enrol(1)
        for _ in range(3):
            assert house.order() is None
        assert house.cell.orders == []
        assert house.records.orders.problem == "reviewers"
        assert len(house.events(Event.RECORDING_REFUSED)) == 1

    def test_an_order_names_who_can_open_it_and_is_logged(self, house):
        house.enrol()
        number = house.order("manual", "leitstelle-1", reason="Lärm", for_s=60.0)
        (order,) = house.cell.orders
        assert (order.number, [r.id for r in order.sealing.reviewers], order.for_s) == (number, ["kvd-1", "kvd-2"], 60.0)
        (entry,) = house.events(Event.RECORDING_ORDERED)
        assert (entry.by, entry.facts["reason"], entry.facts["mode"]) == ("leitstelle-1", "Lärm", "sealed")

    def test_who_left_is_not_in_the_next_order(self, house):
        house.enrol(3)
        house.records.archive.keys.remove("kvd-2")
        house.records.office.log.write(Event.REVIEWER_LEFT, "terminal", "kvd-2")
        house.records.archive.enrolment.revoke("kvd-2", "left", "terminal")
        house.order()
        assert [r.id for r in house.cell.orders[0].sealing.reviewers] == ["kvd-1", "kvd-3"]

    def test_who_is_blocked_or_no_longer_trained_does_not_count_as_somebody_who_opens(self, house):
        house.enrol(2)
        assert house.records.office.access.people.block("technik", "kvd-2") is None
        house.work()
        assert house.order() is None
        assert house.records.orders.problem == "reviewers"
        house.enrol(3)
        house.order()
        assert [r.id for r in house.cell.orders[0].sealing.reviewers] == ["kvd-1", "kvd-3"]
        house.clock.sleep(2000 * 24 * HOUR)
        assert house.order() is None

    def test_a_camera_that_is_stopped_records_nothing(self, house):
        house.enrol()
        house.cell.stopped = True
        assert house.order("manual", "x") is None
        assert house.records.orders.problem == "camera"

    def test_an_order_waits_for_a_cell_that_is_being_started(self, house):
        house.enrol()
        house.cell.reachable = False
        number = house.order()
        assert number is not None
        assert house.cell.orders == []
        house.cell.reachable = True
        house.records.intake.ready(CAMERA)
        house.work()
        assert [order.number for order in house.cell.orders] == [number]

    def test_an_order_that_no_cell_takes_becomes_an_alert(self, house):
        house.enrol()
        house.cell.reachable = False
        house.order(situation=house.situation(), run="run")
        house.clock.sleep(121)
        house.records.orders.overdue()
        assert [alert.kind for alert in house.desk.open_alerts()] == [Kind.PERSON_DOWN]
        assert len(house.events(Event.RECORDING_FAILED)) == 1
        house.records.orders.overdue()
        assert len(house.desk.open_alerts()) == 1

    def test_orders_survive_a_crash_of_the_control_room(self, house):
        house.enrol()
        house.order(situation=house.situation(), run="run")
        house.again()
        house.records.intake.ready(CAMERA)
        house.work()
        assert [order.number for order in house.cell.orders] == [1, 1]
        assert house.records.orders.store.get(1).tries == 2

    def test_what_goes_on_when_its_cell_dies_is_recorded_on(self, house):
        house.enrol()
        number = house.order(situation=house.situation(), run="run")
        cut = house.clip(close=False, orders=(number,))
        house.records.intake.lost(CAMERA)
        house.records.intake.ready(CAMERA)
        house.work()
        assert house.records.office.cases.store.get(cut.id).close_reason == "cut"
        assert [order.number for order in house.cell.orders] == [number, number + 1]
        assert house.cell.orders[1].for_s is not None

    def test_what_was_over_when_its_cell_died_is_not_recorded_again(self, house):
        house.enrol()
        number = house.order(situation=house.situation(), run="run")
        house.clip(close=False, orders=(number,))
        house.records.orders.end_order(CAMERA, number)
        house.records.intake.lost(CAMERA)
        house.records.intake.ready(CAMERA)
        house.work()
        assert [order.number for order in house.cell.orders] == [number]

    def test_a_locked_database_does_not_keep_a_cell_from_recording(self, house, monkeypatch):
        house.enrol()
        add = house.records.orders.store.add

        with monkeypatch.context() as busy:
            busy.setattr(house.records.orders.store, "add", locked)
            number = house.order()
        assert [order.number for order in house.cell.orders] == [number]
        assert add == house.records.orders.store.add
        opened = ClipNews(event=ClipEvent.OPENED, clip="a" * 32, mode=ClipMode.SEALED, cause="manual", orders=(number,), opened=1.0)
        for note in (lambda: house.records.intake.take(CAMERA, opened), lambda: house.records.orders.belongs_to(number, 7)):
            with pytest.raises(StoreBusyError):
                note()
        house.work()
        assert house.records.orders.store.get(number).state == "given"
        house.records.intake.take(CAMERA, opened)
        assert house.records.orders.store.get(number).state == "recording", "what becomes of it is not lost while its row follows"

    def test_an_order_whose_row_is_owed_outlives_a_crash(self, house, monkeypatch):
        house.enrol()
        with monkeypatch.context() as busy:
            busy.setattr(house.records.orders.store, "add", locked)
            number = house.order(reason="Lärm")
        assert house.records.orders.store.get(number) is None
        house.again()
        assert house.order() == number + 1, "no number is given twice"
        house.work()
        order = house.records.orders.store.get(number)
        assert (order.state, order.reason, order.tries) == ("given", "Lärm", 1)
        assert not (house.folder / "orders-owed.json").exists()
        assert [entry.facts["order"] for entry in house.events(Event.RECORDING_ORDERED)] == [number, number + 1]

    def test_what_can_be_kept_nowhere_is_no_order(self, house, monkeypatch):
        house.enrol()
        monkeypatch.setattr(house.records.orders.store, "add", locked)
        monkeypatch.setattr("blickschutz.control.io.owed.write_private", refuse)
        with pytest.raises(DeviceError):
            house.order()
        assert house.cell.orders == []

    @pytest.mark.parametrize("damage", [b"[{", b"[" * 100_000])
    def test_a_damaged_file_of_owed_orders_stops_no_start(self, house, damage):
        house.enrol()
        path = house.folder / "orders-owed.json"
        path.write_bytes(damage)
        house.again()
        assert house.order() == 1
        assert path.with_name("orders-owed.json.damaged").read_bytes() == damage

    def test_an_order_whose_row_is_late_reaches_a_cell_that_came_back_before_it(self, house, monkeypatch):
        house.enrol()
        house.cell.reachable = False
        with monkeypatch.context() as busy:
            busy.setattr(house.records.orders.store, "add", locked)
            number = house.order()
        house.cell.reachable = True
        house.records.orders.again(CAMERA)
        assert house.cell.orders == []
        house.work()
        assert [order.number for order in house.cell.orders] == [number]

    def test_a_refusal_that_the_log_did_not_take_is_told_the_next_time(self, house, monkeypatch):
        with monkeypatch.context() as busy:
            busy.setattr(house.records.office.log, "write", locked)
            with pytest.raises(DeviceError):
                house.order()
        assert house.order() is None
        assert len(house.events(Event.RECORDING_REFUSED)) == 1

    def test_a_full_disk_is_told_and_the_clip_stays(self, house):
        house.enrol()
        house.clip()
        news = {"mode": ClipMode.SEALED, "cause": "manual", "orders": (), "opened": 1.0, "clip": "a" * 32}
        house.hear(ClipNews(event=ClipEvent.CLOSED, reason="disk: 5 MB are free", closing=CloseReason.DISK, closed=2.0, **news))
        house.hear(ClipNews(event=ClipEvent.REFUSED, reason="5 MB are free; 10 MB must stay free", refusal=Refused.DISK, **news))
        house.work()
        assert house.records.orders.problem == "disk"
        assert len(house.events(Event.DISK_FULL)) == 1
        assert house.records.archive.shelf.path("a" * 32).exists()


class TestRouting:
    @pytest.fixture
    def night(self, house):
        self.set(house, RegimeName.NIGHT)
        return house

    def set(self, house, name):
        house.regime.set_override(name, house.regime.now() + timedelta(hours=1), "test", "test")

    def see(self, house, ended=None):
        house.routing.seen(SituationSeen(CAMERA, "run", house.situation(ended)))
        house.work()

    def test_by_night_a_situation_is_recorded_and_nobody_is_told(self, night):
        night.enrol()
        self.see(night)
        self.see(night)
        self.see(night, 9.0)
        assert [order.cause for order in night.cell.orders] == ["person_down"]
        assert night.cell.ended == [night.cell.orders[0].number]
        assert night.desk.open_alerts() == []

    def test_an_order_ends_with_its_situation_whatever_the_regime_says_by_then(self, night):
        night.enrol()
        self.see(night)
        self.set(night, RegimeName.DAY)
        self.see(night, 9.0)
        assert night.cell.ended == [night.cell.orders[0].number]

    def test_a_damaged_key_file_records_nothing_and_stops_nobody(self, night):
        night.enrol()
        (night.folder / "keys/reviewers/kvd-1.json").write_text("{}")
        self.see(night)
        assert night.cell.orders == []
        assert night.records.orders.problem == "register"
        assert "damaged" in night.records.archive.enrolment.faults[0]
        assert len(night.desk.open_alerts()) == 1

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("kvd-1 (Kopie).json", "{}"),
            ("lost+found.json", ""),
            ("kvd-2.json", '{"id":'),
            ("kvd-2.json", None),
            ("kvd-4.json", "a copy of another's"),
        ],
    )
    def test_a_file_that_is_nobodys_is_left_alone_and_one_that_bears_a_name_stops_sealing(self, night, name, content):
        night.enrol(3)
        folder = night.folder / "keys/reviewers"
        if content is None:
            (folder / name).unlink()
            (folder / name).mkdir()
        elif content.startswith("a copy"):
            (folder / name).write_bytes((folder / "kvd-3.json").read_bytes())
        else:
            (folder / name).write_text(content)
        self.see(night)
        if name.removesuffix(".json") in {"kvd-2", "kvd-4"}:
            assert (night.cell.orders, night.records.orders.problem) == ([], "register")
            assert night.events(Event.REGISTER_BROKEN)
        else:
            assert [reviewer.id for reviewer in night.cell.orders[0].sealing.reviewers] == ["kvd-1", "kvd-2", "kvd-3"]
        found = next(one for one in check_site(SITE, night.records.inspected) if one.id == "keys")
        assert (found.result, name.removesuffix(".json") in found.mend) == ("broken", True)

    def test_what_cannot_be_recorded_becomes_an_alert(self, night):
        self.see(night)
        assert [alert.kind for alert in night.desk.open_alerts()] == [Kind.PERSON_DOWN]

    @pytest.mark.parametrize("event", [ClipEvent.REFUSED, ClipEvent.CLOSED])
    def test_what_a_disk_did_not_take_becomes_an_alert(self, night, event):
        night.enrol()
        self.see(night)
        order = night.cell.orders[0].number
        night.clip(close=False)
        news = {"clip": "a" * 32, "mode": ClipMode.SEALED, "cause": "person_down", "opened": 1.0}
        why = {"closing": CloseReason.DISK} if event is ClipEvent.CLOSED else {"refusal": Refused.DISK}
        night.hear(ClipNews(event=event, reason="5 MB are free", orders=(order,), **why, **news))
        night.work()
        assert [alert.kind for alert in night.desk.open_alerts()] == [Kind.PERSON_DOWN]

    def test_an_order_by_hand_names_who_and_why(self, night):
        assert night.routing.by_hand(CAMERA, "leitstelle-1", "Lärm") == "reviewers"
        night.enrol()
        assert night.routing.by_hand(CAMERA, "leitstelle-1", "Lärm", alert=5) == ""
        (entry,) = night.events(Event.RECORDING_ORDERED)
        assert (entry.by, entry.facts["cause"], night.cell.orders[0].for_s) == ("leitstelle-1", "manual", SITE.recording.manual_s)

    def test_an_override_holds_over_a_restart(self, night):
        night.again()
        assert night.regime.current().name is RegimeName.NIGHT
        night.regime.end_override("test")
        night.again()
        assert night.regime.override is None


class TestStopControl:
    def test_a_camera_that_was_stopped_stays_stopped_over_a_restart(self, house):
        house.records.stops.stop(CAMERA, "leitstelle-1", "Versammlung")
        assert house.cell.stopped
        house.cell.stopped = False
        house.again()
        assert house.cell.stopped
        house.records.stops.resume(CAMERA, "leitstelle-1", "vorbei")
        house.cell.stopped = False
        house.again()
        assert not house.cell.stopped

    def test_a_stop_is_not_held_up_by_the_database_and_its_entry_follows(self, house, monkeypatch):
        with monkeypatch.context() as busy:
            busy.setattr(house.records.office.log, "write", locked)
            house.records.stops.stop(CAMERA, "leitstelle-1", "Versammlung")
            assert house.cell.stopped
            with pytest.raises(DeviceError):
                house.records.stops.resume(CAMERA, "leitstelle-1", "vorbei")
            assert house.cell.stopped
        house.work()
        (entry,) = house.events(Event.CAMERA_STOPPED)
        assert (entry.by, entry.subject, entry.facts["reason"]) == ("leitstelle-1", CAMERA, "Versammlung")
        house.work()
        house.again()
        assert len(house.events(Event.CAMERA_STOPPED)) == 1

    def test_each_press_has_its_entry_also_when_the_log_took_none_for_a_while(self, house, monkeypatch):
        with monkeypatch.context() as busy:
            busy.setattr(house.records.office.log, "write", locked)
            house.records.stops.stop(CAMERA, "leitstelle-1", "Versammlung")
            house.records.stops.stop(CAMERA, "technik", "Reinigung")
            house.records.stops.stop("all", "leitstelle-1", "alle")
        house.work()
        entries = {(entry.subject, entry.facts["reason"]) for entry in house.events(Event.CAMERA_STOPPED)}
        assert entries == {(CAMERA, "Versammlung"), (CAMERA, "Reinigung"), ("all", "alle")}
        house.again()
        assert len(house.events(Event.CAMERA_STOPPED)) == 3

    def test_what_an_earlier_release_kept_is_read(self, house):
        kept = {"camera": CAMERA, "stopped": True, "by": "technik", "reason": "Versammlung", "at": 1.0, "logged": False}
        (house.folder / "stops.json").write_text(json.dumps([kept]))
        house.again()
        assert house.cell.stopped
        assert [entry.by for entry in house.events(Event.CAMERA_STOPPED)] == ["technik"]

    def test_nothing_is_filmed_again_before_the_log_says_who_wanted_it(self, house, monkeypatch):
        house.records.stops.stop(CAMERA, "leitstelle-1", "Versammlung")
        assert len(house.events(Event.CAMERA_STOPPED)) == 1

        def locked(*facts):
            assert house.cell.stopped
            raise DeviceError("the database is locked")

        with monkeypatch.context() as busy:
            busy.setattr(house.records.office.log, "write", locked)
            with pytest.raises(DeviceError):
                house.records.stops.resume(CAMERA, "leitstelle-1", "vorbei")
        assert house.cell.stopped
        house.cell.stopped = False
        house.again()
        assert house.cell.stopped

    def test_a_crash_before_the_entry_writes_it_at_the_next_start(self, house, monkeypatch):
        def crash(*facts):
            raise KeyboardInterrupt

        with monkeypatch.context() as broken:
            broken.setattr(house.records.office.log, "write", crash)
            with pytest.raises(KeyboardInterrupt):
                house.records.stops.stop(CAMERA, "leitstelle-1", "Versammlung")
        assert house.events(Event.CAMERA_STOPPED) == []
        house.again()
        assert len(house.events(Event.CAMERA_STOPPED)) == 1

    def test_where_the_file_is_damaged_the_log_says_what_was_stopped(self, house):
        house.records.stops.stop("all", "leitstelle-1", "Versammlung")
        (house.folder / "stops.json").write_bytes(b"[{")
        house.cell.stopped = False
        house.again()
        assert house.cell.stopped
        assert "damaged" in house.records.stops.problem


class TestCases:
    def test_a_clip_becomes_a_case_with_its_hash(self, house):
        import hashlib

        case = house.clip()
        path = house.records.archive.shelf.path(case.clip)
        assert (case.state, case.seconds, case.size) == (CaseState.WAITING, 9.0, path.stat().st_size)
        assert case.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()

    def test_two_who_find_nothing_destroy_it_with_all_that_was_made_of_it(self, house):
        house.enrol()
        alert = house.desk.take(CAMERA, house.situation(), notify=True).id
        house.records.alerts.put_clip(alert, b"seconds")
        case = house.clip(orders=(house.order(alert=alert),))
        assert case.alerts == (alert,)
        house.records.archive.exports.mkdir()
        (house.records.archive.exports / f"{case.clip}-1.tar.age").write_bytes(b"x")
        assert house.records.office.cases.verdict(case.id, "kvd-1", Verdict.NO_INCIDENT, "") is CaseState.SECOND
        assert house.records.office.cases.verdict(case.id, "kvd-1", Verdict.NO_INCIDENT, "") is Refusal.SAME_PERSON
        assert house.records.office.cases.verdict(case.id, "kvd-2", Verdict.FALSE_ALARM, "") is CaseState.DESTROYING
        house.work()
        assert house.records.office.cases.store.get(case.id).state is CaseState.DESTROYED
        assert list(house.folder.rglob(f"*{case.clip}*")) == []
        assert house.records.alerts.clip(alert) is None
        (entry,) = house.events(Event.SHREDDED)
        receipt = Receipt(**entry.facts)
        assert (receipt.reason, receipt.people, receipt.sha256, receipt.derived) == ("harmless", ["kvd-1", "kvd-2"], case.sha256, 1)
        assert is_signed(receipt_text(receipt), bytes.fromhex(receipt.signature), house.records.archive.key.public)

    def test_what_cannot_be_destroyed_is_tried_again(self, house, monkeypatch):
        case = house.clip()
        for person in ("kvd-1", "kvd-2"):
            house.records.office.cases.verdict(case.id, person, Verdict.NO_INCIDENT, "")

        def fail(path, start=0, length=None):
            raise OSError(30, "Read-only file system")

        with monkeypatch.context() as broken:
            broken.setattr("blickschutz.retention.io.shelf.overwrite", fail)
            house.work()
        assert house.records.office.cases.store.get(case.id).state is CaseState.DESTROYING
        assert "Read-only" in house.records.shredder.stuck()[0].problem
        house.clock.sleep(5)
        house.records.shredder.work()
        assert house.records.shredder.stuck() == ()
        assert house.records.office.cases.store.get(case.id).state is CaseState.DESTROYED


class TestDeadlines:
    def test_what_nobody_reviewed_is_warned_of_and_then_destroyed(self, house):
        case = house.clip()
        house.clock.sleep(61 * HOUR)
        house.records.archive.time.now()
        house.records.shredder.expire()
        assert len(house.events(Event.DEADLINE_NEAR)) == 1
        house.records.shredder.expire()
        assert len(house.events(Event.DEADLINE_NEAR)) == 1
        house.clock.sleep(12 * HOUR)
        assert house.records.shredder.expire() == 1
        house.records.shredder.work()
        found = house.records.office.cases.store.get(case.id)
        assert (found.state, found.shred_reason) == (CaseState.DESTROYED, "unreviewed")

    def test_a_hold_keeps_it_until_it_expires(self, house):
        case = house.clip()
        for person in ("kvd-1", "kvd-2"):
            house.records.office.cases.verdict(case.id, person, Verdict.INCIDENT, "", Ground.CRIMINAL_OFFENCE, "KL-1")
        house.clock.sleep(59 * 24 * HOUR)
        assert house.records.shredder.expire() == 0
        house.clock.sleep(2 * 24 * HOUR)
        assert house.records.shredder.expire() == 1
        assert house.events(Event.HOLD_RELEASED)[0].facts["reason"] == "hold-expired"


class Skewed(ManualClock):
    """A wall clock that is wrong by `offset`; `boot` starts the machine anew."""

    offset = 0.0

    def now(self):
        return super().now() + self.offset


class TestClock:
    """What a wrong clock does to clips that are there, on real rows and files."""

    @pytest.fixture
    def house(self, tmp_path):
        house = House(tmp_path, Skewed())
        yield house
        house.close()

    def boot(self, house, offset, off=60.0):
        """The machine was off for `off` seconds; its clock now is wrong by `offset`."""
        house.clock.sleep(off)
        house.clock.offset = offset
        house.close()
        house.boots, house.booted = house.boots + 1, house.clock.monotonic()
        house.start()
        house.records.keeping.recover()
        self.round(house)

    def round(self, house, seconds=5.0):
        house.clock.sleep(seconds)
        house.housekeep()
        house.work()

    def state(self, house, case):
        return house.records.office.cases.store.get(case.id).state

    @pytest.mark.parametrize("offset", [-1.7e9, -4 * 24 * HOUR, 5 * 24 * HOUR, 90 * 24 * HOUR, 365 * 24 * HOUR])
    def test_a_wrong_clock_at_a_boot_ends_nothing_and_tells_staff(self, house, offset):
        held, fresh = house.clip("a" * 32), house.clip("b" * 32)
        for person in ("kvd-1", "kvd-2"):
            house.records.office.cases.verdict(held.id, person, Verdict.INCIDENT, "", Ground.CRIMINAL_OFFENCE, "KL-1")
        self.round(house)
        self.boot(house, offset)
        assert house.records.clock.suspended
        new = house.clip("c" * 32)
        self.round(house)
        assert [self.state(house, one) for one in (held, fresh, new)] == [CaseState.HELD, CaseState.WAITING, CaseState.WAITING]
        assert len(house.events(Event.CLOCK_SUSPENDED)) == 1
        # The clock is set right: deadlines go on, and what is due by its true age ends.
        house.clock.offset = 0.0
        self.round(house)
        assert [self.state(house, one) for one in (fresh, new)] == [CaseState.WAITING] * 2
        self.round(house, 73 * HOUR)
        self.round(house)
        assert [self.state(house, one) for one in (fresh, new)] == [CaseState.DESTROYED] * 2
        assert self.state(house, held) is CaseState.HELD

    @pytest.mark.parametrize("offset", [-4 * 24 * HOUR, 365 * 24 * HOUR])
    def test_a_clock_that_is_set_while_it_runs_ends_nothing(self, house, offset):
        case = house.clip()
        self.round(house)
        house.clock.offset = offset
        self.round(house)
        self.round(house, 80 * HOUR)
        assert self.state(house, case) is CaseState.WAITING
        house.clock.offset = 0.0
        self.round(house)
        self.round(house)
        assert self.state(house, case) is CaseState.DESTROYED

    def test_two_people_who_see_what_would_end_decide(self, house):
        case = house.clip()
        self.round(house)
        self.boot(house, 5 * 24 * HOUR)
        desk = house.records.clock
        (end,) = [choice for choice in desk.view().choices if choice.due]
        assert end.due == (case.clip,)
        proposal = desk.propose("aufsicht", end.basis)
        assert desk.confirm("aufsicht", proposal.number) is Void.SAME_PERSON
        self.round(house)
        assert self.state(house, case) is CaseState.WAITING
        assert not isinstance(desk.confirm("kvd-1", proposal.number), Void)
        self.round(house)
        self.round(house)
        assert self.state(house, case) is CaseState.DESTROYED
        (entry,) = house.events(Event.CLOCK_CONFIRMED)
        assert (entry.facts["people"], entry.facts["clips"]) == (["aufsicht", "kvd-1"], [case.clip])

    def test_who_was_blocked_since_they_proposed_is_not_one_of_two(self, house):
        case = house.clip()
        self.round(house)
        self.boot(house, 5 * 24 * HOUR)
        desk = house.records.clock
        (end,) = [choice for choice in desk.view().choices if choice.due]
        proposal = desk.propose("kvd-1", end.basis)
        assert house.records.office.access.people.block("technik", "kvd-1") is None
        assert desk.confirm("aufsicht", proposal.number) is Void.LEFT
        self.round(house)
        assert self.state(house, case) is CaseState.WAITING

    @pytest.mark.parametrize("text", ["", "nan", "inf", "1e30", "x", None])
    def test_a_damaged_file_suspends_and_is_no_zero(self, house, text):
        case = house.clip()
        self.round(house)
        path = house.folder / "retention.clock"
        path.unlink() if text is None else path.write_text(text)
        self.boot(house, 0.0)
        assert house.records.clock.suspended
        self.round(house, 200 * HOUR)
        assert self.state(house, case) is CaseState.WAITING


class TestRecovery:
    def test_a_clip_that_was_being_written_becomes_a_case_that_waits(self, house):
        case = house.clip(close=False)
        assert case.state is CaseState.RECORDING
        house.again()
        found = house.records.office.cases.store.get(case.id)
        assert (found.state, found.close_reason) == (CaseState.WAITING, "cut")

    def test_files_that_are_not_ours_are_told_of_and_left_alone(self, house):
        house.records.archive.shelf.folder.mkdir(parents=True)
        (house.records.archive.shelf.folder / "rubbish.clip").write_bytes(b"RIFF")
        make_writer(house.records.archive.shelf.folder, "another", "b" * 32, new_key()).abandon()
        house.again()
        assert {entry.subject for entry in house.events(Event.MISSING_ROW)} == {"rubbish", "b" * 32}
        assert house.records.office.cases.store.find(states=list(CaseState)) == []
        assert len(house.records.archive.shelf.clips()) == 2

    def test_a_clip_that_was_just_begun_when_the_end_came_is_removed(self, house):
        house.clip("c" * 32, row=False, close=False)
        path = house.records.archive.shelf.path("c" * 32)
        path.write_bytes(path.read_bytes()[:60])
        house.again()
        assert not path.exists()
        assert house.events(Event.MISSING_ROW)[0].facts["removed"] is True

    def test_check_names_missing_files_and_missing_rows_and_what_to_do(self, house):
        house.clip("a" * 32)
        house.clip("b" * 32, row=False, close=False)
        house.records.archive.shelf.path("a" * 32).unlink()
        found = {one.id: one for one in check_site(SITE, house.records.inspected)}
        assert "a" * 32 in found["missing-file"].mend
        assert "b" * 32 in found["missing-row"].mend
        assert "the keys of 0 people count" in found["reviewers"].mend
        assert "kvd-1" in found["passwords"].mend
        assert found["log"].result == "holds"

    def test_a_destruction_that_was_interrupted_is_finished(self, house):
        case = house.clip()
        house.records.office.cases.store.doom(case, "unreviewed", ())
        path = house.records.archive.shelf.path(case.clip)
        path.write_bytes(path.read_bytes()[:100])
        house.again()
        assert house.records.office.cases.store.get(case.id).state is CaseState.DESTROYED

    def test_other_settings_are_told_at_the_start(self, house):
        house.records.keeping.log_start()
        house.records.keeping.site = SITE.model_copy(update={"recording": SITE.recording.model_copy(update={"before_s": 3})})
        house.records.keeping.log_start()
        house.records.keeping.log_start()
        assert len(house.events(Event.SETTINGS_CHANGED)) == 1

    def test_the_start_names_the_walls_that_the_machine_lacks(self, house):
        house.records.keeping.walls_missing = (Wall.FILES, Wall.NO_SWAP)
        house.records.keeping.log_start()
        assert house.events(Event.SYSTEM_STARTED)[0].facts["walls_missing"] == "files, no-swap"

    def test_the_end_is_an_entry_of_the_log_and_signed(self, house):
        # The databases stay open, so that it can be read.
        house.records.keeping.close = lambda: None
        house.records.keeping.end()
        assert len(house.events(Event.SYSTEM_ENDED)) == 1
        number, hashed, point = house.records.office.log.state()
        assert point is not None
        assert (point.number, point.hash) == (number, hashed)

    def test_a_fault_in_one_clip_does_not_end_the_keeping(self, house):
        def fail():
            raise ZeroDivisionError

        done, worker = [], house.records.worker
        worker.start(Guard(SystemClock()))
        worker.do(fail)
        worker.do(lambda: done.append(True))
        house.records.keeping.end()
        assert "ZeroDivisionError" in worker.problem
        assert done == [True]


class TestPeople:
    def member(self, *roles, trained=date(2027, 1, 1)):
        return Member("x", "X", frozenset(roles), trained)

    def test_who_may_not_review(self):
        today = date(2026, 11, 24)
        assert unfit(self.member(Role.REVIEW), today) is None
        assert unfit(self.member(Role.SUPERVISION), today) is None
        assert unfit(self.member(Role.CONTROL_ROOM), today) is Unfit.ROLE
        assert unfit(self.member(Role.REVIEW, Role.ADMINISTRATION), today) is Unfit.ADMINISTRATOR
        assert unfit(self.member(Role.REVIEW, trained=None), today) is Unfit.UNTRAINED
        assert unfit(self.member(Role.REVIEW, trained=date(2026, 11, 23)), today) is Unfit.TRAINING_OVER
        assert unfit(self.member(Role.REVIEW, trained=today), today) is None


class TestCommands:
    @pytest.fixture
    def site(self, tmp_path, monkeypatch):
        monkeypatch.setenv("BLICKSCHUTZ_DATA", str(tmp_path / "data"))
        return ROOT / "examples/rathaus-kaiserslautern.toml"

    def run(self, *words, text=None):
        return CliRunner().invoke(cli, [str(word) for word in words], input=text)

    def test_people_get_passwords_and_keys_at_the_terminal(self, site):
        assert self.run("users", "password", "--site", site, "kvd-1", "--stdin", text="ein langes Kennwort\n").exit_code == 0
        assert self.run("users", "enrol", "--site", site, "kvd-1", "--stdin", text="eine lange Losung\n").exit_code == 0
        assert "has a key already" in self.run("users", "enrol", "--site", site, "kvd-1", "--stdin", text="eine lange Losung\n").output
        rows = json.loads(self.run("users", "list", "--site", site, "--json").output.splitlines()[-1])["users"]
        assert next((row["password"], row["key"]) for row in rows if row["id"] == "kvd-1") == (True, True)
        assert next(row["key"] for row in rows if row["id"] == "kvd-2") is False
        left = self.run("users", "leave", "--site", site, "kvd-1", text="y\n")
        assert "Nothing is recorded until the keys of two people count" in left.output
        assert "has no key" in self.run("users", "leave", "--site", site, "kvd-1", "--yes").output
        assert "has no account" in self.run("users", "password", "--site", site, "niemand", "--stdin", text="x\n").output

    def test_a_code_from_the_terminal_opens_an_account_once(self, site):
        output = self.run("users", "invite", "--site", site, "technik").output
        code = output.splitlines()[0].rpartition(": ")[2]
        records = open_records(site)
        assert records.office.access.people.redeem("technik", code.lower())
        assert records.office.access.own.begin("technik", "vier Wörter ganz ohne Sinn") is None
        assert not records.office.access.people.redeem("technik", code)
        records.keeping.close()

    @pytest.mark.files_alone
    def test_check_ends_with_one_where_something_is_broken(self, site):
        self.run("users", "password", "--site", site, "kvd-1", "--stdin", text="ein langes Kennwort\n")
        result = self.run("check", "--site", site, "--json")
        rules = {rule["id"]: rule["result"] for rule in json.loads(result.stdout.splitlines()[-1])["rules"]}
        assert result.exit_code == 1
        assert (rules["reviewers"], rules["log"], rules["missing-file"]) == ("broken", "holds", "holds")

    @pytest.mark.files_alone
    def test_what_is_lost_is_shown_and_accepted_at_the_terminal(self, site, tmp_path):
        assert "no data folder yet" in self.run("accept-loss", "--site", site, "--yes").output
        assert self.run("users", "list", "--site", site).exit_code == 0
        (folder,) = (path.parent for path in tmp_path.glob("**/control.db"))
        records = make_records(SITE, folder, SystemClock(), {}, repair=True)
        records.keeping.begin()
        records.keeping.end()
        assert "Nothing is missing" in self.run("accept-loss", "--site", site, "--yes").output
        for name in ("control.db", "control.db-wal", "control.db-shm"):
            (folder / name).unlink(missing_ok=True)
        result = self.run("check", "--site", site)
        assert "nichts wird vernichtet oder aufgezeichnet: control.db" in result.output
        shown = self.run("accept-loss", "--site", site, text="n\n")
        assert "database-older" in shown.output, "the check made an empty one; what the witness knows is more"
        assert "blickschutz restore" in shown.output
        assert shown.exit_code == 1
        assert "Accepted" in self.run("accept-loss", "--site", site, "--yes").output
        assert "Nothing is missing" in self.run("accept-loss", "--site", site).output
