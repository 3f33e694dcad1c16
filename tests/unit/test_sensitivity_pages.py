"""Sensitivity as people see and change it, on pages, on the page of health, in figures, in the report and at the terminal."""

from __future__ import annotations

import json
import shutil
from datetime import date

import pytest
from click.testing import CliRunner

from blickschutz.audit.model import Event
from blickschutz.budget.model import DAY_S, NEVER, Day
from blickschutz.cli.main import cli
from blickschutz.compliance.documents.model import Table
from blickschutz.kernel.clock import SystemClock
from blickschutz.situations.kinds import Kind
from tests.desk import CAMERA, EXAMPLE, Desk

LEFT, GATHERING = Kind.OBJECT_LEFT, Kind.GATHERING
PAGE = f"/sensitivity/{CAMERA}"


def day(number, shadow=1):
    """Twenty things that stand around; gatherings reach every score."""
    peaks = {LEFT: {"day 12": {40: 15, 50: 5}}, GATHERING: {"day 12": {194: 30}}}
    return Day(camera=CAMERA, shadow=shadow, number=number, observed={"day 12": DAY_S}, peaks=peaks)


def observe(desk, days=7):
    """As if the camera had been observed for so many days."""
    budget = desk.system.control.sensitivity.desk
    budget.keep()
    budget._cameras[CAMERA].days = [day(number) for number in range(1, days + 1)]
    budget._cameras[CAMERA].days.append(Day(camera=CAMERA, shadow=1, number=days + 1))
    for one in budget._cameras[CAMERA].days:
        budget._store.keep(one, 1)
    budget._views = None


def seen(desk, kind=LEFT):
    return desk.system.control.sensitivity.desk.view(CAMERA, kind).proposal.threshold


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    observe(made)
    yield made
    made.close()


class TestPages:
    def test_the_overview_names_every_camera_and_what_it_needs(self, desk):
        page = desk.get("/sensitivity", "aufsicht").text
        assert "Vorplatz Nord" in page
        assert "beobachtet: 7,0 Tage" in page
        assert "Probezeit: 0,0 von 7 Tagen beobachtet" in page
        assert "Ansammlung" in page.split("Vorplatz Nord")[1].split("</tr>")[0]

    def test_a_threshold_is_accepted_and_taken_back(self, desk):
        keeper = desk.system.supervisor.keepers[CAMERA]
        page = desk.get(PAGE, "aufsicht").text
        assert "Annehmen: Abgestellter Gegenstand" in page
        assert "nicht gemessen" in page
        answer = desk.post(f"{PAGE}/accept", "aufsicht", kind=LEFT.value, seen=repr(seen(desk)))
        assert answer.status_code == 303
        assert "angenommen" in desk.get(PAGE, "aufsicht").text
        assert keeper._settings.situations.thresholds[LEFT] < 1
        entry = desk.office.log.find(event=Event.THRESHOLD_ACCEPTED)[0][0]
        assert (entry.by, entry.subject) == ("aufsicht", CAMERA)
        assert desk.post(f"{PAGE}/undo", "aufsicht", kind=LEFT.value).status_code == 303
        assert keeper._settings.situations.thresholds[LEFT] == NEVER

    @pytest.mark.parametrize(
        ("path", "data", "status"),
        [
            (f"{PAGE}/accept", {"kind": "object_left", "seen": "0.123"}, 409),
            (f"{PAGE}/accept", {"kind": "object_left", "seen": "nan"}, 404),
            (f"{PAGE}/accept", {"kind": "object_left", "seen": "viel"}, 404),
            (f"{PAGE}/accept", {"kind": "nonsense", "seen": "0.5"}, 404),
            (f"{PAGE}/accept", {}, 404),
            (f"{PAGE}/undo", {"kind": "object_left"}, 409),
            (f"{PAGE}/undo", {"kind": ""}, 404),
            ("/sensitivity/nowhere/accept", {"kind": "object_left", "seen": "0.5"}, 404),
            ("/sensitivity/nowhere/renew", {}, 404),
        ],
    )
    def test_what_cannot_be_done_changes_nothing_and_says_so(self, desk, path, data, status):
        before = desk.system.control.sensitivity.desk.thresholds(CAMERA)
        answer = desk.post(path, "aufsicht", **data)
        assert answer.status_code == status
        assert desk.system.control.sensitivity.desk.thresholds(CAMERA) == before
        assert not desk.office.log.find(event=Event.THRESHOLD_ACCEPTED)

    def test_a_kind_that_does_not_serve_is_switched_off_by_a_person_alone(self, desk):
        assert "an dieser Kamera nicht verfügbar" in desk.get(PAGE, "aufsicht").text
        assert desk.post(f"{PAGE}/accept", "aufsicht", kind=GATHERING.value, seen=repr(NEVER)).status_code == 303
        assert "hier abgeschaltet" in desk.get(PAGE, "aufsicht").text

    def test_who_answers_for_it_reads_and_supervision_alone_changes(self, desk):
        for person in ("leitstelle-1", "technik", "dsb"):
            page = desk.get(PAGE, person)
            assert page.status_code == 200
            assert "Annehmen kann das die Aufsicht." in page.text
            assert "<button" not in page.text.split("<h1>")[1].split("Alle Arten")[0]
            assert desk.post(f"{PAGE}/accept", person, kind=LEFT.value, seen=repr(seen(desk))).status_code == 403

    def test_a_shadow_begins_anew_by_hand(self, desk):
        assert desk.post(f"{PAGE}/renew", "aufsicht").status_code == 303
        page = desk.get(PAGE, "aufsicht").text
        assert "Probezeit: 0,0 von 7 Tagen beobachtet" in page
        assert "Eine Person hat angegeben" in page

    def test_the_page_speaks_english(self, desk):
        page = desk.request("GET", PAGE, "aufsicht", cookies={"language": "en"}).text
        assert "Trial period" in page or "observed: 7.0 days" in page
        assert "Accept: Object left" in page


