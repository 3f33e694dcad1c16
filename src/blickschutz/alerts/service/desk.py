"""The alert desk: takes situations, keeps the alerts, takes decisions, tells who listens; ends what has lived its time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence

import structlog

from blickschutz.alerts.crowd import STORM_LOOK_S, rows_of, storm_of
from blickschutz.alerts.model import (
    RANKS,
    Alert,
    AlertEvent,
    AlertState,
    By,
    ChannelQueue,
    Expired,
    HistoryEntry,
    Lives,
    Mark,
    Origin,
    Outcome,
    Owed,
    OwedEntry,
    Place,
    Priorities,
    Priority,
    Storm,
)
from blickschutz.alerts.ports import AlertStore, SiteLog
from blickschutz.alerts.rules import AHEAD_S, UNENDED_S, may_undo, next_state
from blickschutz.alerts.service.tallies import Tallies
from blickschutz.audit.model import Event
from blickschutz.guard.rules import words
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import StoreBusyError
from blickschutz.kernel.events import Topic
from blickschutz.situations.kinds import Kind, Situation

_log = structlog.get_logger(__name__)

SYSTEM = "system"
_RECORD, _UNRECORDED, _LOST = "record", "unrecorded", "lost"
_PORTIONS = 20
_MOST_OWED = 200


class AlertDesk:
    """All alerts of a site. `listen` gets every alert that is new or changed. Safe to be called from several threads.

    `kept_from` gives the retention time that deadlines go by; without it the clock's own.
    """

    def __init__(
        self,
        store: AlertStore,
        clock: Clock,
        channels: Sequence[str] = (),
        escalate_after_s: float = 120.0,
        kept_from: Callable[[], float] | None = None,
        priorities: Priorities | None = None,
    ) -> None:
        self.store, self.priorities = store, priorities or Priorities()
        store.order_by(self.priorities)
        self._clock, self._channels, self._escalate_after_s = clock, tuple(channels), escalate_after_s
        self._kept_from = kept_from or clock.now
        self._told: Topic[Alert] = Topic()
        self.tallies = Tallies(store, clock)
        self._told.listen(lambda _: self.tallies.changed())
        # Each alert once, when a person says what it was.
        self.closed: Topic[Alert] = Topic()
        # Each alert as it was closed, when that is taken back.
        self.reopened: Topic[Alert] = Topic()
        # What a life before this one deleted may still lie in the journal.
        self._unswept = True
        self._entering = threading.Lock()

    def listen(self, listener: Callable[[Alert], None]) -> Callable[[], None]:
        """Call `listener` with every new or changed alert; returns what ends that."""
        return self._told.listen(listener)

    def begin(self, runs: Collection[str] = ()) -> None:
        """Before any camera is watched: what an earlier life left is put right.

        Cells that ran then are gone, so nobody will tell the end of their situations, but for those that live on, by the names of
        their lives. What waits for a channel that the site file names no more is set aside.
        """
        self.store.outbox.keep_to(self._channels, self._clock.now())
        self.lost(but=runs)

    def take(self, camera: str, situation: Situation, *, notify: bool, run: str = "", origin: Origin = Origin.ANALYSIS) -> Alert | None:
        """A situation began or ended. `run` names the life of the cell that numbers its situations.

        With `notify` off it is counted only. Returns the new alert, if there is one. Where it raises nothing was done, and
        it may be called again.
        """
        now = self._clock.now()
        if situation.ended_at is not None:
            ended = self.store.end(camera, run, situation.number, now, situation.figures, situation.confidence)
            if ended is not None:
                self._changed(ended)
            return None
        if not notify:
            self.store.count(camera, situation.kind, situation.taken)
            self.tallies.changed()
            return None
        new = Alert(
            0,
            camera,
            situation.kind,
            situation.zone,
            origin,
            AlertState.RAISED,
            situation.taken,
            now,
            situation.confidence,
            situation.figures,
            situation.box,
            run=run,
            situation=situation.number,
            kept_from=self._kept_from(),
        )
        alert = self.store.add(new, self._channels, HistoryEntry(now, "raised", SYSTEM))
        if alert is not None:
            _log.warning("alert_raised", alert=alert.id, camera=camera, kind=alert.kind.value)
            self._tell(alert)
        return alert

    def lost(self, camera: str = "", run: str = "", but: Collection[str] = ()) -> int:
        """A cell is gone (without a camera: all are): the end of its situations will not be told; returns of how many alerts."""
        entry = HistoryEntry(self._clock.now(), _LOST, SYSTEM)
        numbers = self.store.lose(entry, Origin.ANALYSIS, camera=camera, run=run, but=but)
        for number in numbers:
            self._changed(number)
        return len(numbers)

    def open_alerts(
        self, after: Place | None = None, most: int | None = None, *, camera: str = "", kind: Kind | None = None
    ) -> list[Alert]:
        """What waits for somebody, in the order of need: by priority, then what somebody sees to; in each the oldest first.

        Those behind the place `after`, at most `most`; all without either.
        """
        return self.store.queue(after, most, camera=camera, kind=kind)

    def rows(self) -> list[list[Mark]]:
        """All open alerts as rows of the queue, in the order of need; see `crowd.rows_of`."""
        return rows_of(self.store.marks(), self.priorities)

    def alike(self, number: int) -> list[int]:
        """The open alerts that share a row with this one, which is among them; nothing where it is closed or unknown."""
        return next((found for row in self.rows() if number in (found := [mark.id for mark in row])), [])

    def storm(self) -> Storm | None:
        """Whether more alerts came than can be looked at."""
        now = self._clock.now()
        return storm_of(self.store.arrived(now - STORM_LOOK_S), now)

    def same(self, number: int, others: Sequence[int]) -> list[int]:
        """`number`, and those of `others` that are of the same camera and kind: what one decision may be about."""
        found = self.store.some(list(dict.fromkeys([number, *others])))
        if not found or found[0].id != number:
            return []
        return [one.id for one in found if (one.camera, one.kind) == (found[0].camera, found[0].kind)]

    def alarming(self) -> dict[str, Priority]:
        """Cameras of which something waits, each with the highest priority among it."""
        found: dict[str, Priority] = {}
        for camera, kind, zone in self.store.waiting():
            priority = self.priorities.of(kind, zone)
            found[camera] = min(priority, found.get(camera, priority), key=RANKS.__getitem__)
        return found

    def seen(self, number: int, by: str) -> None:
        """Somebody opened the alert; told once for each person."""
        if not any(entry.event == AlertEvent.SEEN and entry.by == by for entry in self.store.history(number)):
            self.store.log(number, HistoryEntry(self._clock.now(), AlertEvent.SEEN, by))

    def acknowledge(self, number: int, by: By) -> bool:
        """Somebody takes it on. False where somebody else was faster."""
        return self._decide(number, AlertEvent.ACKNOWLEDGE, by)

    def undo(self, number: int, by: By) -> bool:
        """Whoever acknowledged or closed it takes that back, within ten seconds. False where that is over, or somebody went on with it."""
        before = self.store.get(number)
        if not self.may_undo(number, by) or not self._decide(number, AlertEvent.UNDO, by):
            return False
        if before is not None and before.outcome is not None:
            self._tell(before, self.reopened)
        return True

    def may_undo(self, number: int, by: By) -> bool:
        """Whether that person can still take back what they decided last."""
        return may_undo(self.store.history(number), by.name, self._clock.now())

    def act(self, number: int, by: By, text: str) -> bool:
        """Somebody did something about it."""
        return self._decide(number, AlertEvent.ACT, by, text, {"text": text})

    def close(self, number: int, by: By, outcome: Outcome, note: str) -> bool:
        """It is decided."""
        if not self._decide(number, AlertEvent.CLOSE, by, note, {"outcome": outcome.value}, outcome):
            return False
        alert = self.store.get(number)
        if alert is not None:
            self._tell(alert, self.closed)
        return True

    def order_recording(self, number: int, by: By, reason: str) -> None:
        """Somebody orders a recording by hand. Called before it is ordered, so that no order is without its entry."""
        owed = Owed(by.member, {"decision": _RECORD, "text": reason})
        self.store.order_recording(number, HistoryEntry(self._clock.now(), _RECORD, by.name, reason, owed), ordered=True)
        self._changed(number)

    def unrecorded(self, number: int, why: str) -> None:
        """What somebody ordered for an alert could not be recorded."""
        self.store.order_recording(number, HistoryEntry(self._clock.now(), _UNRECORDED, SYSTEM, why), ordered=False)
        self._changed(number)

    def keep_seconds(self, number: int, data: bytes) -> None:
        """The redacted seconds of an alert are there."""
        self.store.put_clip(number, data)
        self._changed(number)

    def escalate_overdue(self) -> int:
        """Escalate what nobody acknowledged in time, and what a clock that went back left in the future; returns how many."""
        now = self._clock.now()
        entry = HistoryEntry(now, AlertEvent.ESCALATE.value, SYSTEM)
        found = self.store.escalate(now - self._escalate_after_s, now + AHEAD_S, entry, self._channels)
        for alert in found:
            self._tell(alert)
        return len(found)

    def enter_owed(self, log: SiteLog) -> int:
        """Enter in the log of the site what it does not know of yet; returns how many decisions.

        Called after each decision, and by whoever keeps the house for what a crash left. Each is entered once: the entry
        holds the number that the decision has in the history.
        """
        with self._entering:
            owed = self.store.owed(_MOST_OWED)
            for one in owed:
                if not self._is_entered(log, one):
                    facts = {**one.owed.facts, "history": one.number}
                    log.write(Event.ALERT_DECIDED, one.owed.member, _subject(one), facts)
                self.store.entered(one.number)
            return len(owed)

    def expire(self, now: float, lives: Lives) -> Expired:
        """End what has lived its time by `now`, the retention time (POSIX). Not to be called while deadlines are suspended.

        Works for a bounded time; where it says that there is more, call again soon.
        """
        done = Expired()
        for _ in range(_PORTIONS):
            part = self.store.expire(now, lives)
            done += part
            if not part.more:
                break
        ended = done.clips or done.histories or done.notices or done.alerts or done.counts
        if ended:
            _log.info("alerts_expired", clips=done.clips, histories=done.histories, alerts=done.alerts, still_open=done.still_open)
        self.store.lose(HistoryEntry(self._clock.now(), _LOST, SYSTEM), Origin.CAMERA, raised_before=self._clock.now() - UNENDED_S)
        self._unswept = self._unswept or bool(ended)
        if self._unswept:
            try:
                self.store.forget()
                self._unswept = False
            except StoreBusyError as error:
                _log.info("alerts_not_forgotten_yet", problem=str(error))
        return done + Expired(more=done.more or self._unswept)

    def queues(self) -> Mapping[str, ChannelQueue]:
        """What each channel is still to be told, for the page of health and the figures."""
        return self.store.outbox.queues(self._clock.now())

    def _decide(
        self, number: int, event: AlertEvent, by: By, text: str = "", facts: Mapping[str, str] | None = None, outcome: Outcome | None = None
    ) -> bool:
        alert = self.store.get(number)
        after = next_state(alert.state, event) if alert is not None else None
        if alert is None or after is None:
            return False
        owed = Owed(by.member, {"decision": event.value, **(facts or {})})
        entry = HistoryEntry(self._clock.now(), event.value, by.name, text, owed)
        # Who only listens hears of raised, escalated, closed and that taken back; the rest is between those at the desk.
        told = event is AlertEvent.CLOSE or alert.state is AlertState.CLOSED
        channels = self._channels if told else ()
        if not self.store.change(number, alert.state, after, entry, outcome, text if outcome else "", channels):
            return False
        self._changed(number)
        return True

    def _changed(self, number: int) -> None:
        alert = self.store.get(number)
        if alert is not None:
            self._tell(alert)

    def _tell(self, alert: Alert, topic: Topic[Alert] | None = None) -> None:
        try:
            (topic or self._told).tell(alert)
        except ExceptionGroup as errors:
            # What was done is on disk; whoever did it must not be told that it was not.
            _log.error("alert_not_heard", alert=alert.id, problem="; ".join(words(one) for one in errors.exceptions))

    @staticmethod
    def _is_entered(log: SiteLog, one: OwedEntry) -> bool:
        known = log.find(event=Event.ALERT_DECIDED, subject=_subject(one))
        return any(entry.facts.get("history") == one.number for entry, _ in known)


def _subject(one: OwedEntry) -> str:
    return f"alert-{one.alert}"
