"""A camera that only talks: RTSP's signalling from a table, never a picture."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import re
import socket
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=cam\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track\r\n"


class TalkingCamera:
    """`answers` gives for a method the status line's rest and further fields, or a function of the request that gives them.

    What is not in it goes well. `heard` are the requests, each as text.
    """

    def __init__(self, answers=None, *, context: ssl.SSLContext | None = None, silent: bool = False) -> None:
        self._answers, self._context, self._silent = answers or {}, context, silent
        self.heard: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

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
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            data = b""
            while True:
                while b"\r\n\r\n" not in data:
                    part = connection.recv(4096)
                    if not part:
                        return
                    data += part
                head, data = data.split(b"\r\n\r\n", 1)
                self._reply(connection, head.decode("latin-1"))
        except OSError:
            pass
        finally:
            connection.close()

    def _reply(self, connection, request):
        self.heard.append(request)
        if self._silent:
            return
        method = request.partition(" ")[0]
        number = re.search(r"CSeq: *(\d+)", request)[1]
        answer = self._answers.get(method)
        if callable(answer):
            answer = answer(request)
        status, fields, body = "200 OK", "", b""
        if answer is not None:
            status, fields = answer
        elif method == "DESCRIBE":
            fields, body = f"Content-Type: application/sdp\r\nContent-Length: {len(SDP)}\r\n", SDP
        elif method == "SETUP":
            fields = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
        connection.sendall(f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n{fields}\r\n".encode("latin-1") + body)

    def end(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(6)


def certificate(names=("camera.example",), days=2):
    """(key and certificate as PEM, SHA-256) of a camera that signed its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    der = made.public_bytes(serialization.Encoding.DER)
    return pem + made.public_bytes(serialization.Encoding.PEM), hashlib.sha256(der).hexdigest()
