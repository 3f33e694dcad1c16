"""One clip being written, in a guarded thread: sealing and syncing never hold up the cell."""

from __future__ import annotations

import shutil
import threading
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from blickschutz.guard.rules import words
from blickschutz.guard.service import Guard
from blickschutz.guard.work import attempt
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import DeviceError
from blickschutz.recording.io.clipfile import SUFFIX, ClipWriter
from blickschutz.recording.io.feed import MOST_S, Piece
from blickschutz.recording.model import ClipEvent, ClipHeader, ClipNews, CloseReason, Opening, Order, RecordingSettings, Refusal
from blickschutz.recording.ports import Tell
from blickschutz.recording.rules import TICKS, BackgroundWriter
from blickschutz.vault.register import RegisterError, RegisterGuard
from blickschutz.vault.service import TooFewReviewersError, new_key, seal_key

_log = structlog.get_logger(__name__)
# What may wait for a slow disk beyond the seconds before the order, which are in memory anyway.
MOST_WAITING = 64 * 1024 * 1024
# As much may lie in memory before an order, and a disk may stand still for as long.
_MOST_WAITING_S = 2 * MOST_S
_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _End:
    reason: CloseReason
    problem: str = ""


class _Backlog:
    """What waits to be written, in order; knows its bytes and how far back it reaches."""

    def __init__(self) -> None:
        self._items: deque[Piece | _End] = deque()
        self._came = threading.Condition()
        self.bytes = 0

    def put(self, item: Piece | _End) -> None:
        with self._came:
            self._items.append(item)
            self.bytes += len(item.fragment.data) if isinstance(item, Piece) else 0
            self._came.notify()

    def get(self) -> Piece | _End:
        with self._came:
            self._came.wait_for(lambda: self._items)
            item = self._items.popleft()
            self.bytes -= len(item.fragment.data) if isinstance(item, Piece) else 0
            return item

    def reaches_s(self, at: float) -> float:
        """How long before `at` the oldest piece came."""
        with self._came:
            first = self._items[0] if self._items else None
            return at - first.fragment.at if isinstance(first, Piece) else 0.0

    @property
    def is_empty(self) -> bool:
        return not self._items


