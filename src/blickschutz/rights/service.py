"""The desk of requests: recorded, restricted, extended, answered by two; duties to inform."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date

from blickschutz.access.voices import Decision, Lack, Voices
from blickschutz.audit.model import Event
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import StoreDamagedError
from blickschutz.rights.model import (
    Duty,
    DutySource,
    Extension,
    Outcome,
    Problem,
    Recording,
    Request,
    RequestAnswer,
    RequestEvent,
    RequestState,
    Restricted,
    Settled,
    Settlement,
)
from blickschutz.rights.ports import Recordings, RightsStore
from blickschutz.rights.rules import TRANSITIONS, WIDEST_S, erases, is_duty_to_be_erased, may_extend, to_be_erased, unfit

_NOBODY = ""
_SYSTEM = "system"


class RightsDesk:
    """All requests and duties of a site. Safe to be called from several threads. `today` is the site's day."""

    def __init__(self, store: RightsStore, recordings: Recordings, clock: Clock, today: Callable[[], date], voices: Voices) -> None:
        self.store, self._recordings, self._clock, self._today, self._voices = store, recordings, clock, today, voices

    def record(self, request: Request) -> Request | Problem:
        """A new request. Whoever asked may have been on several cameras; what fits is offered by `candidates`."""
        if not request.name.strip():
            return Problem.NAME
        if not request.rights:
            return Problem.RIGHTS
        if request.received > self._today():
            return Problem.RECEIVED
        if not 0 <= request.ends - request.starts <= WIDEST_S:
            return Problem.WINDOW
        return self.store.add(replace(request, state=RequestState.OPEN, at=self._clock.now()))

    def candidates(self, request: Request) -> list[Recording]:
        """Recordings of that time and those cameras that are there and not restricted yet."""
        if request.ends <= request.starts:
            return []
        known = {one.case for one in request.restricted}
        return [one for one in self._recordings.between(request.starts, request.ends, request.cameras) if one.case not in known]

    def restrict(self, number: int, cases: Sequence[int], by: str) -> Problem | None:
        """Restrict recordings that the request is about, at once: not destroying can be undone, destroying cannot."""
        request = self.store.get(number)
        if request is None or request.state is not RequestState.OPEN:
            return Problem.NOT_NOW
        fitting = [one for one in self.candidates(request) if one.case in set(cases)]
        if not fitting:
            return Problem.NO_RECORDING
        # The row first: `settle` frees what a crash left restricted without a row, and restricts what has one.
        new = tuple(Restricted(one.case, one.clip, one.camera, one.opened, one.seconds, by) for one in fitting)
        changed = replace(request, restricted=(*request.restricted, *new))
        if not self.store.change(request, changed, Event.REQUEST_RESTRICTED, by, new):
            return Problem.NOT_NOW
        lost = [one for one in new if not self._recordings.restrict(one.case, number, by)]
        if lost:
            self._give_up(number, lost, by)
            return Problem.NO_RECORDING
        return None

    def _give_up(self, number: int, lost: Sequence[Restricted], by: str) -> None:
        """Recordings whose end was ordered before belong to the request no longer, whatever else changes in it meanwhile."""
        while (request := self.store.get(number)) is not None:
            kept = tuple(one for one in request.restricted if one not in lost)
            if self.store.change(request, replace(request, restricted=kept), Event.REQUEST_FREED, by, lost):
                return

    def free(self, number: int, case: int, by: str) -> Problem | None:
        """A recording does not show whoever asked: takes another person than the one who had it restricted."""
        request = self.store.get(number)
        if request is None or request.state is not RequestState.OPEN:
            return Problem.NOT_NOW
        found = [one for one in request.restricted if one.case == case]
        if not found:
            return Problem.NO_RECORDING
        if found[0].by == by:
            return Problem.SAME_PERSON
        kept = tuple(one for one in request.restricted if one.case != case)
        if not self.store.change(request, replace(request, restricted=kept), Event.REQUEST_FREED, by, found):
            return Problem.NOT_NOW
        self._recordings.free(case, number, by)
        return None

    def identify(self, number: int, text: str, by: str) -> Problem | None:
        """How it was made sure who asks."""
        request = self.store.get(number)
        if request is None or request.state is not RequestState.OPEN:
            return Problem.NOT_NOW
        if not text.strip():
            return Problem.IDENTITY
        return self._changed(request, replace(request, identity=text.strip()), Event.REQUEST_IDENTIFIED, by)

    def extend(self, number: int, reason: str, by: str) -> Problem | None:
        """A later deadline, of which whoever asked is told with the reason, within the first month."""
        request = self.store.get(number)
        if request is None:
            return Problem.NOT_NOW
        problem = may_extend(request, self._today())
        if problem is not None or not reason.strip():
            return problem or Problem.REASON
        changed = replace(request, extension=Extension(reason.strip(), self._today(), by))
        return self._changed(request, changed, Event.REQUEST_EXTENDED, by)

    def prepare(self, number: int, outcome: Outcome, text: str, by: str) -> Problem | None:
        """One of two: what the answer says."""
        request = self.store.get(number)
        if request is None or (after := TRANSITIONS.get((request.state, RequestEvent.PREPARED))) is None:
            return Problem.NOT_NOW
        problem = unfit(request, outcome, text)
        if problem is not None:
            return problem
        changed = replace(request, state=after, answer=RequestAnswer(outcome, text.strip(), (by,), self._today()))
        return self._changed(request, changed, Event.REQUEST_PREPARED, by)

    def give_back(self, number: int, by: str) -> Problem | None:
        """The answer is not good yet: the request is open again."""
        request = self.store.get(number)
        if request is None or (after := TRANSITIONS.get((request.state, RequestEvent.RETURNED))) is None:
            return Problem.NOT_NOW
        return self._changed(request, replace(request, state=after, answer=None), Event.REQUEST_RETURNED, by)

    def confirm(self, number: int, by: str, version: int) -> Problem | None:
        """The second of two, another person, who saw the same: `version` is that of the request on their page.

        The answer holds from now on, and the recordings are no longer restricted.
        """
        request = self.store.get(number)
        if request is None or request.version != version or request.answer is None:
            return Problem.NOT_NOW
        if (after := TRANSITIONS.get((request.state, RequestEvent.CONFIRMED))) is None:
            return Problem.NOT_NOW
        lack = self._voices.lack(Decision.REQUEST, request.answer.by, by)
        if lack is not None:
            return {Lack.SAME: Problem.SAME_PERSON, Lack.LEFT: Problem.LEFT, Lack.MAY_NOT: Problem.NOT_NOW}[lack]
        changed = replace(request, state=after, answer=replace(request.answer, by=(*request.answer.by, by), day=self._today()))
        problem = self._changed(request, changed, Event.REQUEST_ANSWERED, by)
        if problem is None:
            self._release(changed)
        return problem

    def _changed(self, known: Request, changed: Request, event: Event, by: str) -> Problem | None:
        return None if self.store.change(known, changed, event, by) else Problem.NOT_NOW

    def _release(self, request: Request) -> None:
        """What the answer means for the recordings."""
        people = request.answer.by if request.answer is not None else ()
        for one in request.restricted:
            self._recordings.free(one.case, request.id, people[-1] if people else _SYSTEM)
            if erases(request):
                self._recordings.erase(one.case, people)

    def settle(self) -> None:
        """Bring requests and recordings together again after a crash, and erase who asked where it is no longer needed."""
        wanted = {(one.case, request.id) for request in self.store.open() for one in request.restricted}
        there = set(self._recordings.restricted())
        for case, number in sorted(there - wanted):
            self._let_go(case, number)
        for case, number in sorted(wanted - there):
            # A case that cannot be read is destroyed by nobody: the store lists it among what is damaged.
            with suppress(StoreDamagedError):
                self._recordings.restrict(case, number, _SYSTEM)
        for request in self.store.latest(most=100_000):
            if to_be_erased(request, self._today()):
                changed = replace(request, name=_NOBODY, contact=_NOBODY, text=_NOBODY, identity=_NOBODY, erased=self._today())
                self.store.change(request, changed, Event.REQUEST_ERASED, _SYSTEM)

        for duty in self.store.duties(settled=True, most=100_000):
            if is_duty_to_be_erased(duty, self._today()):
                told = replace(duty.settled, text=_NOBODY, by=_NOBODY) if duty.settled is not None else None
                self.store.forget_duty(duty, replace(duty, by=_NOBODY, settled=told))

    def _let_go(self, case: int, number: int) -> None:
        """A restriction without an open request. One whose request cannot be read stays: nothing is destroyed on a guess."""
        with suppress(StoreDamagedError):
            request = self.store.get(number)
            self._recordings.free(case, number, _SYSTEM)
            if request is not None and request.answer is not None and erases(request):
                self._recordings.erase(case, request.answer.by)

    # --- the duty to inform ---

    def assigned(self, case: int, clip: str, source: DutySource, by: str) -> Duty:
        """Footage was assigned to somebody: they must be told."""
        return self.store.add_duty(Duty(0, case, clip, source, self._today(), by))

    def meet(self, number: int, settlement: Settlement, text: str, until: date | None, by: str) -> Problem | None:
        """Somebody was told, or why not (yet)."""
        duty = self.store.get_duty(number)
        if duty is None or (duty.settled is not None and duty.settled.settlement is not Settlement.DEFERRED):
            return Problem.NOT_NOW
        if not text.strip():
            return Problem.REASON
        if settlement is Settlement.DEFERRED and (until is None or until <= self._today()):
            return Problem.UNTIL
        settled = Settled(settlement, text.strip(), by, self._today(), until if settlement is Settlement.DEFERRED else None)
        return None if self.store.settle(duty, replace(duty, settled=settled)) else Problem.NOT_NOW
