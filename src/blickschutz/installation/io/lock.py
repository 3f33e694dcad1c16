"""One process holds a folder. The kernel keeps the lock (flock(2)), so it ends with the process, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from blickschutz.installation.model import HOLD_LOCK, USE_LOCK, FolderError, Holder, Use, Why
from blickschutz.installation.texts import say
from blickschutz.kernel.errors import UNREADABLE, OperatorError

_MOST_BYTES = 4096


class FolderLock:
    """Two locks: who holds the folder (one process), and who uses it (many, or one that has it to itself).

    The files stay when the locks end: removing them would let two processes hold two files of one name.
    """

    def __init__(self, folder: Path, use: Use, holder: Holder, language: str) -> None:
        self._folder, self._use, self._holder, self._language = folder, use, holder, language
        self._handles: list[int] = []
        self._hold: int | None = None

    def acquire(self) -> None:
        """Take what `use` needs, or raise `FolderError` that says who has it. Never waits."""
        try:
            if self._use is not Use.BESIDE:
                self._hold = self._take(HOLD_LOCK, fcntl.LOCK_EX)
                os.ftruncate(self._hold, 0)
                os.pwrite(self._hold, msgspec.json.encode(self._holder), 0)
            self._take(USE_LOCK, fcntl.LOCK_EX if self._use is Use.ALONE else fcntl.LOCK_SH)
        except (OSError, FolderError):
            self.release()
            raise

    def release(self) -> None:
        if self._hold is not None:
            os.ftruncate(self._hold, 0)
            self._hold = None
        while self._handles:
            os.close(self._handles.pop())

    def _take(self, name: str, mode: int) -> int:
        # Not inherited by what this process starts (PEP 446): cells must not keep a folder that its holder lost.
        handle = os.open(self._folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        self._handles.append(handle)
        try:
            fcntl.flock(handle, mode | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise self._refusal() from error
        return handle

    def _refusal(self) -> FolderError:
        # Where this process has the hold already, others only use the folder; they leave no name.
        found = holder_of(self._folder) if self._hold is None else None
        if found is None:
            return FolderError(Why.BUSY, say("busy", self._language, folder=self._folder))
        return FolderError(Why.HELD, say("held", self._language, folder=self._folder, **msgspec.structs.asdict(found)))


@contextmanager
def held(folder: Path, refusal: str) -> Iterator[None]:
    """The folder of a process that is no site's, made where there is none. Raises `OperatorError` (`refusal`) where another one has it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OperatorError(refusal) from error
        yield


def holder_of(folder: Path) -> Holder | None:
    """Who wrote themselves into the lock; None where nobody did. After a kill the name stays while the lock is free."""
    try:
        with (folder / HOLD_LOCK).open("rb") as file:
            return msgspec.json.decode(file.read(_MOST_BYTES), type=Holder)
    except (OSError, *UNREADABLE):
        return None


def is_held(folder: Path) -> bool:
    """Whether some process holds the folder now."""
    try:
        handle = os.open(folder / HOLD_LOCK, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def open_by(folder: Path) -> list[str]:
    """Processes that have files in `folder` open, as "name (number)": older versions hold no lock. What may not be seen is left out."""
    inside, found = f"{folder.resolve()}/", []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            links = [os.readlink(link) for link in (process / "fd").iterdir()]
            if any(link.startswith(inside) for link in links):
                found.append(f"{(process / 'comm').read_text(encoding='utf-8').strip()} ({process.name})")
        except OSError:
            continue
    return found