class ClipJob:
    """Begins with an order and the pieces from before it, takes more, ends with a reason. `failed` says that it takes no more,
    `again` that another clip may well succeed.
    """

    def __init__(
        self,
        camera: str,
        order: Order,
        opening: Opening,
        settings: RecordingSettings,
        clock: Clock,
        tell: Tell,
        guard: Guard,
        register: RegisterGuard,
        before: Sequence[Piece] = (),
        others: Sequence[int] = (),
    ) -> None:
        self.clip, self.mode = uuid.uuid4().hex, order.mode
        self._lock, self._told = threading.Lock(), False
        self._camera, self.order, self._opening = camera, order, opening
        self._settings, self._clock, self._tell, self._register = settings, clock, tell, register
        self._opened = clock.now()
        self._orders = [order.number, *others]
        self._backlog = _Backlog()
        self._most_waiting = MOST_WAITING + sum(len(piece.fragment.data) for piece in before)
        self._writer: ClipWriter | None = None
        self._first: int | None = None
        self._last = 0
        self.failed = self.again = False
        for piece in before:
            self._backlog.put(piece)
        self._work = guard.once_thread("clip", self._run)

    @property
    def done(self) -> bool:
        return self._work.ended

    @property
    def orders(self) -> tuple[int, ...]:
        """The numbers of the orders for which it is written."""
        with self._lock:
            return tuple(self._orders)

    def accept(self, number: int) -> bool:
        """One more order for this clip; False where its outcome was told already, which would not have named it."""
        with self._lock:
            if not self._told:
                self._orders.append(number)
            return not self._told

    def add(self, piece: Piece) -> None:
        """Hand in the next piece; never waits. Where the disk is too slow for the camera, what waits is still written, then it ends."""
        backlog, data = self._backlog, piece.fragment.data
        if self.failed:
            return
        if data and (backlog.bytes + len(data) > self._most_waiting or backlog.reaches_s(piece.fragment.at) > _MOST_WAITING_S):
            self.failed = self.again = True
            backlog.put(_End(CloseReason.BEHIND))
            return
        backlog.put(piece)

    def close(self, reason: CloseReason, wait_s: float = 0.0, problem: str = "") -> None:
        self._backlog.put(_End(reason, problem))
        if wait_s:
            self._work.wait(wait_s)

    def _run(self) -> None:
        """Whatever happens, somebody is told how the clip ended; what was not foreseen is the guard's too."""
        error = attempt(self._record)
        if error is None:
            return
        self.failed = self.again = True
        if self._writer is None:
            self._news(ClipEvent.REFUSED, words(error), refusal=Refusal.FAULT)
        else:
            self._cut_off(self._writer, CloseReason.FAULT, words(error))
        raise error

    def _record(self) -> None:
        self._writer = writer = self._begin()
        if writer is None:
            return
        self._news(ClipEvent.OPENED)
        try:
            end = self._write(writer)
            writer.close(end.reason, self._clock.now())
        except DeviceError as error:
            self.failed = True
            self._cut_off(writer, CloseReason.DISK, str(error))
            return
        self._news(ClipEvent.CLOSED, end.problem, writer.size, closing=end.reason)

    def _write(self, writer: ClipWriter) -> _End:
        """Seal what comes until the end comes."""
        backgrounds = BackgroundWriter()
        while not isinstance(item := self._backlog.get(), _End):
            self._require_room(Path(self.order.sealing.folder))
            writer.add(item.gop(backgrounds))
            if self._backlog.is_empty:
                writer.flush()
            if item.fragment.pts:
                self._first = item.fragment.pts[0] if self._first is None else self._first
                self._last = item.fragment.pts[-1]
        return item

    def _cut_off(self, writer: ClipWriter, reason: CloseReason, problem: str) -> None:
        """A full disk may still take the few bytes of the last message; if not, the clip is one that was cut off."""
        _log.error("clip_cut_off", clip=self.clip, reason=reason.value, problem=problem)
        error = attempt(lambda: writer.close(reason, self._clock.now()))
        if error is not None:
            _log.error("clip_without_end", clip=self.clip, problem=words(error))
        self._news(ClipEvent.CLOSED, problem, writer.size, closing=reason)

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
            # Whoever gives the order says for whom; whether that may be, whoever seals finds out for themselves.
            self._register.require(sealing.reviewers, sealing.register, sealing.root, sealing.installation)
            key = new_key()
            envelope = seal_key(key, self.clip, sealing.reviewers)
            return ClipWriter(folder / f"{self.clip}{SUFFIX}", header, envelope, key, self._opening)
        except RegisterError as error:
            self._refused(Refusal.REGISTER, str(error))
        except TooFewReviewersError as error:
            self._refused(Refusal.REVIEWERS, str(error))
        except (DeviceError, OSError) as error:
            self._refused(Refusal.DISK, str(error))
        return None

    def _refused(self, refusal: Refusal, problem: str) -> None:
        _log.error("recording_refused", camera=self._camera, problem=problem)
        self.failed = True
        self._news(ClipEvent.REFUSED, problem, refusal=refusal)

    def _require_room(self, folder: Path) -> None:
        free = shutil.disk_usage(folder).free
        if free < self._settings.reserve_mb * _MB:
            raise DeviceError(f"{free // _MB} MB are free; {self._settings.reserve_mb} MB must stay free")

    def _news(
        self, event: ClipEvent, problem: str = "", size: int = 0, closing: CloseReason | None = None, refusal: Refusal | None = None
    ) -> None:
        reason = problem if closing is None else f"{closing.value}: {problem}" if problem else closing.value
        with self._lock:
            self._told = event is not ClipEvent.OPENED
            orders = tuple(self._orders)
        self._tell(
            ClipNews(
                event=event,
                clip=self.clip,
                mode=self.mode,
                cause=self.order.cause,
                orders=orders,
                opened=self._opened,
                closed=self._clock.now() if event is ClipEvent.CLOSED else 0.0,
                reason=reason,
                seconds=round((self._last - (self._first or 0)) / TICKS, 2),
                size=size,
                closing=closing,
                refusal=refusal,
            )
        )
