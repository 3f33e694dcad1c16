"""Several alerts are closed with one outcome: asked before, each with its entry, and taken back within ten seconds."""

from __future__ import annotations

import re

import pytest

from blickschutz.alerts.model import AlertState, Outcome
from blickschutz.situations.kinds import Kind
from tests.unit.test_alert_pages import CAMERAS, House


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    for number in range(1, 5):
        house.take(number)
    yield house
    house.pages.close()
    house.store.close()
    house.engine.dispose()


def states(house, *numbers):
    return [house.store.get(number).state.value for number in numbers]


def test_the_page_offers_the_others_of_the_same_camera_and_kind(house):
    other, kind = house.take(9, CAMERAS[1]), house.take(8, kind=Kind.PERSON_DOWN)
    house.clock.sleep(300)
    late = house.take(7)
    page = house.get("/alerts/2")
    offered = re.findall(r'name="also" value="(\d+)"( checked)?', page)
    assert offered == [("1", " checked"), ("3", " checked"), ("4", " checked"), (str(late), "")]
    for alone in (other, kind):
        assert "together" not in house.get(f"/alerts/{alone}")


@pytest.mark.parametrize("panel", [False, True])
def test_there_is_a_question_before_and_it_changes_nothing(house, panel):
    page = house.get(f"/alerts/1/together?also=2&also=4&outcome=false-alarm{'&panel=true' if panel else ''}")
    assert "Diese Meldungen zusammen abschließen?" in page
    assert "Anzahl: 3 · Ergebnis: Fehlalarm" in page
    assert 'name="also" value="2 4"' in page
    assert ("<html" in page) is not panel
    assert states(house, 1, 2, 3, 4) == ["raised"] * 4


@pytest.mark.parametrize("panel", [False, True])
def test_without_an_outcome_it_is_asked_for(house, panel):
    answer = house.ask("GET", f"/alerts/1/together?also=2{'&panel=true' if panel else ''}")
    assert answer.status_code == 422
    assert "Bitte wählen Sie ein Ergebnis." in answer.text
    assert house.post("/alerts/1/together", also="2", outcome="x").status_code == 422
    assert states(house, 1, 2) == ["raised"] * 2


def test_each_is_closed_with_the_outcome_and_has_its_entry(house):
    foreign = house.take(9, CAMERAS[1])
    answer = house.post("/alerts/1/together", also=f"2 4 {foreign}", outcome="false-alarm", text="Äste")
    assert answer.headers["location"] == "/alerts/1?also=1+2+4"
    assert states(house, 1, 2, 3, 4, foreign) == ["closed", "closed", "raised", "closed", "raised"]
    assert {(house.store.get(number).outcome, house.store.get(number).note) for number in (1, 2, 4)} == {(Outcome.FALSE_ALARM, "Äste")}
    assert [(subject, word) for _, subject, word in house.entries()] == [(f"alert-{number}", "close") for number in (1, 2, 4)]


def test_all_are_taken_back_within_ten_seconds_and_are_in_hand(house):
    told = []
    house.desk.reopened.listen(lambda alert: told.append((alert.id, alert.outcome)))
    house.post("/alerts/1/together", also="2 4", outcome="false-alarm", text="Äste")
    assert "Rückgängig (3)" in house.get("/alerts/1?also=1+2+4")
    assert house.post("/alerts/1/undo", also="2 4").status_code == 303
    for number in (1, 2, 4):
        alert = house.store.get(number)
        assert (alert.state, alert.outcome, alert.note) == (AlertState.ACKNOWLEDGED, None, "")
    assert told == [(number, Outcome.FALSE_ALARM) for number in (1, 2, 4)]
    assert [word for _, _, word in house.entries()] == ["close"] * 3 + ["undo"] * 3
    assert "Rückgängig" not in house.get("/alerts/1")


def test_later_it_stands(house):
    house.post("/alerts/1/together", also="2", outcome="no-finding")
    house.clock.sleep(13)
    assert house.post("/alerts/1/undo", also="2").status_code == 409
    assert "Rückgängig" not in house.get("/alerts/1?also=2")
    assert states(house, 1, 2) == ["closed", "closed"]


def test_what_a_colleague_closed_meanwhile_keeps_their_outcome(house):
    house.post("/alerts/2/close", outcome="confirmed", text="war so")
    assert house.post("/alerts/1/together", also="2 3", outcome="false-alarm").headers["location"] == "/alerts/1?also=1+3"
    assert house.store.get(2).outcome is Outcome.CONFIRMED
    assert house.post("/alerts/1/together", also="2 3", outcome="false-alarm").status_code == 409
    assert house.ask("GET", "/alerts/1/together?also=4&outcome=confirmed").status_code == 409


def test_channels_that_heard_of_the_end_hear_that_it_was_taken_back(house):
    house.desk._channels = ("mail",)
    house.post("/alerts/1/close", outcome="confirmed")
    house.post("/alerts/1/undo")
    house.post("/alerts/2/acknowledge")
    house.post("/alerts/2/undo")
    assert [notice.event for notice in house.store.outbox.due("mail", house.clock.now())] == ["close"]
    told = house.store.outbox.due("mail", house.clock.now())[0]
    house.store.outbox.sent(told, house.clock.now())
    assert [notice.event for notice in house.store.outbox.due("mail", house.clock.now())] == ["undo"]
