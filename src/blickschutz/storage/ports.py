"""What differs between database systems, and what a room says of its tables.

A room keeps `METADATA = MetaData(info=belongs_to(Database.CONTROL))` and marks what may only grow with `info=APPEND_ONLY`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Table

from blickschutz.storage.replicas import Replication

LONGEST_WAIT_S = 1.5  # for the right to write: with the rest of a page this stays under two seconds


@dataclass(frozen=True, slots=True)
class AppendOnly:
    """That rows of a table are neither changed nor removed. Conditions in SQL where there is one way after all: `removed_if` over the
    row OLD that may go, `added_if` over the row NEW without which none may come."""

    removed_if: str = ""
    added_if: str = ""


APPEND_ONLY: Mapping[str, Any] = {"append_only": AppendOnly()}


class Database(StrEnum):
    """The databases of an installation; each has a history of its own in `migrations/`."""

    CONTROL = "control"
    ALERTS = "alerts"


def belongs_to(database: Database) -> dict[str, Any]:
    """What a room's `MetaData` carries, so that opening a database knows its history."""
    return {"database": database}


class FaultKind(StrEnum):
    """What is wrong with a database."""

    DAMAGED = "damaged"
    UNREACHABLE = "unreachable"
    REFERENCES = "references"
    UNGUARDED = "unguarded"


@dataclass(frozen=True, slots=True)
class StoreFault:
    """One thing that is wrong, in which file, in words."""

    file: str
    kind: FaultKind
    text: str


class Dialect(Protocol):
    """One database system. Errors come as `StoreError`; a broken rule of a table stays SQLAlchemy's `IntegrityError`."""

    def name(self, engine: Engine) -> str:
        """What people call the database: its file, or what it is on which system."""
        ...

    def writing(self, engine: Engine) -> AbstractContextManager[Connection]:
        """A transaction that has the right to write from its begin; one at a time. Raises `StoreBusyError` after `LONGEST_WAIT_S`."""
        ...

    def upgrading(self, engine: Engine) -> AbstractContextManager[Connection]:
        """A transaction alone with the database in which tables may be altered; at its end all references hold, or it is undone."""
        ...

    def guard(self, connection: Connection, tables: Mapping[str, AppendOnly]) -> None:
        """Make tables refuse every change and removal of a row that they are not to let pass."""
        ...

    def unguarded(self, connection: Connection, tables: Mapping[str, AppendOnly]) -> list[str]:
        """Those of `tables` that would let a row be changed or removed, or that are guarded by something else."""
        ...

    def faults(self, engine: Engine, *, deep: bool) -> list[tuple[FaultKind, str]]:
        """What the system itself finds wrong with its files and references; `deep` also compares indexes with their tables."""
        ...

    def let_go(self, connection: Connection, table: Table, numbers: Sequence[int]) -> None:
        """Remove rows of a table that may only grow, by the number that is their key, as far as its rule lets them go."""
        ...

    def forget(self, engine: Engine) -> None:
        """Leave no byte of deleted rows in any file of the tables and none that the system lets us clear of its journal.

        Raises `StoreBusyError` while somebody still reads what was.
        """
        ...

    def replication(self, engine: Engine) -> Replication | None:
        """How the copies are that the system keeps by itself; None where it keeps none. Raises `StoreError`."""
        ...


class FileDialect(Dialect, Protocol):
    """One whose databases are files."""

    def connect(self, path: Path) -> Engine:
        """An engine whose commits are on disk when they return, whose readers wait for no writer, and which overwrites what it deletes."""
        ...

    def copy(self, engine: Engine, target: Path) -> None:
        """One moment of the database as a file of its own, synced, readable by its owner only; others go on meanwhile."""
        ...

    def open_copy(self, path: Path) -> Engine:
        """A copy for reading; nothing is made beside it."""
        ...
