"""The suppressor: every published count of a wave passes here (statistical disclosure control).

Cell-key method (Fraser and Wooton, Work session on statistical data confidentiality, 2005; used by Destatis for the census of 2022):
each person has a random key, a cell's key is the sum of its people's, and the key decides by how much the count is moved. The same
people are always moved alike, in whichever table they stand. Cells under `LEAST`, nobody included, are hidden; others are hidden with
them until what is published does not show that in a hidden cell there is anybody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST = 5
MOST_MOVED = 2
# How often, of ten, a count is moved by -2, -1, 0, 1, 2: as often up as down.
_MOVES = (-2, -1, -1, 0, 0, 0, 0, 1, 1, 2)
# More than anybody counts.
_ENDLESS = np.int64(2**31)
Keys = NDArray[np.uint64]


def record_keys(secret: bytes, digests: Sequence[str]) -> Keys:
    """A key for each person, the same for all papers of a wave: from the evaluation's secret and the digest of their sealed answer."""
    hashes = (hashlib.blake2b(one.encode(), key=secret[:64], digest_size=8, person=b"cellkey").digest() for one in digests)
    return np.array([int.from_bytes(one, "big") for one in hashes], dtype=np.uint64)


def moved(keys: Keys) -> int:
    """By how much the count of the people with these keys is moved."""
    total = int(keys.sum(dtype=np.uint64)) if len(keys) else 0
    return _MOVES[hashlib.sha256(total.to_bytes(8, "big")).digest()[0] * len(_MOVES) // 256]


@dataclass(frozen=True, slots=True)
class Table:
    """People by one or two of their values. `rows` and `columns` say of each person where they stand, -1 for nowhere.

    A table of one value has one column.
    """

    name: str
    row_names: tuple[str, ...]
    column_names: tuple[str, ...]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shown:
    """A published table: counts as they are printed, None where hidden; sums of rows and columns and of all alike."""

    cells: Mapping[tuple[str, str], int | None]
    row_sums: Mapping[str, int | None]
    column_sums: Mapping[str, int | None]
    total: int | None


def publish(tables: Sequence[Table], keys: Keys) -> dict[str, Shown]:
    """All tables of the same people, for the public. What is hidden in one is hidden wherever the same people are counted."""
    everything = _Everything(tables, keys)
    everything.hide()
    return {table.name: everything.shown(table) for table in tables}


class _Everything:
    """All places of all tables, sums among them. The same people are one place, however many tables count them."""

    def __init__(self, tables: Sequence[Table], keys: Keys) -> None:
        self._at: dict[tuple[str, int, int], int] = {}
        lines: list[list[int]] = []
        known: dict[bytes, int] = {}
        printed: list[int] = []
        small: list[bool] = []
        for table in tables:
            inside = (table.rows >= 0) & (table.columns >= 0)
            many, across = len(table.row_names), len(table.column_names)
            for row in range(many + 1):
                for column in range(across + 1):
                    here = inside & ((table.rows == row) | (row == many)) & ((table.columns == column) | (column == across))
                    # Nobody is no group: that two places are empty is not known to a reader.
                    who = np.packbits(here).tobytes() if here.any() else f"{table.name} {row} {column}".encode()
                    if who not in known:
                        count, by = int(here.sum()), moved(keys[here])
                        known[who] = len(printed)
                        printed.append(count + by)
                        small.append(count < LEAST or count + by < LEAST)
                    self._at[table.name, row, column] = known[who]
            lines += self._of(table)
        # Lines as one array, filled up with a place that counts nobody and is behind all others.
        longest, nobody = max(map(len, lines), default=1), len(printed)
        self._totals = np.array([line[-1] for line in lines], dtype=np.int64)
        self._parts = np.array([line[:-1] + [nobody] * (longest - len(line)) for line in lines], dtype=np.int64).reshape(len(lines), -1)
        self._printed, self._small = np.array(printed, dtype=np.int64), np.array(small, dtype=bool)
        self._hidden = self._small.copy()

    def _of(self, table: Table) -> Iterator[list[int]]:
        """Rows and columns: places of which the last is the sum of the others."""
        many, across = len(table.row_names), len(table.column_names)
        for row in range(many + 1):
            yield [self._at[table.name, row, column] for column in range(across + 1)]
        for column in range(across + 1):
            yield [self._at[table.name, row, column] for row in range(many + 1)]

    def hide(self) -> None:
        """Hide more until no small place is known to hold anybody."""
        while (place := self._told()) is not None:
            in_line = (self._parts == place).any(axis=1) | (self._totals == place)
            beside = set(self._parts[in_line].ravel().tolist()) | set(self._totals[in_line].tolist())
            printed = [(int(self._printed[one]), one) for one in beside if one < len(self._printed) and not self._hidden[one]]
            if printed:
                self._hidden[min(printed)[1]] = True
            else:
                self._hidden[:] = True

    def _told(self) -> int | None:
        """A small place that is known to hold somebody, by bounds.

        Bounds of each place (what was printed, as far as it can have been moved) are tightened along all lines until they stand.
        """
        low = np.append(np.where(self._hidden, 0, np.maximum(self._printed - MOST_MOVED, LEAST)), 0)
        high = np.append(np.where(self._hidden, _ENDLESS, self._printed + MOST_MOVED), 0)
        before = None
        while before != (state := (int(low.sum()), int(high.sum()))):
            before = state
            self._tighten(low, high)
        told = np.flatnonzero(self._small & (low[:-1] > 0))
        return int(told[0]) if len(told) else None

    def _tighten(self, low: NDArray[np.int64], high: NDArray[np.int64]) -> None:
        """What each place must at least and can at most be, from the others of each of its lines."""
        lows, highs = low[self._parts], high[self._parts]
        np.maximum.at(low, self._totals, lows.sum(axis=1))
        np.minimum.at(high, self._totals, highs.sum(axis=1))
        least = low[self._totals][:, None] - (highs.sum(axis=1)[:, None] - highs)
        most = high[self._totals][:, None] - (lows.sum(axis=1)[:, None] - lows)
        np.maximum.at(low, self._parts, least)
        np.minimum.at(high, self._parts, most)
        low[-1] = high[-1] = 0

    def shown(self, table: Table) -> Shown:
        """What is printed of a table."""
        rows, columns = table.row_names, table.column_names

        def value(row: int, column: int) -> int | None:
            place = self._at[table.name, row, column]
            return None if self._hidden[place] else int(self._printed[place])

        return Shown(
            {(a, b): value(r, c) for r, a in enumerate(rows) for c, b in enumerate(columns)},
            {a: value(r, len(columns)) for r, a in enumerate(rows)},
            {b: value(len(rows), c) for c, b in enumerate(columns)},
            value(len(rows), len(columns)),
        )
