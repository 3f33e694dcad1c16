"""Make a backup of a data folder beside whatever works in it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
from nacl.secret import SecretBox
from nacl.utils import random as random_bytes

from blickschutz import __version__
from blickschutz.backup.io.container import Writer
from blickschutz.backup.model import FORMAT, LEAST_PEOPLE, SUFFIX, Header, Made, Manifest, Member, Problem
from blickschutz.backup.rules import DATABASES, FACTS, SITE, is_kept, manifest_text, unknown
from blickschutz.backup.texts import refusal
from blickschutz.installation.model import FORMAT as FOLDER_FORMAT
from blickschutz.kernel.clock import Clock
from blickschutz.review.model import CaseState
from blickschutz.review.rules import THERE
from blickschutz.storage.engine import server_bytes, take_out
from blickschutz.storage.files import sha256_of
from blickschutz.storage.places import Server
from blickschutz.storage.ports import Database
from blickschutz.storage.snapshot import faults, rows, snapshot
from blickschutz.vault.io.files import InstallationKey, KeyFolder, overwrite, sync_folder, write_private
from blickschutz.vault.model import Reviewer, SealedPrivateKey
from blickschutz.vault.service import StreamSealer, new_key, seal_key

Step = Callable[[int], object]
RECOVERY, LOCAL_KEY, REVIEWERS = "keys/recovery", "keys/backup.key", "keys/reviewers"
_INSTALLATION = "keys/installation.key"
_SCRATCH = ".scratch-"
_MB, _PIECE = 1024 * 1024, 1 << 20
# A picture lies in a column of its own type, whatever the table is called; alerts are backed up without them.
_PICTURES = {"BLOB"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is backed up: the data folder, the installation's id, the files of the site, and how many bytes must stay free.

    `server` has the databases; without it they are files in the folder.
    """

    folder: Path
    id: str
    site: Path
    facts: Path
    reserve: int
    language: str
    server: Server | None = None


def make_backup(plan: Plan, out: Path, clock: Clock, step: Step = lambda done: None) -> Made:
    """Write a backup to `out` (a file, or a folder in which it gets a name). Raises `BackupError`; then nothing is left behind."""
    now = clock.now()
    target = _target(plan, out, now)
    people, key = _people(plan), installation_key(plan.folder, plan.language)
    _require_room(plan, target)
    with scratch(plan.folder) as work:
        files = _copies(plan, work)
        members = tuple(Member(name, path.stat().st_size, sha256_of(path)) for name, path in files.items())
        manifest = _manifest(plan, files, members, now)
        sealing, text = new_key(), msgspec.json.encode(manifest, order="deterministic")
        sealer = StreamSealer(sealing)
        header = Header(
            format=FORMAT,
            name=manifest.name,
            id=plan.id,
            made=now,
            version=__version__,
            people=people,
            envelope=seal_key(sealing, manifest.name, [Reviewer(one.id, one.public) for one in people]),
            local=bytes(SecretBox(local_key(plan.folder)).encrypt(sealing)),
            stream=sealer.header,
        )
        try:
            _write(target, header, sealer, key, text, [files[member.name] for member in members], step)
        except OSError as error:
            raise refusal(Problem.CANNOT_WRITE, plan.language, path=target, reason=error.strerror or error) from error
    return Made(target, sha256_of(target), target.stat().st_size, manifest)


def installation_key(folder: Path, language: str) -> InstallationKey:
    """The signing key, which must be there: it is made at the first start and at no other time. Raises `BackupError`."""
    path = folder / _INSTALLATION
    if not path.is_file() or path.stat().st_size != SecretBox.KEY_SIZE:
        raise refusal(Problem.NO_KEY, language, path=path)
    return InstallationKey(path)


