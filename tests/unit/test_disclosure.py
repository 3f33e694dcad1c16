"""The public report under attack: all that it prints goes into one solver, which looks for counts under five."""

from __future__ import annotations

import os
import random
import re
from datetime import date, timedelta

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from blickschutz.audit.model import Entry, Event
from blickschutz.compliance.documents.model import Table
from blickschutz.compliance.facts import FactKind, Incidents
from blickschutz.compliance.policy import assess
from blickschutz.compliance.reports.committee import committee
from blickschutz.compliance.reports.crime import Period, Role, Row, Unit
from blickschutz.compliance.reports.model import Happened, RaisedAlert
from blickschutz.compliance.reports.suppression import HIDDEN, LEAST, Count, Suppressor
from blickschutz.kernel.errors import FaultError
from blickschutz.situations.kinds import Kind
from tests.unit.test_policy import SITE, fact, facts_with, whole

MOST = 10_000
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
RULES = assess(whole())
# What a reader knows of the report: these tables count the things whose number stands elsewhere, and nothing but them.
SUMS = {
    "Art": ("Meldungen",),
    "Uhrzeit": ("Meldungen",),
    "Ergebnis": ("Meldungen",),
    "Löschung": ("vernichtete Clips",),
    "Rechtsgrundlage": ("Herausgaben",),
    "Sperren": ("Sperren",),
}
ALONE = {"Meldungen": "Meldungen", "Aufzeichnungen": "Aufzeichnungen"}
BESIDE = {"vernichtete Clips", "Sperren"}
"""What is hidden whatever its number, because it would tell another."""
COUNTED = {"Art", "Uhrzeit", "Ergebnis", "Ergebnis der Sichtung", "Löschung", "Rechtsgrundlage", "Was", "Störung"}


class Attack:
    """Whole numbers, what is known of each, and sums that must be equal."""

    def __init__(self):
        self.names, self.low, self.high, self.sums = {}, [], [], []

    def add(self, name, printed):
        if name in self.names:
            return
        self.names[name] = len(self.low)
        value = None if printed == HIDDEN else int(printed)
        self.low.append((0 if name in BESIDE else 1) if value is None else value)
        self.high.append(MOST if value is None else value)

    def total(self, parts, whole_):
        """These parts are the whole, where it is printed too."""
        if parts and whole_ in self.names:
            self.sums.append({**{self.names[part]: 1.0 for part in parts}, self.names[whole_]: -1.0})

    def range_of(self, name):
        """Least and greatest value that a count may have, as far as the report says."""
        size = len(self.low)
        matrix = np.zeros((len(self.sums), size))
        for row, terms in enumerate(self.sums):
            for column, factor in terms.items():
                matrix[row, column] += factor
        limits = LinearConstraint(matrix, 0, 0) if self.sums else ()
        found = []
        for sign in (1, -1):
            goal = np.zeros(size)
            goal[self.names[name]] = sign
            done = milp(goal, constraints=limits, integrality=np.ones(size), bounds=Bounds(self.low, self.high))
            assert done.success, "the report contradicts itself"
            found.append(round(sign * done.fun))
        return found


def read(document):
    """The counts that a reader takes out of a report."""
    attack, tables = Attack(), {}
    for section in document.sections:
        for part in section.parts:
            if not isinstance(part, Table):
                said = re.fullmatch(rf"(\w+): (\d+|{HIDDEN})\.", part.text)
                if said and said[1] in ALONE:
                    attack.add(ALONE[said[1]], said[2])
                continue
            title = part.columns[0]
            if title in COUNTED:
                for cells, _ in part.rows:
                    name = cells[0] if title == "Was" else f"{title}/{cells[0]}"
                    attack.add(name, cells[1])
                    tables.setdefault(title, []).append(name)
            if part.columns[:2] == ("Kamera", "erfasste Vorfälle"):
                for cells, _ in part.rows:
                    if cells[1] != "OFFEN":
                        attack.add(f"Vorfälle/{cells[0]}", cells[1])
    # Whoever knows the house knows that each incident is held.
    tables["Sperren"] = [name for name in attack.names if name == "Ergebnis der Sichtung/Vorfall"]
    for title, wholes in SUMS.items():
        for one in wholes:
            if title in tables:
                attack.total(tables[title], one)
    return attack


def entries(what, count, **facts):
    return [Entry(number=n, at=1000.0 + n, event=what, by="x", subject=f"{n:032x}", facts=facts) for n in range(1, count + 1)]


def some(rng):
    """A number of things, small more often than not."""
    return rng.randint(0, 6) if rng.random() < 0.6 else rng.randint(0, 60)


