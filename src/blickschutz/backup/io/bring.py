"""A whole restore: an empty folder, the backup in it, what is still there of the old folder, and the mark that ends it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from blickschutz.audit.io.log import METADATA as LOG_TABLES
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.backup.io.container import IsSigned, Outer
from blickschutz.backup.io.make import REVIEWERS, installation_key
from blickschutz.backup.io.restore import Unpacking, examine, look_over, mark_restored, restored
from blickschutz.backup.model import RESTORED, Found, Manifest, Restoring
from blickschutz.backup.rules import is_kept
from blickschutz.installation.io.faults import spoken
from blickschutz.installation.io.folder import locked_alone, require_unused
from blickschutz.installation.io.mark import look, read_mark, remove_drafts, write_mark
from blickschutz.installation.io.modes import FOLDER, private_umask, secure
from blickschutz.installation.io.move import move_file
from blickschutz.installation.model import LOCKS, RESTORING, FolderError, State, Why
from blickschutz.installation.texts import say
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import UNREADABLE, FaultError
from blickschutz.review.io.beside import NotesBeside
from blickschutz.review.io.store import SqlCaseStore
from blickschutz.storage.engine import open_engine
from blickschutz.vault.io.files import KeyFolder, overwrite, sync_folder, write_private
from blickschutz.vault.model import Reviewer

Step = Callable[[int], object]
# What SQLite and an upgrade have beside a database.
_BESIDE = r"(-(wal|shm|journal)|\.before-\w+)$"
# What a backup never holds, and a disk that survived may still have.
_BROUGHT = ("clips", "quarantine", "exports")


def restore(
    outer: Outer,
    key: bytes,
    folder: Path,
    old: Path | None,
    is_signed: IsSigned,
    clock: Clock,
    language: str,
    step: Step = lambda done: None,
) -> tuple[Manifest, Found]:
    """Restore into an empty `folder`, then bring clips and reviewers' keys from the folder `old` that survived.

    A call that was interrupted is repeated. Raises `BackupError` or `FolderError`; until the end nothing else uses the folder.
    """
    command = f"blickschutz restore {outer.path} --data {folder}"
    with ExitStack() as held, spoken(folder, language):
        held.enter_context(private_umask())
        folder.mkdir(parents=True, exist_ok=True, mode=FOLDER)
        whole = _is_whole(folder, outer, old, language)
        held.callback(locked_alone(folder, command, clock, language).release)
        remove_drafts(folder)
        inside = Unpacking(outer, key, is_signed, language)
        manifest = inside.manifest
        if not whole:
            write_private(folder / RESTORING, msgspec.json.encode(Restoring(manifest.name, whole=False)))
            _clear(folder, language)
            inside.into(folder, step)
            examine(folder, manifest, outer.public, is_signed, clock, language)
            mark_restored(folder, manifest, clock)
            write_private(folder / RESTORING, msgspec.json.encode(Restoring(manifest.name, whole=True)))
        if old is not None:
            held.callback(locked_alone(old, command, clock, language).release)
            require_unused(old, language)
            bring(old, folder, manifest.reviewers, language)
        found = _finish(folder, manifest, outer.sha256, clock, language)
        (folder / RESTORING).unlink(missing_ok=True)
        sync_folder(folder)
        return manifest, found


def bring(old: Path, folder: Path, reviewers: tuple[Reviewer, ...], language: str) -> int:
    """Move clips, packages, and the key files that fit from a folder that survived; returns how many files came. The rest stays."""
    count = 0
    for name in _BROUGHT:
        for place, _, names in os.walk(old / name):
            for one in sorted(names):
                path = Path(place) / one
                if stat.S_ISREG(path.lstat().st_mode) and not one.startswith("."):
                    move_file(path, folder / path.relative_to(old), language)
                    count += 1
    keys = KeyFolder(old / REVIEWERS)
    for reviewer in reviewers:
        try:
            sealed = keys.get(reviewer.id)
        except FaultError:
            continue
        if sealed is not None and sealed.public == reviewer.public:
            move_file(old / REVIEWERS / f"{reviewer.id}.json", folder / REVIEWERS / f"{reviewer.id}.json", language)
            count += 1
    return count


def _is_whole(folder: Path, outer: Outer, old: Path | None, language: str) -> bool:
    """Whether an earlier call got everything out of this backup. Raises `FolderError` where something else lies in the folder."""
    state = look(folder)
    if state is State.EMPTY:
        return False
    # The old disk turned up later: what is on it is brought into what came out of this very backup.
    if state is State.MARKED and old is not None and (before := restored(folder)) is not None and before.name == outer.header.name:
        return True
    try:
        begun = msgspec.json.decode((folder / RESTORING).read_bytes(), type=Restoring) if state is State.RESTORING else None
    except UNREADABLE:
        begun = Restoring("", whole=False)
    if begun is None or (begun.whole and begun.name != outer.header.name):
        raise FolderError(Why.NOT_EMPTY, say("not-empty", language, folder=folder))
    return begun.whole


def _clear(folder: Path, language: str) -> None:
    """End what an interrupted call unpacked; nothing else may lie there."""
    for place, folders, names in os.walk(folder, topdown=False):
        for name in names:
            path = Path(place) / name
            inside = path.relative_to(folder).as_posix()
            if inside in LOCKS | {RESTORING} or "lost+found" in path.parts:
                continue
            if not (is_kept(re.sub(_BESIDE, "", inside)) or inside == RESTORED) or path.is_symlink():
                raise FolderError(Why.NOT_EMPTY, say("not-empty", language, folder=folder))
            overwrite(path)
            path.unlink()
        for name in folders:
            if name != "lost+found":
                (Path(place) / name).rmdir()


def _finish(folder: Path, manifest: Manifest, digest: str, clock: Clock, language: str) -> Found:
    """The folder is the installation's from now on: its mark, its modes, and the entry that says where it came from."""
    mark = read_mark(folder, language)
    write_mark(folder, msgspec.structs.replace(mark, site=""))
    secure(folder)
    key = installation_key(folder, language)
    engine = open_engine(folder / "control.db", LOG_TABLES)
    try:
        log = AuditLog(engine, clock, key.sign, key.public)
        log.write(Event.RESTORED, "terminal", facts={"made": manifest.made, "backup": digest, "entries": manifest.log_number})
        return look_over(folder, manifest.reviewers, SqlCaseStore(engine, log, NotesBeside(folder / "clips", key)), manifest.log_number)
    finally:
        engine.dispose()
