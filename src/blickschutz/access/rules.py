"""Who may do what, which roles exclude each other, when a session ends, and when a try to sign in is one too many."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from blickschutz.access.model import Member, Permission, Role, Session, Todo

_L, _S, _A, _T, _D = Role.CONTROL_ROOM, Role.REVIEW, Role.SUPERVISION, Role.ADMINISTRATION, Role.DATA_PROTECTION
_ALL = frozenset(Role)

# The one table of who may do what (docs/design/access.md). PUBLIC asks for no sign-in at all.
PERMISSIONS: Mapping[Permission, frozenset[Role]] = {
    Permission.PUBLIC: _ALL,
    Permission.OWN: _ALL,
    Permission.PLAN: _ALL,
    # Art. 14 AI Act: whoever sees that something is wrong can stop; to start again takes those who watch.
    Permission.STOP: _ALL,
    Permission.RESUME: frozenset({_L, _A}),
    Permission.WALL: frozenset({_L}),
    Permission.ALERTS: frozenset({_L}),
    Permission.DECIDE: frozenset({_L}),
    Permission.RECORD: frozenset({_L}),
    Permission.REGIME: frozenset({_L, _A}),
    Permission.CASES: frozenset({_S, _A}),
    Permission.REVIEW: frozenset({_S, _A}),
    Permission.EVIDENCE: frozenset({_A}),
    # It takes two different people: with review among them, one supervisor is enough.
    Permission.CLOCK: frozenset({_S, _A}),
    Permission.KEEPING: frozenset({_A}),
    # What cameras cost in false alarms is for all who answer for it; a threshold is laid by who answers for the watch.
    Permission.SENSITIVITY: frozenset({_L, _A, _T, _D}),
    Permission.ADJUST: frozenset({_A}),
    Permission.LOG: frozenset({_D}),
    Permission.HEALTH: frozenset({_L, _A, _T, _D}),
    Permission.FIGURES: frozenset({_T}),
    # Numbers alone, for whoever looks after several sites (docs/design/overview.md).
    Permission.OVERVIEW: frozenset({_T}),
    Permission.SETTINGS: frozenset({_T, _D}),
    # Who proposes changes of settings, and who confirms them.
    Permission.VERSIONS: frozenset({_A, _T, _D}),
    # Single redacted pictures to draw on, each in the log; no other picture is for whoever administers.
    Permission.SETUP: frozenset({_T}),
    Permission.POLICY: frozenset({_T, _D}),
    # Which of them signs what is another question (compliance/entered.py).
    Permission.FACTS: frozenset({_A, _T, _D}),
    Permission.REQUESTS: frozenset({_A, _D}),
    Permission.PEOPLE: frozenset({_A, _T, _D}),
    Permission.PROPOSE: frozenset({_T}),
    Permission.CONFIRM: frozenset({_A, _D}),
}
# Live pictures and recordings, redacted or not, or the way to them.
PICTURES = frozenset({Permission.WALL, Permission.ALERTS, Permission.CASES, Permission.REVIEW, Permission.EVIDENCE})
# What a token may never do: people and rights are changed by people, a review takes two of them in a room, who asks
# for their data is dealt with by people too, and so is a clock that nobody is sure of.
PERSONAL = frozenset(
    {
        Permission.PUBLIC,
        Permission.OWN,
        Permission.REVIEW,
        Permission.CLOCK,
        Permission.KEEPING,
        Permission.ADJUST,
        Permission.FACTS,
        Permission.REQUESTS,
        Permission.PROPOSE,
        Permission.CONFIRM,
        Permission.SETUP,
    }
)

# VA-04: who administers sees neither live picture nor recording; who watches over the log sees none either; who reviews does neither.
SEPARATED = (
    (_T, _S),
    (_T, _L),
    (_T, _A),
    (_T, _D),
    (_D, _S),
    (_D, _L),
    (_D, _A),
)
SECOND_FACTOR = frozenset({_S, _A, _T})
IDLE_S, LONGEST_S = 30 * 60.0, 12 * 3600.0
HALF_S = 5 * 60.0
MOST_TRIES, TRIES_S = 5, 60.0
# Codes of a half from devices that the account does not know: whoever makes these has the password.
MOST_STRANGE_CODES, STRANGE_CODES_S = 20, 3600.0
CODE_S = 72 * 3600.0
LEAST_PASSWORD, MOST_PASSWORD = 12, 200
LEAST_SCORE = 3
MOST_TOKEN_DAYS = 90
STEP_S, DIGITS, DRIFT_STEPS = 30, 6, 1
REMEMBERED_S = 15 * 60.0
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long tries are held: `steps` of (tries lately, seconds), the most first; how many are held at once, and looked at in a minute
    (0: any number).
    """

    steps: tuple[tuple[int, float], ...]
    at_once: int = 0
    a_minute: int = 0


