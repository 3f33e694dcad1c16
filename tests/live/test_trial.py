"""An address is tried in a browser, step by step and with one redacted picture, then taken over and proposed; and cameras are found."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path
from urllib.parse import quote

import numpy as np
import psutil
import pytest

from blickschutz.audit.model import Event
from blickschutz.bootstrap.system import Source
from blickschutz.config.loader import load_site
from blickschutz.control.service.launching import LAUNCHER
from blickschutz.control.service.trials import MOST_S
from blickschutz.ingest.io.discovery import GROUP
from blickschutz.wall.model import TileState
from blickschutz.zones.hardening import lacking
from blickschutz.zones.model import Wall
from tests.fakes.onvif_camera import OnvifPeer
from tests.live.system import HEIGHT, STRIPES, WIDTH, RunningSystem, browser, guest_clip, signed_in, until
from tests.live.test_settings import path
from tests.live.test_setup import confirmed
from tests.peers.rtsp import rtsp_server

__all__ = ["browser", "path"]
# Of this process alone: the ports are of those that are tried.
HOST = f"127.0.{1 + (os.getpid() >> 8) % 250}.{1 + os.getpid() % 250}"
PASSWORD = "s/e#c?r@t"
pytestmark = [pytest.mark.peers, pytest.mark.timeout(400)]
DRAWN = """() => {
  const still = document.querySelector("[data-still]:not([hidden])");
  const { data } = still.getContext("2d").getImageData(0, 0, still.width, still.height);
  return [...data].filter((_, index) => index % 4 === 1);
}"""


@pytest.fixture
def place(path):
    path.write_text(
        path.read_text(encoding="utf-8").replace("[site]\n", '[site]\ncamera_networks = ["127.0.0.0/16"]\n', 1), encoding="utf-8"
    )
    running = RunningSystem(load_site(path), path.parent, Source(path.read_text(encoding="utf-8"), str(path)))
    # A busy machine loads what looks at pictures in more than the time of a trial.
    running.system.control.trials.most_s = 300.0
    yield running.system
    running.end()


@pytest.fixture
def page(place, browser):
    context = signed_in(browser.new_context(viewport={"width": 1366, "height": 900}), place, "technik")
    page = context.new_page()
    page.set_default_timeout(120_000)
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert problems == []


def steps(page):
    return dict(page.evaluate("[...document.querySelectorAll('[data-step]')].map((one) => [one.dataset.step, one.dataset.state])"))


def confined(pid):
    """No new rights, and the filter of calls, as the kernel says of each thread of a process."""
    told = [(task / "status").read_text().splitlines() for task in Path(f"/proc/{pid}/task").iterdir()]
    return {(state["NoNewPrivs"], state["Seccomp"]) for state in (dict(line.split(":\t", 1) for line in lines) for lines in told)}


def running():
    """Processes of trials that the launchers have forked."""
    return [one for pid in LAUNCHER.pids for one in psutil.Process(pid).children() if one.name() == "trial"]


def words(page, step):
    return page.locator(f"[data-step='{step}'] [data-of=text]").inner_text()


@pytest.mark.later
def test_an_address_is_tried_seen_redacted_taken_over_and_proposed(page, place, path):
    # The guest comes when the place is known, and is no longer there than what lies there takes to become a part of it.
    guest_clip(path.with_name("guest.h264"), 90)
    clip = ("--file", str(path.with_name("guest.h264")), "--rate", "10")
    with rtsp_server("h264", "--host", HOST, "--port", "8554", "--account", f"viewer:{PASSWORD}", *clip) as server:
        address = f"rtsp://{HOST}:{server.port}/stream"
        page.goto(f"{place.address}settings/cameras")
        page.get_by_label("Adresse des Stroms oder IP-Adresse der Kamera").fill(address)
        page.locator("#trial_user").fill("viewer")
        page.get_by_label("Kennwort an der Kamera, nur für diese Probe").fill("falsch")
        page.get_by_role("button", name="Ausprobieren", exact=True).click()
        page.get_by_text("Die Probe ist zu Ende.").wait_for()
        assert (steps(page)["reach"], steps(page)["sign-in"], steps(page)["stream"]) == ("done", "failed", "open")
        assert "nimmt Benutzer oder Kennwort nicht an" in words(page, "sign-in")

        page.get_by_label("Kennwort an der Kamera, nur für diese Probe").fill(PASSWORD)
        page.get_by_role("button", name="Ausprobieren", exact=True).click()
        page.locator("[data-step=stream][data-state=done]").wait_for()
        page.get_by_text("Die Probe ist zu Ende.").wait_for()
        found = steps(page)
        assert found.pop("clock") == "unknown", "nobody tells the time there"
        assert found == dict.fromkeys(["reach", "sign-in", "stream", "keyframes", "rate", "load", "picture"], "done")
        assert words(page, "stream") == f"H.264, {WIDTH} × {HEIGHT} px"
        assert "Prozessorkerne" in words(page, "load")
        shown = np.array(page.evaluate(DRAWN), float).reshape(-1, WIDTH)
        assert shown.shape == (HEIGHT, WIDTH)
        assert shown.std() > 2, "a picture, and no empty one"
        # The guest's shirt has 180 steps of contrast in stripes of two pixels; in the mosaic nothing finer than a cell is left.
        shirt = shown[STRIPES]
        assert float(np.abs(shirt[:, 2:] - shirt[:, :-2]).mean()) < 25
    page.get_by_role("button", name="In das Formular übernehmen").click()
    assert (page.locator("#address").input_value(), page.locator("#user").input_value()) == (address, "viewer")
    page.get_by_label("Name auf der Wand").fill("Am Tor")
    page.get_by_role("button", name="Vorschlagen").click()
    page.wait_for_url("**/settings/changes/*")
    (proposal,) = place.control.desk.proposals()
    assert dict(proposal.differences[0].after)["address"] == address
    log = place.records.office.log
    tried = [entry for entry, _ in log.find(event=Event.CAMERA_TRIED)]
    assert [(entry.by, entry.facts) for entry in tried] == [("technik", {"address": f"rtsp://{HOST}:8554"})] * 2
    assert len(log.find(event=Event.SETUP_LOOKED)) == 1
    written = [one.read_bytes() for one in path.parent.rglob("*") if one.is_file()]
    assert [form for form in (PASSWORD, quote(PASSWORD, safe="")) if any(form.encode() in one for one in written)] == []


def test_whoever_cancels_ends_the_process_and_what_is_outside_is_refused_in_words(page, place):
    trials = place.control.trials
    with rtsp_server("h264", "--host", HOST, "--port", "8554") as server:
        page.goto(f"{place.address}settings/cameras")
        page.locator("[data-trial-address]").fill(f"rtsp://{HOST}:{server.port}/stream")
        page.get_by_role("button", name="Ausprobieren", exact=True).click()
        page.locator("[data-step=reach][data-state=done]").wait_for()
        (process,) = running()
        assert confined(process.pid) == {("1", "0" if Wall.CALLS in lacking() else "2")}
        page.get_by_role("button", name="Abbrechen").click()
        until(lambda: not trials._turns.people and not running())
        assert "Abgebrochen." in page.locator("[data-trial-said]").inner_text()
        page.get_by_role("button", name="Ausprobieren", exact=True).click()
        page.locator("[data-step=reach][data-state=done]").wait_for()
        place.records.stops.stop("all", "leitstelle-1", "Probe")
        page.locator("[data-trial-problem]", has_text="ist angehalten").wait_for()
        until(lambda: not trials._turns.people and not running())
        place.records.stops.resume("all", "leitstelle-1", "Probe")
    for address, said in (
        ("rtsp://10.0.0.1/x", "liegt nicht in einem Netz"),
        (f"rtsp://{HOST}:8710/x", "Dieser Port wird nicht ausprobiert"),
    ):
        page.locator("[data-trial-address]").fill(address)
        page.get_by_role("button", name="Ausprobieren", exact=True).click()
        page.locator("[data-trial-problem]", has_text=said).wait_for()
        until(lambda: not trials._turns.people)


class Answering:
    """A camera that answers a search (WS-Discovery) from its own address."""

    def __init__(self, host, says):
        self._asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._asked.bind(GROUP)
        group = socket.inet_aton(GROUP[0]) + socket.inet_aton("127.0.0.1")
        self._asked.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        self._asked.settimeout(0.2)
        self._own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._own.bind((host, 0))
        self._says, self._over = says, threading.Event()
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def _answer(self):
        while not self._over.is_set():
            try:
                _, place = self._asked.recvfrom(65535)
            except TimeoutError:
                continue
            self._own.sendto(self._says, place)

    def end(self):
        self._over.set()
        self._thread.join(5)
        self._asked.close()
        self._own.close()


def test_a_camera_is_found_asked_for_its_stream_and_tried(page, place):
    place.control.trials.look_s = 3.0
    service = OnvifPeer(user="viewer", password=PASSWORD, ahead_s=60.0, place=(HOST, 8080), stream="rtsp://10.9.8.7:8554/stream?number=")
    match = (
        "<d:ProbeMatches xmlns:d='urn:d'><d:ProbeMatch><d:Scopes>onvif://www.onvif.org/name/&lt;b&gt;Hof</d:Scopes>"
        f"<d:XAddrs>http://{HOST}:8080/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches>"
    )
    answering = Answering(HOST, match.encode())
    try:
        with rtsp_server("h264", "--host", HOST, "--port", "8554", "--account", f"viewer:{PASSWORD}"):
            page.goto(f"{place.address}settings/cameras")
            page.get_by_role("button", name="Kameras im Netz suchen").click()
            page.get_by_text("Kameras, die geantwortet haben:").wait_for()
            # Others of this machine may answer, too; what one calls itself is text.
            row = page.locator("[data-found] li", has_text=f"<b>Hof ({HOST})")
            row.get_by_role("button").click()
            assert page.locator("[data-trial-address]").input_value() == f"http://{HOST}:8080/onvif/device_service"
            page.locator("[data-trial-user]").fill("viewer")
            page.locator("[data-trial-password]").fill(PASSWORD)
            page.get_by_role("button", name="Ausprobieren", exact=True).click()
            page.get_by_text("Die Probe ist zu Ende.").wait_for()
    finally:
        answering.end()
        service.end()
    found = steps(page)
    assert "vor; bitte an der Kamera stellen" in words(page, "clock")
    assert found.pop("picture") in {"done", "unknown"}, "three seconds are few to learn a place"
    assert found == dict.fromkeys(["reach", "sign-in", "stream", "keyframes", "rate", "load", "clock"], "done")
    page.get_by_role("button", name="In das Formular übernehmen").click()
    assert page.locator("#address").input_value() == f"rtsp://{HOST}:8554/stream?number=1"
    assert len(place.records.office.log.find(event=Event.CAMERAS_SOUGHT)) == 1


TYPED = """() => {
  addEventListener("input", ({ target }) => {
    if (!target.matches("input:not([type=checkbox]):not([type=radio]), textarea") || !target.value) return;
    const known = new Set(JSON.parse(localStorage.getItem("typed") ?? "[]"));
    localStorage.setItem("typed", JSON.stringify([...known.add(`${location.pathname} ${target.id}`)]));
  }, true);
}"""


@pytest.mark.long
def test_from_the_search_to_a_live_tile_with_zone_and_calibration(page, place, path):
    place.control.trials.most_s = MOST_S
    page.add_init_script(f"({TYPED})()")
    path.with_name("wort").write_text(PASSWORD, encoding="utf-8")
    path.with_name("wort").chmod(0o600)
    until(lambda: all(one.state is TileState.LIVE for one in place.supervisor.keepers.values()), 120)
    service = OnvifPeer(user="viewer", password=PASSWORD, place=(HOST, 8080), stream="rtsp://10.9.8.7:8554/stream?number=")
    match = (
        "<d:ProbeMatches xmlns:d='urn:d'><d:ProbeMatch><d:Scopes>onvif://www.onvif.org/name/Hof</d:Scopes>"
        f"<d:XAddrs>http://{HOST}:8080/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches>"
    )
    answering, steps_s = Answering(HOST, match.encode()), {}
    try:
        with rtsp_server("h264", "--host", HOST, "--port", "8554", "--account", f"viewer:{PASSWORD}"):
            page.goto(f"{place.address}settings/cameras")
            began = time.monotonic()
            page.get_by_role("button", name="Kameras im Netz suchen").click()
            page.locator("[data-found] li", has_text=HOST).get_by_role("button").click()
            steps_s["found"] = time.monotonic() - began
            page.locator("[data-trial-user]").fill("viewer")
            page.locator("[data-trial-password]").fill(PASSWORD)
            page.get_by_role("button", name="Ausprobieren", exact=True).click()
            page.get_by_text("Die Probe ist zu Ende.").wait_for()
            steps_s["tried"] = time.monotonic() - began
            page.get_by_role("button", name="In das Formular übernehmen").click()
            page.get_by_label("Name auf der Wand").fill("Hof")
            page.locator("#password_file").fill("wort")
            page.get_by_role("button", name="Vorschlagen").click()
            confirmed(page, place)
            keeper = until(lambda: place.supervisor.keepers.get("hof"))
            until(lambda: keeper.state is TileState.LIVE, 120)
            steps_s["live"] = time.monotonic() - began
            page.goto(f"{place.address}cameras/hof/setup")
            until(lambda: page.evaluate("document.querySelector('[data-picture]')?.naturalWidth > 0"), 120)
            page.locator("[data-add=zones]").click()
            page.get_by_label("zwei Punkte und ihr Abstand").check()
            page.get_by_label("Länge oder Körpergröße").fill("4,0")
            page.locator("[data-measured]", has_text="px/m").wait_for()
            page.get_by_role("button", name="Vorschlagen").click()
            confirmed(page, place)
            camera = next(one for one in place.site.cameras if one.id == "hof")
            assert (len(camera.zones), camera.calibration.scale.metres, camera.address) == (2, 4.0, f"rtsp://{HOST}:8554/stream?number=1")
            until(lambda: keeper.state is TileState.LIVE and keeper.health is not None and keeper.health.doubt is None, 120)
            steps_s["set up"] = time.monotonic() - began
            typed = page.evaluate("JSON.parse(localStorage.getItem('typed'))")
    finally:
        answering.end()
        service.end()
    print({name: round(seconds) for name, seconds in steps_s.items()}, "seconds, typed:", typed)
    assert len(typed) <= 6
