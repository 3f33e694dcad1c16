"""A connection to a camera, over TLS only with the one that it should be."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl

from blickschutz.ingest.model import Cause, SourceSettings
from blickschutz.ingest.rules.address import CameraAddress
from blickschutz.kernel.errors import CameraRefusedError, CameraUnreachableError


def connected(address: CameraAddress, settings: SourceSettings) -> socket.socket:
    """Connected with the camera, and over TLS sure that it is the one."""
    try:
        plain = socket.create_connection((address.host, address.port), settings.connect_s)
    except (OSError, UnicodeError) as error:
        raise CameraUnreachableError(f"{address.shown}: {getattr(error, 'strerror', None) or type(error).__name__}") from error
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if address.secure:
        plain = _secured(plain, address, settings)
    plain.settimeout(settings.stall_s)
    return plain


def _secured(plain: socket.socket, address: CameraAddress, settings: SourceSettings) -> socket.socket:
    """TLS with the certificate that the settings name, or one of an authority that they name, or that the system knows."""
    try:
        context = ssl.create_default_context(cafile=settings.authority or None)
        if settings.fingerprint:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        secured = context.wrap_socket(plain, server_hostname=address.host)
    except ssl.SSLCertVerificationError as error:
        plain.close()
        said = f"{address.shown}: {error.verify_message or 'the certificate is not valid'}"
        raise CameraRefusedError(Cause.CERTIFICATE, f"{said}; SHA-256 {_shown_by(address, settings)}") from error
    except (OSError, ValueError) as error:
        plain.close()
        raise CameraRefusedError(Cause.CERTIFICATE, f"{address.shown}: no TLS ({type(error).__name__})") from error
    found = hashlib.sha256(secured.getpeercert(binary_form=True) or b"").hexdigest()
    if settings.fingerprint and found != settings.fingerprint:
        secured.close()
        raise CameraRefusedError(Cause.CERTIFICATE, f"{address.shown}: another certificate, SHA-256 {found}")
    return secured


def _shown_by(address: CameraAddress, settings: SourceSettings) -> str:
    """The fingerprint of the certificate that was refused, for whoever wants to compare and pin it. Nothing is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address.host, address.port), settings.connect_s) as plain,
            context.wrap_socket(plain, server_hostname=address.host) as shown,
        ):
            return hashlib.sha256(shown.getpeercert(binary_form=True) or b"").hexdigest()
    except OSError:
        return "not known"


def shut(one: socket.socket) -> None:
    """Also where somebody waits in it."""
    with contextlib.suppress(OSError):  # it was not connected, or is not any more
        one.shutdown(socket.SHUT_RDWR)
    one.close()
