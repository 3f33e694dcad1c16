"""Where second copies lie, as people see it: the page of a case and the page of health, the real application over real rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blickschutz.config.hosts import HostedCamera, Hosts
from blickschutz.control.model import CopyView
from blickschutz.hosts.rules.copies import COPY_WITHIN_S, decided
from blickschutz.review.model import Case, CaseState, Copy, CopyState
from tests.desk import CAMERA, Desk, site_of

CLIP = "b" * 32


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    hosts = Hosts(broker="tls://127.0.0.1:4222", cameras=(HostedCamera(id=CAMERA),), copies=("north", "south"))
    made = Desk(tmp_path_factory.mktemp("copies"), site=site_of().model_copy(update={"hosts": hosts}))
    yield made
    made.close()


@pytest.fixture
def case(desk):
    """A clip on a host, closed for longer than copying takes."""
    store, now = desk.office.cases.store, desk.clock.now()
    found = store.by_clip(CLIP)
    if found is None:
        opened = Case(0, CLIP, CAMERA, "sealed", "person_down", now - 3600, CaseState.RECORDING, host="north")
        added = store.add(opened)
        closed = replace(added, state=CaseState.WAITING, closed=now - COPY_WITHIN_S - 60, seconds=12.0, size=4711, sha256="4f" * 32)
        assert store.close(closed)
        found = store.by_clip(CLIP)
    return found


def page(desk, case, copies, language="de"):
    known = desk.office.cases.store.get(case.id)
    assert desk.office.cases.store.copied(replace(known, copies=copies))
    return desk.get(f"/cases/{case.id}", "kvd-1", cookies={"language": language}).text


def test_a_copy_that_is_missing_is_said_on_both_pages(desk, case):
    assert "Zweitkopie fehlt" in page(desk, case, ())
    assert "Second copy missing" in page(desk, case, (), "en")
    desk.clock.time += 60
    health = desk.get("/health", "technik").text
    assert "Zweitkopie fehlt" in health
    assert "Rechner für Zweitkopien läuft" in health, "and what is to be done"
    assert "blickschutz_uncopied_clips 1.0" in desk.get("/metrics", "technik").text


def test_one_that_is_on_its_way_is_missing_still(desk, case):
    text = page(desk, case, (Copy("south"),))
    assert "Rechner south: wird noch übertragen" in text
    assert "Zweitkopie fehlt" in text


def test_one_that_the_control_room_recorded_itself_has_none_and_says_so(desk):
    store, now = desk.office.cases.store, desk.clock.now()
    added = store.add(Case(0, "c" * 32, CAMERA, "sealed", "person_down", now - 3600, CaseState.RECORDING))
    assert store.close(replace(added, state=CaseState.WAITING, closed=now - COPY_WITHIN_S - 60, seconds=12.0, size=4711, sha256="4f" * 32))
    number = store.by_clip("c" * 32).id
    text = desk.get(f"/cases/{number}", "kvd-1").text
    assert "keine; die Leitstelle hat selbst aufgezeichnet" in text
    assert "Zweitkopie fehlt" not in text
    assert "none; the control room recorded it itself" in desk.get(f"/cases/{number}", "kvd-1", cookies={"language": "en"}).text


def test_where_it_lies_and_whether_its_host_is_reached(desk, case):
    text = page(desk, case, (Copy("south", CopyState.THERE, decided(CLIP, None, (), None)),))
    assert "Rechner south: liegt dort, geprüft" in text
    assert "Zweitkopie fehlt" not in text
    assert "noch nicht bestätigt" not in text.split("<dt>Zweitkopie</dt>")[1].split("</dd>")[0]
    (view,) = desk.system.app.state.room.recordings.copies(desk.office.cases.store.get(case.id))
    assert view == CopyView("south", "", CopyState.THERE, away=True, unheard=False)


def test_what_its_host_did_not_confirm_is_not_promised(desk, case):
    text = page(desk, case, (Copy("south", CopyState.THERE, "another"),))
    assert "Der Rechner hat noch nicht bestätigt, was entschieden wurde." in text.split("<dt>Zweitkopie</dt>")[1].split("</dd>")[0]


def test_an_end_that_is_not_proven_is_said(desk, case):
    store = desk.office.cases.store
    page(desk, case, (Copy("south", CopyState.THERE, "another"),))
    assert "noch nicht nachgewiesen" not in desk.get(f"/cases/{case.id}", "kvd-1").text
    store.doom(store.get(case.id), "harmless", ("kvd-1", "kvd-2"))
    assert "Die Vernichtung ist noch nicht nachgewiesen" in desk.get(f"/cases/{case.id}", "kvd-1").text
    lost = page(desk, case, (Copy("south", CopyState.LOST),))
    assert "fehlt dort oder ist verändert" in lost
    assert "Die Vernichtung ist noch nicht nachgewiesen" in lost
    assert "dort vernichtet, nachgewiesen" in page(desk, case, (Copy("south", CopyState.GONE),))
