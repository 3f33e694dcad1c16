"""Open SQLite in WAL mode."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")


def open_engine(path: Path, *tables: MetaData) -> Engine:
    """The database in `path`, made where it is missing, with `tables`. Synced to disk at every commit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 10})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        del record
        # The driver's own begin is late and deferred: two writers could both read first. We begin ourselves, below.
        connection.isolation_level = None
        for line in _PRAGMAS:
            connection.execute(f"PRAGMA {line}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")

    for part in tables:
        part.create_all(engine)
    return engine


def writing(engine: Engine) -> AbstractContextManager[Connection]:
    """A transaction that will write: it takes the right to write at once, so what it reads stays true until it commits."""
    return engine.execution_options(writes=True).begin()
