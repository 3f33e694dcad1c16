"""The two ends of the channel between control room and cell; a message that the schema does not know ends it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import deque
from collections.abc import Callable

import msgspec

from blickschutz.guard.service import Guard
from blickschutz.guard.work import ThreadWork
from blickschutz.kernel.errors import ProtocolError
from blickschutz.pipeline.messages import Fragment, FromCell, Head, ToCell
from blickschutz.wire.frames import LENGTH, MOST_BYTES, pack, read, unpack

_MOST_UNSENT = 16 * 1024 * 1024

_to_cell: msgspec.msgpack.Decoder[ToCell] = msgspec.msgpack.Decoder(ToCell)
_from_cell: msgspec.msgpack.Decoder[FromCell] = msgspec.msgpack.Decoder(FromCell)


def unpack_from_cell(data: bytes) -> FromCell:
    """Decode what a cell sent. Raises `ProtocolError`."""
    return unpack(data, _from_cell)


async def read_from_cell(reader: asyncio.StreamReader) -> FromCell | None:
    """The next message of a cell, or None when it has ended. Raises `ProtocolError`."""
    return await read(reader, _from_cell)


def first_to_cell(connection: socket.socket) -> ToCell | None:
    """The first message to a cell, read in its only thread; None when the control room is gone. Raises `ProtocolError`."""
    try:
        return unpack(_message(connection), _to_cell)
    except (OSError, EOFError):
        return None


def _message(connection: socket.socket) -> bytes:
    """The next message, not decoded. Raises `EOFError` where the other end is gone, `ProtocolError` where it is too long."""
    (length,) = LENGTH.unpack(_receive(connection, LENGTH.size))
    if length > MOST_BYTES:
        raise ProtocolError(f"a message of {length} bytes was announced")
    return _receive(connection, length)


def _receive(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


class CellEnd:
    """The cell's end of the channel: a thread that reads, a thread that writes; the cell itself never waits.

    What cannot be sent is dropped, pictures first: a stream that lost a picture starts anew with a key
    picture, which `take_loss` tells the encoder. Whatever ends one of the two threads ends the cell: half a message cannot be
    taken up again, and a cell that hears or says nothing is of no use. It is started anew.
    """

    def __init__(self, connection: socket.socket, on_message: Callable[[ToCell], None], on_end: Callable[[], None], guard: Guard) -> None:
        self._connection = connection
        self._on_message, self._on_end, self._guard = on_message, on_end, guard
        self._queue: deque[tuple[bool, bytes]] = deque()
        self._queued = 0
        self._lost = False
        self._ended = False
        self.unsent = 0
        self._wake = threading.Condition()
        self._writer: ThreadWork | None = None

    def start(self) -> None:
        self._guard.once_thread("reader", self._read)
        self._writer = self._guard.once_thread("writer", self._write)

    def send(self, message: FromCell) -> None:
        """Queue a message; never waits."""
        picture = isinstance(message, Head | Fragment)
        data = pack(message)
        with self._wake:
            if picture and self._queued + len(data) > _MOST_UNSENT:
                self._drop_pictures()
                self.unsent += 1
                self._lost = True
                return
            self._queue.append((picture, data))
            self._queued += len(data)
            self._wake.notify()

    def take_loss(self) -> bool:
        """Whether a picture was dropped since the last call."""
        with self._wake:
            lost, self._lost = self._lost, False
            return lost

    def close(self, wait_s: float = 2.0) -> None:
        """Send what is queued, then end."""
        with self._wake:
            self._ended = True
            self._wake.notify()
        if self._writer is not None:
            self._writer.wait(wait_s)
        self._connection.close()

    def _drop_pictures(self) -> None:
        self.unsent += sum(picture for picture, _ in self._queue)
        self._queue = deque((picture, data) for picture, data in self._queue if not picture)
        self._queued = sum(len(data) for _, data in self._queue)

    def _write(self) -> None:
        try:
            self._send_all()
        except OSError:
            pass  # the control room is gone
        finally:
            self._on_end()

    def _send_all(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._queue or self._ended)
                if not self._queue:
                    return
                _, data = self._queue.popleft()
                self._queued -= len(data)
            self._connection.sendall(data)

    def _next(self) -> bytes:
        return _message(self._connection)

    def _read(self) -> None:
        try:
            while True:
                self._on_message(unpack(self._next(), _to_cell))
        except (OSError, EOFError, ProtocolError):
            pass  # the control room is gone or speaks another language: the cell ends, which is what `on_end` does
        finally:
            self._on_end()
