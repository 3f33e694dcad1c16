"""Lets tests of stores run on a server as they are: a database that a test opens as a file is one on the server, prepared and empty.

Marked `both_databases`, a test or module runs on SQLite, and on PostgreSQL in the long run; `both_databases(usual=True)` in every one.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, NullPool, create_engine

from blickschutz.storage import engine, places
from blickschutz.storage.places import Server, ServerPlace
from blickschutz.storage.ports import Database

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

    def name(self, path: Path) -> str:
        known = path.parent if path.name in {f"{one.value}.db" for one in Database} else path
        if known not in self.names:
            self.names[known] = self.cluster.fresh()
        return self.names[known]

    def open_engine(self, place, *tables):
        if isinstance(place, Path):
            place = self.cluster.place(self.name(place), Database(tables[0].info["database"]))
        return _OPEN(place, *tables)

    def place_in(self, data: Path, server: Server | None, database: Database):
        return ServerPlace(self.cluster.place(self.name(data / f"{database.value}.db")).server, database)


_active: list[Mapped] = []
_OPEN, _PLACE = engine.open_engine, places.place_in


@contextmanager
def on_server(cluster: Cluster):
    """Whoever imported the functions that open databases gets ours, as long as it lasts."""
    mapped = Mapped(cluster)
    with pytest.MonkeyPatch.context() as patch:
        for module in list(sys.modules.values()):
            if getattr(module, "open_engine", None) is _OPEN:
                patch.setattr(module, "open_engine", mapped.open_engine)
            if getattr(module, "place_in", None) is _PLACE:
                patch.setattr(module, "place_in", mapped.place_in)
        _active.append(mapped)
        yield mapped.names
        _active.clear()


def is_kept(word: bytes, folder: Path) -> bool:
    """Whether any file of the database system holds `word`: those in `folder`, or all of the server's."""
    for path in (_active[0].cluster.data if _active else folder).rglob("*"):
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
