"""Rows that cannot be read hide no others, and are told of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from sqlalchemy import Row

from blickschutz.kernel.errors import StoreDamagedError

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")
# What decoders raise: msgspec's errors and those of enumerations, dates and JSON are `ValueError`s.
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)


@dataclass(frozen=True, slots=True)
class DamagedRow:
    """A row that is there and cannot be read: its table, its key, and why. `problem` holds no content of the row."""

    table: str
    key: str
    problem: str


class RowReader:
    """Decodes the rows of one table; `key` is the column that names a row."""

    def __init__(self, table: str, key: str = "id") -> None:
        self._table, self._key = table, key
        self._told: set[str] = set()

    def one(self, row: Row[Any], decode: Callable[[Row[Any]], _T]) -> _T:
        """Raises `StoreDamagedError`: what is asked for by its name is not silently absent."""
        try:
            return decode(row)
        except _UNREADABLE as error:
            raise StoreDamagedError(f"row {self._key_of(row)} of {self._table} cannot be read: {_reason(error)}") from error

    def all(self, rows: Iterable[Row[Any]], decode: Callable[[Row[Any]], _T]) -> list[_T]:
        """Those that can be read. Of each other the log of the program says once that it is there; `damaged` lists them."""
        found = []
        for row in rows:
            try:
                found.append(decode(row))
            except _UNREADABLE as error:
                if (key := self._key_of(row)) not in self._told:
                    self._told.add(key)
                    _log.error("row_damaged", table=self._table, row=key, problem=_reason(error))
        return found

    def damaged(self, rows: Iterable[Row[Any]], decode: Callable[[Row[Any]], object]) -> list[DamagedRow]:
        """Those that cannot be read."""
        found = []
        for row in rows:
            try:
                decode(row)
            except _UNREADABLE as error:
                found.append(DamagedRow(self._table, self._key_of(row), _reason(error)))
        return found

    def _key_of(self, row: Row[Any]) -> str:
        return str(row._mapping[self._key])


def _reason(error: Exception) -> str:
    """Where and how it breaks, in the words of msgspec, which name types and places; other errors quote what they read."""
    return str(error) if type(error).__module__.startswith("msgspec") else type(error).__name__
