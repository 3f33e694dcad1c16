"""The sealed clip on disk, versions 1 to 3; described in docs/design/clips.md.

    magic "BLKSCLIP", version (2 bytes), header (4 bytes of length, JSON), envelope (4 bytes of length, JSON),
    head of the libsodium secretstream (24 bytes), chunks

A chunk is a prefix (length, number, a hash of the clip's name), then a sealed message. The prefix is
authenticated with the message, so what was moved, mixed or cut shows, and shows as what it is.

All versions have the same parts. In version 2 each picture is redacted with evidence of its own; in version 1 pictures
between two proofs were not compared with the background, so what was redacted for good there may show fast people. Version 3 is
written where another stream was looked at than the one that is recorded (`Opening.skew_s`): a program that knows nothing of
that would take the times for those of the pictures, and must not read it.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

import msgspec

from blickschutz.kernel.errors import UNREADABLE, BlickschutzError, DeviceError
from blickschutz.recording.model import ClipHeader, ClipMode, ClipState, CloseReason, Closing, Gop, Head, Opening
from blickschutz.vault.io.files import sync_folder
from blickschutz.vault.model import Envelope
from blickschutz.vault.service import SEALED_OVERHEAD, STREAM_HEADER, StreamOpener, StreamSealer

MAGIC: Final = b"BLKSCLIP"
VERSION: Final = 3
_ONE_STREAM, _TWO_STREAMS = 2, 3
_READ: Final = frozenset({1, _ONE_STREAM, _TWO_STREAMS})
_EVIDENCE_FOR_EACH: Final = 2
SUFFIX = ".clip"
_MOST_CHUNK = 256 * 1024 * 1024
MOST_HEAD = 1024 * 1024
SIZE = struct.Struct(">I")
CHUNK_PREFIX = struct.Struct(">II8s")

Message: TypeAlias = Opening | Gop | Closing
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


class ClipError(BlickschutzError):
    """A clip does not open; `state` says why."""

    def __init__(self, state: ClipState, text: str = "") -> None:
        super().__init__(text or state.value)
        self.state = state


class ClipWriter:
    """Writes one clip. While one message is being synced the next can be sealed already; `flush` returns when all are on disk.

    Raises `DeviceError` when the disk takes no more, at the latest with the call after.
    """

    def __init__(self, path: Path, header: ClipHeader, envelope: Envelope, key: bytes, opening: Opening) -> None:
        self._sealer, self._tag, self._count, self.gops = StreamSealer(key), tag_of(header.clip), 0, 0
        parts = [MAGIC, struct.pack(">H", _TWO_STREAMS if opening.skew_s else _ONE_STREAM)]
        for part in (header, envelope):
            text = msgspec.json.encode(part, order="deterministic")
            parts += [SIZE.pack(len(text)), text]
        head = b"".join([*parts, self._sealer.header])
        self.path, self.size = path, 0
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="clip-disk")
        self._last: Future[None] | None = None
        self._broken = False
        try:
            self._file: BinaryIO = path.open("xb", buffering=0)
            os.fchmod(self._file.fileno(), 0o600)
            self._append(head + self._sealed(msgspec.structs.replace(opening, digest=_digest(head))))
            self.flush()
            sync_folder(path.parent)
        except OSError as error:
            raise DeviceError(f"{path.name} cannot be begun: {error.strerror}") from error

    def add(self, gop: Gop) -> None:
        self._append(self._sealed(gop))
        self.gops += bool(gop.data)

    def flush(self) -> None:
        """Wait until everything is on disk."""
        last, self._last = self._last, None
        if last is None:
            return
        # Whatever it is, after it nothing more can be added to the clip.
        before, self._broken = self._broken, True
        try:
            last.result()
            self._broken = before
        except OSError as error:
            raise DeviceError(f"{self.path.name} cannot be written: {error.strerror}") from error

    def close(self, reason: CloseReason, closed: float) -> None:
        """The last message. Where the disk does not take it, or did not take one before, the clip is one that was cut off."""
        try:
            self.flush()
            if self._broken:
                raise DeviceError(f"{self.path.name} was cut off")
            self._append(self._sealed(Closing(reason=reason, gops=self.gops, closed=closed), last=True))
            self.flush()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let go of the file as it is: whole up to its last message."""
        self._disk.shutdown()
        self._file.close()

    def _sealed(self, message: Message, *, last: bool = False) -> bytes:
        data = _encoder.encode(message)
        prefix = CHUNK_PREFIX.pack(len(data) + SEALED_OVERHEAD, self._count, self._tag)
        sealed = self._sealer.seal(data, prefix, last=last)
        self._count += 1
        return prefix + sealed

    def _append(self, data: bytes) -> None:
        self.flush()
        self._last = self._disk.submit(self._write, data)

    def _write(self, data: bytes) -> None:
        """All of `data`, or an error and nothing of it: what a full disk took of a chunk is taken back."""
        start, view = self.size, memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) :]
            os.fdatasync(self._file.fileno())
            self.size = start + len(data)
        finally:
            if self.size == start:
                self._file.truncate(start)
                self._file.seek(start)


def read_head(path: Path) -> Head:
    """What can be read without a key. Raises `ClipError`, `DeviceError`."""
    try:
        with path.open("rb") as file:
            return _head(file)
    except OSError as error:
        raise DeviceError(f"{path} cannot be read: {error.strerror}") from error


def head_of(data: bytes) -> Head:
    """The same of a file's beginning. Raises `ClipError`."""
    return _head(io.BytesIO(data))


