"""Whose request it is: a ticket and a seat belong to one session and one browser, whoever else learns their address."""

from __future__ import annotations

import hashlib
import secrets

from fastapi import HTTPException, Request, Response

from blickschutz.web.sessions import session_of

BROWSER, SECURE_BROWSER = "room", "__Host-room"


def fingerprint(session: str) -> str:
    """What a room knows of a session: enough to recognise it. Empty for none."""
    return hashlib.sha256(session.encode()).hexdigest() if session else ""


def require_session(request: Request, session: str) -> None:
    """Raises 404 where a request does not come from the session with that fingerprint."""
    if not secrets.compare_digest(fingerprint(session_of(request)), session):
        raise HTTPException(404)


def browser_of(request: Request) -> str:
    """The mark of a browser that was at a room's door before; empty for another."""
    return request.cookies.get(SECURE_BROWSER if request.url.scheme == "https" else BROWSER, "")


def recognise(request: Request, answer: Response, browser: str) -> None:
    """Have the browser come back with its mark, for as long as it runs."""
    secure = request.url.scheme == "https"
    answer.set_cookie(SECURE_BROWSER if secure else BROWSER, browser, httponly=True, samesite="strict", secure=secure)
