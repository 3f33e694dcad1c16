"""A document while it is being handed in: written as it comes, hashed on the way."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

from blickschutz.kernel.errors import DeviceError, StoreFullError
from blickschutz.storage.files import sync_folder


def refused(folder: Path, error: OSError) -> DeviceError:
    """What the disk said, as an error of this software: a full disk is told as one."""
    kind = StoreFullError if error.errno in {errno.ENOSPC, errno.EDQUOT} else DeviceError
    return kind(f"{folder}: {error.strerror}")


class Incoming:
    """A document that is being handed in. `size` and `sha256` are of what came so far."""

    def __init__(self, path: Path) -> None:
        self.path, self.size, self._hash = path, 0, hashlib.sha256()
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Add what came next. Raises `DeviceError` where the disk takes no more."""
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(self._handle, left) :]
        except OSError as error:
            raise refused(self.path.parent, error) from error
        self._hash.update(data)
        self.size += len(data)

    def keep(self, name: Path) -> None:
        """Make it last under that name."""
        os.fsync(self._handle)
        self.path.replace(name)
        sync_folder(name.parent)
        self.close()

    def close(self) -> None:
        """Forget it, unless it was kept."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        self.path.unlink(missing_ok=True)
