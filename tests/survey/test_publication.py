"""What leaves the evaluation: signed figures, a report and a page made of them, the whole way from keys to report beside the truth."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
from datetime import date
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from blickschutz.compliance.documents.pack import pack
from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Result
from stimmungsbild.cli import main
from stimmungsbild.collection.folder import end
from stimmungsbild.collection.model import Answer, Door, Field
from stimmungsbild.demo.run import HOLDERS, beside, run
from stimmungsbild.demo.town import answers_of, come, register, sample, town, unsafe
from stimmungsbild.errors import FieldError, MarginsError, OpeningError
from stimmungsbild.evaluation.disclosure import LEAST
from stimmungsbild.evaluation.model import Opened
from stimmungsbild.evaluation.room import HEADLINES, evaluate
from stimmungsbild.evaluation.texts import CATEGORIES
from stimmungsbild.keys.files import write_key
from stimmungsbild.keys.service import open_evaluation
from stimmungsbild.publication.figures import figures, read_figures, sign_figures
from stimmungsbild.publication.model import Figures, Row, Town
from stimmungsbild.publication.office import publish
from stimmungsbild.publication.opendata import NAMESPACE, codebook, files
from stimmungsbild.publication.press import DATA_FILES, as_page, as_pdf
from stimmungsbild.publication.report import LANGUAGES, Chart, Report, Section, Table, report, texts
from stimmungsbild.publication.views import views
from stimmungsbild.publication.waves import changes
from stimmungsbild.questionnaire.io import built_in, earlier_wave
from stimmungsbild.questionnaire.rules import accept
from tests.matterhorn import failures
from tests.survey.house import PEOPLE
from tests.unit import test_policy as policy
from tests.unit.test_policy import said

TODAY = date(2026, 12, 15)
Q = built_in()


@pytest.fixture(scope="module")
def asked():
    """A small town, asked: its people, the opened answers, the findings and the figures."""
    chance = np.random.default_rng(3)
    everybody = town(Q, chance, 20_000)
    drawn, came = sample(everybody, 1200, 0.4, chance), come(everybody, 300, chance)
    given = [Answer(Door.REGISTER, "de", "2026-12-01", False, accept(Q, answers_of(Q, everybody, int(one)))) for one in drawn]
    given += [Answer(Door.OPEN, "de", "2026-12-01", at < 60, accept(Q, answers_of(Q, everybody, int(one)))) for at, one in enumerate(came)]
    field = Field("f", "2026", "q", b"", b"", b"")
    opened = Opened(field, tuple(given), tuple(str(at) for at in range(len(given))), ("ab",), 1, {"register": 1200})
    found = evaluate(Q, opened, register(Q, everybody), None, b"k" * 32, chance.integers)
    return everybody, opened, found, figures(Q, earlier_wave(), opened, found, TODAY, simulated=True)


def tables(made):
    return [part for section in made.sections for part in section.parts if isinstance(part, Table)]


def test_the_letters_hold_the_truth_and_the_open_door_does_not(asked):
    everybody, _, found, _ = asked
    for name in HEADLINES:
        truth = unsafe(Q, everybody, name)
        one = found.unsafe[name]
        assert one.register.low - 0.03 < truth < one.register.high + 0.03
        assert one.open > truth + 0.06, "the annoyed came, and no weight says so"


def test_no_count_under_five_and_no_share_of_few_is_in_the_figures(asked):
    what = asked[3]
    counts = [what.register_people, what.open_people, what.outreach_people, what.bursts]
    counts += [many for one in what.items for many in (one.town_answers, one.open_answers)]
    assert what.outreach_people is None
    assert all(one is None or one >= LEAST for one in counts)
    rare = [row for group in what.groups if group.by == "sex" for row in group.rows if row.name == "other"]
    assert len(rare) == len(HEADLINES)
    assert all(row.town is None and row.open is None for row in rare)


def test_every_share_is_whole_per_cent_and_stays_within_its_interval(asked):
    rows = [row for one in asked[3].items for row in one.rows] + [row for one in asked[3].groups for row in one.rows]
    printed = [row.town for row in rows if row.town]
    assert len(printed) > 100
    assert all(0 <= one.low <= one.percent <= one.high <= 100 for one in printed)
    assert all(type(one.percent) is int for one in printed)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_open_door_has_no_interval_and_no_name_of_the_town_anywhere(asked, language):
    made, t = report(Q, asked[3], language), texts(language)
    found = [one for one in tables(made) if t["open_share"] in one.head]
    assert len(found) > 45
    for table in found:
        assert table.head.index(t["interval"]) < table.head.index(t["open_share"])
        for row in table.rows:
            assert re.fullmatch(r"\d{1,3} %", row[3]) or row[3] == t["few"]
    for key, text in t.items():
        if key.startswith("open") or key == "bursts":
            assert "Kaiserslautern" not in text
            assert not re.search(r"\d+ ?[–-] ?\d+ ?%|±", text)
    assert b'"open":{"percent":' in msgspec.json.encode(asked[3])
    assert not re.search(rb'"open":\{[^}]*(low|high)', msgspec.json.encode(asked[3]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_says_what_it_is_not(asked, language):
    words = " ".join(str(part) for section in report(Q, asked[3], language).sections for part in section.parts)
    t = texts(language)
    assert t["method_necessity"] in words
    assert t["method_altered"].format(altered=1, missing=1) in words
    assert t["unknown"].format(earlier="2021") in words
    assert t["same"].format(earlier="2021") not in words
    assert t["bursts"] in words
    assert report(Q, asked[3], language).lead[0] == t["simulated"]


def test_both_languages_say_the_same():
    mine, other = (texts(one) for one in LANGUAGES)
    assert mine.keys() == other.keys()
    for key, text in mine.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", other[key])), key


def test_weights_that_missed_the_margins_are_said_in_the_report(asked):
    what = asked[3]
    failed = msgspec.structs.replace(what, method=msgspec.structs.replace(what.method, converged=False))
    words = [str(part) for section in report(Q, failed, "de").sections for part in section.parts]
    assert texts("de")["method_failed"] in words
    assert texts("de")["method_failed"] not in " ".join(str(p) for s in report(Q, what, "de").sections for p in s.parts)


def test_the_print_is_tagged_and_fails_no_condition_of_pdf_ua(asked, tmp_path):
    path = tmp_path / "report.pdf"
    path.write_bytes(as_pdf(report(Q, asked[3], "de"), TODAY))
    assert failures(path) == []
    text = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, text=True, check=True).stdout
    assert "Simulierte Stadt" in text
    assert "Offene Beteiligung" in text


@pytest.mark.parametrize("odd", ["\u202e", "💥" * 3, "\u0000\u0007", "𓀀 ☃ \ufffe", "\u200b\u2066", '"\\\u202e"'])
def test_no_sign_that_somebody_wrote_keeps_a_report_from_being_printed(odd, tmp_path):
    """A word of the institute's workbook, a text that was coded: PDF/A refuses what no typeface has, and with it the whole report."""
    made = Report("de", f"Sicherheit {odd} 2026", (), (Section(2, f"Ort {odd}", (f"Text {odd} zu Ende",)),))
    path = tmp_path / "report.pdf"
    path.write_bytes(as_pdf(made, TODAY))
    text = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, text=True, check=True).stdout
    assert "zu Ende" in text
    assert "\u202e" not in text


