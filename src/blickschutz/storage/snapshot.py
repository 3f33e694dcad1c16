"""A copy of an SQLite database as it stands at one moment, while others write to it.

Not VACUUM INTO and not the backup API: what is left out must not reach the copy at all, not even on a free page.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

Leave = Callable[[str, list[str]], bool]


def snapshot(source: Path, target: Path, leave: Leave = lambda table, types: False) -> None:
    """Copy `source` into the new file `target`, table by table in one read transaction; it blocks no writer.

    `leave(table, types)` says of which tables, by name and the declared types of their columns, no row is copied; they are there,
    and empty. Numbers that were given out stay given out. Raises `sqlite3.Error`, also where the source is damaged.
    """
    # A URI: the source is read only, whatever is executed.
    with closing(sqlite3.connect(target.absolute().as_uri(), uri=True, isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode=OFF")
        copy.execute("ATTACH DATABASE ? AS source", (f"{source.absolute().as_uri()}?mode=ro",))
        copy.execute("BEGIN")
        parts = copy.execute("SELECT type, name, sql FROM source.sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'").fetchall()
        tables = [(name, sql) for kind, name, sql in parts if kind == "table"]
        for _, sql in tables:
            copy.execute(sql)
        for name, _ in tables:
            types = [str(row[2]).upper() for row in copy.execute(f"PRAGMA source.table_info({quoted(name)})")]
            if not leave(name, types):
                copy.execute(f"INSERT INTO main.{quoted(name)} SELECT * FROM source.{quoted(name)}")
        if copy.execute("SELECT count(*) FROM source.sqlite_schema WHERE name = 'sqlite_sequence'").fetchone()[0]:
            copy.execute("DELETE FROM main.sqlite_sequence")
            copy.execute("INSERT INTO main.sqlite_sequence SELECT * FROM source.sqlite_sequence")
        # Indexes and triggers last: nothing is to be refused or sorted while rows come in.
        for kind, _, sql in parts:
            if kind != "table" and sql is not None:
                copy.execute(sql)
        for pragma in ("user_version", "application_id"):
            copy.execute(f"PRAGMA main.{pragma}={int(copy.execute(f'PRAGMA source.{pragma}').fetchone()[0])}")
        copy.execute("COMMIT")


def faults(path: Path) -> list[str]:
    """What is wrong in a database file: pages, indexes, references. Raises `sqlite3.Error` where it is no database."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        found = [str(row[0]) for row in database.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
        loose = database.execute("PRAGMA foreign_key_check").fetchall()
    return found + [f"{table}: row {row} names one of {other} that is not there" for table, row, other, _ in loose]


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    """What `query` gives in a database file, read only."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


def quoted(name: str) -> str:
    """A name of a table or column as SQL takes it, whatever it is."""
    return '"' + name.replace('"', '""') + '"'
