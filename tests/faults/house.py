"""A data folder with everything that a backup is about: log, cases, holds, alerts with pictures, keys, clips."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from nacl.public import PrivateKey
from nacl.pwhash import argon2id
from nacl.secret import SecretBox
from sqlalchemy import text

from blickschutz.access.io.accounts import METADATA as ACCOUNT_TABLES
from blickschutz.alerts.io.tables import METADATA as ALERT_TABLES
from blickschutz.audit.io.log import METADATA as LOG_TABLES
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.backup.io.make import Plan
from blickschutz.installation.io.folder import open_folder
from blickschutz.installation.model import Use
from blickschutz.review.io.beside import NotesBeside
from blickschutz.review.io.store import METADATA as CASE_TABLES
from blickschutz.review.io.store import SqlCaseStore
from blickschutz.review.model import Case, CaseState, Ground, Hold
from blickschutz.storage.engine import open_engine, writing
from blickschutz.vault.io.files import InstallationKey, KeyFolder, write_private
from blickschutz.vault.model import SealedPrivateKey
from tests.faults.movers import place

WORDS = {"kvd-1": "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE", "kvd-2": "FFFFF-GGGGG-HHHHH-JJJJJ-KKKKK", "dsb": "MMMMM-NNNNN-PPPPP-QQQQQ-RRRRR"}
PICTURE, CLIP, SEALED = b"PICTURE-OF-SOMEBODY" * 40, b"BLKSCLIP-with-its-shares" * 40, b"sealed-private-key-of-a-reviewer"


@lru_cache
def recovery_key(person: str) -> SealedPrivateKey:
    """As `vault.service.enrol` makes it, at the least cost that argon2id knows: it is slow on purpose."""
    private, salt = PrivateKey.generate(), bytes(argon2id.SALTBYTES)
    key = argon2id.kdf(SecretBox.KEY_SIZE, WORDS[person].encode(), salt, 1, argon2id.MEMLIMIT_MIN)
    sealed = bytes(SecretBox(key).encrypt(bytes(private)))
    return SealedPrivateKey(person, bytes(private.public_key), salt, 1, argon2id.MEMLIMIT_MIN, sealed)


class DataHouse:
    """The stores of a site in `folder`, without a system around them."""

    def __init__(self, folder: Path, clock) -> None:
        self.folder, self.clock = folder, clock
        open_folder(place(folder), Use.BESIDE, "test", clock, make=True).close()
        self.key = InstallationKey(folder / "keys/installation.key")
        self.engine = open_engine(folder / "control.db", LOG_TABLES, ACCOUNT_TABLES, CASE_TABLES)
        self.log = AuditLog(self.engine, clock, self.key.sign, self.key.public)
        self.cases = SqlCaseStore(self.engine, self.log, NotesBeside(folder / "clips", self.key))
        self.site, self.facts = folder.parent / "site.toml", folder.parent / "site.facts.toml"

    @property
    def plan(self) -> Plan:
        return Plan(self.folder, "rathaus", self.site, self.facts, 0, "en")

    def fill(self, cases: int = 6) -> None:
        """Every third case held, clips for all, an alert with pictures, people with recovery words, one reviewer."""
        self.site.write_text('[site]\nname = "A"\n', encoding="utf-8")
        self.facts.write_text("format = 1\n", encoding="utf-8")
        for person in ("kvd-1", "kvd-2", "dsb"):
            KeyFolder(self.folder / "keys/recovery").put(recovery_key(person))
        KeyFolder(self.folder / "keys/reviewers").put(SealedPrivateKey("kvd-1", bytes(32), bytes(16), 3, 8192, SEALED))
        write_private(self.folder / "keys/factors.key", bytes(range(32)))
        write_private(self.folder / "retention.clock", b"1700000000.0\n")
        for number in range(cases):
            self.case(held=number % 3 == 0)
        engine = open_engine(self.folder / "alerts.db", ALERT_TABLES)
        with writing(engine) as connection:
            row = "'vorplatz', 'running', 'all', 'cell', 'open', 1.0, 1.0, 0.9, '{}', 'null', '', 1, 0"
            names = "camera, kind, zone, origin, state, taken, raised, confidence, figures, box, note, has_clip, record_ordered"
            connection.execute(text(f"INSERT INTO alerts ({names}) VALUES ({row})"))
            connection.execute(text("INSERT INTO alert_moments VALUES (1, :data)"), {"data": PICTURE})
        engine.dispose()

    def case(self, *, held: bool) -> Case:
        case = self.cases.add(Case(0, uuid.uuid4().hex, "vorplatz", "sealed", "manual", self.clock.now(), CaseState.RECORDING))
        self.cases.close(replace(case, state=CaseState.WAITING, seconds=5.0, size=len(CLIP), sha256="ab" * 32))
        case = self.cases.get(case.id)
        if held:
            hold = Hold(Ground.CRIMINAL_OFFENCE, "KL-1", "kvd-1", self.clock.now() + 1e7, ("kvd-1", "kvd-2"), self.clock.now())
            assert self.cases.set_hold(case, hold, CaseState.HELD)
        write_private(self.folder / f"clips/{case.clip}.clip", CLIP + case.clip.encode())
        return self.cases.get(case.id)

    def note(self, event: Event = Event.SYSTEM_STARTED) -> None:
        self.log.write(event, "system")

    def close(self) -> None:
        self.engine.dispose()


def dump(database: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table but those of pictures, in an order of its own."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as found:
        names = [name for (name,) in found.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            name: sorted(found.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)
            for name in names
            if name not in {"alert_moments", "alert_clips"}
        }
