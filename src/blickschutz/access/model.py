"""A person as the running system knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Role(StrEnum):
    """What a person may do (see the handbook)."""

    CONTROL_ROOM = "leitstelle"
    REVIEW = "sichtung"
    SUPERVISION = "aufsicht"
    ADMINISTRATION = "administration"
    DATA_PROTECTION = "datenschutz"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the site file. `trained_until` is the last day on which their training counts, None without one."""

    id: str
    name: str
    roles: frozenset[Role]
    trained_until: date | None = None

    def may(self, *roles: Role) -> bool:
        """Whether the person has one of `roles`."""
        return bool(self.roles.intersection(roles))


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person. Times are monotonic seconds."""

    person: str
    begun: float
    seen: float


class SignIn(StrEnum):
    """How a try to sign in ended."""

    OK = "ok"
    WRONG = "wrong"
    LOCKED = "locked"
