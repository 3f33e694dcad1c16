"""The door of a cell: how a control room that was started anew proves to a cell that it is its own, and the cell to it.

Both have a secret of this very life of the cell. Each side answers the other's challenge with HMAC-SHA-256 under it; the cell says
nothing of itself before the other side has answered. Until then it is a socket that accepts and shows out.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import socket
import struct
from dataclasses import replace
from typing import Final, TypeAlias

import msgspec

from blickschutz import __version__
from blickschutz.kernel.errors import ProtocolError
from blickschutz.pipeline.messages import CellSettings, DoorSettings
from blickschutz.wire.frames import LENGTH, pack, unpack

# How long a cell lives on alone. Longer than a service manager and a start take; shorter than the 120 s after which an order that no cell
# took is told as lost.
ALONE_S: Final = 90.0
# What each answer may take: who says nothing keeps nobody else out for longer.
PATIENCE_S = 2.0
# Connections of control rooms that died while they started, until the cell comes to them.
_BACKLOG = 16
_NONCE = 32
_MOST_BYTES = 4096
_CREDENTIALS = struct.Struct("3i")


class _Word(msgspec.Struct, frozen=True, tag=True, forbid_unknown_fields=True):
    pass


class Challenge(_Word, frozen=True, tag="challenge"):
    """Of the cell, to whoever connects."""

    nonce: bytes


class Claim(_Word, frozen=True, tag="claim"):
    """Of the control room: its answer, and a challenge of its own."""

    nonce: bytes
    proof: bytes


class Introduction(_Word, frozen=True, tag="introduction"):
    """Of the cell, to whoever has proven that they may know: its answer, and who it is. `settings` is their `digest_of`."""

    proof: bytes
    installation: str
    camera: str
    run: str
    version: str
    settings: str


Word: TypeAlias = Challenge | Claim | Introduction
decoder: msgspec.msgpack.Decoder[Word] = msgspec.msgpack.Decoder(Word)


def proof_of(door: DoorSettings, side: str, theirs: bytes, ours: bytes) -> bytes:
    """The answer of one side ("control-room" or "cell") to the challenge `theirs`, in this one conversation."""
    named = "\0".join(("blickschutz-door-1", side, door.installation, door.run)).encode()
    return hmac.digest(door.secret, named + b"\0" + theirs + ours, "sha256")


def nonce() -> bytes:
    return secrets.token_bytes(_NONCE)


def is_proof(found: bytes, wanted: bytes) -> bool:
    return hmac.compare_digest(found, wanted)


def digest_of(settings: CellSettings) -> str:
    """A hash of all that a cell is told at its start, but for the thresholds: they are told anew whenever they change."""
    plain = msgspec.structs.replace(settings, situations=replace(settings.situations, thresholds={}))
    # As the cell has them: what was written as a whole number is a fraction there.
    told = msgspec.msgpack.decode(msgspec.msgpack.encode(plain), type=CellSettings)
    return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()


def peer_of(line: socket.socket) -> tuple[int, int]:
    """Number of the process at the other end (of a listening one: whoever listens) and of its user, as the kernel says."""
    pid, user, _ = _CREDENTIALS.unpack(line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return pid, user


class Door:
    """Of one cell, on a socket that it was handed. To be made before the cell is confined and has a second thread."""

    def __init__(self, listener: socket.socket, settings: DoorSettings, cell: CellSettings) -> None:
        self._listener, self._settings, self._cell = listener, settings, cell
        # Here and not where it was bound: so the kernel names this process to whoever connects.
        listener.listen(_BACKLOG)

    def settled(self, cell: CellSettings) -> None:
        """What the cell does from now on. From any thread."""
        self._cell = cell

    def next(self, wait_s: float) -> socket.socket | None:
        """The connection of a control room that has proven itself; None where within `wait_s` nobody came, or somebody who could not."""
        self._listener.settimeout(wait_s)
        try:
            line, _ = self._listener.accept()
        except TimeoutError:
            return None
        try:
            line.settimeout(PATIENCE_S)
            self._prove(line)
        except (OSError, EOFError, ProtocolError):
            line.close()
            return None
        return line

    def _prove(self, line: socket.socket) -> None:
        if peer_of(line)[1] != os.getuid():
            raise ProtocolError("another user")
        door, cell, own = self._settings, self._cell, nonce()
        line.sendall(pack(Challenge(own)))
        claim = unpack(message(line, _MOST_BYTES), decoder)
        if not isinstance(claim, Claim) or not is_proof(claim.proof, proof_of(door, "control-room", own, claim.nonce)):
            raise ProtocolError("no control room of this installation")
        answer = proof_of(door, "cell", claim.nonce, own)
        line.sendall(pack(Introduction(answer, door.installation, cell.camera, door.run, __version__, digest_of(cell))))


def message(line: socket.socket, most: int) -> bytes:
    """The next message, not decoded. Raises `EOFError` where the other end is gone, `ProtocolError` where it is too long."""
    (length,) = LENGTH.unpack(receive(line, LENGTH.size))
    if length > most:
        raise ProtocolError(f"a message of {length} bytes was announced")
    return receive(line, length)


def receive(line: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes. Raises `EOFError` where the other end is gone."""
    parts = bytearray()
    while len(parts) < size:
        part = line.recv(size - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)
