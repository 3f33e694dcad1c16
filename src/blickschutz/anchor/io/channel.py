"""The channel between control room and witness: a Unix socket. To another machine it is led by SSH (docs/design/anchor.md)."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import structlog

from blickschutz.anchor.io.ledger import Ledger
from blickschutz.anchor.model import Answered, Asked, AskHead, Hand, HeadTold, Refused, Seen, Taken
from blickschutz.anchor.rules import signed_head
from blickschutz.kernel.errors import DeviceError, OperatorError, ProtocolError
from blickschutz.vault.io.files import is_signed
from blickschutz.wire.frames import LENGTH, MOST_BYTES, pack, unpack

_log = structlog.get_logger(__name__)
PATIENCE_S = 10.0
_LOOK_S = 0.5
# From systemd/sd-daemon.h: SD_LISTEN_FDS_START.
_FIRST_PASSED = 3
_answers = msgspec.msgpack.Decoder(Answered)
_questions = msgspec.msgpack.Decoder(Asked)


class WitnessLine:
    """The control room's end. Every question is a connection of its own: nothing is kept open."""

    def __init__(self, path: Path, patience_s: float = PATIENCE_S) -> None:
        self._path, self._patience_s = path, patience_s

    def head(self) -> HeadTold:
        """How far the witness saw, signed by it for this question. Raises `DeviceError` where it does not answer so."""
        asked = AskHead(nonce=secrets.token_hex(16))
        told = self._ask(asked)
        if not isinstance(told, HeadTold):
            raise DeviceError("the witness does not say how far it saw")
        said = signed_head(asked, Seen(told.number, told.hash, told.public_key))
        try:
            fits = is_signed(said, bytes.fromhex(told.signature), bytes.fromhex(told.witness))
        except ValueError:
            fits = False
        if not fits:
            raise DeviceError("the witness's signature is wrong")
        return told

    def hand(self, anchor: bytes, signature: str) -> Taken | Refused:
        """Raises `DeviceError` where the witness does not answer."""
        told = self._ask(Hand(anchor=anchor, signature=signature))
        if isinstance(told, HeadTold):
            raise DeviceError("the witness does not say whether it took the anchor")
        return told

    def _ask(self, asked: Asked) -> Answered:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(self._patience_s)
                line.connect(str(self._path))
                line.sendall(pack(asked))
                told: Answered = unpack(_read(line, self._patience_s), _answers)
                return told
        except OSError as error:
            raise DeviceError(f"the witness cannot be reached: {error.strerror or type(error).__name__}") from error
        except ProtocolError as error:
            raise DeviceError(f"the witness answers with nothing that is known: {error}") from error


def passed_door(environ: Mapping[str, str], pid: int) -> socket.socket | None:
    """The socket at which a service manager listens for this process (sd_listen_fds(3)); None where there is none."""
    if environ.get("LISTEN_PID") != str(pid) or environ.get("LISTEN_FDS") != "1":
        return None
    door = socket.socket(fileno=_FIRST_PASSED)
    door.set_inheritable(False)
    return door


def serve_at(door: socket.socket, ledger: Ledger, ended: Callable[[], bool]) -> None:
    """Answer one question after the other at a socket that listens already, until `ended`."""
    door.settimeout(_LOOK_S)
    while not ended():
        with contextlib.suppress(TimeoutError):
            _answer_one(ledger, door.accept()[0])


def serve(ledger: Ledger, path: Path, ended: Callable[[], bool]) -> None:
    """The same at the socket `path`, which is made. Raises `OperatorError` where it cannot listen there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        try:
            _clear(path)
            old = os.umask(0o077)
            try:
                door.bind(str(path))
            finally:
                os.umask(old)
            door.listen(4)
        except OSError as error:
            raise OperatorError(f"{path} cannot be used as a socket: {error.strerror or error}") from error
        try:
            serve_at(door, ledger, ended)
        finally:
            path.unlink(missing_ok=True)


def _clear(path: Path) -> None:
    """A socket that a crash left behind; of a witness that listens it is not taken."""
    if not path.exists() or not stat.S_ISSOCK(path.stat().st_mode):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink()
            return
    raise OperatorError(f"another witness listens at {path}")


def _answer_one(ledger: Ledger, line: socket.socket) -> None:
    with line:
        line.settimeout(PATIENCE_S)
        try:
            line.sendall(pack(ledger.answer(unpack(_read(line, PATIENCE_S), _questions))))
        except (OSError, ProtocolError) as error:
            # Whoever asked went away, or was nobody that knows the channel: the next one is answered.
            _log.error("question_unanswered", problem=str(error))


def _read(line: socket.socket, patience_s: float) -> bytes:
    """One message, within that time in all. Raises `ProtocolError` and `OSError`."""
    until = time.monotonic() + patience_s
    (length,) = LENGTH.unpack(_exactly(line, LENGTH.size, until))
    if length > MOST_BYTES:
        raise ProtocolError(f"a message of {length} bytes was announced")
    return _exactly(line, length, until)


def _exactly(line: socket.socket, count: int, until: float) -> bytes:
    data = bytearray()
    while len(data) < count:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("too slow")
        line.settimeout(left)
        part = line.recv(min(65536, count - len(data)))
        if not part:
            raise ProtocolError("the other end went away")
        data += part
    return bytes(data)
