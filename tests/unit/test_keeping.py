"""Orders, cases, recovery, shredding, deadlines: the joined parts on a real database and real files, without cameras."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from blickschutz.access.io import store as passwords
from blickschutz.access.model import Member, Role
from blickschutz.access.rules import Unfit, unfit
from blickschutz.audit.model import Event
from blickschutz.cli.main import cli
from blickschutz.cli.users import open_keeping
from blickschutz.config.loader import load_site
from blickschutz.control.service.checks import check_site
from blickschutz.control.service.duty import Duty
from blickschutz.control.service.keeping import Keeping
from blickschutz.kernel.errors import DeviceError
from blickschutz.kernel.situation import Kind, Situation
from blickschutz.recording.model import ClipEvent, ClipMode, ClipNews
from blickschutz.regime.model import RegimeName
from blickschutz.retention.io.clock import RetentionClock
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.retention.model import Receipt
from blickschutz.retention.rules import receipt_text
from blickschutz.review.model import CaseState, Ground, Refusal, Verdict
from blickschutz.vault import service
from blickschutz.vault.io.files import is_signed
from blickschutz.vault.service import enrol, new_key
from tests.conftest import ROOT
from tests.fakes.clock import ManualClock
from tests.faults.children import group, make_writer

SITE = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
HOUR = 3600.0


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch):
    monkeypatch.setattr(service, "OPERATIONS", 1)
    monkeypatch.setattr(service, "MEMORY", 8192 * 8)
    monkeypatch.setattr(passwords, "OPERATIONS", 1)
    monkeypatch.setattr(passwords, "MEMORY", 8192 * 8)


class Cell:
    """Stands for a cell's keeper: takes orders, sends nothing."""

    def __init__(self):
        self.orders, self.ended, self.reachable = [], [], True

    def record(self, order):
        self.orders.append(order)

    def end_order(self, number):
        self.ended.append(number)


class House:
    def __init__(self, folder):
        self.clock, self.cell, self.dropped = ManualClock(), Cell(), []
        self.folder = folder
        self.start()

    def start(self):
        self.keeping = Keeping(SITE, self.folder, self.clock, {"vorplatz-nord": self.cell}, self.dropped.append)

    def again(self):
        """The system is started anew after a crash."""
        self.keeping.engine.dispose()
        self.start()
        self.keeping.recover()

    def work(self):
        """What the keeping's thread would do."""
        while not self.keeping._work.empty():
            self.keeping._work.get()()

    def enrol(self, count=2):
        for number in range(1, count + 1):
            self.keeping.keys.put(enrol(f"kvd-{number}", "eine lange Losung"))

    def clip(self, name="a" * 32, *, close=True, row=True, orders=()):
        self.keeping.shelf.folder.mkdir(parents=True, exist_ok=True)
        writer = make_writer(self.keeping.shelf.folder, self.keeping.key.installation, name, new_key())
        news = {"clip": name, "mode": ClipMode.SEALED, "cause": "person_down", "orders": orders, "opened": self.clock.now()}
        if row:
            self.keeping.heard("vorplatz-nord", ClipNews(event=ClipEvent.OPENED, **news))
        writer.add(group(1))
        if close:
            writer.close("over", 1.0)
            self.keeping.heard(
                "vorplatz-nord", ClipNews(event=ClipEvent.CLOSED, closed=self.clock.now(), seconds=9.0, reason="over", **news)
            )
        else:
            writer.abandon()
        self.work()
        return self.keeping.store.by_clip(name)

    def events(self, event):
        return [entry for entry, _ in self.keeping.log.find(event=event)]


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.keeping.engine.dispose()


