"""Whether a clip file provably holds no picture: it ends before its first group could begin."""

from __future__ import annotations

import json
from pathlib import Path

from blickschutz.kernel.errors import DeviceError
from blickschutz.recording.io.clipfile import CHUNK_PREFIX, MAGIC, MOST_HEAD, SIZE, ClipError, head_of, tag_of
from blickschutz.recording.model import ClipState
from blickschutz.vault.service import STREAM_HEADER

_VERSION_BYTES = 2
# The first message of a clip: head of an MP4, settings, zones. It has a few KB; what claims more is not believed.
_MOST_OPENING = 64 * 1024
_MOST = 2 * (MOST_HEAD + SIZE.size) + _MOST_OPENING + 1024


def is_empty(path: Path) -> bool:
    """Whether nothing in the file can be a picture, whatever its length fields say.

    A file that is cut off in its head holds a part of two JSON texts and nothing behind them. One with a whole head holds at most
    the first message, whole or but its prefix. Every other file may hold pictures. Raises `DeviceError`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
    except OSError as error:
        raise DeviceError(f"{path.name} cannot be read: {error.strerror}") from error
    if len(data) > _MOST:
        return False
    try:
        head = head_of(data)
    except ClipError as error:
        # How a newer version begins its files is not known here.
        return error.state is not ClipState.UNKNOWN_VERSION and _is_part_of_head(data)
    return _ends_with_opening(data[head.start :], tag_of(head.header.clip))


def _is_part_of_head(data: bytes) -> bool:
    if len(data) <= len(MAGIC) + _VERSION_BYTES:
        return MAGIC.startswith(data[: len(MAGIC)])
    if not data.startswith(MAGIC):
        return False
    rest = data[len(MAGIC) + _VERSION_BYTES :]
    for _ in ("header", "envelope"):
        if len(rest) <= SIZE.size:
            return True
        (length,) = SIZE.unpack(rest[: SIZE.size])
        text, rest = rest[SIZE.size :], rest[SIZE.size + length :]
        if len(text) < length:
            return _is_part_of_json(text)
        if not _is_json(text[:length]):
            return False
    return len(rest) < STREAM_HEADER


def _is_json(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _is_part_of_json(text: bytes) -> bool:
    """Printable, begins an object, and does not come to its end: a length that was damaged would take in what is sealed."""
    if not text.isascii() or not text.decode("ascii").isprintable() or not text.startswith(b"{"):
        return False
    try:
        json.JSONDecoder().raw_decode(text.decode("ascii"))
    except ValueError:
        return True
    return False


def _ends_with_opening(rest: bytes, tag: bytes) -> bool:
    if len(rest) < CHUNK_PREFIX.size:
        return True
    length, number, found = CHUNK_PREFIX.unpack(rest[: CHUNK_PREFIX.size])
    return bool(number == 0 and found == tag and length <= _MOST_OPENING and len(rest) == CHUNK_PREFIX.size + length)
