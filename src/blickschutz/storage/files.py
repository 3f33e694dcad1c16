"""Files that last: written wholly or not at all, and overwritten when they end."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, wholly or not at all, and sync it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        # What is tried every few seconds on a full disk would leave thousands of them.
        with suppress(OSError):
            part.unlink()
        raise
    sync_folder(path.parent)


def read_regular(path: Path, most: int) -> bytes:
    """A file's bytes, `most` at most. Raises `OSError`, `OddFileError` too for whatever is no file or larger.

    A pipe under a file's name would be waited for without end, a link or a device leads elsewhere.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            raise OddFileError(error.errno, "a link or a socket", str(path)) from error
        raise
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_size > most:
            raise OddFileError(errno.EINVAL, f"no file of {most} bytes at most", str(path))
        return os.read(handle, most)
    finally:
        os.close(handle)


class OddFileError(OSError):
    """Something else lies under a file's name."""


def sync_folder(path: Path) -> None:
    """Make renames and removals in a folder last."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_text(name: str) -> bool:
    """Whether a file's name is text at all: whatever bytes somebody gave it, a database and a log take text only."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def overwrite(path: Path, start: int = 0, length: int | None = None) -> None:
    """Overwrite part of a file with random bytes and sync it. On media that copy on write this alone is no proof.

    Whoever may only write the file can do it.
    """
    # Without waiting: a pipe under a file's name has no other end (ENXIO), or nothing in it to overwrite.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC), "wb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OddFileError(errno.EINVAL, "no file", str(path))
        left = max(0, min(found.st_size - start, found.st_size if length is None else length))
        file.seek(start)
        while left > 0:
            step = min(left, 1 << 20)
            file.write(secrets.token_bytes(step))
            left -= step
        file.flush()
        os.fsync(file.fileno())


def erase(path: Path) -> None:
    """Overwrite a file and remove it; nothing where there is none (any more)."""
    try:
        overwrite(path)
        path.unlink()
    except FileNotFoundError:
        return
    sync_folder(path.parent)


def erase_database(path: Path) -> None:
    """Overwrite and remove a database file with what SQLite keeps beside it (https://www.sqlite.org/tempfiles.html)."""
    for end in ("", "-wal", "-shm", "-journal"):
        erase(path.with_name(path.name + end))


def sha256_of(path: Path) -> str:
    """Of a whole file, in hex; read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
