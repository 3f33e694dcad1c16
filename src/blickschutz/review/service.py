"""The review desk: cases come from clips, verdicts decide them, holds keep them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from blickschutz.kernel.clock import Clock
from blickschutz.kernel.events import Topic
from blickschutz.review.model import Case, CaseEvent, CaseState, GivenVerdict, Ground, Hold, Refusal, Verdict
from blickschutz.review.ports import CaseStore
from blickschutz.review.rules import OPENABLE, half_held, judge, next_state

_DAY_S = 24 * 3600.0


class CaseDesk:
    """All cases of a site. `doomed` tells each case whose clip is to be destroyed. Safe to be called from several threads."""

    def __init__(self, store: CaseStore, clock: Clock, hold_days: float) -> None:
        self.store, self._clock, self._hold_days = store, clock, hold_days
        self.doomed: Topic[int] = Topic()

    def opened(self, case: Case) -> Case:
        """A clip was begun; the case is told once, however often the cell says so."""
        return self.store.by_clip(case.clip) or self.store.add(replace(case, state=CaseState.RECORDING))

    def closed(self, case: Case) -> bool:
        """A clip was closed; `case` carries its length, size and hash."""
        return self.store.close(replace(case, state=CaseState.WAITING))

    def verdict(
        self, number: int, person: str, verdict: Verdict, note: str, ground: Ground | None = None, reference: str = ""
    ) -> CaseState | Refusal:
        """A verdict of somebody who saw the clip. The new state, or why it was not taken."""
        case = self.store.get(number)
        if case is None:
            return Refusal.NOT_NOW
        if case.restricted:
            return Refusal.RESTRICTED
        now = self._clock.now()
        new = GivenVerdict(person, verdict, note, now, ground, reference.strip())
        event = judge(case.state, case.verdicts, new)
        if isinstance(event, Refusal):
            return event
        after = next_state(case.state, event)
        assert after is not None  # `judge` gives only what the table knows
        hold = self._hold_of(case, new) if event is CaseEvent.AGREED_INCIDENT else None
        if not self.store.give_verdict(case, new, after, hold):
            return Refusal.NOT_NOW
        if after is CaseState.DESTROYING:
            self.doomed.tell(number)
        return after

    def _hold_of(self, case: Case, new: GivenVerdict) -> Hold:
        """The hold that two incident verdicts make: on the ground of the later one, until the hard limit."""
        named = [one for one in (*case.verdicts, new) if one.verdict is Verdict.INCIDENT]
        last = named[-1]
        assert last.ground is not None  # `judge` asked for it
        until = case.opened + self._hold_days * _DAY_S
        return Hold(last.ground, last.reference, last.person, until, tuple(one.person for one in named), self._clock.now())

    def propose_hold(self, number: int, person: str, ground: Ground, reference: str, until: float) -> bool:
        """One of two: a hold, or a longer one."""
        case = self.store.get(number)
        if case is None or next_state(case.state, CaseEvent.HELD_BY_TWO) is None or not reference.strip() or until <= self._clock.now():
            return False
        return self.store.propose(case, Hold(ground, reference.strip(), person, until, (person,), self._clock.now()))

    def propose_end(self, number: int, person: str) -> bool:
        """One of two: the hold ends, so the clip is destroyed."""
        case = self.store.get(number)
        if case is None or case.hold is None or case.restricted:
            return False
        return self.store.propose(case, replace(case.hold, owner=person, until=0.0, by=(person,), since=self._clock.now()))

    def confirm(self, number: int, person: str) -> bool:
        """The second of two, another person than the one who proposed."""
        case = self.store.get(number)
        if case is None or case.proposal is None or person in case.proposal.by:
            return False
        hold = replace(case.proposal, by=(*case.proposal.by, person))
        if hold.until == 0.0:
            if case.restricted:
                return False
            done = self.store.doom(case, "hold-released", hold.by)
            if done:
                self.doomed.tell(number)
            return done
        after = next_state(case.state, CaseEvent.HELD_BY_TWO)
        return after is not None and self.store.set_hold(case, hold, after)

    def expire(self, case: Case, reason: str) -> bool:
        """The time of a case is up."""
        event = CaseEvent.HOLD_OVER if case.state is CaseState.HELD else CaseEvent.EXPIRED
        return not case.restricted and next_state(case.state, event) is CaseState.DESTROYING and self.store.doom(case, reason, ())

    def restrict(self, number: int, request: int, by: str) -> bool:
        """Keep a clip as it is while a request of somebody concerned is open (Art. 18 GDPR); False where its end was ordered before."""
        while (case := self.store.get(number)) is not None and case.state in OPENABLE:
            if request in case.restricted or self.store.restrict(case, (*case.restricted, request), request, by):
                return True
        return False

    def free(self, number: int, request: int, by: str) -> None:
        """The request needs the clip no longer. What is overdue goes with the next look at the deadlines."""
        while (case := self.store.get(number)) is not None and request in case.restricted:
            rest = tuple(one for one in case.restricted if one != request)
            if self.store.restrict(case, rest, request, by):
                return

    def erase(self, number: int, people: Sequence[str]) -> bool:
        """Destroy a clip because two people granted an erasure (Art. 17 GDPR); a hold or another request keeps it."""
        case = self.store.get(number)
        if case is None or case.restricted or next_state(case.state, CaseEvent.ERASURE_GRANTED) is not CaseState.DESTROYING:
            return False
        done = self.store.doom(case, "erasure", people)
        if done:
            self.doomed.tell(number)
        return done

    def outdated(self, case: Case) -> bool:
        """Order the end of a clip whose redaction shows too much; a hold or a request keeps it, and so does half a decision to hold."""
        event = CaseEvent.UNSAFE_REDACTION
        if case.restricted or half_held(case) or next_state(case.state, event) is not CaseState.DESTROYING:
            return False
        return self.store.doom(case, event.value, ())

    def queue(self, start: int, most: int) -> list[Case]:
        """Cases that wait for somebody, from `start` on; the next deadline first."""
        return self.store.queue(start, most)
