"""The alert desk: takes situations, keeps the alerts, takes decisions, tells who listens; and the sender of each channel."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog

from blickschutz.alerts.model import Alert, AlertEvent, AlertState, HistoryEntry, Notice, Origin, Outcome
from blickschutz.alerts.ports import AlertStore, Channel
from blickschutz.alerts.rules import OPEN, next_state, wait_before_retry
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import DeviceError
from blickschutz.kernel.situation import Situation

_log = structlog.get_logger(__name__)

SYSTEM = "system"


class AlertDesk:
    """All alerts of a site. `listen` gets every alert that is new or changed. Safe to be called from several threads."""

    def __init__(self, store: AlertStore, clock: Clock, channels: Sequence[str] = (), escalate_after_s: float = 120.0) -> None:
        self.store = store
        self._clock, self._channels, self._escalate_after_s = clock, tuple(channels), escalate_after_s
        self._running: dict[tuple[str, str, int], int] = {}
        self._listeners: list[Callable[[Alert], None]] = []
        self._lock = threading.Lock()

    def listen(self, listener: Callable[[Alert], None]) -> Callable[[], None]:
        """Call `listener` with every new or changed alert; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def take(self, camera: str, situation: Situation, *, notify: bool, run: str = "", origin: Origin = Origin.ANALYSIS) -> Alert | None:
        """A situation began or ended. `run` names the life of the cell that numbers its situations.

        With `notify` off it is counted only. Returns the new alert, if there is one.
        """
        key = camera, run, situation.number
        with self._lock:
            known = self._running.pop(key, None) if situation.ended_at is not None else self._running.get(key)
        if situation.ended_at is not None:
            if known is not None:
                self.store.end(known, self._clock.now(), situation.figures, situation.confidence)
                self._tell(known)
            return None
        if known is not None:
            return None
        if not notify:
            self.store.count(camera, situation.kind, situation.taken)
            return None
        now = self._clock.now()
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
        )
        alert = self.store.add(new, self._channels, HistoryEntry(now, "raised", SYSTEM))
        with self._lock:
            self._running[key] = alert.id
        _log.warning("alert_raised", alert=alert.id, camera=camera, kind=alert.kind.value)
        self._tell(alert.id)
        return alert

    def open_alerts(self) -> list[Alert]:
        """What waits for somebody, in the order of need: escalated, raised, then what is being dealt with; newest first."""
        order = {AlertState.ESCALATED: 0, AlertState.RAISED: 1, AlertState.ACTING: 2, AlertState.ACKNOWLEDGED: 2}
        return sorted(self.store.find(states=sorted(OPEN)), key=lambda alert: (order[alert.state], -alert.raised))

    def seen(self, number: int, by: str) -> None:
        """Somebody opened the alert; told once for each person."""
        if not any(entry.event == AlertEvent.SEEN and entry.by == by for entry in self.store.history(number)):
            self.store.log(number, HistoryEntry(self._clock.now(), AlertEvent.SEEN, by))

    def acknowledge(self, number: int, by: str) -> bool:
        """Somebody takes it on. False where somebody else was faster."""
        return self._move(number, AlertEvent.ACKNOWLEDGE, by)

    def act(self, number: int, by: str, text: str) -> bool:
        """Somebody did something about it."""
        return self._move(number, AlertEvent.ACT, by, text)

    def close(self, number: int, by: str, outcome: Outcome, note: str) -> bool:
        """It is decided."""
        return self._move(number, AlertEvent.CLOSE, by, note, outcome)

    def order_recording(self, number: int, by: str, reason: str) -> None:
        """Somebody orders a recording by hand."""
        self.store.order_recording(number, HistoryEntry(self._clock.now(), "record", by, reason))
        self._tell(number)

    def escalate_overdue(self) -> int:
        """Escalate what nobody acknowledged in time; returns how many."""
        now = self._clock.now()
        overdue = [alert for alert in self.store.find(states=[AlertState.RAISED]) if now - alert.raised >= self._escalate_after_s]
        return sum(self._move(alert.id, AlertEvent.ESCALATE, SYSTEM) for alert in overdue)

    def _move(self, number: int, event: AlertEvent, by: str, text: str = "", outcome: Outcome | None = None) -> bool:
        alert = self.store.get(number)
        after = next_state(alert.state, event) if alert is not None else None
        if alert is None or after is None:
            return False
        entry = HistoryEntry(self._clock.now(), event.value, by, text)
        # Who only listens hears of raised, escalated and closed; the rest is between those at the desk.
        channels = self._channels if event in {AlertEvent.ESCALATE, AlertEvent.CLOSE} else ()
        if not self.store.change(number, alert.state, after, entry, outcome, text if outcome else "", channels):
            return False
        self._tell(number)
        return True

    def keep_seconds(self, number: int, data: bytes) -> None:
        """The redacted seconds of an alert are there."""
        self.store.put_clip(number, data)
        self._tell(number)

    def unrecorded(self, number: int, why: str) -> None:
        """What somebody ordered for an alert could not be recorded."""
        self.store.log(number, HistoryEntry(self._clock.now(), "unrecorded", SYSTEM, why))
        self._tell(number)

    def _tell(self, number: int) -> None:
        alert = self.store.get(number)
        for listener in list(self._listeners) if alert is not None else []:
            assert alert is not None
            listener(alert)


class Sender:
    """Tells one channel what it must be told, in a thread of its own: tries again until it works, each notice once."""

    def __init__(self, channel: Channel, store: AlertStore, clock: Clock, idle_s: float = 1.0) -> None:
        self._channel, self._store, self._clock, self._idle_s = channel, store, clock, idle_s
        self._wake = threading.Event()
        self._ended = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"sender-{self._channel.name}", daemon=True)
        self._thread.start()

    def poke(self) -> None:
        """There may be something new."""
        self._wake.set()

    def end(self, wait_s: float = 3.0) -> None:
        self._ended = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(wait_s)
        self._channel.close()

    def work(self) -> int:
        """Tell what is due; returns how many notices went out. A channel that fails is left alone until the next time."""
        done = 0
        for notice in self._store.due(self._channel.name, self._clock.now()):
            if self._ended or not self._try(notice):
                break
            done += 1
        return done

    def _try(self, notice: Notice) -> bool:
        try:
            self._channel.send(notice)
        except DeviceError as error:
            self._store.failed(notice.number, self._clock.now() + wait_before_retry(notice.tries + 1), str(error))
            _log.warning("notice_failed", channel=self._channel.name, notice=notice.number, problem=str(error))
            return False
        self._store.sent(notice.number, self._clock.now())
        return True

    def _run(self) -> None:
        while not self._ended:
            self.work()
            self._wake.wait(self._idle_s)
            self._wake.clear()
