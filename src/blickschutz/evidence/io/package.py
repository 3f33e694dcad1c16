"""Build a package of evidence: a bag (RFC 8493), signed, as one tar, encrypted to the recipient (age-encryption.org/v1).

The open package exists in a folder in memory (tmpfs) only where the machine has one, and is removed in any case.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

import bagit
import msgspec
import pyrage

from blickschutz.evidence.model import Signature
from blickschutz.kernel.errors import UNREADABLE, DeviceError, OperatorError
from blickschutz.vault.io.files import overwrite, write_private

SIGNATURE = "signature.json"
SIGNED = ("bag-info.txt", "bagit.txt", "manifest-sha256.txt")
_MEMORY = Path("/dev/shm")
_PREFIX = "blickschutz-evidence-"

logging.getLogger("bagit").setLevel(logging.ERROR)


def recipient_key(text: str) -> pyrage.x25519.Recipient:
    """The recipient's public key in age's form. Raises `OperatorError`."""
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise OperatorError("the recipient's key has the form age1...") from error


def own_folder() -> Path:
    """A folder of this process in memory, where that is to be had; its name says whose it is. `remove_left` ends it with its process."""
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place()))


def work_folder(inside: Path | None = None) -> tempfile.TemporaryDirectory[str]:
    """Where a package is put together: `inside` the process's own folder, else beside those of others."""
    return tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=inside or place())


def remove_left(pid: int | None = None) -> int:
    """Remove the open packages of a process that is gone, or (without `pid`) of all that are; returns how many.

    Everybody on the machine may put something into the folder of all: what is not a folder of this user's own is left alone, and no link
    is followed, or a package that names somebody else's file would have it overwritten.
    """
    removed = 0
    for folder in place().glob(f"{_PREFIX}{'*' if pid is None else pid}-*"):
        owner = folder.name.removeprefix(_PREFIX).split("-")[0]
        if not owner.isdecimal() or not _own(folder) or (pid is None and Path(f"/proc/{int(owner)}").exists()):
            continue
        for at, _, names in os.walk(folder):
            for file in (Path(at, name) for name in names):
                if stat.S_ISREG(file.lstat().st_mode):
                    overwrite(file)
        shutil.rmtree(folder, ignore_errors=True)
        removed += 1
    return removed


def _own(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False  # its own process has removed it meanwhile
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def place() -> Path:
    """Where the folders of all processes that put packages together lie."""
    return _MEMORY if _MEMORY.is_dir() else Path(tempfile.gettempdir())


def make_bag(folder: Path, info: Mapping[str, str]) -> dict[str, str]:
    """Make the files in `folder` a bag; returns the hashes that are to be signed."""
    bagit.make_bag(str(folder), dict(info), checksums=["sha256"], processes=1)
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in SIGNED}


def finish(folder: Path, signed: Signature, key: str, target: Path, words: str = "") -> tuple[str, int]:
    """Add the signature and write the bag to `target`, encrypted to `key`, or with `words` where there are any (age's passphrase mode).

    Returns SHA-256 and size of the file. Raises `OperatorError`, `DeviceError`.
    """
    (folder / SIGNATURE).write_bytes(encode_signature(signed))
    data = pyrage.passphrase.encrypt(tar(folder), words) if words else pyrage.encrypt(tar(folder), [recipient_key(key)])
    try:
        write_private(target, data)
    except OSError as error:
        raise DeviceError(f"{target.name} cannot be written: {error.strerror}") from error
    return hashlib.sha256(data).hexdigest(), len(data)


def encode_signature(signed: Signature) -> bytes:
    """The one text of a signature file."""
    return msgspec.json.format(msgspec.json.encode(signed, order="deterministic"), indent=2) + b"\n"


def tar(folder: Path) -> bytes:
    """A folder as one tar; the same files give the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
                entry.size, entry.mode = path.stat().st_size, 0o444
                with path.open("rb") as file:
                    archive.addfile(entry, file)
    return buffer.getvalue()


def unpack(data: bytes, folder: Path) -> None:
    """The files of a tar that `tar` made, into `folder`. Raises `OperatorError` where it is none.

    Nothing is unpacked that is longer than the tar itself: no compression, no file with holes.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            members = archive.getmembers()
            if any(not (one.isreg() or one.isdir()) or one.issparse() for one in members) or sum(one.size for one in members) > len(data):
                raise tarfile.TarError("it holds more than files")
            archive.extractall(folder, members, filter="data")
    except (tarfile.TarError, OSError, EOFError, OverflowError, *UNREADABLE) as error:
        raise OperatorError(f"the package is no readable tar: {error}") from error
