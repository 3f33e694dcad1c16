"""The site file on disk: replaced wholly or not at all, its mode kept, its former versions beside the data."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

import msgspec

from blickschutz.kernel.errors import UNREADABLE, DeviceError
from blickschutz.settings.model import Noted
from blickschutz.settings.ports import ClashError, ReadOnlyError
from blickschutz.storage.files import sync_folder, write_private

FOLDER = "versions"
_NOTE = "in-force.json"
# The longest site file that is read (`config.loader`).
_MOST_BYTES = 4 * 1024 * 1024
_MOST_VERSIONS = 200
_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class SettingsFile:
    """See `settings.ports.File`. `data` is the folder of the installation."""

    def __init__(self, path: Path, data: Path) -> None:
        self._path, self._folder = path, data / FOLDER

    @property
    def name(self) -> str:
        return str(self._path)

    def read(self) -> str:
        try:
            with self._path.open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
            if len(data) > _MOST_BYTES:
                raise DeviceError(f"{self._path}: {os.strerror(errno.EFBIG)}")
            return data.decode()
        except OSError as error:
            raise DeviceError(f"{self._path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise DeviceError(f"{self._path}: UTF-8") from error

    def write(self, text: str, expected: str) -> None:
        self.keep(expected)
        self.keep(text)
        path = self._path.resolve()
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            self._put(part, text.encode(), path.stat())
            # Between here and the next line somebody could still save the file: as near as it gets without a lock that editors know.
            if self.read() != expected:
                raise ClashError(f"{self._path} was changed by somebody else meanwhile")
            part.replace(path)
            sync_folder(path.parent)
        except OSError as error:
            if error.errno in _REFUSED:
                raise ReadOnlyError(f"{self._path}: {error.strerror}") from error
            raise DeviceError(f"{self._path}: {error.strerror}") from error
        finally:
            with suppress(OSError):  # it has its name by now, or was never made
                part.unlink()

    @staticmethod
    def _put(part: Path, data: bytes, like: os.stat_result) -> None:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), stat.S_IMODE(like.st_mode))
            if (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
                with suppress(PermissionError):  # another's file in a folder of ours: it becomes ours, with the mode it had
                    os.fchown(file.fileno(), like.st_uid, like.st_gid)
            os.fsync(file.fileno())

    def keep(self, text: str) -> str:
        data = text.encode()
        sha256 = hashlib.sha256(data).hexdigest()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.version(sha256) is None:
                write_private(self._at(sha256), data)
            else:
                os.utime(self._at(sha256))
            self._tidy()
        except OSError as error:
            raise DeviceError(f"{self._folder}: {error.strerror}") from error
        return sha256

    def note(self, noted: Noted) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self._folder / _NOTE, msgspec.json.encode(noted))
        except OSError as error:
            raise DeviceError(f"{self._folder}: {error.strerror}") from error

    def noted(self) -> Noted | None:
        try:
            return msgspec.json.decode((self._folder / _NOTE).read_bytes(), type=Noted)
        except (OSError, *UNREADABLE):
            return None

    def version(self, sha256: str) -> str | None:
        try:
            data = self._at(sha256).read_bytes()
        except OSError:
            return None
        return data.decode() if hashlib.sha256(data).hexdigest() == sha256 else None

    def _at(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.toml"

    def _tidy(self) -> None:
        """The newest versions are kept; older ones can be had from backups."""
        found = sorted(self._folder.glob("*.toml"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in found[_MOST_VERSIONS:]:
            path.unlink(missing_ok=True)
