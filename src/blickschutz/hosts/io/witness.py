"""By what a host proves what it did: a signature with the key of its certificate; and who looks whether that is so."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from blickschutz.kernel.errors import ProtocolError, SettingsError


class HostWitness:
    """A host's certificate and key, read once. Raises `SettingsError` where they are none."""

    def __init__(self, certificate: Path, key: Path) -> None:
        try:
            found = load_pem_private_key(key.read_bytes(), None)
            self.certificate = x509.load_pem_x509_certificate(certificate.read_bytes()).public_bytes(Encoding.PEM)
        except (OSError, ValueError, TypeError) as error:
            raise SettingsError(f"{certificate.name} and {key.name} are no certificate and its key: {error}") from error
        if not isinstance(found, EllipticCurvePrivateKey):
            raise SettingsError(f"{key.name} is no key of an enrolled host")
        self._key = found

    def sign(self, text: bytes) -> bytes:
        return self._key.sign(text, ECDSA(SHA256()))


def require_signed(text: bytes, signature: bytes, certificate: bytes, authority: bytes, users: Collection[str]) -> None:
    """Raises `ProtocolError` unless one of the `users` (names in certificates of that authority) signed the text."""
    try:
        found = x509.load_pem_x509_certificate(certificate)
        found.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
        name = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
        public = found.public_key()
        if not isinstance(public, EllipticCurvePublicKey):
            raise ProtocolError("the certificate is none of a host")
        public.verify(signature, text, ECDSA(SHA256()))
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound) as error:
        raise ProtocolError(f"what a host told is not signed by it: {str(error) or type(error).__name__}") from error
    if not set(name) & set(users):
        raise ProtocolError(f"it is signed by {', '.join(name)}, which is none of this host's enrolments")
