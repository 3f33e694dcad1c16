"""Messages of a session in parts that fit a broker's message, numbered without a gap, and put together again. Knows no broker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from blickschutz.hosts.model import Part
from blickschutz.kernel.errors import ProtocolError
from blickschutz.wire.frames import MOST_BYTES

# A broker takes a mebibyte by default; some is for the envelope.
PART_BYTES: Final = 512 * 1024


class PartLostError(ProtocolError):
    """A part is missing, or the other side ended the session: it begins anew."""


class Parted:
    """One direction of a session, as it is said."""

    def __init__(self, session: str) -> None:
        self._session, self._number = session, 0

    def parts(self, data: bytes) -> Iterator[Part]:
        """Raises `ProtocolError` where the message is too long."""
        if len(data) > MOST_BYTES:
            raise ProtocolError(f"a message of {len(data)} bytes is too long")
        for start in range(0, max(1, len(data)), PART_BYTES):
            self._number += 1
            piece = data[start : start + PART_BYTES]
            yield Part(self._session, self._number, start + PART_BYTES >= len(data), piece)


class Joined:
    """One direction of a session, as it is heard."""

    def __init__(self, session: str) -> None:
        self._session, self._number, self._data = session, 0, bytearray()

    def take(self, part: Part) -> bytes | None:
        """A whole message, None while it goes on, and for what is of another session. Raises `PartLostError`, `ProtocolError`."""
        if part.session != self._session:
            return None
        if not part.number:
            raise PartLostError("the cell of the session has ended")
        if part.number != self._number + 1:
            raise PartLostError(f"part {self._number + 1} of the session was lost")
        self._number = part.number
        self._data += part.data
        if len(self._data) > MOST_BYTES:
            raise ProtocolError("a message of a session is too long")
        if not part.last:
            return None
        data, self._data = bytes(self._data), bytearray()
        return data
