"""What follows a situation: the regime in force says whether it is recorded, becomes an alert, or is counted."""

from __future__ import annotations

from collections.abc import Container

from blickschutz.alerts.io.wire import CameraEvent
from blickschutz.alerts.model import Alert, Origin
from blickschutz.alerts.service import SYSTEM, AlertDesk
from blickschutz.config.model import SiteFile
from blickschutz.control.model import CameraFound, CellFound, SituationSeen, Unrecorded
from blickschutz.control.ports import Do
from blickschutz.control.service.orders import RecordingOrders
from blickschutz.control.service.regime import RegimeKeeper
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.events import Topic
from blickschutz.recording.model import ClipMode
from blickschutz.regime.model import Action
from blickschutz.situations.kinds import Situation

_MOST_RUNNING = 5000
_Key = tuple[str, str, int]


class SituationRouting:
    """`seen`, `lost`, `found` and `from_camera` never wait: what they cause is done in the thread of disk and database. `by_hand` and
    `unrecorded` wait for both themselves, so they are not called in the event loop.

    `raised` tells each new alert with the moment (monotonic) at which its situation began.
    """

    def __init__(
        self,
        site: SiteFile,
        cameras: Container[str],
        regime: RegimeKeeper,
        orders: RecordingOrders,
        desk: AlertDesk,
        clock: Clock,
        do: Do,
    ) -> None:
        self._site, self._cameras, self._regime, self._orders, self._desk = site, cameras, regime, orders, desk
        self._clock, self._do = clock, do
        self.raised: Topic[tuple[Alert, float]] = Topic()
        self._running: dict[_Key, int] = {}

    def seen(self, told: SituationSeen) -> None:
        """A situation began or ended."""
        self._do(lambda: self._route(told, Origin.ANALYSIS), told.camera)

    def lost(self, camera: str) -> None:
        """A cell is gone: the end of its situations will not be told."""
        self._do(lambda: self._desk.lost(camera), camera)

    def lived_on(self, told: CellFound) -> None:
        """A cell lived on: what it is told of situations that were ordered for by the last control room ends their orders, too."""
        self._do(lambda: self._resume(told), told.camera)

    def from_camera(self, camera: str, event: CameraEvent) -> None:
        """A camera found something itself, just now."""
        self._from_camera(camera, event, self._clock.monotonic(), self._clock.now(), over=False)

    def found(self, told: CameraFound) -> None:
        """The same, told by the camera's own cell (ONVIF), perhaps of a time at which nobody heard it."""
        found = told.found
        event = CameraEvent(id=found.id, kind=found.kind, active=found.active, zone=found.zone)
        at = told.at if told.at is not None else self._clock.monotonic()
        taken = told.taken if told.taken is not None else self._clock.now()
        self._from_camera(told.camera, event, at, taken, over=told.over)

    def _from_camera(self, camera: str, event: CameraEvent, at: float, taken: float, *, over: bool) -> None:
        ended = None if event.active else at
        situation = Situation(0, event.kind, event.zone, at, taken, event.confidence, event.figures, None, ended)
        told = SituationSeen(camera, f"camera:{event.id}", situation, over)
        self._do(lambda: self._route(told, Origin.CAMERA), camera)

    def unrecorded(self, told: Unrecorded) -> None:
        """What was ordered could not be recorded after all, or not to its end: somebody is told of the situation instead."""
        order = told.order
        if order.situation is not None:
            self._raise(SituationSeen(order.camera, order.run, order.situation), True, Origin.ANALYSIS, None)
        elif order.alert:
            self._desk.unrecorded(order.alert, order.why)

    def by_hand(self, camera: str, by: str, reason: str, alert: int | None = None) -> str:
        """Somebody orders a recording; empty where it was ordered, else why not."""
        mode = ClipMode(self._regime.mode().value)
        order = self._orders.order(camera, mode, "manual", by, reason=reason, for_s=self._site.recording.manual_s, alert=alert or 0)
        return "" if order is not None else self._orders.problem

    def _route(self, told: SituationSeen, origin: Origin) -> None:
        situation, key = told.situation, (told.camera, told.run, told.situation.number)
        action = self._regime.action(situation)
        if situation.ended_at is not None:
            # Whatever the regime says by now: what was ordered when it began ends with it.
            order = self._running.pop(key, None)
            if order is not None:
                self._orders.end_order(told.camera, order)
        else:
            # What is over already cannot be recorded any more: somebody is told instead.
            order = self._record(told, key) if action in {Action.RECORD, Action.BOTH} and not told.over else None
        # Where nothing could be recorded somebody is told instead, so that the situation is not lost.
        notify = action in {Action.NOTIFY, Action.BOTH} or (action is Action.RECORD and order is None)
        self._raise(told, notify, origin, order)

    def _record(self, told: SituationSeen, key: _Key) -> int | None:
        """Order a recording for a situation that began; the order's number, None where it was refused."""
        if told.camera not in self._cameras:
            return None
        while len(self._running) > _MOST_RUNNING:
            self._running.pop(next(iter(self._running)))
        if key not in self._running:
            mode, cause = ClipMode(self._regime.mode().value), told.situation.kind.value
            order = self._orders.order(told.camera, mode, cause, SYSTEM, situation=told.situation, run=told.run)
            if order is not None:
                self._running[key] = order
        return self._running.get(key)

    def _resume(self, told: CellFound) -> None:
        for situation, order in self._orders.of_run(told.camera, told.run).items():
            self._running.setdefault((told.camera, told.run, situation), order)

    def _raise(self, told: SituationSeen, notify: bool, origin: Origin, order: int | None) -> None:
        alert = self._desk.take(told.camera, told.situation, notify=notify, run=told.run, origin=origin)
        if alert is None:
            return
        if order is not None:
            self._orders.belongs_to(order, alert.id)
        if told.camera in self._cameras:
            self.raised.tell((alert, told.situation.at))