def test_the_page_reads_without_script_and_without_any_other_file(asked):
    made = report(Q, asked[3], "en")
    page = as_page(made, TODAY, {"de": "index.html"})
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert page.count("<caption>") == page.count("<table>") == len(tables(made))
    assert page.count('role="img" aria-label="') == sum(isinstance(p, Chart) for s in made.sections for p in s.parts) == 3
    assert page.count('scope="row"') > 200
    assert '<a href="index.html" lang="de"' in page


def test_figures_are_signed_and_an_altered_percent_is_found(asked, house):

    key = open_evaluation(house.key, *[(house.people[name], PEOPLE[name]) for name in ("institut", "stadt")])
    file = sign_figures(asked[3], key, house.key.verify)
    assert read_figures(file) == asked[3]
    assert read_figures(file, house.key.verify.hex()).purpose.endswith("no evidence that a measure is necessary")
    altered = re.sub(rb'(\\"percent\\":)(\d)', rb"\g<1>9", file, count=1)
    assert altered != file
    with pytest.raises(OpeningError, match="the signature does not hold"):
        read_figures(altered)
    with pytest.raises(OpeningError, match="the signature does not hold"):
        read_figures(file, "00" * 32)
    for nonsense in (b"", b"{}", b'{"figures":"","verify":"zz","signature":""}'):
        with pytest.raises(OpeningError):
            read_figures(nonsense)


