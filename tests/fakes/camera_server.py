"""What the cameras of the tests have in common: a real server on the loopback address, with a thread for each connection."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading


class CameraServer:
    """`heard` are the requests, each as text."""

    def __init__(self, context: ssl.SSLContext | None = None, place: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        self._context = context
        self.heard: list[str] = []
        self._socket = socket.create_server(place)
        self.port = self._socket.getsockname()[1]
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def talk(self, connection: socket.socket) -> None:
        """One conversation, until the camera or whoever asked has enough."""
        raise NotImplementedError

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._talk, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _talk(self, connection):
        connection.settimeout(5)
        try:
            with contextlib.suppress(OSError):  # who asked has gone
                if self._context is not None:
                    connection = self._context.wrap_socket(connection, server_side=True)
                self.talk(connection)
        finally:
            connection.close()

    def end(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(6)
