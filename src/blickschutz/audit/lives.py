"""How long entries of the log live: until their limit, but for those on which something rests that is still there. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from blickschutz.audit.model import Event
from blickschutz.kernel.periods import DONE_S, add_months, end_of_months

_MONTH_ENDS = 4  # So many days end with one, at the end of February.
_SHORT_S = 86_400.0
# So much is counted time behind the machine's clock at most, without anybody being asked.
_BESIDE_S = 3 * 86_400.0

LASTING = frozenset(
    {
        # Whose signatures the log bears, who watches it, and what was lost or erased of it.
        Event.KEY_REPLACED,
        Event.WITNESS_BOUND,
        Event.LOG_ERASED,
        Event.LOSS_FOUND,
        Event.LOSS_ACCEPTED,
        Event.PICTURES_RENEWED,
        # The register of reviewers is compared with them one by one.
        Event.REVIEWERS_FOUNDED,
        Event.REVIEWER_CONFIRMED,
        Event.REVIEWER_REVOKED,
        # Proofs and what was printed for the public: the log is the only record of them (Art. 5(2) GDPR).
        Event.FACT_ENTERED,
        Event.FACT_SIGNED,
        Event.FACT_WITHDRAWN,
        Event.DOCUMENTS_PRINTED,
    }
)
"""Kept as long as the installation."""
STANDING = frozenset(
    {
        Event.SYSTEM_STARTED,
        Event.CAMERA_STOPPED,
        Event.CAMERA_RESUMED,
        Event.REGIME_SET,
        Event.REGIME_RELEASED,
        Event.CLOCK_COUNTED,
        Event.CLOCK_SUSPENDED,
        Event.CLOCK_RESUMED,
        Event.CLOCK_CONFIRMED,
        Event.ANCHOR_FAILED,
        Event.ANCHORED_AGAIN,
        Event.REVIEWER_ENROLLED,
        # With the hash of the key file: without the newest an older file would be the right one again.
        Event.PASSPHRASE_CHANGED,
        Event.REVIEWER_LEFT,
        Event.KEY_PRESENTED,
        Event.SHADOW_BEGAN,
        Event.SHADOW_OVER,
        Event.PLAN_PROPOSED,
        Event.PLAN_SET,
        Event.QUARANTINE_OVERDUE,
        Event.BACKUP_MADE,
        Event.RESTORE_TRIED,
        Event.RESTORED,
    }
)
"""The newest of each, for each subject, says how something stands now, and stays as long as it does."""


@dataclass(frozen=True, slots=True)
class Dated:
    """An entry as its limit sees it; `standing`: it is the newest of those that say how something stands."""

    number: int
    at: float
    event: str
    subject: str
    standing: bool = False


@dataclass(frozen=True, slots=True)
class LogLife:
    """The limit of the log: calendar months at the place, as all periods are reckoned (`kernel.periods`)."""

    months: int
    zone: tzinfo

    def ends(self, at: float) -> float:
        """When what was written at `at` must begin to end (POSIX), so that it is gone at its limit."""
        return end_of_months(at, self.months, self.zone) - DONE_S

    def whole_from(self, now: float) -> date:
        """The first day of which nothing is to end yet. A day ends as a whole, and none after a later one."""
        first = add_months(datetime.fromtimestamp(now, self.zone).date(), -self.months) - timedelta(days=_MONTH_ENDS)
        while end_of_months(datetime.combine(first, time(12), self.zone).timestamp(), self.months, self.zone) - DONE_S <= now:
            first += timedelta(days=1)
        return first


def ended(entries: Iterable[Dated], life: LogLife, now: float, bound: Callable[[], Collection[str]]) -> Iterator[int]:
    """The numbers of entries that are to end, of all in their order. `bound` are subjects on which something still rests, asked once
    and only where something is old enough: the custody of a clip is told as long as the clip is there.

    A clock that was wrong ends nothing early, and late only while nobody can know better: see `_settled`.
    """
    subjects = None
    for entry, at in _settled(entries, now):
        if life.ends(at) > now:
            return
        if entry.event in LASTING or entry.standing:
            continue
        subjects = bound() if subjects is None else subjects
        if entry.subject not in subjects:
            yield entry.number


def _settled(entries: Iterable[Dated], now: float) -> Iterator[tuple[Dated, float]]:
    """Each entry with the latest moment (POSIX) at which it can have been written.

    `now` is certain, and so is that between two entries as long passed as their dates say where that is a day at most, whatever the clock
    showed: whoever set it did it in one of the longer steps. So an entry is at least as old as the short steps after it together, and
    one dated later than that was dated ahead. Of the others one is dated well that is not before those before it, and not after a long
    step back for which no step forward made up. All else was written before the next that is dated well.
    """
    known = list(entries)
    latest, after = [0.0] * len(known), now + _BESIDE_S
    for index in range(len(known) - 1, -1, -1):
        latest[index] = after
        step = known[index].at - known[index - 1].at if index else 0.0
        after -= step if abs(step) <= _SHORT_S else 0.0
    waiting: list[tuple[Dated, float]] = []
    newest = last = float("-inf")
    behind = 0.0
    for entry, most in zip(known, latest, strict=True):
        waiting.append((entry, most))
        if entry.at > min(now, most):
            continue
        step, last = entry.at - last, entry.at
        if step < -_SHORT_S:
            behind -= step
        elif step > _SHORT_S:
            behind = behind - step if behind - step > _SHORT_S else 0.0
        if not behind and entry.at >= newest:
            newest = entry.at
            yield from ((one, min(newest, known_by)) for one, known_by in waiting)
            waiting.clear()
    yield from waiting
