"""The review desk: cases come from clips, verdicts decide them, holds keep them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo

from blickschutz.access.voices import Decision, Lack, Voices
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.events import Topic
from blickschutz.kernel.periods import gone_by
from blickschutz.review.model import (
    Case,
    CaseEvent,
    CaseState,
    Fate,
    GivenVerdict,
    Ground,
    Hold,
    ProposedFate,
    Quarantine,
    QuarantineReason,
    Refusal,
    Verdict,
)
from blickschutz.review.ports import CaseStore, CaseTime
from blickschutz.review.rules import DISCARDED, OPENABLE, fates, half_held, is_undecided, judge, next_state

_DAY_S = 24 * 3600.0
_REFUSALS = {Lack.SAME: Refusal.SAME_PERSON, Lack.LEFT: Refusal.LEFT, Lack.MAY_NOT: Refusal.NOT_NOW}


def dated(hold: Hold, time: CaseTime) -> Hold:
    """The hold with its end as deadlines judge it: as agreed when it was decided."""
    return replace(hold, until_retention=time.of_date(hold.until))


class CaseDesk:
    """All cases of a site. `doomed` tells each case whose clip is to be destroyed. Safe to be called from several threads."""

    def __init__(self, store: CaseStore, clock: Clock, hold_days: float, time: CaseTime, voices: Voices, zone: tzinfo = UTC) -> None:
        self.store, self._clock, self._hold_days, self._time, self._zone = store, clock, hold_days, time, zone
        self._voices = voices
        self.doomed: Topic[int] = Topic()
        # A case that people decided, and whether it is an incident.
        self.decided: Topic[tuple[Case, bool]] = Topic()

    def opened(self, case: Case) -> Case:
        """A clip was begun; the case is told once, however often the cell says so."""
        known = self.store.by_clip(case.clip)
        if known is not None:
            return known
        epoch, stamped = self._time.stamp()
        return self.store.add(replace(case, state=CaseState.RECORDING, epoch=epoch, stamped=stamped))

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
        if not self._voices.seconds(Decision.VERDICT, person):
            return Refusal.NOT_NOW
        # What somebody said who may no longer review is not half of a decision: whoever comes now is the first of two again.
        counted = tuple(one for one in case.verdicts if one.person == person or self._voices.counts(Decision.VERDICT, one.person))
        case = replace(case, verdicts=counted)
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
        if after in {CaseState.HELD, CaseState.DESTROYING}:
            self.decided.tell((case, after is CaseState.HELD))
        if after is CaseState.DESTROYING:
            self.doomed.tell(number)
        return after

    def _hold_of(self, case: Case, new: GivenVerdict) -> Hold:
        """The hold that two incident verdicts make: on the ground of the later one, until the hard limit, which two calendar months are."""
        named = [one for one in (*case.verdicts, new) if one.verdict is Verdict.INCIDENT]
        last = named[-1]
        assert last.ground is not None  # `judge` asked for it
        until = min(case.opened + self._hold_days * _DAY_S, gone_by(case.opened, self._zone))
        people = tuple(one.person for one in named)
        return dated(Hold(last.ground, last.reference, last.person, until, people, self._clock.now()), self._time)

    def propose_hold(self, number: int, person: str, ground: Ground, reference: str, until: float) -> bool:
        """One of two: a hold, or a longer one."""
        case = self.store.get(number)
        if case is None or case.state not in OPENABLE or not reference.strip() or until <= self._clock.now():
            return False
        return self.store.propose(case, Hold(ground, reference.strip(), person, until, (person,), self._clock.now()))

    def propose_end(self, number: int, person: str) -> bool:
        """One of two: the hold ends, so the clip is destroyed."""
        case = self.store.get(number)
        if case is None or case.hold is None or case.restricted:
            return False
        return self.store.propose(case, replace(case.hold, owner=person, until=0.0, by=(person,), since=self._clock.now()))

    def confirm(self, number: int, person: str, version: int) -> Refusal | None:
        """The second of two, who saw the same: `version` is that of the case on their page. Why it was not taken, or None."""
        case = self.store.get(number)
        if case is None or case.version != version or case.proposal is None:
            return Refusal.NOT_NOW
        lack = self._voices.lack(Decision.HOLD, case.proposal.by, person)
        if lack is not None:
            return _REFUSALS[lack]
        if case.proposal.until == 0.0 and case.restricted:
            return Refusal.RESTRICTED
        if 0.0 < case.proposal.until <= self._clock.now():
            # Whoever confirms a hold wants to keep the clip: one whose end has come meanwhile would destroy it at once.
            return Refusal.NO_GROUND
        return None if self._confirmed(case, case.proposal, person) else Refusal.NOT_NOW

    def _confirmed(self, case: Case, proposal: Hold, person: str) -> bool:
        hold = replace(proposal, by=(*proposal.by, person))
        if hold.until == 0.0:
            done = self.store.doom(case, "hold-released", hold.by)
            if done:
                self.doomed.tell(case.id)
            return done
        after = next_state(case.state, CaseEvent.HELD_BY_TWO)
        return after is not None and self.store.set_hold(case, dated(hold, self._time), after)

    def expire(self, case: Case, reason: str, due: float = 0.0) -> bool:
        """The time of a case is up, since `due` (POSIX)."""
        event = CaseEvent.HOLD_OVER if case.state is CaseState.HELD else CaseEvent.EXPIRED
        if case.restricted or next_state(case.state, event) is not CaseState.DESTROYING:
            return False
        return self.store.doom(replace(case, due=due), reason, ())

    def restrict(self, number: int, request: int, by: str) -> bool:
        """Keep a clip as it is while a request of somebody concerned is open (Art. 18 GDPR); False where its end was ordered before."""
        while (case := self.store.get(number)) is not None and case.state in OPENABLE | {CaseState.QUARANTINED}:
            if request in case.restricted or self.store.restrict(case, (*case.restricted, request), request, by):
                return True
        return False

    def free(self, number: int, request: int, by: str) -> None:
        """The request needs the clip no longer. What is overdue goes with the next look at the deadlines."""
        while (case := self.store.get(number)) is not None and request in case.restricted:
            rest = tuple(one for one in case.restricted if one != request)
            if self.store.restrict(case, rest, request, by):
                return

    def restore(self, case: Case, hold: Hold) -> bool:
        """A hold beside the clip is in force, and the row did not know it."""
        return next_state(case.state, CaseEvent.HELD_BY_TWO) is not None and self.store.put_right(case, dated(hold, self._time))

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

    def bring_back(self, case: Case) -> bool:
        """A clip that was destroyed lies there again, the very same."""
        return next_state(case.state, CaseEvent.CAME_BACK) is not None and self.store.bring_back(case)

    def queue(self, start: int, most: int) -> list[Case]:
        """Cases that wait for somebody, from `start` on; the next deadline first."""
        return self.store.queue(start, most)


class QuarantineDesk:
    """Clips that the rows do not explain: nothing ends them but two people. Safe to be called from several threads.

    `doomed` is told each case whose clip two people discarded. `now` is the time for deadlines as people read it (POSIX).
    """

    def __init__(
        self, store: CaseStore, clock: Clock, now: Callable[[], float], doomed: Topic[int], time: CaseTime, voices: Voices
    ) -> None:
        self.store, self._clock, self._now, self._doomed, self._time, self._voices = store, clock, now, doomed, time, voices

    def waiting(self) -> list[Case]:
        """All of them, the oldest first."""
        return self.store.find(states=[CaseState.QUARANTINED], most=100_000)

    def overdue(self) -> list[Case]:
        """Those about which somebody should have decided."""
        now = self._now()
        return [case for case in self.waiting() if is_undecided(case, now)]

    def found(self, case: Case, reason: QuarantineReason) -> Case:
        """A clip that no case knows; it is told once."""
        new = replace(case, state=CaseState.QUARANTINED, quarantine=Quarantine(reason, self._now()))
        return self.store.by_clip(case.clip) or self.store.add(new)

    def contradicted(self, case: Case, reason: QuarantineReason, hold: Hold | None = None) -> bool:
        """Something contradicts what the row says; `hold` lies beside the clip. False where the case changed meanwhile."""
        if next_state(case.state, CaseEvent.CONTRADICTED) is None:
            return False
        kept = dated(hold, self._time) if hold is not None else None
        return self.store.quarantine(case, Quarantine(reason, self._now()), kept)

    def propose(
        self, number: int, person: str, fate: Fate, ground: Ground | None = None, reference: str = "", until: float = 0.0
    ) -> Refusal | None:
        """One of two; a hold has a ground, a case number and an end. Why it was not taken, or None."""
        case = self.store.get(number)
        if case is None or case.state is not CaseState.QUARANTINED:
            return Refusal.NOT_NOW
        if fate not in fates(case):
            return Refusal.NOT_THIS_FATE
        hold = None
        if fate is Fate.HOLD:
            if ground is None or until <= self._clock.now():
                return Refusal.NO_GROUND
            if not reference.strip():
                return Refusal.NO_REFERENCE
            hold = Hold(ground, reference.strip(), person, until, (person,), self._clock.now())
        done = self.store.propose_fate(case, ProposedFate(fate, person, self._clock.now(), hold))
        return None if done else Refusal.NOT_NOW

    def confirm(self, number: int, person: str, version: int) -> Refusal | None:
        """The second of two, who saw the same: `version` is that of the case on their page. Why it was not taken, or None."""
        case = self.store.get(number)
        if case is None or case.version != version or case.fate is None or case.fate.fate not in fates(case):
            return Refusal.NOT_NOW
        lack = self._voices.lack(Decision.FATE, (case.fate.by,), person)
        if lack is not None:
            return _REFUSALS[lack]
        if case.restricted and case.fate.fate is Fate.DESTROY:
            return Refusal.RESTRICTED
        if case.fate.hold is not None and case.fate.hold.until <= self._clock.now():
            return Refusal.NO_GROUND
        return None if self._decide(case, case.fate, (case.fate.by, person)) else Refusal.NOT_NOW

    def _decide(self, case: Case, proposed: ProposedFate, people: tuple[str, ...]) -> bool:
        if proposed.fate is Fate.RELEASE:
            return self.store.release(case, people)
        if proposed.hold is not None:
            return self.store.set_hold(case, dated(replace(proposed.hold, by=people), self._time), CaseState.HELD)
        done = self.store.doom(case, DISCARDED, people)
        if done:
            self._doomed.tell(case.id)
        return done
