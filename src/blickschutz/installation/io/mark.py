"""`installation.json` in a data folder, and the notes on where installations lie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from blickschutz.installation.model import FORMAT, LOCKS, MARK, MOVING, RESTORING, FolderError, Known, Mark, Move, State, Why
from blickschutz.installation.rules import is_whole, sealed
from blickschutz.installation.texts import say
from blickschutz.kernel.errors import UNREADABLE
from blickschutz.vault.io.files import write_private

# What every version since the first has in its folder, one of them at least.
_SIGNS = ("control.db", "keys/installation.key")
# What a kill leaves of a file of our own that was being written (`vault.io.files.write_private`).
_DRAFTS = tuple(f".{name}." for name in (MARK, MOVING, RESTORING, "restored.json"))
_UNREADABLE = (OSError, *UNREADABLE)


def look(folder: Path) -> State:
    """What lies at a path. Raises `OSError` where it cannot be looked at, `NotADirectoryError` where it is no folder."""
    try:
        names = {entry.name for entry in folder.iterdir() if not entry.name.startswith(_DRAFTS)}
    except FileNotFoundError:
        return State.EMPTY
    for name, state in ((MOVING, State.MOVING), (RESTORING, State.RESTORING), (MARK, State.MARKED)):
        if name in names:
            return state
    if any((folder / sign).is_file() for sign in _SIGNS):
        return State.UNMARKED
    # A disk that is mounted here has its own folder for what was lost.
    return State.EMPTY if names <= LOCKS | {"lost+found"} else State.FOREIGN


def remove_drafts(folder: Path) -> None:
    """Remove what a kill left of our own marks; for whoever has the folder to itself."""
    for entry in folder.iterdir():
        if entry.name.startswith(_DRAFTS):
            entry.unlink()


def holds_data(folder: Path) -> bool:
    """Whether data of this software lie there. What may not be looked at counts as none."""
    try:
        return look(folder) in {State.MARKED, State.UNMARKED, State.MOVING}
    except OSError:
        return False


def holds_old_data(folder: Path) -> bool:
    """Whether an older version left data there, which no installation has taken over yet."""
    try:
        return look(folder) is State.UNMARKED
    except OSError:
        return False


def read_mark(folder: Path, language: str) -> Mark:
    """Raises `FolderError` where a newer version wrote it, or it is damaged."""
    path = folder / MARK
    try:
        text = path.read_bytes()
        told = msgspec.json.decode(text, type=dict[str, object])
        number = told.get("format")
        if isinstance(number, int) and number > FORMAT:
            words = {"folder": folder, "format": number, "version": told.get("version", "?"), "known": FORMAT}
            raise FolderError(Why.NEWER, say("newer", language, **words))
        mark = msgspec.json.decode(text, type=Mark)
    except _UNREADABLE as error:
        raise FolderError(Why.DAMAGED, say("damaged", language, file=path)) from error
    if not is_whole(mark):
        raise FolderError(Why.DAMAGED, say("damaged", language, file=path))
    return mark


def write_mark(folder: Path, mark: Mark) -> None:
    write_private(folder / MARK, msgspec.json.format(msgspec.json.encode(sealed(mark), order="deterministic"), indent=1) + b"\n")


def read_move(folder: Path, language: str) -> Move:
    try:
        return msgspec.json.decode((folder / MOVING).read_bytes(), type=Move)
    except _UNREADABLE as error:
        raise FolderError(Why.DAMAGED, say("damaged", language, file=folder / MOVING)) from error


def write_move(folder: Path, move: Move) -> None:
    write_private(folder / MOVING, msgspec.json.encode(move))


def note(known: Path, one: Known) -> None:
    """Note where an installation lies. Raises `OSError`."""
    write_private(known / f"{one.id}{'-demo' if one.demo else ''}.json", msgspec.json.encode(one))


def noted(known: Path) -> Iterator[Known]:
    """All notes that can be read."""
    for path in sorted(known.glob("*.json")):
        try:
            yield msgspec.json.decode(path.read_bytes(), type=Known)
        except _UNREADABLE:
            continue
