"""The survey's own papers: the gate, what is printed, the information before the first question, destruction on an accelerated clock."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import subprocess
from datetime import date, timedelta

import msgspec
import pytest
from click.testing import CliRunner

from stimmungsbild.cli import main
from stimmungsbild.collection.folder import create, facts_of, served
from stimmungsbild.errors import FieldError, LawError, OpeningError
from stimmungsbild.keys.files import read_evaluation, write_key
from stimmungsbild.law import retention
from stimmungsbild.law.files import demo_facts, lacking, passed, read_facts
from stimmungsbild.law.model import Approval, Basis, Facts, Kept, Paper, Risk, Role
from stimmungsbild.law.notice import _words, notice
from stimmungsbild.law.papers import OPEN, PAPERS, impact
from stimmungsbild.law.press import as_pdf, sheet
from stimmungsbild.law.retention import RECEIPTS, destroy_due, outlook, read_receipts
from stimmungsbild.law.rules import RISKS, content, due, missing
from stimmungsbild.questionnaire.model import LANGUAGES
from tests.matterhorn import failures

BEGINS, ENDS = date(2027, 1, 11), date(2027, 2, 28)
CHANGE = msgspec.structs.replace


def signed(facts: Facts, **more) -> Facts:
    approval = Approval("Eva Stein", "Jo Berg", date(2027, 1, 4), Paper("freigabe.pdf", digest("freigabe.pdf")), content(facts))
    return CHANGE(facts, approval=CHANGE(approval, **more))


def document(name: str) -> bytes:
    return b"%PDF-1.7 " + name.encode()


def digest(name: str) -> str:
    return hashlib.sha256(document(name)).hexdigest()


def whole() -> Facts:
    """Facts of a town that did everything."""
    demo = read_facts(demo_facts())
    parties = (demo.parties[0], CHANGE(demo.parties[1], agreement=Paper("avv.pdf", digest("avv.pdf"))))
    risks = tuple(Risk(one, (3, 3), (2, 2), "Die Maßnahmen greifen.", "Eva Stein", date(2026, 12, 1)) for one in RISKS)
    advice = CHANGE(demo.advice, person="Kim Feld", date=date(2026, 12, 20), paper=Paper("rat.pdf", digest("rat.pdf")))
    operation = CHANGE(demo.operation, person="Jo Berg", date=date(2027, 1, 3))
    found = CHANGE(demo, demo=False, begins=BEGINS, ends=ENDS, parties=parties, risks=risks, advice=advice, operation=operation)
    return signed(found)


def written(facts: Facts, folder) -> bytes:
    """The facts as their file, with the documents beside it."""
    for name in ("avv.pdf", "rat.pdf", "freigabe.pdf"):
        (folder / name).write_bytes(document(name))
    data = as_toml(msgspec.to_builtins(facts, builtin_types=(date,)))
    (folder / "facts.toml").write_text(data, encoding="utf-8")
    return data.encode()


def as_toml(values: dict, prefix: str = "") -> str:
    """Just as much TOML as the facts need."""
    lines, tables = [], []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            tables.append(f"[{name}]\n{as_toml(value, f'{name}.')}")
        elif isinstance(value, list | tuple) and value and isinstance(value[0], dict):
            tables += [f"[[{name}]]\n{as_toml(one, f'{name}.')}" for one in value]
        elif value is not None:
            shown = value.isoformat() if isinstance(value, date) else msgspec.json.encode(value).decode()
            lines.append(f"{key} = {shown}")
    return "\n".join([*lines, *tables]) + "\n"


# The gate.


def test_a_field_of_a_town_that_did_everything_begins(tmp_path, house):
    data = written(whole(), tmp_path)
    assert lacking(data, tmp_path) == ()
    made = create(tmp_path / "begun", house.key, None, tmp_path / "facts.toml", secrets.token_bytes)
    assert not made.demo
    assert made.law == hashlib.sha256(data).hexdigest()
    assert served(tmp_path / "begun", BEGINS) == served(tmp_path / "begun", ENDS) == read_facts(data)
    for day in (BEGINS - timedelta(1), ENDS + timedelta(1)):
        with pytest.raises(FieldError, match="the papers of this field say 2027-01-11 to 2027-02-28"):
            served(tmp_path / "begun", day)
    (tmp_path / "begun/facts.toml").write_bytes(data + b"# later\n")
    with pytest.raises(FieldError, match="another one than the field began with"):
        served(tmp_path / "begun", BEGINS)


LACKS = {
    "no purpose": (lambda f: signed(CHANGE(f, purpose="x")), "purpose: say for what"),
    "no officer": (lambda f: signed(CHANGE(f, officer=CHANGE(f.officer, email=""))), "officer.email is empty"),
    "no institute": (lambda f: signed(CHANGE(f, parties=f.parties[:1])), "who evaluates, and as what"),
    "no agreement": (lambda f: signed(CHANGE(f, parties=(f.parties[0], CHANGE(f.parties[1], agreed=None)))), r"\(Art. 28\) has no day"),
    "two controllers": (
        lambda f: signed(CHANGE(f, parties=tuple(CHANGE(one, role=Role.CONTROLLER) for one in f.parties))),
        "exactly one is the controller",
    ),
    "no basis": (lambda f: signed(CHANGE(f, grounds=CHANGE(f.grounds, kind=None))), "the town decides"),
    "another norm": (
        lambda f: signed(CHANGE(f, grounds=CHANGE(f.grounds, ordinary=CHANGE(f.grounds.ordinary, norm="Art. 6 Abs. 1 Buchst. e DSGVO")))),
        "consent is Art. 6 Abs. 1 Buchst. a",
    ),
    "kept for ever": (lambda f: signed(CHANGE(f, months=CHANGE(f.months, answers=400))), "months.answers"),
    "a risk nobody saw": (lambda f: signed(CHANGE(f, risks=f.risks[1:])), "nobody assessed wiedererkennung"),
    "a high risk": (lambda f: signed(CHANGE(f, risks=(CHANGE(f.risks[0], after=(3, 3)), *f.risks[1:]))), r"\(Art. 36\)"),
    "no advice": (lambda f: signed(CHANGE(f, advice=CHANGE(f.advice, date=None))), r"\(Art. 35 Abs. 2\)"),
    "nobody looked at the proxy": (lambda f: signed(CHANGE(f, operation=CHANGE(f.operation, person=""))), "operation: who saw"),
    "one person signed twice": (lambda f: signed(f, second=" eva  STEIN"), "approval: two people"),
    "the officer signed": (
        lambda f: signed(CHANGE(f, officer=CHANGE(f.officer, name="Jo Berg"))),
        "the data protection officer advises and does not approve",
    ),
    "changed after it was signed": (lambda f: CHANGE(f, ends=date(2027, 3, 31)), "they signed other facts"),
    "not signed": (lambda f: CHANGE(f, approval=Approval()), "approval: two people"),
}


@pytest.mark.parametrize("name", LACKS)
def test_whatever_is_lacking_keeps_a_field_from_beginning_and_is_named(name, tmp_path, house):
    change, said = LACKS[name]
    written(change(whole()), tmp_path)
    with pytest.raises(LawError, match=said):
        create(tmp_path / "begun", house.key, None, tmp_path / "facts.toml", secrets.token_bytes)
    assert not (tmp_path / "begun").exists()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "avv.pdf").unlink(), "the agreement with Musterinstitut .* avv.pdf is not there"),
        (lambda folder: (folder / "rat.pdf").write_bytes(b"%PDF other"), "the officer's advice: rat.pdf is another one"),
        (lambda folder: (folder / "freigabe.pdf").write_bytes(b"no"), "the signed approval: freigabe.pdf is no PDF"),
    ],
)
def test_documents_are_looked_at(spoil, said, tmp_path):
    data = written(whole(), tmp_path)
    spoil(tmp_path)
    with pytest.raises(LawError, match=said):
        passed(data, tmp_path)


def test_one_document_is_not_evidence_of_two_things_and_none_lies_elsewhere(tmp_path):
    facts = whole()
    same = signed(CHANGE(facts, advice=CHANGE(facts.advice, paper=Paper("avv.pdf", digest("avv.pdf")))))
    assert any("it is the same document as the agreement" in one for one in lacking(written(same, tmp_path), tmp_path))
    away = signed(CHANGE(facts, advice=CHANGE(facts.advice, paper=Paper("../rat.pdf", digest("rat.pdf")))))
    (tmp_path / "inner").mkdir()
    (tmp_path / "rat.pdf").write_bytes(document("rat.pdf"))
    assert any("../rat.pdf is not there" in one for one in lacking(written(away, tmp_path / "inner"), tmp_path / "inner"))


def test_a_facts_file_that_is_none_is_refused():
    for data in (b"\xff", b"x = ", b'wave = "2026"', demo_facts() + b"\n[more]\n"):
        with pytest.raises(LawError, match="the facts file cannot be read"):
            read_facts(data)


def test_facts_of_another_wave_are_not_those_of_this_field(tmp_path, house):
    written(signed(CHANGE(whole(), wave="2025")), tmp_path)
    with pytest.raises(FieldError, match="the facts are those of wave 2025"):
        create(tmp_path / "begun", house.key, None, tmp_path / "facts.toml", secrets.token_bytes)


def test_a_demonstration_says_so_on_every_page_and_no_real_field_does(tmp_path, house):
    async def pages(one):
        async with one.client() as client:
            return [(await client.get(path)).text for path in ("/?lang=tr", "/information?lang=tr")]

    words = house.q.words["tr"].interface["demo"]
    assert house.field.demo
    assert all(words in page for page in asyncio.run(pages(house)))
    house.pages = type(house.pages)(house.q, house.collector, whole())
    assert not any(words in page for page in asyncio.run(pages(house)))


# What is printed, and what everybody reads first.


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_information_names_what_art_13_asks_for(language, house):
    facts = whole()
    text = " ".join(f"{head} {said}" for head, said in notice(facts, language))
    wanted = [facts.controller.name, facts.officer.email, facts.authority.address, facts.parties[1].name, "28.02.2028", "28.05.2027"]
    assert [one for one in [*wanted, facts.grounds.ordinary.norm, facts.grounds.special.norm] if one not in text] == []
    assert "{" not in text
    assert _words(language).keys() == _words("de").keys()
    task = CHANGE(facts, grounds=CHANGE(facts.grounds, kind=Basis.PUBLIC_TASK))
    assert notice(task, language)[3] != notice(facts, language)[3]

    async def page():
        async with house.client() as client:
            first = await client.get(f"/?lang={language}")
            return first.text, await client.get(f"/information?lang={language}")

    first, sheet_ = asyncio.run(page())
    assert f'href="/information?lang={language}"' in first
    assert sheet_.status_code == 200
    assert sheet_.text.count("<h2>") == 10


def test_papers_say_what_the_facts_say_and_open_where_nobody_decided():
    facts = whole()
    for one in PAPERS:
        assert OPEN not in str(one(facts)), one(facts).key
    bare = Facts("2026", "", BEGINS, ENDS)
    assert str(impact(bare)).count(OPEN) > 2 * len(RISKS)
    assert "Noch nicht freigegeben" in str(impact(bare))
    assert "Freigegeben für diese Angaben" in str(impact(facts))
    assert "Noch nicht freigegeben" in str(impact(CHANGE(facts, ends=date(2027, 3, 1))))


@pytest.mark.parametrize("language", ["de", "ar"])
def test_papers_are_printed_accessibly_whatever_signs_somebody_wrote(language, tmp_path):
    facts = whole()
    facts = CHANGE(facts, controller=CHANGE(facts.controller, name="Stadt 💥\u202e Ende \ufffe"))
    path = tmp_path / "paper.pdf"
    path.write_bytes(as_pdf(impact(facts) if language == "de" else sheet(facts, language), facts, BEGINS, language))
    assert failures(path) == []
    text = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, text=True, check=True).stdout
    assert "Ende" in text
    assert "\u202e" not in text or language == "ar", "pdftotext itself marks lines from right to left"


def test_commands_check_and_print(tmp_path):
    def run(*words, fails=0):
        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exit_code == fails, result.output
        return result.output

    written(CHANGE(whole(), approval=Approval()), tmp_path)
    said = run("papers", "check", "--facts", tmp_path / "facts.toml", fails=1)
    assert f"content of these facts: {content(whole())}" in said
    assert "approval: two people" in said
    written(whole(), tmp_path)
    assert "a field may begin" in run("papers", "check", "--facts", tmp_path / "facts.toml")
    (tmp_path / "room").mkdir()
    assert "nothing is due" in run("retention", "run", "--facts", tmp_path / "facts.toml", "--room", tmp_path / "room")


# Retention.


@pytest.fixture
def room(tmp_path, house):
    """An evaluation's folder with everything that is kept."""
    house.collector.send("0" * 32, "", "de", {"help": "Geheimnis"})
    house.store.shuffle()
    found = tmp_path / "room"
    for name in ("field", "texts", "report/internal", "report/public", "scans"):
        (found / name).mkdir(parents=True)
    (found / "field/answers.db").write_bytes((house.folder / "answers.db").read_bytes())
    (found / "answers.sealed").write_bytes(b"".join(house.store.answers()))
    write_key(found / "evaluation.json", house.key)
    for name in ("texts/1.csv", "report/internal/cleaning.csv", "report/public/figures.json", "scans/a/1.png"):
        (found / name).parent.mkdir(exist_ok=True)
        (found / name).write_bytes(name.encode() * 1000)
    return found


