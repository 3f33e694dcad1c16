"""Rows of other versions, damaged rows, and two who change the same row."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from blickschutz.access.io.accounts import METADATA as ACCOUNT_TABLES
from blickschutz.access.io.accounts import AccountStore
from blickschutz.access.model import Member, Role
from blickschutz.alerts.io.store import SqlAlertStore
from blickschutz.alerts.io.tables import METADATA as ALERT_TABLES
from blickschutz.alerts.model import Alert, AlertState, HistoryEntry, Origin
from blickschutz.audit.io.log import METADATA as LOG_TABLES
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.kernel.errors import StoreDamagedError
from blickschutz.review.io.beside import NotesBeside
from blickschutz.review.io.store import METADATA as CASE_TABLES
from blickschutz.review.io.store import SqlCaseStore
from blickschutz.review.model import Case, CaseState, Ground, Verdict
from blickschutz.review.service import CaseDesk
from blickschutz.rights.io.store import METADATA as RIGHTS_TABLES
from blickschutz.rights.io.store import SqlRightsStore
from blickschutz.rights.model import Duty, DutySource, Request, RequestState, Restricted, Right, Settled, Settlement
from blickschutz.rights.ports import Recordings
from blickschutz.rights.service import RightsDesk
from blickschutz.situations.kinds import Kind
from blickschutz.storage.engine import open_engine
from blickschutz.vault.io.files import InstallationKey
from tests.databases import by_hand, past_guards
from tests.fakes.case_time import CaseClock
from tests.fakes.clock import ManualClock
from tests.fakes.voices import ALL_VOICES

pytestmark = pytest.mark.both_databases

DAY = date(2026, 11, 26)
REQUEST = Request(0, RequestState.OPEN, DAY, (Right.ACCESS,), "N. N.", "", "de", "aufsicht", 1.0)


class House:
    """The stores over one real database."""

    def __init__(self, folder):
        self.path, self.clock = folder / "control.db", ManualClock()
        self.engine = open_engine(self.path, LOG_TABLES, CASE_TABLES, RIGHTS_TABLES, ACCOUNT_TABLES)
        key = InstallationKey(folder / "key")
        self.log = AuditLog(self.engine, self.clock, key.sign, key.public)
        self.cases = SqlCaseStore(self.engine, self.log, NotesBeside(folder / "clips", key))
        self.rights = SqlRightsStore(self.engine, self.log)
        self.accounts = AccountStore(self.engine, self.log, self.clock)
        self.desk = CaseDesk(self.cases, self.clock, 61.0, CaseClock(self.clock), ALL_VOICES)

    def case(self, clip):
        case = self.desk.opened(Case(0, clip, "nord", "sealed", "manual", self.clock.now(), CaseState.RECORDING))
        assert self.desk.closed(replace(case, seconds=5.0))
        return self.cases.get(case.id)

    def sql(self, text, *values):
        return by_hand(self.engine, text, *values)

    def facts(self, table, number, change):
        """Alter the text of a row as another version, or a bad disk, would have written it."""
        ((text,),) = self.sql(f"SELECT facts FROM {table} WHERE id = ?", number)
        facts = json.loads(text)
        change(facts)
        self.sql(f"UPDATE {table} SET facts = ? WHERE id = ?", json.dumps(facts), number)


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.engine.dispose()


class TestOtherVersions:
    @pytest.mark.parametrize("key", ["restricted", "proposal", "alerts", "shred_by", "destroyed"])
    def test_a_case_whose_text_lacks_a_field_is_read_decided_and_expires(self, house, key):
        first, second = house.case("aa"), house.case("bb")
        for one in (first, second):
            house.facts("cases", one.id, lambda facts: facts.pop(key))
        assert house.desk.verdict(first.id, "kvd-1", Verdict.NO_INCIDENT, "") is CaseState.SECOND
        assert house.desk.expire(house.cases.get(second.id), "unreviewed")
        assert house.cases.get(second.id).state is CaseState.DESTROYING

    def test_a_case_whose_text_was_written_in_another_order_expires(self, house):
        case = house.case("aa")
        house.facts("cases", case.id, lambda facts: facts.update({"later_field": 1}, mode=facts.pop("mode")))
        assert house.desk.expire(house.cases.get(case.id), "unreviewed")

    def test_a_request_and_a_duty_whose_text_lacks_a_field_can_be_changed(self, house):
        request = house.rights.add(REQUEST)
        duty = house.rights.add_duty(Duty(0, 1, "aa", DutySource.HAND, DAY, "kvd-1"))
        house.facts("requests", request.id, lambda facts: facts.pop("erased"))
        house.facts("duties", duty.id, lambda facts: facts.pop("settled"))
        known = house.rights.get(request.id)
        assert house.rights.change(known, replace(known, identity="seen"), Event.REQUEST_IDENTIFIED, "aufsicht")
        owed = house.rights.get_duty(duty.id)
        assert house.rights.settle(owed, replace(owed, settled=Settled(Settlement.INFORMED, "told", "aufsicht", DAY)))


class TestTwoAtOnce:
    def test_of_two_who_knew_the_same_case_one_is_told(self, house):
        known = house.case("aa")
        assert house.cases.doom(known, "unreviewed", ()) is True
        assert house.cases.doom(known, "unreviewed", ()) is False
        assert len(house.log.find(event=Event.SHRED_ORDERED)) == 1

    def test_a_restriction_made_meanwhile_is_not_overruled_by_a_deadline(self, house):
        known = house.case("aa")
        assert house.desk.restrict(known.id, 1, "aufsicht")
        assert house.cases.doom(known, "unreviewed", ()) is False
        assert house.cases.get(known.id).restricted == (1,)

    def test_a_clip_is_closed_and_destroyed_once(self, house):
        case = house.desk.opened(Case(0, "aa", "nord", "sealed", "manual", 1.0, CaseState.RECORDING))
        assert [house.desk.closed(case), house.desk.closed(case)] == [True, False]
        house.cases.doom(house.cases.get(case.id), "unreviewed", ())
        doomed = house.cases.get(case.id)
        assert [house.cases.shredded(doomed, {"ending": "vanished"}, 1.0) for _ in range(2)] == [True, False]

    def test_of_two_who_knew_the_same_request_or_duty_one_is_told(self, house):
        known = house.rights.add(REQUEST)
        first, second = (
            house.rights.change(known, replace(known, identity=f"by {n}"), Event.REQUEST_IDENTIFIED, "aufsicht") for n in (1, 2)
        )
        assert (first, second) == (True, False)
        assert house.rights.get(known.id).identity == "by 1"
        duty = house.rights.add_duty(Duty(0, 1, "aa", DutySource.HAND, DAY, "kvd-1"))
        settled = replace(duty, settled=Settled(Settlement.DEFERRED, "later", "aufsicht", DAY, DAY))
        assert [house.rights.settle(duty, settled), house.rights.settle(duty, settled)] == [True, False]

    def test_what_is_written_can_be_changed_again(self, house):
        known = house.rights.add(REQUEST)
        for text in ("a", "b", "c"):
            known = house.rights.get(known.id)
            assert house.rights.change(known, replace(known, identity=text), Event.REQUEST_IDENTIFIED, "aufsicht")
        assert house.rights.get(known.id).version == 4


DAMAGES = ["not json {", '{"mode": 7}', '{"mode": "sealed"}', "null"]


class TestDamaged:
    @pytest.mark.parametrize("text", DAMAGES)
    def test_a_case_that_cannot_be_read_hides_no_other_and_is_listed(self, house, text):
        cases = [house.case(clip) for clip in ("aa", "bb", "cc")]
        house.sql("UPDATE cases SET facts = ? WHERE id = ?", text, cases[1].id)
        assert [one.clip for one in house.cases.find(states=[CaseState.WAITING])] == ["aa", "cc"]
        assert [one.clip for one in house.cases.latest([CaseState.WAITING])] == ["cc", "aa"]
        assert [one.clip for one in house.cases.queue(0, 10)] == ["aa", "cc"]
        assert [one.clip for one in house.cases.between(cases[0].opened, cases[0].opened + 1.0)] == ["aa", "cc"]
        (bad,) = house.cases.damaged()
        assert (bad.table, bad.key) == ("cases", str(cases[1].id))
        assert bad.problem
        for ask in (lambda: house.cases.get(cases[1].id), lambda: house.cases.by_clip("bb")):
            with pytest.raises(StoreDamagedError, match="row 2 of cases"):
                ask()
        assert [house.cases.knows(clip) for clip in ("aa", "bb", "zz")] == [True, True, False]

    def test_a_state_that_nobody_knows_is_damage_and_not_a_silent_row(self, house):
        case = house.case("aa")
        house.sql("UPDATE cases SET state = 'molten' WHERE id = ?", case.id)
        assert house.cases.counts() == {}
        assert [bad.key for bad in house.cases.damaged()] == [str(case.id)]

    def test_what_is_told_of_damage_quotes_nothing(self, house):
        request = house.rights.add(REQUEST)
        house.sql("UPDATE requests SET facts = ? WHERE id = ?", '{"name": "Erika Mustermann", "state": "open"', request.id)
        (bad,) = house.rights.damaged()
        assert "Erika" not in bad.problem

    def test_a_request_and_a_duty_that_cannot_be_read_hide_no_other(self, house):
        first, second = house.rights.add(REQUEST), house.rights.add(REQUEST)
        duties = [house.rights.add_duty(Duty(0, case, "aa", DutySource.HAND, DAY, "kvd-1")) for case in (1, 2)]
        house.sql("UPDATE requests SET facts = '{}' WHERE id = ?", first.id)
        house.sql("UPDATE duties SET facts = '{}' WHERE id = ?", duties[0].id)
        assert [one.id for one in house.rights.open()] == [second.id]
        assert [one.id for one in house.rights.duties(settled=False)] == [duties[1].id]
        assert [(bad.table, bad.key) for bad in house.rights.damaged()] == [("requests", "1"), ("duties", "1")]

    def test_an_account_that_cannot_be_read_has_no_rights_and_takes_none(self, house):
        house.accounts.take_over([Member(name, name, frozenset({Role.REVIEW}), None) for name in ("aa", "bb")])
        house.sql("UPDATE accounts SET roles = 'emperor' WHERE id = 'aa'")
        house.accounts._read = None
        assert list(house.accounts.members()) == ["bb"]
        assert [(bad.table, bad.key) for bad in house.accounts.damaged()] == [("accounts", "aa")]

    def test_an_alert_that_cannot_be_read_hides_no_other(self, tmp_path):
        store = SqlAlertStore(open_engine(tmp_path / "alerts.db", ALERT_TABLES))
        new = Alert(0, "nord", Kind.LOITERING, "", Origin.ANALYSIS, AlertState.RAISED, 1.0, 1.0, 0.5)
        first, second = (store.add(new, ["mail"], HistoryEntry(1.0, "raised", "system")) for _ in range(2))
        by_hand(store.engine, "UPDATE alerts SET kind = 'levitation' WHERE id = ?", first.id)
        assert [one.id for one in store.find()] == [second.id]
        assert [one.alert.id for one in store.outbox.due("mail", 10.0)] == [second.id]
        assert [one.alerts for one in store.tally(0.0)] == [1]
        assert len(store.raised(0.0, 10.0)) == 1
        assert [(bad.table, bad.key) for bad in store.damaged()] == [("alerts", str(first.id))]
        store.close()

    def test_an_entry_that_cannot_be_read_hides_no_other(self, house):
        house.log.write(Event.SYSTEM_STARTED, "system")
        house.log.write(Event.SYSTEM_ENDED, "system")
        with past_guards(house.engine):
            pass
        house.sql("UPDATE log SET text = '{' WHERE number = 1")
        assert [entry.event for entry, _ in house.log.find()] == [Event.SYSTEM_ENDED]
        both = [Event.SYSTEM_STARTED, Event.SYSTEM_ENDED]
        assert [entry.event for entry in house.log.between(both, 0.0, 2e10)] == [Event.SYSTEM_ENDED]


class CaseRecordings(Recordings):
    """The recordings of a desk, as the control room has them."""

    def __init__(self, house):
        self._house = house

    def between(self, starts, ends, cameras):
        return []

    def restrict(self, case, request, by):
        return self._house.desk.restrict(case, request, by)

    def free(self, case, request, by):
        self._house.desk.free(case, request, by)

    def erase(self, case, people):
        return self._house.desk.erase(case, people)

    def restricted(self):
        found = self._house.cases.find(states=[CaseState.WAITING, CaseState.HELD])
        return [(case.id, number) for case in found for number in case.restricted]


def test_a_request_that_cannot_be_read_frees_no_recording(house):
    case = house.case("aa")
    asked = Restricted(case.id, "aa", "nord", case.opened, 5.0, "aufsicht")
    request = house.rights.add(replace(REQUEST, restricted=(asked,)))
    house.desk.restrict(case.id, request.id, "aufsicht")
    house.sql("UPDATE requests SET facts = '{}' WHERE id = ?", request.id)
    RightsDesk(house.rights, CaseRecordings(house), house.clock, lambda: DAY, ALL_VOICES).settle()
    assert house.cases.get(case.id).restricted == (request.id,)


def test_a_case_that_cannot_be_read_does_not_stop_the_settling_of_others(house):
    bad, good = house.case("aa"), house.case("bb")
    for case in (bad, good):
        asked = Restricted(case.id, case.clip, "nord", case.opened, 5.0, "aufsicht")
        house.rights.add(replace(REQUEST, restricted=(asked,)))
    house.sql("UPDATE cases SET facts = '{}' WHERE id = ?", bad.id)
    RightsDesk(house.rights, CaseRecordings(house), house.clock, lambda: DAY, ALL_VOICES).settle()
    assert house.cases.get(good.id).restricted == (2,)


def test_a_held_case_keeps_its_hold_over_every_change(house):
    case = house.case("aa")
    for person in ("kvd-1", "kvd-2"):
        house.desk.verdict(case.id, person, Verdict.INCIDENT, "", Ground.CRIMINAL_OFFENCE, "KL-1")
    held = house.cases.get(case.id)
    assert held.state is CaseState.HELD
    assert held.hold is not None
    assert held.version == case.version + 2
