"""All that is public together under attack: reports of a year, sheet, signs and the pages for everybody, in one exact solver."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from blickschutz.access.model import Permission
from blickschutz.audit.model import Event
from blickschutz.compliance.documents.model import Table
from blickschutz.compliance.documents.public import information_sheet, sign
from blickschutz.compliance.documents.tongues import TRANSLATED, sheet
from blickschutz.compliance.facts import FactKind, Ground, Incidents, Purpose
from blickschutz.compliance.reports.committee import committee
from blickschutz.compliance.reports.crime import Period, Role, Row, Unit
from blickschutz.compliance.reports.model import Happened, clash
from blickschutz.compliance.reports.suppression import HIDDEN, LEAST
from blickschutz.web.app import table
from tests.unit.test_disclosure import RULES, SITE, Attack, read, some, year
from tests.unit.test_policy import fact, facts_with, whole

QUARTERS = ((date(2026, 1, 1), date(2026, 3, 31)), (date(2026, 4, 1), date(2026, 6, 30)), (date(2026, 7, 1), date(2026, 9, 30)))
CRIME = "Art und Ort"
SHARED = "Vorfälle/"
EXAMPLES = int(os.environ.get("BLICKSCHUTZ_EXAMPLES", "30"))


class Reader:
    """Who has everything that was published, and knows what stands for the same thing."""

    def __init__(self):
        self.attack = Attack()

    def report(self, number, document):
        """Counts of a report are its own; incidents by camera are the same in each."""
        found = read(document)
        names = {name: name if name.startswith(SHARED) else f"{number}/{name}" for name in found.names}
        for name, index in found.names.items():
            self._add(names[name], found.low[index], found.high[index])
        by_index = {index: names[name] for name, index in found.names.items()}
        for terms in found.sums:
            self.attack.sums.append({self.attack.names[by_index[index]]: factor for index, factor in terms.items()})
        for section in document.sections:
            for part in section.parts:
                if isinstance(part, Table) and part.columns[0] == CRIME:
                    self._crime(number, part)

    def _crime(self, number, part):
        """What the police counted before is the same in each report; what they counted in it is its own."""
        for cells, _ in part.rows:
            for column, name in ((1, f"crime/{cells[0]}/before"), (2, f"{number}/crime/{cells[0]}/after")):
                if cells[column] == HIDDEN:
                    self._add(name, 0, 10_000)
                elif cells[column] != "–":
                    value = int(cells[column].split()[0])
                    self._add(name, value, value)
            checks = cells[6].split(" → ") if cells[6] != HIDDEN else None
            for index, name in enumerate((f"checks/{cells[0]}/before", f"{number}/checks/{cells[0]}/after")):
                low, high = (int(checks[index]),) * 2 if checks else (0, 10_000)
                self._add(name, low, high)

    def _add(self, name, low, high):
        if name not in self.attack.names:
            self.attack.names[name] = len(self.attack.low)
            self.attack.low.append(low)
            self.attack.high.append(high)
            return
        index = self.attack.names[name]
        self.attack.low[index], self.attack.high[index] = max(self.attack.low[index], low), min(self.attack.high[index], high)
        assert self.attack.low[index] <= self.attack.high[index], "two reports contradict each other"

    def small(self):
        """Every count from 1 to 4 that what was published gives away."""
        found = []
        for name, index in self.attack.names.items():
            low, high = self.attack.low[index], self.attack.high[index]
            if low != high:
                low, high = self.attack.range_of(name)
            if low == high and 0 < low < LEAST:
                found.append((name, low))
        return found


def rows_of(seed, number):
    """Rows of the report of that quarter."""
    before, after, (first, last) = random.Random(f"{seed} before"), random.Random(f"{seed} {number}"), QUARTERS[number]
    found = []
    for kind in ("Raub", "Sachbeschädigung"):
        for place, role in (("Platz", Role.WATCHED), ("Hof", Role.COMPARISON)):
            then = date(2025, 3, 1)
            values = (kind, place, role)
            found.append(Row(*values, Period.BEFORE, "", then, then + timedelta(days=29), Unit.DAYS, 30.0, some(before), some(before)))
            days = (last - first).days + 1
            found.append(Row(*values, Period.AFTER, "", first, last, Unit.DAYS, float(days), some(after), some(after)))
    return found


def published(seed):
    """Three public reports of a year, of a house about which the facts file says the same in each."""
    rng, reader = random.Random(seed), Reader()
    g, _ = year(rng)
    for number, (first, last) in enumerate(QUARTERS):
        _, happened = year(rng)
        happened = Happened(first, last, happened.alerts, happened.log)
        reader.report(number, committee(g, RULES, happened, rows_of(seed, number), public=True))
    return reader


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_reports_of_a_year_together_tell_no_count_under_five(seed):
    reader = published(seed)
    assert len(reader.attack.names) > 60
    assert reader.small() == []


def test_the_attack_finds_what_reports_that_overlap_would_tell():
    """Until June twelve, until July fourteen: the difference is a month with two. Such a pair is never printed."""
    reader = Reader()
    for number, name in (("12", "half"), ("14", "seven")):
        reader.attack.add(name, number)
    reader.attack.add("july", HIDDEN)
    reader.attack.total(["half", "july"], "seven")
    assert reader.small() == [("july", 2)]


@pytest.mark.parametrize("seed", range(200))
def test_no_two_public_reports_share_a_day_unless_they_are_the_same(seed):
    rng, done, start = random.Random(seed), [], date(2026, 1, 1)
    for _ in range(12):
        first = start + timedelta(days=rng.randrange(360))
        last = first + timedelta(days=rng.randrange(100))
        if clash(first, last, done) is None:
            done.append((first, last))
    days = [first + timedelta(days=n) for first, last in set(done) for n in range((last - first).days + 1)]
    assert len(days) == len(set(days))
    assert all(clash(*one, done) is None for one in done)


@pytest.mark.parametrize("seed", range(5))
def test_sheet_and_signs_say_the_same_whatever_happened(seed):
    """They print no count at all: what does not depend on what happened cannot tell it."""
    quiet = facts_with(whole(), incidents=())
    g, happened = year(random.Random(seed))
    g = replace(g, log={**g.log, **happened.log}, rows=None)
    for language in ("de", "en"):
        assert spoken(information_sheet(g, language)) == spoken(information_sheet(quiet, language))
        for paper in ("a4", "a3"):
            assert spoken(sign(g, language, paper)) == spoken(sign(quiet, language, paper))


def spoken(document):
    return [one.text for one in document.sentences()]


def test_a_reason_with_a_small_number_is_not_on_the_sheet():
    reasons = {"2 Einbrüche im Frühjahr": False, "zwei Überfälle": False, "Vandalismus an 14 Tagen": True, "Schutz des Eingangs": True}
    camera = SITE.cameras[0].id
    for reason, is_shown in reasons.items():
        ground = Ground(camera=camera, purpose=Purpose.HOUSE_RIGHT, reason=reason, area="oeffentlich")
        g = facts_with(whole(), grounds=(ground,))
        for document in (information_sheet(g, "de"), information_sheet(g, "en"), *(sheet(g, language) for language in TRANSLATED)):
            assert (reason in "\n".join(spoken(document))) is is_shown, (document.key, reason)


def test_how_many_complaints_were_recorded_is_a_count_too():
    first, last = QUARTERS[0]
    for count in (1, 3):
        facts = tuple(fact(FactKind.COMPLAINTS, date=first + timedelta(days=n), text="Eine Anwohnerin schrieb.") for n in range(count))
        said = [one.text for one in committee(facts_with(whole(), facts=facts), RULES, Happened(first, last), public=True).sentences()]
        assert [one for one in said if one.startswith("Beschwerden: ")] == ["Beschwerden: Eine Anwohnerin schrieb."]


def test_pages_for_everybody_say_the_same_whatever_happened(desk):
    """What a passer-by can call up depends on nothing that was recorded."""
    paths = [path for method, path, permission in table(desk.system.app) if permission is Permission.PUBLIC and method == "GET"]
    asked = [path for path in paths if "{" not in path and "*" not in path]
    assert len(asked) > 4
    before = {path: desk.get(path).text for path in asked}
    for number in range(7):
        desk.office.log.write(Event.CASE_OPENED, "system", f"{number:032x}", {"case": number})
    assert {path: desk.get(path).text for path in asked} == before


def test_a_second_public_report_that_shares_a_day_is_refused_in_words(desk):
    first = desk.get("/report.pdf?first=2023-01-01&last=2023-03-31&public=1", "dsb")
    assert first.headers["content-type"] == "application/pdf"
    again = desk.get("/report.pdf?first=2023-01-01&last=2023-03-31&public=1", "dsb")
    assert again.status_code == 200
    wider = desk.get("/report.pdf?first=2023-01-01&last=2023-04-30&public=1", "dsb")
    assert wider.status_code == 409
    assert "Für 01.01.2023 bis 31.03.2023 ist schon ein öffentlicher Bericht gedruckt" in wider.text
    assert "/report.pdf" not in desk.get("/report?first=2023-01-01&last=2023-04-30&public=1", "dsb").text
    assert desk.get("/report.pdf?first=2023-01-01&last=2023-04-30", "dsb").headers["content-type"] == "application/pdf"


def test_a_period_that_is_not_over_is_not_printed_for_the_public(desk):
    """A report of today and one of tomorrow with the same days would tell by their difference what each hides."""
    today = datetime.fromtimestamp(desk.clock.now(), ZoneInfo("Europe/Berlin")).date()
    first, yesterday = today - timedelta(days=20), today - timedelta(days=1)
    before = desk.office.log.count([Event.DOCUMENTS_PRINTED], 0.0)
    for last in (today, today + timedelta(days=300)):
        refused = desk.get(f"/report.pdf?first={first}&last={last}&public=1", "dsb")
        assert refused.status_code == 409
        assert f"was spätestens am {yesterday:%d.%m.%Y} endet" in refused.text
        shown = desk.get(f"/report?first={first}&last={last}&public=1", "dsb").text
        assert "/report.pdf" not in shown
        inside = desk.get(f"/report?first={first}&last={last}", "dsb").text
        assert f"Der Zeitraum ist am {today:%d.%m.%Y} noch nicht zu Ende; alle Anzahlen sind vorläufig" in inside
    assert desk.get(f"/report.pdf?first={first}&last={yesterday}&public=1", "dsb").headers["content-type"] == "application/pdf"
    assert desk.office.log.count([Event.DOCUMENTS_PRINTED], 0.0) == before + 1


def test_a_period_of_which_half_is_deleted_is_not_printed_for_the_public(desk):
    """Its counts would be too small; what was printed before stays to be had."""
    today = datetime.fromtimestamp(desk.clock.now(), ZoneInfo("Europe/Berlin")).date()
    known = today - timedelta(days=400)
    early, late = f"first={known - timedelta(days=9)}&last={known}", f"first={known}&last={known + timedelta(days=9)}"
    printed = desk.get(f"/report.pdf?{early}&public=1", "dsb")
    assert printed.headers["content-type"] == "application/pdf"
    # The first entry is gone: what there was before the limits, nobody knows any more.
    number = desk.office.log.state()[0]
    desk.office.log.erase([1], 24)
    assert desk.office.log.find(before=2) == []
    assert desk.office.log.state()[0] == number + 1
    assert desk.get(f"/report.pdf?{early}&public=1", "dsb").content == printed.content
    refused = desk.get(f"/report.pdf?first={known - timedelta(days=30)}&last={known - timedelta(days=20)}&public=1", "dsb")
    assert refused.status_code == 409
    assert f"Was vor dem {known:%d.%m.%Y} geschah, ist nach Ablauf der Fristen gelöscht" in refused.text
    inside = desk.get(f"/report?first={known - timedelta(days=30)}&last={known - timedelta(days=20)}", "dsb").text
    assert "alle Anzahlen sind Mindestzahlen" in inside
    assert "Mindestzahlen" not in desk.get(f"/report?{late}", "dsb").text


def test_incidents_of_one_camera_stay_hidden_over_all_reports():
    counts = [2] + [30] * (len(SITE.cameras) - 1)
    incidents = tuple(
        Incidents(camera=camera.id, first=date(2025, 1, 1), last=date(2026, 6, 30), count=count, source="Polizei")
        for camera, count in zip(SITE.cameras, counts, strict=True)
    )
    reader = Reader()
    for number, (first, last) in enumerate(QUARTERS):
        g = facts_with(whole(), incidents=incidents)
        reader.report(number, committee(g, RULES, Happened(first, last), public=True))
    assert reader.attack.range_of(f"{SHARED}{SITE.cameras[0].name}") != [2, 2]
    assert reader.small() == []
