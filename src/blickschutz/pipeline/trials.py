"""The messages between the control room and the process of a trial: a closed, schema-checked set (MessagePack by msgspec).

It answers in numbers and closed words, and with at most one picture, redacted. Two words of a camera's own pass: the address of a stream
and who answered a search; the control room reads both by their grammar before anybody sees them. What a camera is signed in with comes
beside the order (`pipeline.credentials`).
"""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Annotated, Final, TypeAlias

import msgspec

from blickschutz.ingest.model import Cause, Measured, NoticeSettings, Step
from blickschutz.ingest.rules.address import is_public
from blickschutz.kernel.errors import ProtocolError
from blickschutz.kernel.scene import Doubt
from blickschutz.pipeline.credentials import Credentials, Handed, hand_over, take_over
from blickschutz.pipeline.door import message, receive
from blickschutz.pipeline.messages import CellSettings, Configure
from blickschutz.wire.frames import LENGTH, pack, read, unpack

# Of an order, and of all but a picture.
_MOST_BYTES: Final = 64 * 1024
MOST_PICTURE: Final = 1024 * 1024
Word = Annotated[str, msgspec.Meta(max_length=200)]


class _Message(msgspec.Struct, frozen=True, tag=True, forbid_unknown_fields=True):
    pass


class _Order(_Message, frozen=True, kw_only=True):
    """`within_s`: the process ends itself a little later, whoever may have forgotten it."""

    within_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 30.0


class TryStream(_Order, frozen=True, tag="try-stream"):
    """Open the stream of `settings.source`, and look at it for so many seconds. Raises `ProtocolError` where it carries a secret."""

    settings: CellSettings
    seconds: float

    def __post_init__(self) -> None:
        Configure(self.settings)


class AskDevice(_Order, frozen=True, tag="ask-device"):
    """Ask the ONVIF service for its time; with `streams` for the addresses of its streams, too."""

    device: NoticeSettings
    streams: bool

    def __post_init__(self) -> None:
        if not is_public(self.device.address):
            raise ProtocolError("an order carries a secret")


class Seek(_Order, frozen=True, tag="seek"):
    """Ask these IPv4 networks for cameras, and listen for so many seconds."""

    networks: tuple[str, ...]
    seconds: float


class StepTold(_Message, frozen=True, tag="step"):
    """How a step went: `cause` where it failed, else what was found."""

    step: Step
    cause: Cause | None = None
    measured: Measured = Measured()


class PictureTold(_Message, frozen=True, tag="picture"):
    """One redacted picture (JPEG); without one `doubt` is why nothing in it was proven."""

    data: Annotated[bytes, msgspec.Meta(max_length=MOST_PICTURE)]
    doubt: Doubt | None = None


class StreamOffered(_Message, frozen=True, tag="offered"):
    """The address of a stream as the camera says it, with the size that it says."""

    address: Word
    width: Annotated[int, msgspec.Meta(ge=0, le=100_000)]
    height: Annotated[int, msgspec.Meta(ge=0, le=100_000)]


class CameraAnswered(_Message, frozen=True, tag="answered"):
    """Who answered a search, as it says of itself."""

    host: Word
    address: Word
    name: Word


Order: TypeAlias = TryStream | AskDevice | Seek
FromTrial: TypeAlias = StepTold | PictureTold | StreamOffered | CameraAnswered
_orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_answers: msgspec.msgpack.Decoder[FromTrial] = msgspec.msgpack.Decoder(FromTrial)


def say_order(line: socket.socket, order: Order, secret: Credentials) -> None:
    """Tell a trial what to do; what it signs in with goes beside it. Raises `ProtocolError`, `OSError`.

    An order is shorter than what a local socket takes at once.
    """
    data = pack(order)
    pipe = hand_over(Handed(credentials=secret))
    try:
        sent = socket.send_fds(line, [data], [pipe])
    finally:
        os.close(pipe)
    if sent < len(data):
        raise ProtocolError("an order that is too long")


def order_of(line: socket.socket) -> tuple[Order, Credentials] | None:
    """What a trial is told, in its only thread; None where nobody is there any more. Raises `ProtocolError`."""
    head, handles, _, _ = socket.recv_fds(line, LENGTH.size, 1, socket.MSG_CMSG_CLOEXEC)
    if not handles:
        return None
    secret = take_over(handles[0]).credentials
    rest = receive(line, LENGTH.size - len(head))
    (length,) = LENGTH.unpack(head + rest)
    if length > _MOST_BYTES:
        raise ProtocolError(f"an order of {length} bytes was announced")
    return unpack(receive(line, length), _orders), secret


async def read_from_trial(reader: asyncio.StreamReader) -> FromTrial | None:
    """The next answer; None when the trial is over. Raises `ProtocolError`."""
    return await read(reader, _answers)


def next_from_trial(line: socket.socket) -> FromTrial:
    """The same for whoever waits. Raises `EOFError` when it is over."""
    return unpack(message(line, MOST_PICTURE + _MOST_BYTES), _answers)
