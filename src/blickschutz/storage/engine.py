"""Open a database, write to it, look after it. What differs by system is behind `Dialect`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import structlog
from sqlalchemy import Connection, Engine, MetaData

from blickschutz.kernel.errors import FaultError, StoreDamagedError, StoreError
from blickschutz.storage.dialects.sqlite import SqliteDialect
from blickschutz.storage.ports import AppendOnly, Database, Dialect, FaultKind, StoreFault
from blickschutz.storage.returning import take_back as _take_back
from blickschutz.storage.upgrade import bring_up, row_counts, verified_copy

_log = structlog.get_logger(__name__)
_DIALECTS: dict[str, Dialect] = {"sqlite": SqliteDialect()}


def open_engine(path: Path, *tables: MetaData) -> Engine:
    """The database in `path` that `tables` belong to; made where it is missing, upgraded where it is older.

    Raises `OperatorError` for one of a newer version, `StoreError` where it cannot be used.
    """
    dialect = _DIALECTS["sqlite"]
    engine = dialect.connect(path)
    with ExitStack() as failed:
        failed.callback(engine.dispose)
        new = bring_up(engine, dialect, path, _database_of(tables))
        _guard(engine, dialect, _append_only(tables), new)
        failed.pop_all()
    return engine


def writing(engine: Engine) -> AbstractContextManager[Connection]:
    """A transaction that will write: it takes the right to write at once, so what it reads stays true until it commits.

    Raises `StoreBusyError` when somebody else has it for longer than `LONGEST_WAIT_S`.
    """
    return dialect_of(engine).writing(engine)


def check(engine: Engine, *tables: MetaData, deep: bool = False) -> list[StoreFault]:
    """All that is wrong with a database, in words; `deep` takes longer and also compares indexes. Raises nothing for a bad file."""
    dialect, name = dialect_of(engine), Path(str(engine.url.database)).name
    try:
        faults = [StoreFault(name, kind, text) for kind, text in dialect.faults(engine, deep=deep)]
        with engine.connect() as connection:
            bare = dialect.unguarded(connection, _append_only(tables))
    except StoreError as error:
        kind = FaultKind.DAMAGED if isinstance(error, StoreDamagedError) else FaultKind.UNREACHABLE
        return [StoreFault(name, kind, str(error))]
    return faults + [StoreFault(name, FaultKind.UNGUARDED, f"rows of {table} could be changed or removed") for table in bare]


def forget(engine: Engine) -> None:
    """Leave no byte of deleted rows in the database's files. Raises `StoreBusyError` while somebody still reads what was."""
    dialect_of(engine).forget(engine)


def copy(engine: Engine, target: Path) -> dict[str, int]:
    """One moment of a database as a file of its own, checked; returns how many rows each table has in it. Others go on meanwhile."""
    return verified_copy(engine, dialect_of(engine), target)


def check_form(path: Path, database: Database) -> int:
    """Bring the database in `path` up to today's form and look at all of it; how many rows it has. Raises `OperatorError`, `StoreError`."""
    dialect = _DIALECTS["sqlite"]
    engine = dialect.connect(path)
    try:
        bring_up(engine, dialect, path, database)
        faults = dialect.faults(engine, deep=True)
        if faults:
            raise StoreDamagedError(f"{path.name}: {faults[0][1]}")
        with engine.connect() as connection:
            return sum(row_counts(connection).values())
    finally:
        engine.dispose()


def take_back(path: Path, database: Database) -> dict[str, int]:
    """See `returning.take_back`."""
    return _take_back(path, database, _DIALECTS["sqlite"])


def dialect_of(engine: Engine) -> Dialect:
    return _DIALECTS[engine.dialect.name]


def _database_of(tables: Sequence[MetaData]) -> Database:
    found = {str(part.info.get("database")) for part in tables}
    if len(found) != 1 or not found <= set(Database):
        raise FaultError(f"tables of one database are opened together, and say which it is: {sorted(found)}")
    return Database(found.pop())


def _append_only(tables: Sequence[MetaData]) -> dict[str, AppendOnly]:
    every = (table for part in tables for table in part.tables.values())
    return {table.name: table.info["append_only"] for table in every if "append_only" in table.info}


def _guard(engine: Engine, dialect: Dialect, tables: Mapping[str, AppendOnly], new: bool) -> None:
    with engine.connect() as connection:
        bare = dialect.unguarded(connection, tables)
    if bare and not new:
        # Somebody took the guard away; the log's chain says what was done meanwhile.
        _log.warning("append_only_renewed", tables=bare, database=str(engine.url.database))
    if bare:
        with writing(engine) as connection:
            dialect.guard(connection, {table: tables[table] for table in bare})
