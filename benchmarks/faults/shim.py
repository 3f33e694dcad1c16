"""Errors of a disk and a wrong wall clock, put between the system and the C library (`shim.c`)."""

from __future__ import annotations

import errno
import struct
from enum import IntFlag
from pathlib import Path

from benchmarks.preload import Preload

_HEAD = struct.Struct("<qiiii")
_RULE = struct.Struct("<256sii")
_MOST = 8


class Op(IntFlag):
    """What fails; the numbers are those of `shim.c`."""

    OPEN_READ = 1
    OPEN_WRITE = 2
    READ = 4
    WRITE = 8
    SYNC = 16
    REMOVE = 32
    RENAME = 64
    RESIZE = 128


CHANGES = Op.OPEN_WRITE | Op.WRITE | Op.SYNC | Op.REMOVE | Op.RENAME | Op.RESIZE
EVERYTHING = CHANGES | Op.OPEN_READ | Op.READ
# What the kernel refuses to whoever may look but not write: opening for writing and changing the folder.
FORBIDDEN = Op.OPEN_READ | Op.OPEN_WRITE | Op.REMOVE | Op.RENAME


class Shim:
    """The library, compiled once, and the page through which it is told what fails."""

    def __init__(self, folder: Path) -> None:
        loaded = Preload(Path(__file__).with_name("shim.c"), folder, _HEAD.size + _MOST * _RULE.size, "FAULT_SHIM")
        self.environment, self._map = loaded.environment, loaded.map
        self._rules: list[tuple[bytes, int, int]] = []

    def set_wall(self, ahead_s: float) -> None:
        """The wall clock of the system goes so many seconds ahead of the machine's."""
        self._map[:8] = struct.pack("<q", int(ahead_s * 1e9))

    def set_synchronised(self, on: bool) -> None:
        """Whether the kernel says that a time server stands behind its clock."""
        self._map[16:20] = struct.pack("<i", int(on))

    def fail(self, path: Path, ops: Op, error: int = errno.EIO) -> None:
        """From now on these operations on everything under `path` (a prefix) end with `error`."""
        self._rules.append((str(path).encode(), int(ops), error))
        self._write()

    def heal(self) -> int:
        """Nothing fails any more; how often something failed since the last time."""
        _, _, seen, _, _ = _HEAD.unpack_from(self._map, 0)
        self._rules.clear()
        self._write()
        self._map[12:16] = struct.pack("<i", 0)
        return int(seen)

    def _write(self) -> None:
        """The count last: no rule is looked at before it is whole."""
        self._map[8:12] = struct.pack("<i", 0)
        for index, rule in enumerate(self._rules):
            _RULE.pack_into(self._map, _HEAD.size + index * _RULE.size, *rule)
        self._map[8:12] = struct.pack("<i", len(self._rules))
