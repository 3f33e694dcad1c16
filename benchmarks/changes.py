"""A change of one camera's zone on a running site: how long until it counts, and what it costs the other cameras.

    python -m benchmarks.changes [--changes N] [--cameras N] [--video FILE]

A whole control room with real cells on a film full of people, an N-th of a second apart. The zone of the first camera lies where nobody
walks, and is moved to where everybody does: by the page (one person proposes, another confirms) and by hand (`blickschutz apply`). It
counts when the first situation is told that only the moved zone can have. Printed for both ways: seconds from the confirmation, or from
the start of the command, to that situation and to the answer, median and most (must be at most 3 s); and of all other cameras the
pictures that were dropped, lost or restarted over the whole run (must be 0).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import av
from tests.live.system import client, free_port, until

from blickschutz.bootstrap.system import Source, System
from blickschutz.cli.place import held, place_of
from blickschutz.config.loader import load_site
from blickschutz.control.model import SituationSeen
from blickschutz.control.service.launching import LAUNCHER
from blickschutz.kernel.clock import SystemClock
from blickschutz.wall.model import TileState

ROOT = Path(__file__).resolve().parent.parent
VIDEO = ROOT.parent / "shared/data/pets09-s2l1/video.avi"
# Sky, and the place where people walk.
NOBODY = [[0.0, 0.0], [0.1, 0.0], [0.1, 0.05], [0.0, 0.05]]
EVERYBODY = [[0.02, 0.1], [0.98, 0.1], [0.98, 0.98], [0.02, 0.98]]
FIRST = "kamera-0"
KEY = f"cameras.{FIRST}.zones.flaeche.polygon"
_MUST_S, _OVER_S, _PATIENCE_S = 3.0, 6.0, 120.0


def site_file(folder: Path, video: Path, cameras: int) -> Path:
    text = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8")
    head = text[: text.index("[[cameras]]")].replace("port = 8710", f"port = {free_port()}")
    head = head.replace("[site]\n", '[site]\ndemo = true\nid = "rathaus"\ndata = "daten"\n').replace("keep_hours = 72\n", BUDGET)
    parts = [
        f'[[cameras]]\nid = "kamera-{number}"\nname = "Kamera {number}"\nside = "forecourt"\naddress = "file:{video}"\n'
        f"start_s = {number / cameras}\n\n"
        f'[[cameras.zones]]\nid = "flaeche"\nname = "Fläche"\npolygon = {json.dumps(NOBODY)}\n'
        for number in range(cameras)
    ]
    path = folder / "anlage.toml"
    path.write_text("\n".join([head, *parts]), encoding="utf-8")
    return path


# At once by the threshold of the start: nothing is only counted.
BUDGET = "keep_hours = 72\n\n[alerts.budget]\nshadow_days = 0\nfalse_alarms = 1000000\n"


class Site:
    """It runs, and everything that its first camera tells is written down with its moment."""

    def __init__(self, path: Path, data: Path) -> None:
        self.path = path
        source = Source(path.read_text(encoding="utf-8"), str(path))
        self.system = System(load_site(path), path.parent, SystemClock(), data=data, source=source)
        self.keepers = self.system.supervisor.keepers
        self.began: list[float] = []
        self.begun = threading.Event()
        self.keepers[FIRST].situations.listen(self._seen)

    def _seen(self, told: SituationSeen) -> None:
        if told.situation.zone == "flaeche" and not told.over:
            self.began.append(time.monotonic())
            self.begun.set()

    def since(self, at: float) -> float:
        """Seconds from `at` to the first situation of the zone."""
        assert self.begun.wait(_PATIENCE_S), "nothing was seen in the moved zone"
        return self.began[0] - at

    def quiet(self) -> None:
        """The zone is where nobody is, and what went on in it is over."""
        time.sleep(_OVER_S)
        self.began.clear()
        self.begun.clear()

    def by_page(self, polygon: list[list[float]]) -> tuple[float, float]:
        """When the second person pressed, and seconds until the page answered."""
        with client(self.system, "technik") as proposes, client(self.system, "aufsicht") as confirms:
            made = proposes.post(f"{self.system.address}settings/changes", data={"key": KEY, "value": json.dumps(polygon)})
            assert made.status_code == 303, made.text[-500:]
            at = time.monotonic()
            done = confirms.post(f"{self.system.address.rstrip('/')}{made.headers['location']}/confirm")
            assert done.status_code == 303, done.text[-500:]
            return at, time.monotonic() - at

    def by_hand(self, polygon: list[list[float]]) -> tuple[float, float]:
        """The same for the command that somebody calls who saved the file."""
        text = self.path.read_text(encoding="utf-8")
        # The first of the file is that of the first camera.
        self.path.write_text(re.sub(r"polygon = .*", f"polygon = {json.dumps(polygon)}", text, count=1), encoding="utf-8")
        at = time.monotonic()
        command = [sys.executable, "-m", "blickschutz.cli.main", "apply", "--site", str(self.path)]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stdout + told.stderr
        return at, time.monotonic() - at


def measured(site: Site, changes: int) -> None:
    others = [site.keepers[name] for name in site.keepers if name != FIRST]
    until(lambda: all(one.state is TileState.LIVE and one.health.analysed > 20 for one in site.keepers.values()), _PATIENCE_S)
    site.quiet()
    before = {one.camera: (one.health, one.process.pid, one.restarts, time.monotonic()) for one in others}
    pid = site.keepers[FIRST].process.pid
    for way, change in (("page", site.by_page), ("apply", site.by_hand)):
        force, answered = [], []
        for _ in range(changes):
            at, took = change(EVERYBODY)
            force.append(site.since(at))
            answered.append(took)
            change(NOBODY)
            site.quiet()
        print(
            f"{way}: {changes} changes, in force after {statistics.median(force):.2f} s (most {max(force):.2f}), answered after "
            f"{statistics.median(answered):.2f} s (most {max(answered):.2f}); must be at most {_MUST_S:g}"
        )
    with av.open(str(VIDEO)) as film:
        rate = float(film.streams.video[0].average_rate)
    for one in others:
        health, number, restarts, at = before[one.camera]
        now, passed = one.health, time.monotonic() - at
        print(
            f"{one.camera}: {now.frames - health.frames} pictures in {passed:.1f} s ({(now.frames - health.frames) / passed:.2f} a second "
            f"of {rate:.2f}), dropped {now.dropped - health.dropped}, connections lost {now.reconnects - health.reconnects}, "
            f"restarts {one.restarts - restarts}, same process {one.process.pid == number}"
        )
    print(f"the changed camera: same process {site.keepers[FIRST].process.pid == pid}, load {os.getloadavg()[0]:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=8)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--video", type=Path, default=VIDEO)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = site_file(Path(folder), options.video.resolve(), options.cameras)
        with held(place_of(load_site(path), path), new=True) as data:
            site = Site(path, data.path)
            # In the main thread: `apply` sends a signal.
            looking = threading.Thread(target=_measured, args=(site, options.changes))
            looking.start()
            asyncio.run(site.system.serve())
            looking.join()
            LAUNCHER.end()


def _measured(site: Site, changes: int) -> None:
    try:
        measured(site, changes)
    finally:
        site.system.end()


if __name__ == "__main__":
    main()
