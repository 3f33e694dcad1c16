"""Papers that an office needs besides: each is filled from what somebody recorded, and says OFFEN where nobody did."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from msgspec import json, structs

from blickschutz.access.model import Member, Role
from blickschutz.audit.model import Event
from blickschutz.cli.main import cli
from blickschutz.compliance.documents import words
from blickschutz.compliance.documents.duty import duty_letter
from blickschutz.compliance.documents.model import Picture, Source, Table
from blickschutz.compliance.documents.necessity import QUESTIONS
from blickschutz.compliance.documents.pack import pack
from blickschutz.compliance.documents.receipt import receipt_paper
from blickschutz.compliance.documents.upkeep import CHECKLIST
from blickschutz.compliance.facts import FactKind, Facts
from blickschutz.compliance.io.documents import load_facts, look_at
from blickschutz.compliance.io.press import render
from blickschutz.compliance.recorded import Acceptance, Assignment, Breach, Classified, Clause, Commitment, Danger, Restart, Training, Visit
from blickschutz.config.hosts import CopyPlace, HostedCamera, Hosts
from blickschutz.kernel.errors import FaultError, SettingsError
from blickschutz.retention.model import CopyProof, Ending, Receipt, Why
from blickschutz.retention.rules import METHODS, proof_text, receipt_text
from blickschutz.rights.model import Duty, DutySource
from blickschutz.vault.io.files import InstallationKey
from tests.conftest import ROOT
from tests.unit.test_documents import as_text
from tests.unit.test_policy import NOW, SITE, entry, facts_with, whole

DAY = date(2026, 11, 3)
CAMERA = SITE.cameras[0]
PAPERS = (
    "dienstvereinbarung",
    "erforderlichkeit",
    "ki-einstufung",
    "rollenkonzept",
    "wartung",
    "verpflichtung-schulung",
    "abnahme",
    "protokolle",
    "brief-information-de",
    "brief-information-en",
    "datenpanne-meldung",
    "datenpanne-benachrichtigung",
    "wiederanlauf",
    "evaluation",
)


def document(key, g):
    return next(one for one in pack(g) if one.key == key)


def bare():
    """A site of which nobody recorded anything, and that never ran."""
    return replace(whole(), facts=Facts(), documents={}, entered=(), log={}, members=(), rows=None)


def rows(found, title):
    section = next(one for one in found.sections if one.title == title)
    return [cells for part in section.parts if isinstance(part, Table) for cells, _ in part.rows]


@pytest.mark.parametrize("key", PAPERS)
def test_a_paper_of_which_nobody_recorded_anything_is_open_and_still_prints(key):
    found = document(key, bare())
    assert any(not one.known for one in found.sentences())
    assert render(found, bare()).startswith(b"%PDF")


def test_what_somebody_recorded_takes_the_place_of_open():
    """Each section of the facts file changes the paper that it is for, to what was written."""
    person, by = "Frau Adam", "Herr Berg"
    facts = {
        "assignments": (Assignment(role=Role.REVIEW, person=person, deputy=by, reviewed=date(2026, 8, 31)),),
        "commitments": (Commitment(person=person, date=DAY, by=by),),
        "trainings": (Training(person=person, date=DAY, trainer=by, content="Sichtung", examined="bestanden"),),
        "visits": (Visit(date=DAY, firm="Firma Wart", person="Herr Techniker", escort=person, work="Netzteil", media="blieben im Haus"),),
        "contract": (Clause(point="keine-fernwartung", met=False, where="§ 7 erlaubt sie", person=person, date=DAY),),
        "classification": (Classified(point="anhang-iii-1", answer="nein", reason="keine Biometrie", person=person, date=DAY),),
        "restart": Restart(person=person, reviewed=DAY, longest_hours=24, contacts=("Leitstelle 110", "Firma Wart")),
    }
    g = facts_with(whole(), **facts)
    roles = rows(document("rollenkonzept", g), "Wer, und wer vertritt")
    assert ("Sichtung", person, by, "31.08.2026", "28.02.2027") in roles, "six calendar months on"
    assert ("Aufsicht", "OFFEN", "OFFEN", "OFFEN", "OFFEN") in roles
    training = document("verpflichtung-schulung", g)
    assert (person, "03.11.2026", by) in rows(training, "Verpflichtung")
    assert (by, "OFFEN", "OFFEN") in rows(training, "Verpflichtung"), "the deputy was not committed"
    assert (person, "03.11.2026", "Sichtung", by, "bestanden", "03.11.2027") in rows(training, "Schulungsnachweis")
    maintenance = document("wartung", g)
    assert rows(maintenance, "Besuchsbuch") == [("03.11.2026", "Firma Wart", "Herr Techniker", person, "Netzteil", "blieben im Haus")]
    checked = {cells[0]: cells[1:] for cells in rows(maintenance, "Prüfliste")}
    assert checked["Fernwartung ausgeschlossen"] == ("NICHT", "§ 7 erlaubt sie", f"{person}, 03.11.2026")
    assert sum(cells == ("OFFEN",) * 3 for cells in checked.values()) == len(CHECKLIST) - 1
    asked = rows(document("ki-einstufung", g), "Fragen")
    assert [cells[2:] for cells in asked if cells[2] != "OFFEN"] == [("nein", "keine Biometrie", f"{person}, 03.11.2026")]
    assert len(asked) == len(QUESTIONS)
    text = as_text(document("wiederanlauf", g))
    assert "Längster Ausfall: 24 Stunden." in text
    assert "OFFEN: Ersatz" in text


def test_the_form_of_necessity_has_what_was_found_for_that_camera_alone():
    ground = (
        whole()
        .facts.grounds[0]
        .model_copy(
            update={
                "suitable": "Sie zeigt die Bügel.",
                "proportionate": "Niemand verweilt dort.",
                "assessed": DAY,
                "assessor": "Frau Ernst",
            }
        )
    )
    g = facts_with(whole(), grounds=(ground, *whole().facts.grounds[1:]))
    found = document("erforderlichkeit", g)
    first = dict(rows(found, f"Kamera 1: {CAMERA.name}"))
    assert first["Eignung"] == "Sie zeigt die Bügel."
    assert first["Mildere Mittel an dieser Stelle"] == "OFFEN"
    assert first["geprüft am, von"] == "03.11.2026, Frau Ernst"
    assert first["wieder zu prüfen"] == "03.11.2027"
    assert first["Vorfälle im Sichtfeld"] == "4 vom 01.01.2025 bis 30.06.2026 (Polizei)"
    assert dict(rows(found, f"Kamera 2: {SITE.cameras[1].name}"))["Eignung"] == "OFFEN"


def accepted(tmp_path, **more):
    """A site whose first camera was accepted, with a picture."""
    data = cv2.imencode(".png", np.random.default_rng(1).integers(0, 255, (90, 160, 3), np.uint8))[1].tobytes()
    (tmp_path / "bild.png").write_bytes(data)
    values = {"person": "Frau Adam", "confirmed": "Herr Berg", "picture": "bild.png", "sha256": hashlib.sha256(data).hexdigest()}
    one = Acceptance(camera=CAMERA.id, date=DAY, **{**values, **more})
    g = facts_with(whole(), acceptances=(one,))
    return replace(g, documents={**g.documents, **look_at(g.facts, tmp_path)}, folder=tmp_path)


class TestAcceptance:
    def test_it_has_what_was_tested_and_the_picture(self, tmp_path):
        g = accepted(tmp_path, light=True, dark=False, px_per_metre=46.0)
        found = document("abnahme", g)
        tested = dict(rows(found, f"Kamera 1: {CAMERA.name}"))
        assert tested["Verpixelung bei Tag"] == "bestanden"
        assert tested["Verpixelung bei Dunkelheit"] == "NICHT bestanden"
        assert tested["Anhalten wirkt"] == "OFFEN"
        assert tested["Pixeldichte"] == "gemessen 46 px/m, gerechnet 46 px/m"
        assert sum(isinstance(part, Picture) for section in found.sections for part in section.parts) == 1
        assert b"/Subtype/Image" in render(found, g).replace(b" ", b"")
        assert b"/Subtype/Image" not in render(document("abnahme", whole()), whole()).replace(b" ", b"")

    def test_a_density_that_was_measured_otherwise_says_that_the_calibration_is_wrong(self, tmp_path):
        tested = dict(rows(document("abnahme", accepted(tmp_path, px_per_metre=80.0)), f"Kamera 1: {CAMERA.name}"))
        assert tested["Pixeldichte"].endswith("NICHT gleich, die Kalibrierung ist zu prüfen")

    def test_another_picture_than_the_recorded_one_is_never_printed(self, tmp_path):
        g = accepted(tmp_path)
        found = document("abnahme", g)
        (tmp_path / "bild.png").write_bytes(b"another one")
        with pytest.raises(FaultError, match="changed while it was printed"):
            render(found, g)
        later = replace(g, documents={**g.documents, **look_at(g.facts, tmp_path)})
        assert "fehlt oder ist ein anderes" in as_text(document("abnahme", later))

    def test_the_newest_acceptance_counts(self, tmp_path):
        g = accepted(tmp_path, stop=True)
        older = Acceptance(camera=CAMERA.id, date=date(2020, 1, 1), person="Alt", confirmed="Älter", stop=False)
        g = facts_with(g, acceptances=(*g.facts.acceptances, older))
        assert dict(rows(document("abnahme", g), f"Kamera 1: {CAMERA.name}"))["Anhalten wirkt"] == "bestanden"


class TestProtocols:
    def test_they_say_what_the_log_says(self):
        decided = entry(Event.CASE_DECIDED, outcome="harmless", people=["kvd-1", "kvd-2"])
        gone = entry(Event.SHREDDED, reason="harmless", ending="overwritten", absent=True, sha256="f" * 64)
        g = replace(whole(), log={**whole().log, Event.CASE_DECIDED: (decided,), Event.SHREDDED: (gone,)})
        found = document("protokolle", g)
        when = words.moment(g, NOW - 3600)
        assert rows(found, "Sichtungsprotokoll") == [(when, "c" * 8, "kein Vorfall", "kvd-1, kvd-2")]
        method = "überschrieben und Schlüssel vernichtet"
        assert rows(found, "Löschprotokoll") == [(when, "c" * 8, "kein Vorfall nach Sichtung", method, "fort", "f" * 12)]
        assert rows(found, "Übergabeprotokoll")[0][2:6] == ("Strafverfolgung", "Polizei", "KL-1", "kvd-1, kvd-2")
        assert rows(found, "Entpixelungsverzeichnis")[0][2:] == ("Jacke", "KL-1", "kvd-1, kvd-2", "60")

    @pytest.mark.parametrize(
        ("facts", "said"),
        [
            ({"recipient_key": "age1" + "q" * 58}, "age1qqqq " + "qqqqqqqq " * 6 + "qqqqqq"),
            ({"words": "kvd-2"}, "Kennwort, gelesen von kvd-2"),
            ({}, words.or_open("")),
        ],
    )
    def test_the_handover_says_what_opens_the_package(self, facts, said):
        released = entry(Event.RELEASED, people=["aufsicht", "kvd-2"], basis="strafverfolgung", sha256="f" * 64, **facts)
        found = document("protokolle", replace(whole(), log={**whole().log, Event.RELEASED: (released,)}))
        assert rows(found, "Übergabeprotokoll")[0][-1] == said

    def test_an_entry_of_before_the_quarter_is_left_out_and_none_is_not_open(self):
        old = replace(whole(), now=NOW + 93 * 86_400)
        text = as_text(document("protokolle", old))
        assert "hat keinen Eintrag" in text
        assert "OFFEN" not in text
        assert "OFFEN: Die Anlage lief noch nicht" in as_text(document("protokolle", bare()))

    def test_a_long_list_says_that_it_was_cut(self):
        many = tuple(entry(Event.SHREDDED, number, reason="unreviewed") for number in range(1, 302))
        found = document("protokolle", replace(whole(), log={**whole().log, Event.SHREDDED: many}))
        assert len(rows(found, "Löschprotokoll")) == 200
        assert "Von 301 Einträgen" in as_text(found)


class TestBreach:
    KNOWN = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)

    def breach(self, **more):
        return facts_with(whole(), breaches=(Breach(id="usb", known=self.KNOWN, what="Ein Datenträger fehlt.", **more),))

    def test_the_72_hours_are_hours_over_the_change_to_summer_time(self):
        found = dict(rows(document("datenpanne-meldung", self.breach()), "Datenpanne usb"))
        assert found["bekannt geworden"] == "27.03.2026, 13:00 Uhr"
        assert found["Frist von 72 Stunden endet"] == "30.03.2026, 14:00 Uhr"
        assert found["Betroffene"] == found["Risiko"] == found["gemeldet"] == "OFFEN"
        assert found["Grund der Verzögerung"] == "OFFEN", "it is long past"

    def test_whoever_reported_in_time_owes_no_reason(self):
        reported = datetime(2026, 3, 30, 11, 59, tzinfo=UTC)
        found = dict(rows(document("datenpanne-meldung", self.breach(reported=reported)), "Datenpanne usb"))
        assert "Grund der Verzögerung" not in found
        later = dict(rows(document("datenpanne-meldung", self.breach(reported=reported.replace(hour=12, minute=1))), "Datenpanne usb"))
        assert later["Grund der Verzögerung"] == "OFFEN"

    def test_only_a_high_risk_is_told_to_those_concerned(self):
        assert "Ein Datenträger fehlt." not in as_text(
            document("datenpanne-benachrichtigung", self.breach(danger=Danger.SOME, person="DSB"))
        )
        high = as_text(document("datenpanne-benachrichtigung", self.breach(danger=Danger.HIGH, person="DSB")))
        assert "Was geschah: Ein Datenträger fehlt." in high
        assert "OFFEN: Was das für Sie bedeuten kann" in high

    def test_a_time_without_its_zone_is_refused_with_the_mend(self, tmp_path):
        (tmp_path / "a.facts.toml").write_text(
            'format = 1\n[[breaches]]\nid = "a"\nknown = 2026-03-27T12:00:00\nwhat = "x"\n', encoding="utf-8"
        )
        with pytest.raises(SettingsError, match="Zeitzone"):
            load_facts(tmp_path / "a.facts.toml", "de")


def test_the_letter_names_the_day_and_whether_it_was_released():
    duty = Duty(id=4, case=12, clip="c" * 32, source=DutySource.RELEASE, since=DAY, by="kvd-1")
    for language, text in (("de", "wurde herausgegeben"), ("en", "was released")):
        letter = duty_letter(whole(), duty, language)
        assert text in as_text(letter)
        assert letter.values["number"] == "12"
        assert "Zu prüfen:" not in as_text(letter), "that is for the office, in the draft"
        assert render(letter, whole()).startswith(b"%PDF")
    assert "OFFEN: Tag, an dem" in as_text(duty_letter(whole(), None, "de"))


def test_the_evaluation_counts_two_years_and_says_where_it_knows_only_a_least_number():
    decided = tuple(entry(Event.CASE_DECIDED, number, outcome="incident") for number in range(1, 8))
    g = replace(whole(), log={**whole().log, Event.CASE_DECIDED: decided})
    found = dict(rows(document("evaluation", g), "Aufzeichnungen und Entscheidungen"))
    assert found["als Vorfall bewertet"] == "7"
    cut = dict(rows(document("evaluation", replace(g, most_entries=7)), "Aufzeichnungen und Entscheidungen"))
    assert cut["als Vorfall bewertet"] == "mindestens 7"
    assert "OFFEN: Vergleichsraum" in as_text(document("evaluation", bare()))


def test_law_that_was_not_read_is_marked_and_stands_in_the_one_list():
    listed = {one.evidence.name for one in words.TO_VERIFY}
    assert all("zu prüfen" in name for name in listed)
    printed = {
        evidence.name
        for found in pack(whole())
        for one in found.sentences()
        for evidence in one.evidence
        if evidence.source is Source.LAW and "zu prüfen" in evidence.name
    }
    assert printed == listed
    section = next(one for one in document("dsfa", whole()).sections if one.title.startswith("Zu prüfen"))
    assert len(section.parts) == len(words.TO_VERIFY)


class TestReceiptPaper:
    """What a person gets into their hands as proof that a recording is destroyed."""

    def receipt(self, tmp_path, **more):
        key = InstallationKey(tmp_path / "installation.key")
        about = {"reason": "hold-released", "people": ["kvd-1", "niemand-mehr"], "method": METHODS[Ending.OVERWRITTEN], "derived": 2}
        about |= {"sha256": "4f" * 32, "size": 12_345_678, "overwritten": 12_345_678, "absent": True, "ending": "overwritten"}
        about |= {"opened": NOW - 86_400, "destroyed": NOW, "camera": CAMERA.id, "installation": key.installation, **more}
        bare = Receipt(clip="a" * 32, case=17, **about)
        return structs.replace(bare, signature=key.sign(receipt_text(bare)).hex()), key.public

    def test_its_picture_code_is_the_receipt_that_the_command_verifies(self, tmp_path):
        found, public = self.receipt(tmp_path)
        paper = receipt_paper(whole(), found, public.hex(), "de", genuine=True)
        (tmp_path / "paper.pdf").write_bytes(render(paper, whole()))
        subprocess.run(["pdftoppm", "-r", "200", "-png", tmp_path / "paper.pdf", tmp_path / "paper"], check=True)
        (page,) = tmp_path.glob("paper*.png")
        text, _, _ = cv2.QRCodeDetectorAruco().detectAndDecode(cv2.imread(str(page)))
        path = tmp_path / "read.json"
        path.write_text(text)
        command = ["verify", "receipt", str(path), "--public-key", public.hex()]
        assert CliRunner().invoke(cli, command).exit_code == 0
        path.write_text(text.replace("hold-released", "unreviewed"))
        assert CliRunner().invoke(cli, command).exit_code == 1

    def test_the_office_reads_words_names_and_moments(self, tmp_path):
        found, public = self.receipt(tmp_path)
        member = Member("kvd-1", "Anna Adam", frozenset({Role.REVIEW}))
        g = replace(whole(), members=(member,))
        german = as_text(receipt_paper(g, found, public.hex(), "de", genuine=True))
        for words_of_it in ("Löschsperre von zwei Personen aufgehoben", "Anna Adam (kvd-1), niemand-mehr", CAMERA.name, "12.345.678 Byte"):
            assert words_of_it in german
        assert "nichts davon übrig" in german
        english = as_text(receipt_paper(g, found, public.hex(), "en", genuine=True))
        assert "hold released by two people" in english
        assert "12,345,678 bytes" in english

    @pytest.mark.parametrize("why", Why)
    @pytest.mark.parametrize("ending", Ending)
    def test_every_reason_and_ending_has_its_words(self, tmp_path, why, ending):
        found, public = self.receipt(tmp_path, reason=why.value, ending=ending.value, begun=5)
        for language in ("de", "en"):
            paper = receipt_paper(whole(), found, public.hex(), language, genuine=True)
            assert why.value not in {cells[1] for cells in rows(paper, paper.sections[0].title)}
            assert f"{ending.value}  [" not in as_text(paper)

    def test_what_was_not_overwritten_or_not_gone_or_not_signed_is_said(self, tmp_path):
        found, public = self.receipt(tmp_path, ending="vanished", overwritten=0, absent=False)
        text = as_text(receipt_paper(whole(), found, public.hex(), "de", genuine=False))
        assert "dieser Auftrag hat nichts überschrieben" in text
        assert "OFFEN: Es war noch etwas davon da." in text
        assert "OFFEN: Die Unterschrift passt nicht" in text

    def test_a_second_copy_is_named_with_its_proof_and_the_code_still_fits(self, tmp_path):
        proof = CopyProof(
            host="south",
            destroyed=NOW,
            reason="harmless",
            sha256="4f" * 32,
            size=12_345_678,
            ending="overwritten",
            overwritten=12_345_678,
            begun=0,
            absent=True,
            reported="5e" * 32,
        )
        found, public = self.receipt(tmp_path, host="north", reported="6d" * 32, copies=[proof_text(proof)])
        for language, said in (("de", "Zweitkopie auf Rechner south"), ("en", "Second copy on machine south")):
            paper = receipt_paper(whole(), found, public.hex(), language, genuine=True)
            text = as_text(paper)
            assert said in text
            assert proof.reported in text
            assert render(paper, whole())

    def test_a_receipt_of_version_1_prints_what_it_says(self, tmp_path):
        data = (ROOT / "tests/golden/receipt-v1.json").read_bytes()
        old = json.decode(data, type=Receipt)
        paper = receipt_paper(whole(), old, "00" * 32, "de", genuine=True)
        assert old.method in as_text(paper)
        assert json.decode(paper.values["code"], type=Receipt) == old
        assert render(paper, whole()).startswith(b"%PDF")


class TestCouncilAndAssemblies:
    def told(self, g, key):
        document = next(one for one in pack(g) if one.key == key)
        return document, [one.text for one in document.sentences()]

    def test_the_council_reads_what_is_open_and_no_count_and_no_name(self):
        g = whole()
        _, texts = self.told(g, "ratsvorlage")
        joined = "\n".join(texts)
        assert "Erfüllt sind 13 von 13." in joined
        assert "Amt" not in joined.replace("Ordnungsamt", "")
        costs = tuple(one.model_copy(update={"text": "3 Einbrüche kosteten viel"}) for one in g.facts.facts if one.kind is FactKind.COSTS)
        _, texts = self.told(replace(g, facts=g.facts.model_copy(update={"facts": costs})), "ratsvorlage")
        assert not any("3 Einbrüche" in text for text in texts)
        assert any(text.startswith("Erfüllt sind") and "13 von 13" not in text for text in texts)
        assert sum(text.startswith("OFFEN") for text in texts) >= 8
        assert not any(f"| {one.count} " in text for one in g.facts.incidents for text in texts)

    def test_the_paper_for_assemblies_names_who_may_and_when_it_was_done(self):
        g = whole()
        document, texts = self.told(g, "versammlungslage")
        assert "Anhalten können: Leitstelle, Sichtung, Aufsicht, Administration, Datenschutz" in "\n".join(texts)
        assert "Wieder freigeben: Leitstelle, Aufsicht." in "\n".join(texts)
        assert any("zu prüfen" in str(one) for sentence in document.sentences() for one in sentence.evidence)
        assert sum(text.startswith(f"{camera.name} |") for camera in g.site.cameras for text in texts) == len(g.site.cameras)
        assert any("| angehalten |" in text for text in texts)
        assert any("| freigegeben |" in text for text in texts)
        quiet = replace(g, log={})
        assert "Im letzten Jahr wurde keine Kamera angehalten." in self.told(quiet, "versammlungslage")[1]
        named = replace(g, facts=g.facts.model_copy(update={"assignments": (Assignment(role=Role.SUPERVISION, person="Frau Fuchs"),)}))
        assert "Aufsicht | Frau Fuchs | OFFEN" in self.told(named, "versammlungslage")[1]

    def test_the_shift_book_and_the_log_have_their_limit_where_data_are_listed(self):
        for key in ("vvt", "loeschkonzept", "dsfa"):
            texts = self.told(whole(), key)[1]
            assert any("Schichtbuch" in text and "Frist" in text for text in texts), key
            assert any("24 Kalendermonate nach dem Tag, an dem er entstand" in text for text in texts), key
            assert any("24 Monate, damit" in text for text in texts), key
        rows = self.told(whole(), "loeschkonzept")[1]
        assert not any(text.startswith("Protokoll |") and text.endswith("| gelöscht") for text in rows)
        for kind in ("Aufzeichnungen in Quarantäne", "Löschprotokolle", "Konten", "Zählungen zur Empfindlichkeit", "Schichtbuch"):
            assert any(text.startswith(kind) for text in rows), kind


class TestHosts:
    """Where recordings lie that hosts make; of a site without one nothing is said."""

    def told(self, copies, stores=()):
        hosts = Hosts(broker="tls://127.0.0.1:4222", cameras=(HostedCamera(id=CAMERA.id),), copies=copies, stores=stores)
        g = replace(whole(), site=whole().site.model_copy(update={"hosts": hosts}))
        return {key: as_text(document(key, g)) for key in ("vvt", "dsfa", "loeschkonzept")}

    def test_of_a_site_without_hosts_nothing_is_said(self):
        for key in ("vvt", "dsfa", "loeschkonzept"):
            text = as_text(document(key, whole()))
            assert "Zweitkopie" not in text
            assert "Rechnern bei den Kameras" not in text

    def test_without_copies_it_is_said_that_there_are_none(self):
        for key, text in self.told(()).items():
            assert "bleibt dort, versiegelt für zwei Sichtende" in text, key
            assert "Eine Zweitkopie wird nicht angelegt." in text, key

    def test_they_say_where_copies_lie_and_how_they_end(self):
        for key, text in self.told(("north", "south")).items():
            assert "(north, south), nie auf dem, der sie gemacht hat" in text, key
            assert "erst, wenn das Original und jede Zweitkopie, die es je gab, nachweislich vernichtet sind" in text, key
            assert "wird ein weiteres angelegt, solange niemand die Vernichtung angeordnet hat" in text, key

    def test_of_cameras_that_the_control_room_films_there_is_no_copy_and_it_is_said(self):
        site = whole().site
        other = site.cameras[0].model_copy(update={"id": "other"})
        hosts = Hosts(broker="tls://127.0.0.1:4222", cameras=(HostedCamera(id=CAMERA.id),), copies=("north",))
        g = replace(whole(), site=site.model_copy(update={"hosts": hosts, "cameras": (*site.cameras, other)}))
        for key in ("vvt", "dsfa", "loeschkonzept"):
            assert "die die Leitstelle selbst auswertet, gibt es keine Zweitkopie" in as_text(document(key, g)), key

    def test_a_store_is_named_with_who_runs_it_and_what_it_cannot_do(self):
        store = CopyPlace(host="south", store="rz", place="Rechenzentrum der Stadt, Eimer kopien")
        for key, text in self.told(("south",), (store,)).items():
            assert "Objektspeicher: Rechenzentrum der Stadt, Eimer kopien" in text, key
            assert "Art. 28 DSGVO" in text, key
            assert "Ein Objektspeicher überschreibt nichts" in text, key
        for text in self.told(("north",), (store,)).values():
            assert "Objektspeicher" not in text, "one that keeps no copies has none there"
