"""Sign in, sign out, who a session belongs to. Sessions live in memory: after a restart everybody signs in anew."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace

from blickschutz.access.model import Member, Session, SignIn
from blickschutz.access.ports import Passwords
from blickschutz.access.rules import is_locked, is_over
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.kernel.clock import Clock

_MOST_SESSIONS = 200
_MOST_TRIES_KEPT = 50


class Access:
    """The people of a site and their sessions. Safe to be called from several threads."""

    def __init__(self, members: Iterable[Member], passwords: Passwords, log: AuditLog, clock: Clock) -> None:
        self.members: Mapping[str, Member] = {member.id: member for member in members}
        self.passwords, self._log, self._clock = passwords, log, clock
        self._sessions: dict[str, Session] = {}
        self._tries: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def sign_in(self, person: str, password: str) -> tuple[SignIn, str]:
        """The outcome, and a token where it is `OK`. Slow on purpose: call it in a thread of its own."""
        now = self._clock.monotonic()
        known = person if person in self.members else "?"
        with self._lock:
            tries = self._tries.setdefault(known, [])
            locked = is_locked(tries, now)
            if not locked:
                # Counted before it is looked at: a hundred tries at once are a hundred tries.
                tries.append(now)
                del tries[:-_MOST_TRIES_KEPT]
        if locked:
            self._log.write(Event.SIGN_IN_REFUSED, known, facts={"reason": "locked"})
            return SignIn.LOCKED, ""
        if not self.passwords.fits(person, password) or person not in self.members:
            self._log.write(Event.SIGN_IN_REFUSED, known, facts={"reason": "wrong"})
            return SignIn.WRONG, ""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._tries.pop(known, None)
            self._sessions = {key: session for key, session in self._sessions.items() if not is_over(session, now)}
            while len(self._sessions) >= _MOST_SESSIONS:
                self._sessions.pop(next(iter(self._sessions)))
            self._sessions[_hashed(token)] = Session(person, now, now)
        self._log.write(Event.SIGNED_IN, person)
        return SignIn.OK, token

    def who(self, token: str) -> Member | None:
        """Whose session `token` is; None where there is none, or it has ended by itself."""
        now, key = self._clock.monotonic(), _hashed(token)
        with self._lock:
            session = self._sessions.get(key)
            if session is None or is_over(session, now):
                self._sessions.pop(key, None)
                return None
            self._sessions[key] = replace(session, seen=now)
        return self.members.get(session.person)

    def sign_out(self, token: str) -> None:
        with self._lock:
            session = self._sessions.pop(_hashed(token), None)
        if session is not None:
            self._log.write(Event.SIGNED_OUT, session.person)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
