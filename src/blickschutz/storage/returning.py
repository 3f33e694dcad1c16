"""From the database of a newer version back to the form that this one knows, with every row that this one can hold.

Steps lead forward only (`upgrade`); the way back is for programs that did not become ready after their steps were taken. Newer versions
add columns and tables (docs/design/storage.md), so what this version knows is there, and is copied column by column into a database
that this version's own steps make. What is not there any more stops it.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

from blickschutz.kernel.errors import OperatorError
from blickschutz.storage.files import erase, erase_database, sync_folder
from blickschutz.storage.ports import Database, FileDialect
from blickschutz.storage.snapshot import faults, quoted
from blickschutz.storage.upgrade import bring_up, revisions

_MARK = "alembic_version"
_DRAFT, _NEWER = ".returning", ".newer"


def mark_in(path: Path) -> str | None:
    """Which step a database file says was the last; None where it bears no mark. Raises `sqlite3.Error` for what is no database."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        if not database.execute("SELECT count(*) FROM sqlite_schema WHERE name = ?", (_MARK,)).fetchone()[0]:
            return None
        row = database.execute(f"SELECT version_num FROM {_MARK}").fetchone()
    return str(row[0]) if row is not None else None


def is_newer(path: Path, database: Database) -> bool:
    """Whether a version after this one has written the form of a database."""
    mark = mark_in(path)
    return mark is not None and mark not in revisions(database)


def take_back(path: Path, database: Database, dialect: FileDialect) -> dict[str, int]:
    """Give the database in `path`, which nobody has open, the form that this version knows. Killed, it is the one or the other.

    Nothing is done where this version knows the form. Returns how many rows of tables that this version does not know were left
    behind. Raises `OperatorError` where this version's columns are not all there or the copy is not whole; then nothing was changed.
    """
    draft, newer = _tidied(path)
    if not is_newer(path, database):
        return {}
    with ExitStack() as failed:
        failed.callback(erase_database, draft)
        engine = dialect.connect(draft)
        bring_up(engine, dialect, draft, database)
        engine.dispose()
        with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode=DELETE")
            copy.execute("PRAGMA foreign_keys=OFF")
            copy.execute("ATTACH DATABASE ? AS newer", (str(path),))
            copy.execute("BEGIN IMMEDIATE")
            left = _filled(copy, path.name)
            copy.execute("COMMIT")
            # What it still had beside it goes into the file that is to be overwritten.
            copy.execute("PRAGMA newer.wal_checkpoint(TRUNCATE)")
        if found := faults(draft):
            raise OperatorError(
                f"{path.name}: what was taken back is not whole or has references into nothing ({found[0]}); nothing was changed"
            )
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        os.link(path, newer)
        draft.replace(path)
        failed.pop_all()
    sync_folder(path.parent)
    # Rows in it are to end too.
    erase(newer)
    return left


def _tidied(path: Path) -> tuple[Path, Path]:
    """Names for a draft and for the newer file; what a kill left under them is gone, and the database is not."""
    draft, newer = path.with_name(f"{path.name}{_DRAFT}"), path.with_name(f"{path.name}{_NEWER}")
    if newer.exists() and newer.samefile(path):
        newer.unlink()  # another name of the database itself
    erase_database(draft)
    erase(newer)
    return draft, newer


def _filled(copy: sqlite3.Connection, name: str) -> dict[str, int]:
    """Every row of `newer`, by the columns that `main` has."""
    own, theirs = _tables(copy, "main"), _tables(copy, "newer")
    for table, columns in own.items():
        missing = columns if table not in theirs else [one for one in columns if one not in theirs[table]]
        if missing:
            raise OperatorError(
                f"the newer version no longer has {', '.join(missing[:5])} of table {table} in {name}: its rows cannot be taken back. "
                "Restore the backup that was made before the upgrade"
            )
        listed = ", ".join(quoted(one) for one in columns)
        copy.execute(f"INSERT INTO main.{quoted(table)} ({listed}) SELECT {listed} FROM newer.{quoted(table)}")
        if _count(copy, "main", table) != _count(copy, "newer", table):
            raise OperatorError(f"{name}: rows of {table} were lost on the way back; nothing was changed")
    if copy.execute("SELECT count(*) FROM newer.sqlite_schema WHERE name = 'sqlite_sequence'").fetchone()[0]:
        # Numbers that were given out stay given out.
        copy.execute("DELETE FROM main.sqlite_sequence")
        copy.execute(
            "INSERT INTO main.sqlite_sequence SELECT * FROM newer.sqlite_sequence WHERE name IN (SELECT name FROM main.sqlite_schema)"
        )
    return {table: count for table in theirs if table not in own and (count := _count(copy, "newer", table))}


def _tables(copy: sqlite3.Connection, schema: str) -> dict[str, list[str]]:
    """Columns by table; without the mark and what SQLite keeps for itself."""
    names = [row[0] for row in copy.execute(f"SELECT name FROM {schema}.sqlite_schema WHERE type = 'table'")]
    wanted = [name for name in names if name != _MARK and not name.startswith("sqlite_")]
    return {name: [row[1] for row in copy.execute(f"PRAGMA {schema}.table_info({quoted(name)})")] for name in wanted}


def _count(copy: sqlite3.Connection, schema: str, table: str) -> int:
    return int(copy.execute(f"SELECT count(*) FROM {schema}.{quoted(table)}").fetchone()[0])
