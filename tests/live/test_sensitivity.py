"""Sensitivity in a real browser over real cells: what supervision accepts is laid while the cell goes on, by keyboard as well."""

from __future__ import annotations

import numpy as np
import pytest

from blickschutz.budget.model import DAY_S, NEVER, Day
from blickschutz.situations.kinds import Kind
from tests.conftest import LONG
from tests.live.system import RunningSystem, axe_findings, browser, guest_site, reach, signed_in, until

__all__ = ["browser"]
pytestmark = [pytest.mark.peers, pytest.mark.timeout(240)]
CAMERA = "vorplatz-nord"
OTHERWISE_NOW = 409
SIZES = ((390, 844), (1366, 768), (2560, 1440))
if LONG:
    SIZES += ((768, 1024), (1280, 800), (1440, 900), (1600, 900), (1920, 1080))


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    base = tmp_path_factory.mktemp("sensitive")
    running = RunningSystem(guest_site(base, 2), base)
    desk = running.system.control.sensitivity.desk
    until(lambda: CAMERA in desk._cameras, 60)
    with desk._lock:
        shadow = desk._cameras[CAMERA].shadow
        desk._cameras[CAMERA].days = [day(shadow.number, number) for number in range(1, 8)]
        desk._cameras[CAMERA].days.append(Day(camera=CAMERA, shadow=shadow.number, number=8))
        desk._views = None
    yield running.system
    running.end()


def day(shadow, number):
    """A day as a lively street has it; gatherings reach every score."""
    random = np.random.default_rng(number)
    made = Day(camera=CAMERA, shadow=shadow, number=number, observed={f"day {hour}": DAY_S / 24 for hour in range(24)})
    for kind, per_day, scale in ((Kind.OBJECT_LEFT, 40, 6), (Kind.PERSON_DOWN, 3, 5), (Kind.GATHERING, 60, 60), (Kind.APPROACH, 200, 4)):
        for _ in range(random.poisson(per_day)):
            cell = made.peaks.setdefault(kind, {}).setdefault(f"day {random.integers(7, 20)}", {})
            bin_ = min(193, 36 + int(random.exponential(scale)))
            cell[bin_] = cell.get(bin_, 0) + 1
    return made


@pytest.fixture
def tab(browser, system):
    context = signed_in(browser.new_context(viewport={"width": 1366, "height": 768}), system, "aufsicht")
    page = context.new_page()
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert [one for one in problems if f"status of {OTHERWISE_NOW} " not in one] == []


def accept(tab, keeper):
    """Take what is proposed. Each minute that is observed may propose another value: who saw the one before sees that first."""
    for _ in range(5):
        seen = tab.locator("form:has(input[value='object_left']) input[name='seen']").get_attribute("value")
        reach(tab, "form:has(input[value='object_left']) button", 200)
        with tab.expect_navigation() as arrived:
            tab.keyboard.press("Enter")
        if arrived.value.status != OTHERWISE_NOW:
            break
    tab.wait_for_selector("td:has-text('angenommen')")
    assert keeper._settings.situations.thresholds[Kind.OBJECT_LEFT] == float(seen)


@pytest.mark.later
def test_whoever_accepts_by_keyboard_changes_the_cell_that_runs(tab, system):
    keeper = system.supervisor.keepers[CAMERA]
    until(lambda: keeper.health is not None, 90)
    assert keeper._settings.situations.thresholds[Kind.OBJECT_LEFT] == NEVER
    tab.goto(f"{system.address}sensitivity")
    reach(tab, f"a[href='/sensitivity/{CAMERA}']")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("h1:has-text('Vorplatz Nord')")
    accept(tab, keeper)
    assert keeper.restarts == 0
    reach(tab, "form[action$='/undo'] button", 200)
    tab.keyboard.press("Enter")
    tab.wait_for_selector("form:has(input[value='object_left']) input[name='seen']", state="attached")
    until(lambda: keeper._settings.situations.thresholds[Kind.OBJECT_LEFT] == NEVER)
    assert keeper.restarts == 0


@pytest.mark.parametrize(
    "path",
    [
        "sensitivity",
        pytest.param(f"sensitivity/{CAMERA}", marks=pytest.mark.later),
        pytest.param("sensitivity/vorplatz-mitte", marks=pytest.mark.long),
    ],
)
def test_the_pages_are_for_everybody_at_every_width(tab, system, path):
    for size in SIZES:
        tab.set_viewport_size({"width": size[0], "height": size[1]})
        tab.goto(f"{system.address}{path}")
        tab.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")
        wide = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, size
    tab.set_viewport_size({"width": 1280, "height": 800})
    assert axe_findings(tab) == []