# A device that an account knows has a count of its own, which nobody else's tries touch. Of all others count: the name together
# with where it is asked from, where it is asked from whatever the name, and the name wherever it is asked from.
OF_DEVICE = OF_PAIR = Patience(((8, 4.0), (6, 2.0), (5, 1.0)), at_once=2, a_minute=10)
OF_PLACE = Patience(((60, 4.0), (20, 1.0)), at_once=4)
OF_NAME = Patience(((30, 2.0),))


class Unfit(StrEnum):
    """Why a person may not review."""

    ROLE = "role"
    ADMINISTRATOR = "administrator"
    UNTRAINED = "untrained"
    TRAINING_OVER = "training-over"


def may(member: Member | None, permission: Permission) -> bool:
    """Whether somebody may do that; `PUBLIC` is for everybody, signed in or not."""
    return permission is Permission.PUBLIC or (member is not None and member.may(*PERMISSIONS[permission]))


def permitted(member: Member) -> frozenset[Permission]:
    """Everything that somebody may do."""
    return frozenset(one for one in Permission if may(member, one))


def unfit(member: Member, today: date) -> Unfit | None:
    """Why `member` may not take a seat in a review room; None where they may."""
    if Role.ADMINISTRATION in member.roles:
        return Unfit.ADMINISTRATOR
    if not member.may(Role.REVIEW, Role.SUPERVISION):
        return Unfit.ROLE
    if member.trained_until is None:
        return Unfit.UNTRAINED
    return Unfit.TRAINING_OVER if member.trained_until < today else None


def separated(roles: Iterable[Role]) -> tuple[Role, Role] | None:
    """Two of `roles` that one person must not have together; None where they may."""
    held = set(roles)
    return next(((a, b) for a, b in SEPARATED if a in held and b in held), None)


def needs_factor(member: Member) -> bool:
    """Whether a second factor is required (SI-03)."""
    return bool(member.roles & SECOND_FACTOR)


def todo(member: Member, factors: int) -> Todo | None:
    """What somebody must do before anything else: change a password that another set, add the factor their role needs."""
    if member.must_change:
        return Todo.PASSWORD
    return Todo.FACTOR if needs_factor(member) and not factors else None


def gives(before: Member, roles: frozenset[Role], trained_until: date | None) -> bool:
    """Whether a change gives somebody more than they have: it takes a second person. Taking away takes one."""
    return bool(roles - before.roles) or (trained_until or date.min) > (before.trained_until or date.min)


def idle_s(member: Member | None) -> float:
    """How long somebody's session lasts without a request. A wall that stands for a shift is watched, not clicked."""
    return LONGEST_S if member is not None and member.roles <= {Role.CONTROL_ROOM} else IDLE_S


def is_over(session: Session, now: float, idle: float = IDLE_S) -> bool:
    """Whether a session has ended by itself: nobody did anything for `idle` seconds, or it is twelve hours old."""
    return now - session.seen > idle or now - session.begun > LONGEST_S


def is_locked(tries: Sequence[float], now: float, most: int = MOST_TRIES, within_s: float = TRIES_S) -> bool:
    """Whether so many tries failed lately (monotonic times) that the next one is not even looked at."""
    return sum(now - at < within_s for at in tries) >= most


def wait_s(patience: Patience, tries: Sequence[float], now: float) -> float:
    """For how many seconds the next try is held after these (monotonic times) before it is looked at."""
    lately = sum(now - at < REMEMBERED_S for at in tries)
    return next((seconds for least, seconds in patience.steps if lately >= least), 0.0)


def is_too_many(patience: Patience, tries: Sequence[float], now: float) -> bool:
    """Whether so many were looked at within a minute (monotonic times) that the next one is not."""
    return bool(patience.a_minute) and is_locked(tries, now, patience.a_minute)


def place_of(address: str) -> str:
    """Where somebody asks from: an IPv4 address, or the network of an IPv6 address, in which a machine takes any it likes."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:60]
    if isinstance(known, ipaddress.IPv6Address):
        mapped = known.ipv4_mapped
        return str(mapped) if mapped is not None else str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)


def is_short_name(value: str) -> bool:
    """Whether `value` can be somebody's short name."""
    return _ID.fullmatch(value) is not None


def steps(now: float) -> range:
    """The time steps (RFC 6238) whose codes count at `now` (POSIX): one before and one after, for clocks that drift."""
    step = int(now // STEP_S)
    return range(step - DRIFT_STEPS, step + DRIFT_STEPS + 1)
