"""A receipt says what happened: the clip was looked for and is gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blickschutz.audit.model import Event
from blickschutz.control.service.shredding import Shredder
from blickschutz.kernel.errors import DeviceError
from blickschutz.retention.model import Destroyed
from blickschutz.review.model import CaseState, Verdict
from tests.house import House


class Shelf:
    """A disk that says yes to everything; `left` says whether something is still there when it is looked for."""

    def __init__(self):
        self.left = True

    def destroy(self, clip):
        return Destroyed(100, 0, not self.left)


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.close()


def test_what_is_still_there_gets_no_receipt_and_is_tried_again(house):
    case, records, shelf = house.clip(), house.records, Shelf()
    for person in ("kvd-1", "kvd-2"):
        records.office.cases.verdict(case.id, person, Verdict.NO_INCIDENT, "")
    shredder = Shredder(replace(records.archive, shelf=shelf), records.office.cases, records.office.log, lambda alert: None)
    with pytest.raises(DeviceError, match="still there"):
        shredder.work()
    assert house.events(Event.SHREDDED) == []
    assert records.office.cases.store.get(case.id).state is CaseState.DESTROYING
    shelf.left = False
    assert shredder.work() == 1
    (receipt,) = house.events(Event.SHREDDED)
    assert (receipt.subject, receipt.facts["absent"], receipt.facts["overwritten"]) == (case.clip, True, 100)
