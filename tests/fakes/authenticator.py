"""A security key in software: CTAP 2.1 over CBOR, with hmac-secret as the specification has it (11.1, 6.5.7, 12.5)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.client import DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.cose import ES256
from fido2.ctap import CtapDevice, CtapError
from fido2.ctap2 import Ctap2
from fido2.ctap2.extensions import HmacSecretExtension
from fido2.ctap2.pin import PinProtocolV2
from fido2.hid import CAPABILITY, CTAPHID
from fido2.utils import websafe_decode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticatorData,
    PublicKeyCredentialCreationOptions,
    PublicKeyCredentialRequestOptions,
)

_AAGUID = bytes(range(16))
_FLAGS = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV


@dataclass
class _Credential:
    rp: str
    private: ec.EllipticCurvePrivateKey
    # One for answers after its owner was verified, one for others: the two say nothing of each other.
    with_uv: bytes
    without_uv: bytes


class SoftwareKey(CtapDevice):
    """`has_hmac_secret` False: an older key without the extension. Whoever holds it has shown a finger (`uv`)."""

    def __init__(self, *, has_hmac_secret: bool = True) -> None:
        self._has = has_hmac_secret
        self._credentials: dict[bytes, _Credential] = {}
        self._agreement = ec.generate_private_key(ec.SECP256R1())
        self._protocol = PinProtocolV2()

    @property
    def capabilities(self) -> int:
        return int(CAPABILITY.CBOR)

    @classmethod
    def list_devices(cls) -> Iterator[CtapDevice]:
        return iter(())

    def call(self, cmd: int, data: bytes = b"", event: Any = None, on_keepalive: Any = None) -> bytes:
        assert cmd == CTAPHID.CBOR
        asked: Any = cbor.decode(data[1:]) if data[1:] else {}
        work = {
            Ctap2.CMD.GET_INFO: self._info,
            Ctap2.CMD.CLIENT_PIN: self._client_pin,
            Ctap2.CMD.MAKE_CREDENTIAL: self._make,
            Ctap2.CMD.GET_ASSERTION: self._assert,
            Ctap2.CMD.SELECTION: lambda _asked: None,
        }
        try:
            answer = work[Ctap2.CMD(data[0])](asked)
        except CtapError as error:
            return bytes([error.code])
        return b"\0" + (cbor.encode(answer) if answer is not None else b"")

    def _info(self, _asked: Any) -> dict[int, Any]:
        extensions = ["hmac-secret"] if self._has else []
        return {1: ["FIDO_2_0", "FIDO_2_1"], 2: extensions, 3: _AAGUID, 4: {"rk": True, "up": True, "uv": True}, 6: [2]}

    def _client_pin(self, asked: Any) -> dict[int, Any]:
        if asked[2] != 2:  # getKeyAgreement
            raise CtapError(CtapError.ERR.INVALID_SUBCOMMAND)
        point = self._agreement.public_key().public_numbers()
        return {1: {1: 2, 3: -25, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}}

    def _make(self, asked: Any) -> dict[int, Any]:
        if not any(one["alg"] == ES256.ALGORITHM for one in asked[4]):
            raise CtapError(CtapError.ERR.UNSUPPORTED_ALGORITHM)
        private, name = ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(24)
        self._credentials[name] = _Credential(asked[2]["id"], private, secrets.token_bytes(32), secrets.token_bytes(32))
        extensions = {"hmac-secret": True} if self._has and (asked.get(6) or {}).get("hmac-secret") else None
        made = AttestedCredentialData.create(_AAGUID, name, ES256.from_cryptography_key(private.public_key()))
        return {1: "none", 2: self._data(asked[2]["id"], credential=bytes(made), extensions=extensions), 3: {}}

    def _assert(self, asked: Any) -> dict[int, Any]:
        allowed = [one["id"] for one in asked.get(3, [])]
        name = next((one for one in allowed if one in self._credentials and self._credentials[one].rp == asked[1]), None)
        if name is None:
            raise CtapError(CtapError.ERR.NO_CREDENTIALS)
        options, credential = asked.get(5) or {}, self._credentials[name]
        wanted = (asked.get(4) or {}).get("hmac-secret")
        extensions = {"hmac-secret": self._hmac_secret(credential, wanted, verified=bool(options.get("uv")))} if wanted else None
        data = self._data(asked[1], extensions=extensions)
        signature = credential.private.sign(bytes(data) + asked[2], ec.ECDSA(hashes.SHA256()))
        return {1: {"type": "public-key", "id": name}, 2: data, 3: signature}

    def _hmac_secret(self, credential: _Credential, wanted: Any, *, verified: bool) -> bytes:
        """HMAC-SHA-256 over each salt, with the secret that is this credential's alone; salts and answers come and go encrypted."""
        if not self._has:
            raise CtapError(CtapError.ERR.UNSUPPORTED_EXTENSION)
        theirs = wanted[1]
        point = ec.EllipticCurvePublicNumbers(int.from_bytes(theirs[-2], "big"), int.from_bytes(theirs[-3], "big"), ec.SECP256R1())
        shared = self._protocol.kdf(self._agreement.exchange(ec.ECDH(), point.public_key()))
        if not hmac.compare_digest(self._protocol.authenticate(shared, wanted[2]), wanted[3]):
            raise CtapError(CtapError.ERR.PIN_AUTH_INVALID)
        salts = self._protocol.decrypt(shared, wanted[2])
        own = credential.with_uv if verified else credential.without_uv
        answers = [hmac.digest(own, salts[at : at + 32], "sha256") for at in range(0, len(salts), 32)]
        return self._protocol.encrypt(shared, b"".join(answers))

    @staticmethod
    def _data(rp: str, credential: bytes = b"", extensions: Any = None) -> AuthenticatorData:
        flags = _FLAGS | (AuthenticatorData.FLAG.AT if credential else 0) | (AuthenticatorData.FLAG.ED if extensions else 0)
        return AuthenticatorData.create(hashlib.sha256(rp.encode()).digest(), flags, 7, credential, extensions)


class Browser:
    """What a browser does with a key: python-fido2's client, which asks it over CTAP as browsers do."""

    def __init__(self, key: SoftwareKey, origin: str) -> None:
        collector = DefaultClientDataCollector(origin)
        self._client = Fido2Client(key, collector, UserInteraction(), [HmacSecretExtension()])

    def create(self, options: Any) -> Any:
        """The credential's id and whether it can answer, as `PublicKeyCredential` says it."""
        made = self._client.make_credential(PublicKeyCredentialCreationOptions.from_dict(options["publicKey"]))
        return made.raw_id, bool((made.client_extension_results.get("prf") or {}).get("enabled"))

    def half(self, options: Any) -> bytes:
        """What the key answers to the salt in `options`; empty for none."""
        found = self._client.get_assertion(PublicKeyCredentialRequestOptions.from_dict(options["publicKey"])).get_response(0)
        results = (found.client_extension_results.get("prf") or {}).get("results") or {}
        return websafe_decode(results["first"]) if results else b""
