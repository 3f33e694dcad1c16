"""The questionnaire: whole in seven languages, the same through a workbook, compared word by word, hostile input refused."""

from __future__ import annotations

import json
import re

import msgspec
import openpyxl
import pytest
from click.testing import CliRunner

from stimmungsbild.cli import main
from stimmungsbild.errors import DefinitionError
from stimmungsbild.questionnaire.io import built_in, earlier_wave, read_workbook, write_workbook
from stimmungsbild.questionnaire.model import GERMAN, LANGUAGES, LONGEST_TEXT, Standing, Wording
from stimmungsbild.questionnaire.rules import (
    TooLongError,
    UnknownChoiceError,
    accept,
    as_wave,
    asked,
    check,
    choice_label,
    compare,
    digest,
    relevant,
    wording,
)

Q = built_in()


def everything(q):
    return [(i.name, i.kind, i.relevant, i.source, wording(q, i, one)) for one in q.words for i in q.items()]


def test_it_asks_what_the_design_names_in_every_language():
    assert list(Q.words) == list(LANGUAGES)
    names = {item.name for item in Q.items()}
    assert {"area_dark", "city_evening", "place_town_hall", "help", "video_view", "district", "passport", "reported"} <= names
    for battery in ("worry_", "risk_", "seen_"):
        assert sum(name.startswith(battery) for name in names) == 6, "six offences, six incivilities"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_lacks_a_text_or_has_one_too_many(language):
    mine, german = Q.words[language], Q.words[GERMAN]
    assert mine.interface.keys() == german.interface.keys()
    assert mine.items.keys() == german.items.keys()
    assert mine.pages.keys() == german.pages.keys()
    assert mine.stems.keys() == german.stems.keys()
    assert german.choices.keys() - mine.choices.keys() <= {"district"}, "names of districts are the same everywhere"
    for key, text in german.interface.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", mine.interface[key])), key


def test_what_no_native_speaker_read_says_so_to_its_reader():
    assert [one for one, words in Q.words.items() if words.checked] == [GERMAN]
    assert all(words.interface["unchecked"] for language, words in Q.words.items() if language != GERMAN)


def test_every_script_is_the_one_of_its_language():
    for language, letters in {"ru": "[а-яё]", "uk": "[а-яіїєґ]", "ar": "[\u0621-\u064a]"}.items():
        words = Q.words[language]
        for text in [*words.items.values(), *words.stems.values(), *words.pages.values()]:
            assert re.search(letters, text, re.I), f"{language}: {text}"
    assert not re.search("[ыэъё]", " ".join(Q.words["uk"].items.values())), "letters that Ukrainian does not have"


def test_a_workbook_carries_every_word_there_and_back(tmp_path):
    write_workbook(Q, tmp_path / "q.xlsx")
    again = read_workbook(tmp_path / "q.xlsx")
    assert everything(again) == everything(Q)
    assert (again.id, again.wave, again.lists) == (Q.id, Q.wave, Q.lists)


def test_the_reference_reader_of_xlsform_takes_the_workbook(tmp_path):
    convert = pytest.importorskip("pyxform.xls2xform", reason="pyxform is not installed").convert
    write_workbook(Q, tmp_path / "q.xlsx")
    result = convert(str(tmp_path / "q.xlsx"))
    # Its list of language codes has no variants; `de-simple` is well formed after BCP 47.
    assert len(result.warnings) == 1
    assert "(de-simple)" in result.warnings[0]
    assert result.xform.count("<bind") >= len(Q.items())


@pytest.mark.parametrize(
    ("sheet", "row", "column", "value", "said"),
    [
        ("survey", 4, 1, "geopoint", "row 4: the type geopoint is not understood"),
        ("survey", 4, 1, "select_one nowhere", "area_day has no list of choices"),
        ("survey", 5, 2, "area_day", "area_day is there twice"),
        ("survey", 4, 3, None, "de: area_day has no words"),
        ("choices", 2, 4, None, "de-simple: safety.very_safe has no words"),
    ],
)
def test_a_workbook_that_is_not_whole_is_refused_with_its_place(tmp_path, sheet, row, column, value, said):
    write_workbook(Q, tmp_path / "q.xlsx")
    book = openpyxl.load_workbook(tmp_path / "q.xlsx")
    book[sheet].cell(row, column).value = value
    book.save(tmp_path / "q.xlsx")
    with pytest.raises(DefinitionError, match=re.escape(said)):
        read_workbook(tmp_path / "q.xlsx")


def test_what_is_no_workbook_is_refused(tmp_path):
    (tmp_path / "q.xlsx").write_bytes(b"no workbook")
    with pytest.raises(DefinitionError, match=r"q\.xlsx is no XLSForm workbook"):
        read_workbook(tmp_path / "q.xlsx")


def test_nothing_is_called_comparable_with_2021_while_nobody_typed_its_words():
    standings = {one.standing for one in compare(Q, earlier_wave())}
    assert standings == {Standing.UNKNOWN, Standing.NEW}


