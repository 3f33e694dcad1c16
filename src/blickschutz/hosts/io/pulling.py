"""Brings the ciphertext of other hosts' clips here, for the copies that this host is to keep: one clip at a time, piece by piece."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from blickschutz.hosts.io.broker import BROKEN, Broker, words
from blickschutz.hosts.io.copies import HostCopies
from blickschutz.hosts.model import AskCopy, KeptCopy, Piece
from blickschutz.hosts.rules import subjects
from blickschutz.kernel.errors import DeviceError
from blickschutz.wire.frames import unpack

_IDLE_S: Final = 1.0
_PIECE_S: Final = 10.0
_encode = msgspec.msgpack.Encoder().encode
_pieces: msgspec.msgpack.Decoder[Piece] = msgspec.msgpack.Decoder(Piece)


class CopyPull:
    """Of one host, in the event loop."""

    def __init__(self, broker: Broker, copies: HostCopies) -> None:
        self._broker, self._copies = broker, copies

    async def run(self) -> None:
        """Until it is ended; for the guard."""
        while True:
            record = await asyncio.to_thread(self._copies.next)
            if record is None:
                await asyncio.sleep(_IDLE_S)
                continue
            try:
                await self._pull(record)
            except DeviceError as error:
                self._copies.put_off(record.clip, str(error))

    async def _pull(self, record: KeptCopy) -> None:
        """Raises `DeviceError` where it does not come, or is another one."""
        start = await asyncio.to_thread(self._copies.begin, record)
        while start is not None:
            data = await self._piece(record, start)
            whole = await asyncio.to_thread(self._copies.add, record.clip, start, data)
            start = None if whole else start + len(data)

    async def _piece(self, record: KeptCopy, start: int) -> bytes:
        subject = subjects.copies(self._broker.installation, record.origin)
        try:
            found = await self._broker.client.request(subject, _encode(AskCopy(record.order, start)), timeout=_PIECE_S)
        except BROKEN as error:
            raise DeviceError(f"the host {record.origin} does not answer: {words(error)}") from error
        piece = unpack(found.data, _pieces)
        if piece.problem or piece.start != start or not piece.data:
            raise DeviceError(f"the host {record.origin} does not give it: {piece.problem or 'another piece'}")
        return piece.data
