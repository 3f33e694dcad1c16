"""Open text: names go first, two people code, their agreement decides what is printed."""

from __future__ import annotations

import csv
import json
import secrets

import pytest
from click.testing import CliRunner

from stimmungsbild.cli import main
from stimmungsbild.collection.folder import end
from stimmungsbild.collection.model import Answer, Door, Field
from stimmungsbild.errors import CodingError
from stimmungsbild.evaluation.coding import CHECK, CODED, CODERS, DECIDED, export, merge, read_coded, sheets
from stimmungsbild.evaluation.model import Opened
from stimmungsbild.evaluation.texts import CATEGORIES, agreements, decided, kappa, shuffled, without_names
from stimmungsbild.keys.files import write_key
from tests.survey.house import PEOPLE

NAMED = [
    ("Herr Müller aus dem Haus gegenüber", "[Name] aus dem Haus gegenüber"),
    ("mein Nachbar Klaus trinkt", "mein Nachbar [Name] trinkt"),
    ("Frau Dr. Ayşe Yılmaz", "[Name]"),
    ("г-н Иванов и его собака", "[Name] и его собака"),
    ("السيد أحمد يصرخ", "[Name] يصرخ"),
    ("Ruft 0631 / 365-0 an, oder +49 171 1234567", "Ruft [Nummer] an, oder [Nummer]"),
    ("der BMW KL-AB 1234 parkt immer", "der BMW [Kennzeichen] parkt immer"),
    ("schreibt an max.muster@example.org, steht auf https://x.example/y", "schreibt an [Adresse im Netz], steht auf [Adresse im Netz]"),
    ("in der Mühlstraße 12a ist es dunkel", "in der Mühlstraße [Hausnummer] ist es dunkel"),
]
KEPT = ["Am Rathaus fehlt Licht, seit 2021 schon.", "Bus Linie 105 fährt nur alle 30 Minuten", "Im Stadtpark um 22 Uhr", ""]


@pytest.mark.parametrize(("text", "found"), NAMED)
def test_names_numbers_plates_and_addresses_are_taken_out(text, found):
    assert without_names(text) == found


@pytest.mark.parametrize("text", KEPT)
def test_what_is_no_name_stays(text):
    assert without_names(text) == text


def test_names_of_the_town_are_taken_out_wherever_they_stand():
    assert without_names("der Kevin, Kevins Hund und KEVIN", {"kevin"}) == "der [Name], Kevins Hund und [Name]"


def test_kappa_of_the_textbook():
    """Cohen's own example as it is taught: 20 both yes, 15 both no, 5 and 10 apart; po 0.7, pe 0.5."""
    pairs = [(True, True)] * 20 + [(False, False)] * 15 + [(True, False)] * 5 + [(False, True)] * 10
    assert kappa(pairs) == pytest.approx(0.4)
    assert kappa([(True, True), (False, False)]) == 1.0
    assert kappa([(True, False), (False, True)]) == -1.0
    assert kappa([(False, False)] * 9) is None, "nothing to tell apart"
    assert kappa([]) is None


def codes(**by):
    return {text: frozenset(found.split("|")) for text, found in by.items()}


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ({"a": frozenset({"light"})}, "1 were coded by one alone"),
        (codes(a="light", b="lamp"), "lamp is no category"),
        ({"a": frozenset({"light"}), "b": frozenset()}, "text b is not coded"),
        (codes(a="light", b="none|clean"), "none stands alone"),
    ],
)
def test_coding_that_is_none_is_named(second, said):
    with pytest.raises(CodingError, match=said):
        agreements(codes(a="light", b="clean"), second)


def test_what_two_coded_differently_a_third_decides():
    first, second = codes(a="light", b="clean"), codes(a="light", b="clean|light")
    with pytest.raises(CodingError, match="1 texts were coded differently and nobody decided them: b"):
        decided(first, second, {})
    assert decided(first, second, codes(b="clean")) == codes(a="light", b="clean")