class TestOrders:
    def test_without_two_reviewers_nothing_is_ordered_and_it_is_told_once(self, house):
        house.enrol(1)
        for _ in range(3):
            assert house.keeping.order("vorplatz-nord", ClipMode.SEALED, "person_down", "system") is None
        house.work()
        assert house.cell.orders == []
        assert house.keeping.problem == "reviewers"
        assert len(house.events(Event.RECORDING_REFUSED)) == 1

    def test_an_order_names_who_can_open_it_and_is_logged(self, house):
        house.enrol()
        number = house.keeping.order("vorplatz-nord", ClipMode.SEALED, "manual", "leitstelle-1", "Lärm", 60.0)
        house.work()
        (order,) = house.cell.orders
        assert (order.number, [r.id for r in order.sealing.reviewers], order.for_s) == (number, ["kvd-1", "kvd-2"], 60.0)
        (entry,) = house.events(Event.RECORDING_ORDERED)
        assert (entry.by, entry.facts["reason"], entry.facts["mode"]) == ("leitstelle-1", "Lärm", "sealed")

    def test_who_left_is_not_in_the_next_order(self, house):
        house.enrol(3)
        house.keeping.keys.remove("kvd-2")
        house.keeping.order("vorplatz-nord", ClipMode.SEALED, "manual", "x")
        assert [r.id for r in house.cell.orders[0].sealing.reviewers] == ["kvd-1", "kvd-3"]

    def test_a_camera_that_is_away_records_nothing(self, house):
        house.enrol()
        house.cell.reachable = False
        assert house.keeping.order("vorplatz-nord", ClipMode.SEALED, "manual", "x") is None
        assert house.keeping.problem == "camera"

    def test_a_full_disk_is_told_and_the_clip_stays(self, house):
        house.enrol()
        house.clip()
        news = {"mode": ClipMode.SEALED, "cause": "manual", "orders": (), "opened": 1.0, "clip": "a" * 32}
        house.keeping.heard("vorplatz-nord", ClipNews(event=ClipEvent.CLOSED, reason="disk: 5 MB are free", closed=2.0, **news))
        house.keeping.heard("vorplatz-nord", ClipNews(event=ClipEvent.REFUSED, reason="5 MB are free; 10 MB must stay free", **news))
        house.work()
        assert house.keeping.problem == "disk"
        assert len(house.events(Event.DISK_FULL)) == 1
        assert house.keeping.shelf.path("a" * 32).exists()


class TestDuty:
    @pytest.fixture
    def duty(self, house):
        duty = Duty(SITE, house.folder, house.folder, house.clock, {"vorplatz-nord": house.cell}, house.keeping)
        duty.regime.set_override(RegimeName.NIGHT, duty.regime.now() + timedelta(hours=1), "test", "test")
        yield duty
        duty._store.close()

    def work(self, duty, house):
        house.work()
        while not duty._work.empty():
            duty._work.get()()

    def situation(self, house, ended=None):
        return Situation(3, Kind.PERSON_DOWN, "all", house.clock.monotonic(), house.clock.now(), 0.9, {}, None, ended)

    def test_by_night_a_situation_is_recorded_and_nobody_is_told(self, house, duty):
        house.enrol()
        duty.take("vorplatz-nord", "run", self.situation(house))
        duty.take("vorplatz-nord", "run", self.situation(house))
        duty.take("vorplatz-nord", "run", self.situation(house, 9.0))
        self.work(duty, house)
        assert [order.cause for order in house.cell.orders] == ["person_down"]
        assert house.cell.ended == [house.cell.orders[0].number]
        assert duty.desk.open_alerts() == []

    def test_an_order_ends_with_its_situation_whatever_the_regime_says_by_then(self, house, duty):
        house.enrol()
        duty.take("vorplatz-nord", "run", self.situation(house))
        duty.regime.set_override(RegimeName.DAY, duty.regime.now() + timedelta(hours=1), "test", "test")
        duty.take("vorplatz-nord", "run", self.situation(house, 9.0))
        assert house.cell.ended == [house.cell.orders[0].number]

    def test_a_damaged_key_file_records_nothing_and_stops_nobody(self, house, duty):
        house.enrol()
        (house.folder / "keys/reviewers/kvd-1.json").write_text("{}")
        duty.take("vorplatz-nord", "run", self.situation(house))
        self.work(duty, house)
        assert house.cell.orders == []
        assert "damaged" in house.keeping.problem
        assert len(duty.desk.open_alerts()) == 1

    def test_what_cannot_be_recorded_becomes_an_alert(self, house, duty):
        duty.take("vorplatz-nord", "run", self.situation(house))
        self.work(duty, house)
        assert [alert.kind for alert in duty.desk.open_alerts()] == [Kind.PERSON_DOWN]

    @pytest.mark.parametrize("event", [ClipEvent.REFUSED, ClipEvent.CLOSED])
    def test_what_a_disk_did_not_take_becomes_an_alert(self, house, duty, event):
        house.enrol()
        duty.take("vorplatz-nord", "run", self.situation(house))
        order = house.cell.orders[0].number
        house.clip(close=False)
        news = {"clip": "a" * 32, "mode": ClipMode.SEALED, "cause": "person_down", "opened": 1.0}
        house.keeping.heard("vorplatz-nord", ClipNews(event=event, reason="disk: 5 MB are free", orders=(order,), **news))
        self.work(duty, house)
        self.work(duty, house)
        assert [alert.kind for alert in duty.desk.open_alerts()] == [Kind.PERSON_DOWN]

    def test_an_order_by_hand_names_who_and_why(self, house, duty):
        assert duty.record_by_hand("vorplatz-nord", "leitstelle-1", "Lärm") == "reviewers"
        house.enrol()
        assert duty.record_by_hand("vorplatz-nord", "leitstelle-1", "Lärm", alert=5) == ""
        house.work()
        (entry,) = house.events(Event.RECORDING_ORDERED)
        assert (entry.by, entry.facts["cause"], house.cell.orders[0].for_s) == ("leitstelle-1", "manual", SITE.recording.manual_s)


