"""Clips on their way to cases: what cells tell of them, what a lost cell left."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Container
from dataclasses import replace

import structlog

from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.control.model import CellResumed, ClipHeard, Refused
from blickschutz.control.ports import Do
from blickschutz.control.service.orders import RecordingOrders
from blickschutz.kernel.errors import BlickschutzError, DeviceError
from blickschutz.recording.model import ClipEvent, ClipNews, CloseReason, Refusal
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.review.model import Case, CaseState
from blickschutz.review.rules import THERE
from blickschutz.review.service import CaseDesk

_log = structlog.get_logger(__name__)
# Reasons that pages have a text for, and which go away by themselves; any other is told in its own words.
_KNOWN = frozenset({Refusal.DISK, Refusal.REVIEWERS, Refusal.REGISTER})


class ClipIntake:
    """Makes a case of each clip. `heard`, `lost` and `ready` never wait; everything else waits for disk and database."""

    def __init__(self, cases: CaseDesk, orders: RecordingOrders, shelf: ClipShelf, log: AuditLog, do: Do) -> None:
        self._cases, self._orders, self._shelf, self._log, self._do = cases, orders, shelf, log, do
        self._unclosed: set[str] = set()

    def heard(self, told: ClipHeard) -> None:
        """A cell tells of a clip."""
        self._do(lambda: self.take(told.camera, told.news, told.host), told.camera)

    def lost(self, camera: str) -> None:
        """A cell is gone: what it was writing is cut off."""
        self._do(lambda: self.close_cut(camera), camera)

    def ready(self, camera: str) -> None:
        """A cell hears again: what its predecessor was ordered is given to it."""
        self._do(lambda: self._orders.again(camera), camera)

    def resumed(self, told: CellResumed) -> None:
        """A cell that lived on has told all: what it does not have in hand was an earlier one's."""

        def settle() -> None:
            self.close_cut(told.camera, but=told.clips)
            self._orders.again(told.camera, told.orders)

        self._do(settle, told.camera)

    def take(self, camera: str, news: ClipNews, host: str = "") -> None:
        """What a cell told. Of a clip that stays on a `host` that machine says length, size and hash."""
        if news.event is ClipEvent.REFUSED:
            why = news.refusal.value if news.refusal in _KNOWN else news.reason
            self._orders.refused(camera, "system", why, news.mode.value, news.cause)
            self._orders.failed(news.orders, why)
            return
        opened = Case(0, news.clip, camera, news.mode.value, news.cause, news.opened, CaseState.RECORDING, host=host, ends=news.ends)
        case = self._cases.opened(opened)
        if news.event is ClipEvent.OPENED:
            self._orders.begun(news.orders, news.clip)
            return
        alerts = self._orders.alerts(news.orders)
        if news.closing is CloseReason.DISK:
            self._orders.problem = Refused.DISK.value
            self._log.write(Event.DISK_FULL, "system", news.clip, {"camera": camera, "text": news.reason})
            self._orders.failed(news.orders, Refused.DISK.value)
        self._orders.done(news.orders)
        case = replace(case, closed=news.closed, seconds=news.seconds, close_reason=news.reason, alerts=alerts)
        if case.host:
            self._cases.closed(replace(case, size=news.size, sha256=news.sha256, ends=news.ends))
        else:
            self._close(case)

    def close_cut(
        self, camera: str = "", only: frozenset[str] = frozenset(), but: Container[str] = (), living: Container[str] = ()
    ) -> None:
        """Clips that were being written when their cell ended: they end with their last whole group.

        `but` are clips that are being written, `living` cameras whose cells may write any.
        """
        for case in self._cases.store.find(states=[CaseState.RECORDING], camera=camera, most=100_000):
            if (only and case.clip not in only) or case.clip in but or case.camera in living or case.host:
                continue  # what another machine writes is that machine's to tell
            alerts = tuple(order.alert for order in self._orders.store.open(case.camera) if order.clip == case.clip and order.alert)
            self._close_or_tell(replace(case, close_reason=CloseReason.CUT.value, alerts=alerts))

    def again(self) -> None:
        """Cut clips that could not be read are closed as soon as they can be; called every few seconds."""
        if self._unclosed:
            waiting, self._unclosed = frozenset(self._unclosed), set()
            self.close_cut(only=waiting)

    def _close_or_tell(self, case: Case) -> None:
        """A file that cannot be read now holds up no other."""
        try:
            self._close(case)
        except BlickschutzError as error:
            _log.error("cut_clip_not_closed", clip=case.clip, problem=str(error))
            self._unclosed.add(case.clip)

    def _close(self, case: Case) -> None:
        """Length, size and hash as the disk has them; a file that is not there (the end came before its first byte) has none."""
        path = self._shelf.path(case.clip)
        try:
            with path.open("rb") as file:
                digest, found = hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno())
        except FileNotFoundError:
            self._cases.closed(replace(case, closed=case.closed or case.opened))
            return
        except OSError as error:
            raise DeviceError(f"{path.name} cannot be read: {error.strerror}") from error
        if not case.closed:
            # Each group is synced as it is written, so the file's time is that of the last one.
            case = replace(case, closed=found.st_mtime, seconds=round(max(0.0, found.st_mtime - case.opened), 2))
        self._cases.closed(replace(case, size=found.st_size, sha256=digest))

    # --- after a start ---

    def recover(self, living: Container[str] = ()) -> None:
        """Cut clips are closed, rows without a file are told of. `living` are cameras whose cells lived on: they tell of theirs."""
        self.close_cut(living=living)
        for case in self.missing():
            self._log.write(Event.MISSING_FILE, "system", case.clip, {"case": case.id})

    def missing(self) -> list[Case]:
        """Cases whose file is not there, though nobody ordered its end."""
        there = self._shelf.clips()
        return [case for case in self._cases.store.find(states=sorted(THERE), most=100_000) if case.clip not in there and not case.host]
