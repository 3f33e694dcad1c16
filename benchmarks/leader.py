"""The control room that leads is killed, or stands still, at random moments under a load of decisions; another one takes over.

    python -m benchmarks.leader [--kills 100] [--seed 1] [--json]

Two processes, each with the lead, the stores and the log as a control room has them, on a PostgreSQL server of its own. Of every decision
that was acknowledged it is looked afterwards whether it is there, once, under the term under which it was acknowledged, and whether any
term's decision lies behind one of a later term. The one that stood still goes on while the other one leads: it must be refused. Ends
with 1 where anything was lost or doubled, two led, or the log's chain is not whole. Bounded: a kill takes at most `MOST_S`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.postgres import Cluster

from blickschutz.alerts.io.store import SqlAlertStore
from blickschutz.alerts.io.tables import METADATA as ALERT_TABLES
from blickschutz.alerts.model import Alert, AlertState, HistoryEntry, Origin
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.rules import verify
from blickschutz.bootstrap.opening import CONTROL_TABLES
from blickschutz.control.service.leading import Leader, Sight
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import StoreBusyError, StoreError, StoreFencedError
from blickschutz.review.io.beside import NotesBeside
from blickschutz.review.io.store import SqlCaseStore
from blickschutz.review.model import Case, CaseState
from blickschutz.situations.kinds import Kind
from blickschutz.storage.engine import open_engine
from blickschutz.storage.lead import lead_of
from blickschutz.storage.places import Server, ServerPlace
from blickschutz.storage.ports import Database
from blickschutz.vault.io.files import InstallationKey, is_signed

# Shorter than in operation, so that a hundred fit into minutes; what holds against two leaders does not hang on it.
LEAD_S, BEAT_S, LOOK_S = 1.5, 0.3, 0.1
MOST_S, THREADS = 120.0, 3
_FENCED = 7


def room(server: Server, folder: Path, name: str, acknowledged: Path) -> int:
    """One control room: waits, leads, decides. Ends with `_FENCED` when another one leads."""
    clock, lead, sight = SystemClock(), lead_of(server), Sight(lead_s=LEAD_S)
    term = None
    while term is None:
        try:
            led = lead.look()
            term = lead.take(led, name) if sight.saw(led) else None
        except StoreError:
            sight.blind()
        if term is None:
            time.sleep(LOOK_S)
    leader, ended = Leader(lead, term, lambda: os._exit(_FENCED), lead_s=LEAD_S, beat_s=BEAT_S), threading.Event()
    leader.lost = ended.set
    leader.start(Guard(clock))
    decider = Decider(dataclasses.replace(server, term=term), folder, os.open(acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
    threads = [threading.Thread(target=decider.decide, args=(number, ended), daemon=True) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    ended.wait()
    for thread in threads:
        thread.join(10)
    os._exit(_FENCED)


class Decider:
    """Writes what a control room writes: cases, the order to destroy, alerts; and says each that was acknowledged."""

    def __init__(self, server: Server, folder: Path, said: int) -> None:
        key = InstallationKey(folder / "installation.key")
        engine = open_engine(ServerPlace(server, Database.CONTROL), *CONTROL_TABLES)
        self._log = AuditLog(engine, SystemClock(), key.sign, key.public)
        self._cases = SqlCaseStore(engine, self._log, NotesBeside(folder, key))
        self._alerts = SqlAlertStore(open_engine(ServerPlace(server, Database.ALERTS), ALERT_TABLES))
        self._term, self._said = server.term, said

    def decide(self, thread: int, ended: threading.Event) -> None:
        number = 0
        while not ended.is_set():
            number += 1
            try:
                self._one(f"{self._term}-{os.getpid()}-{thread}-{number}")
            except StoreFencedError:
                return
            except StoreBusyError:
                continue
            except StoreError:
                time.sleep(0.1)

    def _one(self, name: str) -> None:
        now = time.time()
        case = self._cases.add(Case(0, name, "nord", "sealed", "manual", now, CaseState.WAITING))
        self._acknowledged("case", name)
        if self._cases.doom(case, "harmless", ("kvd-1", "kvd-2")):
            self._acknowledged("doom", name)
        kind = next(iter(Kind))
        alert = Alert(0, "nord", kind, "", Origin.ANALYSIS, AlertState.RAISED, now, now, 0.9, run=name, situation=1)
        if self._alerts.add(alert, ("mail",), HistoryEntry(now, "raised", "system")) is not None:
            self._acknowledged("alert", name)

    def _acknowledged(self, kind: str, name: str) -> None:
        os.write(self._said, f"{kind} {name}\n".encode())


@dataclass(slots=True)
class Run:
    """Two rooms, and what was done to them."""

    server: Server
    folder: Path
    chance: random.Random
    rooms: list[subprocess.Popen[bytes]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    stood_still: int = 0

    def start(self, number: int) -> subprocess.Popen[bytes]:
        words = ["--room", str(number), "--server", self.server.host, "--name", self.server.name, "--folder", str(self.folder)]
        return subprocess.Popen([sys.executable, "-m", "benchmarks.leader", *words])

    def acknowledged(self) -> list[str]:
        path = self.folder / "acknowledged"
        return path.read_text(encoding="ascii").splitlines() if path.exists() else []

    def terms(self) -> Counter[int]:
        return Counter(int(line.split()[1].split("-")[0]) for line in self.acknowledged())

    def leading(self, after: int = 0) -> tuple[int, int]:
        """Term and process of whoever decides, later than that term."""
        for line in reversed(self.acknowledged()):
            term, process, *_ = line.split()[1].split("-")
            if int(term) > after:
                return int(term), int(process)
        return 0, 0

    def disturb(self) -> None:
        """Kill the one that leads, or have it stand still until another one has decided something, and for a random while more."""
        term, process = until(self.leading, MOST_S)
        place = next(place for place, one in enumerate(self.rooms) if one.pid == process)
        time.sleep(self.chance.random() * 0.6)
        stops = self.chance.random() < 0.3
        began = time.monotonic()
        os.kill(process, signal.SIGSTOP if stops else signal.SIGKILL)
        until(lambda: self.leading(term)[0], MOST_S)
        self.seconds.append(time.monotonic() - began)
        if stops:
            self.stood_still += 1
            time.sleep(self.chance.random() * 0.6)
            os.kill(process, signal.SIGCONT)
        self.refused += self.rooms[place].wait(MOST_S) == _FENCED
        self.rooms[place] = self.start(place)


def until(found: Callable[[], Any], within_s: float) -> Any:
    end = time.monotonic() + within_s
    while True:
        value = found()
        if value and value != (0, 0):
            return value
        if time.monotonic() > end:
            raise SystemExit(f"nothing came within {within_s:.0f} s")
        time.sleep(0.02)


def examined(run: Run) -> dict[str, int]:
    """What is there afterwards, beside what was acknowledged."""
    key = InstallationKey(run.folder / "installation.key")
    engine = open_engine(ServerPlace(run.server, Database.CONTROL), *CONTROL_TABLES)
    log = AuditLog(engine, SystemClock(), key.sign, key.public)
    alerts = open_engine(ServerPlace(run.server, Database.ALERTS), ALERT_TABLES)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT text FROM log ORDER BY number").scalars().all()
        state = {str(clip): str(kept) for clip, kept in connection.exec_driver_sql("SELECT clip, state FROM cases")}
    with alerts.connect() as connection:
        raised = Counter(connection.exec_driver_sql("SELECT run FROM alerts").scalars().all())
    entries = [(one["event"], one["subject"]) for one in map(json.loads, rows) if one["subject"].count("-") == 3]
    terms = [int(name.split("-")[0]) for _, name in entries]
    told = Counter(entries)
    asked = [tuple(line.split()) for line in run.acknowledged()]
    events = {"case": "case-opened", "doom": "shred-ordered"}
    lost = 0
    for kind, name in asked:
        if kind == "alert":
            lost += raised[name] != 1
        else:
            lost += told[events[kind], name] != 1 or name not in state or (kind == "doom" and state[name] != CaseState.DESTROYING)
    return {
        "acknowledged": len(asked),
        "entries": len(rows),
        "lost": lost,
        "doubled": sum(count > 1 for count in (*told.values(), *raised.values())),
        "two led": sum(later < earlier for earlier, later in pairwise(terms)),
        "chain broken": len(list(verify(log.export(), is_signed, key.public))),
    }


def measured(kills: int, seed: int, base: Path) -> dict[str, float]:
    """The whole run, on a server made for it."""
    cluster = Cluster()
    try:
        run = Run(cluster.place(cluster.fresh()).server, base, random.Random(seed))
        InstallationKey(base / "installation.key")
        run.rooms = [run.start(0), run.start(1)]
        try:
            for _ in range(kills):
                run.disturb()
        finally:
            for one in run.rooms:
                one.kill()
                one.wait()
        seconds = sorted(run.seconds)
        return {
            "kills": len(seconds),
            "stood still": run.stood_still,
            "refused when it went on": run.refused,
            **examined(run),
            "takeover p50 s": round(seconds[len(seconds) // 2], 2),
            "takeover max s": round(seconds[-1], 2),
        }
    finally:
        cluster.end()


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    for name in ("room", "server", "name", "folder"):
        parser.add_argument(f"--{name}", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.room is not None:
        folder = Path(given.folder)
        return room(Server(given.server, 5432, given.name, "blickschutz"), folder, f"room {given.room}", folder / "acknowledged")
    with tempfile.TemporaryDirectory(prefix="leader-") as base:
        figures = measured(given.kills, given.seed, Path(base))
    print(json.dumps(figures) if given.json else "\n".join(f"{name:26s} {value}" for name, value in figures.items()))
    bad = any(figures[name] for name in ("lost", "doubled", "two led", "chain broken"))
    return 1 if bad or figures["refused when it went on"] != figures["stood still"] else 0


if __name__ == "__main__":
    sys.exit(main())
