"""Make the data folder that a revision of this software leaves, with everything in it that must survive an upgrade.

    python scripts/golden_folder.py REVISION

The revision's own code fills the folder and then says what it reads in it; both go to tests/golden/folders/REVISION.
A release adds its own: later versions prove with it that they lose nothing. Nothing in it is real: no person, no picture.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from inspect import signature
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests/golden/folders"
START = 1_790_000_000.0
DAY = date(2026, 9, 21)
HOUR_S = 3600.0
CAMERA = "vorplatz-nord"
PASSWORD = PASSPHRASE = "golden folder, nobody's"
PEOPLE = ("kvd-1", "kvd-2", "aufsicht")
ROWS_OF_THE_LOG = 520  # more than one checkpoint that comes by itself


class StepClock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    def now(self) -> float:
        return START + self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds


def first(*names: str) -> Any:
    """The first of these modules, or attributes of modules (`module:name`), that the revision has; None where it has none."""
    for name in names:
        module, _, attribute = name.partition(":")
        try:
            found = importlib.import_module(f"blickschutz.{module}")
        except ModuleNotFoundError:
            continue
        if not attribute or hasattr(found, attribute):
            return getattr(found, attribute) if attribute else found
    return None


class StepTime:
    """The time for deadlines as cases take it: see `review.ports.CaseTime` of revisions that have one."""

    def __init__(self, clock: StepClock) -> None:
        self._clock = clock

    def stamp(self) -> tuple[str, float]:
        return "golden", self._clock.now()

    def of_date(self, wall: float) -> float:
        return wall


class Folder:
    """One revision's stores over one folder."""

    def __init__(self, data: Path) -> None:
        self.data, self.clock = data, StepClock()
        self.open = first("storage.engine:open_engine", "storage.sqlite:open_engine")
        rooms = ("audit.io.log", "access.io.accounts", "access.io.factors", "access.io.store", "review.io.store", "rights.io.store")
        self.engine = self.open(data / "control.db", *(first(room).METADATA for room in rooms if first(room)))
        vault = first("vault.io.files")
        self.key = vault.InstallationKey(data / "keys" / "installation.key")
        self.log = first("audit.io.log").AuditLog(self.engine, self.clock, self.key.sign, self.key.public)
        self.event = first("audit.model:Event")
        self.keys = vault.KeyFolder(data / "keys" / "reviewers")
        notes = first("review.io.beside:NotesBeside")
        beside = (notes(data / "clips", self.key),) if notes is not None else ()
        self.cases = first("review.io.store").SqlCaseStore(self.engine, self.log, *beside)
        desk = first("review.service").CaseDesk
        stamps = (StepTime(self.clock),) if "time" in signature(desk).parameters else ()
        self.desk = desk(self.cases, self.clock, 61.0, *stamps)
        self.shelf = first("retention.io.shelf").ClipShelf(data / "clips", (data / "exports",))
        self.alerts = first("alerts.io.store").SqlAlertStore(self.open(data / "alerts.db", first("alerts.io.tables").METADATA))
        self.passwords = first("access.io.store").PasswordStore(self.engine, self.log, self.clock)

    def close(self) -> None:
        self.log.checkpoint()
        self.engine.dispose()
        self.alerts.close()

    # --- what is in it ---

    def fill(self) -> None:
        self.log.write(self.event.SYSTEM_STARTED, "system", facts={"cameras": 1})
        for number in range(ROWS_OF_THE_LOG):
            self.log.write(self.event.SIGNED_IN, PEOPLE[number % len(PEOPLE)])
        self.fill_people()
        self.fill_cases()
        self.fill_rights()
        self.fill_alerts()
        self.fill_regime()
        self.fill_time()
        self.log.write(self.event.SYSTEM_ENDED, "system")

    def fill_time(self) -> None:
        clock = first("retention.io.clock")
        if clock is not None:
            clock.RetentionClock(self.data / "retention.clock", self.clock).now()
            return
        make_records = first("bootstrap.records:make_records")
        site = first("config.loader").load_site(Path(os.environ["GOLDEN_SITE"]))
        make_records(site, self.data, self.clock, {}, repair=True).clock.look()

    def fill_people(self) -> None:
        enrol = first("vault.service:enrol")
        for name in PEOPLE[:2]:
            self.keys.put(enrol(name, PASSPHRASE))
        for name in PEOPLE:
            self.passwords.set(name, PASSWORD, "terminal")
        if first("access.io.accounts") is None:
            return  # people were in the site file only
        access = first("access.model")
        accounts = first("access.io.accounts").AccountStore(self.engine, self.log, self.clock)
        review, supervision = frozenset({access.Role.REVIEW}), frozenset({access.Role.SUPERVISION})
        accounts.take_over([access.Member(name, name, review, date(2027, 12, 31)) for name in PEOPLE[:2]])
        accounts.take_over([access.Member(PEOPLE[2], PEOPLE[2], supervision, None)])
        accounts.set_state(PEOPLE[0], access.AccountState.ACTIVE, "terminal")
        accounts.set_state(PEOPLE[2], access.AccountState.BLOCKED, "terminal")
        kind = access.ChangeKind.INVITE
        for name in ("kvd-3", "kvd-4"):
            number = accounts.propose(access.Change(0, kind, name, name, review, None, PEOPLE[0], 0.0), "ab" * 32)
        accounts.confirm(number, PEOPLE[1], "ef" * 32, START + HOUR_S)
        stores = first("access.io.factors")
        factors = stores.FactorStore(self.engine, self.log, self.clock, self.data / "keys" / "factors.key")
        factors.add(PEOPLE[0], access.FactorKind.TOTP, "phone", b"a secret of nobody", 0)
        tokens = stores.TokenStore(self.engine, self.log, self.clock)
        tokens.add(PEOPLE[0], "program", "cd" * 32, frozenset({next(iter(access.Permission))}), START + 90 * 24 * HOUR_S)

    def clip(self, letter: str) -> Path:
        """A sealed clip of some bytes."""
        model, service = first("recording.model"), first("vault.service")
        name, key = letter * 32, service.new_key()
        self.shelf.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        header = model.ClipHeader(
            clip=name,
            installation=self.key.installation,
            camera=CAMERA,
            mode=model.ClipMode.SEALED,
            cause="manual",
            opened=self.clock.now(),
        )
        opening = model.Opening(
            digest=b"", init=b"i", codec="h264", width=64, height=48, style="mosaic", privacy_zones=(), px_per_metre=None
        )
        path: Path = self.shelf.path(name)
        writer = first("recording.io.clipfile").ClipWriter(path, header, service.seal_key(key, name, self.keys.reviewers()), key, opening)
        for number in range(3):
            writer.add(model.Gop(data=bytes([number]) * 600, key=True, pts=(number,), times=(), masks=(), marks=()))
        writer.close(model.CloseReason.OVER, self.clock.now())
        return path

    def case(self, letter: str, *, closed: bool = True, path: Path | None = None) -> Any:
        model = first("review.model")
        name = letter * 32
        new = model.Case(0, name, CAMERA, "sealed", "person_down", self.clock.now(), model.CaseState.RECORDING)
        case = self.desk.opened(new)
        self.clock.sleep(60.0)
        if closed:
            data = path.read_bytes() if path is not None else b""
            facts = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "close_reason": "over", "alerts": (1,)}
            self.desk.closed(replace(case, closed=self.clock.now(), seconds=60.0, **facts))
        return self.cases.get(case.id)

    def fill_cases(self) -> None:
        model = first("review.model")
        verdict, ground = model.Verdict, model.Ground.CRIMINAL_OFFENCE
        incident = (verdict.INCIDENT, "seen", ground, "KL-1")
        self.case("0", closed=False)
        self.case("1", path=self.clip("1"))
        self.desk.verdict(self.case("2").id, PEOPLE[0], verdict.NO_INCIDENT, "")
        third = self.case("3")
        self.desk.verdict(third.id, PEOPLE[0], verdict.FALSE_ALARM, "a dog")
        self.desk.verdict(third.id, PEOPLE[1], *incident)
        held = self.case("4", path=self.clip("4"))
        for person in PEOPLE[:2]:
            self.desk.verdict(held.id, person, *incident)
        longer = self.case("5")
        for person in PEOPLE[:2]:
            self.desk.verdict(longer.id, person, *incident)
        self.desk.propose_hold(longer.id, PEOPLE[0], ground, "KL-2", START + 100 * 24 * HOUR_S)
        self.desk.propose_hold(self.case("6").id, PEOPLE[2], ground, "KL-3", START + 30 * 24 * HOUR_S)
        self.desk.expire(self.case("7"), "unreviewed")
        gone = self.case("8")
        for person in PEOPLE[:2]:
            self.desk.verdict(gone.id, person, verdict.NO_INCIDENT, "")
        receipt = {"clip": gone.clip, "case": gone.id, "absent": True, "destroyed": self.clock.now()}
        self.cases.shredded(self.cases.get(gone.id), receipt, self.clock.now())

    def fill_rights(self) -> None:
        if first("rights.io.store") is None:
            return
        model, folder = first("rights.model"), self
        case = self.case("9")

        class Recordings:
            """Cases as requests see them."""

            def between(self, starts: float, ends: float, cameras: object) -> list[Any]:
                return [
                    model.Recording(one.id, one.clip, one.camera, one.opened, one.seconds) for one in folder.cases.between(starts, ends)
                ]

            def restrict(self, number: int, request: int, by: str) -> bool:
                return bool(folder.desk.restrict(number, request, by))

            def free(self, number: int, request: int, by: str) -> None:
                folder.desk.free(number, request, by)

            def erase(self, number: int, people: Any) -> bool:
                return bool(folder.desk.erase(number, people))

            def restricted(self) -> list[tuple[int, int]]:
                return []

        store = first("rights.io.store").SqlRightsStore(self.engine, self.log)
        desk = first("rights.service").RightsDesk(store, Recordings(), self.clock, lambda: DAY)
        rights = (model.Right.ACCESS, model.Right.RESTRICTION)
        blank = model.Request(0, model.RequestState.OPEN, DAY, rights, "N. N.", "", "de", PEOPLE[2], 0.0)
        asked = desk.record(replace(blank, starts=case.opened - 60, ends=case.opened + 60))
        desk.restrict(asked.id, [case.id], PEOPLE[2])
        prepared, answered = desk.record(blank), desk.record(blank)
        for one in (prepared, answered):
            desk.prepare(one.id, model.Outcome.NOTHING_FOUND, "", PEOPLE[2])
        desk.confirm(answered.id, PEOPLE[0])
        extended = desk.record(blank)
        desk.extend(extended.id, "many recordings", PEOPLE[2])
        met, later = (desk.assigned(number, str(number) * 32, model.DutySource.HAND, PEOPLE[0]) for number in (4, 5))
        desk.assigned(6, "6" * 32, model.DutySource.RELEASE, PEOPLE[0])
        desk.meet(met.id, model.Settlement.INFORMED, "by letter", None, PEOPLE[2])
        desk.meet(later.id, model.Settlement.DEFERRED, "investigation", date(2026, 12, 1), PEOPLE[2])

    def fill_alerts(self) -> None:
        model, situation = first("alerts.model"), first("situations.kinds", "kernel.situation")
        desk = first("alerts.service").AlertDesk(self.alerts, self.clock, ["mail"], 120.0)
        box = first("kernel.geometry").Box(0.1, 0.2, 0.3, 0.4)

        def raised(number: int, notify: bool = True) -> Any:
            one = situation.Situation(number, situation.Kind.LOITERING, "door", 1.0, self.clock.now(), 0.75, {"seconds": 30.0}, box)
            self.clock.sleep(10.0)
            return desk.take(CAMERA, one, notify=notify, run="r")

        numbers = [raised(number).id for number in range(1, 6)]
        raised(6, notify=False)
        self.clock.sleep(200.0)
        desk.escalate_overdue()
        numbers.append(raised(7).id)
        for number in numbers[1:4]:
            desk.acknowledge(number, PEOPLE[0])
        desk.act(numbers[2], PEOPLE[0], "called")
        desk.close(numbers[3], PEOPLE[0], model.Outcome.FALSE_ALARM, "a dog")
        desk.order_recording(numbers[1], PEOPLE[0], "to be seen")
        self.alerts.put_clip(numbers[3], b"\x00\x01 redacted seconds of nobody")
        self.alerts.sent(1, self.clock.now())
        self.alerts.failed(2, self.clock.now() + 60.0, "refused")

    def fill_regime(self) -> None:
        keeper = first("control.service.hours:RegimeKeeper", "bootstrap.hours:RegimeKeeper")
        site = first("config.loader").load_site(Path(os.environ["GOLDEN_SITE"]))
        regime = keeper(site, self.clock, self.data / "regime.jsonl")
        name = first("regime.model:RegimeName").NIGHT
        regime.set_override(name, datetime.fromtimestamp(START + 24 * HOUR_S, UTC), "assembly", PEOPLE[2])

    # --- what its own code reads in it ---

    def expected(self) -> dict[str, Any]:
        msgspec = importlib.import_module("msgspec")
        states = list(first("review.model:CaseState"))
        found = {
            "cases": self.cases.find(states=states, most=1000),
            "alerts": [(alert, self.alerts.history(alert.id)) for alert in self.alerts.find(most=1000)],
            "unsent": self.alerts.unsent(),
            "tally": self.alerts.tally(0.0),
            "log": self.log.state()[:2],
            "reviewers": [(one.id, one.public.hex()) for one in self.keys.reviewers()],
            "public": self.key.public.hex(),
            "retention": (self.data / "retention.clock").read_text(encoding="ascii"),
            "rows": {name: counts(self.data / name) for name in ("control.db", "alerts.db")},
            "requests": [],
            "duties": [],
            "members": [],
        }
        if first("rights.io.store"):
            store = first("rights.io.store").SqlRightsStore(self.engine, self.log)
            found["requests"] = [*store.open(), *store.latest(100)]
            found["duties"] = [*store.duties(settled=False), *store.duties(settled=True)]
        if first("access.io.accounts"):
            accounts = first("access.io.accounts").AccountStore(self.engine, self.log, self.clock)
            found["members"] = sorted(accounts.members().values(), key=lambda one: str(one.id))
        return dict(msgspec.to_builtins(found, str_keys=True))