class TestCases:
    def test_a_clip_becomes_a_case_with_its_hash(self, house):
        import hashlib

        case = house.clip()
        path = house.keeping.shelf.path(case.clip)
        assert (case.state, case.seconds, case.size) == (CaseState.WAITING, 9.0, path.stat().st_size)
        assert case.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()

    def test_two_who_find_nothing_destroy_it_with_all_that_was_made_of_it(self, house):
        house.keeping.belongs_to(4, 17)
        case = house.clip(orders=(4,))
        assert case.alerts == (17,)
        house.keeping.exports.mkdir()
        (house.keeping.exports / f"{case.clip}-1.tar.age").write_bytes(b"x")
        assert house.keeping.desk.verdict(case.id, "kvd-1", Verdict.NO_INCIDENT, "") is CaseState.SECOND
        assert house.keeping.desk.verdict(case.id, "kvd-1", Verdict.NO_INCIDENT, "") is Refusal.SAME_PERSON
        assert house.keeping.desk.verdict(case.id, "kvd-2", Verdict.FALSE_ALARM, "") is CaseState.DESTROYING
        house.work()
        assert house.keeping.store.get(case.id).state is CaseState.DESTROYED
        assert list(house.folder.rglob(f"*{case.clip}*")) == []
        assert house.dropped == [17]
        (entry,) = house.events(Event.SHREDDED)
        receipt = Receipt(**entry.facts)
        assert (receipt.reason, receipt.people, receipt.sha256, receipt.derived) == ("harmless", ["kvd-1", "kvd-2"], case.sha256, 1)
        assert is_signed(receipt_text(receipt), bytes.fromhex(receipt.signature), house.keeping.key.public)

    def test_what_cannot_be_destroyed_is_tried_again(self, house, monkeypatch):
        case = house.clip()
        for person in ("kvd-1", "kvd-2"):
            house.keeping.desk.verdict(case.id, person, Verdict.NO_INCIDENT, "")

        def fail(path, start=0, length=None):
            raise OSError(30, "Read-only file system")

        with monkeypatch.context() as broken:
            broken.setattr("blickschutz.retention.io.shelf.overwrite", fail)
            with pytest.raises(DeviceError, match="Read-only"):
                house.work()
        assert house.keeping.store.get(case.id).state is CaseState.DESTROYING
        house.keeping.shredder.work()
        assert house.keeping.store.get(case.id).state is CaseState.DESTROYED


class TestDeadlines:
    def test_what_nobody_reviewed_is_warned_of_and_then_destroyed(self, house):
        case = house.clip()
        house.clock.sleep(61 * HOUR)
        house.keeping.time.now()
        house.keeping.shredder.expire()
        assert len(house.events(Event.DEADLINE_NEAR)) == 1
        house.keeping.shredder.expire()
        assert len(house.events(Event.DEADLINE_NEAR)) == 1
        house.clock.sleep(12 * HOUR)
        assert house.keeping.shredder.expire() == 1
        house.keeping.shredder.work()
        found = house.keeping.store.get(case.id)
        assert (found.state, found.shred_reason) == (CaseState.DESTROYED, "unreviewed")

    def test_a_hold_keeps_it_until_it_expires(self, house):
        case = house.clip()
        for person in ("kvd-1", "kvd-2"):
            house.keeping.desk.verdict(case.id, person, Verdict.INCIDENT, "", Ground.CRIMINAL_OFFENCE, "KL-1")
        house.clock.sleep(59 * 24 * HOUR)
        assert house.keeping.shredder.expire() == 0
        house.clock.sleep(2 * 24 * HOUR)
        assert house.keeping.shredder.expire() == 1
        assert house.events(Event.HOLD_RELEASED)[0].facts["reason"] == "hold-expired"

    def test_a_clock_set_back_keeps_nothing_longer_and_one_set_forward_destroys_nothing_early(self, house):
        class Skewed(ManualClock):
            offset = 0.0

            def now(self):
                return super().now() + self.offset

        clock, jumps = Skewed(), []
        time = RetentionClock(house.folder / "clock", clock, jumps.append)
        start = time.now()
        clock.offset = -1e6
        clock.sleep(100)
        assert time.now() == start + 100
        clock.offset = 1e6
        clock.sleep(100)
        assert time.now() == pytest.approx(start + 200)
        assert [round(jump.seconds) for jump in jumps] == [-1_000_000, 2_000_000]
        assert time.offset == pytest.approx(1e6)
        again = RetentionClock(house.folder / "clock", clock, jumps.append)
        clock.offset = -1e6
        assert again.now() >= start
        time.accept()
        clock.offset = 500.0
        assert time.now() == pytest.approx(clock.now())


