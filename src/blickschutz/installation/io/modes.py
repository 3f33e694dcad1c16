"""Folders and sockets 0700, files 0600, whatever the umask of whoever starts the program."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UMASK, FOLDER, FILE = 0o077, 0o700, 0o600


@contextmanager
def private_umask() -> Iterator[None]:
    """What this process and its children make is for their own user only."""
    before = os.umask(UMASK)
    try:
        yield
    finally:
        os.umask(before)


def secure(folder: Path) -> tuple[list[Path], list[Path]]:
    """Put right who may read what lies in `folder`; what others could read or write before, and links that were left alone.

    A folder of the top level may be a link to another disk; what lies there belongs to the data folder too.
    """
    repaired = [folder] if _repair(folder) else []
    links: list[Path] = []
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place) / name
            if not path.is_symlink():
                if name != "lost+found" and _repair(path):
                    repaired.append(path)
            elif path.parent == folder and path.is_dir():
                inside, more = secure(path.resolve())
                repaired, links = repaired + inside, links + more
            else:
                links.append(path)
    return repaired, links


def _repair(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        # Drafts of files come and go beside the holder.
        return False
    wanted = FOLDER if stat.S_ISDIR(mode) or stat.S_ISSOCK(mode) else FILE
    if stat.S_IMODE(mode) == wanted:
        return False
    path.chmod(wanted)
    return True
