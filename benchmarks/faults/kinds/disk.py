"""Disks that are full, broken, read-only, or forbidden; each folder by itself; while the system runs and at its start."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from benchmarks.faults.listing import fault
from benchmarks.faults.round import Round
from benchmarks.faults.shim import CHANGES, EVERYTHING, FORBIDDEN, Op

BROKEN_S = 9.0
_ERRORS = {
    "full": (Op.OPEN_WRITE | Op.WRITE | Op.RESIZE, errno.ENOSPC),
    "broken": (EVERYTHING, errno.EIO),
    "broken for writing": (Op.WRITE | Op.SYNC | Op.REMOVE, errno.EIO),
    "read-only": (CHANGES, errno.EROFS),
    "forbidden": (FORBIDDEN, errno.EACCES),
}
_FOLDERS = ("", "clips", "keys", "exports")


def fill(folder: Path) -> Path:
    """A file that takes the last byte of a disk."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            block = b"x" * size
            try:
                while file.write(block):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    return path


@fault("disk full to the last byte")
def disk_full(round_: Round) -> None:
    """A real one: what is there can be overwritten, nothing new finds room."""
    filler = fill(round_.system.data)
    try:
        round_.life.order()
        round_.wait(BROKEN_S + 4)
    finally:
        filler.unlink()


@fault("disk full at the start")
def disk_full_at_start(round_: Round) -> None:
    round_.down()
    filler = fill(round_.system.data)
    up = round_.up_or_words()
    if up:
        round_.wait(BROKEN_S)
    filler.unlink()
    if not up:
        round_.up()


def failing(round_: Round, folder: str, kind: str) -> None:
    """Everything in a folder fails for a while."""
    ops, error = _ERRORS[kind]
    round_.system.shim.fail(round_.system.data / folder, ops, error)
    try:
        round_.life.order()
        round_.wait(BROKEN_S)
    finally:
        round_.system.shim.heal()


def failing_at_start(round_: Round, folder: str, kind: str) -> None:
    """The same when the system starts; a refusal in words is an answer."""
    round_.down()
    ops, error = _ERRORS[kind]
    round_.system.shim.fail(round_.system.data / folder, ops, error)
    up = round_.up_or_words()
    if up:
        round_.wait(BROKEN_S)
    round_.system.shim.heal()
    if not up:
        round_.up()


def _add(folder: str, kind: str) -> None:
    where = folder or "data"

    def play(round_: Round) -> None:
        failing(round_, folder, kind)

    fault(f"{where} {kind}")(play)


for _folder in _FOLDERS:
    for _kind in _ERRORS:
        _add(_folder, _kind)


def _at_start(folder: str, kinds: tuple[str, ...]) -> Callable[[Round], None]:
    def play(round_: Round) -> None:
        failing_at_start(round_, folder, round_.chance.choice(kinds))

    return play


for _folder in _FOLDERS:
    fault(f"{_folder or 'data'} not usable at the start")(_at_start(_folder, ("broken", "read-only", "forbidden")))


@fault("one due clip cannot be read or removed")
def one_clip_broken(round_: Round) -> None:
    """A bad sector under one recording; everything else goes on."""
    one = round_.next_due()
    round_.system.shim.fail(round_.referee.clip(one.clip), EVERYTHING)
    try:
        others_end(round_, one.clip)
    finally:
        round_.system.shim.heal()


@fault("one due clip is immutable")
def one_clip_immutable(round_: Round) -> None:
    """As a backup tool or an administrator leaves it; also over a restart."""
    one = round_.next_due()
    path = round_.referee.clip(one.clip)
    set_immutable(path, on=True)
    try:
        others_end(round_, one.clip)
        round_.down()
        round_.up()
    finally:
        set_immutable(path, on=False)


def others_end(round_: Round, but: str) -> None:
    """What else is due ends meanwhile."""
    round_.wait(12)
    held_up = [one for one in round_.referee.overdue() if one.clip != but]
    if held_up:
        round_.ledger.broken("overdue", f"{len(held_up)} due clips are held up by one that cannot be destroyed")


def set_immutable(path: Path, *, on: bool) -> None:
    """The attribute of the file system (`chattr +i`)."""
    import fcntl
    import struct

    handle = os.open(path, os.O_RDONLY)
    try:
        (flags,) = struct.unpack("i", fcntl.ioctl(handle, 0x80086601, bytes(4)))
        flags = flags | 0x10 if on else flags & ~0x10
        fcntl.ioctl(handle, 0x40086602, struct.pack("i", flags))
    finally:
        os.close(handle)
