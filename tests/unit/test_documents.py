"""The documents: each statement rests on something that exists; they are what they claim to be as files; changes are found."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import asdict, replace
from datetime import date, timedelta
from functools import reduce

import cv2
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from blickschutz.access.model import Role
from blickschutz.audit.model import Event
from blickschutz.cli.main import cli
from blickschutz.compliance.documents.editions import editions_of, followed, history, number
from blickschutz.compliance.documents.legible import Reading, distance_m, least_pt
from blickschutz.compliance.documents.model import Plan, Sentence, Source, Table, say
from blickschutz.compliance.documents.pack import pack
from blickschutz.compliance.documents.public import here
from blickschutz.compliance.documents.risks import CATALOGUE
from blickschutz.compliance.documents.walls import WEAKER
from blickschutz.compliance.facts import FactKind, Facts, Office, Risk
from blickschutz.compliance.io.documents import facts_path, load_facts
from blickschutz.compliance.io.press import papers, print_pack, render
from blickschutz.compliance.model import Machine
from blickschutz.compliance.policy import RULES
from blickschutz.compliance.recorded import Assignment
from blickschutz.config.loader import load_site, settings_hash
from blickschutz.config.model import SiteFile
from blickschutz.kernel.errors import FaultError
from blickschutz.regime.model import Mode
from blickschutz.situations.kinds import Kind
from blickschutz.zones.model import Wall
from tests.conftest import LONG, ROOT
from tests.unit.test_claims import on_paper
from tests.unit.test_policy import SITE, fact, facts_with, whole

EXAMPLE = ROOT / "examples/rathaus-kaiserslautern.toml"
GOLDEN = ROOT / "tests/golden/documents"
KEYS = [document.key for document in pack(whole())]


def example():
    """The grounds of the example site that never ran."""
    return replace(whole(), facts=load_facts(facts_path(EXAMPLE)), documents={}, entered=(), log={}, members=(), rows=None, machine=None)


def as_text(document):
    lines = [document.title, document.basis]
    for section in document.sections:
        lines += ["", f"# {section.title}"]
        for part in section.parts:
            if isinstance(part, Table):
                lines.append(" | ".join(part.columns))
                part = [Sentence(" | ".join(cells), evidence) for cells, evidence in part.rows]
            part = part.caption if isinstance(part, Plan) else part
            for one in part if isinstance(part, list) else [part]:
                lines.append(f"{one.text}  [{'; '.join(map(str, one.evidence))}]")
    return "\n".join(lines) + "\n"


def exists(evidence):
    """Whether what a statement rests on is really there."""
    name = evidence.name
    if evidence.source is Source.SETTING:
        return setting_exists(name)
    if evidence.source is Source.RULE:
        return name in {one.id for one in RULES}
    if evidence.source is Source.FACT:
        return name in set(FactKind) or name in Facts.model_fields
    if evidence.source is Source.EVENT:
        return name in set(Event)
    if evidence.source is Source.TEST:
        return (ROOT / name).is_file()
    return bool(re.search(r"§|Art\.|DIN", name))


def setting_exists(path):
    def is_section(part):
        return isinstance(part, type) and (issubclass(part, BaseModel) or hasattr(part, "__dataclass_fields__"))

    def inner(annotation):
        return next(filter(is_section, [annotation, *getattr(annotation, "__args__", ())]), None)

    def step(model, key):
        fields = getattr(model, "model_fields", None) or getattr(model, "__dataclass_fields__", {})
        assert key in fields, path
        annotation = getattr(fields[key], "annotation", None)
        return inner(annotation)

    reduce(step, path.split("."), SiteFile)
    return True


@pytest.mark.parametrize("grounds", [whole(), example()], ids=["whole", "example"])
def test_no_statement_is_without_evidence_that_exists(grounds):
    count = 0
    for document in pack(grounds):
        for one in document.sentences():
            assert one.evidence, one.text
            for evidence in one.evidence:
                assert exists(evidence), (one.text, evidence)
            count += 1
    assert count > 150


def test_a_statement_without_evidence_cannot_be_made():
    with pytest.raises(FaultError, match="without evidence"):
        say("Alles ist sicher.")
    with pytest.raises(FaultError, match="row"):
        Table(("a",), ((("x",), ()),))


@pytest.mark.parametrize("key", KEYS)
def test_the_text_for_the_example_is_the_one_that_was_approved(key):
    """After a change on purpose: `BLICKSCHUTZ_GOLDEN=1 pytest tests/unit/test_documents.py`, and read the difference."""
    document = next(one for one in pack(example()) if one.key == key)
    path = GOLDEN / f"{key}.txt"
    if os.environ.get("BLICKSCHUTZ_GOLDEN"):
        path.write_text(as_text(document), encoding="utf-8")
    assert as_text(document) == path.read_text(encoding="utf-8")


def test_the_picture_code_on_the_sign_is_the_address_that_is_printed(tmp_path):
    address = "https://www.stadt.example/videoschutz"
    grounds = whole()
    grounds = replace(grounds, facts=grounds.facts.model_copy(update={"information_address": address}))
    document = next(one for one in pack(grounds) if one.key == "schild-de-a4")
    assert address in as_text(document)
    (tmp_path / "sign.pdf").write_bytes(render(document, grounds))
    subprocess.run(["pdftoppm", "-r", "100", "-png", tmp_path / "sign.pdf", tmp_path / "sign"], check=True)
    found, _, _ = cv2.QRCodeDetector().detectAndDecode(cv2.imread(str(next(tmp_path.glob("sign*.png")))))
    assert found == f"{address}#{grounds.facts.signs[0].id}", "the address that is printed, and which sign it is"


def test_the_approver_is_who_approved_these_settings(tmp_path):
    def printed(grounds):
        document = next(one for one in pack(grounds) if one.key == "loeschkonzept")
        (tmp_path / "a.pdf").write_bytes(render(document, grounds))
        return subprocess.run(["pdftotext", "-layout", tmp_path / "a.pdf", "-"], capture_output=True, text=True, check=True).stdout

    assert re.search(r"Freigegeben von\s+Amt, 22.11.2026", printed(whole()))
    assert re.search(r"Freigegeben von\s+OFFEN", printed(replace(whole(), settings="b" * 64)))


def test_what_is_not_known_prints_as_open_and_never_as_an_invention():
    bare = replace(example(), facts=Facts())
    for document in pack(bare):
        opened = [one for one in document.sentences() if not one.known]
        assert opened or document.key == "loeschkonzept"
        assert all("OFFEN" in one.text for one in opened)


def test_the_assessment_says_which_promises_the_machine_weakens():
    def printed(machine):
        return as_text(next(one for one in pack(replace(whole(), machine=machine)) if one.key == "dsfa"))

    assert set(WEAKER) == set(Wall)
    assert "schwächer als zugesagt" not in printed(Machine())
    weak = printed(Machine(walls_missing=(Wall.FILES, Wall.NO_SWAP)))
    assert "schwächer als zugesagt" in weak
    assert "Auslagerungsspeicher" in weak
    assert "getrennte Prozesse" not in printed(None), "nobody asked the machine"


def test_a_risk_has_the_scores_that_a_named_person_gave_it_and_no_others():
    """The DSFA printed scores that nobody gave: constants, lowered "afterwards"."""

    def rows(grounds):
        document = next(one for one in pack(grounds) if one.key == "dsfa")
        section = next(one for one in document.sections if one.title.startswith("Risiken"))
        return {cells[1]: cells for part in section.parts if isinstance(part, Table) for cells, _ in part.rows}

    bare = rows(whole())
    assert len(bare) == len(CATALOGUE) == 15
    assert all(cells[2:] == ("OFFEN",) * 5 for cells in bare.values())
    values = {
        "before": (3, 4),
        "measure": "neutrales Mosaik",
        "after": (3, 2),
        "reason": "gemessen",
        "owner": "Amt",
        "person": "Frau Ernst",
    }
    mine = Risk(risk="wiedererkennung", date=date(2026, 11, 2), **values)
    own = Risk(risk="laerm", title="Lärm der Lüfter stört", goal="Transparenz", date=date(2026, 11, 2), **values)
    found = rows(replace(whole(), facts=whole().facts.model_copy(update={"risks": (mine, own)})))
    expected = ("3 × 4 = 12", "neutrales Mosaik", "3 × 2 = 6", "gemessen", "Amt; bewertet 02.11.2026 von Frau Ernst")
    about = next(cells for text, cells in found.items() if text.startswith("Wiedererkennen"))
    assert about[2:] == found["Lärm der Lüfter stört"][2:] == expected
    assert sum(cells[2] == "OFFEN" for cells in found.values()) == len(CATALOGUE) - 1


def test_nobody_is_promised_anonymity_while_clips_are_sealed():
    for document in pack(whole()):
        assert "anonym" not in as_text(document).lower()
    night = SITE.regimes.night.model_copy(update={"mode": Mode.ANONYMOUS})
    site = SITE.model_copy(update={"regimes": SITE.regimes.model_copy(update={"night": night})})
    sheet = next(one for one in pack(replace(whole(), site=site)) if one.key == "informationsblatt-de")
    assert "unwiderruflich" in as_text(sheet)


def test_a_change_of_settings_names_the_sentences_that_changed(printed):
    assert {path.stem for path in printed.glob("*.pdf")} == set(KEYS)
    site = SITE.model_copy(update={"retention": SITE.retention.model_copy(update={"unreviewed_hours": 48})})
    later = replace(whole(), site=site, settings=settings_hash(site))
    found = papers(later, printed).changed
    assert {"tom", "dsfa", "vvt", "informationsblatt-de", "informationsblatt-en", "loeschkonzept", "schild-de-a4"} <= set(found)
    told = ("48", "OFFEN", "NICHT", "noch nicht von zwei Personen unterschrieben")
    # The paper for the council counts the gates that the change closes.
    assert any(text.startswith("Erfüllt sind") for text in found.pop("ratsvorlage"))
    assert all(any(word in text for word in told) for texts in found.values() for text in texts)
    assert papers(whole(), printed).changed == {}


def test_a_damaged_list_of_the_last_pack_is_no_obstacle_and_the_pack_takes_seconds(tmp_path):
    (tmp_path / "pack.json").write_text("{", encoding="utf-8")
    start = time.monotonic()
    files, changes = print_pack(whole(), tmp_path)
    assert time.monotonic() - start < 15
    assert [path.stem for path in files] == KEYS
    assert changes == {}


@pytest.mark.parametrize("odd", ["\u202e", "💥" * 3, "\u0000\u0007", "𓀀 ☃ \ufffe", "\u200b\u2066", '"\\\u202e"'])
def test_no_sign_that_somebody_wrote_keeps_a_paper_from_being_printed(odd, tmp_path):
    """A reason, a name: PDF/A refuses what no typeface has, and with it the whole pack."""
    site = SITE.model_copy(update={"site": SITE.site.model_copy(update={"name": f"Wache {odd} Süd"})})
    g = replace(whole(), site=site)
    (tmp_path / "tom.pdf").write_bytes(render(next(one for one in pack(g) if one.key == "tom"), g))
    text = tool("pdftotext", "-layout", tmp_path / "tom.pdf", "-").stdout
    assert "Wache" in text
    assert "\u202e" not in text


def test_the_command_prints_and_says_what_is_open(tmp_path):
    arguments = ["documents", "--site", str(EXAMPLE), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(cli, arguments, env={"BLICKSCHUTZ_DATA": str(tmp_path)})
    assert result.exit_code == 0, result.output
    assert f"{len(KEYS)} Dokumente" in result.output
    assert (tmp_path / "out/tom.pdf").read_bytes().startswith(b"%PDF")


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack")
    print_pack(whole(), folder)
    return folder


def tool(name, *arguments):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return subprocess.run([name, *map(str, arguments)], capture_output=True, text=True, errors="replace", check=False)


@pytest.mark.parametrize("key", KEYS)
class TestFiles:
    """Looked at by tools that have nothing to do with the printer: poppler and qpdf."""

    def test_it_is_tagged_and_says_which_standards_it_keeps(self, printed, key):
        info = tool("pdfinfo", printed / f"{key}.pdf").stdout
        assert re.search(r"Tagged:\s+yes", info)
        assert re.search(r"Suspects:\s+no", info)
        assert re.search(r"JavaScript:\s+no", info)
        meta = tool("pdfinfo", "-meta", printed / f"{key}.pdf").stdout
        assert "<pdfaid:part>2</pdfaid:part>" in meta
        assert "<pdfaid:conformance>A</pdfaid:conformance>" in meta
        assert "<pdfuaid:part>1</pdfuaid:part>" in meta

    def test_its_structure_has_headings_and_its_language(self, printed, key):
        structure = tool("pdfinfo", "-struct", printed / f"{key}.pdf").stdout
        assert "H1" in structure
        assert "Table" in structure or key.startswith(("schild", "informationsblatt-de", "informationsblatt-en", "brief-information"))

    def test_every_font_is_embedded(self, printed, key):
        rows = tool("pdffonts", printed / f"{key}.pdf").stdout.splitlines()[2:]
        assert rows
        assert all(re.search(r"\s(yes)\s+(yes|no)\s+(yes)\s+\d+\s+\d+\s*$", row) for row in rows), rows

    def test_the_file_is_sound(self, printed, key):
        result = tool("qpdf", "--check", printed / f"{key}.pdf")
        assert result.returncode == 0, result.stdout + result.stderr
        assert "No syntax or stream encoding errors" in result.stdout

    def test_its_text_can_be_taken_out(self, printed, key):
        text = tool("pdftotext", printed / f"{key}.pdf", "-").stdout
        words = set(re.findall(r"\w{5,}", text))
        document = next(one for one in pack(whole()) if one.key == key)
        wanted = {word for one in document.sentences() for word in re.findall(r"\w{5,}", one.text)}
        # Words that the line's end cut are not found whole.
        assert len(wanted - words) < 0.3 * len(wanted), sorted(wanted - words)[:20]
        other = {"ru": "в", "uk": "і", "ar": "من", "tr": "ş"}.get(key.rsplit("-", 1)[-1], "")
        assert other in text if other else ("ß" in text or "ü" in text or key.endswith("en") or "-en-" in key)


@pytest.mark.parametrize(("key", "size"), [(key, key[-2:].upper()) for key in KEYS if key.startswith("schild")])
class TestSigns:
    def test_each_recorded_sign_is_one_page_of_its_paper(self, printed, tmp_path, key, size):
        info = tool("pdfinfo", printed / f"{key}.pdf").stdout
        assert re.search(r"Pages:\s+1\b", info)
        assert size in info
        g = example()
        (tmp_path / "a.pdf").write_bytes(render(next(one for one in pack(g) if one.key == key), g))
        assert re.search(rf"Pages:\s+{len(g.facts.signs)}\b", tool("pdfinfo", tmp_path / "a.pdf").stdout)

    def test_the_first_lines_are_read_from_two_metres_and_the_rest_is_looked_up(self, printed, key, size):
        """Heights of words as poppler finds them on the page; a word is as high as the font's ascent and descent."""
        page = tool("pdftotext", "-bbox", printed / f"{key}.pdf", "-").stdout
        found = re.findall(r'yMin="([\d.]+)" xMax="[\d.]+" yMax="([\d.]+)">([^<]+)<', page)
        sizes = [(word, (float(low) - float(high)) / 1.14) for high, low, word in found]
        far = {word for word, points in sizes if distance_m(points, Reading.SIGNAL) >= 2.0}
        first = {"de": {"Videoschutz", "Videoüberwachung", "Amt"}, "en": {"Video", "protection", "CCTV", "in", "operation", "Amt"}}[
            key.split("-")[1]
        ]
        assert first <= far
        nearest = min(distance_m(points, Reading.LOOKUP) for _, points in sizes)
        assert nearest >= {"A4": 0.7, "A3": 1.0}[size]


