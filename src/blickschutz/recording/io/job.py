"""One clip being written, in a thread of its own: sealing and syncing never hold up the cell."""

from __future__ import annotations

import contextlib
import queue
import shutil
import threading
import uuid
from pathlib import Path

import structlog

from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import DeviceError
from blickschutz.recording.io.clipfile import SUFFIX, ClipWriter
from blickschutz.recording.io.feed import Piece
from blickschutz.recording.model import ClipEvent, ClipHeader, ClipNews, CloseReason, Opening, Order, RecordingSettings
from blickschutz.recording.ports import Tell
from blickschutz.recording.rules import TICKS, BackgroundWriter
from blickschutz.vault.service import TooFewReviewersError, new_key, seal_key

_log = structlog.get_logger(__name__)
_MOST_WAITING = 120
_MB = 1024 * 1024


class ClipJob:
    """Begins with an order, takes pieces, ends with a reason. `failed` says that the disk takes no more."""

    def __init__(self, camera: str, order: Order, opening: Opening, settings: RecordingSettings, clock: Clock, tell: Tell) -> None:
        self.clip, self.mode = uuid.uuid4().hex, order.mode
        self._camera, self.order, self._opening = camera, order, opening
        self._settings, self._clock, self._tell = settings, clock, tell
        self._opened = clock.now()
        self.orders = [order.number]
        self._queue: queue.Queue[Piece | CloseReason] = queue.Queue()
        self._first: int | None = None
        self._last = 0
        self.failed = False
        self._thread = threading.Thread(target=self._run, name=f"clip-{self.clip[:8]}", daemon=True)
        self._thread.start()

    def add(self, piece: Piece) -> None:
        if self._queue.qsize() > _MOST_WAITING:
            self.failed = True
            self._queue.put(CloseReason.DISK)
        if not self.failed:
            self._queue.put(piece)

    def close(self, reason: CloseReason, wait_s: float = 0.0) -> None:
        self._queue.put(reason)
        if wait_s:
            self._thread.join(wait_s)

    def _run(self) -> None:
        writer = self._begin()
        if writer is None:
            return
        self._news(ClipEvent.OPENED)
        reason, backgrounds = CloseReason.DISK, BackgroundWriter()
        try:
            while not isinstance(item := self._queue.get(), CloseReason):
                self._require_room(Path(self.order.sealing.folder))
                writer.add(item.gop(backgrounds))
                if self._queue.empty():
                    writer.flush()
                if item.fragment.pts:
                    self._first = item.fragment.pts[0] if self._first is None else self._first
                    self._last = item.fragment.pts[-1]
            reason = item
            writer.close(reason, self._clock.now())
            problem = ""
        except DeviceError as error:
            self.failed, problem, reason = True, str(error), CloseReason.DISK
            _log.error("clip_cut_off", clip=self.clip, problem=problem)
            self._close_as_cut(writer)
        self._news(ClipEvent.CLOSED, reason.value if not problem else f"{reason.value}: {problem}", writer.size)

    def _close_as_cut(self, writer: ClipWriter) -> None:
        """A full disk may still take the few bytes of the last message; if not, the clip is one that was cut off."""
        with contextlib.suppress(DeviceError):
            writer.close(CloseReason.DISK, self._clock.now())

    def _begin(self) -> ClipWriter | None:
        order, sealing = self.order, self.order.sealing
        folder = Path(sealing.folder)
        header = ClipHeader(
            clip=self.clip,
            installation=sealing.installation,
            camera=self._camera,
            mode=order.mode,
            cause=order.cause,
            opened=self._opened,
        )
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._require_room(folder)
            key = new_key()
            envelope = seal_key(key, self.clip, sealing.reviewers)
            return ClipWriter(folder / f"{self.clip}{SUFFIX}", header, envelope, key, self._opening)
        except (DeviceError, TooFewReviewersError, OSError) as error:
            _log.error("recording_refused", camera=self._camera, problem=str(error))
            self.failed = True
            self._news(ClipEvent.REFUSED, str(error))
            return None

    def _require_room(self, folder: Path) -> None:
        free = shutil.disk_usage(folder).free
        if free < self._settings.reserve_mb * _MB:
            raise DeviceError(f"{free // _MB} MB are free; {self._settings.reserve_mb} MB must stay free")

    def _news(self, event: ClipEvent, reason: str = "", size: int = 0) -> None:
        self._tell(
            ClipNews(
                event=event,
                clip=self.clip,
                mode=self.mode,
                cause=self.order.cause,
                orders=tuple(self.orders),
                opened=self._opened,
                closed=self._clock.now() if event is ClipEvent.CLOSED else 0.0,
                reason=reason,
                seconds=round((self._last - (self._first or 0)) / TICKS, 2),
                size=size,
            )
        )
