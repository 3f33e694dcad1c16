"""Rows of a server's databases into files, and of files into a server's: every table, column by column, as one moment has them.

Both sides have the form of today, made by their own steps: what is carried is rows. Numbers that were given out stay given out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, inspect

from blickschutz.kernel.errors import FaultError, OperatorError
from blickschutz.storage.ports import AppendOnly, Database, Dialect, FileDialect
from blickschutz.storage.snapshot import Leave, quoted
from blickschutz.storage.upgrade import bring_up, revisions

_MARK: Final = "alembic_version"
_ROWS: Final = 1000
Step = Callable[[int], object]


def take_out(
    engine: Engine,
    files: FileDialect,
    targets: Mapping[Database, Path],
    leave: Callable[[Database], Leave],
    step: Step = lambda rows: None,
) -> None:
    """Write each of a server's databases into a new file: one moment of all, though others write meanwhile.

    Of tables that `leave` names no row is read; they are there, and empty. Raises `StoreError`.
    """
    for database, target in targets.items():
        made = files.connect(target)
        bring_up(made, files, target, database)
        made.dispose()
    with engine.connect() as connection:
        # Reads one moment from its first statement on; nobody waits for it.
        for database, target in targets.items():
            with closing(sqlite3.connect(target, isolation_level=None)) as file:
                # Alone it needs no journal beside it.
                file.execute("PRAGMA journal_mode=DELETE")
                file.execute("BEGIN IMMEDIATE")
                for table, columns in _tables(connection, database.value).items():
                    types = [str(row[2]).upper() for row in file.execute(f"PRAGMA table_info({quoted(table)})")]
                    if not leave(database)(table, types):
                        step(_out(connection, file, f"{database.value}.{quoted(table)}", table, columns))
                    _number_on(connection, file, database.value, table)
                file.execute("COMMIT")


def bring_in(
    engine: Engine,
    dialect: Dialect,
    sources: Mapping[Database, Path],
    grows: Mapping[Database, Mapping[str, AppendOnly]],
    guard: Callable[[Connection, Database], None],
    step: Step = lambda rows: None,
) -> int:
    """Fill a server's databases, which have no rows, from files of today's form; as their owner, in one transaction.

    Returns how many rows came. Raises `OperatorError` where there are rows already, or a file has another form; `StoreError`.
    """
    with dialect.upgrading(engine) as connection:
        came = 0
        for database, source in sources.items():
            tables = _tables(connection, database.value)
            _require_empty(connection, database, tables)
            with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as file:
                _require_form(file, source, database)
                # A guard lets nothing come that its own log does not tell of; what comes is a whole log.
                for table in grows[database]:
                    connection.exec_driver_sql(f"ALTER TABLE {database.value}.{quoted(table)} DISABLE TRIGGER USER")
                for table in _by_need(connection, database.value, tables):
                    rows = _in(connection, file, database.value, table, tables[table])
                    came += rows
                    step(rows)
            guard(connection, database)
    return came


def _out(connection: Connection, file: sqlite3.Connection, source: str, table: str, columns: Collection[str]) -> int:
    named = ", ".join(quoted(one) for one in columns)
    put = f"INSERT INTO {quoted(table)} ({named}) VALUES ({', '.join('?' * len(columns))})"
    count = 0
    rows = connection.execution_options(stream_results=True).exec_driver_sql(f"SELECT {named} FROM {source}")
    for some in rows.partitions(_ROWS):
        file.executemany(put, [tuple(row) for row in some])
        count += len(some)
    return count


def _in(connection: Connection, file: sqlite3.Connection, schema: str, table: str, columns: Mapping[str, str]) -> int:
    named = ", ".join(quoted(one) for one in columns)
    put = f"INSERT INTO {schema}.{quoted(table)} ({named}) VALUES ({', '.join(['%s'] * len(columns))})"
    truths = [place for place, kind in enumerate(columns.values()) if kind == "BOOLEAN"]
    rows = file.execute(f"SELECT {named} FROM {quoted(table)}")
    count = 0
    while some := rows.fetchmany(_ROWS):
        connection.exec_driver_sql(put, [_told(row, truths) for row in some])
        count += len(some)
    if count != int(file.execute(f"SELECT count(*) FROM {quoted(table)}").fetchone()[0]):
        raise FaultError(f"rows of {table} were lost on their way; nothing was changed")
    given = file.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'").fetchone()[0]
    number = file.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone() if given else None
    for sequence, column in _sequences(connection, schema, table):
        newest = connection.exec_driver_sql(f"SELECT max({quoted(column)}) FROM {schema}.{quoted(table)}").scalar_one() or 0
        newest = max(int(newest), int(number[0]) if number is not None else 0)
        if newest:
            connection.exec_driver_sql("SELECT setval(%s::regclass, %s)", (sequence, newest))
    return count


def _told(row: Sequence[Any], truths: Sequence[int]) -> tuple[Any, ...]:
    return tuple(bool(value) if place in truths and value is not None else value for place, value in enumerate(row))


def _number_on(connection: Connection, file: sqlite3.Connection, schema: str, table: str) -> None:
    """Numbers that were given out, and whose row is gone, are not given again."""
    for sequence, _ in _sequences(connection, schema, table):
        last = connection.exec_driver_sql("SELECT pg_sequence_last_value(%s::regclass)", (sequence,)).scalar_one()
        kept = file.execute("SELECT sql LIKE '%AUTOINCREMENT%' FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
        if last is not None and kept is not None and kept[0]:
            file.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
            file.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, int(last)))


def _sequences(connection: Connection, schema: str, table: str) -> list[tuple[str, str]]:
    """Each with the column that it numbers."""
    query = (
        "SELECT pg_get_serial_sequence(%s, column_name), column_name FROM information_schema.columns "
        "WHERE table_schema = %s AND table_name = %s"
    )
    found = connection.exec_driver_sql(query, (f"{schema}.{quoted(table)}", schema, table))
    return [(str(sequence), str(column)) for sequence, column in found if sequence is not None]


def _tables(connection: Connection, schema: str) -> dict[str, dict[str, str]]:
    """Columns with their types by table, without the mark."""
    look = inspect(connection)
    names = [name for name in look.get_table_names(schema=schema) if name != _MARK]
    return {name: {column["name"]: str(column["type"]) for column in look.get_columns(name, schema=schema)} for name in names}


def _by_need(connection: Connection, schema: str, tables: Mapping[str, object]) -> list[str]:
    """What others refer to comes first."""
    look = inspect(connection)
    needs = {name: {key["referred_table"] for key in look.get_foreign_keys(name, schema=schema)} - {name} for name in tables}
    found: list[str] = []
    while len(found) < len(needs):
        free = sorted(name for name, others in needs.items() if name not in found and others <= set(found))
        if not free:
            raise FaultError(f"tables refer to each other in a circle: {sorted(set(needs) - set(found))}")
        found += free
    return found


def _require_empty(connection: Connection, database: Database, tables: Mapping[str, object]) -> None:
    for table in tables:
        if connection.exec_driver_sql(f"SELECT EXISTS (SELECT 1 FROM {database.value}.{quoted(table)})").scalar_one():
            raise OperatorError(f"{database.value} (PostgreSQL) has rows already (table {table}): only an empty database is filled")


def _require_form(file: sqlite3.Connection, source: Path, database: Database) -> None:
    known = revisions(database)[-1]
    row = file.execute(f"SELECT version_num FROM {_MARK}").fetchone()
    if row is None or row[0] != known:
        raise OperatorError(f"{source.name} has the form of another version (mark {row[0] if row else None}; this one needs {known})")
