"""What each gate claims is what it checks: for every word of its claim something that breaks it, and documents that are none."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
import zlib
from dataclasses import replace
from datetime import date, timedelta

import cv2
import numpy as np
import pikepdf
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from blickschutz.compliance.entered import PHOTOGRAPH
from blickschutz.compliance.facts import FactKind, Facts, Sign
from blickschutz.compliance.io import documents
from blickschutz.compliance.io.documents import load_facts, look_at
from blickschutz.compliance.model import Form, Kind, Result
from blickschutz.compliance.policy import RULES
from blickschutz.compliance.recorded import OnPaper
from blickschutz.compliance.sheets import Sheet, columns
from blickschutz.compliance.tables import read_table, template
from blickschutz.kernel.errors import SettingsError
from blickschutz.regime.model import Action, Mode
from tests.conftest import often
from tests.documents import pdf
from tests.unit.test_policy import ADDRESS, OFFICE, OFFICER, SITE, TODAY, day, fact, facts_with, night, paper, said, signed, whole

K = FactKind


def without(kind):
    return lambda g: facts_with(g, facts=tuple(one for one in g.facts.facts if one.kind is not kind))


def other(kind, **more):
    """The same fact, told otherwise."""
    return lambda g: facts_with(without(kind)(g), facts=(*without(kind)(g).facts.facts, fact(kind, **more)))


def unsigned(kind):
    """Nobody signed it, though the facts file names two people."""
    return lambda g: replace(g, entered=tuple(one for one in g.entered if one.kind != kind))


def document(kind, **more):
    """Its document is found to be something else."""
    name = f"{kind.value}.pdf"
    return lambda g: replace(g, documents={**g.documents, name: paper(name, **more)})


def gone(kind):
    return lambda g: replace(g, documents={name: one for name, one in g.documents.items() if name != f"{kind.value}.pdf"})


def consulted(when):
    name = "vorherige-konsultation.pdf"
    return lambda g: other(K.PRIOR_CONSULTATION, date=when)(replace(g, documents={**g.documents, name: paper(name)}))


def incidents(**more):
    return lambda g: facts_with(g, incidents=tuple(one.model_copy(update=more) for one in g.facts.incidents))


def signs(**more):
    return lambda g: facts_with(g, signs=tuple(one.model_copy(update=more) for one in g.facts.signs))


def office(who, **more):
    base = OFFICE if who == "controller" else OFFICER
    return lambda g: facts_with(g, **{who: base.model_copy(update=more)})


def drop(section):
    return lambda g: facts_with(g, **{section: g.facts.__getattribute__(section)[1:]})


def trained(g):
    return replace(g, members=(replace(g.members[0], trained_until=TODAY - timedelta(days=1)),))


# For each word of a gate's claim, what makes it untrue. A word stands once; several words that say one thing stand together.
CLAIMS = {
    "RG-01": {
        "Jede Kamera": drop("grounds"),
        "Zweck": drop("grounds"),
        "Begründung": lambda g: facts_with(g, grounds=tuple(one.model_copy(update={"reason": "x"}) for one in g.facts.grounds)),
    },
    "RG-02": {
        "jede Kamera": drop("incidents"),
        "Vorfälle": incidents(count=0),
        "belegt": incidents(source="x"),
        "nicht älter als 24 Monate": incidents(first=date(2005, 1, 1)),
        "Umfragen allein genügen nicht": incidents(source="Umfrage zum Sicherheitsgefühl"),
    },
    "RG-03": {
        "Mildere Mittel": without(K.MILDER_MEANS),
        "versucht": other(K.MILDER_MEANS, text="keine, denn sie helfen ohnehin nicht, sagt das Amt"),
        "Ergebnis": other(K.MILDER_MEANS, text="mehr Licht"),
    },
    "RG-04": {
        "Rechtsgutachten": document(K.LEGAL_OPINION_AI, form=Form.UNREADABLE, size=0),
        "KI-Auswertung": other(K.LEGAL_OPINION_AI, document="dsfa.pdf", sha256=paper("dsfa.pdf").sha256),
        "liegt vor": gone(K.LEGAL_OPINION_AI),
    },
    "DF-01": {
        "DSFA": without(K.DPIA),
        "freigegeben": unsigned(K.DPIA),
        "Rat": without(K.DPO_ADVICE),
        "der Datenschutzbeauftragten": other(K.DPO_ADVICE, person="Amt"),
        "liegt vor": gone(K.DPO_ADVICE),
        "beides": other(K.DPO_ADVICE, settings="b" * 64),
        "für diese Einstellungen": other(K.DPIA, settings="b" * 64),
    },
    "DF-02": {
        "hohem Restrisiko": other(K.RESIDUAL_RISK, text="Das Restrisiko ist hoch."),
        "Aufsichtsbehörde": other(K.RESIDUAL_RISK, text="geprüft"),
        "vorher": lambda g: consulted(TODAY)(other(K.RESIDUAL_RISK, text="hoch")(g)),
        "befragt": other(K.RESIDUAL_RISK, settings="b" * 64),
    },
    "DF-03": {
        "Verzeichnis von Verarbeitungstätigkeiten": without(K.PROCESSING_RECORD),
        "vollständig": other(K.PROCESSING_RECORD, settings="b" * 64),
        "a": office("controller", email="x"),
        "b": drop("grounds"),
        "d": lambda g: facts_with(g, recipients=("x",)),
        "f": other(K.LOG_RETENTION, text="steht noch aus"),
        "g": lambda g: facts_with(g, recipients=()),
    },
    "DF-04": {
        "Der Personalrat": other(K.STAFF_COUNCIL, text="Der Ausschuss hat am 3. Mai zugestimmt."),
        "zugestimmt": other(K.STAFF_COUNCIL, text="Personalrat nicht beteiligt"),
        "oder": without(K.STAFF_COUNCIL),
        "Dienstvereinbarung": other(K.STAFF_COUNCIL, text="geprüft"),
        "gilt": other(K.STAFF_COUNCIL, text="Die Dienstvereinbarung liegt als Entwurf vor."),
    },
    "TR-01": {
        "jedem Weg": lambda g: facts_with(g, ways=(*g.facts.ways, g.facts.ways[0].model_copy(update={"points": ((1.0, 0.4), (0.7, 0.4))}))),
        "hängt": signs(x=0.0, y=0.0),
        "vor dem Sichtfeld": signs(x=0.5, y=0.62),
        "Schild": lambda g: facts_with(g, signs=()),
        "Foto": lambda g: replace(g, documents={**g.documents, "schild.jpg": paper("schild.jpg", Form.UNREADABLE)}),
        "in den letzten 90 Tagen gesehen": signs(checked=TODAY - timedelta(days=91)),
    },
    "TR-02": {
        "Angaben des Schilds": office("data_protection_officer", phone="x"),
        "vollständig": lambda g: facts_with(g, full_information="x"),
    },
    "DM-08": {
        "Am Tag meldet": day(on_situation=Action.RECORD),
        "in der Nacht zeichnet die Anlage": night(on_situation=Action.NOTIFY),
        "auf": day(mode=Mode.SEALED),
        "Zeiten": other(K.PUBLISHED_HOURS, settings="b" * 64),
        "veröffentlicht": without(K.PUBLISHED_HOURS),
    },
    "KI-07": {
        "KI-Einstufung": without(K.AI_CLASSIFICATION),
        "unterschrieben": unsigned(K.AI_CLASSIFICATION),
        "Bediener": trained,
        "in den letzten zwölf Monaten": other(K.OPERATOR_TRAINING, date=TODAY - timedelta(days=370)),
        "geschult": without(K.OPERATOR_TRAINING),
    },
    "AP-01": {
        "Wartung durch Dritte": without(K.MAINTENANCE_CONTRACT),
        "Vertrag": gone(K.MAINTENANCE_CONTRACT),
        "beaufsichtigt": other(K.MAINTENANCE_CONTRACT, text="Jeder Besuch steht im Protokoll."),
        "protokolliert": other(K.MAINTENANCE_CONTRACT, text="Nur unter Aufsicht."),
    },
    # No gate, but its claim was found to be more than its check.
    "TR-03": {
        "Das Informationsblatt": without(K.INFORMATION_SHEET),
        "Zeiten": other(K.INFORMATION_SHEET, settings="b" * 64),
        "Fristen": other(K.INFORMATION_SHEET, settings="c" * 64),
        "Empfänger": lambda g: facts_with(g, recipients=("Polizei", "Ordnungsamt")),
        "wie sie gelten": document(K.INFORMATION_SHEET, size=10),
    },
}
# Words that claim nothing by themselves. Of a to g the rest is so by how the program is made: (c) categories, (e) no third country.
_STOP = frozenset(
    re.findall(r"\w+", "die der das des den dem und mit ein eine einer bei ist sind für hat an von in zur zu wird werden durch nennt bis")
)


def test_every_gate_is_there():
    gates = {one.id for one in RULES if Kind.GATE in one.kinds}
    assert gates | {"TR-03"} == set(CLAIMS)


@pytest.mark.parametrize("name", CLAIMS)
def test_every_word_of_a_claim_has_its_counter_example(name):
    title = next(one for one in RULES if one.id == name).title[0]
    told = {word.lower() for phrase in CLAIMS[name] for word in re.findall(r"[\w-]+", phrase)}
    wanted = {word.lower() for word in re.findall(r"[\w-]+", title)} - _STOP
    assert wanted <= told | _STOP, wanted - told


@pytest.mark.parametrize(("name", "phrase"), [(name, phrase) for name, phrases in CLAIMS.items() for phrase in phrases])
def test_what_breaks_a_word_of_a_claim_closes_the_gate(name, phrase):
    assert said(whole(), name).result is Result.HOLDS
    answer = said(CLAIMS[name][phrase](whole()), name)
    assert answer.result is not Result.HOLDS, phrase
    german, english = answer.text
    assert german != english


@pytest.mark.parametrize(
    "change",
    [
        office("controller", name="x"),
        office("controller", address="x"),
        office("controller", email="amt@"),
        office("data_protection_officer", name="AMT"),
        lambda g: facts_with(g, data_protection_officer=None),
    ],
)
def test_an_x_is_no_office_and_one_office_is_not_both(change):
    for name in ("TR-02", "DF-03"):
        assert said(change(whole()), name).result is not Result.HOLDS


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("Personalrat nicht beteiligt", Result.UNKNOWN),
        ("Der Personalrat wurde gehört.", Result.UNKNOWN),
        ("Der Personalrat hat nicht zugestimmt.", Result.UNKNOWN),
        ("Der Personalrat hat die Zustimmung verweigert.", Result.UNKNOWN),
        ("Der Personalrat hat abgelehnt, der Stadtrat hat zugestimmt.", Result.UNKNOWN),
        ("Die Zustimmung des Personalrats steht aus.", Result.UNKNOWN),
        ("Der Personalrat wurde gehört und der Stadtrat hat zugestimmt.", Result.UNKNOWN),
        ("Der Personalrat ist der Ansicht, zugestimmt sei damit alles.", Result.UNKNOWN),
        ("Der Personalrat prüft. Zugestimmt hat das Amt.", Result.UNKNOWN),
        ("Der Personalrat wird im Mai zustimmen.", Result.UNKNOWN),
        ("Eine Dienstvereinbarung ist geplant.", Result.UNKNOWN),
        ("Die Dienstvereinbarung wurde gekündigt.", Result.UNKNOWN),
        ("Die Dienstvereinbarung gilt noch nicht.", Result.UNKNOWN),
        ("Dienstvereinbarung: Entwurf vom 3. Mai, abgeschlossen soll sie im Juni werden.", Result.UNKNOWN),
        ("Dienstvereinbarung", Result.UNKNOWN),
        ("Der Personalrat hat am 3. Mai 2026 zugestimmt.", Result.HOLDS),
        ("Zugestimmt hat der Personalrat am 3. Mai 2026.", Result.HOLDS),
        ("Die Dienstvereinbarung vom 3. Mai 2026 gilt.", Result.HOLDS),
        ("Dienstvereinbarung mit dem Personalrat am 3. Mai 2026 geschlossen.", Result.HOLDS),
    ],
)
def test_the_staff_council_agreed_only_where_it_is_said_plainly(text, result):
    assert said(other(K.STAFF_COUNCIL, text=text)(whole()), "DF-04").result is result


def test_what_the_staff_council_agreed_to_is_a_document():
    bare = other(K.STAFF_COUNCIL, document="", sha256=None)
    assert said(bare(on_paper(whole())), "DF-04").result is Result.UNKNOWN


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("Das Restrisiko ist nicht vertretbar.", Result.UNKNOWN),
        ("Das Restrisiko ist untragbar.", Result.UNKNOWN),
        ("Das Risiko bleibt auf hohem Niveau, ist aber vertretbar.", Result.UNKNOWN),
        ("Das Restrisiko ist höher als vertretbar.", Result.UNKNOWN),
        ("Das Restrisiko ist nicht gering.", Result.UNKNOWN),
        ("Residual risk: not acceptable", Result.UNKNOWN),
        ("Mildere Mittel wurden versucht.", Result.UNKNOWN),
        ("Mittels Verpixelung gesenkt.", Result.UNKNOWN),
        ("Das Restrisiko ist gering.", Result.HOLDS),
        ("Es bleibt ein mittleres, vertretbares Risiko.", Result.HOLDS),
        ("Es gibt keine hohen Restrisiken.", Result.HOLDS),
        ("Es ist nicht mehr hoch.", Result.HOLDS),
    ],
)
def test_a_risk_that_is_not_bearable_needs_the_authority_however_it_is_said(text, result):
    assert said(other(K.RESIDUAL_RISK, text=text)(whole()), "DF-02").result is result


# What each gate rests on besides its own fact: tables, and the photograph of a sign.
_TABLES = {
    "RG-01": (Sheet.PURPOSES,),
    "RG-02": (Sheet.INCIDENTS,),
    "DF-03": (Sheet.PARTICULARS, Sheet.PURPOSES, K.LOG_RETENTION),
    "TR-01": (Sheet.WAYS, Sheet.SIGNS, PHOTOGRAPH),
    "TR-02": (Sheet.PARTICULARS, Sheet.PURPOSES),
}
_FACTS = {
    "RG-03": (K.MILDER_MEANS,),
    "RG-04": (K.LEGAL_OPINION_AI,),
    "DF-01": (K.DPIA, K.DPO_ADVICE),
    "DF-02": (K.RESIDUAL_RISK,),
    "DF-04": (K.STAFF_COUNCIL,),
    "DM-08": (K.PUBLISHED_HOURS,),
    "KI-07": (K.AI_CLASSIFICATION, K.OPERATOR_TRAINING),
    "AP-01": (K.MAINTENANCE_CONTRACT,),
}


def on_paper(g, **more):
    """The facts file alone, signed on paper."""
    values = {"stands": "Frau Amt", "confirms": "Herr Rat", "date": TODAY, "document": "scan.pdf", "sha256": paper("scan.pdf").sha256}
    values |= {"content": g.content, "settings": g.settings}
    g = replace(g, entered=(), documents={**g.documents, "scan.pdf": paper("scan.pdf")})
    return facts_with(g, on_paper=OnPaper(**{**values, **more}))


class TestSignatures:
    """What merely stands in the facts file opens no gate, whoever it names."""

    def test_every_gate_is_asked(self):
        assert set(_TABLES) | set(_FACTS) == {one.id for one in RULES if Kind.GATE in one.kinds}

    @pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, kinds in (_TABLES | _FACTS).items() for kind in kinds])
    def test_a_gate_is_closed_while_one_of_its_kinds_is_not_signed(self, name, kind):
        answer = said(unsigned(kind)(whole()), name)
        assert answer.result is not Result.HOLDS
        assert "Nachweise" in answer.text[0]
        assert "page of proofs" in answer.text[1]

    @pytest.mark.parametrize("name", _TABLES | _FACTS)
    def test_a_whole_facts_file_that_nobody_signed_opens_none(self, name):
        assert said(replace(whole(), entered=()), name).result is not Result.HOLDS

    @pytest.mark.parametrize("name", _TABLES | _FACTS)
    def test_signed_on_paper_opens_it_and_says_so(self, name):
        answer = said(on_paper(whole()), name)
        assert answer.result is Result.HOLDS, answer.text
        told = "auf Papier unterschrieben von Frau Amt und Herr Rat"
        assert told in answer.text[0]

    @pytest.mark.parametrize(
        "more",
        [
            {"content": "b" * 64},
            {"settings": "b" * 64},
            {"confirms": "frau  amt"},
            {"stands": "x"},
            {"document": "nicht-da.pdf"},
            {"sha256": "b" * 64},
            {"date": TODAY + timedelta(days=1)},
        ],
    )
    def test_paper_that_does_not_fit_opens_none(self, more):
        for name in _TABLES | _FACTS:
            assert said(on_paper(whole(), **more), name).result is not Result.HOLDS, name

    def test_a_facts_file_that_was_changed_after_it_was_signed_opens_none(self, tmp_path):
        facts = whole().facts
        assert facts.content == facts.model_copy(update={"on_paper": on_paper(whole()).facts.on_paper}).content
        assert facts.content != facts.model_copy(update={"recipients": ("Polizei", "Presse")}).content

    def test_what_the_accounts_signed_for_other_settings_is_void_and_paper_does_not_help(self):
        g = on_paper(whole())
        there = signed(1, Sheet.PURPOSES.value, "c" * 64, settings="b" * 64)
        answer = said(replace(g, entered=(there,)), "RG-01")
        assert answer.result is Result.BROKEN
        assert "gelten nicht mehr" in answer.text[0]

    def test_a_table_that_is_gone_is_told(self):
        g = whole()
        documents = {name: one for name, one in g.documents.items() if "zwecke.csv" not in name}
        assert said(replace(g, documents=documents), "RG-01").result is Result.BROKEN

    def test_what_waits_for_signatures_is_told(self):
        g = whole()
        waits = replace(signed(7, Sheet.INCIDENTS.value, "c" * 64), signatures=())
        answer = said(replace(unsigned(Sheet.INCIDENTS)(g), entered=(*unsigned(Sheet.INCIDENTS)(g).entered, waits)), "RG-02")
        assert "wartet noch auf zwei Unterschriften" in answer.text[0]

    def test_a_photograph_of_another_sign_is_none(self):
        g = unsigned(PHOTOGRAPH)(whole())
        other_sign = signed(9, PHOTOGRAPH, paper("schild.jpg").sha256, "schild-2")
        assert said(replace(g, entered=(*g.entered, other_sign)), "TR-01").result is Result.UNKNOWN


@pytest.mark.parametrize("more", [{"person": "x"}, {"confirmed": "Amt"}, {"confirmed": " amt "}, {"confirmed": "x"}])
def test_on_paper_too_a_document_needs_two_people_with_names(more):
    assert said(other(K.DPIA, **more)(on_paper(whole())), "DF-01").result is not Result.HOLDS


def test_advice_that_came_after_the_approval_is_none():
    late = other(K.DPO_ADVICE, date=TODAY - timedelta(days=1))(whole())
    assert said(late, "DF-01").result is Result.BROKEN
    assert said(other(K.DPO_ADVICE, date=date(2019, 5, 1), settings="b" * 64)(whole()), "DF-01").result is Result.BROKEN


def test_with_a_high_risk_a_consultation_before_the_approval_is_enough():
    g = consulted(TODAY - timedelta(days=30))(other(K.RESIDUAL_RISK, text="Das Restrisiko ist hoch.")(whole()))
    assert said(g, "DF-02").result is Result.HOLDS
    assert said(other(K.RESIDUAL_RISK, text="Das Restrisiko ist nicht hoch.")(whole()), "DF-02").result is Result.HOLDS


def test_no_maintenance_by_others_needs_no_contract():
    g = other(K.MAINTENANCE_CONTRACT, text="keine Wartung durch Dritte", document="", sha256=None)(on_paper(whole()))
    assert said(g, "AP-01").result is Result.HOLDS


def picture(text="", side=800):
    image = np.full((side, side, 3), 255, np.uint8)
    if text:
        code = np.array([list(row) for row in segno.make(text, error="q", micro=False).matrix], np.uint8)
        code = np.pad(255 * (1 - code), 4, constant_values=255)
        at = side // 4
        image[at : 3 * at, at : 3 * at] = cv2.resize(code, (2 * at, 2 * at), interpolation=cv2.INTER_NEAREST)[..., None]
    rng = np.random.default_rng(4)
    noisy = np.clip(image.astype(int) + rng.integers(-20, 20, image.shape), 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", noisy)[1].tobytes()


def archive(*names, **texts):
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as made:
        for name in names:
            made.writestr(name, texts.get(name.partition(".")[0], "x" * 3000))
    return found.getvalue()


def made_pdf(password=None, pages=1, **options):
    """What other programs write; `password` locks it."""
    found = io.BytesIO()
    with pikepdf.new() as made:
        for _ in range(pages):
            made.add_blank_page()
        encryption = pikepdf.Encryption(owner="a", user=password) if password is not None else False
        made.save(found, encryption=encryption, **options)
    return found.getvalue() + b"%" + b" " * 1024


def resaved(data, **options):
    found = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as made:
        made.save(found, **options)
    return found.getvalue()


def bomb():
    """An object stream of two hundred megabytes that names no page."""
    packed = zlib.compress(bytes(200 << 20), 1)
    head = f"1 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length {len(packed)} >>\nstream\n".encode()
    return b"%PDF-1.7\n" + head + packed + b"\nendstream\nendobj\n%%EOF\n"


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"", Form.UNREADABLE),
        (b"Gutachten" * 500, Form.UNREADABLE),
        (b"%PDF-1.7\n" + bytes(4000), Form.UNREADABLE),
        (b"%PDF-1.7\n" + bytes(4000) + b"\n%%EOF\n", Form.UNREADABLE),
        (pdf("Gutachten"), Form.PDF),
        (pdf("Gutachten") + b"\n\n", Form.PDF),
        (pdf("Gutachten")[:-300], Form.UNREADABLE),
        (resaved(pdf("Gutachten"), object_stream_mode=pikepdf.ObjectStreamMode.generate), Form.PDF),
        (resaved(pdf("Gutachten"), object_stream_mode=pikepdf.ObjectStreamMode.disable), Form.PDF),
        (resaved(pdf("Gutachten"), linearize=True), Form.PDF),
        (resaved(pdf("Gutachten"), encryption=pikepdf.Encryption(owner="a", user="b")), Form.UNREADABLE),
        (made_pdf(), Form.UNREADABLE),
        (made_pdf(pages=0), Form.UNREADABLE),
        (made_pdf("geheim"), Form.UNREADABLE),
        (bomb, Form.UNREADABLE),
        (archive("content.xml", "META-INF/manifest.xml", META="<manifest:encryption-data/>" * 60), Form.OFFICE),
        (archive("content.xml", content="<office:text><text:p/></office:text>" * 60), Form.UNREADABLE),
        (archive("content.xml", "Pictures/scan.png", content="<office:text><text:p/></office:text>" * 60), Form.OFFICE),
        (cv2.imencode(".png", np.full((900, 900), 255, np.uint8))[1].tobytes(), Form.UNREADABLE),
        (archive("content.xml", "mimetype"), Form.OFFICE),
        (archive("word/document.xml"), Form.OFFICE),
        (archive("photo.txt"), Form.UNREADABLE),
        (b"PK\x03\x04" + bytes(2000), Form.UNREADABLE),
        (picture(), Form.PICTURE),
        (picture()[:300], Form.UNREADABLE),
        (b"\xff\xd8\xff" + bytes(5000), Form.UNREADABLE),
    ],
)
def test_a_document_is_what_its_bytes_are(tmp_path, data, form):
    data = data() if callable(data) else data
    (tmp_path / "x.pdf").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    found = look_at(Facts(facts=(fact(K.DPIA, document="x.pdf", sha256=digest),)), tmp_path)["x.pdf"]
    assert (found.form, found.size, found.sha256) == (form, len(data), digest)


_INCIDENTS = "Kamera;Von;Bis;Anzahl;Quelle\n"
_RISK = "Risiko;Schwere und Eintritt vorher;Maßnahme;Schwere und Eintritt nachher;Begründung;Verantwortlich;Person;Tag\n"


def incident(**cells):
    known = {"camera": "a", "first": "1.1.2026", "last": "2.1.2026", "count": "3", "source": "Polizei"} | cells
    return ";".join(known.values()) + "\n"


@pytest.mark.parametrize(
    ("sheet", "data", "words"),
    [
        (Sheet.INCIDENTS, (_INCIDENTS + incident()).encode("utf-16"), "t.csv:1: die Datei ist nicht in UTF-8"),
        (Sheet.INCIDENTS, (_INCIDENTS + incident(source="Behörde")).encode("latin-1"), "t.csv:2: die Datei ist nicht in UTF-8"),
        (Sheet.INCIDENTS, (_INCIDENTS + incident(source="Behörde".encode().decode("cp1252"))), "t.csv:2: die Umlaute sind doppelt kodiert"),
        (Sheet.INCIDENTS, b"PK\x03\x04" + bytes(900), "t.csv:1: das ist keine Tabelle"),
        (Sheet.INCIDENTS, _INCIDENTS + incident(source="Pol\x00izei"), "t.csv:1: das ist keine Tabelle"),
        (Sheet.INCIDENTS, _INCIDENTS + incident(source="Polizei\u202e3"), "t.csv:2: ein Feld enthält ein Zeichen"),
        (Sheet.INCIDENTS, _INCIDENTS + incident(source='"Polizei'), "t.csv:1: das ist keine Tabelle"),
        (Sheet.INCIDENTS, _INCIDENTS + incident(count="-3"), "t.csv:2: Anzahl"),
        (Sheet.INCIDENTS, _INCIDENTS + incident(count="3,5"), "t.csv:2: Anzahl"),
        (Sheet.INCIDENTS, _INCIDENTS + incident(count="1.200"), "t.csv:2: Anzahl"),
        (Sheet.INCIDENTS, _INCIDENTS + incident(count="٣"), "t.csv:2: Anzahl"),
        (Sheet.INCIDENTS, _INCIDENTS + incident(first="31.2.2026"), "t.csv:2: Von"),
        (Sheet.INCIDENTS, _INCIDENTS + incident(first="3.1.2026"), "t.csv:2: Bis: der Zeitraum endet"),
        (Sheet.INCIDENTS, _INCIDENTS + incident() * 2, "t.csv:3: der Zeitraum überschneidet sich mit Zeile 2"),
        (Sheet.INCIDENTS, _INCIDENTS + incident() + incident(last="9.9.2026", source="POLIZEI"), "t.csv:3: der Zeitraum überschneidet"),
        (Sheet.RISKS, _RISK + "ausfall;5 2;m;1 1;r;o;p;1.1.2026\n", "t.csv:2: Schwere und Eintritt vorher"),
        (Sheet.RISKS, _RISK + "ausfall;4 2;m;1 1 1;r;o;p;1.1.2026\n", "t.csv:2: Schwere und Eintritt nachher"),
        (Sheet.SIGNS, "Kurzname;Von links;Von oben\ns;nan;0,5\n", "t.csv:2: Von links"),
        (Sheet.WAYS, "Kurzname;Name;Punkte auf dem Lageplan\ns;w;0,5 0,5\n", "t.csv:2: Punkte auf dem Lageplan"),
        (Sheet.BREACHES, "Kurzname;Bekannt seit;Was geschah\nb1;2026-01-01 10:00;x\n", "t.csv:2: Bekannt seit"),
        (
            Sheet.ACCEPTANCES,
            "Kamera;Tag;Person;Zweite Person;Anhalten wirkt\na;1.1.2026;p;q;wohl\n",
            "Anhalten wirkt: schreiben Sie ja",
        ),
    ],
)
def test_a_table_that_counts_wrongly_or_reads_otherwise_than_it_looks_is_refused(sheet, data, words):
    with pytest.raises(SettingsError) as found:
        read_table(sheet, data if isinstance(data, bytes) else data.encode(), "t.csv", "de")
    assert words in str(found.value)


def test_two_sources_and_two_periods_of_one_camera_are_two_counts():
    rows = incident() + incident(source="Ordnungsamt") + incident(first="3.1.2026", last="9.1.2026") + incident(camera="b")
    for delimiter in ";\t":
        table = read_table(Sheet.INCIDENTS, (_INCIDENTS + rows).replace(";", delimiter).encode("utf-8-sig"), "t.csv", "de")
        assert len(table.sections["incidents"]) == 4


_GROUND = '[[grounds]]\ncamera = "a"\npurpose = "hausrecht"\nreason = "Schäden am Haus"\narea = "oeffentlich"\n'
_COUNTED = '[[incidents]]\ncamera = "a"\nfirst = 2026-01-01\nlast = 2026-06-30\ncount = 3\nsource = "Polizei"\n'
_SIGN = '[[signs]]\nid = "sued"\nx = 0.5\ny = 0.9\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_GROUND * 2, "grounds.1.camera"),
        (_SIGN * 2, "signs.1.id"),
        (_COUNTED * 2, "incidents.1.first"),
        (_COUNTED + _COUNTED.replace("2026-01-01", "2026-06-30").replace("06-30\ncount", "07-30\ncount"), "incidents.1.first"),
    ],
)
def test_a_facts_file_that_says_something_twice_is_refused_by_line(tmp_path, text, words):
    (tmp_path / "a.facts.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"a\.facts\.toml") as found:
        load_facts(tmp_path / "a.facts.toml", "de")
    assert words in str(found.value)


def test_a_facts_file_of_an_editor_of_windows_is_read(tmp_path):
    (tmp_path / "a.facts.toml").write_bytes((_GROUND + _COUNTED).replace("\n", "\r\n").encode("utf-8-sig"))
    assert load_facts(tmp_path / "a.facts.toml", "de").grounds[0].reason == "Schäden am Haus"


class TestPhotographs:
    """A photograph of a sign shows that sign: its picture code can be read."""

    def seen(self, tmp_path, data):
        (tmp_path / "a.jpg").write_bytes(data)
        sign = Sign(id="schild-1", x=0.5, y=0.98, photo="a.jpg", sha256=hashlib.sha256(data).hexdigest(), checked=TODAY)
        g = facts_with(whole(), signs=(sign,), information_address=ADDRESS)
        g = replace(g, entered=(*g.entered, signed(300, PHOTOGRAPH, hashlib.sha256(data).hexdigest(), "schild-1")))
        return said(replace(g, documents={**g.documents, **look_at(g.facts, tmp_path)}), "TR-01").result

    def test_the_code_of_this_site_is_read_and_another_one_is_none(self, tmp_path):
        assert self.seen(tmp_path, picture(ADDRESS)) is Result.HOLDS
        assert self.seen(tmp_path, picture(f"{ADDRESS}#schild-1")) is Result.HOLDS
        assert self.seen(tmp_path, picture("https://www.other.example/")) is Result.UNKNOWN
        assert self.seen(tmp_path, picture(f"{ADDRESS}#schild-2")) is Result.UNKNOWN, "another sign of this site"
        assert self.seen(tmp_path, picture(f"{ADDRESS}/#schild-1")) is Result.UNKNOWN
        assert self.seen(tmp_path, picture()) is Result.UNKNOWN

    def test_without_an_address_no_photograph_shows_the_sign(self):
        assert said(facts_with(whole(), information_address=""), "TR-01").result is Result.UNKNOWN

    def test_a_thumbnail_and_a_text_are_no_photograph(self, tmp_path):
        assert self.seen(tmp_path, picture(ADDRESS, side=320)) is Result.UNKNOWN
        assert self.seen(tmp_path, b"x" * 3000) is Result.UNKNOWN

    def test_one_photograph_shows_one_sign(self):
        g = whole()
        two = (*g.facts.signs, g.facts.signs[0].model_copy(update={"id": "schild-2", "x": 0.45}))
        assert said(facts_with(g, signs=two), "TR-01").result is Result.UNKNOWN

    def test_a_look_in_the_future_is_none(self):
        assert said(signs(checked=TODAY + timedelta(days=1))(whole()), "TR-01").result is Result.BROKEN


def test_one_empty_file_for_everything_opens_no_gate():
    """One empty file stood for DPIA, legal opinion, AI classification, information sheet and every sign's photograph."""
    g = whole()
    empty = hashlib.sha256(b"").hexdigest()
    facts = tuple(one.model_copy(update={"document": "x.txt", "sha256": empty, "person": "x", "confirmed": "x"}) for one in g.facts.facts)
    g = facts_with(g, facts=facts, signs=tuple(one.model_copy(update={"photo": "x.txt", "sha256": empty}) for one in g.facts.signs))
    g = replace(g, documents={"x.txt": replace(paper("x.txt", Form.UNREADABLE), sha256=empty, size=0)})
    for name in ("RG-03", "RG-04", "DF-01", "DF-02", "DF-03", "DF-04", "TR-01", "TR-03", "KI-07", "AP-01"):
        assert said(g, name).result is not Result.HOLDS, name
    assert len(SITE.cameras) == 11


