"""What a host goes on with when it is started anew while nobody is reached: cameras that it alone may film, and what it was last told of
them. On disk is never more than what the store has as held without end, so nobody else was given any of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import msgspec
import structlog

from blickschutz.kernel.errors import UNREADABLE, DeviceError, ProtocolError
from blickschutz.pipeline.channel import unpack_to_cell
from blickschutz.pipeline.messages import Configure, SetSituations, SetStanding, SetThresholds, Stop, ToCell
from blickschutz.storage.files import erase, read_regular, write_private

_log = structlog.get_logger(__name__)
_encoder = msgspec.msgpack.Encoder()
# The state that is wanted of a camera, in the order in which it is told again.
_STATES: Final = (Configure, SetThresholds, Stop, SetStanding)
_MOST_BYTES: Final = 64 * 1024 * 1024


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`run` is the life of the host's record in the store; by camera the token of its lease, and what was told of it."""

    installation: str
    host: str
    run: str
    tokens: dict[str, int]
    told: dict[str, tuple[bytes, ...]]


class GoingOn:
    """In one event loop. `cameras` are those whose secrets this host has."""

    def __init__(self, path: Path, installation: str, host: str, cameras: Collection[str]) -> None:
        self._path, self._installation, self._host = path, installation, host
        self._told: dict[str, dict[type[ToCell], ToCell]] = {camera: {} for camera in cameras}
        self._changed, self._writing = asyncio.Event(), asyncio.Lock()
        self.run, self.tokens = "", dict[str, int]()
        self._written = b""
        self._read()

    def told(self, camera: str) -> list[ToCell]:
        """What is to be told of it again, in this order."""
        known = self._told[camera]
        return [known[kind] for kind in _STATES if kind in known]

    def tell(self, camera: str, message: ToCell) -> None:
        """The control room said it; on disk soon (`keep`)."""
        known = self._told[camera]
        if isinstance(message, SetSituations) and isinstance(former := known.get(Configure), Configure):
            message = Configure(msgspec.structs.replace(former.settings, situations=message.situations))
        if isinstance(message, _STATES) and known.get(type(message)) != message:
            known[type(message)] = message
            self._changed.set()

    async def keep(self) -> None:
        """What is told from now on, until it is ended; for the guard. What cannot be written is not there at all: a camera that was stopped
        since must not be filmed by what was said before."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._write()
            except DeviceError:
                self._changed.set()
                raise

    async def hold(self, run: str, tokens: Mapping[str, int]) -> None:
        """The cameras, and under which token; on disk when this returns. Raises `DeviceError`."""
        if (run, tokens) != (self.run, self.tokens):
            self.run, self.tokens = run, dict(tokens)
            await self._write()

    async def _write(self) -> None:
        async with self._writing:
            told = {camera: tuple(_encoder.encode(one) for one in self.told(camera)) for camera in self.tokens}
            data = _encoder.encode(_Kept(self._installation, self._host, self.run, self.tokens, told)) if self.tokens else b""
            if data != self._written:
                await asyncio.to_thread(self._put, data)
                self._written = data

    def _put(self, data: bytes) -> None:
        self._written = b"unknown"
        try:
            if data:
                write_private(self._path, data)
            else:
                erase(self._path)
        except OSError as error:
            try:
                erase(self._path)
            except OSError as other:
                raise DeviceError(f"{self._path} can be neither written nor removed: {other.strerror}") from other
            raise DeviceError(f"{self._path} cannot be written: {error.strerror}") from error

    def _read(self) -> None:
        try:
            self._written = read_regular(self._path, _MOST_BYTES)
            kept = msgspec.msgpack.decode(self._written, type=_Kept)
            told = {camera: [unpack_to_cell(one) for one in kept.told.get(camera, ())] for camera in kept.tokens}
        except FileNotFoundError:
            return
        except (OSError, ProtocolError, *UNREADABLE) as error:
            _log.error("nothing_to_go_on_with", problem=str(error))
            return
        if (kept.installation, kept.host) != (self._installation, self._host):
            _log.error("nothing_to_go_on_with", problem="it is of another installation or host")
            return
        self.run = kept.run
        # A camera of which nothing was told, or whose secrets are elsewhere by now, waits for the control room.
        for camera, messages in told.items():
            if camera in self._told and any(isinstance(one, Configure) for one in messages):
                self.tokens[camera] = kept.tokens[camera]
                self._told[camera] = {type(one): one for one in messages}