class TestElsewhere:
    def test_health_names_what_needs_supervision(self, desk):
        desk.system.control.sensitivity.views()
        desk.clock.sleep(5)
        page = desk.get("/health", "technik").text
        assert "Vorgeschlagene Meldeschwellen warten auf die Aufsicht: Vorplatz Nord" in page
        assert "Arten von Ereignissen sind an einer Kamera nicht verfügbar: Vorplatz Nord (Ansammlung)" in page

    def test_figures_are_counted_by_camera_and_kind(self, desk):
        watch = desk.system.control.sensitivity
        watch.desk.heard(CAMERA, LEFT, 0.6, 3.0, told=True)
        watch.desk.heard(CAMERA, LEFT, 0.4, 3.0, told=False)
        watch.views()
        desk.clock.sleep(5)
        text = desk.get("/metrics", "technik").text
        assert f'blickschutz_episodes_total{{camera="{CAMERA}",kind="object_left"}} 2.0' in text
        assert f'blickschutz_alarms_total{{camera="{CAMERA}",kind="object_left"}} 1.0' in text
        assert f'blickschutz_shadow{{camera="{CAMERA}"}} 0.0' in text
        assert f'blickschutz_kinds_unavailable{{camera="{CAMERA}"}} 1.0' in text
        assert f'blickschutz_budget_used_ratio{{camera="{CAMERA}",kind="person_down"}}' in text

    def test_the_report_tells_what_a_camera_cannot(self, desk):
        report = desk.system.app.state.room.policy.report(date(2023, 11, 1), date(2023, 11, 30), public=False)
        (section,) = [one for one in report.sections if one.title == "Empfindlichkeit"]
        rows = [cells for part in section.parts if isinstance(part, Table) for cells, _ in part.rows]
        assert ("Vorplatz Nord", "Ansammlung") in rows
        texts = [part.text for part in section.parts if not isinstance(part, Table)]
        assert any("Vorplatz Mitte" in text and "Probezeit" in text for text in texts)

    def test_the_terminal_reads_accepts_and_takes_back(self, tmp_path):
        from blickschutz.bootstrap.budget import make_budget
        from blickschutz.cli.users import open_records
        from blickschutz.config.loader import load_site
        from blickschutz.control.service.regime import RegimeKeeper

        path, data = tmp_path / "site.toml", tmp_path / "data"
        shutil.copy(EXAMPLE, path)

        def run(*words):
            return CliRunner().invoke(cli, ["sensitivity", *words, "--site", str(path), "--data", str(data)])

        site, records = load_site(path), open_records(path, data)
        budget = make_budget(site, records, RegimeKeeper(site, SystemClock(), records.office.log), SystemClock())
        budget.keep()
        for number in range(1, 8):
            records.budget.keep(day(number), 1)
        records.keeping.close()
        listed = json.loads(run("list", "--camera", CAMERA, "--json").output.splitlines()[-1])
        (camera,) = listed["cameras"]
        kinds = {one["kind"]: one for one in camera["kinds"]}
        assert kinds["object_left"]["proposed"]["why"] == "first"
        assert kinds["gathering"]["unavailable"] == "noise"
        assert "PROPOSED" in run("list").output
        refused = run("accept", CAMERA, "person_in_zone", "--yes")
        assert refused.exit_code != 0
        accepted = run("accept", CAMERA, "object_left", "--yes")
        assert accepted.exit_code == 0, accepted.output
        assert "is in force" in accepted.output
        assert "never told is in force" in run("undo", CAMERA, "object_left").output
        assert run("undo", CAMERA, "object_left").exit_code != 0
