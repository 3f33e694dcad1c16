"""Forms on paper: printed with marks, read from bad scans, doubts to two people, sealed for the evaluation."""

from __future__ import annotations

import cv2
import msgspec
import numpy as np
import pytest
from benchmarks.survey_paper import measured
from benchmarks.survey_scans import filled, printed, scans
from click.testing import CliRunner

from stimmungsbild.cli import main
from stimmungsbild.collection.model import Door, Sealed
from stimmungsbild.errors import OpeningError, PaperError
from stimmungsbild.evaluation.opening import joined, open_answers
from stimmungsbild.keys.service import open_evaluation
from stimmungsbild.paper.forms import answers, doubtful, gather, read_entry, settle, write_doubts
from stimmungsbild.paper.model import Doubt, Ink, Page
from stimmungsbild.paper.office import ENTRIES, LAYOUT, READ, Read, read_folder
from stimmungsbild.paper.printing import fingerprint, lay_out, print_forms
from stimmungsbild.paper.reading import UnreadableError, ink_of, read_page
from stimmungsbild.questionnaire.io import built_in
from stimmungsbild.questionnaire.model import LANGUAGES
from tests.conftest import often
from tests.survey.house import PEOPLE

Q = built_in()


@pytest.fixture(scope="module", autouse=True)
def one_core():
    """OpenCV's threads beside those of other tests only wait for each other."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.fixture(scope="module")
def layout():
    return lay_out(Q, "de")


@pytest.fixture(scope="module")
def empty(layout):
    return printed(Q, layout, 7)


def page_of(layout, item):
    return next(box.page for box in layout.boxes if box.item == item)


def drawn(layout, empty, *crossed):
    """The page of these items with these crosses, as it was printed."""
    number = page_of(layout, crossed[0][0])
    boxes = [box for box in layout.boxes if box.page == number]
    return filled(empty[number], boxes, frozenset(crossed), np.random.default_rng(1))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_choice_has_its_box_inside_the_page_in_every_language(language):
    found = lay_out(Q, language)
    wanted = {(item.name, choice) for item in Q.items() for choice in Q.lists.get(item.list, ())} | {("help", "")}
    assert {(box.item, box.choice) for box in found.boxes} == wanted
    assert len(found.boxes) == len(wanted)
    assert all(20 < box.x < 190 and 20 < box.y < 272 for box in found.boxes)
    assert found.pages <= 10


def test_forms_are_printed_with_their_numbers(layout):
    assert print_forms(Q, layout, [7, 8]).startswith(b"%PDF")


@pytest.mark.later
def test_skewed_and_stained_pages_are_read_without_a_mistake():
    pages = often(4, 10)
    found = measured("de", pages, 5)
    assert found["pages"] == pages
    assert found["marks"] > 3 * pages
    assert found["wrong"] == 0
    assert found["right_percent"] >= 99.5
    assert found["asked"] + found["unreadable_pages"] <= 1


def test_a_page_is_read_whichever_way_it_was_scanned(layout, empty):
    page = drawn(layout, empty, ("area_day", "very_safe"), ("city_evening", "very_unsafe"))
    for turned in (page, cv2.rotate(page, cv2.ROTATE_180), cv2.rotate(page, cv2.ROTATE_90_CLOCKWISE)):
        found = read_page(turned, layout)
        assert (found.form, found.page) == (7, 0)
        assert found.ink["area_day"]["very_safe"] is Ink.MARKED
        assert sum(one is Ink.MARKED for boxes in found.ink.values() for one in boxes.values()) == 2
        assert not any(one is Ink.DOUBT for boxes in found.ink.values() for one in boxes.values())


def test_scans_that_are_none_say_what_is_missing(layout, empty):
    tall, wide = empty[0].shape
    with pytest.raises(UnreadableError, match="of 4 corner marks are seen"):
        read_page(np.full((tall, wide), 255, np.uint8), layout)
    with pytest.raises(UnreadableError, match="2 of 4 corner marks are seen"):
        read_page(empty[0][: tall // 2], layout)
    torn = empty[0].copy()
    torn[-200:, -200:] = 255
    assert read_page(torn, layout).form == 7, "one corner may be lost"
    blotted = empty[0].copy()
    blotted[50:230, 740:910] = 0
    with pytest.raises(UnreadableError, match="type the form's number"):
        read_page(blotted, layout)
    assert read_page(blotted, layout, form=9).form == 9
    with pytest.raises(UnreadableError, match="another questionnaire"):
        read_page(empty[0], msgspec.structs.replace(layout, questionnaire="0" * 12))


def test_a_box_that_was_taken_back_or_hardly_touched_is_asked():
    assert [ink_of(part) for part in (0.0, 0.02, 0.05, 0.1, 0.5, 0.8, 0.9, 1.0)] == [
        Ink.EMPTY,
        Ink.EMPTY,
        Ink.DOUBT,
        Ink.MARKED,
        Ink.MARKED,
        Ink.MARKED,
        Ink.DOUBT,
        Ink.DOUBT,
    ]


def test_what_is_not_clear_is_asked(layout, empty):
    page = drawn(layout, empty, ("area_day", "very_safe"), ("area_day", "rather_safe"))
    box = next(one for one in layout.boxes if (one.item, one.choice) == ("area_dark", "very_safe"))
    per_mm = 200 / 25.4
    start = (round(box.x * per_mm), round(box.y * per_mm))
    cv2.rectangle(page, start, (start[0] + 31, start[1] + 31), 40, -1)
    found = {one.item: one.why for one in doubtful(Q, 7, read_page(page, layout).ink)}
    assert found == {"area_day": "2 boxes of one are crossed", "area_dark": "a box is not clear"}
    written = empty[page_of(layout, "help")].copy()
    room = next(one for one in layout.boxes if one.item == "help")
    cv2.putText(written, "mehr Licht", (round((room.x + 8) * per_mm), round((room.y + 15) * per_mm)), cv2.FONT_HERSHEY_SIMPLEX, 1, 60, 2)
    assert [one.why for one in doubtful(Q, 7, read_page(written, layout).ink)] == ["to be typed"]


def test_a_page_scanned_twice_counts_once_and_is_asked_where_it_reads_otherwise(layout):
    one = Page(1, 0, {"area_day": {"very_safe": Ink.MARKED}})
    other = Page(1, 0, {"area_day": {"very_safe": Ink.EMPTY}})
    forms, doubts = gather(layout, [one, one])
    assert list(forms) == [1]
    assert {doubt.why for doubt in doubts} == {f"page {number} is missing" for number in range(2, layout.pages + 1)}
    _, doubts = gather(layout, [one, other])
    assert Doubt(1, "area_day", "scanned twice, and read otherwise") in doubts


def test_both_people_must_say_the_same(tmp_path):
    write_doubts(tmp_path / "1.csv", [Doubt(7, "area_day", "x"), Doubt(7, "help", "y")])
    text = (tmp_path / "1.csv").read_text(encoding="utf-8")
    assert text.splitlines()[0] == "form,item,why,answer"
    (tmp_path / "1.csv").write_text("form,item,why,answer\n7,area_day,x,very_safe\n7,help,y,mehr  Licht\n8,unsafe_places,z,park|mall\n")
    (tmp_path / "2.csv").write_text("form,item,why,answer\n8,unsafe_places,z,mall | park\n7,help,y,mehr Licht\n7,area_day,x,very_safe\n")
    first, second = read_entry(tmp_path / "1.csv"), read_entry(tmp_path / "2.csv")
    assert settle(first, second)[7, "area_day"] == ("very_safe",)
    with pytest.raises(PaperError, match="entered differently; both look again: form 7, area_day"):
        settle(first, {**second, (7, "area_day"): ("rather_safe",)})
    with pytest.raises(PaperError, match="form 7, help"):
        settle(first, {key: one for key, one in second.items() if key[1] != "help"})
    (tmp_path / "3.csv").write_text("a,b\n1,2\n")
    with pytest.raises(PaperError, match=r"3\.csv is no list of doubts"):
        read_entry(tmp_path / "3.csv")


def test_a_doubt_that_nobody_settled_stops_and_so_does_an_answer_that_is_none():
    ticked = {"area_day": {"very_safe": Ink.DOUBT, "rather_safe": Ink.EMPTY}}
    doubts = doubtful(Q, 7, ticked)
    with pytest.raises(PaperError, match="form 7: nobody settled area_day"):
        answers(Q, 7, ticked, doubts, {})
    with pytest.raises(PaperError, match="area_day has no such answer"):
        answers(Q, 7, ticked, doubts, {(7, "area_day"): ("<b>",)})
    assert answers(Q, 7, ticked, doubts, {(7, "area_day"): ("very_safe",)}) == {"area_day": "very_safe"}
    assert answers(Q, 7, ticked, doubts, {(7, "area_day"): ()}) == {}


@pytest.mark.later
def test_from_scans_to_sealed_answers_and_into_the_evaluation(house, layout, tmp_path):
    """A whole form by chance, scanned badly; one that is no picture; through the commands, as the desk does it."""
    folder, out = tmp_path / "scans", tmp_path / "read"
    folder.mkdir()
    pages = list(scans(Q, layout, layout.pages, 3))
    for one in pages:
        cv2.imwrite(str(folder / f"{one.page}.png"), one.picture)
    (folder / "x.png").write_bytes(b"no picture")
    (tmp_path / LAYOUT).write_bytes(msgspec.json.encode(layout))
    words = ["--layout", str(tmp_path / LAYOUT)]
    said = CliRunner().invoke(main, ["paper", "read", *words, "--scans", str(folder), "--out", str(out)])
    assert said.exit_code == 0, said.output
    assert f"{layout.pages} pages read" in said.output
    assert "NOT READ x.png: it is no picture" in said.output
    read = msgspec.json.decode((out / READ).read_bytes(), type=Read)
    crossed = {one for page in pages for one in page.crossed}
    entries = [f"{one.form},{one.item},x,{'|'.join(sorted(choice for item, choice in crossed if item == one.item))}" for one in read.doubts]
    for name in ENTRIES:
        (out / name).write_text("\n".join(["form,item,why,answer", *entries]) + "\n", encoding="utf-8")
    words += ["--read", str(out), "--first", str(out / ENTRIES[0]), "--second", str(out / ENTRIES[1])]
    said = CliRunner().invoke(main, ["paper", "take", "--field", str(house.folder), *words, "--out", str(tmp_path / "paper.sealed")])
    assert said.exit_code == 0, said.output
    assert "1 forms sealed" in said.output
    sealed = msgspec.json.decode((tmp_path / "paper.sealed").read_bytes(), type=Sealed)
    house.collector.send("0" * 32, "", "de", {"sex": "male"})
    house.store.shuffle()
    online = Sealed(house.field, 1, {Door.REGISTER: 5}, house.store.answers())
    both = joined([online, sealed])
    assert (both.acknowledged, both.letters) == (2, {Door.REGISTER: 5, Door.OUTREACH: 1})
    key = open_evaluation(house.key, *[(house.people[name], PEOPLE[name]) for name in ("institut", "stadt")])
    found = next(one for one in open_answers(both, key).answers if one.door is Door.OUTREACH)
    expected = {(item, choice) for item, value in found.values.items() for choice in ((value,) if isinstance(value, str) else value)}
    unasked = {(item, choice) for item, choice in crossed if item == "reported" and "reported" not in found.values}
    assert expected == crossed - unasked
    with pytest.raises(OpeningError, match="an answer is there twice"):
        joined([online, sealed, sealed])
    with pytest.raises(OpeningError, match="different fields"):
        joined([online, msgspec.structs.replace(sealed, field=msgspec.structs.replace(house.field, id="other"))])


def test_forms_of_another_questionnaire_are_not_read(layout, tmp_path):
    other = msgspec.structs.replace(Q, pages=Q.pages[1:])
    assert fingerprint(other) != layout.questionnaire
    with pytest.raises(PaperError, match="another questionnaire"):
        read_folder(other, layout, tmp_path, tmp_path / "out")