def local_key(folder: Path) -> bytes:
    """The key with which this installation opens its own backups to try them; made with the first backup, never in one."""
    path = folder / LOCAL_KEY
    if not path.exists() or path.stat().st_size != SecretBox.KEY_SIZE:
        write_private(path, random_bytes(SecretBox.KEY_SIZE))
    return path.read_bytes()


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A folder for copies within the data folder, so that they lie on no other disk; overwritten and removed at the end.

    What a killed process left is removed first.
    """
    for left in folder.glob(f"{_SCRATCH}*"):
        if not Path(f"/proc/{left.name.removeprefix(_SCRATCH)}").exists():
            _remove(left)
    work = folder / f"{_SCRATCH}{os.getpid()}"
    work.mkdir(mode=0o700)
    try:
        yield work
    finally:
        _remove(work)


def _remove(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            overwrite(path)
    shutil.rmtree(folder)
    sync_folder(folder.parent)


def _target(plan: Plan, out: Path, now: float) -> Path:
    if out.is_dir():
        out = out / f"{plan.id}-{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}{SUFFIX}"
    if out.resolve().is_relative_to(plan.folder.resolve()):
        raise refusal(Problem.INSIDE, plan.language, path=out)
    if out.exists() or out.is_symlink():
        raise refusal(Problem.EXISTS, plan.language, path=out)
    return out


def _people(plan: Plan) -> tuple[SealedPrivateKey, ...]:
    keys = KeyFolder(plan.folder / RECOVERY)
    people = tuple(found for one in keys.reviewers() if (found := keys.get(one.id)) is not None)
    if len(people) < LEAST_PEOPLE:
        raise refusal(Problem.TOO_FEW_PEOPLE, plan.language, count=len(people), site=plan.site)
    return people


def _require_room(plan: Plan, target: Path) -> None:
    """The copies must not take what recordings need, and the backup must find its place."""
    needed = size_of(plan)
    for place, more in ((plan.folder, plan.reserve), (target.parent, 0)):
        try:
            free = shutil.disk_usage(place).free
        except OSError as error:
            raise refusal(Problem.CANNOT_WRITE, plan.language, path=target, reason=error.strerror or error) from error
        if free < needed + more:
            raise refusal(Problem.NO_ROOM, plan.language, path=place, free=free // _MB, needed=(needed + more) // _MB + 1)


def _copies(plan: Plan, work: Path) -> dict[str, Path]:
    """Every file of the backup by its name in it: databases as copies of one moment, the rest as it lies there."""
    files: dict[str, Path] = {}
    there = _names(plan.folder)
    # In this order: a case may name alerts, and an alert that is newer than all cases does no harm.
    if plan.server is not None:
        files |= _exported(plan, plan.server, work)
    for name in DATABASES:
        if plan.server is None and name in there:
            files[name] = work / name
            _snapshot(plan, name, files[name])
    for name in there:
        if is_kept(name) and name not in DATABASES:
            # A copy too: a file that is replaced meanwhile is either wholly the one or wholly the other.
            files[name] = work / name
            write_private(files[name], (plan.folder / name).read_bytes())
    for name, path in ((SITE, plan.site), (FACTS, plan.facts)):
        if path.is_file():
            files[name] = work / name
            write_private(files[name], path.read_bytes())
    return files


def _names(folder: Path) -> list[str]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [(Path(place) / name).relative_to(folder).as_posix() for name in names]
    return sorted(found)


def size_of(plan: Plan) -> int:
    """About how many bytes the databases have."""
    if plan.server is not None:
        return server_bytes(plan.server)
    return sum(path.stat().st_size for path in plan.folder.glob("*.db*"))


def _exported(plan: Plan, server: Server, work: Path) -> dict[str, Path]:
    """The databases of a server as files, both of one moment."""
    targets = {database: work / f"{database.value}.db" for database in Database}
    take_out(server, targets, lambda database: partial(_has_pictures, f"{database.value}.db"))
    for target in targets.values():
        if wrong := faults(target):
            raise refusal(Problem.DATABASE, plan.language, name=target.name, reason=wrong[0])
    return {target.name: target for target in targets.values()}


def _has_pictures(name: str, table: str, types: list[str]) -> bool:
    del table
    return name != "control.db" and bool(_PICTURES & set(types))


def _snapshot(plan: Plan, name: str, target: Path) -> None:
    try:
        snapshot(plan.folder / name, target, partial(_has_pictures, name))
        wrong = faults(target)
    except sqlite3.Error as error:
        raise refusal(Problem.DATABASE, plan.language, name=plan.folder / name, reason=error) from error
    if wrong:
        raise refusal(Problem.DATABASE, plan.language, name=plan.folder / name, reason=wrong[0])


def log_state(database: Path) -> tuple[int, str]:
    """Number and hash of the newest entry in a copy of the database."""
    found = rows(database, "SELECT number, hash FROM log ORDER BY number DESC LIMIT 1")
    return (int(str(found[0][0])), str(found[0][1])) if found else (0, "")


def case_counts(database: Path) -> tuple[int, int]:
    """How many cases should have their clip, and how many of them are held."""
    states = ", ".join(f"'{state.value}'" for state in sorted(THERE))
    there = rows(database, f"SELECT count(*), sum(state = '{CaseState.HELD.value}') FROM cases WHERE state IN ({states})")
    return int(str(there[0][0])), int(str(there[0][1] or 0))


def _manifest(plan: Plan, files: dict[str, Path], members: tuple[Member, ...], now: float) -> Manifest:
    control = files.get("control.db")
    if control is None:
        raise refusal(Problem.DATABASE, plan.language, name=plan.folder / "control.db", reason="missing")
    number, hashed = log_state(control)
    cases, held = case_counts(control)
    return Manifest(
        format=FORMAT,
        name=uuid.uuid4().hex,
        id=plan.id,
        made=now,
        version=__version__,
        folder_format=FOLDER_FORMAT,
        log_number=number,
        log_hash=hashed,
        cases=cases,
        held=held,
        reviewers=KeyFolder(plan.folder / REVIEWERS).readable(),
        members=members,
        left=tuple(unknown(_names(plan.folder))),
    )


def _write(
    target: Path, header: Header, sealer: StreamSealer, key: InstallationKey, manifest: bytes, files: list[Path], step: Step
) -> None:
    part = target.with_name(f".{target.name}.{header.name[:8]}")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            writer = Writer(file, header, sealer)
            writer.write(len(manifest).to_bytes(4, "big") + manifest + key.sign(manifest_text(manifest)))
            for path in files:
                with path.open("rb") as source:
                    while piece := source.read(_PIECE):
                        writer.write(piece)
                        step(len(piece))
            writer.finish(key.public, key.sign)
            file.flush()
            os.fsync(file.fileno())
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    # File systems of sticks and shares do not all know how to sync a folder; the file itself is synced.
    with suppress(OSError):
        sync_folder(target.parent)