def test_one_changed_word_makes_another_item_and_is_named():
    earlier = as_wave(Q, "paper", "register")
    assert {one.standing for one in compare(Q, earlier)} == {Standing.SAME}
    words = Q.words[GERMAN]
    altered = msgspec.structs.replace(words, items={**words.items, "city_evening": "In der Innenstadt am späten Abend"})
    changed = [one for one in compare(msgspec.structs.replace(Q, words={**Q.words, GERMAN: altered}), earlier) if one.words]
    assert [(one.item, one.standing, one.words) for one in changed] == [("city_evening", Standing.CHANGED, (("", "späten"),))]


def test_a_changed_choice_breaks_every_item_that_offers_it():
    earlier = as_wave(Q, "paper", "register")
    words = Q.words[GERMAN]
    often = {**words.choices["often"], "seldom": "fast nie"}
    altered = msgspec.structs.replace(words, choices={**words.choices, "often": often})
    changed = {one.item for one in compare(msgspec.structs.replace(Q, words={GERMAN: altered}), earlier) if one.words}
    assert changed == {item.name for item in Q.items() if item.list == "often"}


def test_the_hash_counts_words_and_no_spaces():
    assert digest(Wording("a  b", "c", ("d",))) == digest(Wording("a b", "c ", ("d",)))
    assert digest(Wording("a b", "c", ("d",))) != digest(Wording("a b", "c", ("d", "")))
    assert digest(Wording("über", "c")) == digest(Wording("u\u0308ber", "c")), "one letter, two forms"


def test_skips():
    police = next(page for page in Q.pages if page.name == "police")
    assert asked(police, {}) == ()
    assert asked(police, {"victim": ("nothing",)}) == ()
    assert [item.name for item in asked(police, {"victim": ("robbery",)})] == ["reported"]
    assert relevant("${a} = 'x' and selected(${b}, 'y')", {"a": "x", "b": ("y", "z")})
    assert not relevant("${a} = 'x' and selected(${b}, 'y')", {"a": "x"})
    with pytest.raises(DefinitionError, match="not understood"):
        relevant("${a} > 3", {})


def test_answers_are_taken_by_name_and_nothing_else_is():
    given = {
        "area_day": ["very_safe"],
        "unsafe_places": ["park", "mall"],
        "help": [" mehr\r\nLicht\u202e\x00 "],
        "reported": ["all"],
        "x": ["y"],
    }
    assert accept(Q, given) == {"area_day": "very_safe", "unsafe_places": ("mall", "park"), "help": "mehr\nLicht"}
    assert "reported" in accept(Q, {**given, "victim": ["theft"]})
    assert accept(Q, {"area_day": [""], "help": [""]}) == {}


def test_squares_of_the_grid_are_taken_and_nothing_finer():
    three = ["100mN29300E41200", "100mN29301E41200", "100mN29300E41200", "100mN29302E41200"]
    assert accept(Q, {"unsafe_squares": three}) == {"unsafe_squares": tuple(dict.fromkeys(three))}
    for one in ("10mN293001E412001", "49.44,7.77", "100mN29300E4120O", "100mN29300E41200 ", "100mN٢٩٣٠٠E41200"):
        with pytest.raises(UnknownChoiceError):
            accept(Q, {"unsafe_squares": [one]})
    with pytest.raises(UnknownChoiceError):
        accept(Q, {"unsafe_squares": [f"100mN2930{n}E41200" for n in range(4)]})


@pytest.mark.parametrize(
    "given", [{"area_day": ["<script>"]}, {"area_day": ["very_safe", "very_unsafe"]}, {"unsafe_places": ["park", "'; --"]}]
)
def test_choices_that_nobody_offered_are_refused(given):
    with pytest.raises(UnknownChoiceError):
        accept(Q, given)


def test_a_hundred_thousand_signs_are_refused_and_named():
    assert len(accept(Q, {"help": ["a" * LONGEST_TEXT]})["help"]) == LONGEST_TEXT
    with pytest.raises(TooLongError, match="help"):
        accept(Q, {"help": ["a" * 100_000]})


def test_items_are_asked_after_what_they_depend_on():
    pages = tuple(reversed(Q.pages))
    with pytest.raises(DefinitionError, match="reported depends on victim"):
        check(msgspec.structs.replace(Q, pages=pages))


def test_names_of_places_are_words_of_the_choices():
    assert choice_label(Q, "district", "betzenberg", "ar") == "Betzenberg"


def test_commands(tmp_path):
    runner = CliRunner()
    book = str(tmp_path / "q.xlsx")
    assert runner.invoke(main, ["questionnaire", "write", book]).exit_code == 0
    assert "44 items on 11 pages" in runner.invoke(main, ["questionnaire", "check", "--workbook", book]).output
    found = runner.invoke(main, ["questionnaire", "compare", "--workbook", book, "--json"])
    assert json.loads(found.output.splitlines()[-1]) == {"wave": "2021", "same": 0, "changed": 0, "new": 31, "unknown": 13}
    wave = json.loads(runner.invoke(main, ["questionnaire", "wave", "--mode", "online", "--sample", "register"]).output)
    assert len(wave["items"]) == 44
    (tmp_path / "q.xlsx").write_bytes(b"")
    refused = runner.invoke(main, ["questionnaire", "check", "--workbook", book])
    assert refused.exit_code == 1
    assert "is no XLSForm workbook" in refused.output