def test_the_plan_of_a_sign_says_in_words_where_one_stands():
    g = replace(example(), facts=example().facts.model_copy(update={"north": 275.0}))
    north = here(g, "de")[[one.id for one in g.facts.signs].index("schild-nord")]
    assert north.endswith("4 Schilder. Sie stehen oben in der Mitte. Norden ist links.")
    assert here(g, "en")[0].endswith("You are at the bottom in the middle. North is on the left.")
    assert "Norden" not in here(replace(g, facts=g.facts.model_copy(update={"north": None})), "de")[0]


def test_the_angle_of_an_x_is_that_of_the_norm():
    assert least_pt(2.0, Reading.SIGNAL) == pytest.approx(34.6, abs=0.1)
    assert distance_m(least_pt(1.3, Reading.LOOKUP), Reading.LOOKUP) == pytest.approx(1.3)


class TestEditions:
    """Number, version and what changed since the one before."""

    def after(self, g, last):
        """What the list of a pack is after a print."""
        documents, day = pack(g), g.today.isoformat()
        editions = {key: [asdict(one) for one in found] for key, found in history(last, documents, day, g.settings).items()}
        said = {document.key: [one.text for one in document.sentences()] for document in documents}
        return json.loads(json.dumps({"settings": g.settings, "date": day, "said": said, "editions": editions}))

    def later(self, hours, days=30):
        site = SITE.model_copy(update={"retention": SITE.retention.model_copy(update={"unreviewed_hours": hours})})
        return replace(whole(), site=site, settings=settings_hash(site), today=whole().today + timedelta(days=days))

    def test_a_print_that_says_the_same_is_the_same_version(self):
        last = self.after(whole(), {})
        for days in (1, 2):
            last = self.after(replace(whole(), today=whole().today + timedelta(days=days)), last)
        assert [one["version"] for one in last["editions"]["loeschkonzept"]] == [1]

    def test_a_change_is_a_new_version_that_says_what_is_new_and_what_was_dropped(self, printed, tmp_path):
        (tmp_path / "pack.json").write_bytes((printed / "pack.json").read_bytes())
        print_pack(self.later(48), tmp_path)
        first, second = json.loads((tmp_path / "pack.json").read_text(encoding="utf-8"))["editions"]["dsfa"]
        assert (first["version"], second["version"], second["date"]) == (1, 2, "2026-12-25")
        assert "Was niemand gesichtet hat, wird nach 48 Stunden vernichtet." in second["added"]
        assert "Was niemand gesichtet hat, wird nach 72 Stunden vernichtet." in second["dropped"]
        text = " ".join(tool("pdftotext", tmp_path / "dsfa.pdf", "-").stdout.split())
        assert "VS-02, Fassung 2" in text
        assert "Was hat sich geändert" in text
        assert "entfallen: Was niemand gesichtet hat, wird nach 72 Stunden vernichtet." in text
        assert "Unterschriften" in text

    def test_what_names_people_leaves_only_a_count_behind(self):
        person = Assignment(role=Role.REVIEW, person="Frau Vergangen")
        last = self.after(replace(whole(), facts=whole().facts.model_copy(update={"assignments": (person,)})), {})
        last = self.after(whole(), last)
        kept = last["editions"]["rollenkonzept"]
        assert kept[-1]["version"] == 2
        assert kept[-1]["more"] > 0
        assert "Vergangen" not in json.dumps(last)

    def test_a_pack_of_a_version_without_history_is_the_first_version(self):
        last = self.after(whole(), {})
        del last["editions"]
        assert [one["version"] for one in self.after(self.later(48), last)["editions"]["dsfa"]] == [1, 2]

    def test_a_damaged_history_is_left_out_and_a_long_one_is_cut(self):
        document = next(one for one in pack(whole()) if one.key == "tom")
        good = {"version": 3, "date": "2026-01-01", "settings": "a", "added": [], "dropped": [], "more": 0}
        assert [one.version for one in editions_of([{"version": "x"}, good, 7])] == [3]
        found = editions_of([good])
        for turn in range(20):
            found = followed(found, document, [f"sentence {turn}"], "2026-02-01", "b")
        assert [one.version for one in found] == list(range(16, 24))
        assert len(found[-1].added) == 12
        assert found[-1].more > 0

    def test_every_document_has_a_number_of_its_own(self):
        numbers = [number(document) for document in pack(whole())]
        assert all(numbers)
        assert len(set(numbers)) == len(numbers)


