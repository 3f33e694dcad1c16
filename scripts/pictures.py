"""Take the pictures of the documentation from the running demo: `.venv/bin/python -m scripts.pictures`."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PORT = 8719
ADDRESS = f"http://127.0.0.1:{PORT}/"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def main() -> None:
    demo = subprocess.Popen([Path(sys.executable).with_name("blickschutz"), "demo", "--port", str(PORT), "--seconds", "120"])
    try:
        wait_for_pages()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
            page = browser.new_page(viewport={"width": 1920, "height": 1080})
            page.goto(ADDRESS)
            page.wait_for_timeout(60_000)
            page.screenshot(path=ROOT / "docs/pictures/wall.jpg", type="jpeg", quality=78)
            browser.close()
    finally:
        demo.terminate()
        demo.wait(20)


def wait_for_pages() -> None:
    end = time.monotonic() + 40
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(ADDRESS, timeout=2).close()
            return
        except OSError:
            time.sleep(0.3)
    sys.exit("the demo did not start")


if __name__ == "__main__":
    main()
