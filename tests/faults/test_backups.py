"""Backups while somebody writes, restores on another machine, and restores that are killed in the middle."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from blickschutz.audit.model import Event
from blickschutz.audit.rules import verify
from blickschutz.backup.io.make import make_backup
from blickschutz.installation.io.mark import look as state_of
from blickschutz.installation.model import State
from blickschutz.kernel.clock import SystemClock
from blickschutz.review.model import CaseState
from blickschutz.review.rules import THERE
from blickschutz.storage.snapshot import rows
from blickschutz.vault.io.files import is_signed
from tests.conftest import ROOT, often
from tests.faults.house import CLIP, DataHouse, dump

KILLS = often(4, 40)


@contextmanager
def writing(folder: Path):
    """Another process writes cases, holds and entries as fast as it can."""
    command = [sys.executable, "-m", "tests.faults.writers", "write", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        try:
            assert child.stdout.readline() == "READY\n"
            for _ in range(5):
                child.stdout.readline()
            yield child
        finally:
            child.kill()


@pytest.fixture
def house(tmp_path):
    (tmp_path / "old").mkdir()
    house = DataHouse(tmp_path / "old/data", SystemClock())
    house.fill()
    yield house
    house.close()


def elsewhere(*words: object, home: Path) -> subprocess.CompletedProcess[str]:
    """Run the restore as on another machine: another host name, an empty home, nothing of this environment."""
    command = [sys.executable, "-m", "tests.faults.writers", "restore", *map(str, words)]
    if os.geteuid() == 0 and shutil.which("unshare"):
        command = ["unshare", "--uts", "sh", "-c", 'hostname ersatz && exec "$@"', "sh", *command]
    home.mkdir(exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "HOME": str(home)}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT, env=environment)


def test_while_a_process_writes_it_is_of_one_moment_and_another_machine_has_the_same(house, tmp_path):
    with writing(house.folder) as child:
        made = make_backup(house.plan, tmp_path / "a.backup", house.clock)
        # What it said meanwhile is still to be read: it wrote all the while, and writes on.
        while int(child.stdout.readline()) <= made.manifest.cases:
            pass
    result = elsewhere(tmp_path / "a.backup", tmp_path / "new", "-", home=tmp_path / "home")
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout.splitlines()[-1])
    assert told["entries"] == made.manifest.log_number
    assert told["host"] == "ersatz" or os.geteuid() != 0
    assert [one.name for one in (tmp_path / "home").iterdir()] == []
    # The log is the same, entry for entry; it goes on with the restore.
    before, after = dump(house.folder / "control.db"), dump(tmp_path / "new/control.db")
    last = told["entries"]
    assert [row for row in after["log"] if row[0] <= last] == [row for row in before["log"] if row[0] <= last]
    again = DataHouse(tmp_path / "new", SystemClock())
    assert [fault.text for fault in verify(again.log.export(), is_signed, house.key.public)] == []
    # Rows and log are of one moment: what the entries tell is what the rows say.
    entries = [entry for entry in (again.log.find(most=100_000)) if entry[0].number <= last]
    count = {event: sum(entry.event == event.value for entry, _ in entries) for event in (Event.CASE_OPENED, Event.HOLD_SET)}
    cases = again.cases.find(states=sorted(THERE), most=100_000)
    held = [case for case in cases if case.state is CaseState.HELD]
    assert (len(cases), len(held)) == (count[Event.CASE_OPENED], count[Event.HOLD_SET])
    assert len(cases) > 6
    assert all(case.hold.in_force for case in held)
    again.close()


@pytest.mark.later
def test_when_nobody_writes_every_row_is_equal_on_the_other_machine(house, tmp_path):
    house.close()
    before = {name: dump(house.folder / name) for name in ("control.db", "alerts.db")}
    make_backup(house.plan, tmp_path / "a.backup", house.clock)
    result = elsewhere(tmp_path / "a.backup", tmp_path / "new", house.folder, home=tmp_path / "home")
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout.splitlines()[-1])
    assert (told["cases"], told["held"], told["missing"]) == (6, 2, 0)
    after = {name: dump(tmp_path / "new" / name) for name in before}
    after["control.db"]["log"] = [row for row in after["control.db"]["log"] if row[0] <= told["entries"]]
    for one in (before, after):
        del one["control.db"]["log_checkpoints"]
    assert after == before
    for (clip,) in rows(tmp_path / "new/control.db", "SELECT clip FROM cases"):
        assert (tmp_path / f"new/clips/{clip}.clip").read_bytes() == CLIP + str(clip).encode()


@pytest.mark.timeout(300)
@pytest.mark.later
def test_killed_in_the_middle_a_restore_is_repeated_and_no_clip_is_lost(house, tmp_path):
    house.close()
    for number in range(40):
        (house.folder / f"clips/{number:032d}.clip").write_bytes(os.urandom(100_000))
    make_backup(house.plan, tmp_path / "a.backup", house.clock)
    kept = tmp_path / "kept"
    shutil.copytree(house.folder, kept)
    clips = {path.name: path.read_bytes() for path in kept.glob("clips/*")}
    rng, states, new, old = random.Random(), set(), tmp_path / "new", house.folder
    command = [sys.executable, "-m", "tests.faults.writers", "restore", str(tmp_path / "a.backup"), str(new), str(old)]
    started = time.monotonic()
    subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=ROOT)
    longest = time.monotonic() - started
    for number in range(KILLS):
        for folder in (new, old):
            shutil.rmtree(folder)
        shutil.copytree(kept, old)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT) as child:
            # Every third kill waits for its middle: how long a start takes differs from machine to machine.
            while number % 3 == 0 and child.poll() is None and not (new.exists() and state_of(new) is State.RESTORING):
                time.sleep(0.002)
            if number % 3:
                time.sleep(rng.uniform(0.6, 1.05) * longest)
            child.kill()
        states.add(state_of(new))
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
        assert result.returncode == 0, result.stderr
        assert {path.name: path.read_bytes() for path in new.glob("clips/*")} == clips
        assert list(old.glob("clips/*")) == []
        assert state_of(new) is State.MARKED
    assert State.RESTORING in states, "no kill came in the middle"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_target_that_fills_up_is_said_and_leaves_nothing(tmp_path):
    code = """
