"""When and where alerts come, and a tally that is counted anew only when it is another one."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from blickschutz.alerts.model import By, Outcome
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.web.routes.alert_times import LEVELS, levels, week
from tests.desk import CAMERA
from tests.unit.test_alert_pages import CAMERAS, house

__all__ = ["house"]

ZONE = ZoneInfo("Europe/Berlin")
ADA = By("Ada", "ada")


def hour_of(*moment):
    return int(datetime(*moment, tzinfo=UTC).timestamp() // 3600)


def test_hours_are_those_of_the_place_in_summer_and_winter():
    found = [(hour_of(2026, 1, 5, 22), "a", 2), (hour_of(2026, 7, 6, 22), "b", 3), (hour_of(2026, 1, 5, 22), "b", 1)]
    cells = week(found, ZONE)
    assert cells[0][23].count == 3, "Monday 23 in winter"
    assert cells[1][0].count == 3, "Tuesday 0 in summer"
    assert sum(cell.count for day in cells for cell in day) == 6


def test_what_is_there_is_seen_and_the_most_is_the_darkest():
    assert [cell.level for cell in levels([0, 1, 20, 40, 50, 100])] == [0, 1, 1, 2, 3, LEVELS]
    assert [cell.level for cell in levels([0, 0])] == [0, 0]


def shown(desk, **asked):
    """What the page counts, and how many of the first camera."""
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    page = desk.get(f"/alerts/times?{query}", "leitstelle-1").text
    numbers = [int(number) for number in re.findall(r'<td data-level="[1-5]">(\d+)</td>', page)]
    return sum(numbers), int(re.search(rf'camera={CAMERA}&amp;kind=[^"]*">[^<]+</a></th><td class="n">(\d+)</td>', page)[1])


def test_the_page_counts_by_hour_camera_and_kind(desk):
    alerts, other = desk.system.control.alerting.desk, desk.system.site.cameras[1].id
    before, narrow = shown(desk), shown(desk, camera=CAMERA, kind="gathering")
    for number, (camera, kind) in enumerate([(CAMERA, Kind.LOITERING), (CAMERA, Kind.GATHERING), (other, Kind.LOITERING)]):
        alerts.take(camera, Situation(number, kind, "z", 1.0, desk.clock.now(), 0.9), notify=True, run="times")
    assert shown(desk) == (before[0] + 3, before[1] + 2)
    assert shown(desk, camera=CAMERA, kind="gathering") == (narrow[0] + 1, narrow[1] + 1)
    assert shown(desk, date="2001-01-01", until="2001-01-02") == (0, 0)
    assert desk.get("/alerts/times?date=gestern&until=9999&kind=x&camera=y", "leitstelle-1").status_code == 200
    assert "/alerts/times" in desk.get("/alerts", "leitstelle-1").text


@pytest.mark.parametrize("change", ["raised", "closed", "counted"])
def test_the_tally_is_counted_anew_when_something_changed_and_only_then(house, monkeypatch, change):
    number = house.take()
    asked, tally = [], house.store.tally
    monkeypatch.setattr(house.store, "tally", lambda since: asked.append(since) or tally(since))
    before = house.desk.tallies.of(3600)
    assert house.desk.tallies.of(3600) is before
    assert len(asked) == 1
    match change:
        case "raised":
            house.take(2)
        case "closed":
            house.desk.acknowledge(number, ADA)
            house.desk.close(number, ADA, Outcome.FALSE_ALARM, "")
        case _:
            house.desk.take(CAMERAS[0], Situation(9, Kind.LOITERING, "z", 1.0, house.clock.now(), 0.8), notify=False, run="a")
    assert house.desk.tallies.of(3600) != before
    house.clock.sleep(61)
    house.desk.tallies.of(3600)
    assert len(asked) == 3, "and after a minute in any case"


def test_fifty_thousand_alerts_are_spread_within_the_time_of_a_page(house):
    house.fill(50_000)
    begun = time.perf_counter()
    found = house.store.spread(0, house.clock.now() + 1)
    assert sum(number for _, _, number in found) == 50_000
    assert time.perf_counter() - begun < 6, "150 ms on a machine that does nothing else"
