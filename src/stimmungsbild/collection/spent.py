"""What was spent, kept so that it does not show when: which page a hash lies on and where follows from the hashes alone.

A B-tree that grows shows its order: rows lie in their pages as they were written. So hashes lie in buckets of one page each. The first
bits of a hash say which bucket, in it they are sorted, and what is free is zero: a bucket is written over in its place, with the same
bytes whatever came first. A bucket that would be too full doubles all of them, and all are written anew.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Iterable, Iterator

HASH = 32
# A row of 120 hashes fills more than half of SQLite's page of 4096 bytes and no more than one, so each has a page of its own.
ROOM = 120
TABLE = "CREATE TABLE IF NOT EXISTS buckets (number INTEGER PRIMARY KEY, hashes BLOB NOT NULL);\n"
_PREFIX_BITS = 32


def hashes(bucket: bytes) -> Iterator[bytes]:
    """What lies in a bucket, in its order."""
    return (bucket[at : at + HASH] for at in range(0, _filled(bucket) * HASH, HASH))


def with_hash(bucket: bytes, one: bytes) -> bytes | None:
    """The bucket with one more hash, which is not in it; None where it is full."""
    many = _filled(bucket)
    if many == ROOM:
        return None
    at = HASH * bisect_left(range(many), one, key=lambda place: bucket[place * HASH : (place + 1) * HASH])
    return bucket[:at] + one + bucket[at:-HASH]


def _filled(bucket: bytes) -> int:
    # A hash may end in zeros, and none is zeros alone.
    return -(-len(bucket.rstrip(b"\x00")) // HASH)


def _bucket(content: Iterable[bytes]) -> bytes:
    return b"".join(content).ljust(ROOM * HASH, b"\x00")


class Spent:
    """The buckets as one connection sees them. What is spent is written by `write`, in the transaction of whoever asks."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._bits = 0
        self._changed: dict[int, bytes] = {}

    def begin(self) -> None:
        """Look anew: what another connection wrote, or what was taken back, counts."""
        last = self._db.execute("SELECT max(number) FROM buckets").fetchone()[0]
        self._bits = int(last or 0).bit_length()
        self._changed = {}

    def _number(self, one: bytes) -> int:
        return int.from_bytes(one[:4], "big") >> (_PREFIX_BITS - self._bits)

    def _read(self, number: int) -> bytes:
        if number in self._changed:
            return self._changed[number]
        row = self._db.execute("SELECT hashes FROM buckets WHERE number = ?", [number]).fetchone()
        return bytes(row[0]) if row else _bucket(())

    def __contains__(self, one: bytes) -> bool:
        bucket = self._read(self._number(one))
        return one in bucket and one in hashes(bucket)

    def add(self, one: bytes) -> None:
        """Spend what was not spent before."""
        number = self._number(one)
        fuller = with_hash(self._read(number), one)
        while fuller is None:
            self._double()
            number = self._number(one)
            fuller = with_hash(self._read(number), one)
        self._changed[number] = fuller

    def _double(self) -> None:
        self.write()
        everything = [one for (bucket,) in self._db.execute("SELECT hashes FROM buckets ORDER BY number") for one in hashes(bucket)]
        self._bits += 1
        halves: list[list[bytes]] = [[] for _ in range(1 << self._bits)]
        for one in everything:
            halves[self._number(one)].append(one)
        self._db.execute("DELETE FROM buckets")
        self._db.executemany("INSERT INTO buckets VALUES (?, ?)", ((number, _bucket(half)) for number, half in enumerate(halves)))

    def everything(self) -> frozenset[bytes]:
        """All that was spent."""
        return frozenset(one for (bucket,) in self._db.execute("SELECT hashes FROM buckets") for one in hashes(bucket))

    def write(self) -> None:
        """Lay what was spent into the transaction that runs."""
        self._db.executemany("INSERT OR REPLACE INTO buckets VALUES (?, ?)", sorted(self._changed.items()))
        self._changed = {}
