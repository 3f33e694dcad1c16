"""Who a request comes from: the cookie of its session, whoever is signed in with it, and the place it was sent from."""

from __future__ import annotations

from fastapi import HTTPException, Response
from starlette.requests import HTTPConnection

from blickschutz.access.model import Member
from blickschutz.access.rules import place_of

SESSION = "session"
# The prefix binds a cookie to this host, this scheme and the whole site (RFC 6265bis).
SECURE_SESSION = "__Host-session"


def place(connection: HTTPConnection) -> str:
    """Where somebody asks from."""
    return place_of(connection.client.host if connection.client is not None else "")


def secured(connection: HTTPConnection, name: str) -> str:
    """A cookie's name with the prefix that binds it to this host over TLS (RFC 6265bis)."""
    return f"__Host-{name}" if connection.url.scheme in {"https", "wss"} else name


def session_of(connection: HTTPConnection) -> str:
    """The secret of the session that a request carries; empty without one."""
    return connection.cookies.get(SECURE_SESSION if connection.url.scheme in {"https", "wss"} else SESSION, "")


def member_of(connection: HTTPConnection) -> Member:
    """Who is signed in, on a route that takes a permission."""
    member = getattr(connection.state, "member", None)
    if not isinstance(member, Member):
        raise HTTPException(401)
    return member


def set_cookie(connection: HTTPConnection, answer: Response, name: str, value: str) -> None:
    """A cookie that no script reads and no other site sends; it lasts as long as the browser is open."""
    secure = connection.url.scheme == "https"
    name = SECURE_SESSION if secure and name == SESSION else name
    answer.set_cookie(name, value, httponly=True, samesite="strict", secure=secure)
