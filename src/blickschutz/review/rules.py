"""The four-eyes table: what a verdict leads to; the diagram in the documentation is drawn from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from blickschutz.review.model import Case, CaseEvent, CaseState, GivenVerdict, Refusal, Verdict

State, Event = CaseState, CaseEvent

TRANSITIONS: Mapping[tuple[CaseState, CaseEvent], CaseState] = {
    (State.RECORDING, Event.CLOSED): State.WAITING,
    (State.RECORDING, Event.EXPIRED): State.DESTROYING,
    (State.WAITING, Event.FIRST_VERDICT): State.SECOND,
    (State.WAITING, Event.EXPIRED): State.DESTROYING,
    (State.WAITING, Event.HELD_BY_TWO): State.HELD,
    (State.WAITING, Event.ERASURE_GRANTED): State.DESTROYING,
    (State.WAITING, Event.UNSAFE_REDACTION): State.DESTROYING,
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
}

REVIEWABLE = frozenset({State.WAITING, State.SECOND, State.THIRD})
OPENABLE = REVIEWABLE | {State.HELD}
THERE = OPENABLE | {State.RECORDING}


def next_state(state: CaseState, event: CaseEvent) -> CaseState | None:
    """The state after `event`; None where that cannot happen (any more)."""
    return TRANSITIONS.get((state, event))


def is_harmless(verdict: Verdict) -> bool:
    """ "Kein Vorfall" and "Fehlalarm" both say that there was nothing to keep."""
    return verdict is not Verdict.INCIDENT


def judge(state: CaseState, given: Sequence[GivenVerdict], new: GivenVerdict) -> CaseEvent | Refusal:
    """What a new verdict leads to, or why it is not taken.

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
    if state is CaseState.WAITING:
        return CaseEvent.FIRST_VERDICT
    harmless = [is_harmless(one.verdict) for one in (*given, new)]
    if state is CaseState.SECOND and harmless[0] is not harmless[1]:
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


def as_mermaid() -> str:
    """The table as a state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.RECORDING}: order"]
    lines += [f"    {start} --> {end}: {event}" for (start, event), end in TRANSITIONS.items()]
    return "\n".join([*lines, f"    {State.DESTROYED} --> [*]"])