def year(rng):
    """What may have happened in a year."""
    raised = [kind for kind in rng.sample(list(Kind), rng.randint(0, 5)) for _ in range(min(some(rng), 25))]
    alerts = [RaisedAlert(kind, rng.randrange(24), rng.random() < 0.3) for kind in raised]
    outcomes = {"harmless": some(rng), "incident": some(rng), "third": some(rng)}
    log = {what: entries(what, some(rng)) for what in (Event.CAMERA_STOPPED, Event.UNMASK_GRANTED, Event.UNMASK_REFUSED, Event.DISK_FULL)}
    log[Event.CASE_DECIDED] = [one for word, count in outcomes.items() for one in entries(Event.CASE_DECIDED, count, outcome=word)]
    log[Event.CASE_OPENED] = entries(Event.CASE_OPENED, outcomes["harmless"] + outcomes["incident"] + some(rng))
    log[Event.HOLD_SET] = entries(Event.HOLD_SET, outcomes["incident"])
    log[Event.SHREDDED] = entries(Event.SHREDDED, outcomes["harmless"] + some(rng))
    bases = rng.choices(["strafverfolgung", "gesetzlich", "betroffener"], k=some(rng))
    log[Event.RELEASED] = [one for basis in bases for one in entries(Event.RELEASED, 1, basis=basis)]
    outages = rng.choices(["lost", "stale"], k=some(rng))
    log[Event.OUTAGE_ENDED] = [one for kind in outages for one in entries(Event.OUTAGE_ENDED, 1, kind=kind, seconds=60.0)]
    incidents = tuple(Incidents(camera=camera.id, first=FIRST, last=LAST, count=some(rng), source="Polizei") for camera in SITE.cameras)
    return facts_with(whole(), incidents=incidents), Happened(FIRST, LAST, alerts, log)


@pytest.mark.parametrize("seed", range(int(os.environ.get("BLICKSCHUTZ_EXAMPLES", "40"))))
def test_no_count_under_five_is_found_in_the_public_report(seed):
    g, happened = year(random.Random(seed))
    attack = read(committee(g, RULES, happened, public=True))
    assert len(attack.names) > 10
    for name, index in attack.names.items():
        low, high = attack.low[index], attack.high[index]
        if low == high:
            assert low == 0 or low >= LEAST, name
        else:
            least, most = attack.range_of(name)
            assert least < most or least == 0 or least >= LEAST, (name, least)


def test_the_attack_finds_what_a_report_without_complementary_suppression_tells():
    attack = Attack()
    for name, printed in (("Meldungen", "12"), ("Art/a", "10"), ("Art/b", HIDDEN)):
        attack.add(name, printed)
    attack.total(["Art/a", "Art/b"], "Meldungen")
    assert attack.range_of("Art/b") == [2, 2]


def test_a_count_is_written_by_the_suppressor_alone():
    for write in (str, repr, "{}".format, lambda count: f"{count}"):
        with pytest.raises(FaultError, match="suppressor"):
            write(Count(3))
    assert Suppressor(public=False).alone(Count(3)) == "3"
    assert Suppressor(public=True).alone(Count(3)) == HIDDEN
    assert [Suppressor(public=True).alone(Count(count)) for count in (0, LEAST)] == ["0", str(LEAST)]


def test_what_somebody_wrote_is_not_published_with_a_small_number_in_it():
    day = LAST - timedelta(days=9)
    texts = {"2 Beschwerden von Anwohnern": False, "zwei Beschwerden": False, "12 Beschwerden": True, "nach § 3 geprüft": False}
    for text, is_shown in texts.items():
        g = facts_with(whole(), facts=(fact(FactKind.COMPLAINTS, date=day, text=text),))
        for public in (True, False):
            said = [one.text for one in committee(g, RULES, Happened(FIRST, LAST), public=public).sentences()]
            assert any(text in one for one in said) == (is_shown or not public), text


def test_incidents_of_a_camera_are_hidden_where_they_are_few():
    """It printed a count of 1 for a camera, against its own notice."""
    counts = [1] + [20] * (len(SITE.cameras) - 1)
    incidents = tuple(
        Incidents(camera=camera.id, first=FIRST, last=LAST, count=count, source="Polizei")
        for camera, count in zip(SITE.cameras, counts, strict=True)
    )
    document = committee(facts_with(whole(), incidents=incidents), RULES, Happened(FIRST, LAST), public=True)
    rows = [
        one.text.split(" | ")[1]
        for one in document.sentences()
        if one.text.startswith(tuple(f"{camera.name} | " for camera in SITE.cameras))
    ]
    assert rows.count(HIDDEN) == 2
    assert set(rows) == {HIDDEN, "20"}


def test_offences_of_the_police_are_hidden_with_everything_that_would_tell_them():
    def row(place, role, period, first, count):
        return Row("Raub", place, role, period, "", first, first + timedelta(days=29), Unit.DAYS, 30.0, count, 9)

    rows = [
        row("Platz", Role.WATCHED, Period.BEFORE, date(2025, 3, 1), 12),
        row("Platz", Role.WATCHED, Period.AFTER, date(2026, 3, 1), 3),
        row("Hof", Role.COMPARISON, Period.BEFORE, date(2025, 3, 1), 20),
        row("Hof", Role.COMPARISON, Period.AFTER, date(2026, 3, 1), 20),
    ]
    text = "\n".join(one.text for one in committee(whole(), RULES, Happened(FIRST, LAST), rows, public=True).sentences())
    assert f"Raub: Platz (beobachtet) | {HIDDEN} | {HIDDEN} | {HIDDEN}" in text
    assert "-Fache" not in text
    assert "-Fache" in "\n".join(one.text for one in committee(whole(), RULES, Happened(FIRST, LAST), rows, public=False).sentences())