def test_open_texts_are_counts_through_the_suppressor_and_only_where_both_coders_agreed(asked):
    everybody, opened, _, _ = asked
    codes = {one: frozenset({"light"} if at % 3 else {"cameras", "clean"}) for at, one in enumerate(opened.digests)}
    codes |= {opened.digests[0]: frozenset({"design"})}
    found = evaluate(Q, opened, register(Q, everybody), None, b"k" * 32, np.random.default_rng(1).integers, codes)
    kappa = dict.fromkeys(CATEGORIES, 0.9) | {"clean": 0.5, "other": None}
    what = figures(Q, earlier_wave(), opened, found, TODAY, kappa, simulated=True)
    said = {one.category: one for one in what.said}
    doors = [answer.door for answer, one in zip(opened.answers, opened.digests, strict=True) if "light" in codes[one]]
    assert abs(said["light"].open - doors.count(Door.OPEN)) <= 2
    assert (said["clean"].register, said["clean"].open) == (None, None), "two people did not mean the same"
    assert said["design"].register is None, "one person"
    made = next(one for one in report(Q, what, "de").sections if one.title == texts("de")["said"])
    rows = {row[0]: row[1:] for row in made.parts[1].rows}
    assert rows[texts("de")["said_clean"]] == (texts("de")["unsure"],) * 2 + ("0.50",)
    assert rows[texts("de")["said_design"]][0] == texts("de")["few"]


def beside_a_wave(what, **more):
    before = msgspec.structs.replace(what, wave="2024", **more)
    return msgspec.structs.replace(what, before=before.wave, changes=changes(what, before))


def test_two_waves_are_compared_where_the_same_was_asked_and_nowhere_else(asked):
    what = asked[3]
    rows = {row.name: row for row in what.unsafe}
    shifted = tuple(Row(one.name, Town(one.town.percent - 9, one.town.low - 9, one.town.high - 9), one.open) for one in what.unsafe)
    items = tuple(msgspec.structs.replace(one, wording="0" * 64) if one.name == "area_dark" else one for one in what.items)
    items = tuple(one for one in items if one.name != "city_day")
    found = beside_a_wave(what, unsafe=shifted, items=items)
    by = {one.item: one for one in found.changes}
    assert (by["area_dark"].standing, by["area_dark"].points) == ("changed", None)
    assert by["city_day"].standing == "new"
    same = by["city_evening"]
    half = rows["city_evening"].town.high - rows["city_evening"].town.percent
    assert (same.standing, same.points) == ("same", 9)
    assert same.high - same.points >= half * 2**0.5, "two samples vary more than one"
    assert same.low < same.points < same.high
    section = next(one for one in report(Q, found, "de").sections if "2024" in one.title)
    shown = {row[0]: row[-1] for row in section.parts[1].rows}
    assert texts("de")["change_changed"] in shown.values()
    assert any(re.fullmatch(r"\+9 \([+−]\d+ … \+\d+\)", one) for one in shown.values())


def test_a_wave_beside_itself_or_beside_a_simulated_one_is_refused(asked):
    with pytest.raises(OpeningError, match="both files are of wave 2026"):
        changes(asked[3], asked[3])
    with pytest.raises(OpeningError, match="simulated town"):
        changes(asked[3], msgspec.structs.replace(asked[3], wave="2024", simulated=False))


# Open data.


