"""Server time of every page with years of data: `.venv/bin/python -m benchmarks.pages [REPEATS]`."""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import httpx
from sqlalchemy import insert

from blickschutz.access.model import Permission, Role
from blickschutz.access.rules import PERMISSIONS
from blickschutz.alerts.io.tables import alerts
from blickschutz.alerts.model import Origin
from blickschutz.audit.io.log import entries
from blickschutz.audit.model import Entry, Event
from blickschutz.audit.rules import digest, encode
from blickschutz.bootstrap.records import Records
from blickschutz.bootstrap.system import System
from blickschutz.demo.site import demo_site, seed
from blickschutz.kernel.clock import SystemClock
from blickschutz.review.io.store import cases
from blickschutz.review.model import Case, CaseState
from blickschutz.rights.model import DutySource, Outcome, Request, RequestState, Right, Settlement
from blickschutz.situations.kinds import Kind
from blickschutz.storage.engine import writing
from blickschutz.web.app import API, table

ALERTS, CASES, ENTRIES, REQUESTS, DUTIES = 10_000, 2_000, 200_000, 300, 200
WHO = {
    Role.CONTROL_ROOM: "leitstelle-1",
    Role.REVIEW: "kvd-1",
    Role.SUPERVISION: "aufsicht",
    Role.ADMINISTRATION: "technik",
    Role.DATA_PROTECTION: "dsb",
}
_SKIPPED = {
    "/alerts/stream",
    "/log/export",
    "/alerts/{number}/clip.mp4",
    "/exports/{name}",
    "/kept",
    "/cameras/{camera}/picture.jpg",
    "/trust/authority.crt",
    # Printed when somebody asks for them, not pages.
    "/requests/{number}/answer.pdf",
    "/requests/{number}/extension.pdf",
    "/documents/{name}",
    "/report.pdf",
}


def fill(system: System) -> None:
    """Alerts, cases and a whole chain of log entries over the last sixty days."""
    chance, now = random.Random(1), time.time()
    cameras = [camera.id for camera in system.site.cameras]
    example = system.control.alerting.desk.store
    rows = []
    for number in range(ALERTS):
        at = now - chance.random() * 60 * 86_400
        rows.append(
            {
                "camera": chance.choice(cameras),
                "kind": chance.choice(list(Kind)).value,
                "zone": "flaeche",
                "state": "closed" if number % 200 else "raised",
                "taken": at,
                "raised": at,
                "confidence": 0.8,
                "figures": json.dumps({"seconds": 15.0, "height_share": 0.4, "lying": 0.5}),
                "outcome": chance.choice(["confirmed", "false-alarm", "no-finding"]) if number % 200 else None,
                "note": "",
                "origin": Origin.ANALYSIS.value,
                "box": "null",
            }
        )
    with writing(example._engine) as connection:
        connection.execute(insert(alerts), rows)
    records = system.records
    for number in range(CASES):
        at = now - chance.random() * 3 * 86_400
        state = chance.choice([CaseState.WAITING, CaseState.SECOND, CaseState.DESTROYED])
        new = Case(0, f"{number:032x}", chance.choice(cameras), "sealed", "person_down", at, CaseState.RECORDING)
        records.office.cases.store.add(replace(new, shred_reason="harmless"))
        with writing(records.office.cases.store._engine) as connection:
            connection.execute(cases.update().where(cases.c.clip == f"{number:032x}").values(state=state.value))
    ask(records)
    newest, previous, _ = records.office.log.state()
    part = []
    with writing(records.office.cases.store._engine) as connection:
        for number in range(newest + 1, ENTRIES + 1):
            about = {"by": "kvd-1", "subject": f"{number % CASES:032x}", "facts": {"case": number % CASES}, "previous": previous}
            entry = Entry(number=number, at=now, event=Event.CASE_SEEN, **about)
            text = encode(entry)
            previous = digest(text)
            row = {"number": number, "at": now, "event": entry.event.value, "by": entry.by, "subject": entry.subject}
            part.append({**row, "text": text.decode(), "hash": previous})
            if len(part) == 10_000 or number == ENTRIES:
                connection.execute(insert(entries), part)
                part = []


def ask(records: Records) -> None:
    """Requests, every tenth still open with its recordings restricted, and duties, every fifth unmet."""
    now, rights = time.time(), records.office.rights
    for number in range(1, REQUESTS + 1):
        window = {"starts": now - 3 * 86_400, "ends": now - 3 * 86_400 + 3600}
        about = {"name": "Erika Mustermann", "contact": "Musterweg 1", "language": "de", "by": "aufsicht", "at": now}
        asked = Request(id=0, state=RequestState.OPEN, received=records.orders.today(), rights=(Right.ACCESS,), **about, **window)
        rights.record(asked)
        if number % 10:
            rights.prepare(number, Outcome.NOTHING_FOUND, "", "aufsicht")
            rights.confirm(number, "dsb")
        else:
            rights.restrict(number, [one.case for one in rights.candidates(asked)], "aufsicht")
    for number in range(1, DUTIES + 1):
        duty = rights.assigned(number, f"{number:032x}", DutySource.RELEASE, "aufsicht")
        if number % 5:
            rights.meet(duty.id, Settlement.INFORMED, "Schreiben", None, "dsb")


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    with tempfile.TemporaryDirectory() as folder:
        site = demo_site(False, 8739)
        # Cells would compete for the processor; what is measured is the control room.
        system = System(site.model_copy(update={"cameras": site.cameras[:1]}), Path.cwd(), SystemClock(), data=Path(folder))
        seed(system.records)
        fill(system)
        system.records.keeping.recover = lambda: None  # type: ignore[method-assign] # the cases here have no files
        thread = threading.Thread(target=lambda: asyncio.run(system.serve()), daemon=True)
        thread.start()
        time.sleep(6)
        while system.records.chain.report.number < ENTRIES:
            time.sleep(0.5)
        figures = measure(system, repeats)
        for path, (median, high) in sorted(figures.items(), key=lambda item: -item[1][1]):
            print(f"{path:32} median {median:6.1f} ms   p95 {high:6.1f} ms")
        system.end()
        thread.join(20)


def measure(system: System, repeats: int) -> dict[str, tuple[float, float]]:
    """Median and 95th percentile in ms of every page, as the first role that may see it."""
    figures = {}
    doers = {
        role: httpx.Client(base_url=system.address, cookies={"session": system.records.office.access.begin(who)})
        for role, who in WHO.items()
    }
    for method, path, permission in table(system.app):
        if method != "GET" or path.startswith((API, "/static")) or path in _SKIPPED:
            continue
        role = next((role for role in WHO if role in PERMISSIONS[permission]), Role.CONTROL_ROOM)
        if permission is Permission.PUBLIC:
            role = Role.CONTROL_ROOM
        address = path.replace("{camera}", system.site.cameras[0].id).replace("{number}", "5").replace("{person}", "kvd-1")
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            status = doers[role].get(address).status_code
            times.append(1000 * (time.perf_counter() - start))
            assert status < 400, (path, status)
        figures[path] = (statistics.median(times), statistics.quantiles(times, n=20)[-1])
    return figures


if __name__ == "__main__":
    main()
