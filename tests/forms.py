"""New databases of tests: their form is made by the product's own steps once in each process, and written from memory after that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from unittest.mock import patch

from sqlalchemy import Connection, create_engine, inspect

from blickschutz.storage import upgrade
from blickschutz.storage.ports import Database

real = upgrade._run


@cache
def _form(database: Database) -> tuple[list[str], dict[str, list[tuple]]]:
    """Statements that make tables, indexes and triggers, in order, and the rows that the steps wrote, by table."""
    engine = create_engine("sqlite://")
    try:
        with engine.begin() as connection:
            real(connection, database)
            made = (
                connection.exec_driver_sql(
                    "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
                )
                .scalars()
                .all()
            )
            # The second is SQLite's own: what the next number of a row is.
            names = [*_tables(connection), *(["sqlite_sequence"] if any("AUTOINCREMENT" in one for one in made) else [])]
            rows = {name: [tuple(row) for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"')] for name in names}
    finally:
        engine.dispose()
    return list(made), {name: kept for name, kept in rows.items() if kept}


def _tables(connection: Connection) -> list[str]:
    return inspect(connection).get_table_names()


def _run(connection: Connection, database: Database, target: str = "head") -> None:
    if target != "head" or connection.dialect.name != "sqlite" or _tables(connection):
        real(connection, database, target)
        return
    made, rows = _form(database)
    for statement in made:
        connection.exec_driver_sql(statement)
    for name, kept in rows.items():
        marks = ", ".join("?" * len(kept[0]))
        connection.exec_driver_sql(f'INSERT INTO "{name}" VALUES ({marks})', kept)


@contextmanager
def known_forms() -> Iterator[None]:
    """Files that are opened in here and are not there yet get the form from memory; what is there is upgraded by the real steps."""
    with patch.object(upgrade, "_run", _run):
        yield
