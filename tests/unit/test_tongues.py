"""Citizens' sheet and questions in seven languages: the same keys, hours that are the regime's, nothing promised that is not so."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from blickschutz.compliance.documents.model import Table
from blickschutz.compliance.documents.pack import pack
from blickschutz.compliance.documents.tongues import ASKED, TRANSLATED, Phrases, phrases, questions, sheet
from blickschutz.compliance.facts import Facts
from blickschutz.compliance.io.press import render
from blickschutz.compliance.recorded import Translation
from blickschutz.config.hours import service
from blickschutz.config.model import Weekday
from blickschutz.regime.io.calendar import PlaceCalendar
from blickschutz.regime.model import Action, Mode, RegimeName
from blickschutz.regime.rules import at_moment
from blickschutz.situations.kinds import Kind
from tests.unit.test_documents import as_text, tool
from tests.unit.test_policy import SITE, facts_with, whole

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = (Weekday.MO, Weekday.TU, Weekday.WE, Weekday.TH, Weekday.FR)
SITES = {
    "as it is": {},
    "weekdays alone": {"weekdays": WEEK},
    "over midnight": {
        "weekdays": WEEK,
        "day": SITE.regimes.day.model_copy(update={"starts": "18:00"}),
        "night": SITE.regimes.night.model_copy(update={"starts": "02:00"}),
    },
    "to midnight": {"night": SITE.regimes.night.model_copy(update={"starts": "00:00"})},
    "no holidays": {"holidays": ""},
}
USUAL = {"act_notify": Action.NOTIFY, "act_record": Action.RECORD, "act_both": Action.BOTH, "act_count": Action.COUNT}


def names(phrase):
    return sorted(re.findall(r"\{(\w+)\}", phrase)) if isinstance(phrase, str) else []


@pytest.mark.parametrize("language", ASKED)
def test_every_language_fills_in_the_same_as_german(language):
    german, other = phrases("de"), phrases(language)
    for key in Phrases.__struct_fields__:
        assert names(getattr(german, key)) == names(getattr(other, key)), key
        if key not in {"joint", "unverified", "rtl"}:
            assert getattr(other, key), key
    texts = [text for key, text in msgspec.structs.asdict(other).items() if isinstance(text, str) and len(text) > 25 and key != "q_long"]
    assert len(set(texts)) == len(texts), "nothing was copied from another key"
    if language not in {"de", "en"}:
        assert other.unverified
        same = [
            key for key in Phrases.__struct_fields__ if getattr(other, key) == getattr(german, key) and len(str(getattr(other, key))) > 25
        ]
        assert language == "ls" or not same


def test_a_key_that_no_language_knows_is_refused():
    with pytest.raises(msgspec.ValidationError):
        msgspec.toml.decode(b'as_of = "x"\nsurplus = "y"', type=Phrases)


def _read(document, p, moment, is_holiday):
    """Which of the two operations the printed table gives for a moment, read by somebody who knows the calendar alone."""
    table = next(part for part in document.sections[0].parts if isinstance(part, Table))
    cells = [row for row, _ in table.rows]
    by_day = dict(enumerate(text for _, text in cells[:7]))
    assert [name for name, _ in cells[:7]] == list(p.days)
    holiday = cells[7][1] if len(cells) > 7 else None

    def spans(day):
        text = holiday if holiday is not None and is_holiday(day) else by_day[day.weekday()]
        found = re.findall(r"\d\d:\d\d", text)
        if not found:
            return None
        start, end = (datetime.combine(day, time.fromisoformat(one.replace("24:00", "00:00")), tzinfo=BERLIN) for one in found)
        return start, end + timedelta(days=1) if p.next_day in text or "24:00" in text else end

    for day in (moment.date(), moment.date() - timedelta(days=1)):
        found = spans(day)
        if found and found[0] <= moment < found[1]:
            return RegimeName.DAY
    return RegimeName.NIGHT


@pytest.mark.parametrize("name", SITES)
def test_the_table_of_the_week_is_what_the_regime_does_in_every_language(name):
    site = SITE.model_copy(update={"regimes": SITE.regimes.model_copy(update=SITES[name])})
    g, calendar, rng = replace(whole(), site=site), PlaceCalendar(site.regimes.holidays, None, BERLIN), random.Random(7)
    moments = [datetime(2027, 1, 1, tzinfo=BERLIN) + timedelta(minutes=rng.randrange(365 * 24 * 60)) for _ in range(400)]
    moments += [datetime(2027, 5, 6, hour, tzinfo=BERLIN) for hour in range(24)]  # Ascension Day
    expected = [at_moment(moment, service(site), calendar).regime.name for moment in moments]
    assert set(expected) == set(RegimeName)
    for language in ASKED:
        p, document = phrases(language), questions(g, language)
        assert [_read(document, p, moment, calendar.holiday) for moment in moments] == expected, language


@pytest.mark.parametrize("usual", list(Action))
@pytest.mark.parametrize("mode", list(Mode))
def test_what_follows_is_said_for_each_operation(usual, mode):
    night = SITE.regimes.night.model_copy(update={"on_situation": usual, "mode": mode, "kinds": {}})
    g = replace(whole(), site=SITE.model_copy(update={"regimes": SITE.regimes.model_copy(update={"night": night})}))
    for language in ASKED:
        p = phrases(language)
        said = next(one.text for one in questions(g, language).sentences() if one.text.startswith(p.other))
        assert {action for key, action in USUAL.items() if p.other + p.joint + getattr(p, key) in said} >= {usual}
        assert (p.none_record in said) == (usual in {Action.NOTIFY, Action.COUNT})
        assert (p.mode_sealed in said) == (mode is Mode.SEALED)
    kinds = {Kind.PERSON_DOWN: Action.RECORD}
    g = replace(
        g,
        site=g.site.model_copy(update={"regimes": g.site.regimes.model_copy(update={"night": night.model_copy(update={"kinds": kinds})})}),
    )
    said = [one.text for one in questions(g, "ar").sentences()]
    assert any(phrases("ar").none_record in text and text.startswith(phrases("ar").other) for text in said) is False


@pytest.mark.parametrize("language", TRANSLATED)
class TestSheets:
    def test_it_has_what_art_13_asks_and_the_objection_apart(self, language):
        p, found = phrases(language), sheet(whole(), language)
        apart = [section for section in found.sections if section.title == p.h_objection]
        assert [one.text for one in apart[0].parts] == [p.objection]
        rights = next(section for section in found.sections if section.title == p.h_rights)
        assert {p.no_duty, p.identify} <= {one.text for one in rights.parts}
        text = as_text(found)
        for expected in ("72", "60", "Polizei", "amt@example.org", "dsb@example.org", "Vandalismus", "§ 21 LDSG RLP", "Bürgerbüro"):
            assert expected in text, expected

    def test_nobody_having_checked_it_is_said_until_somebody_did(self, language):
        p = phrases(language)
        assert p.unverified in as_text(sheet(whole(), language))
        g = facts_with(whole(), translations=(Translation(language=language, person="Frau Dolmetscherin", date=date(2026, 11, 1)),))
        assert p.unverified not in as_text(sheet(g, language))
        assert p.unverified not in as_text(questions(g, language))

    def test_what_nobody_recorded_is_open(self, language):
        bare = replace(whole(), facts=Facts())
        opened = [one.text for one in sheet(bare, language).sentences() if not one.known]
        assert len(opened) == 5
        assert all(text.startswith("OFFEN: ") for text in opened)

    def test_on_paper_it_has_no_word_of_the_program(self, tmp_path, language):
        g = whole()
        (tmp_path / "a.pdf").write_bytes(render(sheet(g, language), g))
        text = tool("pdftotext", tmp_path / "a.pdf", "-").stdout
        for word in ("Beleg", "Evidence", "regimes.", "Regel ", "Kamerazelle", "Hash", g.settings[:12], "as of"):
            assert word not in text, word


def test_arabic_runs_from_right_to_left_and_keeps_german_names_readable(tmp_path):
    g = whole()
    (tmp_path / "a.pdf").write_bytes(render(sheet(g, "ar"), g))
    words = re.findall(
        r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)"[^>]*>([^<]+)<', tool("pdftotext", "-bbox", tmp_path / "a.pdf", "-").stdout
    )
    arabic = [float(right) for _, _, right, word in words if re.search(r"[\u0600-\u06ff]", word)]
    assert max(arabic) > 500, "it begins at the right margin (595 points less 25 mm)"
    line = {word: float(left) for left, _, _, word in words if word in {"LDSG", "DSGVO"}}
    assert line["LDSG"] < line["DSGVO"], "a German citation still runs from left to right"
    assert tool("pdffonts", tmp_path / "a.pdf").stdout.count("Amiri") == 2


def test_leichte_sprache_has_one_sentence_on_a_line_and_short_ones():
    p = phrases("ls")
    for key in Phrases.__struct_fields__:
        text = getattr(p, key)
        if isinstance(text, str) and not key.startswith(("title", "unverified", "basis")):
            for line in text.split("\n"):
                assert len(line.split()) <= 14, line
                assert not re.search(r"[a-zäöü]{4,}\. [A-Z]", line), line


def test_the_pack_has_them_all():
    keys = {document.key for document in pack(whole())}
    assert {f"informationsblatt-{one}" for one in ("de", "en", *TRANSLATED)} | {f"fragen-{one}" for one in ASKED} <= keys


@pytest.mark.parametrize("night", list(Mode))
@pytest.mark.parametrize("by_day", list(Mode))
def test_no_answer_says_of_all_recordings_what_is_true_of_some(by_day, night):
    """By day redacted and by night sealed: "recordings hold redacted pictures only" is then untrue unless it says by day."""
    regimes = SITE.regimes
    changed = {"day": regimes.day.model_copy(update={"mode": by_day}), "night": regimes.night.model_copy(update={"mode": night})}
    g = replace(whole(), site=SITE.model_copy(update={"regimes": regimes.model_copy(update=changed)}))
    for language in ASKED:
        p = phrases(language)
        said = [one.text for one in questions(g, language).sentences()]
        assert (p.mode_anonymous in said) == (by_day is night is Mode.ANONYMOUS), language
        assert (p.mode_sealed in said) == (by_day is night is Mode.SEALED), language


def test_a_translation_that_merely_the_facts_file_calls_checked_says_that_nobody_did():
    g = facts_with(whole(), translations=(Translation(language="tr", person="Büro Dil", date=date(2026, 11, 1)),))
    unsigned = replace(g, entered=())
    note = phrases("tr").unverified
    assert note not in [one.text for one in sheet(g, "tr").sentences()]
    assert note in [one.text for one in sheet(unsigned, "tr").sentences()]
