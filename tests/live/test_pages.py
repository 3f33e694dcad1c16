"""Every page in both languages and themes: nothing that axe finds, nothing wider than the window, reached by keyboard."""

from __future__ import annotations

import pytest

from blickschutz.bootstrap.demo import seed
from blickschutz.config.loader import load_site
from tests.conftest import ROOT
from tests.live.system import RunningSystem, free_port, guest_clip, signed_in

pytestmark = [pytest.mark.peers, pytest.mark.timeout(240)]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = {
    "leitstelle-1": [
        "wall",
        "alerts",
        "cameras/vorplatz-nord",
        "cameras/vorplatz-nord/stop",
        "stop",
        "regime",
        "plan",
        "health",
        "account",
    ],
    "kvd-1": ["cases", "cases/999", "wall"],
    "aufsicht": ["evidence", "cases", "people", "resume"],
    "technik": ["people", "people/kvd-1", "settings", "health"],
    "dsb": ["log", "people"],
    "": ["sign-in", "welcome", "trust"],
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    base = tmp_path_factory.mktemp("pages")
    guest_clip(base / "guest.mp4")
    site = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
    plain = {"address": "file:guest.mp4", "calibration": None, "zones": (), "privacy_zones": ()}
    cameras = tuple(camera.model_copy(update=plain) for camera in site.cameras[:2])
    server = site.server.model_copy(update={"port": free_port()})
    running = RunningSystem(site.model_copy(update={"cameras": cameras, "server": server}), base)
    seed(running.system.keeping)
    running.system.keeping.access.people.recover("technik", "kvd-2")
    yield running.system
    running.end()


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("person", list(PAGES), ids=lambda person: person or "nobody")
def test_axe_finds_nothing(place, browser, person, language):
    if not AXE.exists():
        pytest.skip("the front-end tools are not installed (npm ci)")
    found = []
    for theme in ("dark", "light"):
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        if person:
            signed_in(context, place, person)
        context.add_cookies(
            [{"name": name, "value": value, "url": place.address} for name, value in (("language", language), ("theme", theme))]
        )
        page = context.new_page()
        for path in PAGES[person]:
            page.goto(f"{place.address}{path}")
            page.evaluate(AXE.read_text(encoding="utf-8"))
            # Every part that is folded away is looked at too.
            page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")
            result = page.evaluate("(tags) => axe.run(document, { runOnly: tags })", RULES)
            for violation in result["violations"]:
                found.append((path, theme, violation["id"], [node["html"][:120] for node in violation["nodes"]][:3]))
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if wide > 0:
                found.append((path, theme, "wider than the window", wide))
        context.close()
    assert found == []


def test_an_account_is_proposed_by_keyboard_alone(place, browser):
    context = signed_in(browser.new_context(viewport={"width": 1280, "height": 800}), place, "technik")
    page = context.new_page()
    page.goto(f"{place.address}people")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("tast-1")
    page.keyboard.press("Tab")
    page.keyboard.type("Tanja Tastatur")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.locator(".secret").wait_for()
    assert [change.person for change in place.keeping.access.accounts.changes()][-1] == "tast-1"
    context.close()
