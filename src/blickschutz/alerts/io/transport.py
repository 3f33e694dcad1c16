"""How a server on the network proves who it is: by an authority, or by the one certificate that people pinned."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from blickschutz.kernel.errors import OperatorError


@dataclass(frozen=True, slots=True)
class Trust:
    """Texts in PEM: an `authority` in place of those of this machine, or the very `certificate`; both empty for this machine's own."""

    authority: str = ""
    certificate: str = ""


def show(made: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Show an own certificate to the server. Raises `OperatorError` where the files do not hold it and its key."""
    try:
        # An empty passphrase: without one the library asks for it at the terminal.
        made.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        raise OperatorError(f"{certificate} and {key} hold no certificate with its key in PEM: {error}") from error


def context(trust: Trust) -> ssl.SSLContext:
    """TLS 1.2 or newer with a verified certificate. Raises `OperatorError` for a file that holds no certificate.

    A pinned certificate is the only one that is believed, so its name says nothing more.
    """
    pem = trust.certificate or trust.authority
    try:
        made = ssl.create_default_context(cadata=pem) if pem else ssl.create_default_context()
    except (ssl.SSLError, ValueError) as error:
        raise OperatorError("the file holds no certificate in PEM") from error
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if trust.certificate:
        made.check_hostname = False
        made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return made
