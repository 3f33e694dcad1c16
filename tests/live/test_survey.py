"""The survey's pages in a real browser, before the real server: nothing that axe finds, 400 % zoom, the keyboard alone, every page."""

from __future__ import annotations

import secrets

import pytest

from stimmungsbild.collection.folder import load, open_store, set_map
from stimmungsbild.collection.model import Map
from stimmungsbild.demo.run import free_port, prepare, serving
from stimmungsbild.questionnaire.model import LANGUAGES
from tests.conftest import LONG
from tests.live.system import AXE, axe_findings, reach

PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 400"><path d="M0 200H600M300 0V400" stroke="#888"/></svg>'
# A page of 1280 pixels at 400 % has 320 (WCAG 2.2, 1.4.10).
NARROW = {"width": 320, "height": 256}
# The structure is the same in all; the one from right to left can break in more ways.
USUAL = [one if one == "ar" else pytest.param(one, marks=pytest.mark.long) for one in LANGUAGES]


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    """A field that the real server serves: its folder and address."""
    folder, port = prepare(tmp_path_factory.mktemp("survey")), free_port()
    set_map(folder, PICTURE, Map(41180, 29280, 60, 40))
    with serving(folder, port):
        yield folder, f"http://127.0.0.1:{port}/"


def answered(folder):
    store = open_store(folder, secrets.token_bytes)
    try:
        return store.acknowledged()
    finally:
        store.close()


@pytest.mark.parametrize("language", USUAL)
@pytest.mark.later
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window_at_400_percent(field, browser, language):
    if not AXE.exists():
        pytest.skip("the front-end tools are not installed (npm ci)")
    folder, address = field
    before, found = answered(folder), []
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    page = context.new_page()
    page.goto(f"{address}information?lang={language}")
    found += [("information", *one) for one in axe_findings(page)]
    page.goto(f"{address}?lang={language}")
    for _ in range(20):
        # Each page at every zoom and in both themes; what does not depend on colour is asked once.
        found += [("dark", *one) for one in axe_findings(page)]
        page.emulate_media(color_scheme="light")
        found += [("light", *one) for one in axe_findings(page, colours=not LONG)]
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size(NARROW)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found += [(page.url, "wider than the window at 400 %", wide)] if wide > 0 else []
        page.set_viewport_size({"width": 1280, "height": 800})
        if not page.locator("form").count():
            break
        with page.expect_navigation():
            page.locator("form button:visible").first.click()
    context.close()
    assert found == []
    assert answered(folder) == before + 1


def test_the_keyboard_alone_leads_from_the_first_page_to_the_thanks_without_a_script(field, browser):
    folder, address = field
    before = answered(folder)
    context = browser.new_context(viewport=NARROW, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}?lang=tr")
    for _ in range(20):
        if not page.locator("form").count():
            break
        reach(page, "form button[value=next]")
        with page.expect_navigation():
            page.keyboard.press("Enter")
    _, q = load(folder)
    assert q.words["tr"].interface["thanks_text"] in page.content()
    assert answered(folder) == before + 1
    context.close()


def test_tab_reaches_every_control_of_a_page(field, browser):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{field[1]}?lang=de")
    reach(page, "a.skip")
    reach(page, "input#code")
    reach(page, "form button")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    reach(page, "input[name=area_day]")
    page.keyboard.press("ArrowDown")
    assert page.locator("input[name=area_day]:checked").count() == 1
    reach(page, "button[value=back]")
    context.close()


def test_a_half_filled_form_stays_on_the_device_only_if_asked_and_its_work_is_done(field, browser):
    folder, address = field
    before = answered(folder)
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}?lang=de")

    def go_on():
        with page.expect_navigation():
            page.locator("form button[value=next]").click()

    go_on()
    page.check("input[name=area_day][value=rather_unsafe]")
    go_on()
    assert page.evaluate("localStorage.length") == 0, "nobody asked for it"
    page.check("#keep-here")
    page.check("input[name=place_mall][value=very_safe]")
    go_on()
    over = page.locator("#map-over")
    page.wait_for_function("document.querySelector('.map img').complete")
    size = over.bounding_box()
    over.click(position={"x": size["width"] * 12.5 / 60, "y": size["height"] * 3.5 / 40})
    over.focus()
    for key in ("ArrowRight", "ArrowDown", "Enter", "ArrowRight", "Enter", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    squares = "[...document.querySelectorAll('input[name=unsafe_squares]')].map((one) => one.value)"
    assert page.evaluate(squares) == ["100mN29316E41192", "100mN29315E41193", "100mN29315E41194"], "three, and no fourth"
    page.locator("#map-chosen button").nth(1).click()
    assert page.evaluate(squares) == ["100mN29316E41192", "100mN29315E41194"]
    go_on()
    assert page.evaluate(squares) == ["100mN29316E41192", "100mN29315E41194"]
    page.goto(f"{address}?lang=en")
    with page.expect_navigation():
        page.click("#go-on")
    assert page.locator("input[name=area_day][value=rather_unsafe]").is_checked()
    go_on()
    assert page.locator("input[name=place_mall][value=very_safe]").is_checked()
    while not page.locator("form[action='/send']").count():
        go_on()
    page.wait_for_function("document.getElementById('altcha').value !== ''", timeout=60_000)
    go_on()
    assert page.evaluate("localStorage.length") == 0
    assert not context.cookies()
    assert answered(folder) == before + 1
    context.close()
