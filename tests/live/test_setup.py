"""A camera is set up in a browser: drawn on, measured, placed, looked at by the rules, confirmed; nobody who does so sees a person."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from blickschutz.audit.model import Event
from blickschutz.bootstrap.system import Source
from blickschutz.config.loader import load_site
from blickschutz.wall.model import TileState
from tests.live.system import AXE, STRIPES, RunningSystem, axe_findings, browser, client, reach, signed_in, until
from tests.live.test_settings import NORTH, path

__all__ = ["browser", "path"]
NEW = "am-tor"
pytestmark = [pytest.mark.peers, pytest.mark.timeout(400)]


@pytest.fixture
def place(path):
    running = RunningSystem(load_site(path), path.parent, Source(path.read_text(encoding="utf-8"), str(path)))
    yield running.system
    running.end()


@pytest.fixture
def page(place, browser):
    context = signed_in(browser.new_context(viewport={"width": 1366, "height": 900}), place, "technik")
    page = context.new_page()
    # Rules and documents are asked for each proposal: about a second of a core that may be shared.
    page.set_default_timeout(120_000)
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []


def drag(page, handle, x, y):
    """Take a handle to shares of the picture."""
    frame = page.locator("[data-canvas]").bounding_box()
    box = page.locator(f"[data-handle='{handle}'] .handle-dot").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"], steps=4)
    page.mouse.up()


def confirmed(page, place):
    """The second person puts in force what the page shows as a proposal."""
    page.wait_for_url("**/settings/changes/*", timeout=120_000)
    with client(place, "aufsicht") as second:
        assert second.post(f"{page.url}/confirm").status_code == 303


def test_a_camera_is_entered_drawn_on_measured_and_placed(page, place):
    until(lambda: all(one.state is TileState.LIVE for one in place.supervisor.keepers.values()), 120)
    began = time.monotonic()
    page.goto(f"{place.address}settings")
    page.get_by_role("link", name="Kameras einrichten").click()
    page.get_by_label("Name auf der Wand").fill("Am Tor")
    page.get_by_label("Adresse des Stroms (RTSP oder HTTP), ohne Kennwort").fill("file:neu.mp4")
    page.get_by_role("button", name="Vorschlagen").click()
    confirmed(page, place)
    keeper = until(lambda: place.supervisor.keepers.get(NEW))
    until(lambda: keeper.state is TileState.LIVE, 120)
    page.goto(f"{place.address}settings/cameras")
    page.locator(f"a[href='/cameras/{NEW}/setup']").click()
    until(lambda: page.evaluate("document.querySelector('[data-picture]')?.naturalWidth > 0"))

    # A new zone by the keyboard, its corner with the arrows; one more corner from the middle of an edge.
    reach(page, "[data-add=zones]")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.handle") == "zones/1/0"
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("[data-handle^='zones/1/']:not(.handle-middle)").count() == 5
    page.keyboard.press("Delete")
    assert page.locator("[data-handle^='zones/1/']:not(.handle-middle)").count() == 4

    # A figure eight is refused in words, and cannot be sent.
    page.locator("[data-canvas]").scroll_into_view_if_needed()
    drag(page, "zones/1/0", 0.9, 0.6)
    page.locator("[data-problem]", has_text="wie eine Acht").wait_for()
    page.get_by_role("button", name="Vorschlagen").click()
    assert page.url.endswith("/setup")
    page.locator("[data-canvas]").scroll_into_view_if_needed()
    drag(page, "zones/1/0", 0.3, 0.3)
    until(lambda: page.locator("[data-problem]").inner_text() == "")

    page.get_by_role("button", name="Neue verdeckte Fläche").click()
    page.get_by_role("button", name="Neue Linie").click()
    page.get_by_label("zwei Punkte und ihr Abstand").check()
    page.get_by_label("Länge oder Körpergröße").fill("4,0")
    page.locator("[data-measured]", has_text="px/m").wait_for()
    page.get_by_label("Pixeldichte zeigen").check()
    assert page.locator(".density-name").count() >= 1

    # What the rules say comes before anything is proposed, and nothing that was drawn is lost.
    page.get_by_role("button", name="Was sagen die Regeln dazu?").click()
    page.get_by_text("Wirksam wird es, wenn eine zweite Person bestätigt.").wait_for()
    assert len(place.control.desk.proposals()) == 1, "the camera itself"
    page.locator("[data-name='privacy/0']").wait_for()
    page.get_by_role("button", name="Vorschlagen").click()
    confirmed(page, place)
    camera = next(one for one in place.site.cameras if one.id == NEW)
    assert [zone.id for zone in camera.zones] == ["bild", "bereich-2"]
    assert (len(camera.privacy_zones), len(camera.lines), camera.calibration.scale.metres) == (1, 1, 4.0)
    assert camera.zones[1].polygon[0] == pytest.approx((0.3, 0.3), abs=0.01)
    until(lambda: keeper.state is TileState.LIVE and keeper.health is not None and keeper.health.doubt is None, 120)
    print(f"from the address to a live tile with zone and calibration: {time.monotonic() - began:.0f} s, fields typed: 3")

    # On the plan: set, moved by the arrows, turned by its small point.
    page.goto(f"{place.address}plan/cameras")
    page.locator(f"input[type=checkbox][data-camera={NEW}]").check()
    drag(page, "0/at", 0.5, 0.5)
    drag(page, "0/look", 0.7, 0.5)
    reach(page, "[data-handle='0/at']")
    page.keyboard.press("ArrowDown")
    page.get_by_role("button", name="Vorschlagen").click()
    confirmed(page, place)
    plan = next(one for one in place.site.cameras if one.id == NEW).plan
    assert (plan.x, plan.y) == (pytest.approx(0.5, abs=0.01), pytest.approx(0.51, abs=0.01))
    assert (plan.direction, plan.reach) == (pytest.approx(90, abs=2), pytest.approx(0.2, abs=0.01))


@pytest.mark.later
def test_whoever_sets_up_sees_a_redacted_picture_and_the_log_says_so(place):
    keeper = place.supervisor.keepers[NORTH]
    until(lambda: keeper.state is TileState.LIVE and keeper.health.frames > 60, 120)
    with client(place, "technik") as requests:
        answer = requests.get(f"{place.address}cameras/{NORTH}/setup/picture.jpg")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert requests.get(f"{place.address}cameras/{NORTH}/picture.jpg").status_code == 403
    shown = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_GRAYSCALE).astype(float)[STRIPES]
    # The guest's shirt has 180 steps of contrast in stripes of two pixels; in the mosaic nothing finer than a cell is left.
    assert float(np.abs(shown[:, 2:] - shown[:, :-2]).mean()) < 25
    entry = place.records.office.log.find(event=Event.SETUP_LOOKED)[0][0]
    assert (entry.by, entry.subject) == ("technik", NORTH)


@pytest.mark.long
@pytest.mark.parametrize("language", ["de", pytest.param("en", marks=pytest.mark.long)])
def test_the_pages_of_setting_up_have_nothing_that_axe_finds_and_fit_a_telephone(place, browser, language):
    if not AXE.exists():
        pytest.skip("the front-end tools are not installed (npm ci)")
    context = signed_in(browser.new_context(viewport={"width": 1280, "height": 800}), place, "technik")
    context.add_cookies([{"name": "language", "value": language, "url": place.address}])
    page, found = context.new_page(), []
    for address in (f"cameras/{NORTH}/setup", "plan/cameras", "settings/cameras"):
        page.goto(f"{place.address}{address}")
        if address.endswith("setup"):
            page.locator("[data-add=privacy]").click()
            page.locator("[data-ruler-kind=people]").check()
        for theme in ("dark", "light"):
            page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
            found += [(theme, *one) for one in axe_findings(page)]
        page.set_viewport_size({"width": 390, "height": 800})
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found += [(address, "wider than 390 px", wide)] if wide > 0 else []
        page.set_viewport_size({"width": 1280, "height": 800})
    context.close()
    assert found == []
