"""The second half of a person's secret, on a security key: what a browser is asked for, and what it sends.

The half is a secret like the passphrase, not a proof: nothing is verified but that both together open the key. The browser asks by
WebAuthn's `prf` (WebAuthn 3, 10.1.4), which is `hmac-secret` of the security key (CTAP 2.1, 12.5).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestationConveyancePreference,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    UserVerificationRequirement,
)

from blickschutz.kernel.hosts import number_of
from blickschutz.reviewroom.messages import RoomSettings
from blickschutz.vault.model import SealedPrivateKey, SecondHalf

# Bytes. CTAP 2.1 (6.4, maxCredentialIdLength) has no bound of its own; what authenticators make is far below.
_MOST_CREDENTIAL = 1023
# A key answers otherwise where its owner was not verified (PIN, finger): it always is.
_VERIFIED = UserVerificationRequirement.REQUIRED


def host_of_keys(settings: RoomSettings) -> str:
    """The host name that keys are made for: by which the pages are reached. Empty for a number, which no key can be made for."""
    host = urlsplit(settings.back).hostname or ""
    return host if number_of(host) is None else ""


def to_make(settings: RoomSettings, person: str, name: str, salt: bytes) -> dict[str, Any] | None:
    """What a browser needs to make a credential and ask it for its half; None where none can be made here."""
    host = host_of_keys(settings)
    if not host:
        return None
    user = PublicKeyCredentialUserEntity(name=person, id=person.encode(), display_name=name)
    begun, _ = _server(host, settings.site).register_begin(user, user_verification=_VERIFIED, extensions={"prf": {}})
    return {**dict(begun), "host": host, "salt": websafe_encode(salt)}


def to_ask(sealed: SealedPrivateKey | None, site: str = "") -> dict[str, Any] | None:
    """What a browser needs to ask somebody's security key for its half; None where the passphrase is all of the secret."""
    second = sealed.second if sealed is not None else None
    if second is None:
        return None
    known = PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=second.credential)
    asked = {"prf": {"eval": {"first": websafe_encode(second.salt)}}}
    begun, _ = _server(second.host, site).authenticate_begin([known], _VERIFIED, extensions=asked)
    return {**dict(begun), "host": second.host, "salt": websafe_encode(second.salt)}


def second_of(settings: RoomSettings, credential: str, salt: bytes) -> SecondHalf | None:
    """The second half that a browser made; None where what it sent is none."""
    name, host = read(credential), host_of_keys(settings)
    return SecondHalf(host, name, salt) if host and 0 < len(name) <= _MOST_CREDENTIAL else None


def read(text: str) -> bytes:
    """Bytes that a browser sends; empty for what is none."""
    try:
        return websafe_decode(text)
    except (ValueError, TypeError):
        return b""


def _server(host: str, site: str) -> Fido2Server:
    return Fido2Server(PublicKeyCredentialRpEntity(name=site or host, id=host), AttestationConveyancePreference.NONE)