def test_evidence_is_a_note_and_what_rests_on_the_same_has_the_same_number(printed):
    text = tool("pdftotext", "-layout", printed / "dsfa.pdf", "-").stdout
    assert len(re.findall(r"Tatsache risks; Regel KI-05", text)) == 1, "two risks rest on it"
    listed = re.findall(r"^ *(\d+) (?:Einstellung|Regel|Tatsache|Protokoll|Prüfung|Recht) ", text, re.MULTILINE)
    assert [int(one) for one in listed] == list(range(1, len(listed) + 1))
    assert len(listed) > 20


@pytest.mark.parametrize("language", ["de", "en"])
def test_what_citizens_read_has_no_word_of_the_program(tmp_path, language):
    authority = Office(name="LfDI", address="Mainz", phone="06131 1", email="post@lfdi.example")
    grounds = whole()
    grounds = replace(grounds, facts=grounds.facts.model_copy(update={"supervisory_authority": authority}))
    document = next(one for one in pack(grounds) if one.key == f"informationsblatt-{language}")
    (tmp_path / "sheet.pdf").write_bytes(render(document, grounds))
    text = tool("pdftotext", tmp_path / "sheet.pdf", "-").stdout
    for word in ("Beleg", "Evidence", "Einstellung ", "regimes.", "Regel ", "Kamerazelle", "Hash", "OFFEN", grounds.settings[:12]):
        assert word not in text, word
    assert "Vandalismus" in text
    assert "Mainz" in text
    titles = [section.title for section in document.sections]
    assert {"de": "Ihr Widerspruchsrecht", "en": "Your right to object"}[language] in titles


