"""What a person at a desk sees of others' acts and of their own rights: the bar, the stop control, refusals, receipts, the log."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import msgspec
import pytest
from click.testing import CliRunner

from blickschutz.audit.model import Event
from blickschutz.cli.main import cli
from blickschutz.retention.model import Receipt
from blickschutz.retention.rules import receipt_text
from blickschutz.review.model import Case, CaseState
from blickschutz.situations.kinds import Kind, Situation
from tests.desk import CAMERA

CLIP = "ab" * 16


@pytest.fixture
def alert(desk):
    alerts = desk.system.control.alerting.desk
    number = len(alerts.store.find()) + 1
    return alerts.take(CAMERA, Situation(number, Kind.PERSON_DOWN, "z", 1.0, desk.clock.now(), 0.9), notify=True, run="room").id


@pytest.fixture
def all_stopped(desk):
    desk.post("/stop", "technik", reason="Versammlung")
    yield
    desk.post("/resume", "aufsicht", reason="vorbei")
    desk.work()


def stop_of(page):
    return re.search(r'data-live="stop">(.*?)</div>', page, re.S)[1]


class TestBar:
    def test_it_counts_alerts_and_says_that_all_are_stopped(self, desk, alert):
        before = desk.get("/bar?path=/plan", "leitstelle-1").text
        count = int(re.search(r'class="count">(\d+)', before)[1])
        assert 'href="/plan" aria-current="page"' in before
        assert "Alle anhalten" in stop_of(before)
        desk.post(f"/alerts/{alert}/close", "leitstelle-1", outcome="no-finding")
        after = desk.get("/bar", "leitstelle-1").text
        assert (f'class="count">{count - 1}<' in after) == (count > 1)

    def test_it_does_not_offer_what_is_done(self, desk, all_stopped):
        assert "Alle wieder starten" in stop_of(desk.get("/bar", "leitstelle-1").text)
        for person in ("technik", "dsb", "kvd-1"):
            shown = stop_of(desk.get("/bar", person).text)
            assert "Alle angehalten" in shown
            assert "wieder starten" not in shown

    def test_asking_for_it_keeps_no_session_alive(self, desk):
        desk.get("/account", "dsb")
        sessions = desk.office.access.sessions
        token = desk.session("dsb")
        seen = sessions.find(token, touch=False).seen
        desk.clock.sleep(120)
        assert desk.get("/bar", cookies={"session": token}).status_code == 200
        assert sessions.find(token, touch=False).seen == seen


class TestStopping:
    @pytest.mark.parametrize("person", ["technik", "dsb", "kvd-1"])
    def test_whoever_may_only_stop_is_told_who_starts_again(self, desk, person):
        page = desk.get("/stop", person).text
        assert "Sie können jederzeit wieder starten" not in page
        assert "Aufsicht, Leitstelle" in page
        try:
            answer = desk.post("/stop", person, reason="Versammlung")
            assert answer.headers["location"] == "/stop"
            after = desk.get("/stop", person)
            assert after.status_code == 200
            assert "Angehalten: alle Kameras" in after.text
            assert "Aufsicht, Leitstelle" in after.text
            assert '<form method="post" action="/stop"' not in after.text
        finally:
            desk.post("/resume", "aufsicht", reason="vorbei")

    def test_whoever_may_start_again_is_promised_that(self, desk):
        assert "Sie können jederzeit wieder starten" in desk.get("/stop", "leitstelle-1").text


class TestRefused:
    def test_a_refused_page_does_not_look_signed_out_and_says_who_may(self, desk):
        answer = desk.get("/wall", "technik")
        assert answer.status_code == 403
        assert "Abmelden" in answer.text
        assert 'href="/sign-in"' not in answer.text
        assert "Das ist vorgesehen für: Leitstelle" in answer.text
        assert 'href="/health"' in answer.text


class TestAlerts:
    def test_the_panel_holds_the_alert_without_the_page_around_it(self, desk, alert):
        panel = desk.get(f"/alerts/{alert}/panel", "leitstelle-1").text
        assert "<html" not in panel
        assert f'action="/alerts/{alert}/acknowledge"' in panel
        assert "hoch" in panel

    def test_an_acknowledgement_is_taken_back_in_time_only(self, desk, alert):
        assert desk.post(f"/alerts/{alert}/undo", "leitstelle-1").status_code == 409
        desk.post(f"/alerts/{alert}/acknowledge", "leitstelle-1")
        assert desk.post(f"/alerts/{alert}/undo", "leitstelle-1", back="wall").headers["location"] == "/wall"
        desk.post(f"/alerts/{alert}/acknowledge", "leitstelle-1")
        desk.clock.sleep(13)
        answer = desk.post(f"/alerts/{alert}/undo", "leitstelle-1")
        assert answer.status_code == 409
        assert "mehr als zehn Sekunden" in answer.text

    def test_the_queue_names_the_cameras_that_alarm(self, desk, alert):
        queue = desk.get("/alerts/queue", "leitstelle-1").text
        found = re.search(r'data-alarming="([^"]*)"', queue)[1].replace("&#34;", '"').replace("&quot;", '"')
        assert json.loads(found)[CAMERA] == "high"


class TestThemes:
    def test_all_pages_of_one_kind_of_work_have_one_theme(self, desk):
        for person, paths, theme in (
            ("leitstelle-1", ("/wall", "/alerts", "/plan", "/health", "/account", "/regime", "/stop"), "dark"),
            ("aufsicht", ("/cases", "/plan", "/evidence", "/account", "/stop", "/health"), "light"),
            ("dsb", ("/log", "/plan", "/settings", "/policy"), "light"),
        ):
            for path in paths:
                assert f'data-theme="{theme}"' in desk.get(path, person).text, (person, path)


@pytest.fixture
def destroyed(desk):
    """A case whose clip is destroyed; its number and the number of the entry with the receipt."""
    cases, key = desk.office.cases.store, desk.records.archive.key
    clip = f"{len(cases.find(most=1000)) + 0xAB:032x}"
    new = cases.add(Case(0, clip, CAMERA, "sealed", "person_down", desk.clock.now(), CaseState.RECORDING))
    assert cases.close(replace(new, state=CaseState.WAITING, seconds=30.0, size=1000))
    assert desk.get(f"/cases/{new.id}/receipt", "kvd-1").status_code == 404
    assert desk.get(f"/cases/{new.id}/receipt.pdf", "kvd-1").status_code == 404
    about = {"reason": "harmless", "people": ["kvd-1", "kvd-2"], "method": "overwrite", "overwritten": 1000, "derived": 0}
    about |= {"sha256": "00" * 32, "size": 1000, "absent": True, "installation": key.installation, "ending": "overwritten"}
    bare = Receipt(clip=clip, case=new.id, camera=CAMERA, opened=1.0, destroyed=2.0, **about)
    signed = msgspec.structs.replace(bare, signature=key.sign(receipt_text(bare)).hex())
    entry = desk.office.log.write(Event.SHREDDED, "system", clip, msgspec.to_builtins(signed))
    return new.id, entry.number


class TestReceipt:
    def test_the_receipt_of_a_destroyed_clip_is_got_from_its_case_and_verifies(self, desk, destroyed, tmp_path):
        case, _ = destroyed
        answer = desk.get(f"/cases/{case}/receipt", "kvd-1")
        assert f'filename="Loeschprotokoll-Vorgang-{case}-' in answer.headers["content-disposition"]
        path = tmp_path / "receipt.json"
        path.write_bytes(answer.content)
        public = desk.records.archive.key.public.hex()
        assert CliRunner().invoke(cli, ["verify", "receipt", str(path), "--public-key", public]).exit_code == 0
        assert desk.get(f"/cases/{case}/receipt", "technik").status_code == 403

    def test_it_is_had_on_paper_from_the_case_and_from_the_log(self, desk, destroyed):
        case, number = destroyed
        for path, person in ((f"/cases/{case}/receipt.pdf", "kvd-1"), (f"/log/{number}/receipt.pdf", "dsb")):
            answer = desk.get(path, person)
            assert (answer.headers["content-type"], answer.content[:5]) == ("application/pdf", b"%PDF-")
            assert re.search(rf'filename="Loeschprotokoll-Vorgang-{case}-\d{{4}}-\d\d-\d\d\.pdf"', answer.headers["content-disposition"])
            assert desk.get(path, "technik").status_code == 403
        assert f'href="/log/{number}/receipt.pdf"' in desk.get("/log?event=shredded", "dsb").text
        desk.office.log.write(Event.CAMERA_STOPPED, "technik", CAMERA, {"reason": "x"})
        assert desk.get(f"/log/{number + 1}/receipt.pdf", "dsb").status_code == 404


class TestLog:
    def test_entries_are_sentences_and_what_is_for_programs_is_folded(self, desk):
        desk.office.log.write(Event.CAMERA_STOPPED, "technik", CAMERA, {"reason": "Versammlung"})
        desk.office.log.write(Event.ACCESS_REFUSED, "kvd-1", "/wall", {"reason": "role"})
        desk.office.log.write(Event.CLIP_OPENED, "kvd-2", CLIP, {"people": ["kvd-1", "kvd-2"]})
        desk.office.log.write(Event.SETTINGS_CHANGED, "system", "", {"sha256": "cd" * 32, "plan": '{"a": 1}'})
        page = desk.get("/log", "dsb").text
        people = desk.office.access.members
        folded = re.sub(r"<details class=\"raw\">.*?</details>", "", page, flags=re.S)
        text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", folded))
        assert f"{people['technik'].name}: Kamera angehalten · Vorplatz Nord. Grund: Versammlung." in text
        assert "Zugriff abgelehnt · Seite /wall. Grund: nicht für diese Rolle." in text
        assert f"Personen: {people['kvd-1'].name}, {people['kvd-2'].name}." in text
        for hidden in (CLIP, "cd" * 32, '{"a": 1}', "{&#34;"):
            assert hidden not in folded
            assert hidden in page or hidden.startswith("{")
