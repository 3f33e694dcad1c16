"""The database of a field: codes, what was spent, sealed answers, totals. SQLite, one writer.

What a disk shows of the order in which rows were written would put spent codes beside answers. So what is spent lies where its hash
says (`spent`), answers lie in tables without row numbers and move in shuffled batches from `inbox` to `answers`, and at each batch the
write-ahead log is cut to nothing; what is deleted is overwritten, and at the end the whole file is written anew.

Forms that wait together are kept together: one transaction, and one wait for the disk. Who only reads has a connection of their own,
and so has who cuts the log, so that nobody waits for a disk but those whose form is being kept.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from stimmungsbild.collection.model import Door, Outcome, Totals
from stimmungsbild.collection.spent import TABLE, Spent

BATCH = 20
_ID_BYTES = 16
# The log is cut at each batch, by whoever shuffles. Where that fails again and again, commits do it from this many pages on (64 MiB).
_LONGEST_LOG = 16_384
_TABLES = f"""
CREATE TABLE IF NOT EXISTS codes (hash BLOB PRIMARY KEY, door TEXT NOT NULL) WITHOUT ROWID;
{TABLE}CREATE TABLE IF NOT EXISTS inbox (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS totals (
    door TEXT, stratum TEXT, value TEXT, many INTEGER NOT NULL, PRIMARY KEY (door, stratum, value)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (closed INTEGER NOT NULL, acknowledged INTEGER NOT NULL);
INSERT INTO state SELECT 0, 0 WHERE NOT EXISTS (SELECT * FROM state);
"""


class Taking(msgspec.Struct, frozen=True):
    """One form to keep: hashes of its ticket and of its code (empty at the open door), its sealed answer, where it counts."""

    ticket: bytes
    code: bytes
    sealed: bytes
    door: Door
    strata: tuple[tuple[str, str], ...]


class Store:
    """Every method may be called from any thread. Raises `sqlite3.Error` where the disk does not take it."""

    def __init__(self, path: Path, randomness: Callable[[int], bytes]) -> None:
        self._random, self._path = randomness, path
        self._lock, self._reads, self._cuts = threading.Lock(), threading.Lock(), threading.Lock()
        self._db = self._connect(cache_kib=16_384)
        path.chmod(0o600)
        self._db.executescript(_TABLES)
        self._spent = Spent(self._db)
        self._from_rows()
        self._reader, self._cutter = self._connect(cache_kib=8192), self._connect(cache_kib=64)
        self._seen = Spent(self._reader)

    def _connect(self, cache_kib: int) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "secure_delete = ON",
            "temp_store = MEMORY",
            "busy_timeout = 5000",
            f"wal_autocheckpoint = {_LONGEST_LOG}",
            f"cache_size = -{cache_kib}",
        ):
            db.execute(f"PRAGMA {pragma}")
        return db

    def _from_rows(self) -> None:
        """What a field that began with an earlier version had spent lay in rows of a table."""
        if self._db.execute("SELECT name FROM sqlite_master WHERE name = 'spent'").fetchone():
            with self._writing() as db:
                self._spent.begin()
                for (one,) in db.execute("SELECT hash FROM spent ORDER BY hash").fetchall():
                    self._spent.add(one)
                self._spent.write()
                db.execute("DROP TABLE spent")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db

    def _one(self, sql: str, *values: object) -> int:
        with self._reads:
            return int(self._reader.execute(sql, values).fetchone()[0])

    def add_codes(self, door: Door, hashes: Iterable[bytes]) -> None:
        """Take codes for a door; in the order of their hashes, which is no order."""
        with self._writing() as db:
            db.executemany("INSERT INTO codes VALUES (?, ?)", [(one, door.value) for one in sorted(hashes)])

    def door_of(self, code: bytes) -> Door | None:
        """The door of a code that may still be spent."""
        with self._reads:
            row = self._reader.execute("SELECT door FROM codes WHERE hash = ?", [code]).fetchone()
            self._seen.begin()
            return Door(row[0]) if row and code not in self._seen else None

    def was_sent(self, ticket: bytes) -> bool:
        """Whether a form with this ticket was acknowledged."""
        with self._reads:
            self._seen.begin()
            return ticket in self._seen

    def spent(self) -> frozenset[bytes]:
        """Hashes of all tickets and codes that were spent."""
        with self._reads:
            return self._seen.everything()

    @property
    def closed(self) -> bool:
        """Whether the field has ended."""
        return bool(self._one("SELECT closed FROM state"))

    def take(self, forms: Sequence[Taking], *, shuffle: bool) -> tuple[list[Outcome], bool]:
        """Spend and keep, all in one transaction: what came of each form.

        A form whose ticket was spent is `ALREADY` here, one whose code was is `REFUSED`; neither leaves a trace. With `shuffle` a batch
        goes to the answers together with what waited, if it is large enough; whether it did, so that the log is to be cut.
        """
        with self._writing() as db:
            if db.execute("SELECT closed FROM state").fetchone()[0]:
                return [Outcome.CLOSED] * len(forms), False
            self._spent.begin()
            outcomes = [self._spend(one) for one in forms]
            taken = [one for one, outcome in zip(forms, outcomes, strict=True) if outcome is Outcome.TAKEN]
            if not taken:
                return outcomes, False
            self._spent.write()
            sealed = [one.sealed for one in taken]
            batch = shuffle and len(sealed) + db.execute(f"SELECT count(*) FROM (SELECT 1 FROM inbox LIMIT {BATCH})").fetchone()[0] >= BATCH
            self._keep(db, "answers" if batch else "inbox", [*sealed, *self._waiting(db)] if batch else sealed)
            db.execute("UPDATE state SET acknowledged = acknowledged + ?", [len(taken)])
            many = Counter((one.door.value, *counted) for one in taken for counted in (("all", "all"), *one.strata))
            db.executemany(
                "INSERT INTO totals VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET many = many + excluded.many",
                sorted((*counted, count) for counted, count in many.items()),
            )
        return outcomes, batch

    def _keep(self, db: sqlite3.Connection, where: Literal["answers", "inbox"], sealed: Iterable[bytes]) -> None:
        """Under new names that are chance, written in their order and not in that in which forms came."""
        db.executemany(f"INSERT INTO {where} VALUES (?, ?)", sorted((self._random(_ID_BYTES), one) for one in sealed))

    def _waiting(self, db: sqlite3.Connection) -> list[bytes]:
        """Take what waits out of the inbox."""
        found = [sealed for (sealed,) in db.execute("SELECT sealed FROM inbox")]
        db.execute("DELETE FROM inbox")
        return found

    def _spend(self, form: Taking) -> Outcome:
        if form.ticket in self._spent:
            return Outcome.ALREADY
        if form.code and form.code in self._spent:
            return Outcome.REFUSED
        for one in (form.ticket, form.code) if form.code else (form.ticket,):
            self._spent.add(one)
        return Outcome.TAKEN

    def shuffle(self) -> None:
        """Move what waits to the answers, however few they are."""
        with self._writing() as db:
            self._keep(db, "answers", self._waiting(db))
        self.cut()

    def cut(self) -> None:
        """Cut the write-ahead log to nothing. Most of it goes to the file while forms are taken; they wait for the little that is left."""
        with self._cuts:
            self._cutter.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            with self._lock:
                self._cutter.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close_field(self) -> None:
        """End the field for good: nothing more is taken, the whole file is written anew in the order of hashes and random names."""
        with self._writing() as db:
            db.execute("UPDATE state SET closed = 1")
        self.shuffle()
        with self._lock:
            self._db.execute("VACUUM")
        self.cut()

    def answers(self) -> tuple[bytes, ...]:
        """All sealed answers, in the order of their random names."""
        with self._reads:
            return tuple(row[0] for row in self._reader.execute("SELECT sealed FROM answers ORDER BY id"))

    def acknowledged(self) -> int:
        """How many forms were acknowledged."""
        return self._one("SELECT acknowledged FROM state")

    def letters(self) -> dict[Door, int]:
        """How many codes of each door there are."""
        with self._reads:
            return {Door(door): many for door, many in self._reader.execute("SELECT door, count(*) FROM codes GROUP BY door")}

    def totals(self) -> Totals:
        """Exact totals; `rules.rounded` says what may be known of them."""
        found: dict[Door, dict[str, dict[str, int]]] = {}
        with self._reads:
            for door, stratum, value, many in self._reader.execute("SELECT * FROM totals"):
                found.setdefault(Door(door), {}).setdefault(stratum, {})[value] = many
        return found

    def close(self) -> None:
        """Let go of the file."""
        with self._cuts, self._reads, self._lock:
            for one in (self._cutter, self._reader, self._db):
                one.close()
