"""Run in a mount namespace of its own: a real small disk that is full, and what can still be written. Prints what was seen, as JSON.

`python -m tests.faults.full_disk FOLDER` mounts 24 MB of memory there; with the end of the process the namespace and the disk are gone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from blickschutz.audit.io.log import METADATA as LOG_TABLES
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.audit.rules import verify
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import StoreFullError
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.review.io.beside import NotesBeside
from blickschutz.review.io.store import METADATA as CASE_TABLES
from blickschutz.review.io.store import SqlCaseStore
from blickschutz.review.model import Case, CaseState, Ground, Verdict
from blickschutz.review.service import CaseDesk
from blickschutz.storage.engine import check, forget, open_engine
from blickschutz.storage.reserve import Reserve
from blickschutz.vault.io.files import InstallationKey, is_signed
from tests.fakes.case_time import CaseClock
from tests.fakes.voices import ALL_VOICES
from tests.house import House
from tests.unit.test_golden_folders import FOLDERS, TABLES, unpack

CASES = 120


def fill(path: Path) -> None:
    """Until not one byte more fits."""
    with suppress(OSError), path.open("ab", buffering=0) as file:
        for step in (1 << 16, 1 << 12, 1):
            with suppress(OSError):
                while file.write(b"x" * step) == step:
                    pass


def look(folder: Path) -> dict[str, object]:
    clock, key = SystemClock(), InstallationKey(folder / "key")
    engine = open_engine(folder / "control.db", LOG_TABLES, CASE_TABLES)
    log = AuditLog(engine, clock, key.sign, key.public)
    cases, shelf = SqlCaseStore(engine, log, NotesBeside(folder / "clips", key)), ClipShelf(folder / "clips")
    desk, reserve = CaseDesk(cases, clock, 61.0, CaseClock(clock), ALL_VOICES), Reserve(folder / "reserve")
    shelf.folder.mkdir()
    for number in range(CASES):
        case = desk.opened(Case(0, f"{number:032x}", "nord", "sealed", "manual", clock.now(), CaseState.RECORDING))
        shelf.path(case.clip).write_bytes(os.urandom(2_000))
        desk.closed(replace(case, seconds=5.0))
    seen: dict[str, object] = {"held": reserve.hold()}
    forget(engine)
    fill(folder / "ballast")

    before = log.state()[0]
    due = cases.find(states=[CaseState.WAITING])
    try:
        desk.expire(due[0], "unreviewed")
    except StoreFullError as error:
        seen["refused"] = str(error)
    seen["changed"] = [cases.get(due[0].id).version - due[0].version, log.state()[0] - before]
    seen["readable"] = len(cases.find())

    for case in due:
        assert reserve.through(lambda case=case: desk.expire(case, "unreviewed"))
    seen["still_held"] = reserve.held
    for case in cases.find(states=[CaseState.DESTROYING]):
        assert shelf.overwrite(case.clip) == 2_000
        assert shelf.remove(case.clip).absent
        assert cases.shredded(case, {"clip": case.clip, "ending": "overwritten"}, clock.now())
    seen["destroyed"] = len(cases.find(states=[CaseState.DESTROYED]))
    seen["receipts"] = log.count([Event.SHREDDED], 0.0)
    seen["faults"] = [fault.text for fault in verify(log.export(), is_signed, key.public)]
    seen["whole"] = [fault.text for fault in check(engine, LOG_TABLES, CASE_TABLES, deep=True)]

    fill(folder / "ballast")
    seen["no_room"] = [reserve.hold(), sorted(path.name for path in folder.glob(".reserve*"))]
    (folder / "ballast").unlink()
    seen["held_again"] = [reserve.hold(), reserve.held, reserve.hold()]
    engine.dispose()
    return seen


def kept_on_a_full_disk(folder: Path) -> dict[str, object]:
    """The records of a site: deadlines pass, the system starts anew, and people decide while not one byte more fits."""
    house = House(folder / "site")
    house.enrol()
    held, due = house.clip("a" * 32), [house.clip(f"{number:032x}") for number in range(20)]
    for person in ("kvd-1", "kvd-2"):
        house.records.office.cases.verdict(held.id, person, Verdict.INCIDENT, "", Ground.CRIMINAL_OFFENCE, "KL-1")
    house.records.keeping.begin()
    seen: dict[str, object] = {"held": house.records.keeping.reserve.held, "refused": house.records.orders.refusal()}
    fill(folder / "ballast")
    house.clock.sleep(73 * 3600)
    house.housekeep()
    house.work()
    states = [house.records.office.cases.store.get(case.id).state for case in (held, *due)]
    seen["states"] = [states.count(CaseState.HELD), states.count(CaseState.DESTROYED)]
    seen["endings"] = sorted({str(entry.facts["ending"]) for entry in house.events(Event.SHREDDED)})
    house.close()
    return seen


def started_on_a_full_disk(folder: Path) -> dict[str, object]:
    """The end comes while clips are due; the next start finds a disk without one free byte."""
    house = House(folder / "again")
    house.enrol()
    house.records.keeping.begin()
    due = [house.clip(f"{number:032x}") for number in range(20)]
    house.close()
    fill(folder / "ballast-2")
    house.clock.sleep(73 * 3600)
    house.start()
    house.records.keeping.begin()
    house.housekeep()
    house.work()
    states = [house.records.office.cases.store.get(case.id).state for case in due]
    seen: dict[str, object] = {"destroyed": states.count(CaseState.DESTROYED), "problem": house.records.worker.problem}
    seen["faults"] = [fault.text for fault in verify(house.records.office.log.export(), is_signed, house.records.archive.key.public)]
    (folder / "ballast-2").unlink()
    seen["held_again"] = house.records.keeping.reserve.hold()
    house.close()
    return seen


def opened_on_a_full_disk(folder: Path) -> list[str]:
    """A database of before that is opened while nothing fits: its upgrade needs a copy."""
    scratch = folder / "old"
    unpack(FOLDERS[0], scratch)
    path = scratch / "data/control.db"
    said = []
    # Once not even what SQLite puts beside the file fits, once all but the copy does.
    for room in (0, 128 * 1024):
        fill(folder / "ballast")
        os.truncate(folder / "ballast", (folder / "ballast").stat().st_size - room)
        try:
            open_engine(path, *TABLES["control.db"])
        except StoreFullError as error:
            said.append(str(error))
    (folder / "ballast").unlink()
    left = [one.name for one in path.parent.iterdir() if ".before-" in one.name]
    engine = open_engine(path, *TABLES["control.db"])
    assert check(engine, *TABLES["control.db"], deep=True) == left == []
    engine.dispose()
    return said


def main() -> None:
    folder = Path(sys.argv[1])
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", str(folder)], check=True)
    parts = {"upgrade": opened_on_a_full_disk, "kept": kept_on_a_full_disk, "started": started_on_a_full_disk}
    seen = look(folder)
    for name, part in parts.items():
        for left in folder.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        seen[name] = part(folder)
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
