"""Take the pictures of README and handbook from a running demonstration: `.venv/bin/python -m scripts.handbook`."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from blickschutz.bootstrap.system import Source, System
from blickschutz.demo.site import EXAMPLE, demo_site, seed
from blickschutz.kernel.clock import SystemClock
from blickschutz.review.model import CaseState
from blickschutz.rights.model import Request, RequestState, Right
from blickschutz.wall.model import TileState

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs/handbuch/bilder"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
PICTURES = (
    ("anmelden", "", "sign-in"),
    ("konto", "kvd-1", "account"),
    ("wand", "leitstelle-1", "wall"),
    ("meldungen", "leitstelle-1", "alerts"),
    ("vorgaenge", "kvd-1", "cases"),
    ("beweise", "aufsicht", "evidence"),
    ("personen", "dsb", "people"),
    ("zustand", "technik", "health"),
    ("einstellungen", "technik", "settings"),
    ("protokoll", "dsb", "log"),
)


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        source = Source(EXAMPLE.read_text(encoding="utf-8"), "/etc/blickschutz/anlage.toml")
        system = System(demo_site(False, 8738), Path.cwd(), SystemClock(), data=Path(folder), source=source)
        passphrases = {one.person: one.passphrase for one in seed(system.records)}
        system.records.office.access.people.recover("technik", "kvd-2")
        thread = threading.Thread(target=lambda: asyncio.run(system.serve()), daemon=True)
        thread.start()
        end = time.monotonic() + 60
        while not _all_live(system) and time.monotonic() < end:
            time.sleep(0.5)
        time.sleep(20)
        if not _all_live(system):
            raise SystemExit("Not all cameras are live: this machine has too much else to do. No picture was taken.")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
            for name, person, path in PICTURES:
                context = browser.new_context(viewport={"width": 1280, "height": 800})
                if person:
                    session = system.records.office.access.begin(person)
                    context.add_cookies([{"name": "session", "value": session, "url": system.address}])
                page = context.new_page()
                page.goto(f"{system.address}{path}")
                page.wait_for_timeout(6_000 if path == "wall" else 500)
                page.screenshot(path=TARGET / f"{name}.jpg", type="jpeg", quality=75)
                if name == "wand":
                    page.set_viewport_size({"width": 1920, "height": 1080})
                    page.wait_for_timeout(6_000)
                    page.screenshot(path=ROOT / "docs/pictures/wall.jpg", type="jpeg", quality=78)
                context.close()
            review(system, browser, passphrases)
            request(system, browser)
            browser.close()
        system.end()
        thread.join(20)


def _all_live(system: System) -> bool:
    return all(keeper.state is TileState.LIVE for keeper in system.supervisor.keepers.values())


def review(system: System, browser: Browser, passphrases: Mapping[str, str | None]) -> None:
    """Record for a few seconds as by night, and take the review room's picture with two people in it."""
    contexts = {}
    for person in ("leitstelle-1", "kvd-1", "kvd-2"):
        contexts[person] = browser.new_context(viewport={"width": 1280, "height": 800})
        session = system.records.office.access.begin(person)
        contexts[person].add_cookies([{"name": "session", "value": session, "url": system.address}])
    desk = contexts["leitstelle-1"].request
    origin = {"Origin": system.address.rstrip("/")}
    night: dict[str, str | float | bool] = {"name": "night", "hours": "1", "reason": "Bild fürs Handbuch"}
    desk.post(f"{system.address}regime", form=night, headers=origin)
    time.sleep(3)
    desk.post(f"{system.address}cameras/freitreppe/record", form={"text": "Lärm auf der Freitreppe"}, headers=origin)
    end = time.monotonic() + 90
    while not (cases := system.records.office.cases.store.find(states=[CaseState.WAITING])) and time.monotonic() < end:
        time.sleep(0.5)
    pages = []
    for person in ("kvd-1", "kvd-2"):
        page = contexts[person].new_page()
        page.goto(f"{system.address}cases/{cases[0].id}")
        page.locator("form[action$='/enter'] button").click()
        page.locator("main a.primary").click()
        page.locator("#passphrase").fill(passphrases[person] or "")
        page.locator("main button.primary").click()
        pages.append(page)
    pages[1].locator("review-player button").first.click()
    pages[1].wait_for_timeout(9_000)
    pages[1].screenshot(path=TARGET / "sichtungsraum.jpg", type="jpeg", quality=75)


def request(system: System, browser: Browser) -> None:
    """Somebody asks for their data; the recording from before is restricted for them."""
    now, rights = time.time(), system.records.office.rights
    about = {"name": "Erika Mustermann", "contact": "Musterweg 1\n67655 Kaiserslautern", "language": "de", "by": "dsb"}
    text = "Ich war gegen Mittag auf der Freitreppe und möchte wissen, ob ich zu sehen bin."
    asked = Request(
        id=0,
        state=RequestState.OPEN,
        received=system.records.orders.today(),
        rights=(Right.ACCESS,),
        at=now,
        starts=now - 600,
        ends=now + 600,
        text=text,
        identity="Personalausweis vorgelegt",
        **about,
    )
    recorded = rights.record(asked)
    assert isinstance(recorded, Request)
    rights.restrict(recorded.id, [one.case for one in rights.candidates(recorded)], "dsb")
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": "session", "value": system.records.office.access.begin("aufsicht"), "url": system.address}])
    page = context.new_page()
    page.goto(f"{system.address}requests/{recorded.id}")
    page.screenshot(path=TARGET / "anfrage.jpg", type="jpeg", quality=75)
    context.close()


if __name__ == "__main__":
    main()
