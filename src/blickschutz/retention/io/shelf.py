"""The folder of sealed clips: what lies there, and how it ends."""

from __future__ import annotations

import shutil
from pathlib import Path

from blickschutz.kernel.errors import DeviceError
from blickschutz.retention.model import Destroyed
from blickschutz.vault.io.files import overwrite, sync_folder

SUFFIX = ".clip"


class ClipShelf:
    """See `Shelf`. `derived` are folders in which files made from a clip bear its name at their beginning."""

    def __init__(self, folder: Path, derived: tuple[Path, ...] = ()) -> None:
        self.folder, self._derived = folder, derived

    def path(self, clip: str) -> Path:
        return self.folder / f"{clip}{SUFFIX}"

    def clips(self) -> set[str]:
        """The names of all clips that lie here."""
        return {path.stem for path in self.folder.glob(f"*{SUFFIX}")} if self.folder.exists() else set()

    def destroy(self, clip: str) -> Destroyed:
        """The shares first: they stand at the head of the file, so overwriting from its beginning ends the key before the rest."""
        written = removed = 0
        try:
            path = self.path(clip)
            if path.exists():
                written = path.stat().st_size
                overwrite(path)
                with path.open("r+b") as file:
                    file.truncate(0)
                path.unlink()
                sync_folder(self.folder)
            for folder in self._derived:
                removed += self._remove_derived(folder, clip)
        except OSError as error:
            raise DeviceError(f"the clip {clip} cannot be destroyed: {error.strerror}") from error
        return Destroyed(written, removed, self.is_absent(clip))

    @staticmethod
    def _remove_derived(folder: Path, clip: str) -> int:
        found = sorted(folder.glob(f"{clip}*")) if folder.exists() else []
        for path in found:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                overwrite(path)
                path.unlink()
        if found:
            sync_folder(folder)
        return len(found)

    def is_absent(self, clip: str) -> bool:
        """Looked at again: nothing that bears the clip's name is left."""
        places = (self.folder, *self._derived)
        return not any(True for folder in places if folder.exists() for _ in folder.glob(f"{clip}*"))

    def free(self) -> int:
        """Free bytes of the disk."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return shutil.disk_usage(self.folder).free