def test_the_review_is_a_year_after_the_approval_however_often_it_is_printed(tmp_path):
    for days in (0, 200):
        g = replace(whole(), today=whole().today + timedelta(days=days))
        (tmp_path / "a.pdf").write_bytes(render(next(one for one in pack(g) if one.key == "tom"), g))
        text = tool("pdftotext", "-layout", tmp_path / "a.pdf", "-").stdout
        assert re.search(r"Nächste Überprüfung\s+22.11.2027", text)


def test_a_statement_on_a_rule_that_does_not_hold_says_so(printed, tmp_path):
    g = replace(whole(), rows=replace(whole().rows, overdue=(4,)))
    (tmp_path / "dsfa.pdf").write_bytes(render(next(one for one in pack(g) if one.key == "dsfa"), g))
    text = " ".join(tool("pdftotext", tmp_path / "dsfa.pdf", "-").stdout.split())
    assert "Regel VA-05 ist verletzt" in text
    assert "verletzt" not in tool("pdftotext", printed / "dsfa.pdf", "-").stdout


def test_what_cannot_be_printed_is_a_fault():
    document = replace(pack(whole())[0], template="sign", values={})
    with pytest.raises(FaultError, match="cannot be printed"):
        render(document, whole())


def test_the_assessment_names_every_kind_that_some_zone_looks_for_and_denies_no_recording():
    g = example()
    first, *others = g.site.cameras
    zones = tuple(zone.model_copy(update={"rules": replace(zone.rules, off=(Kind.LOITERING,))}) for zone in first.zones)
    g = replace(g, site=g.site.model_copy(update={"cameras": (first.model_copy(update={"zones": zones}), *others)}))
    text = as_text(next(one for one in pack(g) if one.key == "dsfa"))
    assert "nicht, wer jemand ist: Person im Bereich, Verweilen," in text
    assert "automatische Folge" not in text


