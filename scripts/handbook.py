"""Take the pictures of README and handbook from a running demonstration: `.venv/bin/python -m scripts.handbook`."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from blickschutz.bootstrap.demo import EXAMPLE, demo_site, seed
from blickschutz.bootstrap.system import Source, System
from blickschutz.kernel.clock import SystemClock
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
        seed(system.keeping)
        system.keeping.access.people.recover("technik", "kvd-2")
        thread = threading.Thread(target=lambda: asyncio.run(system.serve()), daemon=True)
        thread.start()
        end = time.monotonic() + 60
        while any(keeper.state is not TileState.LIVE for keeper in system.supervisor.keepers.values()) and time.monotonic() < end:
            time.sleep(0.5)
        time.sleep(20)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
            for name, person, path in PICTURES:
                context = browser.new_context(viewport={"width": 1280, "height": 800})
                if person:
                    session = system.keeping.access.begin(person)
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
            browser.close()
        system.end()
        thread.join(20)


if __name__ == "__main__":
    main()
