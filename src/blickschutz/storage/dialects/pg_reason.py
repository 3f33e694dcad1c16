"""Why there is no connection to a server, in words that say what to look at. Of what the driver says only fixed parts are read."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Mapping
from typing import Final

from blickschutz.storage.places import Server

# Asks a server of PostgreSQL to begin TLS; it answers "S" where it does. https://www.postgresql.org/docs/current/protocol-message-formats.html
_ASKS_TLS: Final = struct.pack("!ii", 8, 80877103)
_PATIENCE_S: Final = 1.5
_ANEW: Final = "the server starts anew after it ended; where it does so again and again its disk is full, or it ends for another reason"
# In this order: a text of the driver has one of these parts.
_PARTS: Final[Mapping[str, str]] = {
    "does not match host name": "the server's certificate is for another name than the one that storage.database says",
    "certificate verify failed": "the server's certificate cannot be verified",
    "root certificate file": "the file of the authority (storage.authority) is not there or cannot be read",
    "could not load root certificate": "the file of the authority (storage.authority) is no certificate",
    "does not support SSL": "the server speaks no TLS; over a network nothing else is used",
    "authentication method requirement": "the server asks for the password in another form than SCRAM, in which it is not told",
    "password authentication failed": "the role's password is another one than storage.password_file says",
    "no password supplied": "the server asks for a password, and storage.password_file names none",
    "no pg_hba.conf entry": "the server lets this role in from here in no way (its pg_hba.conf says who may)",
    "does not exist": "the role or the database is not there",
    "in recovery mode": _ANEW,
    "starting up": _ANEW,
    "not yet accepting connections": _ANEW,
    "No such file or directory": "the server does not run, as one does not whose disk is full; look at it and at its disk",
    "Connection refused": "nobody listens there; look at the server and its disk, its address and port",
    "timeout expired": "nobody answers there; look at the server and at the network",
    "server closed the connection unexpectedly": "the server ended while it was asked; look whether its disk is full, and at its log",
    "could not translate host name": "the name of the server is not known; look at storage.database and at the network's names",
}
# What is said of a certificate (`X509_V_ERR`), which the driver does not tell apart.
_VERIFIED: Final[Mapping[int, str]] = {
    9: "the server's certificate is not good yet: look at both clocks",
    10: "the server's certificate is over: it needs a new one, or a clock is wrong",
    18: "the server's certificate vouches for itself and is not the one in storage.authority",
    19: "the server's certificate is of another authority than the one in storage.authority",
    20: "the server's certificate is of another authority than the one in storage.authority",
}
_OVER_NETWORK: Final = "certificate verify failed"


def reason_of(text: str, server: Server) -> str:
    """Empty where nothing better is known than what the driver said. Asks the server once more where its certificate is the reason."""
    for part, words in _PARTS.items():
        if part in text:
            return (_certificate(server) or words) if part == _OVER_NETWORK else words
    return ""


def _certificate(server: Server) -> str:
    context = ssl.create_default_context(cafile=str(server.authority) if server.authority is not None else None)
    context.check_hostname = False
    try:
        with socket.create_connection((server.host, server.port), _PATIENCE_S) as plain:
            plain.settimeout(_PATIENCE_S)
            plain.sendall(_ASKS_TLS)
            if plain.recv(1) == b"S":
                context.wrap_socket(plain, server_hostname=server.host).close()
    except ssl.SSLCertVerificationError as error:
        return _VERIFIED.get(error.verify_code, f"the server's certificate cannot be verified ({error.verify_message})")
    except OSError:
        return ""
    return ""
