"""Bring a backup back: verified, opened by two people, unpacked into an empty folder, and looked at before anything uses it."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import msgspec
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from blickschutz.audit.io.log import METADATA as LOG_TABLES
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.rules import verify
from blickschutz.backup.io.container import IsSigned, Outer, Reader
from blickschutz.backup.io.make import LOCAL_KEY, REVIEWERS, case_counts, installation_key, log_state
from blickschutz.backup.model import FORMAT, RESTORED, BackupError, Found, Manifest, Problem, Restored
from blickschutz.backup.rules import DATABASES, MOST_MANIFEST, MOST_MEMBERS, SIGNATURE, is_kept, manifest_text, typed
from blickschutz.backup.texts import refusal
from blickschutz.installation.model import FORMAT as FOLDER_FORMAT
from blickschutz.installation.model import MARK
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import UNREADABLE, FaultError
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.review.io.beside import NotesBeside
from blickschutz.review.io.store import SqlCaseStore
from blickschutz.review.model import CaseState
from blickschutz.review.rules import THERE
from blickschutz.storage.engine import open_engine
from blickschutz.storage.snapshot import faults
from blickschutz.vault.io.files import KeyFolder, write_private
from blickschutz.vault.model import Reviewer
from blickschutz.vault.service import VaultError, join_shares, open_share, unlock

Step = Callable[[int], object]
_MB, _PIECE = 1024 * 1024, 1 << 20
_MOST_CASES = 1_000_000


def unseal(outer: Outer, given: Mapping[str, str], language: str) -> bytes:
    """The backup's key from the words of two of its people. Raises `BackupError`."""
    envelope, shares = outer.header.envelope, []
    for one in outer.header.people:
        if one.id not in given:
            continue
        try:
            shares.append(open_share(envelope, one.id, unlock(one, typed(given[one.id]))))
        except VaultError as error:
            raise refusal(Problem.WRONG_WORDS, language, person=one.id) from error
    if len(shares) < 2:
        raise refusal(Problem.NOT_OPENED, language, people=", ".join(one.id for one in outer.header.people))
    try:
        return join_shares(envelope, shares[0], shares[1])
    except VaultError as error:
        raise refusal(Problem.ALTERED, language, path=outer.path, what="envelope") from error


def unseal_here(outer: Outer, folder: Path) -> bytes | None:
    """The backup's key where `folder` is the installation that made it, for a trial; None where it is not."""
    try:
        return bytes(SecretBox((folder / LOCAL_KEY).read_bytes()).decrypt(outer.header.local))
    except (OSError, ValueError, CryptoError):
        return None


