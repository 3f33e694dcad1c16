"""Four bytes of length (big-endian), then one message (MessagePack by msgspec)."""

from __future__ import annotations

import asyncio
import struct
from typing import Any, Final, TypeVar

import msgspec

from blickschutz.kernel.errors import UNREADABLE, ProtocolError

MOST_BYTES: Final = 8 * 1024 * 1024
LENGTH = struct.Struct(">I")
Message = TypeVar("Message")

_encoder = msgspec.msgpack.Encoder()


def pack(message: Any) -> bytes:
    """A message with its length in front. Raises `ProtocolError` where it is too long."""
    data = _encoder.encode(message)
    if len(data) > MOST_BYTES:
        raise ProtocolError(f"a message of {len(data)} bytes is too long")
    return LENGTH.pack(len(data)) + data


def unpack(data: bytes, decoder: msgspec.msgpack.Decoder[Message]) -> Message:
    """Decode a message. Raises `ProtocolError` where it is not in the schema."""
    try:
        return decoder.decode(data)
    except UNREADABLE as error:
        raise ProtocolError(f"a message is not in the schema: {error}") from error


async def read(reader: asyncio.StreamReader, decoder: msgspec.msgpack.Decoder[Message]) -> Message | None:
    """The next message, None when the other end is gone. Raises `ProtocolError`."""
    try:
        (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
        if length > MOST_BYTES:
            raise ProtocolError(f"a message of {length} bytes was announced")
        return unpack(await reader.readexactly(length), decoder)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
