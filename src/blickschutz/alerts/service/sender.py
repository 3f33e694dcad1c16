"""Tells one channel what it must be told: tries again until it works, each notice once, what came too late in one digest."""

from __future__ import annotations

import threading
from collections import deque

import structlog

from blickschutz.alerts.model import Digest, FaultNotice, Notice
from blickschutz.alerts.ports import AlertStore, Channel
from blickschutz.alerts.rules import MOST_REJECTED, PROBES, STALE_S, wait_before_retry
from blickschutz.guard.model import Backoff
from blickschutz.guard.rules import words
from blickschutz.guard.service import Guard
from blickschutz.guard.work import ThreadWork
from blickschutz.kernel.clock import Clock

_log = structlog.get_logger(__name__)
_MOST_FAULTS = 50
# Where the database fails, which costs nothing to try: what waits is told within seconds once it works again.
_BACKOFF = Backoff(most_s=5.0)


class Sender:
    """One channel in a guarded thread of its own. Whatever the channel raises is one failed try of one notice.

    A channel that fails rests, each time longer. A notice that fails while others get through is set aside after a few
    tries, and the rest goes on.
    """

    def __init__(self, channel: Channel, store: AlertStore, clock: Clock, idle_s: float = 1.0, guard: Guard | None = None) -> None:
        self._channel, self._outbox, self._clock, self._idle_s = channel, store.outbox, clock, idle_s
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._guard = guard or Guard(clock)
        self._thread: ThreadWork | None = None
        self._failures = 0
        self._rests_until = float("-inf")
        # Of the system itself: told before all else, and not kept over a restart. The first is to blame itself after a few tries.
        self._faults: deque[FaultNotice] = deque(maxlen=_MOST_FAULTS)
        self._fault_rejected = 0
        # Told, but the database did not take it yet: noted before anything else is told, so that nothing is told twice.
        self._unnoted: list[tuple[Notice | Digest, float]] = []

    def start(self) -> None:
        self._thread = self._guard.thread(f"sender-{self._channel.name}", self._run, stop=self._stop, backoff=_BACKOFF)

    def poke(self) -> None:
        """There may be something new."""
        self._wake.set()

    def tell(self, fault: FaultNotice) -> None:
        """A part of the system is disturbed, or works again. Never waits."""
        self._faults.append(fault)
        self._wake.set()

    def end(self, wait_s: float = 3.0) -> None:
        self._stop()
        if self._thread is not None:
            self._thread.end(wait_s)
        self._channel.close()

    def work(self) -> int:
        """Tell what is due; returns how many messages went out. Raises what the database raises, and goes on the next time."""
        self._note()
        if self._clock.monotonic() < self._rests_until:
            return 0
        told, refused = self._tell_faults()
        of_others, failed = told, int(refused is not None)
        in_a_row = failed
        while not self._ending.is_set() and in_a_row < PROBES:
            some = self._due()
            before = told
            for item in some:
                if self._ending.is_set() or in_a_row >= PROBES:
                    break
                if self._try(item):
                    told, in_a_row = told + 1, 0
                else:
                    failed, in_a_row = failed + 1, in_a_row + 1
            if told == before:
                break
        if refused is not None and told > of_others:
            self._blame(refused)
        if told:
            self._failures, self._rests_until = 0, float("-inf")
        elif failed:
            self._failures += 1
            self._rests_until = self._clock.monotonic() + wait_before_retry(self._failures)
        return told

    def _tell_faults(self) -> tuple[int, FaultNotice | None]:
        """Tell what is wrong with the system; how many were told, and the one that did not get through."""
        told = 0
        while self._faults and not self._ending.is_set():
            # Taken out while it is told: what comes in meanwhile may push the oldest out.
            fault = self._faults.popleft()
            try:
                self._channel.send_fault(fault)
            except Exception as error:  # noqa: BLE001 - whatever a library raises is a failed try: logged, tried again after a rest
                _log.warning("fault_not_told", channel=self._channel.name, part=fault.part, problem=words(error))
                self._faults.appendleft(fault)
                return told, fault
            told, self._fault_rejected = told + 1, 0
        return told, None

    def _blame(self, fault: FaultNotice) -> None:
        """It failed and others got through: after a few times it is given up, so that the next one is told."""
        self._fault_rejected += 1
        if self._fault_rejected >= MOST_REJECTED and self._faults and self._faults[0] is fault:
            self._faults.popleft()
            self._fault_rejected = 0
            _log.error("fault_given_up", channel=self._channel.name, part=fault.part)

    def _due(self) -> list[Notice | Digest]:
        name, now = self._channel.name, self._clock.now()
        digest = self._outbox.digest(name, now - STALE_S, now)
        # Where it failed the newest is tried first: many old ones that are themselves to blame hold up nothing new.
        return [*([digest] if digest is not None else []), *self._outbox.due(name, now, newest_first=self._failures > 0)]

    def _try(self, item: Notice | Digest) -> bool:
        try:
            if isinstance(item, Digest):
                self._channel.send_digest(item)
            else:
                self._channel.send(item)
        except Exception as error:  # noqa: BLE001 - whatever a library raises is a failed try: noted, shown, tried again
            problem = words(error)
            self._outbox.failed(item, self._clock.now() + wait_before_retry(item.tries + 1), problem)
            _log.warning("notice_failed", channel=self._channel.name, notice=item.number, problem=problem)
            return False
        self._unnoted.append((item, self._clock.now()))
        self._note()
        return True

    def _note(self) -> None:
        while self._unnoted:
            item, at = self._unnoted[0]
            aside = self._outbox.sent(item, at)
            self._unnoted.pop(0)
            if aside:
                _log.error("notices_set_aside", channel=self._channel.name, notices=aside)

    def _run(self) -> None:
        while not self._ending.is_set():
            self.work()
            self._wake.wait(self._idle_s)
            self._wake.clear()

    def _stop(self) -> None:
        self._ending.set()
        self._wake.set()
