"""The database of a field: codes, what was spent, sealed answers, totals. SQLite, one writer.

What a disk shows of the order in which rows were written would put spent codes beside answers. So both lie in tables without row
numbers, answers move in shuffled batches from `inbox` to `answers`, at each batch `spent` is written anew in the order of its hashes
and the write-ahead log is cut to nothing; what is deleted is overwritten, and at the end the whole file is written anew.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stimmungsbild.collection.model import Door, Totals

BATCH = 20
_ID_BYTES = 16
_TABLES = """
CREATE TABLE IF NOT EXISTS codes (hash BLOB PRIMARY KEY, door TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent (hash BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS inbox (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS totals (
    door TEXT, stratum TEXT, value TEXT, many INTEGER NOT NULL, PRIMARY KEY (door, stratum, value)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (closed INTEGER NOT NULL, acknowledged INTEGER NOT NULL);
INSERT INTO state SELECT 0, 0 WHERE NOT EXISTS (SELECT * FROM state);
"""


class SpentError(Exception):
    """Something was spent before; the transaction was taken back."""


class Store:
    """Every method may be called from any thread; one at a time is let in. Raises `sqlite3.Error` where the disk does not take it."""

    def __init__(self, path: Path, randomness: Callable[[int], bytes]) -> None:
        self._random, self._lock = randomness, threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        path.chmod(0o600)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "temp_store = MEMORY", "busy_timeout = 5000"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(_TABLES)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db

    def _one(self, sql: str, *values: object) -> int:
        with self._lock:
            return int(self._db.execute(sql, values).fetchone()[0])

    def add_codes(self, door: Door, hashes: Iterable[bytes]) -> None:
        """Take codes for a door; in the order of their hashes, which is no order."""
        with self._writing() as db:
            db.executemany("INSERT INTO codes VALUES (?, ?)", [(one, door.value) for one in sorted(hashes)])

    def door_of(self, code: bytes) -> Door | None:
        """The door of a code that may still be spent."""
        with self._lock:
            row = self._db.execute(
                "SELECT door FROM codes WHERE hash = ? AND NOT EXISTS (SELECT * FROM spent WHERE spent.hash = codes.hash)", [code]
            ).fetchone()
        return Door(row[0]) if row else None

    def was_sent(self, ticket: bytes) -> bool:
        """Whether a form with this ticket was acknowledged."""
        return bool(self._one("SELECT EXISTS (SELECT * FROM spent WHERE hash = ?)", ticket))

    @property
    def closed(self) -> bool:
        """Whether the field has ended."""
        return bool(self._one("SELECT closed FROM state"))

    def take(self, spend: Iterable[bytes], sealed: bytes, door: Door, strata: Iterable[tuple[str, str]]) -> int | None:
        """Spend and keep in one transaction. How many wait to be shuffled; None where the field has ended.

        Raises `SpentError` where one of `spend` was spent before.
        """
        with self._writing() as db:
            if db.execute("SELECT closed FROM state").fetchone()[0]:
                return None
            for one in spend:
                if not db.execute("INSERT OR IGNORE INTO spent VALUES (?)", [one]).rowcount:
                    raise SpentError
            db.execute("INSERT INTO inbox VALUES (?, ?)", [self._random(_ID_BYTES), sealed])
            db.execute("UPDATE state SET acknowledged = acknowledged + 1")
            for stratum, value in (("all", "all"), *strata):
                db.execute("INSERT INTO totals VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET many = many + 1", [door.value, stratum, value])
            return int(db.execute("SELECT count(*) FROM inbox").fetchone()[0])

    def shuffle(self) -> None:
        """Move what waits to the answers under new random names, and leave nothing of the order in which codes were spent."""
        with self._writing() as db:
            waiting = [(self._random(_ID_BYTES), sealed) for (sealed,) in db.execute("SELECT sealed FROM inbox")]
            db.executemany("INSERT INTO answers VALUES (?, ?)", sorted(waiting))
            db.execute("DELETE FROM inbox")
            spent = sorted(db.execute("SELECT hash FROM spent").fetchall())
            db.execute("DELETE FROM spent")
            db.executemany("INSERT INTO spent VALUES (?)", spent)
        with self._lock:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close_field(self) -> None:
        """End the field for good: nothing more is taken, the whole file is written anew in the order of hashes and random names."""
        with self._writing() as db:
            db.execute("UPDATE state SET closed = 1")
        self.shuffle()
        with self._lock:
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def answers(self) -> tuple[bytes, ...]:
        """All sealed answers, in the order of their random names."""
        with self._lock:
            return tuple(row[0] for row in self._db.execute("SELECT sealed FROM answers ORDER BY id"))

    def acknowledged(self) -> int:
        """How many forms were acknowledged."""
        return self._one("SELECT acknowledged FROM state")

    def letters(self) -> dict[Door, int]:
        """How many codes of each door there are."""
        with self._lock:
            return {Door(door): many for door, many in self._db.execute("SELECT door, count(*) FROM codes GROUP BY door")}

    def totals(self) -> Totals:
        """Exact totals; `rules.rounded` says what may be known of them."""
        found: dict[Door, dict[str, dict[str, int]]] = {}
        with self._lock:
            for door, stratum, value, many in self._db.execute("SELECT * FROM totals"):
                found.setdefault(Door(door), {}).setdefault(stratum, {})[value] = many
        return found

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()