def test_the_impact_assessment_names_who_signed_what_it_rests_on():
    def said_of(g):
        (section,) = [one for one in pack(g)[1].sections if one.title == "Wer für die Angaben einsteht"]
        return {cells[0]: cells[1] for cells, _ in section.parts[0].rows}

    told = said_of(whole())
    assert told["Zwecke und Begründung der Kameras"] == "unterschrieben von Amt (aufsicht) und Rat Zwei (administration)"
    assert all(text.startswith("unterschrieben von Amt (") for text in told.values())
    assert set(said_of(replace(whole(), entered=())).values()) == {"OFFEN: nicht von zwei Personen unterschrieben"}
    assert all("auf Papier unterschrieben von Frau Amt und Herr Rat" in text for text in said_of(on_paper(whole())).values())
    unsigned = [one.text for one in pack(replace(whole(), entered=()))[1].sentences()]
    assert any("Freigabe der Folgenabschätzung" in text and "noch nicht von zwei Personen unterschrieben" in text for text in unsigned)


class TestTheSitesLanguage:
    """`check` and `documents` speak as the site does, whatever the operator's terminal speaks."""

    def ask(self, tmp_path, language, *arguments):
        site = tmp_path / "anlage.toml"
        text = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8")
        site.write_text(text.replace('language = "de"', f'language = "{language}"'), encoding="utf-8")
        assert load_site(site).site.language == language
        terminal = {"LANG": "en_GB.UTF-8" if language == "de" else "de_DE.UTF-8", "LC_ALL": "", "LC_MESSAGES": ""}
        return CliRunner().invoke(cli, [*arguments, "--site", str(site)], env=terminal)

    @pytest.mark.parametrize(
        ("language", "own", "other"),
        [("de", "kein Datenordner von Blickschutz", "no data folder"), ("en", "no data folder of Blickschutz", "kein Datenordner")],
    )
    def test_a_fault_of_the_data_folder(self, tmp_path, language, own, other):
        folder = tmp_path / "etwas"
        folder.mkdir()
        (folder / "brief.txt").write_text("kein Datenordner")
        result = self.ask(tmp_path, language, "check", "--data", str(folder))
        assert result.exit_code == 1
        assert own in result.stdout
        assert other not in result.stdout

    @pytest.mark.parametrize("language", ["de", "en"])
    def test_a_secret_that_cannot_be_read(self, tmp_path, language):
        site = tmp_path / "anlage.toml"
        text = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8")
        text = text.replace('language = "de"', f'language = "{language}"')
        site.write_text(text.replace('id = "vorplatz-nord"', 'id = "vorplatz-nord"\npassword_file = "gibt-es-nicht"', 1), encoding="utf-8")
        terminal = {"LANG": "en_GB.UTF-8" if language == "de" else "de_DE.UTF-8", "LC_ALL": "", "LC_MESSAGES": ""}
        result = CliRunner().invoke(cli, ["check", "--site", str(site), "--data", str(tmp_path / "neu")], env=terminal)
        assert ("lässt sich nicht lesen" in result.stdout) is (language == "de")
        assert ("cannot be read" in result.stdout) is (language == "en")

    def test_the_last_line_of_the_documents(self, tmp_path):
        # What is printed in German is looked at in many tests.
        for language, word in (("en", "documents"), *((("de", "Dokumente"),) if LONG else ())):
            result = self.ask(tmp_path, language, "documents", "--out", str(tmp_path / language), "--data", str(tmp_path / "neu"))
            assert f" {word}, " in result.stdout.splitlines()[-1], result.output


