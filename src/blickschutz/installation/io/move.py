"""Move a data folder: by renaming it, or over to another file system by copy, comparison, and only then the end of the old one.

Whatever ends the program, the next call goes on: the new folder says that a move is under way and how far it is, and nothing
else uses it before it is over. The old folder ends only when everything has arrived and was read back.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from blickschutz.installation.io.faults import spoken
from blickschutz.installation.io.folder import (
    chosen_words,
    locked_alone,
    new_mark,
    require_outside_environment,
    require_same,
    require_unused,
)
from blickschutz.installation.io.lock import FolderLock
from blickschutz.installation.io.mark import holds_old_data, look, note, read_mark, read_move, remove_drafts, write_mark, write_move
from blickschutz.installation.io.modes import FOLDER, private_umask, secure
from blickschutz.installation.model import LOCKS, MARK, MOVING, FolderError, Known, Mark, Move, Place, State, Why
from blickschutz.installation.texts import say
from blickschutz.kernel.clock import Clock
from blickschutz.storage.files import sha256_of
from blickschutz.vault.io.files import overwrite, sync_folder

Step = Callable[[int], object]
_PART = ".moving-part"
_STEP = 1 << 20
# The new place is on another file system, or something stands there that a rename cannot replace.
_NO_RENAME = {errno.EXDEV, errno.EBUSY, errno.ENOTEMPTY, errno.EEXIST}


def source_of(place: Place, stated: Path | None) -> Path:
    """Which folder a move begins from: the one that is stated, that of a move under way, or the old place. Raises `FolderError`."""
    with spoken(place.folder, place.language):
        if look(place.folder) is State.MOVING:
            return Path(read_move(place.folder, place.language).source)
    if stated is not None:
        return stated.absolute()
    found = next(filter(holds_old_data, place.old), None)
    if found is None:
        old = ", ".join(str(one) for one in place.old) or "-"
        raise FolderError(Why.NOTHING, say("nothing-to-move", place.language, old=old))
    return found


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum((folder / name).lstat().st_size for name in _files(folder))


def move_folder(place: Place, source: Path, clock: Clock, before: Callable[[Path], None], step: Step = lambda moved: None) -> Mark:
    """Bring the data of `source` into the folder of `place`. `before` is called with the old folder before anything moves.

    Raises `FolderError`; what was begun is gone on with by the next call.
    """
    folder, language = place.folder, place.language
    with ExitStack() as held, spoken(folder, language):
        held.enter_context(private_umask())
        state = look(folder)
        if state not in {State.EMPTY, State.MOVING}:
            raise FolderError(Why.NOT_EMPTY, say("not-empty", language, folder=folder))
        if folder.resolve().is_relative_to(source.resolve()):
            raise FolderError(Why.INSIDE, say("inside", language, folder=folder, old=source))
        if not place.chosen:
            require_outside_environment(place)
        if state is State.MOVING and read_move(folder, language).copied:
            held.callback(_locked(folder, place, clock).release)
            return _finish(place, source, clock)
        mark = _mark_of(place, source, clock, state)
        held.callback(_locked(source, place, clock).release)
        require_unused(source, language)
        if state is State.EMPTY:
            if folder.exists():
                _locked(folder, place, clock).release()
            before(source)
            if _renamed(source, folder):
                return _end(place, source, mark)
        folder.mkdir(parents=True, exist_ok=True, mode=FOLDER)
        held.callback(_locked(folder, place, clock).release)
        if state is State.EMPTY:
            _require_room(source, folder, language)
            write_move(folder, Move(str(source), copied=False, inode=source.stat().st_ino))
            sync_folder(folder.parent)
        _copy_all(source, folder, language, step)
        write_mark(folder, mark)
        write_move(folder, Move(str(source), copied=True, inode=source.stat().st_ino))
        return _finish(place, source, clock)


def _locked(folder: Path, place: Place, clock: Clock) -> FolderLock:
    return locked_alone(folder, f"blickschutz move --site {place.site}{chosen_words(place)}", clock, place.language)


def _mark_of(place: Place, source: Path, clock: Clock, state: State) -> Mark:
    """The mark of the moved folder. Raises `FolderError` where the old one is another installation's, or is gone."""
    found = look(source)
    if found is State.MARKED:
        mark = read_mark(source, place.language)
        require_same(place, mark)
        return _renewed(mark, place)
    if found is not State.UNMARKED:
        if state is State.MOVING:
            raise FolderError(Why.SOURCE_GONE, say("source-gone", place.language, old=source))
        raise FolderError(Why.NOTHING, say("nothing-to-move", place.language, old=source))
    return new_mark(place, clock)


def _renewed(mark: Mark, place: Place) -> Mark:
    return Mark(format=mark.format, id=mark.id, made=mark.made, version=mark.version, demo=mark.demo, site=str(place.site))


def _renamed(source: Path, folder: Path) -> bool:
    folder.parent.mkdir(parents=True, exist_ok=True, mode=FOLDER)
    for name in LOCKS:
        (folder / name).unlink(missing_ok=True)
    try:
        source.rename(folder)
    except OSError as error:
        if error.errno in _NO_RENAME:
            return False
        raise
    sync_folder(folder.parent)
    sync_folder(source.parent)
    return True


