"""The connection over which a camera speaks RTSP: as it is, or as two of HTTP (the tunnel of QuickTime, which many cameras know)."""

from __future__ import annotations

import re
import secrets
import socket
import ssl
from base64 import b64encode
from typing import Protocol

from blickschutz.ingest.io.connection import connected, shut
from blickschutz.ingest.io.web import target_of
from blickschutz.ingest.model import Cause, SourceSettings, Transport
from blickschutz.ingest.rules.address import CameraAddress
from blickschutz.ingest.rules.rtsp import Message, SignIn, cause_of, read_head
from blickschutz.kernel.errors import CameraRefusedError, DeviceError

_CHUNK = 64 * 1024
# Nobody counts to the end of what is said in a tunnel (RTSP over HTTP has no other way to say "much").
_MUCH = 32767
_TUNNEL = "application/x-rtsp-tunnelled"


class Line(Protocol):
    """Connected with the camera; `socket` is where its bytes come from."""

    socket: socket.socket

    def fileno(self) -> int: ...

    def receive(self) -> bytes:
        """What came; empty where the camera has ended it."""
        ...

    def send(self, data: bytes) -> None: ...

    def close(self) -> None: ...


def opened(address: CameraAddress, settings: SourceSettings) -> Line:
    """Raises `CameraUnreachableError`, or `CameraRefusedError` with its cause."""
    if settings.transport is Transport.HTTP:
        return Tunnel(address, settings)
    return Direct(connected(address, settings))


class Direct:
    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection

    def fileno(self) -> int:
        return self.socket.fileno()

    def receive(self) -> bytes:
        data = self.socket.recv(_CHUNK)
        while isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            data += self.socket.recv(self.socket.pending())
        return data

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def close(self) -> None:
        shut(self.socket)


class Tunnel:
    """Answers and media come as the body of a GET without an end, requests go in Base64 as that of a POST without one."""

    def __init__(self, address: CameraAddress, settings: SourceSettings) -> None:
        sign_in, cookie = SignIn(address), secrets.token_hex(11)
        self._rest = b""
        self._down = self._asked(address, settings, sign_in, cookie)
        try:
            up = connected(address, settings)
            up.sendall(_request("POST", address, sign_in, cookie, f"Content-Type: {_TUNNEL}", f"Content-Length: {_MUCH}"))
        except (OSError, DeviceError) as error:
            self._down.close()
            raise CameraRefusedError(Cause.TRANSPORT, f"{address.shown}: no tunnel ({type(error).__name__})") from error
        self._up = up
        self.socket = self._down.socket

    def _asked(self, address: CameraAddress, settings: SourceSettings, sign_in: SignIn, cookie: str) -> Direct:
        for _ in range(2):
            down = Direct(connected(address, settings))
            try:
                down.socket.settimeout(settings.connect_s)
                down.send(_request("GET", address, sign_in, cookie, f"Accept: {_TUNNEL}"))
                head, self._rest = _head(down)
                down.socket.settimeout(settings.stall_s)
            except (OSError, ValueError) as error:
                down.close()
                raise CameraRefusedError(Cause.TRANSPORT, f"{address.shown}: no tunnel ({type(error).__name__})") from error
            status = _status(head)
            if status == 200:
                return down
            down.close()
            if status != 401 or not sign_in.ask(head.all("WWW-Authenticate")):
                break
        cause = cause_of(status)
        # A camera that does not know the tunnel knows no such page, or answers in RTSP.
        raise CameraRefusedError(cause if cause is Cause.PASSWORD else Cause.TRANSPORT, f"{address.shown}: no tunnel ({status})")

    def fileno(self) -> int:
        return self._down.fileno()

    def receive(self) -> bytes:
        rest, self._rest = self._rest, b""
        return rest or self._down.receive()

    def send(self, data: bytes) -> None:
        self._up.sendall(b64encode(data))

    def close(self) -> None:
        self._down.close()
        shut(self._up)


def _request(method: str, address: CameraAddress, sign_in: SignIn, cookie: str, *fields: str) -> bytes:
    path = target_of(address)
    lines = [f"{method} {path} HTTP/1.0", f"Host: {address.place}", f"x-sessioncookie: {cookie}", *fields]
    lines += ["Pragma: no-cache", "Cache-Control: no-cache"]
    signed = sign_in.answer(method, path, secrets.token_hex(8))
    lines += [f"Authorization: {signed}"] if signed is not None else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def _head(down: Direct) -> tuple[Message, bytes]:
    """(the answer's first line and fields, what came behind them)."""
    data = b""
    while (found := read_head(data)) is None:
        more = down.receive()
        if not more:
            raise ConnectionResetError
        data += more
    return found[0], data[found[1] :]


def _status(head: Message) -> int:
    """0 for what is no HTTP."""
    match = re.match(r"HTTP/1\.\d (\d{3})(?!\d)", head.first)
    return int(match[1]) if match else 0