class Unpacking:
    """The inside of a backup, from its signed list on."""

    def __init__(self, outer: Outer, key: bytes, is_signed: IsSigned, language: str) -> None:
        self._outer, self._language = outer, language
        self._reader = Reader(outer, key, language)
        length = int.from_bytes(self._reader.read(4), "big")
        if length > MOST_MANIFEST:
            raise self._altered("manifest")
        text = self._reader.read(length)
        if not is_signed(manifest_text(text), self._reader.read(SIGNATURE), outer.public):
            raise self._altered("manifest")
        self.manifest = self._decoded(text)

    def _decoded(self, text: bytes) -> Manifest:
        try:
            manifest = msgspec.json.decode(text, type=Manifest)
        except UNREADABLE as error:
            raise self._altered("manifest") from error
        if manifest.folder_format > FOLDER_FORMAT or manifest.format > FORMAT:
            words = {"path": self._outer.path, "format": manifest.folder_format, "version": manifest.version}
            raise refusal(Problem.NEWER, self._language, **words)
        header, names = self._outer.header, [member.name for member in manifest.members]
        same = (manifest.name, manifest.id, manifest.made) == (header.name, header.id, header.made)
        # Names that this software writes, once each: nothing leads out of the folder, nothing is a link.
        safe = all(is_kept(name) for name in names) and len(set(names)) == len(names) <= MOST_MEMBERS
        if not (same and safe and all(member.size >= 0 for member in manifest.members)):
            raise self._altered("manifest")
        # Everything that is unpacked lies in the file itself, uncompressed: it cannot be more than the file.
        if sum(member.size for member in manifest.members) > self._outer.end - self._outer.start:
            raise self._altered("sizes")
        return manifest

    def into(self, folder: Path, step: Step) -> None:
        """Write every file, 0600 and synced, each with the hash that the list names. Raises `BackupError`, `OSError`."""
        needed, free = sum(member.size for member in self.manifest.members), shutil.disk_usage(folder).free
        if needed > free:
            raise refusal(Problem.NO_ROOM, self._language, path=folder, free=free // _MB, needed=needed // _MB + 1)
        for member in self.manifest.members:
            path, left, hashed = folder / member.name, member.size, hashlib.sha256()
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
                while left > 0:
                    piece = self._reader.read(min(left, _PIECE))
                    left -= len(piece)
                    hashed.update(piece)
                    file.write(piece)
                    step(len(piece))
                file.flush()
                os.fsync(file.fileno())
            if hashed.hexdigest() != member.sha256:
                raise self._altered(member.name)
        self._reader.finish()

    def _altered(self, what: str) -> BackupError:
        return refusal(Problem.ALTERED, self._language, path=self._outer.path, what=what)


def examine(folder: Path, manifest: Manifest, public: bytes, is_signed: IsSigned, clock: Clock, language: str) -> Found:
    """Look at what was unpacked: databases, log, rows, keys. Raises `BackupError` where it is not what was backed up."""
    for name in (MARK, "control.db"):
        if not (folder / name).is_file():
            raise refusal(Problem.ROWS, language, what=name)
    for name in DATABASES:
        if (folder / name).exists():
            try:
                wrong = faults(folder / name)
            except sqlite3.Error as error:
                raise refusal(Problem.DATABASE, language, name=name, reason=error) from error
            if wrong:
                raise refusal(Problem.DATABASE, language, name=name, reason=wrong[0])
    key = installation_key(folder, language)
    if key.public != public:
        raise refusal(Problem.ROWS, language, what="installation.key")
    if log_state(folder / "control.db") != (manifest.log_number, manifest.log_hash):
        raise refusal(Problem.ROWS, language, what="log")
    if case_counts(folder / "control.db") != (manifest.cases, manifest.held):
        raise refusal(Problem.ROWS, language, what="cases")
    with ExitStack() as ending:
        engine = open_engine(folder / "control.db", LOG_TABLES)
        ending.callback(engine.dispose)
        log = AuditLog(engine, clock, key.sign, key.public)
        wrong_log = next(verify(log.export(), is_signed, key.public), None) if manifest.log_number else None
        if wrong_log is not None:
            raise refusal(Problem.LOG, language, what=wrong_log.text)
        return look_over(folder, manifest.reviewers, SqlCaseStore(engine, log, NotesBeside(folder / "clips", key)), manifest.log_number)


def look_over(folder: Path, reviewers: tuple[Reviewer, ...], store: SqlCaseStore, entries: int) -> Found:
    """Which clips and keys are there for the rows of a folder."""
    cases = store.find(states=sorted(THERE), most=_MOST_CASES)
    there = ClipShelf(folder / "clips").clips()
    # What stays on another machine is there as before.
    missing = [case for case in cases if case.clip not in there and not case.host]
    keys = KeyFolder(folder / REVIEWERS)
    return Found(
        cases=len(cases),
        held=sum(case.state is CaseState.HELD for case in cases),
        log_entries=entries,
        missing=tuple(case.clip for case in missing),
        missing_held=tuple(case.clip for case in missing if case.state is CaseState.HELD),
        strangers=tuple(sorted(clip for clip in there if store.by_clip(clip) is None)),
        without_key=tuple(one.id for one in reviewers if not _is_there(keys, one)),
    )


def _is_there(keys: KeyFolder, reviewer: Reviewer) -> bool:
    try:
        found = keys.get(reviewer.id)
    except FaultError:
        return False
    return found is not None and found.public == reviewer.public


def restored(folder: Path) -> Restored | None:
    """That this folder came out of a backup and nobody has confirmed yet what that means; None where it did not. A mark that
    cannot be read counts as one of which nothing is known: what waits for it goes on waiting.
    """
    path = folder / RESTORED
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Restored)
    except (OSError, *UNREADABLE):
        return Restored("", 0.0, 0.0, 0)


def mark_restored(folder: Path, manifest: Manifest, clock: Clock) -> None:
    mark = Restored(manifest.name, manifest.made, clock.now(), manifest.log_number)
    write_private(folder / RESTORED, msgspec.json.encode(mark, order="deterministic"))


def confirm_restored(folder: Path) -> None:
    """Two people have seen what a restore means for deadlines, holds and accounts."""
    (folder / RESTORED).unlink(missing_ok=True)
