"""One question to a camera by HTTP (RFC 9110), to the host and port of the site file alone: signed in, bounded in time and size."""

from __future__ import annotations

import http.client
import io
import re
import secrets
import socket
import time
from collections.abc import Container, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urljoin

from blickschutz.ingest.io.connection import connected, shut
from blickschutz.ingest.model import Cause, SourceSettings
from blickschutz.ingest.rules.address import CameraAddress, read_address, without_secrets
from blickschutz.ingest.rules.rtsp import SignIn, cause_of
from blickschutz.kernel.errors import CameraRefusedError, CameraStalledError, CameraUnreachableError

_CHUNK = 64 * 1024
_MOST_TRIES, _MOST_MOVES = 2, 2


class _Wire(io.RawIOBase):
    """The socket as a stream that is read until `deadline` (monotonic) and no longer, however slowly bytes drip."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self.deadline = connection, float("inf")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)

    def makefile(self, mode: str = "rb", *_: Any) -> io.BufferedReader:
        del mode
        return io.BufferedReader(self, _CHUNK)


class Answer:
    """What the camera answers with, well signed in and at its last place. `extend` gives it time for more."""

    def __init__(self, wire: _Wire, connection: socket.socket, response: http.client.HTTPResponse, shown: str, stall_s: float) -> None:
        self._wire, self._connection, self._response = wire, connection, response
        self._shown, self._stall_s = shown, stall_s
        self.status = response.status
        self.kind = response.headers.get("Content-Type", "").strip()

    def extend(self) -> None:
        self._wire.deadline = time.monotonic() + self._stall_s

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes. Raises `CameraStalledError`, `CameraRefusedError`."""
        while True:
            try:
                data = self._response.read1(_CHUNK)
            except TimeoutError as error:
                raise CameraStalledError(f"{self._shown}: nothing more for {self._stall_s:g} s") from error
            except (http.client.HTTPException, OSError, ValueError) as error:
                raise CameraRefusedError(Cause.ENDED, f"{self._shown}: the answer broke off ({type(error).__name__})") from error
            if not data:
                return
            yield data

    def whole(self, most: int) -> bytes:
        """The body; not more than `most` bytes. Raises as `pieces`."""
        data = bytearray()
        for piece in self.pieces():
            data += piece
            if len(data) > most:
                raise CameraRefusedError(Cause.UNREADABLE, f"{self._shown}: more than {most // 2**20} MB at once")
        return bytes(data)

    def close(self) -> None:
        """Also where another thread waits in it."""
        shut(self._connection)


class WebCamera:
    """Asks one camera. What it asked to sign in with is kept for the next question."""

    def __init__(self, address: CameraAddress, settings: SourceSettings) -> None:
        self._address, self._settings = address, settings
        self._sign_in = SignIn(address)

    def ask(
        self, accept: str, *, method: str = "GET", body: bytes = b"", kind: str = "", path: str = "", also: Container[int] = ()
    ) -> Answer:
        """The answer whose status is 200 or one of `also`; `path` is another than that of the address.

        Raises `CameraRefusedError` with its cause, `CameraUnreachableError`, `CameraStalledError`.
        """
        address = replace(self._address, path=path) if path else self._address
        for _ in range(1 + _MOST_MOVES):
            for _ in range(_MOST_TRIES):
                answer, response = self._asked(address, accept, method, body, kind)
                status = response.status
                if status != http.client.UNAUTHORIZED or not self._sign_in.ask(response.headers.get_all("WWW-Authenticate") or []):
                    break
                answer.close()
            if status == http.client.OK or status in also:
                return answer
            answer.close()
            moved = _moved(address, response.headers.get("Location")) if 300 <= status < 400 else None
            if moved is None:
                cause = cause_of(status) or Cause.ANSWER
                raise CameraRefusedError(cause, f"{address.shown}: {status} {_plain(response.reason)}")
            address = moved
        raise CameraRefusedError(Cause.REDIRECTED, f"{address.shown}: it redirects in a circle")

    def _asked(self, address: CameraAddress, accept: str, method: str, body: bytes, kind: str) -> tuple[Answer, http.client.HTTPResponse]:
        connection = connected(address, self._settings)
        wire = _Wire(connection)
        response = http.client.HTTPResponse(wire, method=method)  # type: ignore[arg-type]  # it asks for `makefile` alone
        answer = None
        try:
            wire.deadline = time.monotonic() + self._settings.connect_s
            connection.settimeout(self._settings.connect_s)
            connection.sendall(self._request(address, accept, method, body, kind))
            response.begin()
            answer = Answer(wire, connection, response, address.shown, self._settings.stall_s)
            answer.extend()
        except (TimeoutError, http.client.RemoteDisconnected) as error:
            raise CameraRefusedError(Cause.SILENT, f"{address.shown}: no answer within {self._settings.connect_s:g} s") from error
        except (http.client.HTTPException, ValueError) as error:
            raise CameraRefusedError(Cause.ANSWER, f"{address.shown}: it does not speak HTTP ({type(error).__name__})") from error
        except OSError as error:
            raise CameraUnreachableError(f"{address.shown}: {error.strerror or type(error).__name__}") from error
        finally:
            if answer is None:
                shut(connection)
        return answer, response

    def _request(self, address: CameraAddress, accept: str, method: str, body: bytes, kind: str) -> bytes:
        target = target_of(address)
        fields = [
            f"{method} {target} HTTP/1.1",
            f"Host: {address.place}",
            "User-Agent: Blickschutz",
            f"Accept: {accept}",
            "Connection: close",
        ]
        signed = self._sign_in.answer(method, target, secrets.token_hex(8))
        fields += [f"Authorization: {signed}"] if signed is not None else []
        fields += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"] if body else []
        return "\r\n".join([*fields, "", ""]).encode("latin-1", "replace") + body


def target_of(address: CameraAddress) -> str:
    """What is asked for: path and question, with percent signs where a request may not have the sign itself."""
    path = quote(address.path.partition("#")[0], safe="/?&=%:@!$'()*+,;~[]|")
    return path if path.startswith("/") else f"/{path}"


def _moved(address: CameraAddress, location: str | None) -> CameraAddress | None:
    """Where the camera went, as long as that is the same host, port and security."""
    new = read_address(urljoin(f"{address.scheme}://{address.place}{target_of(address)}", location)) if location else None
    if new is None or (new.scheme, new.host, new.port) != (address.scheme, address.host, address.port):
        return None
    return replace(new, user=address.user, password=address.password)


def _plain(reason: str) -> str:
    return without_secrets(re.sub(r"[^\x20-\x7e]", "?", reason))[:60]
