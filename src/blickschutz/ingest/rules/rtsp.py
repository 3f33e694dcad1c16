"""What is read and written of RTSP's messages (RFC 2326): requests, answers, signing in (RFC 2617, RFC 7616), and what answers mean.

HTTP has the same codes and the same ways to sign in.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace

from blickschutz.ingest.model import Cause
from blickschutz.ingest.rules.address import CameraAddress

MOST_HEAD, MOST_BODY = 64 * 1024, 1024 * 1024
# Without these there is no stream.
ESSENTIAL = frozenset({"OPTIONS", "DESCRIBE", "SETUP", "PLAY"})
_HASHES = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
_FIELD = re.compile(r'([A-Za-z]+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')
_CAUSES = {
    401: Cause.PASSWORD,
    403: Cause.PASSWORD,
    404: Cause.ADDRESS,
    410: Cause.ADDRESS,
    429: Cause.BUSY,
    453: Cause.BUSY,
    503: Cause.BUSY,
}
_TRANSPORT = 461


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer: its first line, its fields in order, its body."""

    first: str
    fields: tuple[tuple[str, str], ...]
    body: bytes = b""

    def field(self, name: str) -> str | None:
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def with_field(self, name: str, value: str | None) -> Message:
        """The same with that field once, or not at all."""
        kept = tuple(pair for pair in self.fields if pair[0].lower() != name.lower())
        return replace(self, fields=kept if value is None else (*kept, (name, value)))

    @property
    def status(self) -> int | None:
        """The status of an answer; None for a request, and for what is no RTSP."""
        match = re.match(r"RTSP/\d\.\d (\d{3})(?!\d)", self.first)
        return int(match[1]) if match else None

    def packed(self) -> bytes:
        lines = [self.first, *(f"{key}: {value}" for key, value in self.fields), "", ""]
        return "\r\n".join(lines).encode("latin-1", "replace") + self.body


def read_head(data: bytes) -> tuple[Message, int] | None:
    """First line and fields at the beginning of `data` and their length; None where they are not there wholly yet. Raises `ValueError`."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if len(data) > MOST_HEAD:
            raise ValueError("a message without an end")
        return None
    first, *lines = data[:end].decode("latin-1").split("\r\n")
    fields = tuple((key.strip(), value.strip()) for key, found, value in (line.partition(":") for line in lines) if found)
    return Message(first, fields), end + 4


def read_message(data: bytes) -> tuple[Message, int] | None:
    """The message at the beginning of `data` and its length; None where it is not there wholly yet. Raises `ValueError`."""
    head = read_head(data)
    if head is None:
        return None
    message, begin = head
    length = message.field("Content-Length") or "0"
    if not length.isdecimal() or int(length) > MOST_BODY:
        raise ValueError("a body of that length")
    whole = begin + int(length)
    return (replace(message, body=bytes(data[begin:whole])), whole) if len(data) >= whole else None


def cause_of(status: int) -> Cause | None:
    """What an answer means for the one who looks after the camera; None where it is well."""
    if status < 300:
        return None
    if status < 400:
        return Cause.REDIRECTED
    return Cause.TRANSPORT if status == _TRANSPORT else _CAUSES.get(status, Cause.ANSWER)


@dataclass(slots=True)
class SignIn:
    """Answers what the camera asks. Only the camera's own host is ever asked by it."""

    address: CameraAddress
    _scheme: str = ""
    _asked: dict[str, str] | None = None
    _count: int = 0

    def ask(self, challenges: Sequence[str]) -> bool:
        """Take up what the camera asks for; whether there is something new to answer with."""
        if not self.address.user:
            return False
        found = [(scheme, dict(_pairs(rest))) for scheme, _, rest in (one.strip().partition(" ") for one in challenges)]
        digests = [asked for scheme, asked in found if scheme.lower() == "digest" and _hash_of(asked) in _HASHES]
        best = max(digests, key=_hash_of, default=None)
        if best is not None:
            new = self._asked is None or best.get("nonce") != self._asked.get("nonce")
            self._scheme, self._asked, self._count = "Digest", best, 0
            return new
        if any(scheme.lower() == "basic" for scheme, _ in found):
            new, self._scheme = self._scheme != "Basic", "Basic"
            return new
        return False

    def answer(self, method: str, uri: str, chance: str) -> str | None:
        """The value of `Authorization`, None while nothing was asked. `chance` is a nonce of ours."""
        user, password = self.address.user, self.address.password
        if self._scheme == "Basic":
            return "Basic " + b64encode(f"{user}:{password}".encode()).decode("ascii")
        if self._asked is None:
            return None
        asked, name = self._asked, _hash_of(self._asked)
        self._count += 1
        count, nonce, realm = f"{self._count:08x}", asked.get("nonce", ""), asked.get("realm", "")
        first, second = _hashed(name, user, realm, password), _hashed(name, method, uri)
        fields = f'username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}"'
        if "auth" in [one.strip() for one in asked.get("qop", "").split(",")]:
            fields += f', response="{_hashed(name, first, nonce, count, chance, "auth", second)}", qop=auth, nc={count}, cnonce="{chance}"'
        else:
            fields += f', response="{_hashed(name, first, nonce, second)}"'
        if "algorithm" in asked:
            fields += f", algorithm={name}"
        return f"Digest {fields}" + (f', opaque="{asked["opaque"]}"' if "opaque" in asked else "")


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(name.lower(), quoted or plain) for name, quoted, plain in _FIELD.findall(text)]


def _hash_of(asked: dict[str, str]) -> str:
    return asked.get("algorithm", "MD5").upper()


def _hashed(name: str, *parts: str) -> str:
    return _HASHES[name](":".join(parts).encode()).hexdigest()
