"""The control room is killed in the middle of a recording: its cells live on, are found again, or end in order after their time."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blickschutz.bootstrap.records import make_records
from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.demo.enrolment import found_with
from blickschutz.kernel.clock import SystemClock
from blickschutz.recording.io.clipfile import ClipReader, read_head
from blickschutz.recording.model import ClipState
from blickschutz.recording.rules import TICKS
from blickschutz.vault.service import join_shares, open_share, unlock
from tests.conftest import ROOT
from tests.live.control_room import site_of
from tests.live.system import free_port, until
from tests.videos import write_scene

_PASSPHRASES = {"kvd-1": "eine lange Losung eins", "kvd-2": "eine lange Losung zwei"}


class Room:
    """One life of the control room."""

    def __init__(self, base: Path, port: int) -> None:
        with (base / "room.log").open("ab") as log:
            command = [sys.executable, "-m", "tests.live.control_room", str(base), str(port)]
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
                start_new_session=True,
                # Whoever confines itself has one thread.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )

    def ask(self, word):
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the control room has ended"
        return json.loads(line)

    def state(self, holds, within_s=60.0):
        return until(lambda: holds(found) and found if (found := self.ask("state")) else None, within_s)

    def kill(self):
        self.process.kill()
        self.process.wait(20)
        self.process.stdin.close()
        self.process.stdout.close()

    def end(self):
        self.ask("end")
        assert self.process.wait(40) == 0
        self.process.stdin.close()
        self.process.stdout.close()


class Site:
    """A site with two reviewers, and the lives of its control room; what is left at the end of a test is ended."""

    def __init__(self, base: Path) -> None:
        self.base, self.port, self.rooms, self.cells = base, free_port(), list[Room](), set[int]()
        write_scene(base / "scene.mp4", DrawnScene(96, 64, 2), 1800)
        records = make_records(site_of(base, self.port), base / "state", SystemClock(), {}, repair=True)
        found_with(records, _PASSPHRASES)
        (base / "root").write_text(records.archive.enrolment.pin)
        self.installation = records.archive.key.installation
        self.keys = [unlock(records.archive.keys.get(person), words) for person, words in _PASSPHRASES.items()]
        records.keeping.close()

    def start(self) -> Room:
        self.rooms.append(Room(self.base, self.port))
        return self.rooms[-1]

    def pictures(self, clip) -> list[float]:
        """When each picture of a clip was taken, in seconds of its stream."""
        path = self.base / "state" / "clips" / f"{clip}.clip"
        head = read_head(path)
        shares = [open_share(head.envelope, person, key) for person, key in zip(_PASSPHRASES, self.keys, strict=True)]
        reader = ClipReader(path, join_shares(head.envelope, *shares), self.installation)
        found = sorted(pts / TICKS for gop in reader for pts in gop.pts)
        reader.close()
        assert reader.state is ClipState.WHOLE
        return found


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    for room in made.rooms:
        if room.process.poll() is None:
            room.kill()
    for pid in made.cells:
        if is_there(pid):
            os.kill(pid, signal.SIGKILL)


def is_there(pid) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def recording(site):
    """A control room with a recording that is two seconds old; what it says."""
    room = site.start()
    before = room.state(lambda found: found["lives"], 90)
    site.cells.add(before["pid"])
    assert room.ask("order")["number"] == 1
    room.state(lambda found: found["recording"] == "sealed")
    time.sleep(2)
    return room, before


def test_a_recording_goes_on_under_the_next_control_room(site):
    began = time.monotonic()
    room, before = recording(site)
    room.kill()
    killed = time.monotonic()
    time.sleep(1)
    assert is_there(before["pid"])
    after = site.start()
    found = after.state(lambda found: found["lives"])
    assert (found["pid"], found["restarts"]) == (before["pid"], 0)
    assert found["recording"] == "sealed"
    after_kill = time.monotonic() - killed
    after.ask("over")
    done = after.state(lambda found: found["cases"][0]["state"] == "waiting")
    lasted = time.monotonic() - began
    (case,) = done["cases"]
    assert case["reason"] == "over"
    assert done["open"] == []
    assert [done["told"].count(event) for event in ("recording-ordered", "case-opened", "recording-closed")] == [1, 1, 1]
    pictures = site.pictures(case["clip"])
    assert pictures[-1] - pictures[0] == pytest.approx(case["seconds"], abs=0.3)
    assert after_kill < case["seconds"] < lasted, "it lasted from the order to its end"
    assert max(b - a for a, b in itertools.pairwise(pictures)) < 0.25, "there is a gap"
    # An end in order ends the cell as before, and leaves no door.
    after.end()
    assert not is_there(before["pid"])
    assert list((site.base / "state" / "cells").iterdir()) == []


@pytest.mark.later
def test_what_is_ordered_otherwise_at_the_next_start_ends_the_old_cell_in_order(site):
    """Somebody pressed the stop control, and the control room was killed before the next word of its cell."""
    room, before = recording(site)
    os.kill(before["pid"], signal.SIGSTOP)
    room.ask("stop")
    room.kill()
    os.kill(before["pid"], signal.SIGCONT)
    after = site.start()
    found = after.state(lambda found: found["cases"][0]["state"] == "waiting" and found["pid"] not in {None, before["pid"]})
    assert not is_there(before["pid"])
    assert found["stopped"]
    assert len(found["cases"]) == 1
    assert site.pictures(found["cases"][0]["clip"])
    site.cells.add(found["pid"])
    after.end()