def _head(file: BinaryIO) -> Head:
    seen = hashlib.blake2b(digest_size=32)

    def take(length: int) -> bytes:
        data = file.read(length) if length <= MOST_HEAD else b""
        if len(data) != length:
            # So is a clip that was just begun when the power failed: there is nothing in it, and nobody has its key.
            raise ClipError(ClipState.HEAD_CUT_OFF if MAGIC.startswith(magic) else ClipState.NO_CLIP, "the head of the file is cut off")
        seen.update(data)
        return data

    magic = file.read(len(MAGIC))
    file.seek(0)
    if take(len(MAGIC)) != MAGIC:
        raise ClipError(ClipState.NO_CLIP, "the file is no sealed clip")
    (version,) = struct.unpack(">H", take(2))
    if version not in _READ:
        newer = "; a newer program wrote it" if version > VERSION else ""
        raise ClipError(ClipState.UNKNOWN_VERSION, f"the clip has version {version}{newer}; this software reads versions 1 to {VERSION}")
    try:
        header = msgspec.json.decode(take(SIZE.unpack(take(SIZE.size))[0]), type=ClipHeader)
        envelope = msgspec.json.decode(take(SIZE.unpack(take(SIZE.size))[0]), type=Envelope)
    except UNREADABLE as error:
        raise ClipError(ClipState.HEAD_ALTERED, f"the head of the clip is damaged: {error}") from error
    if envelope.clip != header.clip:
        raise ClipError(ClipState.HEAD_ALTERED, "the key envelope belongs to another clip")
    stream = take(STREAM_HEADER)
    return Head(header, envelope, stream, file.tell(), seen.digest(), version)


def is_unsafe(head: Head) -> bool:
    """Whether the clip holds redacted pictures only, and such as were redacted with too little evidence to be shown.

    A sealed clip holds the camera's packets: it is rendered anew each time, whatever its version.
    """
    return head.header.mode is ClipMode.ANONYMOUS and head.version < _EVIDENCE_FOR_EACH


def envelope_range(path: Path) -> tuple[int, int]:
    """Where the key envelope lies: start and length in bytes. Raises `ClipError`, `DeviceError`."""
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise ClipError(ClipState.NO_CLIP, "the file is no sealed clip")
            file.seek(2, os.SEEK_CUR)
            (length,) = SIZE.unpack(file.read(SIZE.size))
            file.seek(length, os.SEEK_CUR)
            (length,) = SIZE.unpack(file.read(SIZE.size))
            return file.tell(), length
    except struct.error as error:
        raise ClipError(ClipState.NO_CLIP, "the head of the file is cut off") from error
    except OSError as error:
        raise DeviceError(f"{path} cannot be read: {error.strerror}") from error


class ClipReader:
    """Reads one clip, message by message. `state` says at the end what the file turned out to be.

    Raises `ClipError` where the head does not fit; what is damaged further on ends the iteration.
    """

    def __init__(self, path: Path, key: bytes, installation: str = "") -> None:
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise DeviceError(f"{path} cannot be read: {error.strerror}") from error
        self.state, self.closing, self._count = ClipState.CUT_OFF, None, 0
        try:
            self.head = _head(self._file)
            self._opener, self._tag = StreamOpener(key, self.head.stream), tag_of(self.head.header.clip)
            self.opening = self._open(installation)
        except ClipError:
            self._file.close()
            raise

    closing: Closing | None

    def _open(self, installation: str) -> Opening:
        if installation and self.head.header.installation != installation:
            raise ClipError(ClipState.FOREIGN_INSTALLATION, f"the clip was sealed by {self.head.header.installation}")
        opening = self._next()
        if not isinstance(opening, Opening):
            raise ClipError(ClipState.WRONG_KEY if self.state is ClipState.CHUNK_ALTERED else self.state, "the first chunk does not open")
        if opening.digest != self.head.digest:
            raise ClipError(ClipState.HEAD_ALTERED, "header or key envelope were altered after the clip was sealed")
        return opening

    def __iter__(self) -> Iterator[Gop]:
        while (message := self._next()) is not None:
            if isinstance(message, Gop):
                yield message
            else:
                self._take_end(message)
                return

    def _take_end(self, message: Message) -> None:
        if isinstance(message, Closing) and not self._file.read(1):
            self.state, self.closing = ClipState.WHOLE, message
        else:
            self.state = ClipState.TOO_LONG

    def _next(self) -> Message | None:
        """The next message; None at the end, and `state` says which end."""
        prefix = self._file.read(CHUNK_PREFIX.size)
        if len(prefix) < CHUNK_PREFIX.size:
            self.state = ClipState.CUT_OFF
            return None
        length, number, tag = CHUNK_PREFIX.unpack(prefix)
        if tag != self._tag or number != self._count:
            self.state = ClipState.FOREIGN_CHUNK if tag != self._tag else ClipState.REORDERED
            return None
        data = self._file.read(length) if length <= _MOST_CHUNK else b""
        if length <= _MOST_CHUNK and len(data) < length:
            self.state = ClipState.CUT_OFF
            return None
        opened = self._opener.open(data, prefix)
        if opened is None:
            self.state = ClipState.CHUNK_ALTERED
            return None
        self._count += 1
        try:
            message = _decoder.decode(opened[0])
        except UNREADABLE:
            # Sealed with its key, and no message: whoever sealed it was no cell of ours any more.
            self.state = ClipState.CHUNK_ALTERED
            return None
        if opened[1] is not isinstance(message, Closing):
            self.state = ClipState.CHUNK_ALTERED
            return None
        return message

    def close(self) -> None:
        self._file.close()


def tag_of(clip: str) -> bytes:
    """What binds a chunk to its clip."""
    return hashlib.blake2b(clip.encode(), digest_size=8).digest()


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()