def test_both_coders_read_in_different_orders():
    ids = [str(n) for n in range(50)]
    assert sorted(shuffled(ids, "1")) == sorted(ids)
    assert shuffled(ids, "1") != shuffled(ids, "2") != ids


def opened(many=40):
    given = [Answer(Door.OPEN, "de", "2026-12-01", False, {"help": f"Text {n} von Herrn Maier{n}", "sex": "male"}) for n in range(many)]
    field = Field("f", "2026", "q", b"", b"", b"")
    given.append(Answer(Door.OPEN, "de", "2026-12-01", False, {"sex": "male"}))
    return Opened(field, tuple(given), tuple(map(str, range(many + 1))), (), 0, {})


def fill(path, column, values):
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows({**row, column: values(row["id"])} for row in rows)


def test_from_answers_to_codes(tmp_path):
    assert export(opened(), tmp_path, {"text"}, secrets.token_bytes) == 40
    check = (tmp_path / CHECK).read_text(encoding="utf-8")
    assert "Maier" not in check
    assert "[Name] 7 von [Name]" in check
    with pytest.raises(CodingError, match="no person checked 40 texts"):
        sheets(tmp_path)
    with pytest.raises(CodingError, match="taken out once"):
        export(opened(), tmp_path, (), secrets.token_bytes)
    fill(tmp_path / CHECK, "checked", lambda one: "ja")
    assert sheets(tmp_path) == 40
    with pytest.raises(CodingError, match="is not coded"):
        merge(tmp_path)
    ids = sorted(json.loads((tmp_path / "ids.json").read_text(encoding="utf-8")))
    fill(tmp_path / CODERS[0], "codes", lambda one: "light|clean" if one in ids[:20] else "none")
    fill(tmp_path / CODERS[1], "codes", lambda one: "light" if one in ids[:20] else "none")
    with pytest.raises(CodingError, match="20 texts were coded differently"):
        merge(tmp_path)
    (tmp_path / DECIDED).write_text("id,codes\n" + "".join(f"{one},light\n" for one in ids[:20]), encoding="utf-8")
    found = merge(tmp_path)
    assert (found["light"].kappa, found["light"].printed) == (1.0, True)
    assert (found["clean"].kappa, found["clean"].printed) == (0.0, False)
    coded, kappas = read_coded(tmp_path / CODED)
    assert sum(one == frozenset({"light"}) for one in coded.values()) == 20
    assert set(coded) == {str(n) for n in range(40)}
    assert kappas.keys() == set(CATEGORIES)
    assert CliRunner().invoke(main, ["texts", "merge", "--texts", str(tmp_path)]).output.count("kappa") == len(CATEGORIES)


def test_cells_that_a_spreadsheet_would_run_are_text(tmp_path):
    one = Opened(Field("f", "2026", "q", b"", b"", b""), (Answer(Door.OPEN, "de", "d", False, {"help": "=1+1"}),), ("d",), (), 0, {})
    export(one, tmp_path, (), secrets.token_bytes)
    assert ",'=1+1," in (tmp_path / CHECK).read_text(encoding="utf-8")


def test_the_commands_open_by_two(house, tmp_path):
    house.collector.send("0" * 32, "", "de", {"help": "Frau Sommer soll kommen"})
    house.store.close()
    end(house.folder, tmp_path / "answers.sealed", secrets.token_bytes)
    write_key(tmp_path / "key.json", house.key)
    words = ["texts", "export", "--answers", str(tmp_path / "answers.sealed"), "--key", str(tmp_path / "key.json")]
    for name in ("institut", "stadt"):
        write_key(tmp_path / f"{name}.json", house.people[name])
        words += ["--holder", str(tmp_path / f"{name}.json")]
    given = f"{PEOPLE['institut']}\n{PEOPLE['stadt']}\n"
    said = CliRunner().invoke(main, [*words, "--texts", str(tmp_path / "texts")], input=given)
    assert said.exit_code == 0, said.output
    assert "1 texts" in said.output
    assert "[Name] soll kommen" in (tmp_path / "texts" / CHECK).read_text(encoding="utf-8")
