"""Where a database is: a file, or a schema on a server."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from blickschutz.storage.ports import Database

PORT = 5432
_SCHEME = "postgresql"
_MOST = 63  # bytes of a name in PostgreSQL


@dataclass(frozen=True, slots=True)
class Server:
    """A database of a PostgreSQL server and the role that connects. `host` that begins with "/" is the folder of its Unix socket.

    `authority`: file of the authority of its certificate; without it those that the machine knows. `term`: the number under which a
    control room leads (`lead`); 0 for whoever does not, as a command.
    """

    host: str
    port: int
    name: str
    user: str
    password: str = field(default="", repr=False)
    authority: Path | None = None
    term: int = 0

    @property
    def local(self) -> bool:
        return self.host.startswith("/")


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """One of our databases as a schema of that name on a server."""

    server: Server
    database: Database

    @property
    def name(self) -> str:
        """For people: what of which system is meant."""
        return f"{self.database.value} (PostgreSQL)"


Place: TypeAlias = "Path | ServerPlace"


def place_in(data: Path, server: Server | None, database: Database) -> Place:
    """Where a database of the installation in the folder `data` is."""
    return data / f"{database.value}.db" if server is None else ServerPlace(server, database)


def read_server(address: str) -> Server | None:
    """`postgresql://role@host:5432/name`, or `postgresql://role@/name?host=/folder` for a Unix socket; None for anything else.

    A password has no place in it, and no parameter beside `host`: what connects safely is not for an address to weaken.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    more = dict(parse_qsl(parts.query, keep_blank_values=True))
    user, name = unquote(parts.username or ""), unquote(parts.path.removeprefix("/"))
    folder, host = more.pop("host", ""), parts.hostname or ""
    named = parts.scheme == _SCHEME and parts.password is None and not more and not parts.fragment
    if not named or not _is_name(user) or not _is_name(name) or port == 0:
        return None
    if folder.startswith("/") and not host and "\0" not in folder:
        return Server(folder, port or PORT, name, user)
    return Server(host, port or PORT, name, user) if host and not folder and _is_host(host) else None


def _is_name(text: str) -> bool:
    return 0 < len(text.encode()) <= _MOST and text.isprintable() and "/" not in text


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return all(part and part.replace("-", "").isalnum() for part in text.rstrip(".").split(".")) and text.isascii()
    return True
