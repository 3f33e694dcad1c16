"""SQLite in WAL mode."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, NullPool, Table, create_engine, delete, event
from sqlalchemy.engine import ExceptionContext

from blickschutz.kernel.errors import (
    FaultError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreUnreachableError,
)
from blickschutz.storage.files import sync_folder
from blickschutz.storage.ports import LONGEST_WAIT_S, AppendOnly, FaultKind
from blickschutz.storage.replicas import Replication

# `FULL`: a commit is on disk when it returns. `secure_delete`: what is deleted is overwritten with zeros.
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
_MOST_FAULTS = 20
_FULL_BYTES = 256 * 1024
_BUSY = "somebody else is writing; nothing was changed, try again in a moment"
# https://www.sqlite.org/rescode.html
_KINDS: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_BUSY: (StoreBusyError, _BUSY),
    sqlite3.SQLITE_LOCKED: (StoreBusyError, _BUSY),
    sqlite3.SQLITE_FULL: (StoreFullError, "the disk is full; nothing was changed, make room on it"),
    sqlite3.SQLITE_CORRUPT: (StoreDamagedError, "the file is damaged; stop the system and restore it from a backup"),
    sqlite3.SQLITE_NOTADB: (StoreDamagedError, "the file is no database; stop the system and restore it from a backup"),
    sqlite3.SQLITE_READONLY: (
        StoreUnreachableError,
        "the file cannot be written; look at its owner, its rights and its disk",
    ),
    sqlite3.SQLITE_PERM: (StoreUnreachableError, "access is refused; look at the file's owner and rights"),
    sqlite3.SQLITE_CANTOPEN: (StoreUnreachableError, "the file cannot be opened; look at its folder, its owner and its rights"),
    sqlite3.SQLITE_IOERR: (StoreUnreachableError, "the disk does not read or write; look at the disk"),
}


def named(path: str, error: BaseException) -> StoreError | None:
    """The error in our words; None where the statement is to blame and not the store."""
    code = getattr(error, "sqlite_errorcode", None)
    if not isinstance(error, sqlite3.Error) or code is None or code & 0xFF not in _KINDS:
        return None
    kind, text = _KINDS[code & 0xFF]
    if kind is StoreUnreachableError and _is_full(Path(path).parent):
        # The files beside the database do not say what kept them from growing.
        kind, text = _KINDS[sqlite3.SQLITE_FULL]
    return kind(f"{Path(path).name}: {text} ({error}, {error.sqlite_errorname})")


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _FULL_BYTES
    except OSError:
        return False


@contextmanager
def _named(engine: Engine) -> Iterator[None]:
    """For what goes past SQLAlchemy."""
    try:
        yield
    except sqlite3.Error as error:
        ours = named(str(engine.url.database), error)
        if ours is None:
            raise
        raise ours from error


class SqliteDialect:
    """See `Dialect`."""

    def __init__(self) -> None:
        self._queues: dict[str, threading.Lock] = {}

    def connect(self, path: Path) -> Engine:
        _make_private(path)
        # Whoever waits for the right to write holds a connection meanwhile: no reader may have to wait for one.
        address = URL.create("sqlite", database=str(path))
        engine = create_engine(address, connect_args={"timeout": LONGEST_WAIT_S}, max_overflow=-1)
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        event.listen(engine, "handle_error", _translate, retval=True)
        return engine

    def name(self, engine: Engine) -> str:
        return _name(engine)

    @contextmanager
    def writing(self, engine: Engine) -> Iterator[Connection]:
        # SQLite has no queue: whoever waits looks again every 0.1 s, and of a hundred at once some never get in. Threads of this
        # process queue here; only the first of them waits for other processes.
        until = time.monotonic() + LONGEST_WAIT_S
        queue = self._queues.setdefault(str(engine.url.database), threading.Lock())
        if not queue.acquire(timeout=LONGEST_WAIT_S):
            raise StoreBusyError(f"{_name(engine)}: {_BUSY}")
        try:
            left_ms = max(1, round(1000 * (until - time.monotonic())))
            with engine.execution_options(writes=left_ms).begin() as connection:
                yield connection
        finally:
            queue.release()

    @contextmanager
    def upgrading(self, engine: Engine) -> Iterator[Connection]:
        with engine.execution_options(writes=round(1000 * LONGEST_WAIT_S)).connect() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            # A table that is made anew would take its children's rows with it. Outside of a transaction only.
            raw.execute("PRAGMA foreign_keys=OFF")
            try:
                with connection.begin():
                    yield connection
                    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(_MOST_FAULTS)
                    if broken:
                        raise FaultError(f"after the upgrade rows would refer to nothing: {[tuple(row) for row in broken]}")
            finally:
                raw.execute("PRAGMA foreign_keys=ON")

    def guard(self, connection: Connection, tables: Mapping[str, AppendOnly]) -> None:
        for table, rule in tables.items():
            for name, text in _guards(table, rule).items():
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
                connection.exec_driver_sql(text)

    def unguarded(self, connection: Connection, tables: Mapping[str, AppendOnly]) -> list[str]:
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        there = {str(name): str(text) for name, text in rows}
        return [table for table, rule in tables.items() if not _guards(table, rule).items() <= there.items()]

    def faults(self, engine: Engine, *, deep: bool) -> list[tuple[FaultKind, str]]:
        how = "integrity_check" if deep else "quick_check"
        with engine.connect() as connection:
            said = connection.exec_driver_sql(f"PRAGMA {how}({_MOST_FAULTS})").scalars().all()
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(_MOST_FAULTS)
        faults = [(FaultKind.DAMAGED, str(one)) for one in said if one != "ok"]
        return faults + [
            (FaultKind.REFERENCES, f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there") for row in broken
        ]

    def let_go(self, connection: Connection, table: Table, numbers: Sequence[int]) -> None:
        (key,) = table.primary_key
        connection.execute(delete(table).where(key.in_(numbers)))

    def forget(self, engine: Engine) -> None:
        # Rows are overwritten in the file (`secure_delete`); pages of before stay in the journal until it is cut.
        # It holds the right to write while it waits for readers, so it waits for none; writers of this process queue.
        queue = self._queues.setdefault(str(engine.url.database), threading.Lock())
        with queue, _named(engine), closing(engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("PRAGMA busy_timeout=0")
            try:
                busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                cursor.execute(f"PRAGMA busy_timeout={round(1000 * LONGEST_WAIT_S)}")
        if busy:
            raise StoreBusyError(f"{_name(engine)}: what was deleted stays in the journal while somebody reads; it is tried again")

    def replication(self, engine: Engine) -> Replication | None:
        del engine
        return None

    def copy(self, engine: Engine, target: Path) -> None:
        try:
            self._copy(engine, target)
        except FileExistsError:
            raise
        except OSError as error:
            kind = StoreFullError if error.errno in {errno.ENOSPC, errno.EDQUOT} else StoreUnreachableError
            raise kind(f"{target.name}: the copy cannot be written: {error.strerror}") from error

    @staticmethod
    def _copy(engine: Engine, target: Path) -> None:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with _named(engine), closing(engine.raw_connection()) as source, closing(sqlite3.connect(target)) as copy:
            raw = source.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.backup(copy)
            # Alone it needs no journal beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
        with target.open("rb") as file:
            os.fsync(file.fileno())
        sync_folder(target.parent)

    def open_copy(self, path: Path) -> Engine:
        address = URL.create("sqlite", database=f"file:{quote(str(path))}", query={"mode": "ro", "immutable": "1", "uri": "true"})
        engine = create_engine(address, poolclass=NullPool)
        event.listen(engine, "handle_error", _translate, retval=True)
        return engine


def _guards(table: str, rule: AppendOnly) -> dict[str, str]:
    """The triggers of a table that may only grow, as SQLite keeps their text."""
    acts = {"update": "", "delete": f"WHEN NOT {rule.removed_if} " if rule.removed_if else ""}
    if rule.added_if:
        acts["insert"] = f"WHEN NOT {rule.added_if} "
    refused = "BEGIN SELECT RAISE(ABORT, 'the log is append only'); END"
    return {
        f"{table}_no_{act}": f"CREATE TRIGGER {table}_no_{act} BEFORE {act.upper()} ON {table} {when}{refused}"
        for act, when in acts.items()
    }


def _name(engine: Engine) -> str:
    return Path(str(engine.url.database)).name


def _make_private(path: Path) -> None:
    """The file is made before SQLite does: what SQLite makes beside it has the same rights, whatever the umask.

    A file that is there is not opened here. Closing it would end all locks that this process has on it (POSIX), also those of
    connections: another process would then take itself for the last one, and remove the journal that is still written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise StoreUnreachableError(f"{path.name}: the file cannot be opened or made in {path.parent}: {error.strerror}") from error
    for one in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        # Of files that an older version made. Whoever does not own them cannot, and does not have to.
        with suppress(FileNotFoundError, PermissionError):
            if one.stat().st_mode & 0o077:
                one.chmod(0o600)


def _prepare(connection: Any, record: Any) -> None:
    del record
    # The driver's own begin is late and deferred: two writers could both read first. We begin ourselves, below.
    connection.isolation_level = None
    for line in _PRAGMAS:
        connection.execute(f"PRAGMA {line}")


def _begin(connection: Connection) -> None:
    """`writes`: for how many milliseconds to wait for the right to write; without it the transaction only reads."""
    wait_ms = connection.get_execution_options().get("writes")
    if wait_ms is None:
        connection.exec_driver_sql("BEGIN")
        return
    connection.exec_driver_sql(f"PRAGMA busy_timeout={wait_ms:d}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _translate(context: ExceptionContext) -> BaseException | None:
    code = getattr(context.original_exception, "sqlite_errorcode", None)
    if isinstance(code, int) and code & 0xFF == sqlite3.SQLITE_READONLY:
        # A file that cannot be opened for writing at that moment is opened for reading, and stays so for good, whatever becomes of
        # the disk. (os_unix.c, `unixOpen`.) So what was opened goes, and the next one opens anew.
        context.is_disconnect = True
    return named(str(context.engine.url.database) if context.engine is not None else "", context.original_exception)
