"""`ends.jsonl`: which clips were overwritten lately, kept outside of the database: one that loses its newest rows must not lose that."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import structlog

from blickschutz.kernel.errors import UNREADABLE, DeviceError
from blickschutz.review.model import Erasing
from blickschutz.storage.files import write_private
from blickschutz.vault.io.files import InstallationKey

_log = structlog.get_logger(__name__)
_CONTEXT = b"blickschutz-end-1:"
# Some five thousand ends; then the older half goes.
_MOST = 1 << 20


class _End(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    clip: str
    size: int
    at: float
    done: bool


class _Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The text of an end exactly as it was signed, and the signature (Ed25519, hex)."""

    end: msgspec.Raw
    signature: str


class EndFile:
    """See `EndStore`. Signed, so that nobody who takes a clip away can say that it was overwritten. From any thread."""

    def __init__(self, path: Path, key: InstallationKey) -> None:
        self._path, self._key = path, key
        self._lock = threading.Lock()

    def add(self, clip: str, erasing: Erasing) -> None:
        text = msgspec.json.encode(_End(clip=clip, size=erasing.size, at=erasing.at, done=erasing.done))
        line = msgspec.json.encode(_Signed(end=msgspec.Raw(text), signature=self._key.sign(_CONTEXT + text).hex()))
        with self._lock:
            try:
                self._halve()
                self._append(line + b"\n")
            except OSError as error:
                raise DeviceError(f"{self._path.name} cannot be written: {error.strerror}") from error

    def read(self, clip: str) -> Erasing | None:
        with self._lock:
            try:
                lines = self._path.read_bytes().splitlines()
            except FileNotFoundError:
                return None
            except OSError as error:
                raise DeviceError(f"{self._path.name} cannot be read: {error.strerror}") from error
        return next(self._of(clip, lines), None)

    def _of(self, clip: str, lines: list[bytes]) -> Iterator[Erasing]:
        """What believable lines say of a clip, the newest first."""
        for line in reversed(lines):
            if clip.encode() not in line:
                continue
            try:
                signed = msgspec.json.decode(line, type=_Signed)
                end = msgspec.json.decode(signed.end, type=_End)
                known = self._key.signed(_CONTEXT + bytes(signed.end), bytes.fromhex(signed.signature))
            except UNREADABLE:  # a line that a crash cut, or somebody else's
                known = False
            if not known:
                _log.warning("end_not_believed", clip=clip)
            elif end.clip == clip:
                yield Erasing(end.size, end.at, done=end.done)

    def _append(self, line: bytes) -> None:
        handle = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(handle).st_size
            # What a crash cut is a line of its own, and believed by nobody.
            if size and os.pread(handle, 1, size - 1) != b"\n":
                line = b"\n" + line
            left = memoryview(line)
            while left:
                left = left[os.write(handle, left) :]
            os.fsync(handle)
        finally:
            os.close(handle)

    def _halve(self) -> None:
        if not self._path.exists() or self._path.stat().st_size < _MOST:
            return
        lines = self._path.read_bytes().splitlines(keepends=True)
        write_private(self._path, b"".join(lines[len(lines) // 2 :]))
