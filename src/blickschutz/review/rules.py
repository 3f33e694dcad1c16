"""The four-eyes table: what a verdict leads to; the diagram in the documentation is drawn from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from blickschutz.review.model import (
    Beside,
    Case,
    CaseEvent,
    CaseState,
    Fate,
    GivenVerdict,
    Hold,
    QuarantineReason,
    Refusal,
    Verdict,
)

State, Event = CaseState, CaseEvent
DISCARDED = "discarded"
_TWO = 2

TRANSITIONS: Mapping[tuple[CaseState, CaseEvent], CaseState] = {
    (State.RECORDING, Event.CLOSED): State.WAITING,
    (State.RECORDING, Event.EXPIRED): State.DESTROYING,
    (State.WAITING, Event.FIRST_VERDICT): State.SECOND,
    (State.WAITING, Event.EXPIRED): State.DESTROYING,
    (State.WAITING, Event.HELD_BY_TWO): State.HELD,
    (State.WAITING, Event.ERASURE_GRANTED): State.DESTROYING,
    (State.WAITING, Event.UNSAFE_REDACTION): State.DESTROYING,
    # Whoever was first, or one of two who differed, may no longer review: their verdict counts no more.
    (State.SECOND, Event.FIRST_VERDICT): State.SECOND,
    (State.THIRD, Event.FIRST_VERDICT): State.SECOND,
    (State.THIRD, Event.DISAGREED): State.THIRD,
    (State.SECOND, Event.AGREED_HARMLESS): State.DESTROYING,
    (State.SECOND, Event.AGREED_INCIDENT): State.HELD,
    (State.SECOND, Event.DISAGREED): State.THIRD,
    (State.SECOND, Event.EXPIRED): State.DESTROYING,
    (State.SECOND, Event.HELD_BY_TWO): State.HELD,
    (State.SECOND, Event.ERASURE_GRANTED): State.DESTROYING,
    (State.SECOND, Event.UNSAFE_REDACTION): State.DESTROYING,
    (State.THIRD, Event.AGREED_HARMLESS): State.DESTROYING,
    (State.THIRD, Event.AGREED_INCIDENT): State.HELD,
    (State.THIRD, Event.EXPIRED): State.DESTROYING,
    (State.THIRD, Event.HELD_BY_TWO): State.HELD,
    (State.THIRD, Event.ERASURE_GRANTED): State.DESTROYING,
    (State.THIRD, Event.UNSAFE_REDACTION): State.DESTROYING,
    (State.HELD, Event.HELD_BY_TWO): State.HELD,
    (State.HELD, Event.HOLD_OVER): State.DESTROYING,
    (State.DESTROYING, Event.SHREDDED): State.DESTROYED,
    (State.WAITING, Event.CONTRADICTED): State.QUARANTINED,
    (State.SECOND, Event.CONTRADICTED): State.QUARANTINED,
    (State.THIRD, Event.CONTRADICTED): State.QUARANTINED,
    (State.DESTROYING, Event.CONTRADICTED): State.QUARANTINED,
    (State.DESTROYED, Event.CONTRADICTED): State.QUARANTINED,
    (State.QUARANTINED, Event.RELEASED_BY_TWO): State.WAITING,
    (State.QUARANTINED, Event.HELD_BY_TWO): State.HELD,
    (State.QUARANTINED, Event.DISCARDED_BY_TWO): State.DESTROYING,
    (State.DESTROYED, Event.CAME_BACK): State.DESTROYING,
}

REVIEWABLE = frozenset({State.WAITING, State.SECOND, State.THIRD})
OPENABLE = REVIEWABLE | {State.HELD}
THERE = OPENABLE | {State.RECORDING, State.QUARANTINED}
# What deadlines end. Nothing ends what is in quarantine but two people.
MORTAL = OPENABLE | {State.RECORDING}
# What a row says of itself is not known where the head of its clip is not: when it was opened, so when it would end.
_UNREADABLE = frozenset({QuarantineReason.HEAD_DAMAGED, QuarantineReason.RENAMED})
DECIDE_WITHIN_S = 3 * 86_400.0


def next_state(state: CaseState, event: CaseEvent) -> CaseState | None:
    """The state after `event`; None where that cannot happen (any more)."""
    return TRANSITIONS.get((state, event))


def is_harmless(verdict: Verdict) -> bool:
    """ "Kein Vorfall" and "Fehlalarm" both say that there was nothing to keep."""
    return verdict is not Verdict.INCIDENT


def judge(state: CaseState, given: Sequence[GivenVerdict], new: GivenVerdict) -> CaseEvent | Refusal:
    """What a new verdict leads to, or why it is not taken. `given` are those that count: of people who may still review.

    Two who both find nothing to keep agree, whether they call it no incident or a false alarm: keeping it would be
    unlawful. Of three the majority decides.
    """
    if state not in REVIEWABLE:
        return Refusal.NOT_NOW
    if any(one.person == new.person for one in given):
        return Refusal.SAME_PERSON
    if new.verdict is Verdict.INCIDENT:
        if new.ground is None:
            return Refusal.NO_GROUND
        if not new.reference:
            return Refusal.NO_REFERENCE
    if not given:
        return CaseEvent.FIRST_VERDICT
    harmless = [is_harmless(one.verdict) for one in (*given, new)]
    if len(harmless) == _TWO and harmless[0] is not harmless[1]:
        return CaseEvent.DISAGREED
    return CaseEvent.AGREED_HARMLESS if 2 * sum(harmless) > len(harmless) else CaseEvent.AGREED_INCIDENT


def visible(case: Case, person: str) -> tuple[GivenVerdict, ...]:
    """The verdicts that `person` may see: all once the case is decided or a third is asked, before that only their own."""
    if case.state in {CaseState.WAITING, CaseState.SECOND}:
        return tuple(one for one in case.verdicts if one.person == person)
    if case.state is CaseState.THIRD and all(one.person != person for one in case.verdicts):
        return ()
    return case.verdicts


def half_held(case: Case) -> bool:
    """Whether somebody has said already that there is something to keep, and a second person has not answered yet."""
    return case.proposal is not None or any(not is_harmless(one.verdict) for one in case.verdicts)


def waits_for(case: Case, person: str) -> bool:
    """Whether a verdict of `person` is what the case waits for."""
    return case.state in REVIEWABLE and not case.restricted and all(one.person != person for one in case.verdicts)


def fates(case: Case) -> tuple[Fate, ...]:
    """What can be decided about a clip in quarantine. What could not be judged is not released into review."""
    if case.state is not State.QUARANTINED or case.quarantine is None:
        return ()
    return (Fate.HOLD, Fate.DESTROY) if case.quarantine.reason in _UNREADABLE else (Fate.RELEASE, Fate.HOLD, Fate.DESTROY)


def is_undecided(case: Case, now: float) -> bool:
    """Whether a clip is in quarantine for so long that somebody must be told every day."""
    return case.state is State.QUARANTINED and case.quarantine is not None and now >= case.quarantine.since + DECIDE_WITHIN_S


def same_hold(one: Hold | None, other: Hold | None) -> bool:
    """Whether both are one hold. Its case number stands in the row alone, so it says nothing here."""
    if one is None or other is None:
        return False
    return (one.ground, one.until, one.by, one.since) == (other.ground, other.until, other.by, other.since)


def contradiction(case: Case, beside: Beside, freed: Callable[[int], bool], now: float) -> QuarantineReason | None:
    """Why a clip must not be destroyed though its row says so; None where nothing beside it says otherwise.

    `freed`: whether the log has the end of the restriction by that request. Two people who saw what lies beside the clip and
    discarded it are believed.
    """
    if case.shred_reason == DISCARDED and len(set(case.shred_by)) >= 2:
        return None
    if beside.damaged:
        return QuarantineReason.NOTE_DAMAGED
    if beside.hold is not None and beside.hold.in_force and beside.hold.until > now and not same_hold(beside.hold, case.hold):
        return QuarantineReason.HELD_BESIDE
    return None if all(freed(number) for number in beside.restricted) else QuarantineReason.RESTRICTED_BESIDE


def as_mermaid() -> str:
    """The table as a state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.RECORDING}: order", f"    [*] --> {State.QUARANTINED}: found"]
    lines += [f"    {start} --> {end}: {event}" for (start, event), end in TRANSITIONS.items()]
    return "\n".join([*lines, f"    {State.DESTROYED} --> [*]"])