class TestRecovery:
    def test_a_clip_that_was_being_written_becomes_a_case_that_waits(self, house):
        case = house.clip(close=False)
        assert case.state is CaseState.RECORDING
        house.again()
        found = house.keeping.store.get(case.id)
        assert (found.state, found.close_reason) == (CaseState.WAITING, "cut")

    def test_a_file_without_a_case_gets_one(self, house):
        house.clip(close=False, row=False)
        assert house.keeping.store.by_clip("a" * 32) is None
        house.again()
        assert house.keeping.store.by_clip("a" * 32).state is CaseState.WAITING
        assert len(house.events(Event.MISSING_ROW)) == 1

    def test_files_that_are_not_ours_are_told_of_and_left_alone(self, house):
        house.keeping.shelf.folder.mkdir(parents=True)
        (house.keeping.shelf.folder / "rubbish.clip").write_bytes(b"RIFF")
        make_writer(house.keeping.shelf.folder, "another", "b" * 32, new_key()).abandon()
        house.again()
        assert {entry.subject for entry in house.events(Event.MISSING_ROW)} == {"rubbish", "b" * 32}
        assert house.keeping.store.find(states=list(CaseState)) == []
        assert len(house.keeping.shelf.clips()) == 2

    def test_a_clip_that_was_just_begun_when_the_end_came_is_removed(self, house):
        house.clip("c" * 32, row=False, close=False)
        path = house.keeping.shelf.path("c" * 32)
        path.write_bytes(path.read_bytes()[:60])
        house.again()
        assert not path.exists()
        assert house.events(Event.MISSING_ROW)[0].facts["removed"] is True

    def test_check_names_missing_files_and_missing_rows_and_what_to_do(self, house):
        house.clip("a" * 32)
        house.clip("b" * 32, row=False, close=False)
        house.keeping.shelf.path("a" * 32).unlink()
        found = {one.id: one for one in check_site(SITE, house.keeping)}
        assert "a" * 32 in found["missing-file"].mend
        assert "b" * 32 in found["missing-row"].mend
        assert "0 people have a key" in found["reviewers"].mend
        assert "kvd-1" in found["passwords"].mend
        assert found["log"].result == "holds"

    def test_a_destruction_that_was_interrupted_is_finished(self, house):
        case = house.clip()
        house.keeping.store.doom(case, "unreviewed", ())
        path = house.keeping.shelf.path(case.clip)
        path.write_bytes(path.read_bytes()[:100])
        house.again()
        assert house.keeping.store.get(case.id).state is CaseState.DESTROYED

    def test_other_settings_are_told_at_the_start(self, house):
        house.keeping._log_start()
        house.keeping._site = SITE.model_copy(update={"recording": SITE.recording.model_copy(update={"before_s": 3})})
        house.keeping._log_start()
        house.keeping._log_start()
        assert len(house.events(Event.SETTINGS_CHANGED)) == 1

    def test_a_fault_in_one_clip_does_not_end_the_keeping(self, house):
        def fail():
            raise ZeroDivisionError

        house.keeping._worker.start()
        house.keeping.do(fail)
        house.keeping.end()
        assert "ZeroDivisionError" in house.keeping.problem


class TestShelf:
    def test_a_clip_that_is_gone_already_is_gone(self, tmp_path):
        result = ClipShelf(tmp_path / "clips", (tmp_path / "exports",)).destroy("a")
        assert (result.overwritten, result.derived, result.absent) == (0, 0, True)


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
        assert "Nothing is recorded until two people have a key" in left.output
        assert "has no key" in self.run("users", "leave", "--site", site, "kvd-1", "--yes").output
        assert "has no account" in self.run("users", "password", "--site", site, "niemand", "--stdin", text="x\n").output

    def test_a_code_from_the_terminal_opens_an_account_once(self, site):
        output = self.run("users", "invite", "--site", site, "technik").output
        code = output.splitlines()[0].rpartition(": ")[2]
        keeping = open_keeping(site)
        assert keeping.access.people.redeem("technik", code.lower())
        assert keeping.access.own.begin("technik", "vier Wörter ganz ohne Sinn") is None
        assert not keeping.access.people.redeem("technik", code)
        keeping.engine.dispose()

    def test_check_ends_with_one_where_something_is_broken(self, site):
        self.run("users", "password", "--site", site, "kvd-1", "--stdin", text="ein langes Kennwort\n")
        result = self.run("check", "--site", site, "--json")
        rules = {rule["id"]: rule["result"] for rule in json.loads(result.stdout.splitlines()[-1])["rules"]}
        assert result.exit_code == 1
        assert (rules["reviewers"], rules["log"], rules["missing-file"]) == ("broken", "holds", "holds")
