"""A certificate authority of this installation, and the server's certificate, which renews itself (RFC 5280).

The authority is good for this site's names and addresses only (name constraints): whoever trusts it on a workstation
trusts it for nothing else.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import OperatorError
from blickschutz.kernel.hosts import number_of
from blickschutz.vault.io.files import write_private

AUTHORITY_DAYS, SERVER_DAYS, RENEW_DAYS = 10 * 365, 90, 30
_EARLIER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files of the server's certificate and key, and when the certificate ends."""

    certificate: Path
    key: Path
    until: datetime


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key (PEM) for somebody else's machine; nothing of them is kept here."""

    certificate: bytes
    key: bytes
    until: datetime


class Authority:
    """Made at the first start in `folder`; `names` are host names and IP addresses of the server."""

    def __init__(self, folder: Path, site: str, names: Sequence[str], clock: Clock) -> None:
        self._folder, self._site, self._names, self._clock = folder, site, tuple(dict.fromkeys(names)), clock
        self._ca_key, self._ca = self._load_or_make()

    @property
    def pem(self) -> bytes:
        """The authority's certificate, for the workstations."""
        return self._ca.public_bytes(Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the authority's certificate, as browsers show it."""
        text = self._ca.fingerprint(SHA256()).hex().upper()
        return ":".join(text[start : start + 2] for start in range(0, len(text), 2))

    @property
    def until(self) -> datetime:
        return self._ca.not_valid_after_utc

    def server(self) -> tuple[Certificates, bool]:
        """The server's certificate, made anew where it ends soon or the names are others; whether it was made anew."""
        certificate, key = self._folder / "server.crt", self._folder / "server.key"
        known = _read(certificate)
        if known is not None and key.exists() and self._is_good(known):
            return Certificates(certificate, key, known.not_valid_after_utc), False
        made = self._make_server(key)
        write_private(certificate, made.public_bytes(Encoding.PEM) + self.pem)
        return Certificates(certificate, key, made.not_valid_after_utc), True

    def issue(self, name: str, days: int, *, server: bool) -> Issued:
        """For a machine of that name, below one of ours: to be connected to, or to connect."""
        usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        key, made = self._certified((name,), usage, days)
        return Issued(made.public_bytes(Encoding.PEM), _pem(key), made.not_valid_after_utc)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def _is_good(self, known: x509.Certificate) -> bool:
        names = known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        from_here = known.issuer == self._ca.subject and _key_id(known) == _own_key_id(self._ca)
        lasts = known.not_valid_before_utc <= self._now() <= known.not_valid_after_utc - timedelta(days=RENEW_DAYS)
        return from_here and lasts and set(names) == set(_alternatives(self._names))

    def _load_or_make(self) -> tuple[EllipticCurvePrivateKey, x509.Certificate]:
        key_file, file = self._folder / "authority.key", self._folder / "authority.crt"
        if key_file.exists() and file.exists():
            key, known = load_pem_private_key(key_file.read_bytes(), None), _read(file)
            if not isinstance(key, EllipticCurvePrivateKey) or known is None:
                raise OperatorError(f"{self._folder} holds no certificate authority of this software")
            allowed = known.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
            missing = [name for name in self._names if not _covers(allowed, name)]
            if missing:
                raise OperatorError(
                    f"{file} is not good for {', '.join(missing)}; remove the folder {self._folder} to make a new authority, "
                    "which every workstation must then trust anew"
                )
            return key, known
        key = generate_private_key(SECP256R1())
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self._site),
                x509.NameAttribute(NameOID.COMMON_NAME, f"Blickschutz {self._site}"[:64]),
            ]
        )
        now = self._now()
        permitted = [_constraint(one) for one in self._names]
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _EARLIER)
            .not_valid_after(now + timedelta(days=AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.NameConstraints(permitted, None), critical=True)
            .add_extension(_usage(ca=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, SHA256())
        )
        write_private(key_file, _pem(key))
        write_private(file, made.public_bytes(Encoding.PEM))
        return key, made

    def _make_server(self, key_file: Path) -> x509.Certificate:
        key, made = self._certified(self._names, ExtendedKeyUsageOID.SERVER_AUTH, SERVER_DAYS)
        write_private(key_file, _pem(key))
        return made

    def _certified(self, names: Sequence[str], usage: x509.ObjectIdentifier, days: int) -> tuple[EllipticCurvePrivateKey, x509.Certificate]:
        key, now = generate_private_key(SECP256R1()), self._now()
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])]))
            .issuer_name(self._ca.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _EARLIER)
            .not_valid_after(min(now + timedelta(days=days), self._ca.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(_usage(ca=False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._ca_key.public_key()), critical=False)
            .sign(self._ca_key, SHA256())
        )
        return key, made


def ends(certificate: Path) -> datetime | None:
    """When the certificate in a file ends; None where there is none."""
    known = _read(certificate)
    return known.not_valid_after_utc if known is not None else None


def _pem(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _read(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None


def _alternatives(names: Sequence[str]) -> list[x509.GeneralName]:
    found = ((name, number_of(name)) for name in names)
    return [x509.IPAddress(address) if address is not None else x509.DNSName(name) for name, address in found]


def _constraint(name: str) -> x509.GeneralName:
    address = number_of(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(ipaddress.ip_network(address))


def _covers(allowed: Sequence[x509.GeneralName], name: str) -> bool:
    return _constraint(name) in allowed


def _key_id(certificate: x509.Certificate) -> bytes | None:
    return certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier


def _own_key_id(certificate: x509.Certificate) -> bytes:
    return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
