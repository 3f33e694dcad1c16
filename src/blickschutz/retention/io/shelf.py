"""The folder of sealed clips: what lies there, and how it ends."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blickschutz.kernel.errors import DeviceError
from blickschutz.retention.model import Removed
from blickschutz.storage.files import is_text, overwrite, sync_folder

SUFFIX = ".clip"
BESIDE = ".hold"


class ClipShelf:
    """See `Shelf`. `derived` are folders in which files made from a clip bear its name at their beginning."""

    def __init__(self, folder: Path, derived: tuple[Path, ...] = ()) -> None:
        self.folder, self._derived = folder, derived

    def path(self, clip: str) -> Path:
        return self.folder / f"{clip}{SUFFIX}"

    def clips(self) -> set[str]:
        """The names of all clips that lie here. Raises `DeviceError`: a folder that cannot be read is not an empty one.

        A file whose name is no text is not among them before `rename` gave it one.
        """
        return {name.removesuffix(SUFFIX) for name in self._names() if name.endswith(SUFFIX) and name != SUFFIX and is_text(name)}

    def rename(self) -> list[str]:
        """Give files whose name is no text one that is, with a hash of the old one; the new names. Raises `DeviceError`."""
        renamed = []
        for name in [name for name in self._names() if not is_text(name)]:
            raw = os.fsencode(name)
            stem, dot, suffix = raw.decode("utf-8", "replace").replace("\N{REPLACEMENT CHARACTER}", "_").rpartition(".")
            new = f"{stem or suffix}-{hashlib.sha256(raw).hexdigest()[:8]}{dot if stem else ''}{suffix if stem else ''}"
            with _told(new, "be given a name that is text"):
                os.rename(os.path.join(os.fsencode(self.folder), raw), self.folder / new)
                sync_folder(self.folder)
            renamed.append(new)
        return renamed

    def _names(self) -> list[str]:
        try:
            return os.listdir(self.folder)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DeviceError(f"the folder of clips cannot be read: {error.strerror}") from error

    def size(self, clip: str) -> int | None:
        with _told(clip, "be looked at"):
            try:
                found = os.lstat(self.path(clip))
            except FileNotFoundError:
                return None
        if not stat.S_ISREG(found.st_mode):
            # What a link leads to is not ours, whatever it is called here.
            raise DeviceError(f"{self.path(clip).name} is no plain file")
        return found.st_size

    def overwrite(self, clip: str) -> int | None:
        size = self.size(clip)
        if size is None:
            return None
        with _told(clip, "be overwritten"):
            try:
                overwrite(self.path(clip))
            except FileNotFoundError:
                return None
        return size

    def remove(self, clip: str) -> Removed:
        with _told(clip, "be removed"):
            path = self.path(clip)
            if self.size(clip) is not None:
                os.truncate(path, 0)
                path.unlink(missing_ok=True)
                sync_folder(self.folder)
            found = [path for folder in self._derived for path in _named(folder, clip)]
            # What keeps a clip lies beside it until the clip is gone.
            beside = [path for path in _named(self.folder, clip) if path.suffix == BESIDE]
            failed = [error for path in (*found, *beside) if (error := _removed(path)) is not None]
            if failed:
                raise failed[0]
            return Removed(len(found), self._is_absent(clip))

    def is_absent(self, clip: str) -> bool:
        """Looked at again: nothing that bears the clip's name is left. Raises `DeviceError` where that cannot be seen."""
        with _told(clip, "be looked for"):
            return self._is_absent(clip)

    def _is_absent(self, clip: str) -> bool:
        return not any(_named(folder, clip) for folder in (self.folder, *self._derived))

    def free(self) -> int:
        """Free bytes of the disk."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return shutil.disk_usage(self.folder).free


def _named(folder: Path, clip: str) -> list[Path]:
    """What bears the clip's name at its beginning. `glob` would say nothing of a folder that cannot be read."""
    try:
        return [folder / name for name in sorted(os.listdir(folder)) if name.startswith(clip)]
    except FileNotFoundError:
        return []


def _removed(path: Path) -> OSError | None:
    """Overwrite and remove; why it does not go, so that the others still do."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            if not path.is_symlink():
                overwrite(path)
            path.unlink()
        sync_folder(path.parent)
    except FileNotFoundError:
        return None
    except OSError as error:
        return error
    return None


@contextmanager
def _told(clip: str, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DeviceError(f"the clip {clip} cannot {what}: {error.strerror}") from error