def there(room):
    return {str(path.relative_to(room)) for path in room.rglob("*") if path.is_file() and RECEIPTS not in path.parts}


def test_on_an_accelerated_clock_everything_is_destroyed_on_its_day_and_not_before(room, house):
    """Day for day for two years after the field."""
    facts, sealed, today = whole(), house.store.answers()[0], ENDS
    gone: dict[str, date] = {}
    before = there(room)
    while today < ENDS + timedelta(730):
        destroy_due(room, facts, today, secrets.token_bytes)
        for name in before - there(room):
            gone.setdefault(name, today)
        today += timedelta(1)
    assert there(room) == {"report/public/figures.json"}
    year, quarter = date(2028, 2, 28), date(2027, 5, 28)
    assert gone == {
        "answers.sealed": year,
        "evaluation.json": year,
        "field/answers.db": year,
        "report/internal/cleaning.csv": year,
        "texts/1.csv": quarter,
        "scans/a/1.png": quarter,
    }
    receipts = read_receipts(room)
    assert [one.destroyed for one in receipts] == [quarter.isoformat(), year.isoformat()]
    assert {file.name for one in receipts for file in one.files} == set(gone)
    everything = b"".join(path.read_bytes() for path in room.rglob("*") if path.is_file())
    assert sealed[:40] not in everything
    with pytest.raises(OpeningError):
        read_evaluation(room / "evaluation.json")
    assert outlook(facts)["answers"] == due(facts, Kept.ANSWERS).isoformat() == "2028-02-28"


