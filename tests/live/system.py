"""The whole system with real cells, and a real browser: what several tests run against."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, sync_playwright

from blickschutz.access.model import AccountState, FactorKind
from blickschutz.access.rules import needs_factor
from blickschutz.access.service.totp import code_at, new_secret
from blickschutz.bootstrap.system import Source, System
from blickschutz.config.loader import load_site
from blickschutz.config.model import SiteFile
from blickschutz.control.service.launching import Launch, launch_cell
from blickschutz.kernel.clock import SystemClock
from tests.conftest import ROOT
from tests.fakes.cells import no_process
from tests.videos import write_pictures

# The shell has the engine, and none of a window's parts that cost as much again.
BROWSERS = ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium")
CHROMIUM = next((path for path in BROWSERS if Path(path).exists()), BROWSERS[-1])
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# What the tests on live pictures name.
LIVE = ("vorplatz-nord", "brunnen", "haupteingang", "freitreppe")
WIDTH, HEIGHT = 320, 180
STRIPES = slice(60, 140), slice(140, 180)


AXE = ROOT / "node_modules/axe-core/axe.min.js"
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE_RULES_OF_COLOUR = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}


def guest_clip(path: Path, after: int = 40) -> None:
    """A still place; after so many pictures (four seconds) a guest in a finely striped shirt stands there and does not move."""
    random = np.random.default_rng(5)
    ground = np.clip(random.normal(120, 6, (HEIGHT // 4, WIDTH // 4)), 0, 255).repeat(4, 0).repeat(4, 1)
    guest = ground.copy()
    guest[STRIPES] = np.where(np.arange(40) % 4 < 2, 40, 220)
    pictures = []
    for index in range(400):
        luma = (guest if index >= after else ground) + random.normal(0, 0.7, ground.shape)
        chroma = np.full(WIDTH * HEIGHT // 2, 128, np.uint8)
        planes = np.concatenate([np.clip(luma, 16, 235).astype(np.uint8).ravel(), chroma])
        pictures.append(planes.reshape(HEIGHT * 3 // 2, WIDTH))
    write_pictures(path, pictures)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(holds, within_s=45.0):
    """Wait until `holds` is true and return what it gave."""
    end = time.monotonic() + within_s
    while not (value := holds()):
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)
    return value


def admit(system, person="leitstelle-1") -> str:
    """A session of somebody who is ready to work, without the way through the sign-in page."""
    access = system.records.office.access
    member = access.members[person]
    if member.state is not AccountState.ACTIVE:
        access.accounts.activate(person)
    if needs_factor(member) and not access.factors.count(person):
        access.factors.add(person, FactorKind.TOTP, "test", new_secret(), 0)
    return access.begin(person)


def client(system, person="leitstelle-1") -> httpx.Client:
    """Requests of somebody who is signed in; nothing is followed."""
    return httpx.Client(cookies={"session": admit(system, person)}, timeout=60)


def take_over(requests: httpx.Client, person: str, code: str, password: str) -> bytes:
    """The first sign-in as people do it: one-time code, own password, and an authenticator, whose secret is returned."""
    answer = requests.post("/welcome", data={"person": person, "code": code, "new": password, "again": password})
    assert answer.status_code == 200, answer.text[-2000:]
    secret = re.search(r'class="hash secret">([A-Z2-7 ]+)<', requests.get("/account").text)
    assert secret is not None
    shared = base64.b32decode(secret[1].replace(" ", ""))
    code = code_at(shared, int(time.time() // 30))
    answer = requests.post("/account/totp", data={"name": "Test", "code": code, "password": password})
    assert "ist eingerichtet" in answer.text, answer.text[-3000:]
    return shared


def signed_in(context, system, person="leitstelle-1"):
    """Put somebody's session into a browser's context."""
    context.add_cookies([{"name": "session", "value": admit(system, person), "url": system.address}])
    return context


class RunningSystem:
    """The whole system in a thread of its own."""

    def __init__(self, site, base: Path, source: Source | None = None, launch: Launch = launch_cell) -> None:
        self.system = System(site, base, SystemClock(), launch, data=base / "state", source=source)
        # A daemon: where a test fails while this starts, the run still ends.
        self._thread = threading.Thread(target=lambda: asyncio.run(self.system.serve()), daemon=True)
        self._thread.start()
        authority = self.system.tls.authority
        trust = ssl.create_default_context(cadata=authority.pem.decode()) if authority is not None else True
        end = time.monotonic() + 30
        while True:
            try:
                httpx.get(f"{self.system.address}health", timeout=2, verify=trust)
                return
            except httpx.TransportError:
                assert time.monotonic() < end, "the pages did not come up"
                time.sleep(0.1)

    def end(self) -> None:
        self.system.end()
        self._thread.join(20)
        assert not self._thread.is_alive()


def one_camera(folder: Path, address: str, port: int) -> Path:
    """A site file of a demonstration with one camera; the data lie beside it."""
    text = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8")
    head = text[: text.index("[[cameras]]")].replace("port = 8710", f"port = {port}")
    head = head.replace("[site]\n", '[site]\ndemo = true\nid = "rathaus"\ndata = "daten"\n')
    head = head.replace("[recording]\n", "[recording]\nreserve_mb = 50\n")
    camera = f'[[cameras]]\nid = "vorplatz-nord"\nname = "Vorplatz Nord"\nside = "forecourt"\naddress = "{address}"\n'
    path = folder / "site.toml"
    path.write_text(head + camera, encoding="utf-8")
    return path


def guest_site(base: Path, cameras: int | Collection[str] | None = None, rate: float = 1.0, **server: object) -> SiteFile:
    """The example at a free port, with its first cameras (or these; all without a number) on the guest's clip, which is made in `base`.

    `rate`: pictures a second that are looked at; what is not about people in them needs few. Each camera costs .06 of a core, and as much
    again where a browser plays it: who has few of them leaves the time to other tests.
    """
    guest_clip(base / "guest.mp4")
    site = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
    plain = {"address": "file:guest.mp4", "calibration": None, "zones": (), "privacy_zones": ()}
    chosen = cameras if isinstance(cameras, Collection) else [one.id for one in site.cameras[:cameras]]
    shown = tuple(camera.model_copy(update=plain) for camera in site.cameras if camera.id in chosen)
    own = site.server.model_copy(update={"port": free_port(), **server})
    return site.model_copy(update={"cameras": shown, "server": own, "analysis": site.analysis.model_copy(update={"rate": rate})})


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """Four cameras of the example, live. One for all modules that come to one process: they leave it as they found it."""
    base = tmp_path_factory.mktemp("site")
    site = guest_site(base, LIVE, rate=5.0)
    alerts = site.alerts.model_copy(update={"before_s": 4, "after_s": 3})
    system = RunningSystem(site.model_copy(update={"alerts": alerts}), base)
    yield system.system
    system.end()


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """The example with all of its cameras, whose cells never come: for what is said and shown whatever they see."""
    base = tmp_path_factory.mktemp("bare")
    system = RunningSystem(guest_site(base), base, launch=no_process)
    yield system.system
    system.end()


@pytest.fixture(scope="module")
def http(running):
    """Requests of the control room's duty."""
    with client(running) as requests:
        yield requests


