"""Run in a network namespace of its own: a whole small site, used for a while; prints what tried to leave, as JSON.

`python -m tests.live.closed FOLDER [--leak]`. With `--leak` one connection is tried on purpose, so that the counting is proven.
"""

from __future__ import annotations

import faulthandler
import json
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from blickschutz.bootstrap.zones import control_profile
from blickschutz.compliance.io.machine import unroutable
from blickschutz.compliance.policy.security import air_gap
from blickschutz.control.model import SituationSeen
from blickschutz.control.service.grounds import gather
from blickschutz.control.service.launching import start_launcher
from blickschutz.demo.site import seed
from blickschutz.kernel.clock import SystemClock
from blickschutz.review.model import CaseState
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.zones.hardening import confine, harden
from blickschutz.zones.model import Wall
from tests.documents import pdf
from tests.live.system import RunningSystem, client, guest_site, until


def use(folder: Path) -> list[str]:
    """Wall, alert, recording, pages, documents' grounds: what a site does in a night. What was done, in words."""
    site = guest_site(folder, 2)
    # By night the situation below orders a recording of its own, and does not end.
    recording = site.recording.model_copy(update={"reserve_mb": 50, "manual_s": 10, "after_s": 1, "before_s": 2, "most_s": 15})
    site = site.model_copy(update={"recording": recording})
    harden()
    start_launcher()
    profile = control_profile(site, folder, folder / "state", "")
    # The browser is in the same process.
    assert confine(replace(profile, connect=profile.connect | {site.server.port})) <= {Wall.NO_SWAP}
    running = RunningSystem(site, folder)
    system, done = running.system, []
    try:
        seed(system.records)
        keeper = next(iter(system.supervisor.keepers.values()))
        until(lambda: keeper.health is not None and keeper.health.doubt is None, 90)
        with client(system) as requests:
            for path in ("wall", "alerts", f"cameras/{keeper.camera}", f"cameras/{keeper.camera}/picture.jpg", "health"):
                assert requests.get(f"{system.address}{path}").status_code == 200, path
            now = time.time()
            system.control.routing.seen(
                SituationSeen(keeper.camera, "s-1", Situation(1, Kind.PERSON_DOWN, "flaeche", time.monotonic(), now, 0.9, {"seconds": 3.0}))
            )
            assert requests.post(f"{system.address}cameras/{keeper.camera}/record", data={"text": "Probe"}).status_code == 303
        done.append("pages")
        until(lambda: system.records.office.cases.store.find(states=[CaseState.WAITING, CaseState.DESTROYED]), 90)
        done.append("recording")
        with client(system, "dsb") as requests:
            assert requests.get(f"{system.address}policy").status_code == 200
            assert requests.get(f"{system.address}log").status_code == 200
            # The control room is confined: a document goes into its data folder and comes out again as it was.
            paper = pdf("Rat")
            fields = {"kind": "rat-datenschutz", "day": "2026-01-05", "text": "Keine Bedenken."}
            taken = requests.post(f"{system.address}facts", data=fields, files={"document": ("rat.pdf", paper)})
            assert taken.status_code == 303, taken.text
            number = taken.headers["location"].rsplit("/", 1)[-1]
            assert requests.get(f"{system.address}facts/{number}/document").content == paper
        done.append("document")
        grounds = gather(system.site, None, system.records.inspected, SystemClock())
        done.append(air_gap.check(grounds).result.value)
    finally:
        running.end()
    return done


def main() -> None:
    # Where a library ends the process, this says what every thread was at.
    faulthandler.enable()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # A machine of a site has no resolver; this one's own stays as it is outside.
    (Path(sys.argv[1]) / "resolv.conf").write_text("")
    subprocess.run(["mount", "--bind", Path(sys.argv[1]) / "resolv.conf", "/etc/resolv.conf"], check=True)
    before = unroutable()
    if "--leak" in sys.argv:
        with socket.socket() as leak:
            leak.settimeout(1)
            leak.connect_ex(("192.0.2.1", 443))
        done = []
    else:
        done = use(Path(sys.argv[1]))
    print(json.dumps({"left": unroutable() - before, "done": done}), flush=True)


if __name__ == "__main__":
    main()
