"""Kill a child at a random moment and look at what it left; used by the tests (a few times) and by the benchmarks (often)."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

from blickschutz.audit.model import Event
from blickschutz.audit.rules import verify
from blickschutz.bootstrap.records import Records, make_records
from blickschutz.config.loader import load_site
from blickschutz.kernel.clock import SystemClock
from blickschutz.recording.io.clipfile import ClipError, ClipReader
from blickschutz.recording.model import ClipState
from blickschutz.review.model import CaseState
from blickschutz.review.rules import THERE, same_hold
from blickschutz.vault.io.files import is_signed
from tests.faults.children import SITE

ROOT = Path(__file__).resolve().parents[2]


def run_and_kill(kind: str, folder: Path, after_s: float, first: str) -> list[str]:
    """What the child said until it was killed, `after_s` after its first word."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.children", kind, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    said: list[str] = []
    assert child.stdout is not None
    for line in child.stdout:
        said.append(line.strip())
        if said[-1].startswith(first):
            break
    timer = threading.Timer(after_s, lambda: os.kill(child.pid, signal.SIGKILL))
    timer.start()
    said += [line.strip() for line in child.stdout if line.endswith("\n")]
    child.wait(20)
    timer.cancel()
    assert child.returncode == -signal.SIGKILL, (child.returncode, child.stderr.read() if child.stderr else "")
    child.stdout.close()
    if child.stderr:
        child.stderr.close()
    return said


def kill_writer(folder: Path, chance: random.Random) -> None:
    """A clip that was being written opens up to the last group whose writing had returned."""
    said = run_and_kill("writer", folder, chance.uniform(0.0, 0.25), "KEY")
    key = bytes.fromhex(said[0].split()[1])
    clips: dict[str, int] = {}
    clip = ""
    for line in said[1:]:
        if line.startswith("CLIP"):
            clip = line.split()[1]
            clips[clip] = 0
        elif line.isdigit():
            clips[clip] = int(line) + 1
    for name, told in clips.items():
        reader = ClipReader(folder / f"{name}.clip", key)
        numbers = [int.from_bytes(gop.data[:4], "big") for gop in reader]
        reader.close()
        assert reader.state in {ClipState.WHOLE, ClipState.CUT_OFF}, (name, reader.state)
        assert numbers == list(range(len(numbers)))
        assert told <= len(numbers) <= told + 1, (name, told, len(numbers))
    for path in folder.glob("*.clip"):
        if path.stem not in clips:
            # It was begun when the end came: nothing was told of it yet.
            assert begun(path, key) in {None, ClipState.HEAD_CUT_OFF, ClipState.CUT_OFF, ClipState.WRONG_KEY}
        path.unlink()


def begun(path: Path, key: bytes) -> ClipState | None:
    """Why a clip does not open; None where it does."""
    try:
        ClipReader(path, key).close()
    except ClipError as error:
        return error.state
    return None


def kill_control(folder: Path, chance: random.Random) -> None:
    """After a crash and a start every case is wholly there or wholly gone, and no entry of the log is lost."""
    said = run_and_kill("control", folder, chance.uniform(0.0, 0.5), "READY")
    numbers = [int(line) for line in said if line.isdigit()]
    records = make_records(load_site(SITE), folder, SystemClock(), {}, repair=True)
    try:
        records.keeping.recover()
        check(records)
        assert records.office.log.state()[0] >= max(numbers, default=0), (records.office.log.state(), numbers)
    finally:
        records.keeping.close()


def check(records: Records) -> None:
    there = records.archive.shelf.clips()
    for case in records.office.cases.store.find(states=list(CaseState), most=100_000):
        assert case.state not in {CaseState.DESTROYING, CaseState.RECORDING}, case
        receipts = [entry for entry, _ in records.office.log.find(event=Event.SHREDDED, subject=case.clip)]
        if case.state in THERE:
            assert case.clip in there, case
            assert records.archive.shelf.path(case.clip).stat().st_size == case.size, case
            assert receipts == [], case
        else:
            assert records.archive.shelf.is_absent(case.clip), case
            assert len(receipts) == 1, (case, receipts)
            facts = receipts[0].facts
            # Nobody but the system takes files away here.
            assert (facts["absent"], facts["ending"], facts["overwritten"]) == (True, "overwritten", case.size), receipts
        if case.state is CaseState.HELD:
            assert same_hold(records.archive.notes.read(case.clip).hold, case.hold), case
        verdicts = [entry for entry, _ in records.office.log.find(event=Event.VERDICT_GIVEN, subject=case.clip)]
        assert len(verdicts) == len(case.verdicts), case
    strays = there - {case.clip for case in records.office.cases.store.find(states=sorted(THERE), most=100_000)}
    assert not strays, strays
    if records.office.log.state()[0] == 0:
        return  # killed before the first entry: an empty log has nothing to be signed
    faults = list(verify(records.office.log.export(), is_signed, records.archive.key.public))
    assert not faults, faults
