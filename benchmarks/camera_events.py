"""From an event that a camera finds itself (ONVIF, PullPoint) to its alert on the wall of a real browser.

    python -m benchmarks.camera_events [--events N]

Two cameras (pictures by HTTP) with an ONVIF service of their own, account and all, before a whole control room with real, confined cells;
the wall is open in Chromium. An event goes out when the service has it, one a second; it is there when the wall has its number. Printed:
how many came, p50, p95 and most (p95 must be at most 500 ms).
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright
from tests.fakes.onvif_camera import OnvifPeer, notice
from tests.fakes.web_camera import WebCamera, moving, part
from tests.live.system import ARGUMENTS, CHROMIUM, RunningSystem, free_port, signed_in, until
from tests.videos import still

from blickschutz.config.loader import load_site
from blickschutz.wall.model import TileState

ROOT = Path(__file__).resolve().parent.parent
_MUST_MS, _PATIENCE_S, _PACE_S, _PICTURE_S = 500.0, 20.0, 1.1, 0.1
WATCH = """() => {
  window.came = {};
  const look = () => {
    for (const card of document.querySelectorAll("[data-alert]")) {
      for (const number of [card.dataset.alert, ...card.dataset.others.split(" ").filter(Boolean)]) window.came[number] ??= Date.now();
    }
  };
  look();
  new MutationObserver(look).observe(document.querySelector("[data-queue]"), { childList: true, subtree: true, attributes: true });
}"""
EVENTS = (
    ("RuleEngine/TamperDetector/Tamper", "IsTamper"),
    ("RuleEngine/LineDetector/Crossed", "State"),
    ("RuleEngine/LoiteringDetector/LoiteringDetected", "State"),
)


def watched(page: Page, peers: list[OnvifPeer], events: int) -> list[float]:
    """Milliseconds of each event."""
    page.evaluate(WATCH)
    took = []
    for number, peer in zip(range(events), itertools.cycle(peers), strict=False):
        known = set(page.evaluate("window.came"))
        topic, item = EVENTS[number % len(EVENTS)]
        at = 1000 * time.time()
        peer.tell(notice(topic, ((item, "true"),), (("Rule", f"Regel {number}"),)))
        new = until(
            lambda known=known: {name: when for name, when in page.evaluate("window.came").items() if name not in known}, _PATIENCE_S
        )
        took.append(min(new.values()) - at)
        time.sleep(max(0.0, _PACE_S - (time.time() - at / 1000)))
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=60)
    options = parser.parse_args()
    pictures = [still(320, 192, number) for number in range(20)]

    def reply(request: str) -> Iterator[bytes | float]:
        del request
        yield moving()
        for picture in itertools.cycle(pictures):
            yield part(picture)
            yield _PICTURE_S

    cameras = [WebCamera(reply) for _ in range(2)]
    peers = [OnvifPeer(user="blick", password="s/e", wait_s=5.0) for _ in cameras]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "wort").write_text("s/e\n", encoding="utf-8")
        (folder / "wort").chmod(0o600)
        text = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8")
        head = text[: text.index("[[cameras]]")].replace("port = 8710", f"port = {free_port()}").replace('= "record"', '= "notify"')
        parts = [
            f'[[cameras]]\nid = "kamera-{number}"\nname = "Kamera {number}"\nside = "forecourt"\nuser = "blick"\npassword_file = "wort"\n'
            f'address = "http://127.0.0.1:{camera.port}/video"\n'
            f'onvif = {{ address = "http://127.0.0.1:{peer.port}/onvif/device_service" }}\n'
            for number, (camera, peer) in enumerate(zip(cameras, peers, strict=True))
        ]
        path = folder / "anlage.toml"
        path.write_text("\n".join([head, *parts]), encoding="utf-8")
        running = RunningSystem(load_site(path), folder)
        try:
            keepers = running.system.supervisor.keepers
            until(lambda: all(one.state is TileState.LIVE for one in keepers.values()), 120)
            until(lambda: all("PullMessages" in peer.asked for peer in peers), 60)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
                page = signed_in(browser.new_context(viewport={"width": 1366, "height": 900}), running.system).new_page()
                page.goto(f"{running.system.address}wall")
                page.locator("[data-queue]").wait_for(state="attached")
                took = watched(page, peers, options.events)
                browser.close()
        finally:
            running.end()
            for one in (*cameras, *peers):
                one.end()
    p50, p95 = np.percentile(took, [50, 95])
    print(
        f"{len(took)} of {options.events} events, from the camera's service to the wall: p50 {p50:.0f} ms, p95 {p95:.0f} ms, most "
        f"{max(took):.0f} ms; p95 must be at most {_MUST_MS:g} ms; load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
