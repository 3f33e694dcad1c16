"""The referee of `benchmarks.faults` notices what it is there to notice; its shim breaks what it is told to break."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from copy import deepcopy
from pathlib import Path

import pytest
from benchmarks.faults import kinds, seed
from benchmarks.faults.installation import Installation, data_folder
from benchmarks.faults.ledger import Decision, Ledger
from benchmarks.faults.listing import FAULTS
from benchmarks.faults.referee import Referee
from benchmarks.faults.shim import CHANGES, EVERYTHING, Shim
from benchmarks.faults.template import CAMERAS, home, write_site

from blickschutz.alerts.model import By
from blickschutz.alerts.service import AlertDesk
from tests.conftest import ROOT

HOUR = 3600.0


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    return Shim(tmp_path_factory.mktemp("shim"))


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """An installation that does not run: one held clip, one that is due, alerts."""
    base = tmp_path_factory.mktemp("base")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BLICKSCHUTZ_DATA", os.environ.get("BLICKSCHUTZ_DATA", str(Path(sys.prefix) / "share" / "blickschutz")))
        home(base)
        write_site(base)
        now = time.time()
        seeding = seed.Seeding(base / "site.toml", data_folder(base), now - 100 * HOUR, "a" * 32, now - 101 * HOUR)
        people = seeding.people()
        due = seeding.clip(CAMERAS[1], "due", now - 80 * HOUR, now - 8 * HOUR)
        held = seeding.clip(CAMERAS[0], "held", now - 3 * HOUR, float("inf"))
        for person in ("kvd-1", "kvd-2"):
            seeding.verdict(held, person, "incident", now - 2 * HOUR)
        alerts = seeding.alerts(CAMERAS, now - HOUR)
        seeding.end(now)
    return base, people, [held, due], alerts


@pytest.fixture
def scene(filled, tmp_path, shim, monkeypatch):
    """A copy of it, opened to go on filling, with its ledger and its referee."""
    base, people, planted, alerts = filled
    shutil.copytree(base, tmp_path, dirs_exist_ok=True, symlinks=True)
    monkeypatch.setenv("BLICKSCHUTZ_DATA", str(tmp_path / "home"))
    installation = Installation(tmp_path, shim, people)
    seeding = seed.Seeding(installation.site, installation.data, time.time(), "b" * 32, time.time())
    ledger = Ledger(deepcopy(planted), list(alerts))
    yield seeding, ledger, Referee(installation, ledger, seed.public_key(installation.data))
    seeding.end(time.time())


def test_a_whole_installation_breaks_nothing_but_what_is_due(scene):
    seeding, ledger, referee = scene
    referee.judge()
    assert ledger.found == []
    assert [one.role for one in referee.overdue()] == ["due"]
    assert referee.alerts_missing() == []
    seeding.expire(time.time())
    assert referee.overdue() == []
    referee.judge()
    assert ledger.found == []


def test_a_clip_that_is_gone_or_another_is_noticed(scene):
    _, ledger, referee = scene
    path = referee.clip(ledger.planted[0].clip)
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    referee.judge()
    path.unlink()
    referee.judge()
    assert [one.field for one in ledger.found] == ["destroyed_early", "destroyed_early"]


def test_a_receipt_of_what_was_not_there_is_noticed(scene):
    seeding, ledger, referee = scene
    due = ledger.planted[1]
    referee.clip(due.clip).unlink()
    ledger.taken[due.clip] = "missing"
    seeding.expire(time.time())
    referee.judge()
    assert {one.field for one in ledger.found} <= {"false_receipts"}
    ledger.taken.clear()
    due.size += 1
    due.due += 30 * HOUR
    referee.judge()
    assert {"false_receipts"} <= {one.field for one in ledger.found}


def test_what_was_accepted_and_left_no_trace_is_noticed(scene):
    _, ledger, referee = scene
    ledger.decisions = [
        Decision("stop", CAMERAS[1], "technik", "Versammlung", time.time(), accepted=True),
        Decision("order", CAMERAS[0], "leit-1", "Anlass", time.time() + 100, accepted=True),
    ]
    ledger.alerts.append(99)
    ledger.entries[1] = "0" * 64
    ledger.planted[0].verdicts.append("kvd-3")
    referee.judge()
    assert [one.text for one in referee.orders_open()] == ["Anlass"]
    assert referee.alerts_missing() == ["alert 99"]
    fields = [one.field for one in ledger.found]
    assert fields.count("decisions_without_entry") == 3
    assert {"entries_lost", "verdicts_lost"} <= set(fields)


def test_an_acknowledgement_without_an_entry_is_noticed_unless_the_fault_took_the_entry(scene):
    seeding, ledger, referee = scene
    number = ledger.alerts[-1]
    assert AlertDesk(seeding.records.alerts, seeding.clock, ()).acknowledge(number, By("Leitstelle", "leit-1"))
    assert referee.unlogged() == [f"alert {number} was acknowledged without an entry"]
    ledger.unentered |= referee.acknowledged()
    assert referee.unlogged() == []


def child(shim, code):
    environment = {**os.environ, **shim.environment}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False, timeout=30)
    return found.stdout.strip() or found.stderr.strip().splitlines()[-1]


def test_the_shim_breaks_one_folder_and_nothing_else(shim, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "file").write_text("x")
    shim.fail(tmp_path / "a", EVERYTHING, errno.EIO)
    try:
        assert f"[Errno {errno.EIO}]" in child(shim, f"open({str(tmp_path / 'a' / 'file')!r}).read()")
        assert child(shim, f"open({str(tmp_path / 'b' / 'file')!r}, 'w').write('x'); print('written')") == "written"
        assert shim.heal() > 0
        shim.fail(tmp_path / "a", CHANGES, errno.EROFS)
        assert child(shim, f"print(open({str(tmp_path / 'a' / 'file')!r}).read())") == "x"
        code = f"import sqlite3; sqlite3.connect({str(tmp_path / 'a' / 'x.db')!r}).execute('create table a (b)')"
        assert "unable to open" in child(shim, code)
    finally:
        shim.heal()


def test_the_shim_sets_the_wall_clock_and_leaves_the_other_alone(shim):
    try:
        shim.set_wall(100.0 - time.time())
        wall, steady = child(shim, "import time; print(time.time(), time.monotonic())").split()
        assert 99 < float(wall) < 140
        assert abs(float(steady) - time.monotonic()) < 30
    finally:
        shim.set_wall(0)


def test_there_are_faults_of_every_family_and_their_names_are_said():
    assert kinds.__all__
    found = subprocess.run(
        [sys.executable, "-m", "benchmarks.faults", "--list"], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    assert found.stdout.splitlines() == list(FAULTS)
    assert len(FAULTS) >= 25
