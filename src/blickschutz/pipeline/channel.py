"""The two ends of the channel between control room and cell; a message that the schema does not know ends it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import structlog

from blickschutz import __version__
from blickschutz.guard.service import Guard
from blickschutz.guard.work import ThreadWork
from blickschutz.kernel.clock import Clock, SystemClock
from blickschutz.kernel.errors import ProtocolError
from blickschutz.pipeline.credentials import Handed, hand_over, joined, parted, take_over
from blickschutz.pipeline.door import ALONE_S, PATIENCE_S, Door, message, receive
from blickschutz.pipeline.messages import (
    AskClock,
    CellSettings,
    ClockTold,
    Configure,
    DoorSettings,
    Fragment,
    FromCell,
    Head,
    Heard,
    News,
    Quit,
    TakenOver,
    ToCell,
    Watch,
)
from blickschutz.pipeline.news import Untold
from blickschutz.wire.frames import LENGTH, MOST_BYTES, pack, read, unpack
from blickschutz.wire.greeting import FIRST, LAST, Greeting, Opening, Refusal, RefusedError, agreed, clock_name, opening_decoder

_log = structlog.get_logger(__name__)
_MOST_UNSENT = 16 * 1024 * 1024
# So often a cell that is alone looks whether it has ended meanwhile.
_LOOK_S = 0.5

_to_cell: msgspec.msgpack.Decoder[ToCell] = msgspec.msgpack.Decoder(ToCell)
_from_cell: msgspec.msgpack.Decoder[FromCell] = msgspec.msgpack.Decoder(FromCell)


def unpack_from_cell(data: bytes) -> FromCell:
    """Decode what a cell sent. Raises `ProtocolError`."""
    return unpack(data, _from_cell)


def unpack_to_cell(data: bytes) -> ToCell:
    """Decode what a cell is to be told. Raises `ProtocolError`."""
    return unpack(data, _to_cell)


async def read_from_cell(reader: asyncio.StreamReader) -> FromCell | None:
    """The next message of a cell, or None when it has ended. Raises `ProtocolError`."""
    return await read(reader, _from_cell)


def greeting(installation: str = "", camera: str = "", run: str = "") -> Greeting:
    """Who this process is, for whoever is at the other end."""
    return Greeting(first=FIRST, last=LAST, program=__version__, installation=installation, camera=camera, run=run, clock=clock_name())


@dataclass(frozen=True, slots=True)
class First:
    """What a cell is told at its start: its settings, with what it signs in with, the door at which it may be found again, and whether it
    may open its camera: before the end of its lease (by `aging`), and not while it is `stopped`.
    """

    settings: CellSettings
    door: DoorSettings | None = None
    listener: socket.socket | None = None
    until: float = float("inf")
    stopped: bool = False


def say_first(line: socket.socket, ours: Greeting, first: First) -> bytes:
    """Greet a cell and tell it what to do; secrets and the socket of its door go beside the head of the greeting.

    Returns what of it is still to be sent.
    """
    plain, secret = parted(first.settings)
    data = pack(ours) + pack(Configure(plain))
    pipe = hand_over(Handed(credentials=secret, door=first.door, until=first.until, stopped=first.stopped))
    handles = [pipe] if first.listener is None else [pipe, first.listener.fileno()]
    try:
        sent = socket.send_fds(line, [data[: LENGTH.size]], handles)
    except BrokenPipeError:
        return data  # it has ended; whoever reads from it hears so
    finally:
        os.close(pipe)
    return data[sent:]


def first_to_cell(connection: socket.socket) -> First | None:
    """What a cell is told first, read in its only thread; it greets, too. None when the control room is gone.

    Raises `ProtocolError`; whoever speaks another contract is told so.
    """
    handles: list[int] = []
    try:
        head, handles, _, _ = socket.recv_fds(connection, LENGTH.size, 2, socket.MSG_CMSG_CLOEXEC)
        head += receive(connection, LENGTH.size - len(head)) if head else b""
        if not head:
            return None
        (length,) = LENGTH.unpack(head)
        theirs = unpack(receive(connection, _most(length)), opening_decoder)
        ours = greeting(*((theirs.installation, theirs.camera, theirs.run) if isinstance(theirs, Greeting) else ()))
        connection.sendall(pack(ours))
        _agree(connection, ours, theirs)
        told = unpack(message(connection, MOST_BYTES), _to_cell)
        if not isinstance(told, Configure) or not handles:
            raise ProtocolError("a cell is told what to do first")
        handed = take_over(handles.pop(0))
        listener = socket.socket(fileno=handles.pop(0)) if handles else None
        return First(joined(told.settings, handed.credentials), handed.door, listener, handed.until, handed.stopped)
    except (OSError, EOFError):
        return None
    finally:
        for handle in handles:
            os.close(handle)


def _agree(connection: socket.socket, ours: Greeting, theirs: Opening) -> None:
    try:
        agreed(ours, theirs)
    except RefusedError as error:
        _log.error("control_room_refused", problem=str(error))
        if isinstance(theirs, Greeting):
            connection.sendall(pack(error.refusal))
        raise


def _most(length: int) -> int:
    if length > MOST_BYTES:
        raise ProtocolError(f"a message of {length} bytes was announced")
    return length


async def greeted(reader: asyncio.StreamReader, ours: Greeting) -> Greeting | None:
    """The greeting of a cell, None when it has ended. Raises `RefusedError` where the two speak no common contract, `ProtocolError`."""
    theirs = await read(reader, opening_decoder)
    if theirs is not None:
        agreed(ours, theirs)
    assert not isinstance(theirs, Refusal)  # which is raised
    return theirs


class CellEnd:
    """The cell's end of the channel: a thread that reads, a thread that writes; the cell itself never waits.

    What cannot be sent is dropped, pictures first: a stream that lost a picture starts anew with a key
    picture, which `take_loss` tells the encoder. Whatever ends one of the two threads ends the cell: half a message cannot be
    taken up again, and a cell that hears or says nothing is of no use. It is started anew.

    With a `door` the loss of the control room alone ends neither: for a while the cell is `alone`, keeps its news, and waits for another
    one, which it tells what the last one did not confirm.
    """

    def __init__(
        self,
        connection: socket.socket,
        on_message: Callable[[ToCell], None],
        on_end: Callable[[], None],
        guard: Guard,
        door: Door | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._line: socket.socket | None = connection
        self._on_message, self._on_end, self._guard = on_message, on_end, guard
        self._door, self._clock, self._news = door, clock or SystemClock(), Untold()
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

    @property
    def alone(self) -> bool:
        """Whether the control room is lost, and no other has come yet."""
        return self._line is None

    def send(self, message: FromCell) -> None:
        """Queue a message; never waits. What nobody hears is dropped, but for news."""
        picture = isinstance(message, Head | Fragment)
        with self._wake:
            if self._door is not None and isinstance(message, News):
                message = self._news.add(message, alone=self.alone)
            if self.alone:
                return
            data = pack(message)
            if picture and self._queued + len(data) > _MOST_UNSENT:
                self._drop_pictures()
                self.unsent += 1
                self._lost = True
                return
            self._put(picture, data)

    def settled(self, settings: CellSettings) -> None:
        """The cell does something else than it was started with: the next control room is to know it by that."""
        if self._door is not None:
            self._door.settled(settings)

    def take_loss(self) -> bool:
        """Whether a picture was dropped since the last call."""
        with self._wake:
            lost, self._lost = self._lost, False
            return lost

    def close(self, wait_s: float = 2.0) -> None:
        """Send what is queued, then end."""
        with self._wake:
            self._ended = True
            self._wake.notify_all()
        if self._writer is not None:
            self._writer.wait(wait_s)
        if self._line is not None:
            self._line.close()

    def _put(self, picture: bool, data: bytes) -> None:
        self._queue.append((picture, data))
        self._queued += len(data)
        self._wake.notify_all()

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
                self._wake.wait_for(lambda: self._ended or (self._queue and self._line is not None))
                line = self._line
                if not self._queue or line is None:
                    return
                _, data = self._queue.popleft()
                self._queued -= len(data)
            try:
                line.sendall(data)
            except OSError:
                if self._door is None:
                    raise
                self._give_up(line)

    def _give_up(self, line: socket.socket) -> None:
        """Nobody is at the other end: whoever reads from it has to hear of it, too."""
        with contextlib.suppress(OSError):  # it is closed already
            line.shutdown(socket.SHUT_RDWR)
        with self._wake:
            self._wake.wait_for(lambda: self._ended or self._line is not line)

    def _next(self) -> bytes:
        line = self._line
        if line is None:
            raise EOFError
        return message(line, MOST_BYTES)

    def _read(self) -> None:
        try:
            self._hear()
            while self._door is not None and self._wait(self._door):
                self._hear()
        except ProtocolError:
            pass  # the control room speaks another language: the cell ends, which is what `on_end` does
        finally:
            self._on_end()

    def _hear(self) -> None:
        """Until the control room is gone."""
        try:
            while True:
                told = unpack(self._next(), _to_cell)
                if isinstance(told, Heard):
                    with self._wake:
                        self._news.heard(told.number)
                elif isinstance(told, AskClock):
                    self._tell_clock(told.number)
                else:
                    self._on_message(told)
        except (OSError, EOFError):
            return

    def _tell_clock(self, number: int) -> None:
        """Here and at once: the cell's own thread may be busy with a picture."""
        received = self._clock.monotonic()
        self.send(ClockTold(number, received, self._clock.monotonic(), self._clock.now()))

    # --- without a control room ---

    def _wait(self, door: Door) -> bool:
        """Be alone until another control room has this cell; False where none came in time, or the cell has ended meanwhile."""
        until = self._clock.monotonic() + ALONE_S
        if not self._left(until):
            return False
        self._leave()
        _log.error("control_room_lost", alone_s=ALONE_S)
        # Nobody watches any more.
        self._on_message(Watch(False))
        while left := self._left(until):
            line = door.next(min(left, _LOOK_S))
            first = self._first(line, until) if line is not None else None
            if line is not None and first is not None:
                self._found(line)
                self._on_message(first)
                return True
        return False

    def _left(self, until: float) -> float:
        """Seconds; none where the cell has ended meanwhile."""
        return 0.0 if self._ended else max(0.0, until - self._clock.monotonic())

    def _leave(self) -> None:
        with self._wake:
            line, self._line = self._line, None
            self._queue.clear()
            self._queued = 0
            self._wake.notify_all()
        if line is not None:
            line.close()

    def _first(self, line: socket.socket, until: float) -> ToCell | None:
        """What a control room says once it is ready for this cell; None where it is gone before. Until then the cell is alone."""
        try:
            while left := self._left(until):
                if not _says_something(line, min(left, _LOOK_S)):
                    continue
                line.settimeout(PATIENCE_S)
                first = unpack(message(line, MOST_BYTES), _to_cell)
                if not isinstance(first, TakenOver | Quit):
                    break
                line.settimeout(None)
                return first
        except (OSError, EOFError, ProtocolError) as error:
            _log.error("control_room_not_ready", problem=str(error))
        line.close()
        return None

    def _found(self, line: socket.socket) -> None:
        with self._wake:
            self._line = line
            for news in self._news.again():
                self._put(False, pack(news))


def _says_something(line: socket.socket, wait_s: float) -> bool:
    """Whether there is something to read within `wait_s`. Raises `EOFError` where the other end is gone."""
    line.settimeout(wait_s)
    try:
        found = line.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return False
    if not found:
        raise EOFError
    return True
