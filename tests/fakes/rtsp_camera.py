"""A camera that only talks: RTSP's signalling from a table, never a picture."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import re
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.fakes.camera_server import CameraServer

SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=cam\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track\r\n"


class TalkingCamera(CameraServer):
    """`answers` gives for a method the status line's rest and further fields, or a function of the request that gives them.

    What is not in it goes well.
    """

    def __init__(self, answers=None, *, context: ssl.SSLContext | None = None, silent: bool = False) -> None:
        self._answers, self._silent = answers or {}, silent
        super().__init__(context)

    def talk(self, connection):
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                part = connection.recv(4096)
                if not part:
                    return
                data += part
            head, data = data.split(b"\r\n\r\n", 1)
            self._reply(connection, head.decode("latin-1"))

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