class TestWhatPeopleArranged:
    """What no code knows is printed as what somebody arranged and two people signed, or as OFFEN; never as a fact."""

    RULE = "Das Ordnungsamt hält die Kameras am Vorplatz eine Stunde vorher an."

    def with_rule(self, g):
        facts = tuple(one for one in g.facts.facts if one.kind is not FactKind.ASSEMBLIES)
        return facts_with(g, facts=(*facts, fact(FactKind.ASSEMBLIES, text=self.RULE)))

    def told(self, g, *keys):
        return [one.text for document in pack(g) if document.key in keys for one in document.sentences()]

    def test_a_rule_for_assemblies_that_two_signed_is_told_to_citizens_in_every_language(self):
        g = self.with_rule(whole())
        for document in pack(g):
            if document.key.startswith("fragen-"):
                assert sum(self.RULE in one.text for one in document.sentences()) == 1, document.key
        assert any(self.RULE in text for text in self.told(g, "betriebskonzept"))

    def test_one_that_nobody_signed_is_not(self):
        g = replace(self.with_rule(whole()), entered=())
        assert not any(self.RULE in text for text in self.told(g, "fragen-de", "fragen-ls", "fragen-ar"))
        assert any(self.RULE in text and "noch nicht von zwei Personen" in text for text in self.told(g, "betriebskonzept"))
        (row,) = [text for text in self.told(g, "tom") if self.RULE in text]
        assert row.split(" | ")[-1] == "OFFEN"

    def test_where_nobody_arranged_anything_nothing_is_claimed(self):
        bare = facts_with(whole(), facts=())
        rows = [text for text in self.told(bare, "tom") if text.startswith("OFFEN")]
        assert {text.split(" | ")[0] for text in rows} >= {"OFFEN: Wer jede Meldung prüft", "OFFEN: Anhalten bei Versammlungen"}
        assert {text.split(" | ")[-1] for text in rows if "|" in text} == {"OFFEN"}

    def test_no_document_says_our_words_or_what_nobody_knows(self):
        for g in (whole(), example()):
            for document in pack(g):
                for one in document.sentences():
                    assert not re.search(r"Kamerazelle|Zellen? (?:für|der) Kamera|jede Meldung prüft ein Mensch", one.text), one.text
                    assert "Bei Versammlungen werden Kameras angehalten" not in one.text


