"""What can still be read of a damaged database is put into a sound one; the damaged file itself stays as it is."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, MetaData, Table, inspect, select
from sqlalchemy.exc import DBAPIError

from blickschutz.kernel.errors import StoreError
from blickschutz.storage.dialects.sqlite import SqliteDialect
from blickschutz.storage.engine import writing

_log = structlog.get_logger(__name__)
_PARTS = ("", "-wal")
_BATCH = 500

_Row = Mapping[str, Any]


def rescue(damaged: Path, engine: Engine, tables: Sequence[MetaData]) -> int:
    """Copy every row that can be read into `engine`, whose tables are empty; how many.

    A scan ends at a damaged page, so each table is read from both of its ends. What does not fit (any more) is left out. Raises
    `StoreError` where the sound database takes nothing, and `OSError` where there is no room to work on a copy.
    """
    with tempfile.TemporaryDirectory(prefix=".rescue-", dir=damaged.parent) as folder:
        copy = Path(folder) / damaged.name
        for part in _PARTS:
            with suppress(FileNotFoundError):
                shutil.copy2(damaged.with_name(damaged.name + part), copy.with_name(copy.name + part))
        source = SqliteDialect().connect(copy)
        try:
            return sum(_table(source, engine, table) for part in tables for table in part.sorted_tables)
        finally:
            with suppress(StoreError):
                source.dispose()


def _table(source: Engine, target: Engine, table: Table) -> int:
    names = _common(source, table)
    if not names:
        return 0
    rows: dict[tuple[Any, ...], _Row] = {}
    for backward in (False, True):
        whole = _scan(source, table, names, rows, backward=backward)
        if whole:
            break
    with writing(target) as connection:
        taken = sum(_put(connection, table, batch) for batch in _batches(list(rows.values())))
    _log.warning("rows_rescued", table=table.name, rows=taken)
    return taken


def _common(source: Engine, table: Table) -> list[str]:
    """The columns that both versions of the table have; none where the damage took its description."""
    try:
        there = {column["name"] for column in inspect(source).get_columns(table.name)}
    except (StoreError, DBAPIError):
        return []
    except Exception as error:  # noqa: BLE001 - the library raises what it likes for a description that is noise; nothing is read then
        _log.error("table_unreadable", table=table.name, problem=type(error).__name__)
        return []
    keys = {column.name for column in table.primary_key}
    return [column.name for column in table.columns if column.name in there] if keys <= there else []


def _scan(source: Engine, table: Table, names: Sequence[str], rows: dict[tuple[Any, ...], _Row], *, backward: bool) -> bool:
    """Read into `rows` by key until the end, or until something cannot be read; whether it came to the end."""
    keys = [column.desc() if backward else column for column in table.primary_key]
    query = select(*(table.columns[name] for name in names)).order_by(*keys)
    try:
        with source.connect() as connection:
            for row in connection.execution_options(yield_per=_BATCH).execute(query).mappings():
                rows[tuple(row[column] for column in table.primary_key)] = {name: row[table.columns[name]] for name in names}
    except (StoreError, DBAPIError, ValueError, TypeError) as error:
        _log.error("table_damaged", table=table.name, problem=type(error).__name__)
        return False
    return True


def _put(connection: Connection, table: Table, batch: Sequence[_Row]) -> int:
    taken = 0
    for row in batch:
        with suppress(DBAPIError), connection.begin_nested():
            connection.execute(table.insert(), dict(row))
            taken += 1
    return taken


def _batches(rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]
