"""The shift book: notes and handovers are in the log, and what is open stands beside by itself."""

from __future__ import annotations

import re

import pytest

from blickschutz.access.rules import may
from blickschutz.alerts.model import By, Outcome
from blickschutz.audit.model import Event
from blickschutz.kernel.errors import StoreBusyError
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.web.pages import TileView
from tests.desk import CAMERA, Desk

ON, COMES = "leitstelle-1", "Frühdienst"


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def take(desk, number, kind=Kind.PERSON_DOWN):
    return desk.system.control.alerting.desk.take(CAMERA, Situation(number, kind, "z", 1.0, desk.clock.now(), 0.9), notify=True, run="a").id


def test_a_note_is_in_the_log_and_on_the_page(desk):
    assert desk.post("/shift", ON, text="  Tor klemmt <b>  ").headers["location"] == "/shift"
    [entry] = desk.events(Event.SHIFT_NOTED)
    assert (entry.by, entry.facts) == (ON, {"text": "Tor klemmt <b>"})
    page = desk.get("/shift", ON).text
    assert "Tor klemmt &lt;b&gt;" in page
    assert desk.office.access.members[ON].name in page


def test_what_is_open_is_listed_by_itself(desk):
    first, second = take(desk, 1), take(desk, 2)
    other = take(desk, 3, Kind.OBJECT_LEFT)
    desk.system.control.alerting.desk.close(other, By("A", "a"), Outcome.CONFIRMED, "")
    page = desk.get("/shift", ON).text
    assert re.findall(r'href="/alerts/(\d+)"', page) == [str(first)]
    assert "(2)" in page
    assert "Offene Meldungen: 2 · Es warten: 2" in page
    assert f'href="/cameras/{CAMERA}"' in page, "no cell runs: the camera is not live"
    assert second


def test_a_handover_holds_what_is_open_at_that_moment(desk):
    numbers = [take(desk, 1), take(desk, 2)]
    assert desk.post("/shift", ON, text="ruhig", successor=COMES).status_code == 303
    [entry] = desk.events(Event.SHIFT_NOTED)
    assert entry.facts["successor"] == COMES
    assert entry.facts["open_alerts"] == [str(number) for number in numbers]
    assert entry.facts["open_count"] == 2
    assert CAMERA in entry.facts["dark_cameras"]
    take(desk, 3)
    page = desk.get("/shift", ON).text
    assert f"Schicht übergeben an {COMES}: ruhig" in page
    assert "Offene Meldungen: 2 (" in page


def test_cameras_that_are_live_are_not_named(desk, monkeypatch):
    monkeypatch.setattr(TileView, "state", "live")
    assert "Alle Kameras sind live." in desk.get("/shift", ON).text
    desk.post("/shift", ON, successor=COMES)
    assert desk.events(Event.SHIFT_NOTED)[0].facts["dark_cameras"] == []


def test_nothing_is_entered_where_nothing_was_written(desk):
    answer = desk.post("/shift", ON, text="   ", successor=" ")
    assert answer.status_code == 422
    assert "Bitte schreiben Sie eine Notiz" in answer.text
    assert desk.events(Event.SHIFT_NOTED) == []


def test_a_log_that_takes_nothing_is_said(desk, monkeypatch):
    def busy(*args, **kwargs):
        raise StoreBusyError("somebody else is writing")

    desk.session(ON)
    with monkeypatch.context() as patch:
        patch.setattr(desk.office.log, "write", busy)
        assert desk.post("/shift", ON, text="Tor klemmt").status_code == 503
    assert "Tor klemmt" not in desk.get("/shift", ON).text


def test_older_entries_are_reached(desk):
    for number in range(60):
        desk.office.log.write(Event.SHIFT_NOTED, ON, "", {"text": f"Notiz {number}."})
    page, found = desk.get("/shift", ON).text, []
    while True:
        found += [int(number) for number in re.findall(r"Notiz (\d+)\.", page)]
        older = re.search(r'href="(/shift\?before=\d+)"', page)
        if older is None:
            break
        page = desk.get(older[1], ON).text
    assert found == list(range(59, -1, -1))


def test_data_protection_reads_the_handover_as_a_sentence(desk):
    take(desk, 1)
    desk.post("/shift", ON, text="ruhig", successor=COMES)
    officer = next(one.id for one in desk.office.access.members.values() if may(one, "log"))
    page = desk.get("/log?event=shift-noted", officer).text
    assert "Eintrag ins Schichtbuch" in page
    assert COMES in page
    assert desk.get("/shift", officer).status_code == 403
