"""A data folder in use: found or made, checked, held, and let go."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from blickschutz import __version__
from blickschutz.installation.io.faults import in_words, spoken, user_name
from blickschutz.installation.io.lock import FolderLock, open_by
from blickschutz.installation.io.mark import holds_data, holds_old_data, look, note, noted, read_mark, read_move, remove_drafts, write_mark
from blickschutz.installation.io.modes import FOLDER, private_umask, secure
from blickschutz.installation.model import FORMAT, FolderError, Holder, Known, Mark, Place, State, Use, Why
from blickschutz.installation.texts import say
from blickschutz.kernel.clock import Clock
from blickschutz.vault.io.files import sync_folder


class DataFolder:
    """The folder of an installation while this process uses it. `notes` are sentences for whoever started it."""

    def __init__(self, path: Path, mark: Mark, notes: Sequence[str], held: ExitStack) -> None:
        self.path, self.mark, self.notes, self._held = path, mark, tuple(notes), held

    def close(self) -> None:
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_folder(place: Place, use: Use, command: str, clock: Clock, *, make: bool, new: bool = False) -> DataFolder:
    """Use the data folder of a site. Raises `FolderError` that says what to do.

    `make`: make it where there is none. `new`: an empty one is wanted though data are known to lie elsewhere. `command` is
    what others are told who holds it.
    """
    folder, language = place.folder, place.language
    with ExitStack() as held, spoken(folder, language):
        held.enter_context(private_umask())
        state = _usable(place)
        if state is State.EMPTY:
            if not make:
                raise FolderError(Why.ABSENT, say("absent", language, folder=folder, site=place.site))
            if not (new or place.chosen or place.demo):
                require_really_new(place)
            folder.mkdir(parents=True, exist_ok=True, mode=FOLDER)
        require_owner(folder, language)
        lock = FolderLock(folder, use, holder(command, clock), language)
        lock.acquire()
        held.callback(lock.release)
        # It may have become another between the look and the lock.
        state = _usable(place)
        if state is State.UNMARKED and use is not Use.BESIDE:
            require_unused(folder, language)
        mark, notes = _marked(place, state, clock, make=make)
        if use is Use.BESIDE:
            folder.chmod(FOLDER)
        else:
            remove_drafts(folder)
            repaired, links = secure(folder)
            notes += [say("link", language, path=path) for path in links]
            if repaired:
                notes.append(say("repaired", language, folder=folder, count=len(repaired)))
        if place.demo and not place.chosen:
            notes += [say("old-demonstration", language, old=old, site=place.site) for old in place.old if holds_old_data(old)]
        if make and place.known is not None and not place.chosen:
            notes += _noted(place, place.known, mark)
        return DataFolder(folder, mark, notes, held.pop_all())


def locked_alone(folder: Path, command: str, clock: Clock, language: str) -> FolderLock:
    """A folder that nobody else holds or uses, whatever lies in it, until the lock is released. Raises `FolderError`."""
    require_owner(folder, language)
    lock = FolderLock(folder, Use.ALONE, holder(command, clock), language)
    lock.acquire()
    return lock


def exists(place: Place) -> bool:
    """Whether the site has a data folder already. Raises `FolderError` where one cannot be used."""
    with spoken(place.folder, place.language):
        return _usable(place) is not State.EMPTY


def holder(command: str, clock: Clock) -> Holder:
    """This process, as others are told of it."""
    since = datetime.fromtimestamp(clock.now(), UTC).astimezone().isoformat(" ", "seconds")
    return Holder(command, os.getpid(), socket.gethostname(), user_name(os.geteuid()), since)


def new_mark(place: Place, clock: Clock) -> Mark:
    made = datetime.fromtimestamp(clock.now(), UTC).isoformat(timespec="seconds")
    return Mark(format=FORMAT, id=place.id, made=made, version=__version__, demo=place.demo, site=str(place.site))


def require_owner(folder: Path, language: str) -> None:
    """Raise `FolderError` where the folder is another user's, root's commands included: their files would lock the owner out."""
    owner, user = folder.stat().st_uid, os.geteuid()
    if owner != user:
        names = {"owner": user_name(owner), "user": user_name(user)}
        raise FolderError(Why.OWNER, say("owner", language, folder=folder, **names))


def require_unused(folder: Path, language: str) -> None:
    """Raise `FolderError` where a program has files open there; versions up to 0.1 hold no lock."""
    if users := open_by(folder):
        raise FolderError(Why.IN_USE, say("in-use", language, folder=folder, users=", ".join(users)))


def require_really_new(place: Place) -> None:
    """Raise `FolderError` where data that may be this site's are known to lie elsewhere.

    Not asked for a demonstration: it holds nothing that must be kept; old data of one are told of.
    """
    language, words = place.language, {"folder": place.folder, "site": place.site}
    if old := next(filter(holds_old_data, place.old), None):
        raise FolderError(Why.OLD_PLACE, say("old-place", language, old=old, chosen=chosen_words(place), **words))
    for known in noted(place.known) if place.known is not None else ():
        mine = known.id == place.id or known.site == str(place.site) or not Path(known.site).exists()
        if mine and known.demo == place.demo and Path(known.folder) != place.folder and holds_data(Path(known.folder)):
            raise FolderError(Why.ELSEWHERE, say("elsewhere", language, found=known.id, other=known.site, old=known.folder, **words))
    if near := next(filter(holds_old_data, place.nearby), None):
        raise FolderError(Why.OLD_PLACE, say("nearby", language, old=near, **words))


def chosen_words(place: Place) -> str:
    return f" --data {place.folder}" if place.chosen else ""


def require_outside_environment(place: Place) -> None:
    """Raise `FolderError` where the folder goes with the program's own environment when that is made anew."""
    environment = Path(sys.prefix).resolve()
    if sys.prefix != sys.base_prefix and place.folder.resolve().is_relative_to(environment):
        raise FolderError(Why.IN_ENVIRONMENT, say("in-environment", place.language, folder=place.folder, environment=environment))