def counts(path: Path) -> dict[str, int]:
    """Rows of each table."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}


def make(data: Path, expected: Path) -> None:
    """In the revision's own environment: fill the folder, write what is read in it."""
    folder = Folder(data)
    folder.fill()
    folder.close()
    again = Folder(data)
    again.log.write(again.event.SYSTEM_STARTED, "system", facts={"cameras": 1})
    expected.write_text(json.dumps(again.expected(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    # As after a power cut: the newest rows are in the journal only.
    os._exit(0)


def run(revision: str) -> Path:
    """Check the revision out, let its code make a folder, keep that."""
    name = subprocess.check_output(["git", "rev-parse", "--short=7", revision], cwd=ROOT, text=True).strip()
    target = GOLDEN / name
    with tempfile.TemporaryDirectory(prefix="golden-") as scratch:
        tree, data, expected = Path(scratch) / "tree", Path(scratch) / "data", Path(scratch) / "expected.json"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(tree), revision], cwd=ROOT, check=True)
        try:
            environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "GOLDEN_SITE": str(tree / "examples/rathaus-kaiserslautern.toml")}
            command = [sys.executable, __file__, "--make", str(data), str(expected)]
            subprocess.run(command, cwd=scratch, env=environment, check=True)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)
        target.mkdir(parents=True, exist_ok=True)
        with tarfile.open(target / "folder.tar.gz", "w:gz") as archive:
            archive.add(data, arcname="data")
        (target / "expected.json").write_bytes(expected.read_bytes())
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("revision", nargs="?", default="HEAD")
    parser.add_argument("--make", nargs=2, type=Path, metavar=("DATA", "EXPECTED"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.make:
        make(*arguments.make)
    else:
        print(run(arguments.revision))


if __name__ == "__main__":
    main()
