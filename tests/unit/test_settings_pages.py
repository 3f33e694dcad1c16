"""The pages of changes of settings: proposed by one, seen with its effects, confirmed by another, taken back, in two languages."""

from __future__ import annotations

import asyncio
import html
import re

import pytest

from blickschutz.audit.model import Event
from blickschutz.bootstrap.system import Source, System
from blickschutz.config.loader import load_site
from blickschutz.web.versions import edit_of, meaning_at
from tests.desk import Desk
from tests.fakes.cells import no_process
from tests.fakes.clock import ManualClock
from tests.unit.test_settings import EXAMPLE, OTHER, House

KEY = "cameras.vorplatz-nord.zones.flaeche.polygon"
CHANGES = "/settings/changes"


class Whole(House):
    """With its pages."""

    def start(self):
        site, source = load_site(self.path), Source(self.text, str(self.path))
        self.system = System(site, self.folder, ManualClock(), no_process, data=self.folder / "state", source=source)
        self.control = self.system.control
        self.desk, self.log = self.control.desk, self.control.records.office.log


class Here(Desk):
    """The pages of a site whose file is its own."""

    def __init__(self, folder):
        self.house = Whole(folder)
        self.system, self.folder, self.clock = self.house.system, folder, None
        self.records, self.office = self.system.records, self.system.records.office
        self._runner, self._sessions = asyncio.Runner(), {}


@pytest.fixture
def desk(tmp_path):
    desk = Here(tmp_path)
    yield desk
    desk.close()