def test_every_file_of_the_open_data_is_described_and_none_says_more_than_the_report(asked):
    what = asked[3]
    found = files(Q, what)
    assert sorted(found) == sorted(DATA_FILES)
    package = json.loads(found["datapackage.json"])
    for resource in package["resources"]:
        data = found[resource["path"]]
        assert resource["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
        assert resource["bytes"] == len(data)
        rows = csv.DictReader(data.decode().splitlines())
        assert list(rows.fieldnames) == [field["name"] for field in resource["schema"]["fields"]]
    shares = list(csv.DictReader(found["shares.csv"].decode().splitlines()))
    printed = (what.unsafe, what.without_bursts, *(one.rows for one in what.groups), *(one.rows for one in what.items))
    assert len(shares) == sum(map(len, printed))
    assert not [field for field in shares[0] if field.startswith("open") and field != "open_percent"], "the open door has no interval"
    assert "made up" in package["description"]


def test_the_reference_reader_of_data_packages_takes_it(asked, tmp_path):
    frictionless = shutil.which("frictionless", path=os.environ.get("FRICTIONLESS", "/usr/bin"))
    if frictionless is None:
        pytest.skip("frictionless is not installed (FRICTIONLESS names the folder of its command)")
    for name, data in files(Q, asked[3]).items():
        (tmp_path / name).write_bytes(data)
    said = subprocess.run([frictionless, "validate", "datapackage.json"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout


def test_the_codebook_has_every_question_in_every_language(asked):
    root = ElementTree.fromstring(codebook(Q, asked[3]))
    ns = {"d": NAMESPACE}
    variables = root.findall(".//d:var", ns)
    assert [one.get("name") for one in variables] == [item.name for item in Q.items()]
    for one in variables:
        assert len(one.findall("d:qstn/d:qstnLit", ns)) == len(Q.words)
    city = next(one for one in variables if one.get("name") == "city_evening")
    stats = [int(one.text) for one in city.findall("d:catgry/d:catStat", ns)]
    assert stats == [row.town.percent for one in asked[3].items if one.name == "city_evening" for row in one.rows if row.town]
    assert len(stats) >= 4


def test_the_codebook_is_valid_ddi_codebook_2_5(asked):
    schema = os.environ.get("DDI_CODEBOOK_XSD", "")
    if not os.path.exists(schema):
        pytest.skip("the schema of DDI-Codebook 2.5 is not here (DDI_CODEBOOK_XSD names its codebook.xsd)")
    from lxml import etree

    validator = etree.XMLSchema(etree.parse(schema))
    found = etree.fromstring(codebook(Q, asked[3]))
    assert validator.validate(found), validator.error_log
    found.find(f".//{{{NAMESPACE}}}var").set("intrvl", "nonsense")
    assert not validator.validate(found), "a validator that takes everything shows nothing"


# What crosses to the video system, by hand.


def test_the_dsfa_prints_the_views_and_the_rule_of_necessity_refuses_them(asked, house):
    key = open_evaluation(house.key, *[(house.people[name], PEOPLE[name]) for name in ("institut", "stadt")])
    file = sign_figures(asked[3], key, house.key.verify)
    text = views(Q, read_figures(file), file)
    assert hashlib.sha256(file).hexdigest() in text
    assert "kein Nachweis" in text
    g = policy.whole()
    views_recorded = policy.fact(FactKind.DATA_SUBJECTS_VIEWS, text=text)
    told = policy.facts_with(g, facts=(*(one for one in g.facts.facts if one.kind is not FactKind.DATA_SUBJECTS_VIEWS), views_recorded))
    dsfa = next(one for one in pack(told) if one.key == "dsfa")
    assert any("fühlen sich unsicher" in one.text for one in dsfa.sentences())
    # RG-02: with numbers of the police it holds, with nothing but the survey it does not, whatever the source is called.
    assert said(g, "RG-02").result is Result.HOLDS
    for source in (text, asked[3].kind, asked[3].purpose, "Stimmungsbild 2026, Abschnitt 2", "figures.json: Standpunkte der Betroffenen"):
        incidents = tuple(one.model_copy(update={"source": source[:400]}) for one in g.facts.incidents)
        answer = said(policy.facts_with(g, incidents=incidents), "RG-02")
        assert answer.result is Result.BROKEN, source
        assert "Eine Umfrage belegt keine Vorfälle" in str(answer.text)


def test_margins_without_districts_and_too_few_letters_stop_the_evaluation(asked):
    everybody, opened, _, _ = asked
    margins = register(Q, everybody)
    with pytest.raises(MarginsError, match="lack district"):
        evaluate(
            Q, opened, {name: one for name, one in margins.items() if name != "district"}, None, b"k", np.random.default_rng(1).integers
        )
    few = Opened(opened.field, opened.answers[:20], opened.digests[:20], (), 0, {})
    with pytest.raises(MarginsError, match="20 people with a letter"):
        evaluate(Q, few, margins, None, b"k", np.random.default_rng(1).integers)


def test_letters_that_were_sent_in_unequal_parts_weigh_unequally(asked):
    everybody, opened, even, _ = asked
    sent = {one: (50.0 if one == "innenstadt_ost" else 10.0) for one in Q.lists["district"]}
    found = evaluate(Q, opened, register(Q, everybody), sent, b"k" * 32, np.random.default_rng(1).integers)
    assert found.weights.residual < 0.001
    assert found.weights.deff == pytest.approx(even.weights.deff, rel=0.2), "raking to districts takes it back"
    with pytest.raises(MarginsError, match="no letter was sent to betzenberg"):
        evaluate(Q, opened, register(Q, everybody), {**sent, "betzenberg": 0.0}, b"k", np.random.default_rng(1).integers)


@pytest.mark.later
def test_from_keys_to_the_report_beside_the_truth(tmp_path):
    """The demonstration with a real server: what `make demo-survey` shows, and the commands over what it left."""
    said: list[str] = []
    what, truth = run(tmp_path / "demo", 7, said.append, letters=400, open_=100, people=10_000)
    assert isinstance(what, Figures)
    assert what.simulated
    lines = beside(what, truth)
    assert len(lines) == 1 + len(HEADLINES)
    assert any("in fast motion" in line for line in said)
    public = tmp_path / "demo/report/public"
    names = ["data", "en.html", "figures.json", "index.html", "report-de.pdf", "report-en.pdf", "standpunkte.txt"]
    assert sorted(path.name for path in public.iterdir()) == names
    assert sorted(path.name for path in (public / "data").iterdir()) == sorted(DATA_FILES)
    shown = CliRunner().invoke(main, ["views", str(public / "figures.json")])
    assert shown.output.strip() == (public / "standpunkte.txt").read_text(encoding="utf-8")
    verified = CliRunner().invoke(main, ["verify", str(public / "figures.json")])
    assert "the signature holds" in verified.output
    keys = [part for name in HOLDERS for part in ("--holder", str(tmp_path / f"demo/{name}.json"))]
    words = ["evaluate", "--answers", "answers.sealed", "--key", "evaluation.json", "--margins", "margins.csv"]
    paths = [str(tmp_path / "demo" / word) if "." in word else word for word in words]
    given = "".join(f"{word}\n" for word in HOLDERS.values())
    again = CliRunner().invoke(main, [*paths, *keys, "--out", str(tmp_path / "again")], input=given)
    assert again.exit_code == 0, again.output
    assert "may not" in again.output
    first = json.loads(json.loads((public / "figures.json").read_text(encoding="utf-8"))["figures"])
    second = json.loads(json.loads((tmp_path / "again/public/figures.json").read_text(encoding="utf-8"))["figures"])
    assert first == second, "the same people are moved alike and drawn alike"
    for change, message in (
        ([*paths, *keys, "--out", str(tmp_path / "again")], "is not empty"),
        ([*paths, *keys[:2], "--out", str(tmp_path / "one")], "two holders open an evaluation together"),
    ):
        refused = CliRunner().invoke(main, change, input=given)
        assert refused.exit_code == 1
        assert message in refused.output
    refused = CliRunner().invoke(main, [*paths, *keys, "--out", str(tmp_path / "wrong")], input="falsch\nfalsch\n")
    assert "passphrase of" in refused.output
    assert not (tmp_path / "wrong").exists()


def test_answers_to_another_questionnaire_are_not_evaluated(house, tmp_path):

    house.store.close()
    end(house.folder, tmp_path / "answers.sealed", lambda many: bytes(many))
    write_key(tmp_path / "key.json", house.key)
    given = {}
    for name in ("institut", "stadt"):
        write_key(tmp_path / f"{name}.json", house.people[name])
        given[tmp_path / f"{name}.json"] = PEOPLE[name]
    other = msgspec.structs.replace(Q, pages=Q.pages[1:])
    with pytest.raises(FieldError, match="to another questionnaire"):
        publish(
            other, earlier_wave(), [tmp_path / "answers.sealed"], tmp_path / "key.json", given, tmp_path / "m.csv", tmp_path / "out", TODAY
        )
