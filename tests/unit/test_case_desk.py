"""Four eyes at the desk of cases: nobody counts twice, whatever they decide."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from blickschutz.audit.model import Event
from blickschutz.control.rules import stamped
from blickschutz.review.model import Case, CaseEvent, CaseState, GivenVerdict, Ground, Hold, Refusal, Verdict
from blickschutz.review.rules import REVIEWABLE, half_held, judge, waits_for
from tests.house import House

ADA, BERT = "kvd-1", "kvd-2"
DAY = 86_400.0
CASE = Case(1, "a" * 32, "nord", "sealed", "manual", 1.7e9, CaseState.WAITING)


def verdict(person, found=Verdict.NO_INCIDENT):
    ground = Ground.CRIMINAL_OFFENCE if found is Verdict.INCIDENT else None
    return GivenVerdict(person, found, "", 1.0, ground, "KL-1")


@pytest.mark.parametrize("state", sorted(REVIEWABLE))
@pytest.mark.parametrize("found", Verdict)
def test_nobody_judges_twice_in_any_state(state, found):
    given = [verdict(ADA), verdict("kvd-3", Verdict.INCIDENT)]
    assert judge(state, given, verdict(ADA, found)) is Refusal.SAME_PERSON


@pytest.mark.parametrize("state", sorted(set(CaseState) - REVIEWABLE))
def test_what_is_not_to_be_reviewed_is_not_judged(state):
    assert judge(state, [], verdict(ADA)) is Refusal.NOT_NOW


@pytest.mark.parametrize(
    ("first", "second", "event"),
    [
        (Verdict.NO_INCIDENT, Verdict.FALSE_ALARM, CaseEvent.AGREED_HARMLESS),
        (Verdict.INCIDENT, Verdict.INCIDENT, CaseEvent.AGREED_INCIDENT),
        (Verdict.INCIDENT, Verdict.NO_INCIDENT, CaseEvent.DISAGREED),
        (Verdict.FALSE_ALARM, Verdict.INCIDENT, CaseEvent.DISAGREED),
    ],
)
def test_what_two_verdicts_lead_to(first, second, event):
    assert judge(CaseState.SECOND, [verdict(ADA, first)], verdict(BERT, second)) is event


def test_a_case_waits_for_whoever_has_not_judged_it_and_for_nobody_while_it_is_restricted():
    judged = replace(CASE, verdicts=(verdict(ADA),))
    assert (waits_for(judged, ADA), waits_for(judged, BERT)) == (False, True)
    assert not waits_for(replace(CASE, restricted=(1,)), BERT)
    assert half_held(replace(CASE, verdicts=(verdict(ADA, Verdict.INCIDENT),)))
    assert not half_held(judged)


@pytest.mark.parametrize(("by", "keeps"), [((), False), ((ADA,), False), ((ADA, ADA), False), ((ADA, BERT), True)])
def test_a_hold_keeps_when_two_people_stand_behind_it(by, keeps):
    hold = Hold(Ground.LEGAL_CLAIM, "KL-1", ADA, CASE.opened + 30 * DAY, by, CASE.opened)
    assert hold.in_force is keeps
    assert stamped(replace(CASE, hold=hold)).hold_date == (hold.until if keeps else None)


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.close()


class TestHolds:
    def propose(self, house, person=ADA, days=30):
        case = house.clip()
        until = house.clock.now() + days * DAY
        assert house.records.office.cases.propose_hold(case.id, person, Ground.LEGAL_CLAIM, "KL-1", until)
        return case

    def now(self, house, case):
        return house.records.office.cases.store.get(case.id)

    def test_whoever_proposed_does_not_confirm(self, house):
        case = self.propose(house)
        desk = house.records.office.cases
        assert desk.confirm(case.id, ADA, self.now(house, case).version) is not None
        assert self.now(house, case).hold is None
        assert house.events(Event.HOLD_SET) == []
        assert desk.confirm(case.id, BERT, self.now(house, case).version) is None
        assert self.now(house, case).hold.by == (ADA, BERT)
        assert self.now(house, case).state is CaseState.HELD

    def test_nobody_ends_a_hold_alone(self, house):
        case = self.propose(house)
        desk = house.records.office.cases
        desk.confirm(case.id, BERT, self.now(house, case).version)
        assert desk.propose_end(case.id, BERT)
        assert desk.confirm(case.id, BERT, self.now(house, case).version) is not None
        assert self.now(house, case).state is CaseState.HELD
        assert desk.confirm(case.id, ADA, self.now(house, case).version) is None
        assert self.now(house, case).state is CaseState.DESTROYING
        assert self.now(house, case).shred_by == (BERT, ADA)

    @pytest.mark.parametrize(("reference", "days"), [(" ", 30), ("KL-1", 0), ("KL-1", -1)])
    def test_a_hold_has_a_case_number_and_an_end_to_come(self, house, reference, days):
        case = house.clip()
        until = house.clock.now() + days * DAY
        assert not house.records.office.cases.propose_hold(case.id, ADA, Ground.LEGAL_CLAIM, reference, until)
        assert self.now(house, case).proposal is None


@pytest.mark.parametrize("reason", ["unreviewed", "hold-expired"])
def test_what_a_request_restricts_ends_neither_by_its_time_nor_by_an_erasure(house, reason):
    desk, case = house.records.office.cases, house.clip()
    assert desk.restrict(case.id, 7, "aufsicht")
    restricted = desk.store.get(case.id)
    assert not desk.expire(restricted, reason)
    assert not desk.erase(case.id, [ADA, BERT])
    assert not desk.outdated(restricted)
    assert desk.store.get(case.id).state is CaseState.WAITING
    desk.free(case.id, 7, "aufsicht")
    assert desk.expire(desk.store.get(case.id), reason)


def test_what_lies_under_the_name_of_a_note_and_is_no_file_holds_nobody_up(house, tmp_path):
    """A pipe there would be waited for without end: nothing would be destroyed any more. The clip whose note it is waits for two people."""
    first, second = house.clip("a" * 32), house.clip("b" * 32)
    for case in (first, second):
        assert house.records.office.cases.expire(case, "retention")
    note = next(tmp_path.rglob("a" * 32 + ".clip")).with_suffix(".hold")
    note.unlink(missing_ok=True)
    os.mkfifo(note)
    assert house.records.shredder.work() == 1
    store = house.records.office.cases.store
    assert [store.get(case.id).state for case in (first, second)] == [CaseState.QUARANTINED, CaseState.DESTROYED]
