"""The way to a camera: RTSP's signalling is seen here, the media go through as they are.

FFmpeg reads the stream and nothing else. It does not sign in, does not check certificates, and is told of no other host: it
connects to a socket of this process, which goes to the camera that the site file names and to nothing else. So a password
reaches no library and no message of one, a redirect is followed by nobody, and what the camera answers is known word for word.
"""

from __future__ import annotations

import secrets
import select
import socket
import ssl
import threading
import time

from blickschutz.guard.service import Guard
from blickschutz.ingest.io.connection import connected, shut
from blickschutz.ingest.model import Cause, SourceSettings
from blickschutz.ingest.rules.address import CameraAddress
from blickschutz.ingest.rules.rtsp import ESSENTIAL, Message, SignIn, cause_of, read_message

_CHUNK = 64 * 1024
_LOOK_S, _END_S = 0.5, 0.5
_MOST_TRIES = 2
_MOST_SILENT = 128
_MEDIA = ord("$")


def local_listener() -> socket.socket:
    """Where FFmpeg connects: a free port of this machine. A process that may bind none later makes it before it is confined."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=_MOST_SILENT)
    listener.setblocking(False)
    return listener


class Gate:
    """One connection with the camera. `url` is where FFmpeg connects, once; `refused` is what the camera answered instead of a stream.
    A `listener` that is handed in stays open, for the next one.

    Raises `CameraUnreachableError` (or `CameraRefusedError` with its cause) where the camera cannot be connected to.
    """

    def __init__(self, address: CameraAddress, settings: SourceSettings, guard: Guard, listener: socket.socket | None = None) -> None:
        self._address, self._sign_in = address, SignIn(address)
        self._camera = connected(address, settings)
        self._token = secrets.token_urlsafe(16)
        self._listener, self._own = listener or local_listener(), listener is None
        self._local = f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/{self._token}"
        self.url = self._local + (address.path if address.path.startswith("/") or not address.path else f"/{address.path}")
        self.refused: tuple[Cause, str] | None = None
        self.moved_to: str | None = None
        self.answered = self.left = False
        self._connect_s = settings.connect_s
        self._open: dict[str, tuple[Message, int]] = {}
        self._number = 0
        self._closing = threading.Event()
        self._work = guard.once_thread("camera", self._run)

    def close(self) -> None:
        """Let the camera go; what was said last (TEARDOWN) still goes out."""
        self._closing.set()
        self._work.wait(_END_S)
        self._let_go()

    def _let_go(self) -> None:
        for one in (self._camera, *([self._listener] if self._own else [])):
            shut(one)

    def _run(self) -> None:
        client: socket.socket | None = None
        try:
            client = self._accepted()
            if client is not None:
                self._pass_on(client)
        except (OSError, ValueError) as error:
            # The stream ends for whoever reads it, and for the reason it then gives.
            if not self.answered and isinstance(error, ValueError):
                self.refused = Cause.ANSWER, str(error)
        finally:
            if client is not None:
                shut(client)
            self._let_go()

    def _accepted(self) -> socket.socket | None:
        """Whoever knows the token; it is in the address that only FFmpeg was given.

        Everybody on the machine can connect. Whoever says nothing holds nobody up: all are listened to at once, and the oldest has to go.
        """
        end = time.monotonic() + self._connect_s
        silent: list[socket.socket] = []
        try:
            while not self._closing.is_set() and time.monotonic() < end:
                for one in select.select([self._listener, *silent], [], [], _LOOK_S)[0]:
                    if one is self._listener:
                        self._let_in(silent)
                        continue
                    silent.remove(one)
                    if self._knows(one):
                        one.settimeout(None)
                        return one
                    shut(one)
        finally:
            for one in silent:
                shut(one)
        return None

    def _let_in(self, silent: list[socket.socket]) -> None:
        try:
            client, _ = self._listener.accept()
        except BlockingIOError:
            return  # another gate at the same listener was faster
        client.setblocking(False)
        silent.append(client)
        if len(silent) > _MOST_SILENT:
            shut(silent.pop(0))

    def _knows(self, client: socket.socket) -> bool:
        try:
            start = client.recv(_CHUNK, socket.MSG_PEEK)
        except OSError:
            return False  # it has gone again
        return f" {self._local}".encode() in start.split(b"\r\n", 1)[0]

    def _pass_on(self, client: socket.socket) -> None:
        """Until one of both ends it."""
        from_client, from_camera = bytearray(), bytearray()
        while True:
            ready, _, _ = select.select([client, self._camera], [], [], _LOOK_S)
            if client in ready:
                data = client.recv(_CHUNK)
                if not data:
                    return
                from_client += data
                self._camera.sendall(self._to_camera(from_client))
            if self._camera in ready:
                data = _received(self._camera)
                if not data:
                    self.left = True
                    return
                from_camera += data
                out = self._to_client(from_camera)
                if out:
                    client.sendall(out)
            if self._closing.is_set() and not ready:
                return

    def _to_camera(self, data: bytearray) -> bytes:
        """The requests in `data` as the camera is to get them, and what goes with the media unchanged."""
        out = bytearray()
        while data:
            if data[0] == _MEDIA:
                length = _media_length(data)
                if not length:
                    break
                out += data[:length]
                del data[:length]
                continue
            found = read_message(bytes(data))
            if found is None:
                break
            message, length = found
            del data[:length]
            out += self._asked(message, 1)
        return bytes(out)

    def _asked(self, message: Message, tries: int) -> bytes:
        """A request under a number of our own, with the camera's own address, signed in where the camera asks for it."""
        if message.status is not None:
            return message.packed()  # an answer to what the camera asked
        method, _, rest = message.first.partition(" ")
        uri, _, version = rest.partition(" ")
        if uri.startswith(self._local):
            uri = f"{self._address.scheme}://{self._address.place}{uri.removeprefix(self._local)}"
        self._number += 1
        self._open[str(self._number)] = message, tries
        request = Message(f"{method} {uri} {version}", message.fields, message.body)
        request = request.with_field("CSeq", str(self._number))
        return request.with_field("Authorization", self._sign_in.answer(method, uri, secrets.token_hex(8))).packed()

    def _to_client(self, data: bytearray) -> bytes:
        """The media in `data` as they are, and the answers, with their own numbers. Answers that ask to sign in are answered here."""
        place = 0
        out = bytearray()
        while place < len(data):
            if data[place] == _MEDIA:
                length = _media_length(data, place)
                if not length:
                    break
                out += data[place : place + length]
                place += length
                continue
            found = read_message(bytes(data[place:]))
            if found is None:
                break
            message, length = found
            place += length
            self.answered = True
            out += self._answer(message)
        del data[:place]
        return bytes(out)

    def _answer(self, message: Message) -> bytes:
        if message.status is None:
            if not message.first.endswith(("RTSP/1.0", "RTSP/2.0")):
                self.refused = Cause.ANSWER, "it does not speak RTSP"
                raise ConnectionResetError(self.refused[1])
            return message.packed()
        asked, tries = self._open.pop(message.field("CSeq") or "", (None, _MOST_TRIES))
        may_try = message.status == 401 and asked is not None and tries < _MOST_TRIES
        if may_try and asked is not None and self._sign_in.ask(message.all("WWW-Authenticate")):
            self._camera.sendall(self._asked(asked, tries + 1))
            return b""
        method = asked.first.partition(" ")[0] if asked is not None else ""
        cause = cause_of(message.status)
        if cause is not None and method in ESSENTIAL:
            self.refused = cause, f"{method}: {message.first.partition(' ')[2][:60]}"
            if cause is Cause.REDIRECTED:
                self.moved_to = message.field("Location")
                raise ConnectionResetError("redirected")
        elif cause is None and method in ESSENTIAL:
            self.refused = None
        # FFmpeg is not asked: it knows no password.
        message = message.with_field("WWW-Authenticate", None)
        return (message.with_field("CSeq", asked.field("CSeq")) if asked is not None else message).packed()


def _received(camera: socket.socket) -> bytes:
    data = camera.recv(_CHUNK)
    while isinstance(camera, ssl.SSLSocket) and camera.pending():
        data += camera.recv(camera.pending())
    return data


def _media_length(data: bytearray, place: int = 0) -> int:
    """Length of the interleaved packet at `place` (RFC 2326, 10.12); 0 where it is not there wholly yet."""
    if len(data) - place < 4:
        return 0
    length = 4 + (data[place + 2] << 8 | data[place + 3])
    return length if len(data) - place >= length else 0
