"""What a cell signs in with, apart from its settings: messages never carry it.

On one machine it is handed over in a pipe beside the first message: written once, read once, then gone from the kernel's memory.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Final

import msgspec

from blickschutz.ingest.model import SourceKind
from blickschutz.ingest.rules.address import public_address
from blickschutz.kernel.errors import UNREADABLE, ProtocolError
from blickschutz.pipeline.messages import CellSettings, DoorSettings

# A pipe takes so much without anybody reading from it. pipe(7)
MOST_BYTES: Final = 60_000


class Credentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Addresses as they are connected to, with account and query, and the secret of the camera's lines; empty where there is none."""

    source: str = ""
    notices: str = ""
    notify: str = ""
    recorded: str = ""

    def __repr__(self) -> str:
        return "Credentials()"


class Handed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All secrets of a new life of a cell, and whether it may film at all: until then by `aging`, and not while it is `stopped`."""

    credentials: Credentials
    door: DoorSettings | None = None
    until: float = float("inf")
    stopped: bool = False

    def __repr__(self) -> str:
        return "Handed()"


_decoder: msgspec.msgpack.Decoder[Handed] = msgspec.msgpack.Decoder(Handed)


def parted(settings: CellSettings) -> tuple[CellSettings, Credentials]:
    """Settings without anything secret, and what was."""
    source, notices, notify, recorded = settings.source, settings.notices, settings.notify, settings.recorded
    secret = Credentials(
        source=source.address if source.kind is not SourceKind.FILE else "",
        notices=notices.address if notices is not None else "",
        notify=notify.secret if notify is not None else "",
        recorded=recorded.address if recorded is not None else "",
    )
    plain = msgspec.structs.replace(
        settings,
        source=source if source.kind is SourceKind.FILE else replace(source, address=public_address(source.address)),
        notices=replace(notices, address=public_address(notices.address)) if notices is not None else None,
        notify=replace(notify, secret="") if notify is not None else None,
        recorded=replace(recorded, address=public_address(recorded.address)) if recorded is not None else None,
    )
    return plain, secret


def joined(settings: CellSettings, secret: Credentials) -> CellSettings:
    """Settings with which a camera can be opened."""
    notices, notify, recorded = settings.notices, settings.notify, settings.recorded
    return msgspec.structs.replace(
        settings,
        source=replace(settings.source, address=secret.source) if secret.source else settings.source,
        notices=replace(notices, address=secret.notices) if notices is not None and secret.notices else notices,
        notify=replace(notify, secret=secret.notify) if notify is not None and secret.notify else notify,
        recorded=replace(recorded, address=secret.recorded) if recorded is not None and secret.recorded else recorded,
    )


def hand_over(handed: Handed) -> int:
    """A descriptor from which this can be read once; the caller's to close. Raises `ProtocolError` where it is too long."""
    data = msgspec.msgpack.encode(handed)
    if len(data) > MOST_BYTES:
        raise ProtocolError(f"credentials of {len(data)} bytes are too long")
    reads, writes = os.pipe()
    try:
        os.write(writes, data)
    finally:
        os.close(writes)
    return reads


def take_over(handle: int) -> Handed:
    """What was handed over; closes the descriptor. Raises `ProtocolError`."""
    with os.fdopen(handle, "rb") as pipe:
        data = pipe.read(MOST_BYTES + 1)
    try:
        return _decoder.decode(data)
    except UNREADABLE as error:
        raise ProtocolError("what was handed over beside the first message cannot be read") from error
