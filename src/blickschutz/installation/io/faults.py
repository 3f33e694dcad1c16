"""Errors of the file system in the words of whoever runs the site."""

from __future__ import annotations

import errno
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blickschutz.installation.model import FolderError, Why
from blickschutz.installation.texts import say

_WHY = {
    errno.EACCES: Why.DENIED,
    errno.EPERM: Why.DENIED,
    errno.EROFS: Why.READ_ONLY,
    errno.ENOSPC: Why.FULL,
    errno.EDQUOT: Why.FULL,
}


@contextmanager
def spoken(path: Path, language: str) -> Iterator[None]:
    """Turn an `OSError` about `path`, or about the file that it names, into a `FolderError` that says what to do."""
    try:
        yield
    except OSError as error:
        raise in_words(error, path, language) from error


def in_words(error: OSError, path: Path, language: str) -> FolderError:
    why = _WHY.get(error.errno or 0, Why.DISK)
    shown = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else path
    words = {"path": shown, "folder": path, "user": user_name(os.geteuid()), "reason": error.strerror or str(error)}
    return FolderError(why, say(why.value, language, **words))


def user_name(number: int) -> str:
    """The name of a user, or their number where they have none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