def test_receipts_hold_together_and_an_altered_one_is_found(room):
    facts = whole()
    assert destroy_due(room, facts, date(2027, 5, 28), secrets.token_bytes).number == 1
    assert destroy_due(room, facts, date(2027, 5, 29), secrets.token_bytes) is None
    assert destroy_due(room, facts, date(2028, 2, 28), secrets.token_bytes).number == 2
    assert len(read_receipts(room)) == 2
    first = room / RECEIPTS / "0001.json"
    kept = first.read_bytes()
    first.write_bytes(kept.replace(b"scans", b"scanz"))
    with pytest.raises(LawError, match="was altered"):
        read_receipts(room)
    first.unlink()
    with pytest.raises(LawError, match="taken away"):
        read_receipts(room)
    first.write_bytes(kept)
    assert CliRunner().invoke(main, ["retention", "verify", "--room", str(room)]).output.count("\n") == 2


def test_whoever_is_interrupted_finishes_with_the_same_list(room, monkeypatch):
    """The disk fails after one file: the receipt comes with the next run and names all of them."""
    real, done = retention._destroy, []

    def once(path):
        if done:
            raise OSError("disk")
        done.append(path)
        real(path)

    monkeypatch.setattr(retention, "_destroy", once)
    with pytest.raises(OSError, match="disk"):
        destroy_due(room, whole(), date(2028, 3, 1), secrets.token_bytes)
    assert read_receipts(room) == ()
    monkeypatch.setattr(retention, "_destroy", real)
    receipt = destroy_due(room, whole(), date(2028, 3, 2), secrets.token_bytes)
    assert len(receipt.files) == 6
    assert not there(room) - {"report/public/figures.json"}
    assert read_receipts(room) == (receipt,)


def test_what_cannot_be_destroyed_gets_no_receipt(room, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    monkeypatch.setattr(retention, "_destroy", lambda path: None)
    with pytest.raises(LawError, match="still there after it was destroyed"):
        destroy_due(room, whole(), date(2028, 3, 1), secrets.token_bytes)
    assert read_receipts(room) == ()


def test_periods_end_on_the_last_day_of_short_months():
    facts = CHANGE(whole(), ends=date(2027, 8, 31))
    assert due(CHANGE(facts, months=CHANGE(facts.months, answers=6)), Kept.ANSWERS) == date(2028, 2, 29)
    assert missing(signed(facts)) == ()


def test_the_field_of_a_demonstration_is_one_for_good(house):
    assert facts_of(house.folder).demo
