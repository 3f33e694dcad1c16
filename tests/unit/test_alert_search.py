"""Alerts are found over days: by camera, kind, state, outcome and what people wrote."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from blickschutz.alerts.model import By, Outcome
from tests.unit.test_alert_pages import CAMERAS, SITE, house, rows_of

__all__ = ["house"]

DAY = 86_400.0
ADA = By("Ada", "ada")


@pytest.fixture
def week(house):
    """One alert a day for a week, the last one today, each but the fourth with an outcome and a note of its own."""
    outcomes = [*Outcome, None]
    numbers = []
    for day in range(7):
        number = house.take(day + 1, CAMERAS[day % 2])
        outcome = outcomes[day % 4]
        if outcome is not None:
            house.desk.acknowledge(number, ADA)
            house.desk.act(number, ADA, f"Streife {day}: 100 % ruhig")
            house.desk.close(number, ADA, outcome, f"Notiz_{day}")
        numbers.append(number)
        if day < 6:
            house.clock.sleep(DAY)
    return numbers


def day(house, back=0):
    """The date so many days ago, as an address has it."""
    return f"{datetime.fromtimestamp(house.clock.now(), ZoneInfo(SITE.site.timezone)).date() - timedelta(days=back):%Y-%m-%d}"


def found(house, **asked):
    return rows_of(house.get("/alerts?" + "&".join(f"{name}={value}" for name, value in asked.items())))


def test_days_from_and_to_are_both_included_the_newest_first(house, week):
    assert found(house, date=day(house, 4), until=day(house, 2)) == [week[4], week[3], week[2]]
    assert found(house, date=day(house, 2), until=day(house, 4)) == [week[4], week[3], week[2]], "the other way round"
    assert found(house, until=day(house, 6)) == found(house, date=day(house, 6)) == [week[0]]
    assert found(house) == [week[6]]
    assert found(house, date="gestern", until="9" * 30) == [week[6]]


def test_outcome_camera_and_state_narrow_it(house, week):
    span = {"date": day(house, 6), "until": day(house)}
    assert found(house, **span) == week[::-1]
    assert found(house, **span, outcome="false-alarm") == [week[5], week[1]]
    assert found(house, **span, outcome="false-alarm", camera=CAMERAS[0]) == []
    assert found(house, **span, state="open") == [week[3]]
    assert found(house, **span, outcome="nonsense") == week[::-1]


def test_what_people_wrote_is_found_and_signs_are_signs(house, week):
    span = {"date": day(house, 6), "until": day(house)}
    assert found(house, **span, text="streife 2") == [week[2]], "what was done"
    assert found(house, **span, text="notiz_4") == [week[4]], "the note"
    assert found(house, **span, text="Notiz%25") == []
    assert len(found(house, **span, text="100 %25 ruhig")) == 6
    assert found(house, **span, text="Ada") == [], "people are not searched for"
    page = house.get(f"/alerts?date={day(house, 6)}&until={day(house)}&text=nichts")
    assert "An diesen Tagen gibt es keine Meldung" in page
    assert "werden gelöscht nach Tagen: " in page


def test_every_page_of_a_long_span_keeps_what_was_asked_and_none_is_missing(house):
    house.fill(1500)
    path, seen, read = f"/alerts?date={day(house, 11)}&until={day(house)}&camera={CAMERAS[3]}&text=", [], 0
    while path:
        page = house.get(path)
        seen, read = seen + rows_of(page), read + 1
        further = re.search(r'href="(/alerts\?[^"]*before=\d+)"', page)
        path = further[1].replace("&amp;", "&") if further else ""
    assert read == 2
    assert seen == [number for number in range(1500, 0, -1) if (number - 1) % 11 == 3]


def test_a_clock_that_went_back_hides_none_between_pages(house):
    numbers = []
    for step in range(6):
        numbers.append(house.take(step + 1))
        house.clock.time += -600 if step == 2 else 60
    pages, before = [], 0
    while part := house.store.find(before=before, most=2):
        pages += [alert.id for alert in part]
        before = part[-1].id
    assert sorted(pages) == numbers
    assert pages != numbers[::-1], "the clock went back"
