"""The time for deadlines in the control room: what cases take from it, and who hears of what happens to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from blickschutz.access.voices import Decision, Lack, Voices
from blickschutz.audit.io.log import AuditLog, Facts
from blickschutz.audit.model import Event
from blickschutz.control.ports import Do
from blickschutz.guard.model import Change as WorkChange
from blickschutz.guard.model import Trouble
from blickschutz.kernel.events import Topic
from blickschutz.retention.model import Adopted, Basis, Change, Confirmed, Proposal, TimeView, Void, What
from blickschutz.retention.service import RetentionTime

_PART = "deadlines-suspended"
_EVENTS: Mapping[What, Event] = {
    What.COUNTED: Event.CLOCK_COUNTED,
    What.UNCOUNTED: Event.CLOCK_COUNTED,
    What.DATED: Event.CLOCK_CHANGED,
    What.SUSPENDED: Event.CLOCK_SUSPENDED,
    What.RESUMED: Event.CLOCK_RESUMED,
}


class CaseTimes:
    """See `review.ports.CaseTime`."""

    def __init__(self, time: RetentionTime) -> None:
        self._time = time

    def stamp(self) -> tuple[str, float]:
        stamp = self._time.stamp()
        return stamp.epoch, stamp.at

    def of_date(self, wall: float) -> float:
        return self._time.retention_of(wall)


class ClockDesk:
    """The time as people decide on it. `trouble` tells that deadlines are suspended, and that they go on. Not in the event loop.

    `voices` says whether somebody may still decide: who was blocked since they proposed is not one of two.
    """

    def __init__(
        self, time: RetentionTime, log: AuditLog, adopted: Callable[[Mapping[str, Adopted]], None], do: Do, voices: Voices
    ) -> None:
        self._time, self._log, self._adopted, self._do, self._voices = time, log, adopted, do, voices
        self.trouble: Topic[Trouble] = Topic()
        time.changed.listen(self._changed)

    @property
    def suspended(self) -> str:
        """Why deadlines are suspended; empty where they are not. Asks no disk."""
        return self._time.suspended

    def look(self) -> None:
        """Ask all sources, and give clips from before there were stamps theirs; called every few seconds."""
        self._time.check()
        stamps = self._time.adoptions()
        if stamps:
            self._adopted(stamps)

    def view(self) -> TimeView:
        return self._time.view()

    def propose(self, by: str, basis: Basis) -> Proposal | Void:
        """One of two; in the log with what it would end."""
        proposal = self._time.propose(by, basis)
        if isinstance(proposal, Proposal):
            choice = proposal.choice
            facts: Facts = {"basis": choice.basis.value, "seconds": round(choice.seconds, 1), "clips": list(choice.due)}
            self._log.write(Event.CLOCK_PROPOSED, by, facts=facts)
        return proposal

    def confirm(self, by: str, number: int) -> Confirmed | Void:
        """The second of two, who saw the same. The entry is in the log before it is in force."""
        proposal = self._time.view().proposal
        if proposal is not None and proposal.number == number:
            lack = self._voices.lack(Decision.CLOCK, (proposal.by,), by)
            if lack is not None:
                return {Lack.SAME: Void.SAME_PERSON, Lack.LEFT: Void.LEFT, Lack.MAY_NOT: Void.GONE}[lack]
        return self._time.confirm(by, number)

    def _changed(self, change: Change) -> None:
        facts: Facts = {"what": change.what.value, "seconds": round(change.seconds, 1), "serial": change.serial}
        if change.reason is not None:
            facts["reason"] = change.reason.value
        self._do(lambda: self._log.write(_EVENTS[change.what], "system", facts=facts))
        if change.what in {What.SUSPENDED, What.RESUMED}:
            state = WorkChange.SET_ASIDE if change.what is What.SUSPENDED else WorkChange.RECOVERED
            reason = change.reason.value if change.reason is not None else ""
            self.trouble.tell(Trouble(_PART, state, reason, 1))
