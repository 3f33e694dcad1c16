"""Addresses of cameras, read in one place: who signs in with what, where, and what of it may be shown.

Passwords with `/`, `#`, `?` or `@` stand in real addresses as they are, though RFC 3986 (3.2.1) asks for percent signs. So an
address is read as people mean it, and whatever stands before the last `@` is never shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

RTSP, PICTURES = frozenset({"rtsp", "rtsps"}), frozenset({"http", "https"})
PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s\[\]:/?#@]+)(?::(\d{1,5}))?(?=[/?#]|$)")
_SECRET = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\n]*@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CameraAddress:
    """A camera's address in parts. `path` is everything behind host and port, with its leading `/`, `?` or `#`."""

    scheme: str
    host: str
    port: int
    path: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def shown(self) -> str:
        """Without user and password, and without whatever of the path stands before an `@`."""
        hidden, at, rest = self.path.rpartition("@")
        return f"{self.scheme}://{self.place}{f'{hidden[:1]}…@' if at else ''}{rest}"

    @property
    def secure(self) -> bool:
        return self.scheme in {"rtsps", "https"}

    @property
    def place(self) -> str:
        """Host and, where it is not the usual one, port; an IPv6 address in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def read_address(value: str) -> CameraAddress | None:
    """The parts of an address by RTSP or HTTP; None where it is none."""
    scheme, found, rest = value.partition("://")
    scheme = scheme.lower()
    if not found or scheme not in PORTS or any(not one.isprintable() for one in value):
        return None
    account, place = _parts(rest)
    match = _HOST.match(place)
    if match is None or int(match[2] or 1) not in range(1, 65536):
        return None
    user, _, password = account.partition(":")
    return CameraAddress(
        scheme, match[1].strip("[]").lower(), int(match[2] or PORTS[scheme]), place[match.end() :], _plain(user), _plain(password)
    )


def _parts(rest: str) -> tuple[str, str]:
    """(user and password, host and what follows): the last `@` behind which a host can stand, unless a host stands before it."""
    strict = re.match(r"[^/?#]*", rest)
    if strict is not None and "@" in strict[0] and _HOST.match(rest, strict[0].rindex("@") + 1):
        # An `@` in the path after an account that is written as it should be belongs to the path.
        at = strict[0].rindex("@")
        return rest[:at], rest[at + 1 :]
    at = rest.rfind("@")
    before, behind = _HOST.match(rest), _HOST.match(rest, at + 1)
    if at < 0 or behind is None or (before is not None and (_is_host(before) or (before[2] is None and not _is_host(behind)))):
        return "", rest
    return rest[:at], rest[at + 1 :]


def _is_host(found: re.Match[str]) -> bool:
    """Whether it is rather a host than the beginning of an account."""
    return "." in found[1] or found[1] == "localhost" or found[1].startswith("[")


def _plain(text: str) -> str:
    """A part of an account without percent signs, where all of them are such; else as it stands."""
    return unquote(text) if re.fullmatch(r"(?:[^%]|%[0-9A-Fa-f]{2})*", text) else text


def without_secrets(text: str) -> str:
    """A text, or an address, in which nothing stands between `://` and the last `@` of the line: rather too little than a password."""
    return _SECRET.sub(r"\1", text)


def public_address(value: str) -> str:
    """What of an address may be written in a message: scheme, host and port. Many cameras take account and password in the path
    (`/user=admin&password=…`, `/live;user=…`), and nobody can tell which part is one.
    """
    found = read_address(value)
    if found is None:
        return f"{value.partition('://')[0]}://" if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", value) else ""
    return f"{found.scheme}://{found.place}"


def is_public(value: str) -> bool:
    return public_address(value) == value
