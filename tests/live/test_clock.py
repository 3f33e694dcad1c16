"""The pages about the time in a real browser: two people, no script, nothing that axe finds in either state and theme."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
import uvicorn
from starlette.staticfiles import StaticFiles

from blickschutz.retention.io.sources import ClockSources
from blickschutz.retention.io.timefile import TimeFile
from blickschutz.retention.model import Basis, Confirmed, Limits, Proposal, StampedClip
from blickschutz.retention.service import RetentionTime
from blickschutz.vault.io.files import is_signed
from tests.conftest import LONG, ROOT
from tests.fakes.time import DAY, HOUR, ClipsAndLog
from tests.live.system import AXE, axe_findings, free_port
from tests.unit.test_clock_pages import JumpingClock, Place

pytestmark = pytest.mark.timeout(240)
MANY = 14


@pytest.fixture
def served(tmp_path):
    """The pages over the real time, with clips of which some are old; the wall clock has jumped by three days."""
    clock, rows = JumpingClock(), ClipsAndLog()
    place = Place(tmp_path, None, clock)
    file = TimeFile(tmp_path / "retention.clock", place.key.sign, lambda text, signature: is_signed(text, signature, place.key.public))
    desk = RetentionTime(ClockSources(clock), file, rows, rows, Limits(72 * HOUR, 60 * DAY))
    place.open(desk)
    desk.check()
    for number in range(MANY):
        clip = f"{number:032x}"
        case = place.record(clip, clock.now())
        rows.rows[clip] = StampedClip(clip, case, clock.now(), desk.stamp())
        clock.sleep(1800)
    clock.ahead = 3 * DAY - 4 * HOUR
    desk.check()
    place.pages.app.mount("/static", StaticFiles(directory=ROOT / "src/blickschutz/web/static"))
    server = uvicorn.Server(uvicorn.Config(place.pages.app, port=(port := free_port()), log_level="warning"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    place.address = f"http://127.0.0.1:{port}/"
    place.decisions = rows.decisions
    yield place
    server.should_exit = True
    thread.join(20)
    place.engine.dispose()


def desk_of(browser, place, person, language="de", theme="light"):
    # Without script: everything here must work as plain forms.
    context = browser.new_context(viewport={"width": 1280, "height": 800}, java_script_enabled=False)
    values = {"session": person, "language": language, "theme": theme}
    context.add_cookies([{"name": name, "value": value, "url": place.address} for name, value in values.items()])
    page = context.new_page()
    page.goto(f"{place.address}clock")
    return page


def test_two_people_at_two_desks_without_a_script(served, browser):
    first, second = desk_of(browser, served, "aufsicht"), desk_of(browser, served, "kvd-1")
    card = first.locator(".card", has_text="Die Uhr des Rechners stimmt").filter(has=first.locator("form"))
    shown = card.locator("tbody a").all_inner_texts()
    assert 0 < len(shown) < MANY
    card.get_by_role("button").click()
    assert first.url.endswith("/clock"), "the browser itself asks for the tick"
    assert served.desk.view().proposal is None
    card.get_by_role("checkbox").check()
    card.get_by_role("button").click()
    assert "Bestätigung einer zweiten Person" in first.content()
    second.reload()
    assert second.locator("section[aria-labelledby=proposal] tbody a").all_inner_texts() == shown
    second.locator("section[aria-labelledby=proposal]").get_by_role("checkbox").check()
    second.get_by_role("button", name="Als zweite Person bestätigen").click()
    assert "Die Fristen laufen." in second.content()
    assert [one.people for one in served.decisions] == [("aufsicht", "kvd-1")]
    assert len(served.decisions[0].due) == len(shown)
    first.context.close()
    second.context.close()


@pytest.mark.parametrize("language", ["de", pytest.param("en", marks=pytest.mark.long)])
@pytest.mark.later
def test_axe_finds_nothing(served, browser, language):
    if not AXE.exists():
        pytest.skip("the front-end tools are not installed (npm ci)")
    found = []
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    for state in ("suspended", "proposed", "fine"):
        if state == "proposed":
            assert isinstance(served.desk.propose("aufsicht", Basis.WALL), Proposal)
        elif state == "fine":
            assert isinstance(served.desk.confirm("kvd-1", served.desk.view().proposal.number), Confirmed)
        for person in ("aufsicht", "kvd-1", "technik"):
            values = {"session": person, "language": language}
            context.add_cookies([{"name": name, "value": value, "url": served.address} for name, value in values.items()])
            page = context.new_page()
            page.goto(f"{served.address}{'clock' if person != 'technik' else 'nothing'}")
            for theme in ("dark", "light") if LONG else ("dark",):
                page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
                found += [(state, person, theme, *one) for one in axe_findings(page)]
            page.close()
    context.close()
    assert found == []
