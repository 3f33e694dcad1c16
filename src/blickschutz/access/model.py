"""A person as the running system knows them, what they may do, and how they prove who they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Role(StrEnum):
    """What a person is in this house (see the handbook)."""

    CONTROL_ROOM = "leitstelle"
    REVIEW = "sichtung"
    SUPERVISION = "aufsicht"
    ADMINISTRATION = "administration"
    DATA_PROTECTION = "datenschutz"


class Permission(StrEnum):
    """What somebody may do. Every route names one; `rules.PERMISSIONS` says which roles have it."""

    PUBLIC = "public"
    OWN = "own"
    PLAN = "plan"
    STOP = "stop"
    RESUME = "resume"
    WALL = "wall"
    ALERTS = "alerts"
    DECIDE = "decide"
    RECORD = "record"
    REGIME = "regime"
    CASES = "cases"
    REVIEW = "review"
    EVIDENCE = "evidence"
    CLOCK = "clock"
    KEEPING = "keeping"
    SENSITIVITY = "sensitivity"
    ADJUST = "adjust"
    LOG = "log"
    HEALTH = "health"
    FIGURES = "figures"
    OVERVIEW = "overview"
    SETTINGS = "settings"
    VERSIONS = "versions"
    SETUP = "setup"
    POLICY = "policy"
    FACTS = "facts"
    REQUESTS = "requests"
    PEOPLE = "people"
    PROPOSE = "propose"
    CONFIRM = "confirm"


class AccountState(StrEnum):
    """Where an account is in its life."""

    INVITED = "invited"
    ACTIVE = "active"
    BLOCKED = "blocked"


class FactorKind(StrEnum):
    """Kinds of second factors."""

    TOTP = "totp"
    KEY = "key"


class Todo(StrEnum):
    """What somebody must do before they can do anything else."""

    PASSWORD = "password"
    FACTOR = "factor"


class ChangeKind(StrEnum):
    """What is proposed for an account and takes a second person."""

    INVITE = "invite"
    RIGHTS = "rights"
    RECOVER = "recover"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with an account. `trained_until` is the last day on which their training counts, None without one."""

    id: str
    name: str
    roles: frozenset[Role]
    trained_until: date | None = None
    state: AccountState = AccountState.ACTIVE
    must_change: bool = False

    def may(self, *roles: Role) -> bool:
        """Whether the person has one of `roles`."""
        return bool(self.roles.intersection(roles))


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person. Times are monotonic seconds. `todo` is what they must do first, None where nothing is open."""

    person: str
    begun: float
    seen: float
    todo: Todo | None = None


@dataclass(frozen=True, slots=True)
class Half:
    """Somebody whose password was right and whose second factor is still to come; `challenge` is that of a security key."""

    person: str
    begun: float
    challenge: object = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks before signing in: from where (`rules.place_of`), and the number of their device where the account knows it."""

    place: str = ""
    device: str = ""


class Turned(StrEnum):
    """Why somebody unknown was turned away."""

    WRONG = "wrong"
    LOCKED = "locked"
    FACTOR = "factor"
    CODE = "code"
    TOKEN = "token"
    FOREIGN = "foreign"
    NOT_SIGNED_IN = "not-signed-in"


@dataclass(frozen=True, slots=True)
class Factor:
    """A second factor of a person. `secret` is the shared secret (TOTP) or the credential (security key), in the open.

    `last` is the newest time step used (TOTP), or the signature counter (security key).
    """

    id: int
    person: str
    kind: FactorKind
    name: str
    secret: bytes
    last: int
    added: float
    used: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """A proposal about an account: by whom, and what would be. It waits for a second person."""

    id: int
    kind: ChangeKind
    person: str
    name: str
    roles: frozenset[Role]
    trained_until: date | None
    by: str
    at: float


@dataclass(frozen=True, slots=True)
class Token:
    """A token for programs; it acts as its person, within `scopes`. The token itself is nowhere, only its hash."""

    id: int
    person: str
    name: str
    scopes: frozenset[Permission]
    created: float
    until: float
    used: float | None


class SignIn(StrEnum):
    """How a try to sign in ended."""

    OK = "ok"
    FACTOR = "factor"
    WRONG = "wrong"
    LOCKED = "locked"


class Refusal(StrEnum):
    """Why a change of an account was not made."""

    SEPARATED = "separated"
    NO_ROLE = "no-role"
    ID = "id"
    NAME = "name"
    TAKEN = "taken"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    SELF = "self"
    LEFT = "left"
    LAST = "last"
    NOT_THERE = "not-there"
    NOTHING = "nothing"
    CODE = "code"
    SHORT = "short"
    GUESSABLE = "guessable"
    DIFFERENT = "different"
    LOCKED = "locked"
    WRONG = "wrong"
    FACTOR = "factor"
    LAST_FACTOR = "last-factor"
    SCOPE = "scope"
    DAYS = "days"
    DATE = "date"
