"""The one place that knows inner names: fills a data folder, serves it with cells of our own, and reads its records."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import secrets
import socket
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import msgspec

from blickschutz.access.rules import PERSONAL, permitted
from blickschutz.access.service.sessions import hashed
from blickschutz.alerts.model import By
from blickschutz.alerts.service import AlertDesk
from blickschutz.bootstrap.records import make_records
from blickschutz.config.loader import load_site
from blickschutz.demo.site import seed as seed_people
from blickschutz.recording.io.clipfile import ClipWriter
from blickschutz.recording.model import ClipEvent, ClipHeader, ClipMode, ClipNews, CloseReason, Gop, Opening
from blickschutz.retention.io.sources import ClockSources
from blickschutz.retention.model import Receipt
from blickschutz.retention.rules import receipt_text
from blickschutz.review.model import Ground, Verdict
from blickschutz.rights.model import Request, RequestState, Right
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.vault.io.files import is_signed
from blickschutz.vault.service import new_key, seal_key

HOUR, DAY = 3600.0, 86_400.0
_OPENING = Opening(digest=b"", init=b"i", codec="h264", width=64, height=48, style="mosaic", privacy_zones=(), px_per_metre=None)
_FOREVER_S = 3650 * DAY


@dataclass
class Person:
    """How somebody signs in; `token` is for the programming interface."""

    id: str
    password: str
    passphrase: str
    totp: str
    token: str = ""


@dataclass
class Planted:
    """A clip as the harness knows it. `due` is when it must go (POSIX; infinity: it must stay), `why` is the reason a receipt may give."""

    clip: str
    case: int
    role: str
    opened: float
    due: float
    sha256: str
    size: int
    why: str = "unreviewed"
    verdicts: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Held, or restricted for a request: no deadline of this round ends it."""
        return self.due == float("inf")


class SeedClock:
    """A wall clock that is set and never goes back; the steady one goes with it, from `origin` on."""

    def __init__(self, wall: float, origin: float) -> None:
        self.wall, self._origin = wall, origin

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.wall - self._origin

    def sleep(self, seconds: float) -> None:
        self.wall += seconds

    def go(self, at: float) -> None:
        assert at >= self.wall, "what happened later is seeded later"
        self.wall = at


class Seeding:
    """Fills a data folder through the public stores and desks, at times that are set and run forward.

    `boot` names the boot in which that happens, `booted` is when it began: after the last one, before the next.
    """

    def __init__(self, site: Path, data: Path, at: float, boot: str, booted: float) -> None:
        self.clock = SeedClock(at, booted)
        self.site = load_site(site)
        sources = ClockSources(self.clock, boot, synchronised=True)
        self.records = make_records(self.site, data, self.clock, {}, repair=True, sources=sources)
        self.records.keeping.begin()
        self.records.archive.time.check()

    @property
    def root(self) -> str:
        """The root of the register that the people founded."""
        return self.records.archive.enrolment.known_root()

    def people(self) -> dict[str, Person]:
        """Everybody can sign in, has a token for all that a token may, and a key where the role needs one."""
        found = {}
        access = self.records.office.access
        for one in seed_people(self.records):
            person = Person(one.person, one.password, one.passphrase, one.totp.hex(), "bls_" + secrets.token_urlsafe(32))
            member = access.members[one.person]
            scopes = frozenset(permitted(member) - PERSONAL)
            access.tokens.add(one.person, "faults", hashed(person.token), scopes, self.clock.now() + _FOREVER_S)
            found[one.person] = person
        return found

    def clip(self, camera: str, role: str, opened: float, due: float) -> Planted:
        """A sealed clip with its case, as a cell would have left it."""
        records, clip, key = self.records, uuid.uuid4().hex, new_key()
        records.archive.shelf.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.clock.go(opened)
        header = ClipHeader(
            clip=clip, installation=records.archive.key.installation, camera=camera, mode=ClipMode.SEALED, cause="manual", opened=opened
        )
        path = records.archive.shelf.path(clip)
        writer = ClipWriter(path, header, seal_key(key, clip, records.archive.keys.reviewers()), key, _OPENING)
        for number in range(4):
            writer.add(Gop(data=number.to_bytes(4, "big") * 3000, key=True, pts=(number,), times=(), masks=(), marks=()))
        writer.close(CloseReason.OVER, opened + 12)
        news: dict[str, Any] = {"clip": clip, "mode": ClipMode.SEALED, "cause": "manual", "orders": (), "opened": opened}
        records.intake.take(camera, ClipNews(event=ClipEvent.OPENED, **news))
        self.clock.go(opened + 12)
        records.intake.take(camera, ClipNews(event=ClipEvent.CLOSED, closed=opened + 12, seconds=12.0, reason="over", **news))
        case = records.office.cases.store.by_clip(clip)
        assert case is not None
        return Planted(clip, case.id, role, opened, due, hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)

    def verdict(self, planted: Planted, person: str, word: str, at: float) -> None:
        self.clock.go(at)
        ground = Ground.CRIMINAL_OFFENCE if word == Verdict.INCIDENT.value else None
        given = self.records.office.cases.verdict(planted.case, person, Verdict(word), "gesehen", ground, "KL-1" if ground else "")
        assert given.__class__.__name__ == "CaseState", given
        planted.verdicts.append(person)

    def hold(self, planted: Planted, until: float, at: float) -> None:
        """Two people hold a clip until a moment."""
        self.clock.go(at)
        assert self.records.office.cases.propose_hold(planted.case, "kvd-1", Ground.LEGAL_CLAIM, "KL-2", until)
        cases = self.records.office.cases
        found = cases.store.get(planted.case)
        assert found is not None
        assert cases.confirm(planted.case, "kvd-2", found.version) is None

    def request(self, planted: Planted, at: float) -> int:
        """Somebody asks for their data; the clip is restricted for it. The number of the request."""
        self.clock.go(at)
        asked = Request(
            id=0,
            state=RequestState.OPEN,
            received=self.records.orders.today(),
            rights=(Right.ACCESS, Right.RESTRICTION),
            name="Erika Mustermann",
            contact="Musterweg 1",
            language="de",
            by="aufsicht",
            at=at,
            starts=planted.opened - 60,
            ends=planted.opened + 60,
        )
        made = self.records.office.rights.record(asked)
        assert isinstance(made, Request), made
        assert self.records.office.rights.restrict(made.id, [planted.case], "aufsicht") is None
        return made.id

    def alerts(self, cameras: Iterable[str], at: float) -> list[int]:
        """Three that wait, one taken on, one closed; nobody is told of them any more. Their numbers."""
        self.clock.go(at)
        desk = AlertDesk(self.records.alerts, self.clock, ())
        found = []
        for number, camera in enumerate([*cameras] * 3, 1):
            alert = desk.take(
                camera, Situation(number, Kind.LOITERING, "flaeche", 1.0, at, 0.8, {"seconds": 99.0}), notify=True, run="seed"
            )
            assert alert is not None
            found.append(alert.id)
        desk.acknowledge(found[0], By("Leitstelle", "leit-1"))
        desk.enter_owed(self.records.office.log)
        return found

    def expire(self, at: float) -> None:
        """What is due at a moment goes, as the running system does it."""
        self.clock.go(at)
        self.records.shredder.expire()
        self.records.shredder.work()

    def end(self, at: float) -> None:
        """The folder as after an orderly end at `at`."""
        self.clock.go(at)
        self.records.archive.time.check()
        self.records.keeping.end()


