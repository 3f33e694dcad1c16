"""The file of a backup: an open head, a sealed stream, a signature over both. See docs/design/backup.md.

Reading believes nothing: every length is bounded before it is used, and nothing is decoded that was not authenticated.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from blickschutz.backup.model import FORMAT, MAGIC, Header, Problem
from blickschutz.backup.rules import CHUNK, MOST_HEADER, PREFIX, PUBLIC, SIGNATURE, associated, is_bounded, signed_text
from blickschutz.backup.texts import refusal
from blickschutz.kernel.errors import UNREADABLE
from blickschutz.vault.service import SEALED_OVERHEAD, StreamOpener, StreamSealer

IsSigned = Callable[[bytes, bytes, bytes], bool]
_TRAILER = PUBLIC + SIGNATURE
_LENGTH = struct.Struct(">I")
_HEAD = struct.Struct(">8sHI")


def encode_head(header: Header) -> bytes:
    """The open part of a backup."""
    text = msgspec.json.encode(header, order="deterministic")
    return _HEAD.pack(MAGIC, header.format, len(text)) + text


class Writer:
    """Seals what is written, chunk by chunk, into a file that is open for writing; `finish` signs it all."""

    def __init__(self, file: BinaryIO, header: Header, sealer: StreamSealer) -> None:
        self._file, self._sealer, self._waiting, self._index = file, sealer, bytearray(), 0
        self._hash = hashlib.sha256()
        head = encode_head(header)
        self._prefix = hashlib.sha256(head).digest()
        self._put(head)

    def write(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]

    def finish(self, public: bytes, sign: Callable[[bytes], bytes]) -> None:
        """Seal what waits as the last of the stream, and sign everything."""
        self._seal(bytes(self._waiting), last=True)
        self._file.write(public + sign(signed_text(self._hash.digest())))

    def _seal(self, data: bytes, *, last: bool) -> None:
        sealed = self._sealer.seal(data, associated(self._prefix, self._index), last=last)
        self._index += 1
        self._put(_LENGTH.pack(len(sealed)) + sealed)

    def _put(self, data: bytes) -> None:
        self._hash.update(data)
        self._file.write(data)


@dataclass(frozen=True, slots=True)
class Outer:
    """A backup as it is seen without any secret: whole, and signed with `public`. `sha256` is the file's."""

    path: Path
    header: Header
    prefix: bytes
    start: int
    end: int
    public: bytes
    sha256: str


def look(path: Path, is_signed: IsSigned, language: str, public: bytes | None = None) -> Outer:
    """Read the open part and verify the signature over the whole file. Raises `BackupError`.

    Without `public`, the installation's key as it is known from elsewhere, the key in the file is believed.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            header, prefix, start = _head(file, size, path, language)
            end = size - _TRAILER
            _walk(file, start, end, path, language)
            file.seek(0)
            whole, digest = hashlib.sha256(), b""
            for piece in _pieces(file, end):
                whole.update(piece)
            digest = whole.digest()
            trailer = file.read(_TRAILER + 1)
            whole.update(trailer)
    except OSError as error:
        raise refusal(Problem.UNREADABLE, language, path=path, reason=error.strerror or error) from error
    key, signature = trailer[:PUBLIC], trailer[PUBLIC:]
    if not is_signed(signed_text(digest), signature, key):
        raise refusal(Problem.ALTERED, language, path=path, what="signature")
    if public is not None and key != public:
        raise refusal(Problem.FOREIGN, language, path=path, found=key.hex(), wanted=public.hex())
    return Outer(path, header, prefix, start, end, key, whole.hexdigest())


def _head(file: BinaryIO, size: int, path: Path, language: str) -> tuple[Header, bytes, int]:
    """The header, the hash of the open part, and where the sealed part begins."""
    start = file.read(PREFIX)
    if len(start) < PREFIX or not start.startswith(MAGIC):
        raise refusal(Problem.NO_BACKUP, language, path=path)
    _, version, length = _HEAD.unpack(start)
    if version > FORMAT:
        raise refusal(Problem.NEWER, language, path=path, format=version, version="?")
    if version != FORMAT or length > MOST_HEADER:
        raise refusal(Problem.ALTERED, language, path=path, what="head")
    if PREFIX + length + _TRAILER > size:
        raise refusal(Problem.CUT_OFF, language, path=path)
    text = file.read(length)
    try:
        header = msgspec.json.decode(text, type=Header)
    except UNREADABLE as error:
        raise refusal(Problem.ALTERED, language, path=path, what="head") from error
    if header.format != version or encode_head(header) != start + text or not is_bounded(header):
        raise refusal(Problem.ALTERED, language, path=path, what="head")
    return header, hashlib.sha256(start + text).digest(), PREFIX + length


def _walk(file: BinaryIO, start: int, end: int, path: Path, language: str) -> None:
    """Go from chunk to chunk by their lengths: they must end where the signature begins."""
    position, full = start, CHUNK + SEALED_OVERHEAD
    while position < end:
        file.seek(position)
        told = file.read(_LENGTH.size)
        length = _LENGTH.unpack(told)[0] if len(told) == _LENGTH.size else full + 1
        position += _LENGTH.size + length
        if not SEALED_OVERHEAD <= length <= full:
            raise refusal(Problem.ALTERED, language, path=path, what="chunk")
    if position != end or start == end:
        raise refusal(Problem.CUT_OFF, language, path=path)


def _pieces(file: BinaryIO, length: int) -> Iterator[bytes]:
    while length > 0 and (piece := file.read(min(length, CHUNK))):
        length -= len(piece)
        yield piece


class Reader:
    """What is sealed in a backup, in order, opened with its key. Raises `BackupError` at the first byte that is not as it was."""

    def __init__(self, outer: Outer, key: bytes, language: str) -> None:
        self._outer, self._language = outer, language
        self._opener = StreamOpener(key, outer.header.stream)
        self._chunks = self._opened()
        self._have = b""

    def read(self, length: int) -> bytes:
        """Exactly `length` bytes."""
        parts, wanted = [], length
        while wanted > 0:
            if not self._have:
                self._have = next(self._chunks, b"")
                if not self._have:
                    raise self._altered("end")
            parts.append(self._have[:wanted])
            self._have = self._have[wanted:]
            wanted -= len(parts[-1])
        return b"".join(parts)

    def finish(self) -> None:
        """Nothing must be left, and the stream must have come to its own end."""
        if self._have or next(self._chunks, b""):
            raise self._altered("end")

    def _opened(self) -> Iterator[bytes]:
        index, last = 0, False
        try:
            with self._outer.path.open("rb") as file:
                file.seek(self._outer.start)
                while file.tell() < self._outer.end:
                    length = _LENGTH.unpack(file.read(_LENGTH.size))[0]
                    opened = None if last else self._opener.open(file.read(length), associated(self._outer.prefix, index))
                    if opened is None:
                        raise self._altered("chunk")
                    data, last = opened
                    index += 1
                    if data:
                        yield data
        except (OSError, struct.error) as error:
            raise refusal(Problem.UNREADABLE, self._language, path=self._outer.path, reason=error) from error
        if not last:
            raise self._altered("end")

    def _altered(self, what: str) -> Exception:
        return refusal(Problem.ALTERED, self._language, path=self._outer.path, what=what)
