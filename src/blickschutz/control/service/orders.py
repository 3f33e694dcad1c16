"""Orders to record: each is a row until its clip exists, or until somebody was told that there is none."""

from __future__ import annotations

import threading
from collections.abc import Container, Iterable, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.config.model import SiteFile
from blickschutz.control.model import OrderState, RecordingOrder, Refused, Unrecorded
from blickschutz.control.ports import Cell, Do, OrderStore, OwedStore, Waits
from blickschutz.control.service.enrolment import Enrolment
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import BlickschutzError, DeviceError, StoreBusyError
from blickschutz.kernel.events import Topic
from blickschutz.recording.model import ClipMode, Keep, Order, Sealing
from blickschutz.regime.model import Action
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.situations.kinds import Situation
from blickschutz.vault.io.files import InstallationKey
from blickschutz.vault.model import Reviewer

_log = structlog.get_logger(__name__)
_MB = 1024 * 1024
_HOUR_S = 3600.0
LEAST_REVIEWERS = 2
# A cell that was started anew is told again as long as the situation may still go on; after that it is too late to record it.
MOST_AGE_S = 120.0
MOST_TRIES = 5
# The cell that would have said when the situation is over is gone: an order that is given again ends by itself.
_AGAIN_S = 60.0


class RecordingOrders:
    """Gives orders to the cells and follows them to their outcome. From any thread but the event loop's: disk and database are waited
    for. `do` is for what they do not take at once."""

    def __init__(
        self,
        site: SiteFile,
        cells: Mapping[str, Cell],
        store: OrderStore,
        log: AuditLog,
        enrolment: Enrolment,
        key: InstallationKey,
        shelf: ClipShelf,
        clock: Clock,
        do: Do,
        safety: Waits,
        owed: OwedStore,
    ) -> None:
        self._site, self._cells, self.store, self._log, self._clock, self._do = site, cells, store, log, clock, do
        self._enrolment, self._key, self._shelf, self._safety = enrolment, key, shelf, safety
        self._zone = ZoneInfo(site.site.timezone)
        self.unrecorded: Topic[Unrecorded] = Topic()
        self.problem = ""
        self._refused: set[str] = set()
        self._lock = threading.Lock()
        self._newest: int | None = None
        # Orders whose row follows, beside the database too: what becomes of them is noted once it is there.
        self._owed, self._unstored = owed, dict[int, RecordingOrder]()

    @property
    def records(self) -> bool:
        """Whether anything in the site file orders recordings."""
        regimes = (self._site.regimes.day, self._site.regimes.night)
        return any(action in {Action.RECORD, Action.BOTH} for one in regimes for action in (one.on_situation, *one.kinds.values()))

    def today(self) -> date:
        """The day at the site."""
        return datetime.fromtimestamp(self._clock.now(), self._zone).date()

    def openers(self) -> tuple[Reviewer, ...]:
        """For whom is sealed: who has a key that others vouched for, and could open a clip today."""
        return self._enrolment.recipients()

    def refusal(self) -> str:
        """Why nothing can be recorded now: a word of `Refused`, or what is broken in words; empty where it can."""
        if self._safety.on:
            return Refused.SAFE_MODE.value
        try:
            if why := self._enrolment.refusal():
                return why
            if len(self.openers()) < LEAST_REVIEWERS:
                return "; ".join(self._enrolment.stray()) or Refused.REVIEWERS.value
            return Refused.DISK.value if self._shelf.free() < self._site.recording.reserve_mb * _MB else ""
        except (BlickschutzError, OSError) as error:
            return str(error)

    def order(
        self,
        camera: str,
        mode: ClipMode,
        cause: str,
        by: str,
        *,
        reason: str = "",
        for_s: float | None = None,
        situation: Situation | None = None,
        run: str = "",
        alert: int = 0,
    ) -> int | None:
        """Order a recording; the number of the order, or None where it was refused, which is logged and shown.

        An order for a cell that is being started waits for it.
        """
        cell = self._cells[camera]
        self._look()
        why = Refused.CAMERA.value if cell.stopped else self.refusal()
        if why:
            self.refused(camera, by, why, mode.value, cause, reason)
            return None
        order = RecordingOrder(
            self._number(), camera, mode.value, cause, by, reason, self._clock.now(), situation=situation, run=run, for_s=for_s, alert=alert
        )
        try:
            self.store.add(order)
        except DeviceError as error:
            # Seconds count: the cell records, and the row follows as soon as the database takes it.
            _log.error("order_not_stored", order=order.number, problem=str(error))
            if not self._owe(order):
                # On such a disk nothing is recorded either, and nobody would know of it after a crash.
                raise
            given = self._give(order)
            self._do(lambda: self._add_late(order, given=given))
        else:
            self._give(order)
        return order.number

    def recover(self) -> None:
        """After a start: rows that the last process owed."""
        for order in self._owed.read():
            with self._lock:
                self._unstored[order.number] = order
            self._do(partial(self._add_late, order, given=False))

    def _owe(self, order: RecordingOrder) -> bool:
        """Whether the order is kept beside the database until that takes it."""
        with self._lock:
            try:
                self._owed.write((*self._unstored.values(), order))
            except DeviceError as error:
                _log.error("order_not_kept", order=order.number, problem=str(error))
                return False
            self._unstored[order.number] = order
            return True

    def _add_late(self, order: RecordingOrder, *, given: bool) -> None:
        # It may have got this far before: then what follows failed, or the process ended in between.
        if self.store.get(order.number) is None:
            self.store.add(order)
        with self._lock:
            self._owed.write([one for one in self._unstored.values() if one.number != order.number])
            self._unstored.pop(order.number, None)
        if not given:
            # Its cell may have come back meanwhile, and was not told of an order that had no row.
            self._give(order)

    def _require_stored(self, numbers: Iterable[int]) -> None:
        """Raises `StoreBusyError` where a row is not there yet: whoever notes something of it tries again."""
        if not self._unstored.keys().isdisjoint(numbers):
            raise StoreBusyError("the database has not taken the order yet")

    def end_order(self, camera: str, number: int) -> None:
        """What it was given for is over."""
        self._cells[camera].end_order(number)
        self._require_stored((number,))
        self.store.over(number)

    def belongs_to(self, order: int, alert: int) -> None:
        """An alert was raised for the same situation."""
        self._require_stored((order,))
        self.store.belongs_to(order, alert)

    def refused(self, camera: str, by: str, why: str, mode: str, cause: str, reason: str = "") -> None:
        """Told once until it works again: a night without reviewers is one problem, not a thousand."""
        self.problem = why
        if (key := f"{camera}:{why}") not in self._refused:
            _log.error("recording_refused", camera=camera, reason=why)
            facts: dict[str, Any] = {"why": why, "mode": mode, "cause": cause, "reason": reason}
            self._log.write(Event.RECORDING_REFUSED, by, camera, facts)
            # Only now: an entry that the database did not take is tried again.
            self._refused.add(key)

    # --- what becomes of an order ---

    def begun(self, numbers: tuple[int, ...], clip: str) -> None:
        """A clip was begun for these orders."""
        self.problem, self._refused = "", set()
        self._require_stored(numbers)
        for number in numbers:
            self.store.begun(number, clip)

    def alerts(self, numbers: tuple[int, ...]) -> tuple[int, ...]:
        """The alerts that belong to these orders."""
        self._require_stored(numbers)
        known = (self.store.get(number) for number in numbers)
        return tuple(order.alert for order in known if order is not None and order.alert)

    def done(self, numbers: tuple[int, ...]) -> None:
        """Their clip is closed."""
        self._require_stored(numbers)
        for number in numbers:
            self.store.end(number, OrderState.DONE)

    def failed(self, numbers: tuple[int, ...], why: str) -> None:
        """They have no clip, or not to their end: somebody is told of the situation instead."""
        self._require_stored(numbers)
        for number in numbers:
            order = self.store.end(number, OrderState.FAILED, why)
            if order is not None:
                self.unrecorded.tell(Unrecorded(order))

    def of_run(self, camera: str, run: str) -> dict[int, int]:
        """The open orders for situations that this life of the camera's cell has told of, by the number of the situation."""
        known = (*self.store.open(camera), *(order for order in self._unstored.values() if order.camera == camera))
        return {order.situation.number: order.number for order in known if order.situation is not None and order.run == run}

    def again(self, camera: str, in_hand: Container[int] = ()) -> None:
        """The camera's cell hears again: what it was told before is given to it once more, where it is not too late.

        Of orders that it still has `in_hand` it is only told where they are over: whoever should have may not have got to it.
        """
        for order in self.store.open(camera):
            if order.number in in_hand:
                if order.over:
                    self._cells[camera].end_order(order.number)
            elif order.state is OrderState.RECORDING:
                # Its clip is cut and kept; while the situation goes on the rest is recorded as another one.
                self.store.end(order.number, OrderState.DONE)
                if not order.over and self._is_timely(order):
                    self._continue(order)
            elif order.over or not self._is_timely(order) or order.tries >= MOST_TRIES:
                self.failed((order.number,), Refused.LOST.value)
            elif self._cells[camera].reachable:
                self.store.again(order.number)
                self._give(order, again=True)

    def overdue(self) -> None:
        """Orders that no cell took in time have failed; called every few seconds."""
        for order in self.store.open():
            if order.state is OrderState.GIVEN and not self._is_timely(order):
                self.failed((order.number,), Refused.LOST.value)

    def _continue(self, order: RecordingOrder) -> None:
        self.order(
            order.camera,
            ClipMode(order.mode),
            order.cause,
            order.by,
            reason=order.reason,
            for_s=_AGAIN_S,
            situation=order.situation,
            run=order.run,
            alert=order.alert,
        )

    def _is_timely(self, order: RecordingOrder) -> bool:
        return abs(self._clock.now() - order.at) <= MOST_AGE_S

    def _give(self, order: RecordingOrder, *, again: bool = False) -> bool:
        """Whether the cell was there to be told; else `again` tells it once it is."""
        cell = self._cells[order.camera]
        if not cell.reachable:
            return False
        sealing = self._sealing(str(self._shelf.folder))
        for_s = order.for_s if order.for_s is not None or not again else _AGAIN_S
        # Numbers of situations are those of one life of the cell: an order that is given again may be of an earlier one.
        situation = order.situation.number if order.situation is not None and for_s is None else 0
        mode = ClipMode(order.mode)
        told = Order(number=order.number, mode=mode, cause=order.cause, sealing=sealing, for_s=for_s, situation=situation, keep=self.keep)
        cell.record(told)
        return True

    @property
    def keep(self) -> Keep:
        """How long a clip is kept that nobody says a word about."""
        kept = self._site.retention
        return Keep(regular_s=kept.unreviewed_hours * _HOUR_S, hard_s=kept.hard_limit_days * 24 * _HOUR_S, zone=self._site.site.timezone)

    def standing(self) -> Sealing | None:
        """For whom is sealed by whoever cannot ask; None where nothing may be recorded now. Waits for disk and database."""
        self._look()
        return None if self.refusal() else self._sealing("")

    def _sealing(self, folder: str) -> Sealing:
        register, root = self._enrolment.sealing()
        return Sealing(self._key.installation, folder, self.openers(), register, root)

    def _look(self) -> None:
        """Whether all is as people made it; a database that answers late holds up no recording: whoever seals looks too."""
        try:
            self._enrolment.look()
        except (BlickschutzError, OSError) as error:
            _log.error("register_not_compared", problem=str(error))

    def _number(self) -> int:
        """Numbers go on where the last ones ended, over restarts too."""
        with self._lock:
            if self._newest is None:
                # Rows that the last process owed are known since `recover`.
                self._newest = max((self.store.newest(), *self._unstored))
            self._newest += 1
            return self._newest
