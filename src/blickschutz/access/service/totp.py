"""Codes of an authenticator (TOTP, RFC 6238: SHA-1, six digits, 30 seconds, what every authenticator can do)."""

from __future__ import annotations

import base64
import secrets
from urllib.parse import quote

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from blickschutz.access.rules import DIGITS, STEP_S, steps

_SECRET_BYTES = 20
_WIDE_STEPS = 20


def new_secret() -> bytes:
    return secrets.token_bytes(_SECRET_BYTES)


def code_at(secret: bytes, step: int) -> str:
    """The code of one time step."""
    # SHA-1 here is a keyed function (HMAC) and what RFC 6238 and the authenticators have.
    made = TOTP(secret, DIGITS, SHA1(), STEP_S)
    return made.generate(step * STEP_S).decode()


def step_of(secret: bytes, code: str, now: float) -> int | None:
    """The time step whose code that is, among those that count at `now` (POSIX seconds)."""
    return next((step for step in steps(now) if _is(code, code_at(secret, step))), None)


def drift_of(secret: bytes, code: str, now: float) -> int | None:
    """By how many seconds the device is off, where the code was right up to ten minutes ago or will be; else None."""
    newest = int(now // STEP_S)
    near = range(newest - _WIDE_STEPS, newest + _WIDE_STEPS + 1)
    found = next((step for step in near if _is(code, code_at(secret, step))), None)
    return None if found is None else (found - newest) * STEP_S


def _is(given: str, code: str) -> bool:
    """Compared as bytes: of texts the comparison in constant time takes ASCII only, and people type anything."""
    return secrets.compare_digest(code.encode(), given.encode("utf-8", "replace"))


def written(secret: bytes) -> str:
    """The secret as people type it: base32 in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def address(secret: bytes, person: str, site: str) -> str:
    """What the picture with the code says (otpauth, as authenticators read it)."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return f"otpauth://totp/{quote(site)}:{quote(person)}?secret={text}&issuer={quote(site)}&algorithm=SHA1&digits={DIGITS}&period={STEP_S}"
