"""A running site whose settings change: what a change does not touch goes on."""

from __future__ import annotations

import re
import shutil
import signal

import httpx
import psutil
import pytest

from blickschutz.bootstrap.system import Source
from blickschutz.config.loader import load_site
from blickschutz.settings.io.file import SettingsFile
from blickschutz.settings.model import Edit, State
from blickschutz.wall.model import TileState
from tests.conftest import ROOT
from tests.live.system import RunningSystem, client, free_port, guest_clip, until
from tests.live.test_folder import Running, told

ZONE = "[[0.05, 0.35], [0.95, 0.35], [0.95, 0.95], [0.05, 0.95]]"
OTHER = [[0.1, 0.4], [0.9, 0.4], [0.9, 0.9], [0.1, 0.9]]
NORTH, FOUNTAIN = "vorplatz-nord", "brunnen"


def camera(name):
    return f"""
[[cameras]]
id = "{name}"
name = "{name.title()}"
side = "forecourt"
address = "file:{name}.mp4"

[[cameras.zones]]
id = "flaeche"
name = "Fläche" # vor der Treppe
polygon = {ZONE}
"""


@pytest.fixture
def path(tmp_path):
    """Two cameras on drawn clips; the data lie beside the site file."""
    for name in (NORTH, FOUNTAIN, "neu"):
        if name == NORTH:
            guest_clip(tmp_path / f"{name}.mp4")
        else:
            shutil.copy(tmp_path / f"{NORTH}.mp4", tmp_path / f"{name}.mp4")
    text = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8")
    head = text[: text.index("[[cameras]]")].replace("port = 8710", f"port = {free_port()}")
    head = head.replace("[site]\n", '[site]\ndemo = true\nid = "rathaus"\ndata = "daten"\n').replace(
        "[recording]\n", "[recording]\nreserve_mb = 50\n"
    )
    path = tmp_path / "anlage.toml"
    path.write_text(head + camera(NORTH) + camera(FOUNTAIN), encoding="utf-8")
    return path


class Cell:
    """One life of a cell as it was at some moment."""

    def __init__(self, keeper):
        self._keeper = keeper
        self.pid, self.health, self.restarts = keeper.process.pid, keeper.health, keeper.restarts

    def goes_on(self):
        """The same process with the same camera; its count of pictures goes up from where it was."""
        now = self._keeper.health
        until(lambda: self._keeper.health is not None and self._keeper.health.frames > self.health.frames + 3, 60)
        assert (self._keeper.process.pid, self._keeper.restarts) == (self.pid, self.restarts)
        assert now.reconnects == self.health.reconnects


@pytest.mark.timeout(300)
def test_a_change_touches_one_camera_and_the_other_goes_on(path):
    running = RunningSystem(load_site(path), path.parent, Source(path.read_text(encoding="utf-8"), str(path)))
    system = running.system
    keepers, desk = system.supervisor.keepers, system.control.desk
    try:
        until(lambda: all(one.state is TileState.LIVE for one in keepers.values()), 120)
        north, fountain = (Cell(keepers[name]) for name in (NORTH, FOUNTAIN))
        # By the page: one proposes, another looks at what it does and confirms. A zone is told to the cell, whose picture goes on.
        with client(system, "technik") as proposes, client(system, "aufsicht") as confirms:
            key = f"cameras.{NORTH}.zones.flaeche.polygon"
            made = proposes.post(f"{system.address}settings/changes", data={"key": key, "value": str(OTHER)})
            assert made.status_code == 303, re.sub(r"<[^>]+>", "", made.text)
            address = f"{system.address.rstrip('/')}{made.headers['location']}"
            assert "gilt sofort, das Bild läuft weiter" in confirms.get(address).text
            assert confirms.post(f"{address}/confirm").status_code == 303
        assert keepers[NORTH]._settings.situations.zones[0].polygon == tuple(map(tuple, OTHER))
        assert system.site == load_site(path)
        assert "# vor der Treppe" in path.read_text(encoding="utf-8")
        north.goes_on()
        fountain.goes_on()
        # A privacy zone begins that cell anew, and no other.
        zone = {"id": "fenster", "reason": "Fenster", "polygon": [[0.0, 0.0], [0.2, 0.0], [0.2, 0.1]]}
        hidden = desk.propose("technik", [Edit(("cameras", NORTH, "privacy_zones", "fenster"), zone)])
        assert desk.confirm(hidden.number, "dsb").state is State.APPLIED
        until(lambda: keepers[NORTH].process is not None and keepers[NORTH].process.pid != north.pid and keepers[NORTH].health, 60)
        assert (keepers[NORTH].restarts, keepers[NORTH].problem) == (north.restarts, "")
        fountain.goes_on()
        # A camera more, and less again.
        new = {"id": "neu", "name": "Neu", "side": "forecourt", "address": "file:neu.mp4"}
        new["zones"] = [{"id": "flaeche", "name": "Fläche", "polygon": OTHER}]
        more = desk.propose("technik", [Edit(("cameras", "neu"), new)])
        assert desk.confirm(more.number, "aufsicht").state is State.APPLIED
        until(lambda: keepers["neu"].state is TileState.LIVE, 120)
        gone = keepers["neu"].process
        with client(system, "leitstelle-1") as watching:
            assert watching.get(f"{system.address}cameras/neu").status_code == 200
        less = desk.undo(more.number, "technik")
        assert desk.confirm(less.number, "aufsicht").state is State.APPLIED
        until(lambda: not gone.is_alive(), 60)
        assert list(keepers) == [NORTH, FOUNTAIN]
        fountain.goes_on()
    finally:
        running.end()


def cells(running):
    """The processes of cells and of what rooms are started from, by number."""
    launcher = [one for one in psutil.Process(running.process.pid).children() if "launcher" in " ".join(one.cmdline())]
    return {one.pid for one in launcher[0].children()} if launcher else set()


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_file_edited_by_hand_is_put_in_force_from_inside_the_walls(path):
    running = Running(path)
    file = SettingsFile(path, path.parent / "daten")
    try:
        before = until(lambda: there if len(there := cells(running)) == 3 else None, 60)
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(ZONE, str(OTHER), 1).replace("keep_hours = 72", "keep_hours = 48"), encoding="utf-8")
        done = told("apply", "--site", path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"cameras.{NORTH}.zones.flaeche.polygon" in done.stdout
        assert done.stdout.rstrip().endswith("alerts.keep_hours")
        assert file.version(file.noted().in_force) == path.read_text(encoding="utf-8")
        assert cells(running) == before
        # What the file's own checks or the law refuse stays out, whoever asks.
        path.write_text(text.replace("hard_limit_days = 60", "hard_limit_days = 600"), encoding="utf-8")
        refused = told("apply", "--site", path)
        assert refused.returncode == 1
        assert "§ 21 Abs. 5 LDSG RLP" in refused.stderr
        turn = file.noted().turn
        running.process.send_signal(signal.SIGHUP)
        noted = until(lambda: one if (one := file.noted()).turn > turn else None, 60)
        assert noted.why == "file"
        assert cells(running) == before
        assert httpx.get(f"http://127.0.0.1:{running.port}/sign-in").status_code == 200
        path.write_text(text, encoding="utf-8")
        assert told("apply", "--site", path).returncode == 0
    finally:
        running.end()