def _usable(place: Place) -> State:
    folder, language = place.folder, place.language
    try:
        state = look(folder)
    except NotADirectoryError as error:
        raise FolderError(Why.FOREIGN, say("no-folder", language, folder=folder)) from error
    if state is State.FOREIGN:
        raise FolderError(Why.FOREIGN, say("foreign", language, folder=folder))
    if state is State.MOVING:
        words = {"old": read_move(folder, language).source, "folder": folder, "site": place.site, "chosen": chosen_words(place)}
        raise FolderError(Why.MOVING, say("moving", language, **words))
    if state is State.RESTORING:
        raise FolderError(Why.RESTORING, say("restoring", language, folder=folder))
    if not place.chosen:
        require_outside_environment(place)
    return state


def _marked(place: Place, state: State, clock: Clock, *, make: bool) -> tuple[Mark, list[str]]:
    """The folder's mark, checked against the site file; written where there is none."""
    if state is not State.MARKED:
        mark = new_mark(place, clock)
        if make:
            write_mark(place.folder, mark)
            sync_folder(place.folder.parent)
        words = "made" if state is State.EMPTY else "adopted"
        return mark, [say(words, place.language, folder=place.folder, id=mark.id)] if make else []
    mark = read_mark(place.folder, place.language)
    require_same(place, mark)
    # A derived id is the folder's from its first day on: the site file may be renamed, the installation keeps its name.
    if make and mark.site != str(place.site):
        mark = Mark(format=FORMAT, id=mark.id, made=mark.made, version=mark.version, demo=mark.demo, site=str(place.site))
        write_mark(place.folder, mark)
    return mark, []


def require_same(place: Place, mark: Mark) -> None:
    """Raise `FolderError` where the folder is another installation's than the site file says."""
    words, language = {"folder": place.folder, "site": place.site, "found": mark.id}, place.language
    if place.stated and mark.id != place.id:
        raise FolderError(Why.OTHER_ID, say("other-id", language, id=place.id, **words))
    other = mark.site not in {"", str(place.site)} and Path(mark.site).exists()
    if not place.stated and other:
        raise FolderError(Why.OTHER_SITE, say("other-site", language, other=mark.site, **words))
    if mark.demo != place.demo:
        found = say("a-demonstration" if mark.demo else "a-site", language)
        wanted = say("wants-demonstration" if place.demo else "wants-site", language)
        raise FolderError(Why.DEMONSTRATION, say("demonstration", language, **{**words, "found": found, "wanted": wanted}))


def _noted(place: Place, known: Path, mark: Mark) -> list[str]:
    """Note where the installation lies; a sentence where that failed, which stops no start."""
    try:
        note(known, Known(mark.id, str(place.folder), str(place.site), place.demo))
    except OSError as error:
        return [say("not-noted", place.language, reason=in_words(error, known, place.language))]
    return []