@pytest.fixture(scope="module")
def bare_http(bare):
    """The same where no cell comes."""
    with client(bare) as requests:
        yield requests


@pytest.fixture(scope="module")
def browser():
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, running):
    with looked_after(browser, running) as page:
        yield page


@pytest.fixture
def bare_page(browser, bare):
    with looked_after(browser, bare) as page:
        yield page


@contextlib.contextmanager
def looked_after(browser, system: System) -> Iterator[Page]:
    """A page of the control room's duty that must report nothing and ask nobody else."""
    context = signed_in(browser.new_context(viewport={"width": 1920, "height": 1080}), system)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: problems.append(request.url) if not local(request.url, system.address) else None)
    yield page
    context.close()
    assert problems == []


def local(url: str, address: str) -> bool:
    return url.startswith((address, address.replace("http", "ws"), f"blob:{address}", "data:"))


PLAYING = """() => [...document.querySelectorAll("wall-tile")].filter(tile => {
  const video = tile.querySelector("video");
  return tile.getAttribute("state") === "live" && video && video.currentTime > 0 && !video.paused;
}).length"""


def reach(page: Page, selector: str, most: int = 120) -> None:
    """Press Tab until what `selector` names has the focus, as somebody without a mouse does."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector} on {page.url}")


def axe_findings(page: Page, *, colours: bool = False) -> list[object]:
    """What axe finds on the page as it is, with everything unfolded, and what does not fit at 100 % and 200 % zoom.

    `colours`: ask what depends on them alone, for a page that was asked wholly in another theme.
    """
    found: list[object] = []
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")
    asked = AXE_RULES_OF_COLOUR if colours else AXE_RULES
    result = page.evaluate("(asked) => axe.run(document, { runOnly: asked })", asked)
    for violation in result["violations"]:
        found.append((page.url, violation["id"], [node["html"][:120] for node in violation["nodes"]][:3]))
    if colours:
        return found
    size = page.viewport_size
    # Zoom halves the window in the page's own pixels (WCAG 2.2, 1.4.4).
    for share in (1, 2):
        page.set_viewport_size({"width": size["width"] // share, "height": size["height"] // share})
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            found.append((page.url, f"wider than the window at {share * 100} %", wide))
    page.set_viewport_size(size)
    return found


def wait_live(page: Page, count: int = len(LIVE), within_s: float = 60.0) -> None:
    """Wait until so many tiles are live and really play. Polled from here: the pages allow no evaluated script."""
    end = time.monotonic() + within_s
    while page.evaluate(PLAYING) != count:
        assert time.monotonic() < end, page.evaluate("[...document.querySelectorAll('wall-tile')].map(t => t.outerHTML.slice(0, 80))")
        page.wait_for_timeout(200)