class TestServer:
    """What is printed of a site whose databases are on a server, and what is not."""

    @staticmethod
    def texts(address):
        site = SITE.model_copy(update={"storage": SITE.storage.model_copy(update={"database": address})})
        return {document.key: as_text(document) for document in pack(replace(whole(), site=site))}

    def test_papers_say_where_the_server_is_who_reads_it_and_what_it_leaves(self):
        printed = self.texts("postgresql://blickschutz@db.example/site")
        for key in ("vvt", "dsfa", "loeschkonzept"):
            assert "auf dem Rechner db.example" in printed[key], key
            assert "wer den Server verwaltet" in printed[key], key
        assert "wird nichts überschrieben" in printed["loeschkonzept"]
        assert "gelöscht und überschrieben" not in "".join(printed.values())
        assert "SCRAM" in printed["tom"]
        assert "Übermittlung in Drittländer findet nicht statt." not in printed["vvt"]
        assert "database fill" in printed["wiederanlauf"]

    def test_one_on_the_same_machine_is_said_to_be_there(self):
        printed = self.texts("postgresql://blickschutz@/site?host=/run/postgresql")
        assert "(PostgreSQL) auf diesem Rechner" in printed["vvt"]
        assert "Übermittlung in Drittländer findet nicht statt." in printed["vvt"]

    def test_of_files_nothing_of_it_is_said(self):
        assert "Datenbankserver" not in "".join(self.texts(None).values())

    def test_each_sentence_has_evidence_that_exists(self):
        site = SITE.model_copy(update={"storage": SITE.storage.model_copy(update={"database": "postgresql://b@db.example/site"})})
        for document in pack(replace(whole(), site=site)):
            assert all(exists(evidence) for one in document.sentences() for evidence in one.evidence)
