"""Facts on the pages: a document comes in, two people sign it, the gates count it, a changed setting makes it void."""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import replace
from datetime import UTC, date, datetime

import cv2
import numpy as np
import pytest

from blickschutz.audit.model import Event
from blickschutz.backup.rules import is_kept, is_left
from blickschutz.bootstrap.system import System
from blickschutz.bootstrap.zones import control_profile
from blickschutz.compliance.documents.pack import pack
from blickschutz.compliance.entered import SHEETS, SIGNERS, Standing
from blickschutz.compliance.facts import FactKind, Purpose
from blickschutz.compliance.io.cabinet import FOLDER
from blickschutz.compliance.io.press import render
from blickschutz.compliance.model import Result
from blickschutz.compliance.policy import assess, closed_gates
from blickschutz.control.service.grounds import gather
from blickschutz.kernel.errors import StoreFullError
from blickschutz.wall.model import TileState
from blickschutz.web import limits
from blickschutz.web.fact_words import FACT_KINDS
from blickschutz.web.routes import facts as route
from blickschutz.zones.model import Right
from tests.desk import CAMERA, EXAMPLE, SITE, Desk, site_of
from tests.documents import pdf
from tests.fakes.cells import no_process
from tests.fakes.clock import ManualClock
from tests.unit.test_claims import picture
from tests.unit.test_documents import as_text

DAY, TEXT = "2026-01-05", "Das Gutachten sieht keine Bedenken."
CSV = """kind;place;role;period;event;from;to;unit;exposure;offences;identity_checks
Raub;Platz;watched;before;;2025-11-01;2025-11-30;days;30;12;9
Raub;Platz;watched;after;;2026-01-01;2026-01-10;days;10;7;3
"""


# A small picture that claims to be huge: it must not be unpacked.
HUGE = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + (60_000).to_bytes(4) * 2 + b"\x08\x00\x00\x00\x00" + b"\x00" * 2000


class Papers(Desk):
    """Pages to which documents are handed in."""

    def hand_in(
        self, who, data, kind="rechtsgutachten-ki", name="gutachten.pdf", day=DAY, text="Das Gutachten sieht keine Bedenken.", **more
    ):
        fields = {"kind": kind, "day": day, "text": text}
        return self.request("POST", "/facts", who, data=fields, files={"document": (name, data, "application/pdf")}, **more)

    def photograph(self, data, sign):
        fields = {"kind": "schild-foto", "day": DAY, "text": "hängt lesbar", "subject": sign}
        return self.request("POST", "/facts", "technik", data=fields, files={"document": ("schild.jpg", data, "image/jpeg")})

    def picture(self, data, camera):
        fields = {"kind": "abnahme-bild", "day": DAY, "text": "Bild der Abnahme", "subject": camera}
        return self.request("POST", "/facts", "technik", data=fields, files={"document": ("bild.jpg", data, "image/jpeg")})

    def entered(self, who, data, kind="rechtsgutachten-ki", **more):
        """The address of a fact that was taken."""
        answer = self.hand_in(who, data, kind, **more)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def sign(self, who, address, **more):
        return self.post(f"{address}/sign", who, **{"read": "1", "settings": self.system_policy.desk.settings, **more})

    def rule(self, name):
        """What a rule says of the running site now."""
        found, _ = self.system_policy.assessed()
        return next(one.answer for one in found if one.rule.id == name)

    @property
    def system_policy(self):
        return self.system.app.state.room.policy

    def files(self):
        folder = self.folder / "state" / FOLDER
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def papers(tmp_path):
    desk = Papers(tmp_path, ManualClock(datetime(2026, 1, 20, 12, tzinfo=UTC).timestamp() - 1.7e9))
    yield desk
    desk.close()


