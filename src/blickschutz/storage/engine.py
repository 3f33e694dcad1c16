"""Open a database, write to it, look after it. What differs by system is behind `Dialect`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection, Engine, MetaData, Table

from blickschutz.kernel.errors import FaultError, OperatorError, StoreDamagedError, StoreError
from blickschutz.storage.carry import Step, bring_in
from blickschutz.storage.carry import take_out as _take_out
from blickschutz.storage.dialects.sqlite import SqliteDialect
from blickschutz.storage.places import Place, Server, ServerPlace
from blickschutz.storage.ports import AppendOnly, Database, Dialect, FaultKind, FileDialect, StoreFault
from blickschutz.storage.replicas import Replication
from blickschutz.storage.returning import take_back as _take_back
from blickschutz.storage.snapshot import Leave
from blickschutz.storage.upgrade import bring_up, bring_up_server, require_today, row_counts, verified_copy

if TYPE_CHECKING:
    from blickschutz.storage.dialects.postgresql import PostgresDialect

_log = structlog.get_logger(__name__)
_FILES: FileDialect = SqliteDialect()


def open_engine(place: Place, *tables: MetaData) -> Engine:
    """The database in `place` that `tables` belong to; a file is made where it is missing, upgraded where it is older.

    Raises `OperatorError` for one of a newer version, and for one on a server that its owner has not prepared for this version;
    `StoreError` where it cannot be used.
    """
    if isinstance(place, ServerPlace):
        return _opened_server(place, tables)
    engine = _FILES.connect(place)
    with ExitStack() as failed:
        failed.callback(engine.dispose)
        new = bring_up(engine, _FILES, place, _database_of(tables))
        _guard(engine, _FILES, _append_only(tables), new)
        failed.pop_all()
    return engine


def prepare(place: ServerPlace, role: str, *tables: MetaData) -> tuple[str, ...]:
    """As the owner of a server's database: bring it up to today's form, guard what may only grow, give the service's `role` its rights.

    Returns the statements by which the server's administrator gives the owner what it still lacks. Raises `OperatorError`, `StoreError`.
    Done again it changes nothing.
    """
    dialect = _servers()
    engine = dialect.connect(place, owner=True)
    try:
        with dialect.writing(engine) as connection:
            dialect.require_lasting(connection)
            connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {place.database.value}")
        engine.dispose()  # what a connection takes for its schema it found out when there was none
        bring_up_server(engine, dialect, place.database)
        with dialect.writing(engine) as connection:
            dialect.guard(connection, _append_only(tables))
            dialect.grant(connection, role, _append_only(tables))
            return dialect.lacking(connection)
    finally:
        engine.dispose()


def take_out(server: Server, targets: Mapping[Database, Path], leave: Callable[[Database], Leave], step: Step = lambda rows: None) -> None:
    """Write the databases of a server into new files, all of one moment, while others go on. See `carry.take_out`.

    Raises `OperatorError` where they have not the form of today, `StoreError`.
    """
    dialect = _servers()
    for database in targets:
        with closing_engine(dialect.connect(ServerPlace(server, database))) as engine:
            require_today(engine, dialect, database)
    with closing_engine(dialect.connect(ServerPlace(server, Database.CONTROL), owner=True)) as engine:
        _take_out(engine, _FILES, targets, leave, step)


def server_bytes(server: Server) -> int:
    """About how much room a server's database takes there."""
    with closing_engine(_servers().connect(ServerPlace(server, Database.CONTROL))) as engine, engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())