def _finish(place: Place, source: Path, clock: Clock) -> Mark:
    """Everything has arrived: end the old folder, then the move."""
    inode, ending = read_move(place.folder, place.language).inode, source.with_name(f".{source.name}.moved")
    # Under another name first: nobody makes anything new in there while it ends.
    if not ending.exists() and source.is_dir() and source.stat().st_ino == inode:
        try:
            source.rename(ending)
        except OSError as error:
            if error.errno not in _NO_RENAME:
                raise
            ending = source
    if ending.exists() and ending.stat().st_ino == inode:
        _destroy(ending)
    mark = read_mark(place.folder, place.language) if (place.folder / MARK).exists() else new_mark(place, clock)
    return _end(place, source, mark)


def _end(place: Place, source: Path, mark: Mark) -> Mark:
    write_mark(place.folder, mark)
    remove_drafts(place.folder)
    secure(place.folder)
    if source.parent in {old.parent for old in place.old} and not source.exists():
        # Where versions up to 0.1 look there must be something, or one of them would begin an empty site.
        source.write_text(say("tombstone", place.language, folder=place.folder, id=mark.id), encoding="utf-8")
        sync_folder(source.parent)
    if place.known is not None and not place.chosen:
        note(place.known, Known(mark.id, str(place.folder), str(place.site), place.demo))
    (place.folder / MOVING).unlink(missing_ok=True)
    sync_folder(place.folder)
    return mark


def _files(folder: Path) -> Iterator[str]:
    """Every file and link below a folder, as seen from it, in one order; without what belongs to the lock or the move."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        here = Path(place).relative_to(folder)
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in sorted((*files, *links)):
            if not (here == Path() and name in LOCKS | {MOVING}):
                yield (here / name).as_posix()


def _require_room(source: Path, folder: Path, language: str) -> None:
    if size_of(source) > shutil.disk_usage(folder).free:
        raise FolderError(Why.FULL, say("full", language, path=folder))


def _copy_all(source: Path, folder: Path, language: str, step: Step) -> None:
    """Copy what is not there yet or differs, reading back what arrived; then both hold the same files."""
    names = list(_files(source))
    for place, _, _ in os.walk(source):
        (folder / Path(place).relative_to(source)).mkdir(exist_ok=True, mode=FOLDER)
    for name in names:
        old, new = source / name, folder / name
        if old.is_symlink():
            if not new.is_symlink():
                new.symlink_to(old.resolve())
        elif stat.S_ISREG(old.lstat().st_mode):
            size = old.stat().st_size
            if not (new.is_file() and new.stat().st_size == size and sha256_of(new) == sha256_of(old)):
                _copy(old, new, language, source)
            step(size)
    # A draft that a kill left, and what a copy before the kill had and the old folder has no more.
    for name in set(_files(folder)) - set(names):
        if name != MARK:
            (folder / name).unlink()
    for place, _, _ in os.walk(folder):
        sync_folder(Path(place))


def _copy(old: Path, new: Path, language: str, source: Path) -> None:
    part, read = new.parent / _PART, hashlib.sha256()
    with old.open("rb") as there, open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as here:
        while piece := there.read(_STEP):
            read.update(piece)
            here.write(piece)
        here.flush()
        os.fsync(here.fileno())
    if sha256_of(part) != read.hexdigest():
        part.unlink()
        raise FolderError(Why.DIFFERS, say("copy-differs", language, path=new, old=source))
    shutil.copystat(old, part)
    part.replace(new)


def move_file(old: Path, new: Path, language: str) -> None:
    """Bring one file to `new`: renamed, or copied, compared and then destroyed; a call that was interrupted is repeated.

    Raises `FolderError` where something else lies there, `OSError`.
    """
    if new.exists():
        if sha256_of(new) != sha256_of(old):
            raise FolderError(Why.DIFFERS, say("copy-differs", language, path=new, old=old.parent))
    else:
        new.parent.mkdir(parents=True, exist_ok=True, mode=FOLDER)
        try:
            old.rename(new)
        except OSError as error:
            if error.errno not in _NO_RENAME:
                raise
            _copy(old, new, language, old.parent)
        else:
            sync_folder(new.parent)
            return
    sync_folder(new.parent)
    overwrite(old)
    old.unlink()
    sync_folder(old.parent)


def _destroy(folder: Path) -> None:
    """Overwrite and remove everything below a folder, and the folder; what a link leads to stays."""
    for place, folders, files in os.walk(folder, topdown=False):
        for name in (*files, *folders):
            path = Path(place) / name
            if path.is_symlink():
                path.unlink()
            elif stat.S_ISDIR(path.lstat().st_mode):
                path.rmdir()
            else:
                if stat.S_ISREG(path.lstat().st_mode):
                    overwrite(path)
                path.unlink()
    if not os.path.ismount(folder):
        folder.rmdir()
        sync_folder(folder.parent)
