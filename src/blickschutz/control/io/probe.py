"""Looks whether a database answers, how fast, and when something was last written to it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, MetaData, event, select
from sqlalchemy.exc import SQLAlchemyError

from blickschutz.control.vitals import DatabaseState
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import StoreError


class DatabaseProbe:
    """One database. `tables` are some of it, the first of which is read. Listens to all that is done to `engine` from now on."""

    def __init__(self, name: str, engine: Engine, tables: MetaData, clock: Clock) -> None:
        self._name, self._engine, self._table, self._clock = name, engine, tables.sorted_tables[0], clock
        self._written = self._refused = 0.0
        event.listen(engine, "commit", self._committed)
        event.listen(engine, "handle_error", self._failed)

    def look(self) -> DatabaseState:
        """Read one row, on a connection of its own."""
        began = self._clock.monotonic()
        try:
            with self._engine.connect() as connection:
                connection.execute(select(self._table).limit(1)).one_or_none()
        except (StoreError, SQLAlchemyError) as error:
            problem = str(error) if isinstance(error, StoreError) else type(error).__name__
            return DatabaseState(self._name, None, problem, self._written, self._refused)
        return DatabaseState(self._name, self._clock.monotonic() - began, "", self._written, self._refused)

    def _committed(self, connection: Connection) -> None:
        if _writes(connection):
            self._written = self._clock.now()

    def _failed(self, context: Any) -> None:
        # What a statement itself broke says nothing about the database.
        # The attribute is there only where a listener before this one put another exception in its place.
        if (
            isinstance(getattr(context, "chained_exception", None), StoreError)
            and context.connection is not None
            and _writes(context.connection)
        ):
            self._refused = self._clock.now()


def _writes(connection: Connection) -> bool:
    return connection.get_execution_options().get("writes") is not None
