"""A camera with pictures by HTTP: a real server on the loopback address, whose answers a test gives byte for byte."""

from __future__ import annotations

import ssl
import threading

from tests.fakes.camera_server import CameraServer


class WebCamera(CameraServer):
    """`reply` gets the request (text) and gives the pieces of the answer, `bytes`, or seconds to wait."""

    def __init__(self, reply, *, context: ssl.SSLContext | None = None, place: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        self._reply, self._ending = reply, threading.Event()
        super().__init__(context, place)

    def talk(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(4096)
            if not part:
                break
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            while line.startswith(b"content-length:") and len(body) < int(line[15:]) and (more := connection.recv(4096)):
                body += more
        if head:
            self.heard.append((head + b"\r\n\r\n" + body).decode("latin-1"))
            for piece in self._reply(self.heard[-1]):
                if isinstance(piece, bytes):
                    connection.sendall(piece)
                elif self._ending.wait(piece):
                    break

    def end(self):
        self._ending.set()
        super().end()


def said(body=b"", kind="image/jpeg", status="200 OK", fields=""):
    """A whole answer."""
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{fields}\r\n".encode("latin-1") + body


def moving(boundary="b"):
    """The head of an answer with one picture after the other."""
    return f"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary={boundary}\r\n\r\n".encode()


def part(body, kind="image/jpeg", length=True, boundary="--b"):
    told = f"Content-Length: {len(body)}\r\n" if length else ""
    return f"{boundary}\r\nContent-Type: {kind}\r\n{told}\r\n".encode() + body + b"\r\n"
