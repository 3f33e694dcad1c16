"""The wall left open in Chromium: growth of memory, tiles that are not live: `.venv/bin/python -m benchmarks.hour [MINUTES]`."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from playwright.sync_api import Page, sync_playwright

from blickschutz.bootstrap.demo import demo_site, seed
from blickschutz.bootstrap.system import System
from blickschutz.kernel.clock import SystemClock

PORT, LOOK_S, SETTLED_S = 8741, 5.0, 300.0
_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync")
MEGA = 1_000_000


def memory(browser: int) -> float:
    """Proportional memory (PSS) of the browser and all of its processes, in MB."""
    root = psutil.Process(browser)
    total = 0
    for process in [root, *root.children(recursive=True)]:
        try:
            total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total / MEGA


def browser_process(profile: str) -> int:
    """The process id of the Chromium that was started with that profile."""
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if f"--user-data-dir={profile}" in line and not any(part.startswith("--type=") for part in line):
            return int(process.pid)
    raise SystemExit("Chromium is not there")


def states(page: Page) -> list[str]:
    found: list[str] = page.evaluate("[...document.querySelectorAll('wall-tile')].map(tile => tile.getAttribute('state'))")
    return found


def watch(page: Page, browser: int, minutes: float) -> None:
    """Look at every tile each five seconds and at the memory each minute, and print what was seen."""
    heap = page.context.new_cdp_session(page)
    heap.send("HeapProfiler.enable")
    start = time.monotonic()
    sizes: list[tuple[float, float]] = []
    looks, wrong, minute = 0, 0, 0
    while time.monotonic() - start < minutes * 60:
        time.sleep(LOOK_S)
        seen = states(page)
        looks += len(seen)
        not_live = [state for state in seen if state != "live"]
        wrong += len(not_live)
        since = time.monotonic() - start
        if not_live or len(seen) != 11:
            print(f"{since:7.0f} s   of {len(seen)} tiles not live: {not_live}", flush=True)
        if since >= minute * 60:
            minute += 1
            heap.send("HeapProfiler.collectGarbage")
            script = page.evaluate("performance.memory.usedJSHeapSize") / MEGA
            sizes.append((since, memory(browser)))
            print(f"{since:7.0f} s   browser {sizes[-1][1]:7.1f} MB   script {script:5.1f} MB", flush=True)
    settled = [size for since, size in sizes if since >= SETTLED_S] or [size for _, size in sizes]
    part = max(1, min(10, len(settled) // 3))
    growth = statistics.median(settled[-part:]) - statistics.median(settled[:part])
    print(f"growth of memory {growth:+.1f} MB (medians of {part} minutes, after {SETTLED_S / 60:.0f} minutes)")
    print(f"tiles not live {wrong} of {looks} looks")


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as profile:
        system = System(demo_site(False, PORT), Path.cwd(), SystemClock(), data=Path(folder))
        seed(system.keeping)
        thread = threading.Thread(target=lambda: asyncio.run(system.serve()), daemon=True)
        thread.start()
        time.sleep(8)
        with sync_playwright() as play:
            context = play.chromium.launch_persistent_context(
                profile,
                executable_path="/usr/bin/chromium",
                args=list(_ARGUMENTS),
                viewport={"width": 1920, "height": 1080},
            )
            session = system.keeping.access.begin("leitstelle-1")
            context.add_cookies([{"name": "session", "value": session, "url": system.address}])
            page = context.new_page()
            page.goto(f"{system.address}wall")
            page.locator("wall-tile:not([state=live])").first.wait_for(state="detached", timeout=60_000)
            watch(page, browser_process(profile), minutes)
            context.close()
        system.end()
        thread.join(30)


if __name__ == "__main__":
    main()