def words(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def test_from_a_wish_to_history_and_back(desk):
    made = desk.post(CHANGES, "technik", key=KEY, value=str(OTHER), reason="Baum davor")
    assert (made.status_code, made.headers["location"]) == (303, f"{CHANGES}/1")
    seen = words(desk.get(f"{CHANGES}/1", "aufsicht"))
    assert "Vorplatz Nord: Ecken in Anteilen" in seen
    assert "gilt sofort, das Bild läuft weiter" in seen
    assert "Baum davor" in seen
    assert "Als zweite Person bestätigen" in seen
    own = words(desk.get(f"{CHANGES}/1", "technik"))
    assert "Zurückziehen" in own
    assert "Als zweite Person bestätigen" not in own
    # Nobody confirms what is theirs, whatever they send; nor does who may not.
    assert desk.post(f"{CHANGES}/1/confirm", "technik").status_code == 403
    assert desk.post(f"{CHANGES}/1/confirm", "leitstelle-1").status_code == 403
    assert desk.house.text == EXAMPLE
    assert desk.post(f"{CHANGES}/1/confirm", "aufsicht").status_code == 303
    assert str(OTHER) in desk.house.text
    assert desk.post(f"{CHANGES}/1/undo", "technik").headers["location"] == f"{CHANGES}/2"
    assert desk.post(f"{CHANGES}/2/confirm", "dsb").status_code == 303
    assert desk.house.text == EXAMPLE
    english = words(desk.get(CHANGES, "dsb", cookies={"language": "en"}))
    assert "takes back 1" in english
    assert "put in force" in english
    told = words(desk.get("/log", "dsb"))
    assert "Änderung der Einstellungen in Kraft gesetzt" in told
    assert KEY in told


def test_what_stands_against_it_is_said_with_its_source_and_nothing_is_kept(desk):
    broken = desk.post(CHANGES, "technik", key="retention.hard_limit_days", value="200")
    assert broken.status_code == 422
    assert "§ 21 Abs. 5 LDSG RLP" in words(broken)
    against = desk.post(CHANGES, "technik", key="cameras.brunnen.zones.flaeche.rules.off", value='["camera_tampered"]')
    assert "widerspricht einer Regel" in words(against)
    assert re.search(r"[A-Z]{2}-\d\d", words(against))
    for value in ("rathaus", "[1,", "1\ny = 2"):
        assert "kein Wert, wie die Anlagendatei" in words(desk.post(CHANGES, "technik", key="wall.width", value=value))
    assert "noch nichts" in words(desk.get(CHANGES, "technik")) or "Noch wurde hier nichts" in words(desk.get(CHANGES, "technik"))


def test_a_file_edited_by_hand_is_shown_and_put_in_force(desk):
    desk.house.path.write_text(EXAMPLE.replace('"Brunnen"', '"Am Brunnen"').replace("keep_hours = 72", "keep_hours = 48"), encoding="utf-8")
    assert "Betroffene Einstellungen: 2" in words(desk.get(CHANGES, "technik"))
    assert desk.post(CHANGES, "technik", key=KEY, value=str(OTHER)).status_code == 303
    refused = desk.post(f"{CHANGES}/1/confirm", "aufsicht")
    assert (refused.status_code, "wurde von Hand geändert" in words(refused)) == (409, True)
    assert f'href="{CHANGES}/file"' in refused.text
    # Whoever confirms sees the change; whoever administers puts exactly that in force.
    seen = desk.get(f"{CHANGES}/file", "aufsicht")
    assert '"Brunnen" "Am Brunnen"' in words(seen)
    assert "Gilt erst nach einem Neustart der Anlage: alerts.keep_hours" in words(seen)
    assert 'name="seen"' not in seen.text
    assert desk.post(f"{CHANGES}/file", "aufsicht").status_code == 403
    (mark,) = re.findall(r'name="seen" value="(\w+)"', desk.get(f"{CHANGES}/file", "technik").text)
    for other in ("", mark[::-1]):
        old = desk.post(f"{CHANGES}/file", "technik", seen=other)
        assert (old.status_code, "inzwischen eine andere" in words(old)) == (409, True)
    assert desk.post(f"{CHANGES}/file", "technik", seen=mark).status_code == 303
    assert "steht, was gilt" in words(desk.get(f"{CHANGES}/file", "technik"))
    assert "put in force" not in words(desk.get(f"{CHANGES}/file", "technik"))
    assert desk.post(f"{CHANGES}/1/confirm", "aufsicht").status_code == 303
    shown = words(desk.get(CHANGES, "technik"))
    assert "Gilt erst nach einem Neustart der Anlage: alerts.keep_hours" in shown
    assert "Am Brunnen" in desk.get("/plan", "technik").text
    desk.house.path.write_text("format = ", encoding="utf-8")
    assert "so nicht zu lesen" in words(desk.get(CHANGES, "technik"))


def test_declined_and_gone(desk):
    desk.post(CHANGES, "technik", key=KEY, value=str(OTHER))
    assert desk.post(f"{CHANGES}/1/withdraw", "dsb").status_code == 303
    refused = desk.post(f"{CHANGES}/1/confirm", "aufsicht")
    assert refused.status_code == 409
    assert "Jemand anders war schneller" in words(refused)
    assert desk.get(f"{CHANGES}/9", "technik").status_code == 404
    assert desk.post(f"{CHANGES}/9/withdraw", "technik").status_code == 404
    assert [entry.by for entry in desk.events(Event.SETTINGS_WITHDRAWN)] == ["dsb"]


def test_no_secret_is_shown(desk):
    old = EXAMPLE.replace("rtsp://192.0.2.16/stream1", "rtsp://192.0.2.16/stream1?password=geheim")
    desk.house.path.write_text(old, encoding="utf-8")
    seen = desk.get(f"{CHANGES}/file", "technik").text
    (mark,) = re.findall(r'name="seen" value="(\w+)"', seen)
    taken = desk.post(f"{CHANGES}/file", "technik", seen=mark)
    assert taken.status_code == 303
    page = (
        desk.get(CHANGES, "technik").text
        + desk.get("/settings", "technik").text
        + seen
        + desk.get(taken.headers["location"], "technik").text
    )
    assert ("stream1?password=…" in seen, "geheim" in page) == (True, False)


def test_keys_and_values_as_people_type_them():
    assert edit_of("wall.width", "800").value == 800
    assert edit_of("cameras.brunnen.name", '"Am Brunnen"').path == ("cameras", "brunnen", "name")
    assert edit_of("redaction.style", " ").remove
    assert edit_of("", "1") is None
    assert edit_of("wall.width", "1\n[site]\nname = 'x'") is None
    assert meaning_at(("cameras", "brunnen", "zones", "flaeche", "rules", "loitering_s"), "de")
    assert meaning_at(("cameras", "brunnen"), "de")
    assert meaning_at(("nicht", "da"), "de") == ""
