"""Deadlines and what an answer must have. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from blickschutz.kernel.periods import IsHoliday, add_months, moved_on, no_holiday
from blickschutz.rights.model import Duty, Outcome, Problem, Request, RequestEvent, RequestState, Right, Settlement

State, Event = RequestState, RequestEvent

TRANSITIONS: Mapping[tuple[RequestState, RequestEvent], RequestState] = {
    (State.OPEN, Event.PREPARED): State.PREPARED,
    (State.PREPARED, Event.RETURNED): State.OPEN,
    (State.PREPARED, Event.CONFIRMED): State.ANSWERED,
}
MONTHS, MOST_MONTHS = 1, 3
"""Art. 12(3) GDPR: one month, at most two further ones."""
DUTY_MONTHS = 1
"""Art. 14(3)(a) GDPR: within a month at the latest."""
NEAR_DAYS = 7
KEEP_YEARS = 3
"""How long name and contact are kept after the answer, as proof that it was given (Art. 5(2) GDPR; to be verified for each place)."""
WIDEST_S = 31 * 86_400.0
_YEAR_MONTHS = 12


def deadline(request: Request) -> date:
    """The last day on which the answer should be given. An end on a Sunday or holiday is not moved on here: who answers earlier errs on
    the safe side. Whether an answer is late is another question (`is_late`)."""
    return add_months(request.received, MOST_MONTHS if request.extension is not None else MONTHS)


def is_late(request: Request, today: date, is_holiday: IsHoliday = no_holiday) -> bool:
    """Whether the answer is overdue, or came too late: after the next working day where the period ends on none."""
    end = moved_on(deadline(request), is_holiday)
    if request.state is RequestState.ANSWERED and request.answer is not None:
        return request.answer.day > end
    return today > end


def is_near(request: Request, today: date) -> bool:
    """Whether somebody should hurry."""
    return request.state is not RequestState.ANSWERED and (deadline(request) - today).days <= NEAR_DAYS


def may_extend(request: Request, today: date) -> Problem | None:
    """Within the first month only, once, and while it is open."""
    if request.state is not RequestState.OPEN or request.extension is not None:
        return Problem.NOT_NOW
    return Problem.TOO_LATE if today > add_months(request.received, MONTHS) else None


def unfit(request: Request, outcome: Outcome, text: str) -> Problem | None:
    """Why such an answer cannot be given."""
    if outcome in {Outcome.REFUSED, Outcome.NOT_IDENTIFIED} and not text.strip():
        return Problem.REASON
    if outcome is Outcome.GRANTED and not request.identity:
        return Problem.IDENTITY
    needs_recording = {Right.ACCESS, Right.ERASURE, Right.RESTRICTION}.intersection(request.rights)
    if outcome is Outcome.GRANTED and needs_recording and not request.restricted:
        return Problem.NO_RECORDING
    if outcome is Outcome.NOTHING_FOUND and request.restricted:
        return Problem.STILL_RECORDINGS
    return None


def erases(request: Request) -> bool:
    """Whether the answer means that the recordings are destroyed now."""
    return Right.ERASURE in request.rights and request.answer is not None and request.answer.outcome is Outcome.GRANTED


def to_be_erased(request: Request, today: date) -> bool:
    """Whether name and contact of whoever asked are no longer needed."""
    if request.erased is not None or request.answer is None or request.state is not RequestState.ANSWERED:
        return False
    return today > add_months(request.answer.day, KEEP_YEARS * _YEAR_MONTHS)


def is_duty_to_be_erased(duty: Duty, today: date) -> bool:
    """Whether what was noted of a duty that is met, and by whom, is no longer needed: as long as a request with its answer."""
    met = duty.settled
    if met is None or met.settlement is Settlement.DEFERRED or not met.by:
        return False
    return today > add_months(met.day, KEEP_YEARS * _YEAR_MONTHS)


def due(duty: Duty) -> date | None:
    """The last day on which somebody must be told, or a deferral be looked at again; None where nothing is to be done any more."""
    if duty.settled is None:
        return add_months(duty.since, DUTY_MONTHS)
    return duty.settled.until if duty.settled.settlement is Settlement.DEFERRED else None


def is_unmet(duty: Duty, today: date, is_holiday: IsHoliday = no_holiday) -> bool:
    """Whether a duty is overdue. The day of a deferral was set by people and does not move."""
    end = due(duty)
    if end is not None and duty.settled is None:
        end = moved_on(end, is_holiday)
    return end is not None and today > end
