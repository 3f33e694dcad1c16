"""Decisions whose session had ended: kept for their person, whoever else sends what."""

from __future__ import annotations

from blickschutz.web.kept import KeptForms
from tests.fakes.clock import ManualClock

FIELDS = [("ground", "x")]


def test_a_stranger_and_another_person_push_out_nobody_elses():
    forms = KeptForms(ManualClock())
    own = forms.keep("/cases/3/hold", FIELDS, "kvd-1")
    for person in ("", "kvd-2"):
        tokens = [forms.keep("/stop", FIELDS, person) for _ in range(300)]
        assert [forms.find(token, person) is not None for token in tokens] == [False] * 290 + [True] * 10
    assert forms.find(own, "kvd-1").path == "/cases/3/hold"
    assert forms.find(own, "kvd-2") is None


def test_of_very_many_people_the_oldest_goes():
    forms = KeptForms(ManualClock())
    tokens = [(forms.keep("/stop", FIELDS, f"p-{number}"), f"p-{number}") for number in range(120)]
    assert [forms.find(*one) is not None for one in tokens] == [False] * 20 + [True] * 100
