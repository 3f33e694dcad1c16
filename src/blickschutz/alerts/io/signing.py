"""Signatures of webhooks in the form of Standard Webhooks (standardwebhooks.com, version 1.0): HMAC-SHA256 with a shared secret."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field

from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import OperatorError

PREFIX = "whsec_"
# Bytes of the secret that the standard allows.
_LEAST, _MOST = 24, 64


def read_key(secret: str) -> bytes:
    """The key in a secret as the standard writes it. Raises `OperatorError`."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not _LEAST <= len(key) <= _MOST:
        raise OperatorError(
            f"a signing secret is {PREFIX} and {_LEAST} to {_MOST} bytes in Base64: echo {PREFIX}$(openssl rand -base64 32)"
        )
    return key


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs: the key, and the name of the installation, which makes ids of messages unique among sites."""

    key: bytes = field(repr=False)
    installation: str
    clock: Clock

    def headers(self, message: str, body: bytes) -> dict[str, str]:
        """Headers of one try. The id stays the same over all tries, the time does not: a receiver takes five minutes for too old."""
        identity, at = f"blickschutz-{self.installation}-{message}", int(self.clock.now())
        return {"webhook-id": identity, "webhook-timestamp": str(at), "webhook-signature": signature(self.key, identity, at, body)}


def signature(key: bytes, identity: str, at: int, body: bytes) -> str:
    """Over id, time (POSIX seconds) and the very bytes of the body."""
    digest = hmac.digest(key, f"{identity}.{at}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"