import sys
from pathlib import Path
from blickschutz.backup.io.make import make_backup
from blickschutz.backup.model import BackupError
from blickschutz.kernel.clock import SystemClock
from tests.faults.house import DataHouse
house = DataHouse(Path(sys.argv[1]), SystemClock())
house.fill(1)
(house.folder / "regime.jsonl").write_bytes(bytes(1 << 20))
try:
    make_backup(house.plan, Path(sys.argv[2]), house.clock)
except BackupError as error:
    print(error.problem.value, error)
print([one.name for one in Path(sys.argv[2]).parent.iterdir()], [one.name for one in house.folder.glob(".*")])
house.close()
"""
    (tmp_path / "disk").mkdir()
    (tmp_path / "old").mkdir()
    script = f'mount -t tmpfs -o size=900k none {tmp_path}/disk && exec "$0" "$@"'
    words = [sys.executable, "-c", code, str(tmp_path / "old/data"), str(tmp_path / "disk/a.backup")]
    result = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, *words], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )
    if "unshare" in result.stderr or "mount:" in result.stderr:
        pytest.skip(f"no namespaces here: {result.stderr}")
    assert result.stdout.startswith("cannot-write "), (result.stdout, result.stderr)
    assert "No space left" in result.stdout
    assert result.stdout.splitlines()[-1] == "[] []"


def test_a_backup_waits_for_no_writer_and_no_writer_for_it(house, tmp_path):
    """Another process holds the write lock all the time."""
    with closing(sqlite3.connect(house.folder / "control.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        make_backup(house.plan, tmp_path / "a.backup", house.clock)
        assert time.monotonic() - started < 20
        other.execute("ROLLBACK")