class Records:
    """What stands in the databases of a folder, read without the system: never written to."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def _rows(self, name: str, query: str, *values: object) -> list[sqlite3.Row]:
        with closing(sqlite3.connect(f"file:{self._data / name}?mode=ro", uri=True, timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(query, values).fetchall()

    def cases(self) -> dict[str, dict[str, Any]]:
        """By clip: id, state, opened, camera, and the facts (verdicts, hold, restricted, close_reason, ...)."""
        rows = self._rows("control.db", "select id, clip, camera, state, opened, facts from cases")
        return {
            row["clip"]: {**json.loads(row["facts"]), **{k: row[k] for k in ("id", "clip", "camera", "state", "opened")}} for row in rows
        }

    def entries(self, after: int = 0) -> list[dict[str, Any]]:
        """Entries of the log with their hashes, the oldest first."""
        rows = self._rows("control.db", "select text, hash from log where number > ? order by number", after)
        return [{"subject": "", "facts": {}, **json.loads(row["text"]), "hash": row["hash"]} for row in rows]

    def orders(self, numbers: Sequence[int]) -> list[str]:
        """Each of these orders in words."""
        rows = self._rows("control.db", "select number, state, facts from recording_orders order by number")
        return [f"order {row['number']} is {row['state']}: {row['facts']}" for row in rows if row["number"] in numbers]

    def alerts(self) -> dict[int, dict[str, Any]]:
        rows = self._rows("alerts.db", "select id, camera, kind, state, figures, raised from alerts")
        return {row["id"]: {**dict(row), "figures": json.loads(row["figures"])} for row in rows}

    def decisions(self) -> list[dict[str, Any]]:
        """What people did with alerts: alert, event, by."""
        return [dict(row) for row in self._rows("alerts.db", "select alert, at, event, by, text from alert_history")]


def receipt_faults(facts: dict[str, Any], public: bytes) -> list[str]:
    """What is wrong with a signed receipt by itself."""
    try:
        receipt = msgspec.convert(facts, Receipt)
    except msgspec.ValidationError as error:
        return [f"is no receipt: {error}"]
    if not is_signed(receipt_text(receipt), bytes.fromhex(receipt.signature), public):
        return ["is not signed by this installation"]
    return [] if receipt.absent else ["says itself that something was left"]


def public_key(data: Path) -> bytes:
    """The installation's public key, from the private one in its folder."""
    from nacl.signing import SigningKey

    return bytes(SigningKey((data / "keys" / "installation.key").read_bytes()).verify_key)


def serve(arguments: Sequence[str], launch: Callable[[socket.socket, str], BaseProcess]) -> None:
    """`blickschutz run` with these arguments, with cells that `launch` starts."""
    from blickschutz.bootstrap import system
    from blickschutz.cli.main import cli

    # Before the control room confines itself: afterwards it starts no program.
    multiprocessing.get_context("forkserver").set_forkserver_preload(["blickschutz.pipeline.preload"])
    forkserver.ensure_running()
    system.System.__init__.__defaults__ = tuple(  # only the default of `launch` is another
        launch if value is system.launch_cell else value for value in system.System.__init__.__defaults__ or ()
    )
    cli(["run", *arguments])


def run_cell(connection: socket.socket) -> None:
    """The real cell."""
    from blickschutz.pipeline.cell import run_cell as run

    run(connection)


def fork(target: Callable[[socket.socket], None], connection: socket.socket, name: str) -> BaseProcess:
    """Start a cell as the supervisor does."""
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=target, args=(connection,), name=f"cell-{name}", daemon=True)
    process.start()
    return process


def totp(person: Person, at: float) -> str:
    """The code that an authenticator shows at `at`."""
    from blickschutz.access.service.totp import code_at

    return code_at(bytes.fromhex(person.totp), int(at // 30))


def day_of(at: float) -> str:
    return f"{datetime.fromtimestamp(at):%Y-%m-%d}"
