"""Lets tests of stores run on a server as they are: a database that a test opens as a file is one on the server, prepared and empty.

Marked `both_databases`, a test or module runs on SQLite, and on PostgreSQL in the long run; `both_databases(usual=True)` in every one.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, MetaData, NullPool, create_engine

from blickschutz.storage import engine, places
from blickschutz.storage.places import Server, ServerPlace
from blickschutz.storage.ports import Database, belongs_to

if TYPE_CHECKING:
    from tests.postgres import Cluster

SYSTEMS = ("sqlite", "postgresql")


def parameters(usual: bool) -> list[object]:
    """SQLite's tests keep the names that they had."""
    marks = [] if usual else [pytest.mark.long]
    return [pytest.param("sqlite", id=pytest.HIDDEN_PARAM), pytest.param("postgresql", marks=marks)]


class Mapped:
    """By file the database on the server that stands for it; `alerts.db` and `control.db` of one folder are one, as in operation."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.names: dict[Path, str] = {}
        self.opened: set[Path] = set()
        self.engines: dict[Path, list[Engine]] = {}

    @staticmethod
    def _known(path: Path) -> Path:
        return path.parent if path.name in {f"{one.value}.db" for one in Database} else path

    def name(self, path: Path) -> str:
        known = self._known(path)
        if known not in self.names:
            self.names[known] = self.cluster.fresh()
            self.opened.add(known)
        return self.names[known]

    def open_engine(self, place, *tables):
        if isinstance(place, Path):
            known = self._known(place)
            place = self.cluster.place(self.name(place), Database(tables[0].info["database"]))
        else:
            # A whole site names its server itself; of one that is not ours nothing is known here.
            known = next((path for path, name in self.names.items() if name == place.server.name), None)
        engine = _OPEN(place, *tables)
        if known is not None:
            self.engines.setdefault(known, []).append(engine)
        return engine

    def drop(self, folder: Path = Path("/")) -> None:
        """Away with what stands for files in `folder`: each takes some 8 MB, in memory as a rule.

        Connections are ended, too: of one that a test left open it is told when it is collected, in whatever test that is.
        """
        for known in [known for known in self.engines if known.is_relative_to(folder)]:
            for one in self.engines.pop(known):
                one.dispose()
        for known in [known for known in self.names if known.is_relative_to(folder)]:
            self.cluster.sql(f"DROP DATABASE {self.names.pop(known)} WITH (FORCE)")

    def folders(self, folder: Path) -> list[Path]:
        """Where the server keeps what stands for files in `folder`, and its journal."""
        names = [name for known, name in self.names.items() if known.is_relative_to(folder)]
        oids = [self.cluster.sql(f"SELECT oid FROM pg_database WHERE datname = '{name}'")[0][0] for name in names]
        return [*(self.cluster.data / "base" / str(oid) for oid in oids), self.cluster.data / "pg_wal"]

    @contextmanager
    def held(self, path: Path):
        """Somebody else has the right to write to what stands for a file."""
        tables = MetaData(info=belongs_to(Database(path.stem)))
        opened = _OPEN(self.cluster.place(self.name(path), Database(path.stem)), tables)
        with engine.writing(opened):
            yield
        opened.dispose()

    def place_in(self, data: Path, server: Server | None, database: Database):
        return ServerPlace(self.cluster.place(self.name(data / f"{database.value}.db")).server, database)


_active: list[Mapped] = []
_OPEN, _PLACE = engine.open_engine, places.place_in


@contextmanager
def on_server(cluster: Cluster):
    """Whoever imported the functions that open databases gets ours, as long as it lasts."""
    from blickschutz.storage.dialects import pg_session, postgresql

    mapped = Mapped(cluster)
    with pytest.MonkeyPatch.context() as patch:
        # How soon a server has to answer is the subject of test_server_store.py; a machine under load needs longer.
        patch.setattr(pg_session, "CONNECT_S", 60)
        patch.setattr(postgresql, "ANSWER_S", 60.0)
        patch.setattr(postgresql, "WORK_S", 120.0)
        for module in list(sys.modules.values()):
            if getattr(module, "open_engine", None) is _OPEN:
                patch.setattr(module, "open_engine", mapped.open_engine)
            if getattr(module, "place_in", None) is _PLACE:
                patch.setattr(module, "place_in", mapped.place_in)
        _active.append(mapped)
        opened: set[Path] = set()
        try:
            yield opened
        finally:
            _active.clear()
            opened.update(mapped.opened)
            mapped.drop()


def on_a_server() -> Mapped | None:
    """What stands for files at present; None where they are files."""
    return _active[0] if _active else None


@contextmanager
def patient_writers():
    """Whoever wants to write waits as long as it takes: for tests in which many want to at once, on a machine that others use as well."""
    from blickschutz.storage.dialects import sqlite

    systems = [sqlite]
    if _active:
        from blickschutz.storage.dialects import postgresql

        systems.append(postgresql)
    with pytest.MonkeyPatch.context() as patch:
        for system in systems:
            patch.setattr(system, "LONGEST_WAIT_S", 60.0)
        yield


def is_kept(word: bytes, folder: Path) -> bool:
    """Whether any file of the database system holds `word`: those in `folder`, or what the server has for them and its journal."""
    for place in _active[0].folders(folder) if _active else [folder]:
        for path in place.rglob("*"):
            with suppress(FileNotFoundError):  # the server removes files when it likes
                if path.is_file() and word in path.read_bytes():
                    return True
    return False


@contextmanager
def past_guards(opened: Engine, table: str = "log"):
    """A transaction of whoever owns the files or the server: nothing guards `table` from it, nor afterwards."""
    with as_administrator(opened) as connection:
        if opened.dialect.name == "sqlite":
            for act in ("update", "delete", "insert"):
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_no_{act}")
        else:
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        yield connection


@contextmanager
def as_administrator(opened: Engine):
    """A transaction past the program, of somebody who may do everything."""
    if opened.dialect.name == "sqlite":
        with opened.begin() as connection:
            yield connection
        return
    import psycopg

    place = opened.get_execution_options()["place"]
    about = {"host": place.server.host, "dbname": place.server.name, "user": "postgres"}
    about["options"] = f"-c search_path={place.database.value}"
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(**about), poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def by_hand(opened: Engine, sql: str, *values):
    """What a statement gives that is no program's; `?` stands for a value."""
    with as_administrator(opened) as connection:
        mark = sql if opened.dialect.name == "sqlite" else sql.replace("?", "%s")
        result = connection.exec_driver_sql(mark, values)
        return result.fetchall() if result.returns_rows else []