def test_a_document_is_entered_signed_by_two_counted_by_its_gate_and_given_out_byte_for_byte(papers):
    assert papers.rule("RG-04").result is not Result.HOLDS
    data = pdf("Gutachten")
    address = papers.entered("technik", data)
    assert "wartet noch auf zwei Unterschriften" in papers.rule("RG-04").text[0]
    page = papers.get(address, "aufsicht").text
    assert "Stimmt das?" in page
    assert "gutachten.pdf" in page
    assert papers.sign("technik", address).status_code == 303
    assert papers.rule("RG-04").result is Result.UNKNOWN
    assert papers.sign("aufsicht", address).status_code == 303
    answer = papers.rule("RG-04")
    assert answer.result is Result.HOLDS
    names = [papers.office.access.members[one].name for one in ("aufsicht", "technik")]
    assert f"unterschrieben von {names[0]} (aufsicht) und {names[1]} (administration)" in answer.text[0]
    assert f"signed by {names[0]} (aufsicht) and {names[1]} (administration)" in answer.text[1]
    given = papers.get(f"{address}/document", "dsb")
    assert given.content == data
    assert given.headers["content-disposition"] == "attachment; filename*=UTF-8''gutachten.pdf"
    told = [(entry.event, entry.by) for entry in papers.office.log.between([*map(Event, ("fact-entered", "fact-signed"))], 0, 9e12)]
    assert told == [(Event.FACT_ENTERED, "technik"), (Event.FACT_SIGNED, "technik"), (Event.FACT_SIGNED, "aufsicht")]


def test_the_same_person_is_not_two_and_each_kind_has_its_signers(papers):
    address = papers.entered("aufsicht", pdf("DSFA"), "dsfa")
    for who, status in (("dsb", 409), ("aufsicht", 303), ("aufsicht", 409), ("dsb", 409), ("technik", 303)):
        assert papers.sign(who, address).status_code == status, who
    assert "beide Unterschriften" in papers.sign("dsb", address).text
    advice = papers.entered("dsb", pdf("Rat"), "rat-datenschutz")
    for who, status in (("technik", 409), ("aufsicht", 303), ("technik", 409), ("dsb", 303)):
        assert papers.sign(who, advice).status_code == status, who
    answer = papers.rule("DF-01")
    assert answer.result is Result.HOLDS
    assert answer.text[0].count("unterschrieben von") == 2


def test_controller_officer_and_approver_are_never_the_same_person():
    """The officer has a role that no signer of the approval may have, and two sign."""
    officer = SIGNERS[FactKind.DPO_ADVICE.value][0]
    assert not officer & (SIGNERS[FactKind.DPIA.value][0] | SIGNERS[FactKind.DPIA.value][1])
    assert set(SIGNERS) == set(FACT_KINDS)


def test_nothing_is_signed_unread(papers):
    address = papers.entered("technik", pdf("Blatt"), "informationsblatt")
    answer = papers.post(f"{address}/sign", "technik")
    assert answer.status_code == 422
    assert "bestätigen Sie das mit dem Haken" in answer.text
    assert papers.events(Event.FACT_SIGNED) == []


def test_a_changed_setting_makes_signatures_void_and_says_so(tmp_path, papers):
    address = papers.entered("technik", pdf("Gutachten"))
    for who in ("technik", "aufsicht"):
        papers.sign(who, address)
    assert papers.rule("RG-04").result is Result.HOLDS
    other = papers.system.site.model_copy(update={"wall": papers.system.site.wall.model_copy(update={"width": 640})})
    papers.records.keeping.close()
    changed = Papers(tmp_path, papers.clock, other)
    try:
        answer = changed.rule("RG-04")
        assert answer.result is Result.BROKEN
        assert "Einstellungen haben sich geändert" in answer.text[0]
        assert "sign anew" in answer.text[1]
        assert "Die Unterschriften gelten nicht mehr" in changed.get(address, "aufsicht").text
        for who in ("aufsicht", "technik"):
            assert changed.sign(who, address).status_code == 303
        assert changed.rule("RG-04").result is Result.HOLDS
    finally:
        changed.close()


NO_EVIDENCE = (
    ({"data": b""}, "Bitte wählen Sie eine Datei"),
    ({"data": pdf("x")[:300] + b"%%EOF"}, "kleiner als 1 KiB"),
    ({"data": b"nur Text " * 500}, "lässt sich nicht öffnen"),
    ({"data": b"%PDF-1.7\n" + b"x" * 5000}, "lässt sich nicht öffnen"),
    ({"data": b"%PDF-1.7\n" + b"x" * 5000 + b"\n%%EOF\n"}, "lässt sich nicht öffnen"),
    ({"data": pdf("a")[:-200]}, "lässt sich nicht öffnen"),
    ({"data": HUGE}, "lässt sich nicht öffnen"),
    ({"data": pdf("a"), "kind": "etwas"}, "was das Dokument belegt"),
    ({"data": pdf("a"), "day": "2999-01-01"}, "nicht in der Zukunft"),
    ({"data": pdf("a"), "day": "gestern"}, "nicht in der Zukunft"),
    ({"data": pdf("a"), "text": "…"}, "was festgestellt wurde"),
)


