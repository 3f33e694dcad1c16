"""Accounts of others. Taking something away takes one administrator; giving something takes two people."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date

from blickschutz.access.model import AccountState, Change, ChangeKind, Member, Refusal, Role
from blickschutz.access.ports import Accounts, Factors, Passwords, Preferences, Tokens
from blickschutz.access.rules import CODE_S, gives, is_short_name, separated
from blickschutz.access.service.sessions import Sessions, hashed
from blickschutz.access.voices import Decision, Lack, Voices
from blickschutz.kernel.clock import Clock

# Without 0, O, 1, I, L: read out over a desk and typed once.
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
HALF_LENGTH = 12
_MOST_NAME = 80


class People:
    """What an administrator proposes and a second person confirms. `lost` hears of everybody who has less than before."""

    def __init__(
        self,
        accounts: Accounts,
        passwords: Passwords,
        factors: Factors,
        tokens: Tokens,
        preferences: Preferences,
        sessions: Sessions,
        clock: Clock,
        lost: Callable[[str], None],
    ) -> None:
        self._accounts, self._passwords, self._factors, self._tokens = accounts, passwords, factors, tokens
        self._preferences = preferences
        self._sessions, self._clock, self._lost = sessions, clock, lost
        self._voices = Voices(accounts.members)

    def confirmers(self, change: Change) -> list[Member]:
        """Who could confirm a proposal; nobody where whoever made it may no longer."""
        return [one for one in self._accounts.members().values() if self._lack(one, change) is None]

    def is_left(self, change: Change) -> bool:
        """Whether whoever proposed it may no longer: somebody else has to propose it anew."""
        return not self._voices.counts(Decision.ACCOUNT, change.by)

    def invite(self, by: str, person: str, name: str, roles: frozenset[Role], trained_until: date | None) -> Refusal | str:
        """Propose an account; the first half of the code for whoever proposes. The second half goes to whoever confirms."""
        if not is_short_name(person):
            return Refusal.ID
        if not name.strip() or len(name.strip()) > _MOST_NAME:
            return Refusal.NAME
        if person in self._accounts.members():
            return Refusal.TAKEN
        problem = _roles_problem(roles)
        return problem or self._propose(Change(0, ChangeKind.INVITE, person, name.strip(), roles, trained_until, by, 0.0))

    def recover(self, by: str, person: str) -> Refusal | str:
        """Propose a new code for somebody who lost password or second factor, or who never had one; its first half."""
        member = self._accounts.members().get(person)
        if member is None:
            return Refusal.UNKNOWN
        if person == by:
            return Refusal.SELF
        return self._propose(Change(0, ChangeKind.RECOVER, person, member.name, member.roles, member.trained_until, by, 0.0))

    def change(self, by: str, person: str, roles: frozenset[Role], trained_until: date | None) -> Refusal | bool:
        """Change what somebody may: True where it is done, False where it waits for a second person."""
        member = self._accounts.members().get(person)
        if member is None:
            return Refusal.UNKNOWN
        if person == by:
            return Refusal.SELF
        problem = _roles_problem(roles)
        if problem is not None:
            return problem
        if (roles, trained_until) == (member.roles, member.trained_until):
            return Refusal.NOTHING
        if self._is_last_administrator(member, roles):
            return Refusal.LAST
        if gives(member, roles, trained_until):
            self._propose(Change(0, ChangeKind.RIGHTS, person, member.name, roles, trained_until, by, 0.0))
            return False
        self._accounts.set_rights(person, roles, trained_until, [by])
        self._end(person)
        return True

    def block(self, by: str, person: str) -> Refusal | None:
        """Somebody leaves, or must be kept out at once: password, factors, tokens and sessions are gone."""
        member = self._accounts.members().get(person)
        if member is None:
            return Refusal.UNKNOWN
        if person == by:
            return Refusal.SELF
        if self._is_last_administrator(member, frozenset()):
            return Refusal.LAST
        self._accounts.set_state(person, AccountState.BLOCKED, by)
        self._forget(person, by)
        return None

    def confirm(self, by: Member, number: int) -> Refusal | tuple[Change, str]:
        """Confirm a proposal: what it was, and the second half of a code where it needs one."""
        change = next((one for one in self._accounts.changes() if one.id == number), None)
        if change is None:
            return Refusal.NOT_THERE
        refused = self._lack(by, change)
        if refused is not None:
            return refused
        if change.kind is ChangeKind.INVITE and change.person in self._accounts.members():
            # Somebody has that name by now: the code would be for their account, with other roles than those on the page.
            self._accounts.withdraw(number, by.id)
            return Refusal.TAKEN
        half = new_half() if change.kind is not ChangeKind.RIGHTS else ""
        made = self._accounts.confirm(number, by.id, hashed(half), self._clock.now() + CODE_S)
        if made is None:
            return Refusal.NOT_THERE
        self._end(change.person)
        return made, half

    def withdraw(self, by: str, number: int) -> Refusal | None:
        return None if self._accounts.withdraw(number, by) else Refusal.NOT_THERE

    def set_temporary(self, person: str, password: str, by: str) -> None:
        """A password from the server's own terminal; whoever signs in with it must change it first."""
        self._passwords.set(person, password, by)
        self._accounts.set_state(person, AccountState.ACTIVE, by)
        self._accounts.set_must_change(person, True)

    def issue(self, person: str, by: str) -> str:
        """A whole code from the server's own terminal, for the first people of a site; whoever sits there owns the machine."""
        first, second = new_half(), new_half()
        self._accounts.put_code(person, hashed(first), hashed(second), self._clock.now() + CODE_S, [by])
        return f"{first}{second}"

    def redeem(self, person: str, code: str) -> bool:
        """Whether that is the code of `person`. Nothing changes; see `OwnAccount.begin`."""
        kept = self._accounts.code(person)
        clean = "".join(code.split()).replace("-", "").upper()
        first, second = hashed(clean[:HALF_LENGTH]), hashed(clean[HALF_LENGTH:])
        return kept is not None and secrets.compare_digest("".join(kept), first + second)

    def _propose(self, change: Change) -> str:
        half = new_half() if change.kind is not ChangeKind.RIGHTS else ""
        self._accounts.propose(change, hashed(half))
        return half

    def _lack(self, one: Member, change: Change) -> Refusal | None:
        """Why `one` cannot confirm a proposal; None where they can."""
        lack = self._voices.lack(Decision.ACCOUNT, (change.by,), one.id)
        if lack is Lack.LEFT:
            return Refusal.LEFT
        return Refusal.SELF if lack is not None or one.state is not AccountState.ACTIVE or one.id == change.person else None

    def _is_last_administrator(self, member: Member, roles: frozenset[Role]) -> bool:
        goes = Role.ADMINISTRATION in member.roles and Role.ADMINISTRATION not in roles
        return goes and not self._accounts.any_active(Role.ADMINISTRATION, but=member.id)

    def _end(self, person: str) -> None:
        """Whoever has other rights than before signs in anew: nothing that is open goes on under the old ones."""
        self._sessions.end_all(person)
        self._lost(person)

    def _forget(self, person: str, by: str) -> None:
        self._passwords.drop(person)
        self._preferences.drop(person)
        self._factors.remove(person, None, by)
        self._tokens.remove(person, None, by)
        self._end(person)


def new_half() -> str:
    """Half a code: 12 letters, 59 bits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(HALF_LENGTH))


def _roles_problem(roles: frozenset[Role]) -> Refusal | None:
    if not roles:
        return Refusal.NO_ROLE
    return Refusal.SEPARATED if separated(roles) is not None else None