def test_the_same_bytes_are_looked_at_once_and_other_bytes_anew(monkeypatch):
    """The rules ask every few seconds, and to search a photograph for its code takes a second."""
    asked = []
    monkeypatch.setattr(documents, "_code", lambda image: asked.append(1) or "code")
    first, second = picture("einmal"), picture("anders")
    assert [documents.paper_of(data, is_photograph=True).code for data in (first, first, second)] == ["code"] * 3
    assert len(asked) == 2
    assert documents.paper_of(first).code == ""


# What people paste from spreadsheets, and what nobody would.
CELLS = st.one_of(
    st.sampled_from(
        ["", "x", "1", "0,5", "9" * 400, "nan", "-1", "ja", "31.2.2026", "1.1.2026", "2026-01-01", "0.1 0.2 / 0.3", "1 2 3", "/"]
    ),
    st.sampled_from(["öffentliche Aufgabe", "nicht öffentlich", "=1+1", "2026-01-01T10:00+01:00", "2026-01-01T10:00", "kein", "Empfänger"]),
    st.text(max_size=12),
)


@settings(max_examples=often(150, 3000))
@given(st.sampled_from(Sheet), st.lists(st.lists(CELLS, max_size=14), max_size=4), st.booleans(), st.sampled_from(["de", "en"]))
def test_any_table_is_read_or_refused_by_line(sheet, rows, own_head, language):
    head = list(columns(sheet)) if own_head else []
    rows = [head, *([*row, *[""] * len(head)][: len(head)] for row in rows)] if own_head else rows
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(rows)
    for data in (out.getvalue().encode("utf-8", "surrogatepass"), out.getvalue().encode("utf-16", "surrogatepass")):
        try:
            read = read_table(sheet, data, "t.csv", language)
        except SettingsError as error:
            refused = str(error).splitlines()
        else:
            refused = []
            again = read_table(sheet, template(sheet, Facts().model_copy(update=read.sections), language), "t.csv", language)
            assert again.sections == read.sections
        assert all(re.match(r"t\.csv:\d+: ", line) for line in refused), refused
