"""Clips on their way to cases: what cells tell of them, what a lost cell left, what lies on disk after a start."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import structlog

from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.control.model import ClipHeard, Refused
from blickschutz.control.ports import Do
from blickschutz.control.service.orders import RecordingOrders
from blickschutz.kernel.errors import DeviceError
from blickschutz.recording.io.clipfile import ClipError, read_head
from blickschutz.recording.model import ClipEvent, ClipNews, ClipState, CloseReason, Refusal
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.review.model import Case, CaseState
from blickschutz.review.rules import THERE
from blickschutz.review.service import CaseDesk
from blickschutz.vault.io.files import InstallationKey

_log = structlog.get_logger(__name__)
# Reasons that pages have a text for, and which go away by themselves; any other is told in its own words.
_KNOWN = frozenset({Refusal.DISK, Refusal.REVIEWERS})


class ClipIntake:
    """Makes a case of each clip. `heard` and `lost` never wait; everything else in the thread of disk and database."""

    def __init__(self, cases: CaseDesk, orders: RecordingOrders, shelf: ClipShelf, key: InstallationKey, log: AuditLog, do: Do) -> None:
        self._cases, self._orders, self._shelf, self._key, self._log, self._do = cases, orders, shelf, key, log, do

    def heard(self, told: ClipHeard) -> None:
        """A cell tells of a clip."""
        self._do(lambda: self.take(told.camera, told.news), told.camera)

    def lost(self, camera: str) -> None:
        """A cell is gone: what it was writing is cut off."""
        self._do(lambda: self.close_cut(camera), camera)

    def ready(self, camera: str) -> None:
        """A cell hears again: what its predecessor was ordered is given to it."""
        self._do(lambda: self._orders.again(camera), camera)

    def take(self, camera: str, news: ClipNews) -> None:
        """What a cell told."""
        if news.event is ClipEvent.REFUSED:
            why = news.refusal.value if news.refusal in _KNOWN else news.reason
            self._orders.refused(camera, "system", why, news.mode.value, news.cause)
            self._orders.failed(news.orders, why)
            return
        case = self._cases.opened(Case(0, news.clip, camera, news.mode.value, news.cause, news.opened, CaseState.RECORDING))
        if news.event is ClipEvent.OPENED:
            self._orders.begun(news.orders, news.clip)
            return
        alerts = self._orders.alerts(news.orders)
        if news.closing is CloseReason.DISK:
            self._orders.problem = Refused.DISK.value
            self._log.write(Event.DISK_FULL, "system", news.clip, {"camera": camera, "text": news.reason})
            self._orders.failed(news.orders, Refused.DISK.value)
        self._orders.done(news.orders)
        self._close(replace(case, closed=news.closed, seconds=news.seconds, close_reason=news.reason, alerts=alerts))

    def close_cut(self, camera: str = "") -> None:
        """Clips that were being written when their cell ended: they end with their last whole group."""
        for case in self._cases.store.find(states=[CaseState.RECORDING], camera=camera):
            path = self._shelf.path(case.clip)
            if not path.exists():
                continue
            # Each group is synced as it is written, so the file's time is that of the last one.
            closed = path.stat().st_mtime
            seconds = round(max(0.0, closed - case.opened), 2)
            alerts = tuple(order.alert for order in self._orders.store.open(case.camera) if order.clip == case.clip and order.alert)
            self._close(replace(case, closed=closed, seconds=seconds, close_reason=CloseReason.CUT.value, alerts=alerts))

    def _close(self, case: Case) -> None:
        path = self._shelf.path(case.clip)
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = path.stat().st_size
        except OSError as error:
            raise DeviceError(f"{path.name} cannot be read: {error.strerror}") from error
        self._cases.closed(replace(case, size=size, sha256=digest))

    # --- after a start ---

    def recover(self) -> None:
        """Every file has a case: cut clips are closed, files without a row are adopted, rows without a file are told of."""
        self.close_cut()
        for clip in sorted(self._shelf.clips()):
            if self._cases.store.by_clip(clip) is None:
                self._adopt(clip)
        for case in self.missing():
            self._log.write(Event.MISSING_FILE, "system", case.clip, {"case": case.id})

    def missing(self) -> list[Case]:
        """Cases whose file is not there, though nobody ordered its end."""
        there = self._shelf.clips()
        return [case for case in self._cases.store.find(states=sorted(THERE), most=100_000) if case.clip not in there]

    def _adopt(self, clip: str) -> None:
        """A file without a case: its head says what it is. What is no clip of ours is told of and left alone."""
        try:
            header = read_head(self._shelf.path(clip)).header
        except (ClipError, DeviceError) as error:
            begun = isinstance(error, ClipError) and error.state is ClipState.HEAD_CUT_OFF
            self._log.write(Event.MISSING_ROW, "system", clip, {"problem": str(error), "removed": begun})
            if begun:
                self._shelf.destroy(clip)
            return
        if header.installation != self._key.installation or header.clip != clip:
            self._log.write(Event.MISSING_ROW, "system", clip, {"problem": "the clip belongs to another installation or has another name"})
            return
        self._log.write(Event.MISSING_ROW, "system", clip, {"problem": ""})
        self._cases.opened(Case(0, clip, header.camera, header.mode.value, header.cause, header.opened, CaseState.RECORDING))
        self.close_cut(header.camera)