def test_what_is_no_evidence_is_refused_in_words_and_leaves_nothing(papers):
    for more, words in NO_EVIDENCE:
        answer = papers.hand_in("technik", **more)
        assert answer.status_code == 422, more
        assert words in answer.text
    assert papers.files() == []
    assert papers.events(Event.FACT_ENTERED) == []


def test_each_document_has_one_purpose(papers):
    papers.entered("technik", pdf("Gutachten"))
    answer = papers.hand_in("technik", pdf("Gutachten"), "wartungsvertrag")
    assert answer.status_code == 422
    assert "Rechtsgutachten zur KI-Auswertung." in answer.text
    assert "dafür schon eingetragen" in papers.hand_in("aufsicht", pdf("Gutachten")).text
    assert len(papers.files()) == 1


def test_a_file_that_is_too_large_is_thrown_away_while_it_comes(papers, monkeypatch):
    monkeypatch.setattr(route, "MOST_UPLOAD", 100_000)
    answer = papers.hand_in("technik", pdf("x") + b"y" * 3_000_000)
    assert answer.status_code == 413
    assert "größer als 32 MiB" in answer.text
    assert papers.files() == []


def test_of_a_form_that_is_cut_off_nothing_is_left(papers):
    body = b'--x\r\nContent-Disposition: form-data; name="document"; filename="a.pdf"\r\n\r\n' + pdf("x")
    for sent in (body, body + b"\r\n--y--", b"", b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--\r\n"):
        answer = papers.request("POST", "/facts", "technik", content=sent, headers={"Content-Type": "multipart/form-data; boundary=x"})
        assert answer.status_code == 422
        assert "kam nicht vollständig an" in answer.text
    assert papers.files() == []


def test_files_are_taken_from_people_with_the_right_alone_and_on_this_page_alone(papers):
    assert papers.hand_in("", pdf("x")).headers["location"].startswith("/sign-in?back=/facts")
    assert papers.hand_in("leitstelle-1", pdf("x")).status_code == 403
    assert papers.request("POST", "/documents", "technik", files={"document": ("x.pdf", pdf("x"))}).status_code == 415
    assert papers.files() == []
    assert limits.MOST_UPLOAD < limits.MOST_READ


def test_who_may_not_is_refused_before_a_byte_of_the_file_is_read(papers):
    """Nobody can fill memory or disk by sending files to a page they may not use."""
    asked = []

    async def body():
        asked.append(1)
        yield pdf("x")

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert papers.request("POST", "/facts", "leitstelle-1", content=body(), headers=headers).status_code == 403
    assert papers.request("POST", "/facts", content=body(), headers=headers, cookies={"session": "nobody"}).status_code == 303
    assert asked == []


def test_an_altered_document_counts_no_longer_and_is_not_given_out(papers):
    address = papers.entered("technik", pdf("Gutachten"))
    for who in ("technik", "aufsicht"):
        papers.sign(who, address)
    (name,) = papers.files()
    (papers.folder / "state" / FOLDER / name).write_bytes(pdf("anderes"))
    papers.system_policy.changed()
    assert papers.rule("RG-04").result is Result.BROKEN
    answer = papers.get(f"{address}/document", "dsb")
    assert answer.status_code == 409
    assert "nicht mehr dasselbe" in answer.text


def test_a_withdrawn_fact_counts_no_longer_and_its_document_may_be_entered_again(papers):
    address = papers.entered("technik", pdf("Gutachten"))
    for who in ("technik", "aufsicht"):
        papers.sign(who, address)
    assert papers.post(f"{address}/withdraw", "dsb").status_code == 422
    assert papers.post(f"{address}/withdraw", "dsb", reason="falsche Fassung").status_code == 303
    assert papers.rule("RG-04").result is not Result.HOLDS
    assert papers.sign("dsb", address).status_code == 409
    assert papers.post(f"{address}/withdraw", "dsb", reason="noch einmal").status_code == 409
    assert papers.entered("technik", pdf("Gutachten")) != address


def test_what_a_command_sees_of_a_stopped_site_is_the_same(papers):
    address = papers.entered("technik", pdf("Gutachten"))
    for who in ("technik", "aufsicht"):
        papers.sign(who, address)
    g = gather(papers.system.site, EXAMPLE, papers.records.inspected, papers.clock)
    assert next(one for one in assess(g) if one.rule.id == "RG-04").answer.result is Result.HOLDS
    assert [one.standing(g.settings) for one in g.entered] == [Standing.SIGNED]


def test_where_no_entry_can_be_written_no_document_is_kept(papers, monkeypatch):
    def full(*args):
        raise StoreFullError("full")

    papers.session("technik")
    monkeypatch.setattr(papers.office.log, "write", full)
    assert papers.hand_in("technik", pdf("xyz")).status_code == 503
    assert papers.files() == []


def test_figures_of_the_police_come_by_two_people_and_stand_in_the_report(papers):
    wrong = CSV.replace("2025-11-30", "2025-10-30").replace(";7;", ";viele;")
    answer = papers.hand_in("technik", wrong.encode(), "kriminalstatistik", "pks.csv", text="")
    assert answer.status_code == 422
    assert "pks.csv:2: der Zeitraum endet, bevor er beginnt" in answer.text
    assert "pks.csv:3" in answer.text
    english = papers.hand_in("technik", wrong.encode(), "kriminalstatistik", "pks.csv", text="", cookies={"language": "en"})
    assert "pks.csv:2: the period ends before it begins" in english.text
    period = "first=2026-01-01&last=2026-01-31"
    address = papers.entered("technik", CSV.encode(), "kriminalstatistik", name="pks.csv", text="")
    papers.sign("technik", address)
    assert "Raub" not in papers.get(f"/report?{period}", "dsb").text
    papers.sign("dsb", address)
    page = papers.get(f"/report?{period}", "dsb").text
    assert "Raub: Platz (beobachtet)" in page
    assert f'<a href="{address}">' in page
    # They are for another time: the report says so, and prints nothing of them.
    other = papers.get("/report?first=2026-01-05&last=2026-01-31", "dsb").text
    assert "Raub: Platz" not in other
    assert "„nachher“ liegt nicht im Zeitraum des Berichts" in other
    assert papers.get(f"{address}/document", "dsb").content == CSV.encode()


def test_pages_are_whole_in_both_languages(papers):
    address = papers.entered("technik", pdf("Gutachten"))
    for language, word in (("de", "Nachweise"), ("en", "Proofs")):
        for path in ("/facts", address):
            page = papers.get(path, "aufsicht", cookies={"language": language}).text
            assert word in page
            # Each field has a label, so that a screen reader and a keyboard find it.
            fields = re.findall(r'<(?:input|select|textarea) (?![^>]*type="hidden")[^>]*id="([\w-]+)"', page)
            assert set(fields) <= set(re.findall(r'<label[^>]*for="([\w-]+)"', page))


def test_the_folder_of_documents_lies_in_what_the_control_room_may_write(tmp_path):
    profile = control_profile(SITE, tmp_path, tmp_path / "data", str(EXAMPLE))
    grants = [one for one in profile.files if (tmp_path / "data" / FOLDER).is_relative_to(one.path)]
    assert any(one.rights & Right.CHANGE == Right.CHANGE and one.rights & Right.READ == Right.READ for one in grants)


def test_a_site_that_is_prepared_has_pages_and_no_camera(tmp_path, papers):
    """Gates are closed at first, and signatures take accounts."""
    papers.records.keeping.close()
    system = System(papers.system.site, tmp_path, papers.clock, no_process, data=tmp_path / "state", preparing=True)
    papers.system, papers.records, papers.office = system, system.records, system.records.office
    system.supervisor.start(system.control.guard)
    system.records.keeping.log_start()
    assert {(keeper.state, keeper.process) for keeper in system.supervisor.keepers.values()} == {(TileState.STOPPED, None)}
    assert system.control.alerting.source is None
    assert papers.events(Event.SYSTEM_STARTED)[0].facts["preparing"] is True
    assert "Vorbereitung: Es läuft keine Kamera" in papers.get("/facts", "aufsicht").text
    refused = papers.post("/resume", "aufsicht", reason="los")
    assert refused.status_code == 409
    assert "es läuft keine Kamera" in refused.text
    assert papers.api("POST", f"/cameras/{CAMERA}/resume", papers.token("aufsicht"), json={"reason": "los"}).status_code == 409
    assert papers.events(Event.CAMERA_RESUMED) == []
    papers.entered("technik", pdf("Gutachten"))


def test_an_upload_that_drips_or_never_ends_is_cut_off():
    """The route hears that whoever sends has gone; what it began it throws away."""
    taken = []

    async def page(scope, receive, send):
        while (message := await receive())["type"] == "http.request":
            taken.append(len(message["body"]))

    async def drip():
        if len(taken) > 2:
            await asyncio.sleep(30)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def flood():
        return {"type": "http.request", "body": b"x" * 1000, "more_body": True}

    scope = {"type": "http", "method": "POST", "path": "/facts", "headers": [(b"content-type", b"multipart/form-data; boundary=x")]}
    bound = limits.BodyLimit(page, uploads=["/facts"], upload_s=0.05, most_read=50_000)
    asyncio.run(bound(scope, drip, None))
    assert taken == [1, 1, 1]
    taken.clear()
    asyncio.run(bound(scope, flood, None))
    assert sum(taken) == 51_000


def test_documents_belong_to_the_backup_and_half_ones_do_not():
    assert is_kept(f"{FOLDER}/{'a' * 64}")
    assert is_left(f"{FOLDER}/.incoming-00")
    assert not is_kept(f"{FOLDER}/../control.db")


PURPOSES = "Kamera;Zweck;Begründung;Bereich\r\nvorplatz-nord;Öffentliche Aufgabe;Sachbeschädigung an Rädern;nicht öffentlich\r\n"
SIGNS = "id;x;y\nschild-sued;0,5;0.97\nschild-nord;0.5;0.02\n"
ADDRESS = "https://www.stadt.example/videoschutz"


def signed_table(papers, kind, text, name="tabelle.csv"):
    address = papers.entered("technik", text.encode(), kind, name=name, text="")
    for who in ("aufsicht", "technik"):
        assert papers.sign(who, address).status_code == 303
    return address


def test_purposes_are_handed_in_as_a_table_shown_signed_by_two_and_counted(papers):
    address = papers.entered("technik", PURPOSES.encode(), "zwecke", name="zwecke.csv", text="")
    page = papers.get(address, "aufsicht").text
    assert '<th scope="col">Begründung</th>' in page
    assert "Sachbeschädigung an Rädern" in page
    assert papers.system_policy.desk.in_force().grounds[0].reason != "Sachbeschädigung an Rädern"
    for who, status in (("dsb", 409), ("aufsicht", 303), ("technik", 303)):
        assert papers.sign(who, address).status_code == status
    (ground,) = papers.system_policy.desk.in_force().grounds
    assert (ground.camera, ground.purpose, ground.area) == ("vorplatz-nord", Purpose.PUBLIC_TASK, "nicht-oeffentlich")
    assert "vorplatz-mitte" in papers.rule("RG-01").text[0]
    template = papers.get("/facts/tables/zwecke.csv", "dsb")
    assert template.content.decode("utf-8-sig").splitlines()[1].startswith("vorplatz-nord;oeffentliche_aufgabe;Sachbeschädigung")
    assert papers.get("/facts/tables/dsfa.csv", "dsb").status_code == 404


def test_every_table_that_can_be_fetched_can_be_handed_in_again(papers):
    for number, sheet in enumerate(SHEETS):
        data = papers.get(f"/facts/tables/{sheet}.csv", "technik").content
        rows = data.decode("utf-8-sig").splitlines()
        answer = papers.hand_in("technik", data, sheet, name=f"{number}.csv", text="")
        assert answer.status_code == (303 if len(rows) > 1 else 422), (sheet, answer.text)
        english = papers.get(f"/facts/tables/{sheet}.csv", "technik", cookies={"language": "en"}).content
        assert english != data


def test_each_line_of_a_table_that_does_not_fit_is_named(papers):
    for table, words in (
        (
            "Kamera;Zweck;Begründung;Bereich\nx;spaß;y;oeffentlich\nx;hausrecht;;oeffentlich\n",
            ("t.csv:2: Zweck", "t.csv:3: Begründung: das Feld ist leer", "t.csv:3: x kommt schon in Zeile 2 vor"),
        ),
        ("Kamera;Farbe\nx;rot\n", ("t.csv:1: diese Spalte gibt es nicht: Farbe",)),
        ("Kamera;Zweck\nx\n", ("t.csv:2: es sind 1 Felder, 2 müssen es sein",)),
        ("Kamera;Zweck\n", ("die Tabelle hat keine Zeile",)),
    ):
        answer = papers.hand_in("technik", table.encode(), "zwecke", name="t.csv", text="")
        assert answer.status_code == 422
        for word in words:
            assert word in answer.text, (word, answer.text)
    incidents = "camera,first,last,count,source\nx,1.2.2026,1.1.2026,viele,Polizei\n"
    answer = papers.hand_in("technik", incidents.encode(), "vorfaelle", name="t.csv", text="", cookies={"language": "en"})
    assert "t.csv:2: count" in answer.text
    assert "a whole number" in answer.text
    assert papers.files() == []


def test_a_photograph_of_a_sign_is_decoded_shown_and_counted_for_that_sign_alone(papers):
    assert "das Schild, das auf dem Foto zu sehen ist" in papers.photograph(picture(ADDRESS), "schild-neu").text
    signed_table(papers, "schilder", SIGNS)
    for data, words in (
        (picture(), "Bildcode des Schilds nicht zu lesen"),
        (picture(ADDRESS, 320), "mindestens 480 Bildpunkten"),
        (pdf("Foto"), "mindestens 480"),
    ):
        assert words in papers.photograph(data, "schild-sued").text
    signed_table(papers, "angaben-anlage", ALL_TABLES["angaben-anlage"])
    for code in (f"{ADDRESS}#schild-nord", "https://www.other.example/"):
        answer = papers.photograph(picture(code), "schild-sued")
        assert answer.status_code == 422
        assert f"anderen Anlage. Er sagt: {code}." in answer.text
    answer = papers.photograph(picture(ADDRESS), "schild-sued")
    assert answer.status_code == 303
    address = answer.headers["location"]
    page = papers.get(address, "dsb").text
    assert f"<dd>{ADDRESS}</dd>" in page
    assert "(schild-sued)" in page
    assert "dafür schon eingetragen" in papers.photograph(picture(ADDRESS), "schild-nord").text
    for who in ("technik", "dsb"):
        assert papers.sign(who, address).status_code == 303
    sued, nord = papers.system_policy.desk.in_force().signs
    assert (sued.id, sued.photo.startswith("Nachweis"), sued.checked) == ("schild-sued", True, date.fromisoformat(DAY))
    assert (nord.photo, nord.checked) == ("", None)


def test_particulars_of_the_site_come_as_a_table_too(papers):
    table = (
        "Angabe;Wert\nVerantwortlicher: Name;Stadt\nEmpfänger;Polizei\nEmpfänger;Staatsanwaltschaft\nVerantwortlicher: Anschrift;Platz 1\n"
    )
    assert "Verantwortlicher: Telefon: das Feld ist leer" in papers.hand_in("technik", table.encode(), "angaben-anlage", text="").text
    assert (
        "diese Angabe gibt es nicht: Farbe" in papers.hand_in("technik", (table + "Farbe;rot\n").encode(), "angaben-anlage", text="").text
    )
    signed_table(papers, "angaben-anlage", table + "Verantwortlicher: Telefon;0631 365\nVerantwortlicher: E-Mail;a@stadt.example\n")
    facts = papers.system_policy.desk.in_force()
    assert facts.controller.name == "Stadt"
    assert facts.recipients == ("Polizei", "Staatsanwaltschaft")


def test_the_bar_counts_what_waits_for_my_signature(papers):
    assert 'href="/facts"' not in papers.get("/account", "dsb").text.split("</nav>")[0]
    address = papers.entered("technik", pdf("Rat"), "rat-datenschutz")
    for who, count in (("dsb", 1), ("aufsicht", 1), ("technik", 0)):
        bar = papers.get("/account", who).text.split("</nav>")[0]
        assert ('Nachweise <span class="count">1</span>' in bar) == bool(count), who
    papers.sign("dsb", address)
    assert 'class="count">1' not in papers.get("/account", "dsb").text.split("</nav>")[0]
    assert "Nachweise" in papers.get("/account", "aufsicht").text.split("</nav>")[0]


def test_a_public_report_printed_again_is_the_one_that_is_out_of_the_house(papers):
    """Printed anew it could differ by one late entry, and both together would tell it."""
    period = "first=2023-01-11&last=2023-01-20&public=1"
    first = papers.get(f"/report.pdf?{period}", "dsb")
    assert first.content.startswith(b"%PDF")
    papers.office.log.write(Event.CAMERA_STOPPED, "dsb", CAMERA, {"reason": "Versammlung"})
    for _ in range(2):
        assert papers.get(f"/report.pdf?{period}", "technik").content == first.content
    # Inside the house it is printed as it is now; other periods of the public share no day with it.
    inside = papers.get("/report.pdf?first=2023-01-11&last=2023-01-20", "dsb")
    assert inside.status_code == 200
    assert inside.content != first.content
    assert papers.get("/report.pdf?first=2023-01-05&last=2023-01-12&public=1", "dsb").status_code == 409
    told = [entry.facts for entry, _ in papers.office.log.find(event=Event.DOCUMENTS_PRINTED) if entry.facts.get("public")]
    assert len({facts["sha256"] for facts in told}) == 1
    (papers.folder / "state" / FOLDER / str(told[0]["sha256"])).unlink()
    gone = papers.get(f"/report.pdf?{period}", "dsb")
    assert gone.status_code == 409
    assert "bitte verwenden Sie den gedruckten" in gone.text


def test_a_public_report_of_an_older_version_is_not_printed_anew(papers):
    facts = {"documents": 1, "report": "2023-01-01 2023-01-10", "public": True, "settings": "x"}
    papers.office.log.write(Event.DOCUMENTS_PRINTED, "terminal", facts=facts)
    assert papers.get("/report.pdf?first=2023-01-01&last=2023-01-10&public=1", "dsb").status_code == 409


ACCEPTED = (
    "Kamera;Tag;Person;Zweite Person;Gemessene Pixel je Meter;Verpixelung bei Tag;Anhalten wirkt\n"
    f"{CAMERA};5.1.2026;Frau Fuchs;Herr Hase;46,5;ja;nein\n"
)
RESTART = (
    "Person;Zuletzt geprüft;Längster Ausfall in Stunden;Zu verständigen, in dieser Reihenfolge\n"
    "Frau Fuchs;5.1.2026;48;Leitstelle 110 / Technik, Herr Hase\n"
)


def document(papers, key):
    """What a paper would say now."""
    g = gather(papers.system.site, None, papers.records.inspected, papers.clock)
    return next(one for one in pack(g) if one.key == key), g


def test_acceptances_and_restart_are_two_person_tables_and_their_picture_is_shown_and_printed(papers):
    signed_table(papers, "abnahmen", ACCEPTED)
    found, g = document(papers, "abnahme")
    text = as_text(found)
    assert "von | Frau Fuchs und Herr Hase" in text
    assert "gemessen 46 px/m" in text
    assert "Anhalten wirkt | NICHT bestanden" in text
    assert "Abnahmen | unterschrieben von" in text
    data = picture()
    for fields, words in (({"subject": "x"}, "Kamera, deren Bild es ist"), ({"subject": CAMERA, "data": pdf("Bild")}, "Das ist kein Bild")):
        assert words in papers.picture(fields.get("data", data), fields["subject"]).text
    address = papers.picture(data, CAMERA).headers["location"]
    shown = papers.get(f"{address}/picture", "dsb")
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.content != data
    assert f'<img src="{address}/picture" alt="Bild der Abnahme, Kamera ' in papers.get(address, "dsb").text
    for who in ("technik", "aufsicht"):
        assert papers.sign(who, address).status_code == 303
    found, g = document(papers, "abnahme")
    assert b"/Subtype/Image" in render(found, g).replace(b" ", b"")
    (papers.folder / "state" / FOLDER / hashlib.sha256(data).hexdigest()).write_bytes(picture(ADDRESS))
    assert f"OFFEN: verpixeltes Bild der Kamera {papers.system.site.cameras[0].name}" in as_text(document(papers, "abnahme")[0])
    signed_table(papers, "wiederanlauf", RESTART)
    text = as_text(document(papers, "wiederanlauf")[0])
    assert "Zu verständigen, in dieser Reihenfolge: Leitstelle 110; Technik, Herr Hase." in text
    assert "Längster Ausfall: 48 Stunden." in text
    assert "Angaben zum Wiederanlauf | unterschrieben von" in text
    template = papers.get("/facts/tables/wiederanlauf.csv", "dsb").content.decode("utf-8-sig")
    assert "Leitstelle 110 / Technik, Herr Hase" in template


def test_one_person_alone_or_a_day_to_come_accepts_no_camera(papers):
    for change in (("Herr Hase", "Frau  Fuchs"), ("5.1.2026", "5.1.2027")):
        signed_table(papers, "abnahmen", ACCEPTED.replace(*change), name=f"{change[1]}.csv")
        assert "von | OFFEN" in as_text(document(papers, "abnahme")[0])
    for table, kind, words in (
        (ACCEPTED.replace(CAMERA, "turm"), "abnahmen", "die Kamera „turm“ gibt es nicht"),
        (RESTART + "Herr Hase;6.1.2026;24;Wache\n", "wiederanlauf", "die Tabelle hat nur eine Zeile"),
    ):
        answer = papers.hand_in("technik", table.encode(), kind, name="t.csv", text="")
        assert (answer.status_code, words in answer.text) == (422, True)


def test_a_photograph_is_shown_and_everything_else_is_not(papers):
    signed_table(papers, "schilder", SIGNS)
    address = papers.photograph(picture(ADDRESS, 2000), "schild-sued").headers["location"]
    shown = cv2.imdecode(np.frombuffer(papers.get(f"{address}/picture", "dsb").content, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (1600, 1600, 3)
    assert 'alt="Foto des Schilds schild-sued"' in papers.get(address, "dsb").text
    opinion = papers.entered("technik", pdf("Gutachten"))
    assert papers.get(f"{opinion}/picture", "dsb").status_code == 404
    assert "<figure" not in papers.get(opinion, "dsb").text
    assert papers.get(f"{address}/picture", "leitstelle-1").status_code == 403


# What opens every gate of a site with two cameras, from the pages alone: kind, what it says, and who stands for it and confirms it.
_BOTH = ("aufsicht", "technik")
ALL_TABLES = {
    "angaben-anlage": "Angabe;Wert\n"
    + "".join(
        f"{who}: {key};{value}\n"
        for who in ("Verantwortlicher", "Datenschutzbeauftragte")
        for key, value in (("Name", f"Stelle {who}"), ("Anschrift", "Platz 1"), ("Telefon", "0631 365"), ("E-Mail", "a@stadt.example"))
    )
    + f"Empfänger;Polizei\nAushang des Informationsblatts;Bürgerbüro\nInternetadresse des Informationsblatts;{ADDRESS}\n",
    "zwecke": "camera;purpose;reason;area\n" + "".join(f"{one.id};hausrecht;Schäden am Haus;öffentlich\n" for one in site_of().cameras),
    "vorfaelle": "camera;first;last;count;source\n" + "".join(f"{one.id};1.1.2025;31.12.2025;7;Polizei\n" for one in site_of().cameras),
    "wege": "id;name;points\nsued;von Süden;0,5 1,0 / 0,5 0,62\n",
    "schilder": "id;x;y\nschild-sued;0,5;0,97\n",
}
ALL_DOCUMENTS = {
    "mildere-mittel": "Licht und Streifen wurden versucht; die Zahl der Vorfälle blieb gleich.",
    "rechtsgutachten-ki": "Keine Bedenken.",
    "rat-datenschutz": "Der Rat liegt vor.",
    "dsfa": "Freigegeben.",
    "restrisiko-vertretbar": "Das Restrisiko ist gering.",
    "protokollfrist": "vierundzwanzig Monate, bis zur Evaluation",
    "verarbeitungsverzeichnis": "Vollständig.",
    "personalrat": "Der Personalrat hat am 3. Mai 2025 zugestimmt.",
    "zeiten-veroeffentlicht": "Im Amtsblatt.",
    "ki-einstufung": "Kein Hochrisiko.",
    "schulung-bediener": "Alle geschult.",
    "wartungsvertrag": "Nur unter Aufsicht; jeder Besuch steht im Protokoll.",
}


def test_every_gate_of_a_site_is_opened_from_the_pages_alone(tmp_path, papers):
    """No facts file beside it: what counts is what two accounts signed."""
    path = tmp_path / "anlage.toml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    papers.system_policy._path = papers.system_policy.desk._path = path

    def gates():
        found, _ = papers.system_policy.assessed()
        return [one.rule.id for one in closed_gates(found)]

    assert len(gates()) == 13
    for kind, table in ALL_TABLES.items():
        signed_table(papers, kind, table)
    address = papers.photograph(picture(ADDRESS), "schild-sued").headers["location"]
    for who in _BOTH:
        assert papers.sign(who, address).status_code == 303
    for kind, text in ALL_DOCUMENTS.items():
        address = papers.entered("technik", pdf(kind), kind, text=text)
        for who in ("dsb", "aufsicht") if kind == "rat-datenschutz" else _BOTH:
            assert papers.sign(who, address).status_code == 303, kind
    assert gates() == []
    g = gather(papers.system.site, path, papers.records.inspected, papers.clock)
    assert g.facts.facts
    assert closed_gates(assess(replace(g, entered=()))) != []
