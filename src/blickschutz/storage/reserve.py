"""Space that is kept so that something can end when there is none left: an order of destruction and its entry take rows."""

from __future__ import annotations

import errno
import os
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import structlog

from blickschutz.kernel.errors import DeviceError, StoreFullError
from blickschutz.storage.files import sync_folder

_log = structlog.get_logger(__name__)
_STEP = 1 << 20
_T = TypeVar("_T")
# A database's journal grows to 4 MB before it is written from its beginning again; the rest is for rows, some 2 kB a destruction.
SIZE = 8 << 20


class Reserve:
    """A file of `size` bytes that is there until its space is needed. Safe to be called from several threads."""

    def __init__(self, path: Path, size: int = SIZE) -> None:
        self._path, self._size = path, size
        self._lock = threading.Lock()

    @property
    def held(self) -> bool:
        """Whether all of it is there."""
        try:
            return self._path.stat().st_size == self._size
        except OSError:
            return False

    def hold(self) -> bool:
        """Take the space, where it is not held; False where the disk has too little. To be called at the start and every few seconds.

        Raises `DeviceError` where the disk does something else than being full.
        """
        with self._lock:
            if self.held:
                return True
            part = self._path.with_name(f".{self._path.name}.part")
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                _fill(part, self._size)
                part.replace(self._path)
                sync_folder(self._path.parent)
            except OSError as error:
                with suppress(OSError):
                    part.unlink()
                if is_full(error):
                    return False
                raise DeviceError(f"{self._path.name} cannot be written: {error.strerror}") from error
            return True

    def release(self) -> bool:
        """Give the space to whoever needs it now; False where none was held."""
        with self._lock:
            there = self._path.exists()
            self._path.unlink(missing_ok=True)
        if there:
            _log.warning("reserve_released", bytes=self._size)
        return there

    def through(self, work: Callable[[], _T]) -> _T:
        """Do `work`; where the disk is full, once more with the reserve. For what ends something only: it makes room itself."""
        try:
            return work()
        except (DeviceError, OSError) as error:
            if not is_full(error) or not self.release():
                raise
        return work()


def is_full(error: BaseException) -> bool:
    """Whether a full disk is what an error comes from."""
    if isinstance(error, StoreFullError):
        return True
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    return error.__cause__ is not None and is_full(error.__cause__)


def _fill(path: Path, size: int) -> None:
    """Random bytes: a disk that compresses, or that writes zeros nowhere, would promise space that it does not have."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        for start in range(0, size, _STEP):
            file.write(secrets.token_bytes(min(_STEP, size - start)))
        file.flush()
        os.fsync(file.fileno())
