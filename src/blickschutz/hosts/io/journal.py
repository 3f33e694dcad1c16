"""The journal of a host for one camera: a file to which is appended, synced before anything counts, rewritten when it is old.

A record is its length, its CRC-32, then a MessagePack array. A torn end is what was being written when the power went: nobody was told
that it is kept, so it is cut off.
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
import structlog

from blickschutz.hosts.model import Told
from blickschutz.kernel.errors import UNREADABLE, DeviceError
from blickschutz.storage.files import write_private

_log = structlog.get_logger(__name__)
_HEAD: Final = struct.Struct(">II")
MOST_NEWS: Final = 20_000
MOST_BYTES: Final = 32 * 1024 * 1024
# Records that say nothing any more, before the file is written anew.
_OLD: Final = 1000


class _Added(msgspec.Struct, frozen=True, array_like=True, tag=1):
    told: Told
    importance: int


class _Confirmed(msgspec.Struct, frozen=True, array_like=True, tag=2):
    run: str
    number: int


class _Dropped(msgspec.Struct, frozen=True, array_like=True, tag=3):
    run: str
    number: int


class _Over(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """How far a run was confirmed before the file was written anew."""

    run: str
    number: int


_Record: TypeAlias = _Added | _Confirmed | _Dropped | _Over
_decoder: msgspec.msgpack.Decoder[_Record] = msgspec.msgpack.Decoder(_Record)


class FileJournal:
    """See `Journal`. From any thread. `dropped` counts what a full journal let go."""

    def __init__(self, path: Path, most: int = MOST_NEWS, most_bytes: int = MOST_BYTES) -> None:
        self._path, self._most, self._most_bytes = path, most, most_bytes
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, int], _Added] = {}
        self._last: dict[str, int] = {}
        self._over: dict[str, int] = {}
        self._bytes = self._records = 0
        self.dropped = 0
        try:
            self._read()
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DeviceError(f"the journal {path.name} cannot be read: {error.strerror}") from error

    def close(self) -> None:
        os.close(self._file)

    def add(self, run: str, number: int, token: int, data: bytes, importance: int, clock: str = "") -> None:
        """Keep news; of those that a full journal drops, the least important go first, the oldest of them. Raises `DeviceError`."""
        with self._lock:
            if number <= self._last.get(run, 0):
                return
            added = _Added(Told(run, number, 0, token, data, clock), importance)
            self._append(added)
            self._keep(added)
            while len(self._kept) > self._most or self._bytes > self._most_bytes:
                if not self._drop():
                    return

    def confirm(self, run: str, number: int) -> None:
        """Raises `DeviceError`."""
        with self._lock:
            if self._confirmed(run, number):
                self._append(_Confirmed(run, number))
            if self._records > len(self._kept) + _OLD:
                self._rewrite()

    def waiting(self, run: str = "", number: int = 0, most: int = 256) -> list[Told]:
        """What is to be told, in the order in which it happened, from behind that one on; each says what comes before it."""
        with self._lock:
            found: list[Told] = []
            before: dict[str, int] = {}
            behind = not run or (run, number) not in self._kept
            for key, added in self._kept.items():
                if behind and len(found) < most:
                    found.append(msgspec.structs.replace(added.told, after=before.get(key[0], self._over.get(key[0], 0))))
                behind = behind or key == (run, number)
                before[key[0]] = key[1]
            return found

    @property
    def last(self) -> tuple[str, int] | None:
        """Run and number of what was added last and is not confirmed yet; None where nothing is."""
        return next(reversed(self._kept), None)

    def holds(self, run: str, number: int) -> bool:
        """Whether that one is not confirmed yet."""
        return (run, number) in self._kept

    def __len__(self) -> int:
        return len(self._kept)

    def _keep(self, added: _Added) -> None:
        key = (added.told.run, added.told.number)
        self._kept[key] = added
        self._last[key[0]] = key[1]
        self._bytes += len(added.told.data)

    def _forget(self, key: tuple[str, int]) -> None:
        if (added := self._kept.pop(key, None)) is not None:
            self._bytes -= len(added.told.data)

    def _confirmed(self, run: str, number: int) -> bool:
        """Whether anything was kept of it."""
        over = [key for key in self._kept if key[0] == run and key[1] <= number]
        for key in over:
            self._forget(key)
        if over:
            self._over[run] = max(number, self._over.get(run, 0))
        return bool(over)

    def _drop(self) -> bool:
        """False where all that is left is never dropped (`importance` 0)."""
        least = max(added.importance for added in self._kept.values())
        if least == 0:
            return False
        key = next(key for key, added in self._kept.items() if added.importance == least)
        self._forget(key)
        self._append(_Dropped(*key))
        self.dropped += 1
        _log.error("news_dropped", dropped=self.dropped)
        return True

    def _append(self, record: _Record) -> None:
        try:
            _write_all(self._file, _framed(record))
            os.fdatasync(self._file)
        except OSError as error:
            raise DeviceError(f"the journal {self._path.name} cannot be written: {error.strerror}") from error
        self._records += 1

    def _read(self) -> None:
        data = self._path.read_bytes() if self._path.exists() else b""
        place = 0
        while place + _HEAD.size <= len(data):
            length, crc = _HEAD.unpack_from(data, place)
            body = data[place + _HEAD.size : place + _HEAD.size + length]
            if len(body) < length or zlib.crc32(body) != crc:
                break
            try:
                self._replay(_decoder.decode(body))
            except UNREADABLE:
                break
            place += _HEAD.size + length
        if place < len(data):
            _log.error("journal_cut", journal=self._path.name, bytes=len(data) - place)
            os.truncate(self._path, place)

    def _replay(self, record: _Record) -> None:
        self._records += 1
        if isinstance(record, _Added):
            self._keep(record)
        elif isinstance(record, _Dropped):
            self._forget((record.run, record.number))
        elif isinstance(record, _Over):
            self._over[record.run] = record.number
        else:
            self._confirmed(record.run, record.number)

    def _rewrite(self) -> None:
        runs = {run for run, _ in self._kept}
        self._over = {run: number for run, number in self._over.items() if run in runs}
        records: list[_Record] = [_Over(run, number) for run, number in self._over.items()]
        parts = [_framed(record) for record in (*records, *self._kept.values())]
        try:
            write_private(self._path, b"".join(parts))
            os.close(self._file)
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        except OSError as error:
            raise DeviceError(f"the journal {self._path.name} cannot be written anew: {error.strerror}") from error
        self._records = len(parts)


def _framed(record: _Record) -> bytes:
    data = msgspec.msgpack.encode(record)
    return _HEAD.pack(len(data), zlib.crc32(data)) + data


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]
