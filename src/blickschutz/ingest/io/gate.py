"""The way to a camera: RTSP's signalling is seen here, the media go through as they are.

FFmpeg reads the stream and nothing else. It does not sign in, does not check certificates, and is told of no other host: it
connects to a socket of this process, which goes to the camera that the site file names and to nothing else. So a password
reaches no library and no message of one, a redirect is followed by nobody, and what the camera answers is known word for word.
"""

from __future__ import annotations

import contextlib
import secrets
import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from blickschutz.guard.service import Guard
from blickschutz.ingest.io.connection import shut
from blickschutz.ingest.io.datagrams import Datagrams
from blickschutz.ingest.io.line import opened
from blickschutz.ingest.model import Cause, SourceSettings, Transport
from blickschutz.ingest.rules.address import CameraAddress
from blickschutz.ingest.rules.gaps import Gaps
from blickschutz.ingest.rules.rtsp import ESSENTIAL, Message, SignIn, cause_of, read_message
from blickschutz.ingest.rules.transport import Channels, channels_of

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
        self._camera = opened(address, settings)
        self._token = secrets.token_urlsafe(16)
        self._listener, self._own = listener or local_listener(), listener is None
        self._local = f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/{self._token}"
        self.url = self._local + (address.path if address.path.startswith("/") or not address.path else f"/{address.path}")
        self.refused: tuple[Cause, str] | None = None
        self.moved_to: str | None = None
        self.gaps = Gaps()
        self.answered = self.left = self._heard = False
        self._connect_s, self._transport = settings.connect_s, settings.transport
        self._streams: dict[Channels, Datagrams] = {}
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
        self._camera.close()
        for stream in self._streams.values():
            stream.close()
        if self._own:
            shut(self._listener)

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
            datagrams = {one: stream for stream in self._streams.values() for one in stream.sockets}
            waiting: list[Any] = [client, self._camera, *datagrams]
            ready, _, _ = select.select(waiting, [], [], _LOOK_S)
            if client in ready:
                data = client.recv(_CHUNK)
                if not data:
                    return
                from_client += data
                self._camera.send(self._to_camera(from_client))
            for one in datagrams.keys() & set(ready):
                data = datagrams[one].receive(one)
                if data:
                    self._heard = True
                    self.gaps.take_all(data)
                    client.sendall(data)
            if self._camera in ready:
                data = self._camera.receive()
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
                out += self._report(bytes(data[:length]))
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
        if method == "SETUP" and self._transport.datagrams:
            request = self._setup(request)
        return request.with_field("Authorization", self._sign_in.answer(method, uri, secrets.token_hex(8))).packed()

    def _setup(self, request: Message) -> Message:
        """The same question for datagrams. Raises `OSError` where this machine has no ports for them; then nothing comes."""
        channels = channels_of(request.field("Transport") or "")
        if channels is None:
            return request
        if channels not in self._streams:
            with self._ports():
                self._streams[channels] = Datagrams(self._camera.socket, channels, group=self._transport is Transport.MULTICAST)
        return request.with_field("Transport", self._streams[channels].asked)

    def _granted(self, asked: Message, answer: Message) -> Message:
        """The answer to a SETUP as whoever reads the stream asked for it. Raises `OSError` where the camera does otherwise."""
        channels = channels_of(asked.field("Transport") or "")
        if channels is None or channels not in self._streams:
            return answer
        with self._ports():
            sends = self._streams[channels].grant(answer.field("Transport") or "")
        if not sends:
            self.refused = Cause.TRANSPORT, f"it does not send by {self._transport.value}"
            raise ConnectionResetError(self.refused[1])
        return answer.with_field("Transport", channels.packed())

    @contextlib.contextmanager
    def _ports(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.refused = Cause.TRANSPORT, f"no way for its datagrams: {error.strerror or error}"
            raise

    def _report(self, packet: bytes) -> bytes:
        """A packet of whoever reads the stream: within the connection, or as a datagram."""
        stream = next((one for channels, one in self._streams.items() if packet[1] in (channels.media, channels.reports)), None)
        if stream is None:
            return packet
        stream.send(packet[1], packet[4:])
        return b""

    def silent(self) -> str:
        """Why there may be no picture although the camera says that it plays; empty where media came, or come within the connection."""
        if not self._streams or self._heard:
            return ""
        foreign = sum(stream.foreign for stream in self._streams.values())
        return f"no datagram came{f', {foreign} from somebody else' if foreign else ''}"

    def _to_client(self, data: bytearray) -> bytes:
        """The media in `data` as they are, and the answers, with their own numbers. Answers that ask to sign in are answered here."""
        place = 0
        out = bytearray()
        while place < len(data):
            if data[place] == _MEDIA:
                length = _media_length(data, place)
                if not length:
                    break
                self.gaps.take(data, place)
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
            self._camera.send(self._asked(asked, tries + 1))
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
            if method == "SETUP" and asked is not None:
                message = self._granted(asked, message)
        # FFmpeg is not asked: it knows no password.
        message = message.with_field("WWW-Authenticate", None)
        return (message.with_field("CSeq", asked.field("CSeq")) if asked is not None else message).packed()


def _media_length(data: bytearray, place: int = 0) -> int:
    """Length of the interleaved packet at `place` (RFC 2326, 10.12); 0 where it is not there wholly yet."""
    if len(data) - place < 4:
        return 0
    length = 4 + (data[place + 2] << 8 | data[place + 3])
    return length if len(data) - place >= length else 0
