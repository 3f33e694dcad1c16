"""A throw-away certificate authority for peers on loopback."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class ThrowAway:
    """An authority in `folder`; `server` makes certificates of it."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder, self._name, self._key = folder, _name(name), generate_private_key(SECP256R1())
        self.file = folder / f"{name}.crt"
        self.file.write_bytes(self._sign(self._name, self._key, x509.BasicConstraints(ca=True, path_length=0), ()))

    @property
    def pem(self) -> str:
        return self.file.read_text(encoding="ascii")

    def server(self, name: str = "server", host: str = "127.0.0.1", days: float = 1.0) -> tuple[Path, Path]:
        """Certificate and key for a server that is called `host`; with less than 0 days it has run out."""
        key, certificate, key_file = generate_private_key(SECP256R1()), self._folder / f"{name}.crt", self._folder / f"{name}.key"
        try:
            called: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            called = x509.DNSName(host)
        names = (x509.SubjectAlternativeName([called]),)
        certificate.write_bytes(self._sign(_name(host), key, x509.BasicConstraints(ca=False, path_length=None), names, days))
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, key_file

    def _sign(self, subject, key: EllipticCurvePrivateKey, basic, more, days: float = 1.0) -> bytes:
        now = datetime.now(UTC)
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
        made = made.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=3))
        made = made.not_valid_after(now + timedelta(days=days)).add_extension(basic, critical=True)
        usage = {"digital_signature": not basic.ca, "key_cert_sign": basic.ca, "crl_sign": basic.ca}
        others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")
        made = made.add_extension(x509.KeyUsage(**{**dict.fromkeys(others, False), **usage}), critical=True)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        for one in more:
            made = made.add_extension(one, critical=False)
        return made.sign(self._key, SHA256()).public_bytes(Encoding.PEM)
