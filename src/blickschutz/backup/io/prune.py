"""Backups end too: they hold names, requests and secrets of their day."""

from __future__ import annotations

from pathlib import Path

from blickschutz.backup.io.container import look
from blickschutz.backup.io.make import installation_key
from blickschutz.backup.model import SUFFIX, BackupError
from blickschutz.vault.io.files import is_signed, overwrite, sync_folder


def end_older(newest: Path, folder: Path, before: float, language: str) -> int:
    """Destroy this installation's backups beside `newest` that were made before a moment (POSIX); returns how many.

    Only what this installation signed and can still read ends; whatever else lies there, damaged ones too, is left alone.
    """
    public, count = installation_key(folder, language).public, 0
    for path in sorted(newest.parent.glob(f"*{SUFFIX}")):
        if path == newest or path.is_symlink() or not path.is_file():
            continue
        try:
            made = look(path, is_signed, language, public).header.made
        except BackupError:
            continue
        if made < before:
            overwrite(path)
            path.unlink()
            count += 1
    if count:
        sync_folder(newest.parent)
    return count
