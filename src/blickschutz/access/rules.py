"""Who may review, which roles exclude each other, and when a try to sign in is one too many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from blickschutz.access.model import Member, Role, Session

# VA-04: who administers sees no pictures; who reviews neither administers nor watches over the log.
SEPARATED = (
    (Role.ADMINISTRATION, Role.REVIEW),
    (Role.ADMINISTRATION, Role.CONTROL_ROOM),
    (Role.ADMINISTRATION, Role.SUPERVISION),
    (Role.ADMINISTRATION, Role.DATA_PROTECTION),
    (Role.DATA_PROTECTION, Role.REVIEW),
)
IDLE_S, LONGEST_S = 30 * 60.0, 12 * 3600.0
MOST_TRIES, TRIES_S = 5, 60.0


class Unfit(StrEnum):
    """Why a person may not review."""

    ROLE = "role"
    ADMINISTRATOR = "administrator"
    UNTRAINED = "untrained"
    TRAINING_OVER = "training-over"


def unfit(member: Member, today: date) -> Unfit | None:
    """Why `member` may not take a seat in a review room; None where they may."""
    if Role.ADMINISTRATION in member.roles:
        return Unfit.ADMINISTRATOR
    if not member.may(Role.REVIEW, Role.SUPERVISION):
        return Unfit.ROLE
    if member.trained_until is None:
        return Unfit.UNTRAINED
    return Unfit.TRAINING_OVER if member.trained_until < today else None


def is_over(session: Session, now: float) -> bool:
    """Whether a session has ended by itself: nobody did anything for half an hour, or it is twelve hours old."""
    return now - session.seen > IDLE_S or now - session.begun > LONGEST_S


def is_locked(tries: Sequence[float], now: float) -> bool:
    """Whether so many tries failed lately (monotonic times) that the next one is not even looked at."""
    return sum(now - at < TRIES_S for at in tries) >= MOST_TRIES
