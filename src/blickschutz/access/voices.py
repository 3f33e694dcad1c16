"""Decisions that two people make: whose voice counts, asked at the moment at which both are put together.

A proposal is the first of two voices. Whoever was blocked since, or has another role now, has none any more: what they proposed waits
for somebody else to propose it. Every desk that puts two voices together asks here; `tests/unit/test_voices.py` finds one that does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from blickschutz.access.model import AccountState, Member, Permission
from blickschutz.access.rules import may


class Decision(StrEnum):
    """What takes two people."""

    ACCOUNT = "account"
    SETTINGS = "settings"
    PLAN = "plan"
    FACT = "fact"
    CLOCK = "clock"
    LOSS = "loss"
    FATE = "fate"
    HOLD = "hold"
    VERDICT = "verdict"
    UNMASK = "unmask"
    RELEASE = "release"
    REQUEST = "request"
    REVIEWER = "reviewer"
    HOST = "host"


class Lack(StrEnum):
    """Why two voices are not two: one person has both; the first may no longer decide; the second may not."""

    SAME = "same"
    LEFT = "left"
    MAY_NOT = "may-not"


_BOTH_REVIEW = (Permission.REVIEW, Permission.REVIEW)
_PROPOSED = (Permission.PROPOSE, Permission.CONFIRM)
VOICES: Mapping[Decision, tuple[Permission, Permission]] = {
    Decision.ACCOUNT: _PROPOSED,
    Decision.SETTINGS: _PROPOSED,
    Decision.PLAN: _PROPOSED,
    Decision.HOST: _PROPOSED,
    Decision.FACT: (Permission.FACTS, Permission.FACTS),
    Decision.CLOCK: (Permission.CLOCK, Permission.CLOCK),
    Decision.LOSS: (Permission.KEEPING, Permission.KEEPING),
    Decision.FATE: (Permission.KEEPING, Permission.KEEPING),
    Decision.HOLD: _BOTH_REVIEW,
    Decision.VERDICT: _BOTH_REVIEW,
    Decision.UNMASK: _BOTH_REVIEW,
    Decision.REVIEWER: _BOTH_REVIEW,
    Decision.RELEASE: (Permission.EVIDENCE, Permission.REVIEW),
    Decision.REQUEST: (Permission.REQUESTS, Permission.REQUESTS),
}
"""What the first of two must be allowed, and what the second."""


class Voices:
    """`members` is everybody with an account, as it is when somebody asks. Reads a database at most once a second."""

    def __init__(self, members: Callable[[], Mapping[str, Member]]) -> None:
        self._members = members

    def counts(self, decision: Decision, person: str) -> bool:
        """Whether somebody's first voice still counts."""
        return self._may(person, VOICES[decision][0])

    def seconds(self, decision: Decision, person: str) -> bool:
        """Whether somebody may put the second voice to another's."""
        return self._may(person, VOICES[decision][1])

    def lack(self, decision: Decision, first: Iterable[str], second: str) -> Lack | None:
        """Why the voices of `first` and of `second` do not decide together; None where they do."""
        given = tuple(first)
        if second in given:
            return Lack.SAME
        if not given or not all(self.counts(decision, one) for one in given):
            return Lack.LEFT
        return None if self.seconds(decision, second) else Lack.MAY_NOT

    def _may(self, person: str, permission: Permission) -> bool:
        member = self._members().get(person)
        return member is not None and member.state is not AccountState.BLOCKED and may(member, permission)
