"""What is done with databases before and after an upgrade, by a process of the data's owner."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from blickschutz.kernel.errors import OperatorError, StoreError
from blickschutz.storage.engine import check_form, take_back
from blickschutz.storage.files import erase, erase_database
from blickschutz.storage.ports import Database
from blickschutz.storage.snapshot import snapshot

REHEARSAL = ".rehearsal"


def copy_into(folder: Path, place: Path) -> None:
    """Copies of the databases in `folder`, each of one moment, while others write."""
    place.mkdir(mode=0o700, exist_ok=True)
    for path in _databases(folder):
        target = place / path.name
        erase_database(target)
        try:
            snapshot(path, target)
        except sqlite3.Error as error:
            raise OperatorError(f"{path.name} cannot be copied: {error}") from error


def try_in(place: Path) -> dict[str, int]:
    """Bring copies up to this version's form and look at them deeply; rows by database. Raises `OperatorError`."""
    try:
        return {path.name: check_form(path, Database(path.stem)) for path in _databases(place)}
    except StoreError as error:
        raise OperatorError(str(error)) from error


def bring_back(folder: Path) -> dict[str, int]:
    """Give each database that a newer version brought up the form that this one knows; rows left behind, by table."""
    left: dict[str, int] = {}
    for path in _databases(folder):
        left |= take_back(path, Database(path.stem))
    return left


def erase_in(place: Path) -> None:
    """Overwrite and remove what `copy_into` made; nothing where there is none."""
    if place.is_dir():
        for path in sorted(place.iterdir()):
            erase(path)
        place.rmdir()


def _databases(folder: Path) -> list[Path]:
    return [path for one in Database if (path := folder / f"{one.value}.db").exists()]