def fill(
    server: Server,
    role: str,
    sources: Mapping[Database, Path],
    tables: Mapping[Database, Sequence[MetaData]],
    step: Step = lambda rows: None,
) -> int:
    """As the owner of a server's databases, which have no rows: fill them from files, of which nobody else has one open.

    Returns how many rows came. Raises `OperatorError`, `StoreError`; then nothing was changed.
    """
    for database in sources:
        prepare(ServerPlace(server, database), role, *tables[database])
    dialect, grows = _servers(), {database: _append_only(parts) for database, parts in tables.items()}
    with closing_engine(dialect.connect(ServerPlace(server, Database.CONTROL), owner=True)) as engine:
        return bring_in(engine, dialect, sources, grows, lambda connection, one: dialect.guard_in(connection, one, grows[one]), step)


@contextmanager
def closing_engine(engine: Engine) -> Iterator[Engine]:
    """Its connections are closed at the end."""
    try:
        yield engine
    finally:
        engine.dispose()


def writing(engine: Engine) -> AbstractContextManager[Connection]:
    """A transaction that will write: it takes the right to write at once, so what it reads stays true until it commits.

    Raises `StoreBusyError` when somebody else has it for longer than `LONGEST_WAIT_S`.
    """
    return dialect_of(engine).writing(engine)


def check(engine: Engine, *tables: MetaData, deep: bool = False) -> list[StoreFault]:
    """All that is wrong with a database, in words; `deep` takes longer and also compares indexes. Raises nothing for a bad file."""
    dialect = dialect_of(engine)
    name = dialect.name(engine)
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


def replication(engine: Engine) -> Replication | None:
    """How the copies are that the database system keeps by itself; None where it keeps none. Raises `StoreError`."""
    return dialect_of(engine).replication(engine)


def let_go(connection: Connection, table: Table, numbers: Sequence[int]) -> None:
    """Remove rows of a table that may only grow, by the number that is their key, as far as its rule lets them go."""
    dialect_of(connection.engine).let_go(connection, table, numbers)


def copy(engine: Engine, target: Path) -> dict[str, int]:
    """One moment of a file's database as another file, checked; returns how many rows each table has in it. Others go on meanwhile."""
    return verified_copy(engine, _FILES, target)


def check_form(path: Path, database: Database) -> int:
    """Bring the database in `path` up to today's form and look at all of it; how many rows it has. Raises `OperatorError`, `StoreError`."""
    engine = _FILES.connect(path)
    try:
        bring_up(engine, _FILES, path, database)
        faults = _FILES.faults(engine, deep=True)
        if faults:
            raise StoreDamagedError(f"{path.name}: {faults[0][1]}")
        with engine.connect() as connection:
            return sum(row_counts(connection).values())
    finally:
        engine.dispose()


def take_back(path: Path, database: Database) -> dict[str, int]:
    """See `returning.take_back`."""
    return _take_back(path, database, _FILES)


def dialect_of(engine: Engine) -> Dialect:
    return _FILES if engine.dialect.name == "sqlite" else _servers()


@cache
def _servers() -> PostgresDialect:
    """What speaks to servers is loaded by whoever has one."""
    try:
        return importlib.import_module("blickschutz.storage.dialects.postgresql").PostgresDialect()  # type: ignore[no-any-return]
    except ModuleNotFoundError as error:
        raise OperatorError("a database on a server needs: pip install 'blickschutz[postgresql]'") from error


def _opened_server(place: ServerPlace, tables: Sequence[MetaData]) -> Engine:
    dialect = _servers()
    if _database_of(tables) is not place.database:
        raise FaultError(f"these tables are not those of {place.name}")
    engine = dialect.connect(place)
    with ExitStack() as failed:
        failed.callback(engine.dispose)
        require_today(engine, dialect, place.database)
        with engine.connect() as connection:
            dialect.require_lasting(connection)
            bare = dialect.unguarded(connection, _append_only(tables))
        if bare:
            # Only its owner can make them again, and then knows that somebody took them away.
            raise OperatorError(
                f"{place.name}: rows of {', '.join(bare)} could be changed or removed, because a trigger is missing or the role "
                f"{place.server.user} may do too much. As the owner: blickschutz database prepare"
            )
        failed.pop_all()
    return engine


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
