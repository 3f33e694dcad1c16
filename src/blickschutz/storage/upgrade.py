"""From the database of an older version to that of today: in one transaction, beside a copy that is kept until it is proven."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, func, inspect, select, table

from blickschutz.kernel.errors import FaultError, OperatorError, StoreDamagedError, StoreError
from blickschutz.storage.files import erase
from blickschutz.storage.ports import Database, Dialect, FileDialect

_log = structlog.get_logger(__name__)
MIGRATIONS = Path(__file__).parent / "migrations"
_MARK = "alembic_version"
_COPY = ".before-"


def configured(database: Database) -> Config:
    """Alembic's settings; everything lies in the package, nothing is asked of whoever runs it."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("version_locations", str(MIGRATIONS / database.value).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


@cache
def revisions(database: Database) -> tuple[str, ...]:
    """All marks that this version knows, the oldest first."""
    script = ScriptDirectory.from_config(configured(database))
    return tuple(reversed([one.revision for one in script.walk_revisions()]))


def mark_of(connection: Connection) -> str | None:
    """Which version a database has; None where it bears no mark."""
    return MigrationContext.configure(connection).get_current_revision()


def bring_up(engine: Engine, dialect: FileDialect, path: Path, database: Database) -> bool:
    """See `open_engine`; whether the database was made anew."""
    known = revisions(database)
    with engine.connect() as connection:
        mark = mark_of(connection)
    if mark == known[-1]:
        _settle(engine, dialect, path)
        return False
    if mark is not None and mark not in known:
        raise _newer(str(path), mark, known[-1])
    with dialect.upgrading(engine) as connection:
        if mark_of(connection) == known[-1]:
            return False  # another process was faster
        before = row_counts(connection)
        copy = None
        if before:
            _refuse_unknown(connection, path, database)
            copy = path.with_name(f"{path.name}{_COPY}{known[-1]}")
            _copy_before(engine, dialect, copy, before)
        _step_up(connection, database, before, path.name)
    if copy is not None:
        _settle(engine, dialect, path)
        _log.info("database_upgraded", database=path.name, before=mark, now=known[-1], rows=sum(before.values()))
    return copy is None


def bring_up_server(engine: Engine, dialect: Dialect, database: Database) -> None:
    """The same on a server, as its owner: in one transaction, without a copy. Raises `OperatorError` for a newer version's."""
    known, name = revisions(database), dialect.name(engine)
    with dialect.upgrading(engine) as connection:
        mark = mark_of(connection)
        if mark == known[-1]:
            return
        if mark not in {None, *known}:
            raise _newer(name, mark, known[-1])
        _step_up(connection, database, row_counts(connection), name)
    _log.info("database_upgraded", database=name, before=mark, now=known[-1])


def require_today(engine: Engine, dialect: Dialect, database: Database) -> None:
    """Raises `OperatorError` unless a server's database has the form that this version knows: its service alters no table."""
    known, name = revisions(database)[-1], dialect.name(engine)
    with engine.connect() as connection:
        mark = mark_of(connection)
    if mark in revisions(database)[:-1] or mark is None:
        how = "has no tables yet" if mark is None else f"has the form of an older version (mark {mark}; this one needs {known})"
        raise OperatorError(f"{name} {how}. Make a backup, then: blickschutz database prepare")
    if mark != known:
        raise _newer(name, mark, known)


def _step_up(connection: Connection, database: Database, before: dict[str, int], name: str) -> None:
    _run(connection, database)
    after = row_counts(connection)
    lost = {table: (count, after.get(table)) for table, count in before.items() if table != _MARK and after.get(table) != count}
    if lost:
        raise FaultError(f"the upgrade of {name} would lose rows and was undone: {lost}")


def _newer(name: str, mark: str | None, known: str) -> OperatorError:
    return OperatorError(
        f"{name} was last used by a newer version of Blickschutz (mark {mark}; this one knows {known} at most) and was left as "
        "it is. Install that version or a newer one again, or restore a backup from before its first start into another folder"
    )


def row_counts(connection: Connection) -> dict[str, int]:
    """How many rows each table has."""
    names = inspect(connection).get_table_names()
    return {name: int(connection.execute(select(func.count()).select_from(table(name))).scalar_one()) for name in names}


def verified_copy(engine: Engine, dialect: FileDialect, target: Path) -> dict[str, int]:
    """Copy to `target` (which must not be there), look at the copy, count its rows. What is not whole is erased again."""
    if target.exists():
        raise FileExistsError(target)
    with ExitStack() as failed:
        failed.callback(erase, target)
        dialect.copy(engine, target)
        with _disposed(dialect.open_copy(target)) as copied:
            faults = dialect.faults(copied, deep=True)
            if faults:
                raise StoreDamagedError(f"{target.name}: the copy is not whole, so the database may be damaged: {faults[0][1]}")
            with copied.connect() as connection:
                counts = row_counts(connection)
        failed.pop_all()
    return counts


@contextmanager
def _disposed(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    finally:
        engine.dispose()


def _copy_before(engine: Engine, dialect: FileDialect, copy: Path, counts: dict[str, int]) -> None:
    # What lies there is of a try that did not come to its end: the database is as it was, and newer.
    erase(copy)
    copied = verified_copy(engine, dialect, copy)
    if copied != counts:
        erase(copy)
        raise FaultError(f"{copy.name}: the copy has other rows than the database: {copied}, {counts}")


def _settle(engine: Engine, dialect: FileDialect, path: Path) -> None:
    """The copy from before an upgrade ends when the upgraded database is proven: it holds rows that are to end too."""
    left = sorted(path.parent.glob(f"{path.name}{_COPY}*"))
    if not left:
        return
    try:
        faults = [text for _, text in dialect.faults(engine, deep=True)]
    except StoreError as error:
        faults = [str(error)]
    if faults:
        raise StoreDamagedError(
            f"{path.name} is damaged ({faults[0]}). The copy from before its upgrade is whole: "
            f"stop the system and put {left[-1]} in its place"
        )
    for one in left:
        erase(one)


def _refuse_unknown(connection: Connection, path: Path, database: Database) -> None:
    """A database without a mark was made by a release before there were marks, or is none of ours."""
    if mark_of(connection) is not None:
        return
    expected = _first_form(database)
    for name, columns in _form(connection).items():
        if columns != expected.get(name):
            raise OperatorError(
                f"{path} is no database of a released version of Blickschutz: its table {name} is not as any of them made it. "
                "It was left as it is; restore a backup, or move it away to start empty"
            )


@cache
def _first_form(database: Database) -> dict[str, frozenset[str]]:
    """Every table as it was first made. Before there were marks, and in between on the way to a release, tables were made anew
    where they were missing and never altered: what such a folder has of them has that form.
    """
    found: dict[str, frozenset[str]] = {}
    with _disposed(create_engine("sqlite://")) as scratch, scratch.begin() as connection:
        for step in revisions(database):
            _run(connection, database, step)
            found = {**_form(connection), **found}
    return found


def _form(connection: Connection) -> dict[str, frozenset[str]]:
    look = inspect(connection)
    return {name: frozenset(column["name"] for column in look.get_columns(name)) for name in look.get_table_names()}


def _run(connection: Connection, database: Database, target: str = "head") -> None:
    config = configured(database)
    config.attributes["connection"] = connection
    command.upgrade(config, target)
