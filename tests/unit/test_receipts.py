"""A receipt says what happened: the clip was looked for and is gone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from blickschutz.audit.model import Event
from blickschutz.retention.model import Removed
from blickschutz.review.model import CaseState, Verdict
from tests.house import House


class Shelf:
    """A disk that says yes to everything; `left` says whether something is still there when it is looked for."""

    def __init__(self):
        self.left, self.there = True, True

    def size(self, clip):
        return 100 if self.there else None

    def overwrite(self, clip):
        return self.size(clip)

    def remove(self, clip):
        self.there = False
        return Removed(0, not self.left)


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.close()


def test_what_is_still_there_gets_no_receipt_and_is_tried_again(house, monkeypatch):
    case, records, shelf = house.clip(), house.records, Shelf()
    for person in ("kvd-1", "kvd-2"):
        records.office.cases.verdict(case.id, person, Verdict.NO_INCIDENT, "")
    monkeypatch.setattr(records.shredder, "_shelf", shelf)
    assert records.shredder.work() == 0
    (stuck,) = records.shredder.stuck()
    assert (stuck.clip, stuck.tries) == (case.clip, 1)
    assert "still there" in stuck.problem
    assert house.events(Event.SHREDDED) == []
    assert records.office.cases.store.get(case.id).state is CaseState.DESTROYING
    shelf.left = False
    house.clock.sleep(3600)
    assert records.shredder.work() == 1
    (receipt,) = house.events(Event.SHREDDED)
    assert (receipt.subject, receipt.facts["absent"], receipt.facts["overwritten"]) == (case.clip, True, 100)
    assert records.shredder.stuck() == ()


def test_while_something_is_lost_not_even_what_was_ordered_before_is_destroyed(house, monkeypatch):
    case, records = house.clip(), house.records
    for person in ("kvd-1", "kvd-2"):
        records.office.cases.verdict(case.id, person, Verdict.NO_INCIDENT, "")
    lost = SimpleNamespace(on=True)
    monkeypatch.setattr(records.shredder, "_safety", lost)
    house.clock.sleep(100 * 3600)
    assert (records.shredder.expire(), records.shredder.work()) == (0, 0)
    assert records.archive.shelf.clips() == {case.clip}
    lost.on = False
    assert records.shredder.work() == 1
    assert records.archive.shelf.clips() == set()


def test_no_receipt_is_dated_before_the_deadline_that_it_names(house, monkeypatch):
    """A boot counts on from the last time that was written: by that count the deadline is still to come."""
    case, records = house.clip(), house.records
    house.clock.sleep(100 * 3600)
    assert records.shredder.expire() == 1
    due = records.office.cases.store.get(case.id).due
    assert case.opened < due <= house.clock.now()
    monkeypatch.setattr(records.shredder, "_trusted", lambda: due - 40)
    assert records.shredder.work() == 1
    (receipt,) = house.events(Event.SHREDDED)
    assert receipt.facts["destroyed"] == due


def test_what_was_noted_of_footage_ends_with_it_and_never_enters_the_log(house):
    case, records = house.clip(), house.records
    for person in ("kvd-1", "kvd-2"):
        records.office.cases.verdict(case.id, person, Verdict.NO_INCIDENT, "Frau mit rotem Schirm")
    assert [entry.facts for entry in house.events(Event.VERDICT_GIVEN)] == [{"case": case.id, "verdict": "no-incident", "noted": True}] * 2
    assert all(one.note for one in records.office.cases.store.get(case.id).verdicts)
    assert records.shredder.work() == 1
    gone = records.office.cases.store.get(case.id)
    assert gone.state is CaseState.DESTROYED
    assert [(one.person, one.note) for one in gone.verdicts] == [("kvd-1", ""), ("kvd-2", "")]
