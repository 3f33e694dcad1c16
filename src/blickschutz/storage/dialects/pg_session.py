"""A session with a PostgreSQL server that is never waited for without end, and its errors in our words."""

from __future__ import annotations

import ssl
import time
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.adapt import Dumper

from blickschutz.kernel.errors import (
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFencedError,
    StoreFullError,
    StoreUnreachableError,
)
from blickschutz.storage.dialects.pg_reason import reason_of
from blickschutz.storage.places import Server, ServerPlace

_T = TypeVar("_T")
# Whether a server answers at all is known soon. What it works on may take longer, and what goes through whole tables much longer.
ANSWER_S, WORK_S, LONG_S = 1.5, 10.0, 3600.0
CONNECT_S = 2  # the least that the driver takes
_INTERVAL_S = 0.1
# What a transaction under a term that is over is refused with, and how the sessions of who leads are called.
FENCED, LEADS = "BL001", "blickschutz leads "
# `synchronous_commit`: a commit is on disk when it returns. Nothing is written but in a transaction that says that it writes.
_SETTINGS = {
    "synchronous_commit": "on",
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "repeatable read",
    "idle_in_transaction_session_timeout": "0",
    "client_encoding": "UTF8",
    "timezone": "UTC",
}
NOTHING = "nothing was changed"
_GONE = "the server does not answer; look at it and at the network; nothing was changed"
_NONE = "there is no connection to the server; look at it, the network, the role and its password; nothing was changed"
# https://www.postgresql.org/docs/current/errcodes-appendix.html, by code, else by class (its first two characters).
_KINDS: dict[str, tuple[type[StoreError], str]] = {
    FENCED: (StoreFencedError, "another control room leads; this one decides nothing any more, and nothing was changed"),
    "55P03": (StoreBusyError, "somebody else is writing; nothing was changed, try again in a moment"),
    "57014": (StoreBusyError, "the server took too long; nothing was changed, try again in a moment"),
    "40": (StoreBusyError, "somebody else is writing; nothing was changed, try again in a moment"),
    "53100": (StoreFullError, "the disk of the server is full; nothing was changed, make room on it"),
    "53": (StoreUnreachableError, "the server has no room left for this connection; look at its memory and its connections"),
    "XX": (StoreDamagedError, "the server's files are damaged; stop the system and restore it from a backup"),
    "58": (StoreUnreachableError, "the server's disk does not read or write; look at the disk"),
    "57": (StoreUnreachableError, "the server is shut down or not ready yet; nothing was changed"),
    "3F": (StoreUnreachableError, "the schema is not there; prepare the database (blickschutz database prepare)"),
    "0A000": (StoreUnreachableError, "the server takes no writes, as a standby does; look at which one leads"),
    "08": (StoreUnreachableError, _GONE),
}


class _Text(Dumper):
    """No text of a server's holds NUL. SQLite's may, and a camera gives its rules what names it likes: no alert is lost for that."""

    def dump(self, obj: str) -> bytes:
        return obj.replace("\0", "\ufffd").encode()


class Session(psycopg.Connection[Any]):
    """A connection whose every wait ends: a server that hangs gives no sign of its own."""

    patience_s = WORK_S

    def wait(self, gen: PQGen[_T], interval: float = _INTERVAL_S, timeout: float | None = None) -> _T:
        limit_s = self.patience_s if timeout is None else timeout
        began = time.monotonic()
        try:
            return super().wait(gen, interval, limit_s)
        except psycopg.OperationalError as error:
            if time.monotonic() - began < limit_s:
                raise
            # What it still answers belongs to no question any more.
            self.pgconn.finish()
            raise psycopg.OperationalError("no answer") from error


def open_session(place: ServerPlace) -> Session:
    """Raises `psycopg.Error`."""
    server = place.server
    settings = " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in _SETTINGS.items())
    session = Session.connect(
        host=server.host,
        port=server.port,
        dbname=server.name,
        user=server.user,
        password=server.password or None,
        application_name=f"{LEADS}{server.term}" if server.term else "blickschutz",
        connect_timeout=CONNECT_S,
        options=f"{settings} -c search_path={place.database.value}",
        # Our plans are many and short-lived; and what passes on connections forgets statements that a session prepared.
        prepare_threshold=None,
        **_encryption(server),
    )
    session.adapters.register_dumper(str, _Text)
    return session


def _encryption(server: Server) -> dict[str, Any]:
    if server.local:
        return {"sslmode": "disable", "gssencmode": "disable"}
    known = str(server.authority) if server.authority is not None else ssl.get_default_verify_paths().cafile
    return {
        "sslmode": "verify-full",
        "sslrootcert": known or ssl.get_default_verify_paths().openssl_cafile,
        "ssl_min_protocol_version": "TLSv1.2",
        "gssencmode": "disable",
        # A server that is not ours is not told the password in a form that it could use.
        "require_auth": "scram-sha-256",
        "tcp_user_timeout": round(1000 * ANSWER_S),
        "keepalives_idle": 30,
    }


def named(name: str, error: BaseException, server: Server | None = None) -> StoreError | None:
    """The error in our words; None where the statement is to blame and not the store. Of a `server` it is said why nobody is let in."""
    if not isinstance(error, psycopg.Error):
        return None
    code = error.sqlstate
    found = (_KINDS.get(code) or _KINDS.get(code[:2])) if code else None
    if found is None and code is None and isinstance(error, psycopg.OperationalError):
        # What refuses a connection has no code; its words come from the server, in the server's language.
        found = (StoreUnreachableError, _NONE if error.pgconn is None or str(error).startswith("connection") else _GONE)
        if found[1] is _NONE and server is not None and (reason := reason_of(str(error), server)):
            found = (StoreUnreachableError, f"there is no connection to the server: {reason}; nothing was changed")
    return found[0](f"{name}: {found[1]} ({_first_line(error)})") if found is not None else None


def _first_line(error: psycopg.Error) -> str:
    """What the server says; its further lines quote rows."""
    said = error.diag.message_primary or str(error)
    lines = said.strip().splitlines()
    return lines[0] if lines else type(error).__name__
