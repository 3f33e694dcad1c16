"""Sign in, sign out, who a session or a token belongs to."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import TypeAlias

from blickschutz.access.model import AccountState, Caller, FactorKind, Half, Member, Permission, Session, SignIn, Todo, Turned
from blickschutz.access.ports import Accounts, Factors, Passwords, Preferences, Tokens
from blickschutz.access.rules import MOST_STRANGE_CODES, PERSONAL, STRANGE_CODES_S, idle_s, permitted, todo
from blickschutz.access.service.devices import KnownDevices
from blickschutz.access.service.doors import Doors, Knock, Turns
from blickschutz.access.service.own import OwnAccount
from blickschutz.access.service.people import People
from blickschutz.access.service.sessions import Sessions, Tries, hashed
from blickschutz.access.service.totp import drift_of, step_of
from blickschutz.access.service.turned_away import TurnedAway
from blickschutz.access.voices import Voices
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.events import Topic

_NOTE_S = 60.0
NOWHERE = Caller()
Do: TypeAlias = Callable[[Callable[[], object]], object]


def _at_once(work: Callable[[], object]) -> None:
    work()


class Access:
    """The people of a site and their sessions. Safe to be called from several threads."""

    def __init__(
        self,
        accounts: Accounts,
        passwords: Passwords,
        factors: Factors,
        tokens: Tokens,
        preferences: Preferences,
        log: AuditLog,
        clock: Clock,
        secret: bytes = b"",
    ) -> None:
        """Known devices are signed with what comes of `secret`; without one they are known until the process ends."""
        self.accounts, self.passwords, self.factors, self.tokens = accounts, passwords, factors, tokens
        self.preferences = preferences
        self._log, self._clock = log, clock
        self.voices = Voices(lambda: self.members)
        # A password takes 46 MiB and a while to check: one at a time, whoever asks.
        self._turns = Turns()
        self.doors, self.turned = Doors(clock), TurnedAway(log, clock)
        self.devices = KnownDevices(secret or secrets.token_bytes(32), clock)
        self.tries = Tries(clock)
        self._codes, self._strange_codes = Tries(clock), Tries(clock, MOST_STRANGE_CODES, STRANGE_CODES_S)
        self.sessions = Sessions(clock, lambda person: idle_s(self.members.get(person)))
        self.people = People(accounts, passwords, factors, tokens, preferences, self.sessions, clock, self._lost)
        self.own = OwnAccount(accounts, passwords, factors, tokens, self.sessions, self.tries, log, clock)
        # Somebody signed out, or has other rights than before.
        self.lost: Topic[str] = Topic()
        self._noted: dict[int, float] = {}

    @property
    def members(self) -> Mapping[str, Member]:
        """Everybody with an account, by short name."""
        return self.accounts.members()

    def sign_in(self, person: str, password: str, knock: Knock, caller: Caller = NOWHERE) -> tuple[SignIn, str]:
        """The outcome; with `OK` the secret of a session, with `FACTOR` that of a half. Slow on purpose: call it in a thread.

        Whoever calls has counted and held the try (`doors`). For a name that nobody has the same is done, and the same comes of it.
        """
        with self._turns.turn(known=bool(caller.device)):
            fits = self.passwords.fits(person, password)
        member = self.members.get(person)
        if not fits or member is None or member.state is not AccountState.ACTIVE:
            self.turned.tell(Turned.WRONG, caller.place, person if member is not None else "")
            return SignIn.WRONG, ""
        self.doors.forget(knock)
        if self.factors.count(person):
            return SignIn.FACTOR, self.sessions.begin_half(person)
        return SignIn.OK, self._begin(person)

    def code(self, secret: str, code: str, caller: Caller = NOWHERE) -> tuple[SignIn, str, int | None]:
        """Hand in a code for a half: the outcome, the session's secret, and by how many seconds the device is off if that is why."""
        half = self.sessions.half(secret)
        if half is None:
            return SignIn.WRONG, "", None
        if not self.take_code(half.person, caller):
            self.turned.tell(Turned.LOCKED, caller.place, half.person)
            return SignIn.LOCKED, "", None
        now, digits = self._clock.now(), "".join(code.split())
        for factor in self.factors.of(half.person):
            if factor.kind is FactorKind.TOTP:
                step = step_of(factor.secret, digits, now)
                if step is not None and self.factors.used(factor.id, step):
                    return SignIn.OK, self.complete(secret, half, caller), None
        self.turned.tell(Turned.FACTOR, caller.place, half.person)
        apart = [drift_of(one.secret, digits, now) for one in self.factors.of(half.person) if one.kind is FactorKind.TOTP]
        return SignIn.WRONG, "", next((by for by in apart if by), None)

    def take_code(self, person: str, caller: Caller) -> bool:
        """Whether one more second factor is looked at. No try of a password counts here: this way stays open."""
        if caller.device:
            return self._codes.take(f"{person} {caller.device}")
        return self._codes.take(f"{person} {caller.place}") and self._strange_codes.take(person)

    def complete(self, secret: str, half: Half, caller: Caller = NOWHERE) -> str:
        """The second factor was right: from half to session."""
        self.sessions.end_half(secret)
        self._codes.forget(f"{half.person} {caller.device or caller.place}")
        return self._begin(half.person)

    def begin(self, person: str) -> str:
        """A session for somebody who has just proven who they are by a code for the first sign-in."""
        return self._begin(person)

    def who(self, token: str, *, touch: bool = True) -> tuple[Member | None, Todo | None]:
        """Whose session `token` is and what they must do first; (None, None) where there is none, or it has ended by itself."""
        session = self.sessions.find(token, touch=touch)
        member = self._active(session)
        return (member, session.todo) if member is not None and session is not None else (None, None)

    def _active(self, session: Session | None) -> Member | None:
        member = self.members.get(session.person) if session is not None else None
        return member if member is not None and member.state is AccountState.ACTIVE else None

    def bearer(self, token: str, do: Do = _at_once) -> tuple[Member, frozenset[Permission]] | None:
        """Whose token that is, and what it may do now: its scopes, as far as its person may do that today.

        Once a minute its use is noted; `do` has that done, so that nobody waits for it.
        """
        found = self.tokens.find(hashed(token))
        member = self.members.get(found.person) if found is not None else None
        if found is None or member is None or member.state is not AccountState.ACTIVE:
            return None
        now = self._clock.now()
        if now - max(found.used or 0.0, self._noted.get(found.id, 0.0)) > _NOTE_S:
            self._noted[found.id] = now
            do(lambda: self.tokens.used(found.id))
        return member, (found.scopes & permitted(member)) - PERSONAL

    def sign_out(self, token: str, do: Do = _at_once) -> None:
        """The session has ended in any case; `do` has that written."""
        session = self.sessions.end(token)
        if session is not None:
            self._lost(session.person)
            do(lambda: self._log.write(Event.SIGNED_OUT, session.person))

    def _begin(self, person: str) -> str:
        self._log.write(Event.SIGNED_IN, person)
        return self.sessions.begin(person, todo(self.members[person], self.factors.count(person)))

    def _lost(self, person: str) -> None:
        """Somebody lost rights or left: whatever they have open elsewhere ends too."""
        self.lost.tell(person)
