"""Devices that an account knows: a cookie that is set after a full sign-in, good for that account alone."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from blickschutz.kernel.clock import Clock

KNOWN_S = 180 * 86_400.0
_ID_BYTES, _NAME_LETTERS = 12, 12
_CONTEXT = b"blickschutz-known-device-1"


class KnownDevices:
    """Signs (HMAC-SHA-256) with a key of `secret` what browsers keep. With another secret no device is known, and all become so again."""

    def __init__(self, secret: bytes, clock: Clock) -> None:
        self._key, self._clock = hashlib.sha256(_CONTEXT + secret).digest(), clock

    def cookie(self, person: str) -> str:
        """The name of the cookie for an account: several people share a workstation. It tells no short name."""
        return f"known-{self._mac('name', person)[:_NAME_LETTERS]}"

    def make(self, person: str, device: str = "") -> str:
        """The value for a device that has just signed in; `device` is its number where it was known before."""
        device = device or secrets.token_hex(_ID_BYTES)
        until = str(int(self._clock.now() + KNOWN_S))
        return f"{device}.{until}.{self._mac('device', person, device, until)}"

    def known(self, person: str, value: str) -> str:
        """The number of the device where `value` is what was made for that account and is not over; else empty."""
        device, _, rest = value[:200].partition(".")
        until, _, mac = rest.partition(".")
        right = self._mac("device", person, device, until)
        if not secrets.compare_digest(right.encode(), mac.encode("utf-8", "replace")):
            return ""
        return device if self._clock.now() < int(until) else ""

    def _mac(self, *parts: str) -> str:
        # A separator that no part contains: parts cannot be moved from one to the next.
        return hmac.new(self._key, "\x00".join(parts).encode("utf-8", "replace"), hashlib.sha256).hexdigest()
