"""Small counts, police figures, rates, and the committee's report."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from blickschutz.audit.model import Entry, Event
from blickschutz.cli.main import cli
from blickschutz.compliance.documents.model import Table
from blickschutz.compliance.io.press import render
from blickschutz.compliance.policy import assess
from blickschutz.compliance.reports.committee import committee
from blickschutz.compliance.reports.model import Happened, RaisedAlert
from blickschutz.compliance.reports.suppression import HIDDEN, LEAST, publish
from blickschutz.situations.kinds import Kind
from tests.conftest import ROOT
from tests.unit.test_documents import exists
from tests.unit.test_policy import NOW, whole

CELLS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 30), min_size=1)


@st.composite
def two_tables(draw):
    """Two tables of the same things: the second splits the same total in another way."""
    first = draw(CELLS)
    left, second = sum(first.values()), {}
    for name in "uvwxyz":
        second[name] = draw(st.integers(0, left))
        left -= second[name]
    second["rest"] = left
    return {"kind": first, "hour": second}


def possible(cells, total):
    """What a reader who knows the total can find out of each hidden cell: the values that it may have."""
    hidden = [name for name, count in cells.items() if count is None]
    rest = total - sum(count for count in cells.values() if count is not None)
    return {name: set(range(1, rest - (len(hidden) - 1) + 1)) if len(hidden) > 1 else {rest} for name in hidden}


@given(two_tables())
def test_no_published_table_lets_a_hidden_count_be_computed(tables):
    published = publish(tables)
    total = sum(tables["kind"].values())
    for name, cells in published.tables.items():
        if cells is None:
            continue
        for cell, values in possible(cells, total).items():
            assert len(values) > 1, (name, cell)
            assert tables[name][cell] in values


@given(two_tables())
def test_no_small_count_is_ever_published_and_no_large_table_is_lost_without_need(tables):
    published = publish(tables)
    assert published.total is None or published.total == 0 or published.total >= LEAST
    for name, cells in published.tables.items():
        small = [count for count in tables[name].values() if 0 < count < LEAST]
        if cells is not None:
            assert all(count is None or count == 0 or count >= LEAST for count in cells.values())
            assert {cell: count for cell, count in cells.items() if count is not None}.items() <= tables[name].items()
        if not small:
            assert cells == tables[name] or 0 < sum(tables[name].values()) < LEAST


def test_tables_of_different_things_are_refused():
    with pytest.raises(ValueError, match="same total"):
        publish({"a": {"x": 3}, "b": {"y": 9}})
    assert publish({}).total == 0


def entries(what, count, **facts):
    return [Entry(number=n + 1, at=1000.0 + 3600 * n, event=what, by="kvd-1", subject=f"{n:032x}", facts=facts) for n in range(count)]


def report(*, public, crime=()):
    alerts = [RaisedAlert(Kind.GATHERING, hour % 24, hour % 5 == 0) for hour in range(40)]
    alerts += [RaisedAlert(Kind.PERSON_DOWN, 3, False)] * 2 + [RaisedAlert(Kind.LOITERING, 22, False)] * 9
    log = {
        Event.CASE_OPENED: entries(Event.CASE_OPENED, 12),
        Event.CASE_DECIDED: [*entries(Event.CASE_DECIDED, 11, outcome="harmless"), *entries(Event.CASE_DECIDED, 1, outcome="incident")],
        Event.SHREDDED: entries(Event.SHREDDED, 11),
        Event.UNMASK_ASKED: entries(Event.UNMASK_ASKED, 7),
        Event.UNMASK_GRANTED: entries(Event.UNMASK_GRANTED, 6),
        Event.UNMASK_REFUSED: entries(Event.UNMASK_REFUSED, 1),
    }
    return committee(whole(), assess(whole()), Happened(date(2026, 1, 1), date(2026, 3, 31), alerts, log), crime, public=public)


def table(document, column):
    return next(
        {cells[0]: cells[1] for cells, _ in part.rows}
        for section in document.sections
        for part in section.parts
        if isinstance(part, Table) and part.columns[0] == column
    )


class TestCommittee:
    def test_the_internal_one_has_every_number(self):
        found = report(public=False)
        assert table(found, "Art") == {"Ansammlung": "40", "Sturz oder liegende Person": "2", "Verweilen": "9"}
        assert table(found, "Ergebnis der Sichtung") == {"Vorfall": "1", "kein Vorfall": "11", "dritte Stimme nötig": "0"}
        assert table(found, "Was")["Entpixelungen beantragt"] == "7"

    def test_the_public_one_hides_small_numbers_and_what_would_tell_them(self):
        found = report(public=True)
        assert table(found, "Art") == {"Ansammlung": "40", "Sturz oder liegende Person": HIDDEN, "Verweilen": HIDDEN}
        assert table(found, "Ergebnis der Sichtung") == {"Vorfall": HIDDEN, "kein Vorfall": HIDDEN, "dritte Stimme nötig": "0"}
        acts = table(found, "Was")
        assert acts["Entpixelungen abgelehnt"] == HIDDEN
        assert "Entpixelungen beantragt" not in acts
        # Eleven destroyed of twelve would tell that one was an incident.
        assert acts["vernichtete Clips"] == HIDDEN

    def test_deletions_in_time_are_told_apart_from_late_ones(self):
        hour, at = 3600.0, NOW
        opened = {"opened": at - 73 * hour, "reason": "unreviewed"}
        restricted = {"opened": at - 500 * hour, "reason": "unreviewed"}

        def one(event, subject, when, **facts):
            return Entry(number=1, at=when, event=event, by="system", subject=subject, facts=facts)

        log = {
            Event.SHRED_ORDERED: [one(Event.SHRED_ORDERED, name, at - (7200 if name == "d" else 60)) for name in "abcd"],
            Event.CASE_FREED: [one(Event.CASE_FREED, "c", at - 120)],
            Event.SHREDDED: [
                one(Event.SHREDDED, "a", at - 10, **opened),
                one(Event.SHREDDED, "b", at + 2 * hour, **opened),
                one(Event.SHREDDED, "c", at, **restricted),
                one(Event.SHREDDED, "d", at, reason="harmless"),
            ],
        }
        found = committee(whole(), assess(whole()), Happened(date(2026, 1, 1), date(2026, 12, 31), (), log), public=False)
        assert table(found, "Löschung") == {"fristgerecht vernichtet": "2", "verspätet vernichtet": "2"}

    def test_outages_are_counted_by_camera_inside_and_by_kind_in_public(self):
        entries = [
            Entry(number=n, at=NOW, event=Event.OUTAGE_ENDED, by="system", subject="brunnen", facts={"kind": "lost", "seconds": 90.0})
            for n in (1, 2)
        ]
        happened = Happened(date(2026, 1, 1), date(2026, 12, 31), (), {Event.OUTAGE_ENDED: entries})
        inside = committee(whole(), assess(whole()), happened, public=False)
        assert "kein Bild | Brunnen | 2 | 3,0" in [one.text for one in inside.sentences()]
        public = committee(whole(), assess(whole()), happened, public=True)
        assert f"kein Bild | {HIDDEN} | {HIDDEN}" in [one.text for one in public.sentences()]

    def test_releases_and_requests_do_not_tell_each_other(self):
        bases = ["strafverfolgung"] * 9 + ["betroffener"] * 2
        released = [Entry(number=n, at=NOW, event=Event.RELEASED, by="x", facts={"basis": basis}) for n, basis in enumerate(bases, 1)]
        duties = [Entry(number=n, at=NOW, event=Event.DUTY_OPENED, by="x") for n in range(1, 10)]
        log = {Event.RELEASED: released, Event.DUTY_OPENED: duties}
        happened = Happened(date(2026, 1, 1), date(2026, 12, 31), (), log)
        public = committee(whole(), assess(whole()), happened, public=True)
        assert table(public, "Rechtsgrundlage") == {"Strafverfolgung": HIDDEN, "betroffene Person": HIDDEN}
        assert not any("Informationspflichten entstanden" in one.text for one in public.sentences())
        inside = committee(whole(), assess(whole()), happened, public=False)
        assert table(inside, "Rechtsgrundlage") == {"Strafverfolgung": "9", "betroffene Person": "2"}
        assert any(one.text == "Informationspflichten entstanden | 9" for one in inside.sentences())

    def test_what_nobody_recorded_is_open_and_what_was_is_told(self):
        first, last = whole().today - timedelta(days=9), whole().today
        found = committee(whole(), assess(whole()), Happened(first, last), public=True)
        assert any(one.text.startswith("Kosten: ") and "geprüft" in one.text for one in found.sentences())
        found = committee(whole(), assess(whole()), Happened(date(2020, 1, 1), date(2020, 2, 1)), public=True)
        assert "OFFEN: Beschwerden im Zeitraum" in [one.text for one in found.sentences()]

    def test_a_period_without_data_says_so(self):
        found = committee(whole(), assess(whole()), Happened(date(2026, 1, 1), date(2026, 1, 31)), public=True)
        texts = [one.text for one in found.sentences()]
        assert "Im Zeitraum gab es keine Meldung." in texts
        assert "Aufzeichnungen: 0." in texts

    @pytest.mark.parametrize("public", [True, False])
    def test_each_statement_rests_on_something_and_it_can_be_printed(self, public):
        found = report(public=public)
        for one in found.sentences():
            assert all(exists(evidence) for evidence in one.evidence), one.text
        assert render(found, whole()).startswith(b"%PDF")

    def test_the_command_prints_it_and_names_what_is_wrong(self, tmp_path):
        site = str(ROOT / "examples/rathaus-kaiserslautern.toml")
        line = ["report", "--site", site, "--out", str(tmp_path), "--from", "2026-01-01", "--to"]
        result = CliRunner().invoke(cli, [*line, "2026-03-31", "--public"], env={"BLICKSCHUTZ_DATA": str(tmp_path)})
        assert result.exit_code == 0, result.output
        assert (tmp_path / "bericht-oeffentlich.pdf").exists()
        result = CliRunner().invoke(cli, [*line, "2025-12-31"], env={"BLICKSCHUTZ_DATA": str(tmp_path)})
        assert result.exit_code == 1
        (tmp_path / "a.csv").write_text("x,y\n", encoding="utf-8")
        wrong = [*line, "2026-03-31", "--crime", str(tmp_path / "a.csv")]
        result = CliRunner().invoke(cli, wrong, env={"BLICKSCHUTZ_DATA": str(tmp_path)})
        assert result.exit_code == 1
        assert "a.csv:1: " in result.stderr
        assert "die Spalten müssen heißen" in result.stderr, "in the site's language, whatever the terminal speaks"
        coming = CliRunner().invoke(cli, [*line, "2999-01-01", "--public"], env={"BLICKSCHUTZ_DATA": str(tmp_path)})
        assert coming.exit_code == 1
        assert "der Zeitraum ist noch nicht zu Ende" in coming.stderr
