"""Sessions on the server, tries that are counted. All of it lives in memory: after a restart everybody signs in anew."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import replace

from blickschutz.access.model import Half, Session, Todo
from blickschutz.access.rules import HALF_S, MOST_TRIES, TRIES_S, is_locked, is_over
from blickschutz.kernel.clock import Clock

# Ended ones that are remembered; sessions of one person, who has some browsers.
_MOST, _MOST_OF_ONE = 200, 10
_MOST_TRIES_KEPT = 50


class Tries:
    """Tries of people who are signed in or have the password, by a key. A hundred at once are counted as such before one is looked at."""

    def __init__(self, clock: Clock, most: int = MOST_TRIES, within_s: float = TRIES_S) -> None:
        self._clock, self._tries, self._lock = clock, dict[str, list[float]](), threading.Lock()
        self._most, self._within_s = most, within_s

    def take(self, key: str) -> bool:
        """Whether one more try of `key` is looked at."""
        now = self._clock.monotonic()
        with self._lock:
            tries = self._tries.setdefault(key, [])
            if is_locked(tries, now, self._most, self._within_s):
                return False
            tries.append(now)
            del tries[:-_MOST_TRIES_KEPT]
        return True

    def forget(self, key: str) -> None:
        with self._lock:
            self._tries.pop(key, None)


def _make_room(held: dict[str, Session] | dict[str, Half], person: str) -> None:
    """The oldest of the same person's go: however often one signs in, nobody else is signed out by it."""
    theirs = [key for key, one in held.items() if one.person == person]
    for key in theirs[: max(0, len(theirs) - _MOST_OF_ONE + 1)]:
        del held[key]


class Sessions:
    """Who is signed in, by the hash of a secret that only their browser has. `idle` says how long a person's may rest."""

    def __init__(self, clock: Clock, idle: Callable[[str], float]) -> None:
        self._clock, self._idle, self._lock = clock, idle, threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._halves: dict[str, Half] = {}
        self._ended: dict[str, str] = {}

    def begin(self, person: str, todo: Todo | None) -> str:
        """A new session; its secret."""
        token, now = secrets.token_urlsafe(32), self._clock.monotonic()
        with self._lock:
            self._sessions = {key: one for key, one in self._sessions.items() if not self._is_over(one, now)}
            _make_room(self._sessions, person)
            self._sessions[hashed(token)] = Session(person, now, now, todo)
        return token

    def find(self, token: str, *, touch: bool = True) -> Session | None:
        """The session of that secret, if it lasts. Unless `touch` is off, looking counts as doing something."""
        now, key = self._clock.monotonic(), hashed(token)
        with self._lock:
            session = self._sessions.get(key)
            if session is None or self._is_over(session, now):
                if self._sessions.pop(key, None) is not None and session is not None:
                    self._ended[key] = session.person
                    while len(self._ended) > _MOST:
                        self._ended.pop(next(iter(self._ended)))
                return None
            if touch:
                self._sessions[key] = session = replace(session, seen=now)
        return session

    def whose(self, token: str) -> str:
        """Whose session that secret was, if it ended by itself; empty where that is not known."""
        return self._ended.get(hashed(token), "")

    def set_todo(self, token: str, todo: Todo | None) -> None:
        with self._lock:
            session = self._sessions.get(hashed(token))
            if session is not None:
                self._sessions[hashed(token)] = replace(session, todo=todo)

    def end(self, token: str) -> Session | None:
        with self._lock:
            return self._sessions.pop(hashed(token), None)

    def end_all(self, person: str, but: str = "") -> int:
        """End all sessions of somebody except the one of the secret `but`; how many."""
        keep = hashed(but) if but else ""
        with self._lock:
            gone = [key for key, one in self._sessions.items() if one.person == person and key != keep]
            for key in gone:
                del self._sessions[key]
            self._halves = {key: half for key, half in self._halves.items() if half.person != person}
        return len(gone)

    def begin_half(self, person: str) -> str:
        """Somebody's password was right; the secret with which the second factor is handed in."""
        token, now = secrets.token_urlsafe(32), self._clock.monotonic()
        with self._lock:
            self._halves = {key: half for key, half in self._halves.items() if now - half.begun <= HALF_S}
            _make_room(self._halves, person)
            self._halves[hashed(token)] = Half(person, now)
        return token

    def half(self, token: str) -> Half | None:
        half = self._halves.get(hashed(token))
        return half if half is not None and self._clock.monotonic() - half.begun <= HALF_S else None

    def challenge(self, token: str, challenge: object) -> None:
        """Keep the challenge that a security key is to sign."""
        with self._lock:
            half = self._halves.get(hashed(token))
            if half is not None:
                self._halves[hashed(token)] = replace(half, challenge=challenge)

    def end_half(self, token: str) -> None:
        with self._lock:
            self._halves.pop(hashed(token), None)

    def _is_over(self, session: Session, now: float) -> bool:
        return is_over(session, now, self._idle(session.person))


def hashed(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
