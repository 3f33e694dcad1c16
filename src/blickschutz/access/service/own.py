"""What people do with their own account: first sign-in with a code, password, second factors, tokens."""

from __future__ import annotations

import secrets
from typing import Any

from zxcvbn import zxcvbn

from blickschutz.access.model import FactorKind, Member, Permission, Refusal, Todo
from blickschutz.access.ports import Accounts, Factors, Passwords, Tokens
from blickschutz.access.rules import LEAST_PASSWORD, LEAST_SCORE, MOST_PASSWORD, MOST_TOKEN_DAYS, PERSONAL, needs_factor, permitted, todo
from blickschutz.access.service.sessions import Sessions, Tries, hashed
from blickschutz.access.service.totp import drift_of, new_secret, step_of
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.kernel.clock import Clock

_DAY_S = 86_400.0
_MOST_PENDING = 200
_MOST_NAME = 60
# In which a first factor is set up after the password was given.
_FRESH_S = 600.0
_PREFIX = "bls_"


class OwnAccount:
    """Everything here asks for the password again before something grave (ASVS 5, 7.5.1)."""

    def __init__(
        self,
        accounts: Accounts,
        passwords: Passwords,
        factors: Factors,
        tokens: Tokens,
        sessions: Sessions,
        tries: Tries,
        log: AuditLog,
        clock: Clock,
    ) -> None:
        self._accounts, self._passwords, self._factors, self._tokens = accounts, passwords, factors, tokens
        self._sessions, self._tries, self._log, self._clock = sessions, tries, log, clock
        self._pending: dict[str, bytes] = {}

    def begin(self, person: str, password: str) -> Refusal | None:
        """Make an account one's own after its code was right: everything from before is gone, the password is new."""
        member = self._accounts.members()[person]
        problem = weak(password, member)
        if problem is not None:
            return problem
        self._passwords.set(person, password, person)
        self._factors.remove(person, None, person)
        self._tokens.remove(person, None, person)
        self._sessions.end_all(person)
        self._accounts.activate(person)
        return None

    def check(self, person: str, password: str) -> Refusal | None:
        """Whether that is the password of somebody who is signed in; counted like a try to sign in."""
        if not self._tries.take(person):
            return Refusal.LOCKED
        if not self._passwords.fits(person, password):
            self._log.write(Event.SIGN_IN_REFUSED, person, facts={"reason": "wrong"})
            return Refusal.WRONG
        self._tries.forget(person)
        return None

    def change_password(self, member: Member, session: str, old: str, new: str) -> Refusal | None:
        """A new password; all other sessions end."""
        problem = self.check(member.id, old) or weak(new, member)
        if problem is None and old == new:
            problem = Refusal.NOTHING
        if problem is not None:
            return problem
        self._passwords.set(member.id, new, member.id)
        self._accounts.set_must_change(member.id, False)
        self._sessions.end_all(member.id, but=session)
        self._settle(member.id, session)
        return None

    def new_totp(self, session: str) -> bytes:
        """A secret that waits for its first code; the same one until then, so that a reload changes nothing."""
        while len(self._pending) > _MOST_PENDING:
            self._pending.pop(next(iter(self._pending)))
        return self._pending.setdefault(hashed(session), new_secret())

    def asks_password(self, member: Member, session: str) -> bool:
        """Whether adding a factor takes the password: not where one is missing and the password was given a moment ago.

        Else whoever stands at a desk that somebody left could add their own, and nobody but them could sign in.
        """
        found = self._sessions.find(session, touch=False)
        fresh = found is not None and found.todo is Todo.FACTOR and self._clock.monotonic() - found.begun <= _FRESH_S
        return not fresh or self._factors.count(member.id) > 0

    def check_for_factor(self, member: Member, session: str, password: str) -> Refusal | None:
        """Whether somebody may add a factor."""
        return self.check(member.id, password) if self.asks_password(member, session) else None

    def add_totp(self, member: Member, session: str, name: str, code: str, password: str) -> Refusal | int | None:
        """Add the authenticator whose secret waits: None where done, the drift of its clock in seconds where that is the trouble."""
        problem = self.check_for_factor(member, session, password)
        if problem is not None:
            return problem
        secret = self._pending.get(hashed(session))
        if secret is None:
            return Refusal.CODE
        if not self._tries.take(member.id):
            return Refusal.LOCKED
        digits, now = "".join(code.split()), self._clock.now()
        step = step_of(secret, digits, now)
        if step is None:
            return drift_of(secret, digits, now) or Refusal.CODE
        self._tries.forget(member.id)
        self._factors.add(member.id, FactorKind.TOTP, name.strip()[:_MOST_NAME] or "TOTP", secret, step)
        self._pending.pop(hashed(session), None)
        self._sessions.end_all(member.id, but=session)
        self._settle(member.id, session)
        return None

    def add_key(self, member: Member, session: str, name: str, credential: bytes) -> None:
        """Add a security key that has answered its challenge."""
        self._factors.add(member.id, FactorKind.KEY, name.strip()[:_MOST_NAME] or "FIDO2", credential, 0)
        self._sessions.end_all(member.id, but=session)
        self._settle(member.id, session)

    def remove_factor(self, member: Member, factor: int, password: str) -> Refusal | None:
        problem = self.check(member.id, password)
        if problem is not None:
            return problem
        if needs_factor(member) and self._factors.count(member.id) < 2:
            return Refusal.LAST_FACTOR
        return None if self._factors.remove(member.id, factor, member.id) else Refusal.NOT_THERE

    def new_token(self, member: Member, name: str, scopes: frozenset[Permission], days: int, password: str) -> Refusal | tuple[str]:
        """A token for programs, shown once. It can do less than its person: nothing that takes a person."""
        if not name.strip():
            return Refusal.NAME
        if not scopes or scopes & PERSONAL or scopes - permitted(member):
            return Refusal.SCOPE
        if not 0 < days <= MOST_TOKEN_DAYS:
            return Refusal.DAYS
        problem = self.check(member.id, password)
        if problem is not None:
            return problem
        token = _PREFIX + secrets.token_urlsafe(32)
        self._tokens.add(member.id, name.strip()[:_MOST_NAME], hashed(token), scopes, self._clock.now() + days * _DAY_S)
        return (token,)

    def remove_token(self, member: Member, token: int) -> Refusal | None:
        return None if self._tokens.remove(member.id, token, member.id) else Refusal.NOT_THERE

    def _settle(self, person: str, session: str) -> None:
        """Look anew at what somebody must do first."""
        self._sessions.set_todo(session, todo(self._accounts.members()[person], self._factors.count(person)))


def weak(password: str, member: Member) -> Refusal | None:
    """Why a password will not do: too short, or so common that it is soon guessed (ASVS 5, 6.2)."""
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        return Refusal.SHORT
    # The library looks at whole names only, and is slow on long texts: what comes later makes nothing weaker.
    words: list[Any] = [member.id, *member.name.split(), "blickschutz", "rathaus", "leitstelle"]
    return Refusal.GUESSABLE if zxcvbn(password[:72], user_inputs=words)["score"] < LEAST_SCORE else None
