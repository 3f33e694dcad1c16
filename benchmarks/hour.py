"""The wall left open in Chromium: growth of memory, tiles that are not live: `.venv/bin/python -m benchmarks.hour [MINUTES]`.

Chromium is asked through its debugging port, and for nothing but what is needed: a driver that listens to the network
makes the browser keep the bodies of what it loads, and that would be measured too.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
from websockets.sync.client import ClientConnection, connect

from blickschutz.bootstrap.system import System
from blickschutz.demo.site import demo_site, seed
from blickschutz.kernel.clock import SystemClock

PORT, DEBUGGING, LOOK_S, SETTLED_S = 8741, 8742, 5.0, 300.0
CAMERAS = 11
MEGA = 1_000_000
_STATES = "JSON.stringify([...document.querySelectorAll('wall-tile')].map(tile => tile.getAttribute('state')))"
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1920,1080",
    "--autoplay-policy=no-user-gesture-required",
    f"--remote-debugging-port={DEBUGGING}",
)


class Tab:
    """One page of the browser, by its debugging socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._number = socket, 0

    def do(self, method: str, **values: Any) -> dict[str, Any]:
        """Send one command and wait for its answer."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": values}))
        while True:
            answer = json.loads(self._socket.recv(timeout=30))
            if answer.get("id") == self._number:
                result: dict[str, Any] = answer["result"]
                return result

    def value(self, expression: str) -> Any:
        """What a script's expression is in the page."""
        return self.do("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")


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


def watch(tab: Tab, browser: int, minutes: float) -> None:
    """Look at every tile each five seconds and at the memory each minute, and print what was seen."""
    start = time.monotonic()
    sizes: list[tuple[float, float]] = []
    looks, wrong, minute = 0, 0, 0
    while time.monotonic() - start < minutes * 60:
        time.sleep(LOOK_S)
        seen = json.loads(tab.value(_STATES))
        looks += len(seen)
        not_live = [state for state in seen if state != "live"]
        wrong += len(not_live)
        since = time.monotonic() - start
        if not_live or len(seen) != CAMERAS:
            print(f"{since:7.0f} s   of {len(seen)} tiles not live: {not_live}", flush=True)
        if since >= minute * 60:
            minute += 1
            tab.do("HeapProfiler.collectGarbage")
            sizes.append((since, memory(browser)))
            print(f"{since:7.0f} s   browser {sizes[-1][1]:7.1f} MB", flush=True)
    settled = [size for since, size in sizes if since >= SETTLED_S] or [size for _, size in sizes]
    part = max(1, min(10, len(settled) // 3))
    growth = statistics.median(settled[-part:]) - statistics.median(settled[:part])
    print(f"growth of memory {growth:+.1f} MB (medians of {part} minutes, after {SETTLED_S / 60:.0f} minutes)")
    print(f"tiles not live {wrong} of {looks} looks")


def page_address() -> str:
    """The debugging socket of the browser's only page."""
    end = time.monotonic() + 30
    while True:
        try:
            pages = [page for page in httpx.get(f"http://127.0.0.1:{DEBUGGING}/json", timeout=5).json() if page["type"] == "page"]
            return str(pages[0]["webSocketDebuggerUrl"])
        except httpx.TransportError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def open_wall(tab: Tab, address: str, session: str) -> None:
    """Sign in, go to the wall and wait until every tile is live."""
    tab.do("Network.setCookie", name="session", value=session, url=address)
    tab.do("Page.navigate", url=f"{address}wall")
    end = time.monotonic() + 60
    while json.loads(tab.value(_STATES) or "[]") != ["live"] * CAMERAS and time.monotonic() < end:
        time.sleep(0.5)


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as profile:
        system = System(demo_site(False, PORT), Path.cwd(), SystemClock(), data=Path(folder))
        seed(system.records)
        thread = threading.Thread(target=lambda: asyncio.run(system.serve()), daemon=True)
        thread.start()
        time.sleep(8)
        line = ["/usr/bin/chromium", *_ARGUMENTS, f"--user-data-dir={profile}", "about:blank"]
        with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
            try:
                with connect(page_address(), max_size=None) as socket:
                    tab = Tab(socket)
                    open_wall(tab, system.address, system.records.office.access.begin("leitstelle-1"))
                    watch(tab, browser.pid, minutes)
            finally:
                browser.terminate()
        system.end()
        thread.join(30)


if __name__ == "__main__":
    main()
